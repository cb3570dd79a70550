"""The table of a report's scans, and the charts of their figures."""

import math
from collections.abc import Sequence

import numpy as np

from geomface.arrays import FloatArray
from geomface.report.charts import bar_chart, cumulative_chart, histogram
from geomface.report.collection import Collection, ScanResult
from geomface.report.page import Figure, paged_table, paragraph, table

ERROR_COLUMNS = (
    ("mean", "mean mm", 2),
    ("p95", "95 % mm", 2),
    ("seen", "seen mm", 2),
    ("unseen", "unseen mm", 2),
    ("albedo", "colour error", 3),
)
"""(figure, title, digits) of the distances to the truth; the colour error is a share of 1."""
MOST_ROWS = 20_000
"""Scans in the table of a page; of more, those that fit worst."""


def number(value: float | None, digits: int = 2) -> str:
    """Return a number for a table, a dash for None or NaN."""
    return "–" if value is None or not math.isfinite(value) else f"{value:.{digits}f}"


def scan_table(collection: Collection) -> str:
    """Return the figures of all scans: one table, or pages of one where there are many.

    The distances to the truth of many scans are measured on some, and so are no columns then.
    """
    results = collection.results
    known = set() if collection.large else {key for one in results for key in one.error_figures}
    measured = [row for row in ERROR_COLUMNS if row[0] in known]
    header = ["scan", *(title for _, title, _ in measured)]
    header += ["residual mm", "residual 95 % mm", "matched %", "flips", "seconds"]
    if not collection.large:
        rows = [_row(result, measured) for result in results]
        return table(header, rows, total=_mean_row(header, rows))
    chosen = results
    said = ""
    if len(results) > MOST_ROWS:
        chosen = sorted(results, key=lambda result: -result.residual)[:MOST_ROWS]
        said = paragraph(f"The {MOST_ROWS:,} scans that fit worst; the records hold all.")
    rows = [_row(result, measured) for result in chosen]
    return said + paged_table(header, rows, total=_mean_row(header, rows))


def _row(result: ScanResult, measured: Sequence[tuple[str, str, int]]) -> list[str]:
    figures = result.error_figures if measured else {}
    row = [result.name, *(number(figures.get(key), digits) for key, _, digits in measured)]
    fit = result.record.figures
    residual = fit.get("residual_mm") or {}
    row += [number(residual.get("median")), number(residual.get("p95"))]
    row += [number(100 * fit.get("kept_fraction", math.nan), 0), str(fit.get("flips", "–"))]
    return [*row, number(result.record.seconds, 1)]


def _mean_row(header: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    """Return the mean of every column with the digits of its cells."""
    cells = ["mean"]
    for column in range(1, len(header)):
        texts = [row[column] for row in rows if row[column] != "–"]
        digits = max((len(text.partition(".")[2]) for text in texts), default=0)
        cells.append(number(float(np.mean([float(t) for t in texts])), digits) if texts else "–")
    return cells


def error_charts(collection: Collection) -> list[Figure]:
    """Return the charts of the distances to the truth, and of many scans those of the records."""
    charts = _record_charts(collection.results) if collection.large else []
    measured = [result for result in collection.measured if result.errors is not None]
    if not measured:
        return charts
    figures = [result.error_figures for result in measured]
    means = [figure["mean"] for figure in figures]
    bars = bar_chart(
        [result.name.removeprefix("scan") or result.name for result in measured],
        means,
        unit="mm",
        line=float(np.mean(means)),
        marks=[figure["p95"] for figure in figures],
    )
    series = {"all vertices of the face": _pooled(measured, None)}
    if all(result.truth is not None and result.truth.seen is not None for result in measured):
        series = {"seen by the scanner": _pooled(measured, True)} | series
        series["not seen"] = _pooled(measured, False)
    curves = cumulative_chart(series, unit="mm", upper=4.0)
    if not collection.large:
        text = "Mean distance a scan (bars), 95th percentile (ticks), mean of all (line)."
        charts.append(Figure(bars, text))
    return [*charts, Figure(curves, "Share of vertices nearer to the truth than x.")]


def _record_charts(results: Sequence[ScanResult]) -> list[Figure]:
    """Return histograms of what the records tell of all scans."""
    values = {
        "median distance of matches to the scan, mm": [result.residual for result in results],
        "seconds a scan": [result.record.seconds for result in results],
    }
    charts = []
    for name, column in values.items():
        known = np.asarray(column, np.float64)
        known = known[np.isfinite(known)]
        if len(known):
            middle, high = np.percentile(known, [50, 99])
            text = f"{name}: median {middle:.3g}, 99 % below {high:.3g}, largest {known.max():.3g}"
            charts.append(Figure(histogram(np.minimum(known, high), 24), text))
    return charts


def _pooled(results: Sequence[ScanResult], seen: bool | None) -> FloatArray:
    parts = []
    for result in results:
        chosen = result.core
        if seen is not None and result.truth is not None and result.truth.seen is not None:
            chosen = chosen & (result.truth.seen == seen)
        if result.errors is not None:
            parts.append(result.errors[chosen])
    return np.concatenate(parts)


def mean_errors(results: Sequence[ScanResult]) -> dict[str, float]:
    """Return the distances to the truth averaged over scans, empty without truth."""
    figures = [result.error_figures for result in results if result.errors is not None]
    if not figures:
        return {}
    return {
        key: float(np.nanmean([figure.get(key, np.nan) for figure in figures]))
        for key in ("mean", "p95")
    }
