"""How new generated samples are: distances to the nearest training sample."""

import dataclasses

import numpy as np
from scipy.spatial import KDTree

from geomface.arrays import FloatArray
from geomface.errors import SettingsError


@dataclasses.dataclass(frozen=True, eq=False)
class NoveltyResult:
    """Nearest-neighbour distances between descriptors, each sorted from small to large.

    Parameters
    ----------
    generated_to_train : a copy of a training sample lies at 0
    test_to_train : the same of held-out samples: how far off something new lies
    test_to_generated : how well the generated samples cover the held-out ones
    copies : share of the generated that lie nearer to training data than any held-out sample
    """

    generated_to_train: FloatArray
    test_to_train: FloatArray
    test_to_generated: FloatArray
    copies: float


def nearest_distances(queries: FloatArray, references: FloatArray) -> tuple[FloatArray, np.ndarray]:
    """Return the Euclidean distance to the nearest reference, and its index.

    Parameters
    ----------
    queries : (N, D)
    references : (M, D), at least one

    Returns
    -------
    (N,) distances, (N,) int64

    Raises
    ------
    SettingsError : no references, or descriptors of different lengths
    """
    left, right = (np.asarray(item, np.float64) for item in (queries, references))
    if left.ndim != 2 or right.ndim != 2 or left.shape[1] != right.shape[1] or not len(right):
        raise SettingsError(
            f"nearest neighbours: expected descriptors (N, D) and (M, D), M > 0, got {left.shape} "
            f"and {right.shape}."
        )
    if right.shape[1] <= 16:
        distance, index = KDTree(right).query(left)
        return np.asarray(distance), np.asarray(index, np.int64)
    # A tree does not pay in many dimensions; the differences are taken again so that a copy is 0.
    index = np.empty(len(left), np.int64)
    squares = (right**2).sum(axis=1)
    for start in range(0, len(left), 1024):
        part = left[start : start + 1024]
        index[start : start + 1024] = np.argmin(squares - 2.0 * part @ right.T, axis=1)
    return np.linalg.norm(left - right[index], axis=1), index


def novelty(generated: FloatArray, train: FloatArray, test: FloatArray) -> NoveltyResult:
    """Compare generated samples with training and held-out ones.

    Parameters
    ----------
    generated, train, test : (N, D) descriptors of each set

    Source
    ------
    Shamai, Slossberg, Kimmel 2018, Sec. 10, Fig. 14: histogram of generated to train, and
    cumulative curves of the held-out samples' distances to train and to generated. The share of
    copies is our addition.
    """
    to_train = np.sort(nearest_distances(generated, train)[0])
    held_out = np.sort(nearest_distances(test, train)[0])
    covered = np.sort(nearest_distances(test, generated)[0])
    copies = float(np.mean(to_train < held_out[0])) if len(to_train) else 0.0
    return NoveltyResult(to_train, held_out, covered, copies)
