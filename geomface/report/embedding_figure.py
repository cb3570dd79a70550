"""Descriptors in the plane as a picture: points coloured by label, faces where there is room."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from geomface.arrays import FloatArray, ImageArray, require_finite, require_shape
from geomface.errors import SettingsError
from geomface.report.charts import COLORS

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

MORE_COLORS = ("#b3423a", "#3a9fb3", "#7a6a2f", "#c77fb0", "#5f6b7a", "#9ab83f")
"""For figures with more labels than `COLORS`."""
INCHES = 7.0


def embedding_figure(
    places: FloatArray,
    *,
    labels: Sequence[str] | None = None,
    pictures: ImageArray | None = None,
    thumbnail: float = 0.07,
    most: int = 60,
    title: str = "",
) -> "Figure":
    """Draw descriptors that were laid out in the plane, such as by `embed_in_plane`.

    Parameters
    ----------
    places : (N, 2)
    labels : N names; each gets a colour, the most frequent first, and a line of the legend
    pictures : (N, H, W, 3) float32 in [0, 1], drawn at some of the places so that they do not
        overlap, the first ones first; black borders of renders are left away
    thumbnail : side of a picture, share of the figure
    most : pictures drawn at the most
    title : above it all

    Raises
    ------
    SettingsError : arrays that do not fit each other, NaN, more labels than colours

    Source
    ------
    Shamai, Slossberg, Kimmel 2018, Fig. 16.
    """
    from matplotlib.figure import Figure

    if not 0 < thumbnail <= 1:
        raise SettingsError(f"thumbnail: expected a share in (0, 1], got {thumbnail}.")
    points = _checked(places, labels)
    if pictures is not None:
        shape = (len(points), None, None, 3)
        pictures = require_shape(pictures, shape, "pictures of places", SettingsError)
    figure = Figure(figsize=(INCHES, INCHES), layout="constrained")
    axis = figure.add_subplot()
    colors = _scatter(axis, points, labels, title)
    if pictures is not None:
        whole = _extent(points)
        side = thumbnail * whole
        for index in spread_out(points, side * 1.08, most):
            x, y = points[index]
            box = (x - side / 2, x + side / 2, y - side / 2, y + side / 2)
            axis.imshow(
                _with_alpha(pictures[index]), extent=box, zorder=3, interpolation="bilinear"
            )
            if labels is not None:
                axis.plot(*_frame(box), color=colors[str(labels[index])], linewidth=1.2, zorder=4)
        _limits(axis, points)
    return figure


def planes_figure(panels: Mapping[str, tuple[FloatArray, Sequence[str]]]) -> "Figure":
    """Draw several sets side by side in one plane, all at the same scale.

    Parameters
    ----------
    panels : {title: (places (N, 2), N labels)}, laid out together so that places can be compared

    Raises
    ------
    SettingsError : no panel, or as `embedding_figure`

    Source
    ------
    Shamai, Slossberg, Kimmel 2018, Fig. 16: real and generated faces, real faces and those of the
    linear model, generated faces by the label of their nearest cluster.
    """
    from matplotlib.figure import Figure

    if not panels:
        raise SettingsError("planes figure: expected at least one panel, got none.")
    found = {title: (_checked(*pair), pair[1]) for title, pair in panels.items()}
    together = np.concatenate([points for points, _ in found.values()])
    figure = Figure(figsize=(0.7 * INCHES * len(panels), 0.75 * INCHES), layout="constrained")
    for index, (title, (points, labels)) in enumerate(found.items()):
        axis = figure.add_subplot(1, len(found), index + 1)
        _scatter(axis, points, labels, title)
        _limits(axis, together)
    return figure


def _checked(places: FloatArray, labels: Sequence[str] | None) -> FloatArray:
    """Return places as an array, after checking them and the number of labels."""
    points = require_shape(places, (None, 2), "places", SettingsError)
    require_finite(points, "places", SettingsError)
    if not len(points):
        raise SettingsError("embedding figure: expected at least one place, got none.")
    if labels is not None and len(labels) != len(points):
        raise SettingsError(
            f"embedding figure: expected a label for each of {len(points)} places, got "
            f"{len(labels)}."
        )
    return points


def _scatter(
    axis: "Axes", points: FloatArray, labels: Sequence[str] | None, title: str
) -> dict[str, str]:
    """Draw the points and their legend; return the colour of each label."""
    colors = _colors(labels)
    axis.spines[:].set_visible(False)
    axis.set(xticks=[], yticks=[], aspect="equal", title=title)
    if labels is None:
        axis.scatter(points[:, 0], points[:, 1], s=10, color=COLORS[0], alpha=0.7, linewidth=0)
    names = np.array([str(name) for name in labels] if labels is not None else [])
    for name, color in colors.items():
        mine = points[names == name]
        axis.scatter(mine[:, 0], mine[:, 1], s=14, color=color, alpha=0.75, linewidth=0, label=name)
    _limits(axis, points)
    if labels is not None:
        axis.legend(frameon=False)
    return colors


def _extent(points: FloatArray) -> float:
    return max(float(np.ptp(points, axis=0).max()), 1e-9)


def _limits(axis: "Axes", points: FloatArray) -> None:
    """Show all of these points and a margin."""
    margin = 0.06 * _extent(points)
    for limits, column in ((axis.set_xlim, points[:, 0]), (axis.set_ylim, points[:, 1])):
        limits(column.min() - margin, column.max() + margin)


def spread_out(places: FloatArray, apart: float, most: int) -> list[int]:
    """Return indices of places, the first ones first, whose squares of side `apart` are disjoint.

    Parameters
    ----------
    places : (N, 2)
    apart : least distance along x or along y
    most : indices returned at the most
    """
    chosen: list[int] = []
    for index, place in enumerate(places):
        if len(chosen) >= most:
            break
        gaps = np.abs(places[chosen] - place).max(axis=1) if chosen else np.array([np.inf])
        if gaps.min() >= apart:
            chosen.append(index)
    return chosen


def _colors(labels: Sequence[str] | None) -> dict[str, str]:
    if labels is None:
        return {}
    names, counts = np.unique(np.array([str(name) for name in labels]), return_counts=True)
    known = (*COLORS, *MORE_COLORS)
    if len(names) > len(known):
        raise SettingsError(
            f"embedding figure: expected at most {len(known)} labels, got {len(names)}. Join the "
            "rare ones."
        )
    order = np.argsort(-counts, kind="stable")
    return {str(names[k]): color for k, color in zip(order, known, strict=False)}


def _with_alpha(picture: ImageArray) -> np.ndarray:
    """Return (H, W, 4), clear where the black around a render is; black inside it stays."""
    from scipy.ndimage import label

    shown = np.clip(picture, 0.0, 1.0)
    parts = np.zeros(shown.shape[:2], np.int32)
    label(shown.max(axis=2) <= 0.004, output=parts)
    rim = np.concatenate([parts[0], parts[-1], parts[:, 0], parts[:, -1]])
    outside = np.isin(parts, rim[rim > 0])
    return np.concatenate([shown, ~outside[..., None]], axis=2)


def _frame(box: tuple[float, float, float, float]) -> tuple[list[float], list[float]]:
    left, right, low, high = box
    return [left, right, right, left, left], [low, low, high, high, low]
