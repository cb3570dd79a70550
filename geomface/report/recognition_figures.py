"""Recognition as pictures: ROC curves with their bands, scores of both kinds of pairs, ranks."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from geomface.arrays import FloatArray
from geomface.errors import SettingsError
from geomface.metrics.identity_sets import ScoreStatistics
from geomface.metrics.roc import RocCurve
from geomface.report.charts import COLORS
from geomface.report.embedding_figure import MORE_COLORS

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


def roc_figure(curves: Mapping[str, RocCurve], *, title: str = "") -> "Figure":
    """Draw true accepts over false accepts (logarithmic), bands where there are any.

    A dot on each curve is its equal error.

    Parameters
    ----------
    curves : {label: curve}, at most ten
    title : above it

    Raises
    ------
    SettingsError : no curve, or more than there are colours
    """
    known = (*COLORS, *MORE_COLORS)
    if not 0 < len(curves) <= len(known):
        raise SettingsError(f"ROC figure: expected 1 to {len(known)} curves, got {len(curves)}.")
    figure, axis = _panel(6.0, 4.6)
    for color, (label, curve) in zip(known, curves.items(), strict=False):
        error = curve.equal_error
        if np.isfinite(curve.low).all():
            axis.fill_between(curve.rates, curve.low, curve.high, color=color, alpha=0.16, lw=0)
        axis.plot(
            curve.rates, curve.accepted, color=color, label=f"{label}: equal error {error:.3f}"
        )
        place = max(error, curve.rates[0])
        height = np.interp(place, curve.rates, curve.accepted)
        axis.plot(place, height, "o", color=color, markersize=5)
    first = min(curve.rates[0] for curve in curves.values())
    chance = np.geomspace(first, 1.0, 100)
    axis.plot(chance, chance, color="0.6", linewidth=1, linestyle="--", label="guessing")
    axis.set(xscale="log", xlim=(first, 1.0), ylim=(0.0, 1.01), title=title)
    axis.set(xlabel="pairs of two people accepted", ylabel="pairs of one person accepted")
    axis.legend(frameon=False, loc="lower right")
    return figure


def score_figure(
    statistics: ScoreStatistics,
    *,
    thresholds: Mapping[str, float] | None = None,
    unit: str = "cosine",
    title: str = "",
) -> "Figure":
    """Draw how the scores of pairs of one person and of two are distributed.

    Parameters
    ----------
    statistics : of `metrics.score_statistics`
    thresholds : {label: score} dashed lines
    unit : label of the scores
    title : above it
    """
    figure, axis = _panel(6.0, 4.2)
    for color, label, density in (
        (COLORS[0], "one person", statistics.genuine),
        (COLORS[1], "two people", statistics.impostor),
    ):
        axis.stairs(density, statistics.edges, fill=True, alpha=0.45, color=color, label=label)
    for (label, score), style in zip(
        (thresholds or {}).items(), ("--", ":", "-.", "-"), strict=False
    ):
        axis.axvline(score, color="0.25", linewidth=1, linestyle=style, label=label)
    axis.set(xlabel=unit, ylabel="density", title=title)
    figure.legend(frameon=False, loc="outside lower center", ncols=2)  # curves may lie anywhere
    return figure


def distances_figure(sets: Mapping[str, tuple[FloatArray, FloatArray, FloatArray]]) -> "Figure":
    """Draw how the squared distances of pairs are distributed in several sets, one below another.

    Parameters
    ----------
    sets : {title: edges of the bins (B + 1,), densities (B,) of pairs of one person, and of two}

    Raises
    ------
    SettingsError : no set

    Source
    ------
    Gecer et al. 2018, Fig. 7.
    """
    from matplotlib.figure import Figure

    if not sets:
        raise SettingsError("figure of distances: expected a set with pairs, got none.")
    figure = Figure(figsize=(6.0, 1.9 * len(sets) + 0.7), layout="constrained")
    axes = figure.subplots(len(sets), sharex=True, sharey=True, squeeze=False)[:, 0]
    for axis, (title, (edges, same, other)) in zip(axes, sets.items(), strict=True):
        for color, label, density in (
            (COLORS[0], "one person", same),
            (COLORS[1], "two people", other),
        ):
            axis.stairs(density, edges, fill=True, alpha=0.45, color=color, label=label)
        axis.set(title=title, ylabel="density")
        axis.title.set_fontsize("medium")
        axis.spines[["top", "right"]].set_visible(False)
        axis.grid(alpha=0.25)
    shown = [np.flatnonzero(np.add(one, two)) for _, one, two in sets.values()]
    last = max((places[-1] + 1 for places in shown if len(places)), default=1)
    axes[-1].set(xlabel="squared distance", xlim=(0.0, next(iter(sets.values()))[0][last]))
    axes[0].legend(frameon=False)
    return figure


def ranks_figure(ranks: Mapping[str, FloatArray], *, title: str = "") -> "Figure":
    """Draw how often the right person is among the nearest 1, 2, ... people.

    Parameters
    ----------
    ranks : {label: (R,) shares}, such as `Identification.ranks`
    title : above it
    """
    from matplotlib.ticker import MaxNLocator

    figure, axis = _panel(5.0, 3.6)
    for color, (label, shares) in zip((*COLORS, *MORE_COLORS), ranks.items(), strict=False):
        axis.plot(np.arange(1, len(shares) + 1), shares, color=color, marker=".", label=label)
    axis.set(xlabel="nearest people", ylabel="right person among them", ylim=(0.0, 1.01))
    axis.xaxis.set_major_locator(MaxNLocator(integer=True))
    axis.set(title=title)
    axis.legend(frameon=False, loc="lower right")
    return figure


def _panel(width: float, height: float) -> "tuple[Figure, Axes]":
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), layout="constrained")
    axis = figure.add_subplot()
    axis.spines[["top", "right"]].set_visible(False)
    axis.grid(alpha=0.25)
    return figure, axis
