"""Charts as SVG text: sharp at every size, a few kilobytes, no drawing package to load."""

import html
from collections.abc import Mapping, Sequence

import numpy as np

from geomface.arrays import FloatArray

WIDTH, HEIGHT = 640, 300
LEFT, RIGHT, TOP, BOTTOM = 56, 16, 16, 46
COLORS = ("#2b5fa8", "#d9822b", "#1f7a4d", "#8e3b8c")


def bar_chart(
    labels: Sequence[str],
    values: Sequence[float],
    *,
    unit: str,
    line: float | None = None,
    marks: Sequence[float] | None = None,
) -> str:
    """Return a bar chart.

    Parameters
    ----------
    labels, values : one a bar
    unit : label of the value axis
    line : a dashed horizontal line, such as the mean
    marks : a second value a bar, drawn as a small tick (a 95th percentile, say)
    """
    heights = [*values, *([] if marks is None else marks), *([] if line is None else [line])]
    top = _round_up(max([height for height in heights if np.isfinite(height)], default=1.0))
    step = (WIDTH - LEFT - RIGHT) / max(len(values), 1)
    parts = _axis(top, unit)
    for index, (label, value) in enumerate(zip(labels, values, strict=True)):
        left = LEFT + step * (index + 0.15)
        y = _y(value, top)
        parts.append(
            f'<rect x="{left:.1f}" y="{y:.1f}" width="{0.7 * step:.1f}" '
            f'height="{HEIGHT - BOTTOM - y:.1f}" fill="{COLORS[0]}" rx="2">'
            f"<title>{html.escape(label)}: {value:.3g} {html.escape(unit)}</title></rect>"
        )
        if marks is not None:
            mark = _y(marks[index], top)
            parts.append(
                f'<line x1="{left:.1f}" x2="{left + 0.7 * step:.1f}" y1="{mark:.1f}" '
                f'y2="{mark:.1f}" stroke="{COLORS[1]}" stroke-width="3"/>'
            )
        parts.append(_label(left + 0.35 * step, HEIGHT - BOTTOM + 18, label, "middle"))
    if line is not None:
        y = _y(line, top)
        parts.append(
            f'<line x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y:.1f}" y2="{y:.1f}" '
            'stroke="currentColor" stroke-dasharray="5 4" opacity="0.6"/>'
        )
    return _svg(parts)


def histogram(values: FloatArray, bins: int = 12) -> str:
    """Return a bar chart of how many finite values (n,) lie in each of `bins` equal intervals."""
    counts, edges = np.histogram(values, bins)
    digits = max(0, 2 - int(np.floor(np.log10(max(edges[-1] - edges[0], 1e-9)))))
    middles = 0.5 * (edges[1:] + edges[:-1])
    labels = [f"{middle:.{digits}f}" for middle in middles]
    return bar_chart(labels, counts.tolist(), unit="count")


def cumulative_chart(series: Mapping[str, FloatArray], *, unit: str, upper: float) -> str:
    """Return curves of the share of values below x, for x from 0 to `upper`.

    Parameters
    ----------
    series : {name: (n,) values}
    unit : label of the x axis
    """
    parts = _axis(100.0, "% of vertices")
    for tick in np.linspace(0, upper, 5):
        x = LEFT + (WIDTH - LEFT - RIGHT) * tick / upper
        parts.append(_label(x, HEIGHT - BOTTOM + 18, f"{tick:g}", "middle"))
    parts.append(_label((LEFT + WIDTH - RIGHT) / 2, HEIGHT - 8, unit, "middle"))
    for index, (name, values) in enumerate(series.items()):
        ordered = np.sort(values[np.isfinite(values)])
        grid = np.linspace(0, upper, 120)
        share = 100 * np.searchsorted(ordered, grid, side="right") / max(len(ordered), 1)
        x = LEFT + (WIDTH - LEFT - RIGHT) * grid / upper
        points = " ".join(f"{a:.1f},{_y(b, 100.0):.1f}" for a, b in zip(x, share, strict=True))
        color = COLORS[index % len(COLORS)]
        parts.append(
            f'<polyline points="{points}" fill="none" stroke="{color}" stroke-width="2.5"/>'
        )
        row = TOP + 150 + 20 * index
        parts.append(f'<rect x="{WIDTH - 210}" y="{row}" width="14" height="4" fill="{color}"/>')
        parts.append(_label(WIDTH - 190, row + 6, name, "start"))
    return _svg(parts)


def _svg(parts: Sequence[str]) -> str:
    return (
        f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" '
        'font-family="system-ui, sans-serif" font-size="12" fill="currentColor">'
        f"{''.join(parts)}</svg>"
    )


def _axis(top: float, unit: str) -> list[str]:
    parts = []
    for tick in np.linspace(0, top, 5):
        y = _y(float(tick), top)
        parts.append(
            f'<line x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y:.1f}" y2="{y:.1f}" '
            'stroke="currentColor" opacity="0.15"/>'
        )
        parts.append(_label(LEFT - 8, y + 4, f"{tick:g}", "end"))
    middle = (TOP + HEIGHT - BOTTOM) / 2
    parts.append(
        f'<text transform="translate(14 {middle:.0f}) rotate(-90)" text-anchor="middle">'
        f"{html.escape(unit)}</text>"
    )
    return parts


def _label(x: float, y: float, text: str, anchor: str) -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{html.escape(text)}</text>'


def _y(value: float, top: float) -> float:
    share = min(max(value / top, 0.0), 1.0) if np.isfinite(value) else 0.0
    return HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * share


def _round_up(value: float) -> float:
    """Return the next number above `value` that divides into four readable ticks."""
    if value <= 0:
        return 1.0
    power = 10.0 ** np.floor(np.log10(value))
    for step in (1.0, 1.2, 1.6, 2.0, 2.4, 3.2, 4.0, 6.0, 8.0, 10.0):
        if value <= step * power * (1 + 1e-9):
            return float(step * power)
    return float(10 * power)
