"""How new generated faces are, as pictures: distances to the nearest, and who that is."""

from typing import TYPE_CHECKING

import numpy as np

from geomface.arrays import FloatArray, ImageArray, require_shape
from geomface.errors import SettingsError
from geomface.metrics import NoveltyResult
from geomface.report.charts import COLORS

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_BINS = 40


def novelty_figure(result: NoveltyResult, *, unit: str = "distance to the nearest") -> "Figure":
    """Draw distances to nearest neighbours: a histogram, and how near new people are.

    Left, how the distances of generated faces to the training set are distributed, and those of
    held-out faces for comparison. Right, the share of held-out faces with a training face, and with
    a generated one, within a distance.

    Parameters
    ----------
    result : from `metrics.novelty`, of descriptors or of images
    unit : label of the x axes

    Raises
    ------
    SettingsError : a set without finite distances

    Source
    ------
    Shamai, Slossberg, Kimmel 2018, Fig. 14. The held-out faces in the histogram are our addition.
    """
    from matplotlib.figure import Figure

    curves = {
        "generated to training": result.generated_to_train,
        "held out to training": result.test_to_train,
        "held out to generated": result.test_to_generated,
    }
    for name, values in curves.items():
        if not len(values) or not np.isfinite(values).all():
            raise SettingsError(f"novelty figure: expected finite distances {name}, got others.")
    figure = Figure(figsize=(9.6, 3.4), layout="constrained")
    left, right = (figure.add_subplot(1, 2, index) for index in (1, 2))
    edges = np.linspace(0, max(max(map(np.max, curves.values())), 1e-9), _BINS + 1)
    colors = dict(zip(curves, COLORS, strict=False))
    for name in ("generated to training", "held out to training"):
        left.hist(
            curves[name], list(edges), density=True, alpha=0.5, label=name, color=colors[name]
        )
    for name in ("held out to training", "held out to generated"):
        values = np.sort(curves[name])
        share = np.arange(1, len(values) + 1) / len(values)
        right.step(values, share, where="post", label=name, color=colors[name])
    left.set(xlabel=unit, ylabel="density")
    right.set(xlabel=unit, ylabel="share of the held-out faces", ylim=(0, 1.02))
    for axis in (left, right):
        axis.spines[["top", "right"]].set_visible(False)
        axis.legend(frameon=False)
    return figure


def neighbour_sheet(
    pictures: ImageArray,
    neighbours: ImageArray,
    *,
    distances: FloatArray | None = None,
    columns: int = 8,
    gap: int = 6,
) -> ImageArray:
    """Return a sheet of faces, each above its nearest neighbour.

    Parameters
    ----------
    pictures, neighbours : (N, H, W, 3) float32 in [0, 1], row n of both belongs together
    distances : (N,) to sort by, the nearest first; default as they are
    columns : pairs a row
    gap : white pixels between pairs; a face and its neighbour touch

    Raises
    ------
    SettingsError : no picture, arrays that do not fit each other, no column

    Source
    ------
    Shamai, Slossberg, Kimmel 2018, Fig. 15.
    """
    above = require_shape(pictures, (None, None, None, 3), "pictures", SettingsError)
    below = require_shape(neighbours, above.shape, "pictures of neighbours", SettingsError)
    if not len(above) or columns < 1 or gap < 0:
        raise SettingsError(
            f"neighbour sheet: expected pictures, at least one column and no negative gap, got "
            f"{len(above)} pictures, {columns} columns and a gap of {gap}."
        )
    order = np.arange(len(above))
    if distances is not None:
        distances = require_shape(distances, (len(above),), "distances", SettingsError)
        order = np.argsort(distances, kind="stable")
    pairs = np.concatenate([above, below], axis=1)[order]
    columns = min(columns, len(pairs))
    rows = -(-len(pairs) // columns)
    height, width = pairs.shape[1] + gap, pairs.shape[2] + gap
    sheet = np.ones((rows * height + gap, columns * width + gap, 3), np.float32)
    for place, pair in enumerate(pairs):
        top, left = gap + place // columns * height, gap + place % columns * width
        sheet[top : top + pair.shape[0], left : left + pair.shape[1]] = pair
    return sheet
