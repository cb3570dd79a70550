"""How well a small classifier tells two sets apart on people that it was not taught."""

import dataclasses

import numpy as np

from geomface.arrays import BoolArray, FloatArray
from geomface.errors import SettingsError
from geomface.metrics.estimate import Estimate, share_interval

_RIDGE = 0.01


@dataclasses.dataclass(frozen=True, eq=False)
class TellingApart:
    """What the classifier achieves.

    Parameters
    ----------
    accuracy : mean of the shares of both sets that are named rightly; 0.5 is chance. Its interval
        counts every person once
    separation : distance of the mean answers to both sets, in their standard deviations. It still
        tells more from less where every answer is right
    """

    accuracy: Estimate
    separation: float


def tell_apart(
    first: FloatArray,
    second: FloatArray,
    first_people: np.ndarray,
    second_people: np.ndarray,
    *,
    repeats: int = 5,
    seed: int = 0,
) -> TellingApart:
    """Train a linear classifier on half of the people of both sets, and test it on the rest.

    w = argmin sum_i c_i (y_i - w . x_i - b)^2 + r |w|^2, x in standard deviations of the training
    half over sqrt(D), y = -1 and 1, c such that both sets weigh alike; each half tests the other

    Parameters
    ----------
    first, second : features (N, D) and (M, D)
    first_people, second_people : (N,) and (M,) who is who; a person is on one side only
    repeats : random divisions, averaged
    seed : of the divisions

    Raises
    ------
    SettingsError : features of different lengths, or a set of fewer than two people

    Source
    ------
    Least squares with such targets is Fisher's discriminant (Duda and Hart 1973, 5.8.2).
    """
    first, second = np.asarray(first, np.float64), np.asarray(second, np.float64)
    if first.ndim != 2 or second.ndim != 2 or first.shape[1] != second.shape[1]:
        raise SettingsError(
            f"features: expected (N, D) and (M, D), got {first.shape} and {second.shape}."
        )
    sides = [np.unique(people, return_inverse=True)[1] for people in (first_people, second_people)]
    counts = [int(side.max(initial=-1)) + 1 for side in sides]
    if min(counts) < 2 or len(sides[0]) != len(first) or len(sides[1]) != len(second):
        raise SettingsError(
            "telling apart: expected a person for every picture and two people or more in each "
            f"set, got {counts[0]} for {len(first)} pictures and {counts[1]} for {len(second)}."
        )
    features = np.concatenate([first, second])
    targets = np.repeat([-1.0, 1.0], [len(first), len(second)])
    rng = np.random.default_rng(seed)
    right, separations = [], []
    for _ in range(repeats):
        half = np.concatenate(
            [
                rng.permutation(count)[side] < count / 2
                for side, count in zip(sides, counts, strict=True)
            ]
        )
        for training in (half, ~half):
            answers = _answers(features, targets, training)
            own = [answers[~training & (targets == side)] for side in (-1.0, 1.0)]
            right.append(((own[0] < 0).mean() + (own[1] > 0).mean()) / 2)
            spread = np.sqrt((own[0].var() + own[1].var()) / 2)
            separations.append((own[1].mean() - own[0].mean()) / max(spread, 1e-12))
    share = float(np.mean(right))
    bounds = share_interval(share, sum(counts), 0.95)
    accuracy = Estimate(
        share, *bounds, sum(counts), seed=seed, settings={"repeats": repeats, "ridge": _RIDGE}
    )
    return TellingApart(accuracy, float(np.mean(separations)))


def _answers(features: FloatArray, targets: FloatArray, training: BoolArray) -> FloatArray:
    """Return w . x + b of all rows, w and b from those in training."""
    rows, wanted = features[training], targets[training]
    weights = np.where(wanted > 0, 0.5 / (wanted > 0).sum(), 0.5 / (wanted < 0).sum())
    mean = weights @ rows
    spread = np.sqrt(weights @ (rows - mean) ** 2)
    scale = np.where(spread > 1e-9 * (1 + np.abs(mean)), spread, np.inf) * np.sqrt(rows.shape[1])
    known, every = (rows - mean) / scale, (features - mean) / scale
    # As many unknowns as rows: there are more features than pictures.
    root = np.sqrt(weights)
    kernel = (root[:, None] * known) @ (root[:, None] * known).T
    dual = np.linalg.solve(kernel + _RIDGE * np.eye(len(kernel)), root * wanted)
    return every @ (known.T @ (root * dual))
