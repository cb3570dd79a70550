"""How much people differ, against how much pictures of one person do."""

import numpy as np

from geomface.arrays import FloatArray
from geomface.errors import SettingsError


def between_over_within(features: FloatArray, people: np.ndarray) -> float:
    """Return the variance between people over that within a person, summed over the features.

    (S_b / (K - 1) - v) / (n_0 v),  v = S_w / (N - K),  n_0 = (N - sum n_k^2 / N) / (K - 1)

    S_b, S_w the sums of squares of K people's means and of pictures about them.

    Parameters
    ----------
    features : (N, D), each column on a scale that the others share
    people : (N,) who is in each picture

    Returns
    -------
    Unbiased in its parts, so it may be slightly negative: pictures of one person differ as those
    of several do. NaN when nothing differs within any person

    Raises
    ------
    SettingsError : fewer than two people, or nobody twice

    Source
    ------
    Estimates of one-way analysis of variance for groups of unequal size (Searle 1971, ch. 11).
    """
    features = np.asarray(features, np.float64)
    names, which, counts = np.unique(people, return_inverse=True, return_counts=True)
    total, groups = len(features), len(names)
    if features.ndim != 2 or len(which) != total or groups < 2 or total <= groups:
        raise SettingsError(
            "between and within people: expected features (N, D) of two people or more, one of "
            f"them twice at least; got {groups} people and shape {features.shape}."
        )
    sums = np.zeros((groups, features.shape[1]))
    np.add.at(sums, which, features)
    means = sums / counts[:, None]
    within = float(((features - means[which]) ** 2).sum()) / (total - groups)
    apart = float((counts[:, None] * (means - features.mean(axis=0)) ** 2).sum()) / (groups - 1)
    pictures = (total - float((counts**2).sum()) / total) / (groups - 1)
    return (apart - within) / (pictures * within) if within > 0 else np.nan
