"""How new generated samples are: distances to the nearest training sample."""

import dataclasses

import numpy as np
import torch
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

    Example
    -------
    >>> import numpy as np
    >>> import geomface as gf
    >>> distances, nearest = gf.nearest_distances(np.array([[0.0, 1.0]]), np.eye(2))
    >>> distances, nearest
    (array([0.]), array([1]))
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
    return novelty_of_distances(
        nearest_distances(generated, train)[0],
        nearest_distances(test, train)[0],
        nearest_distances(test, generated)[0],
    )


def novelty_of_distances(
    generated_to_train: FloatArray, test_to_train: FloatArray, test_to_generated: FloatArray
) -> NoveltyResult:
    """Return the result for nearest distances, in any order, that were measured elsewhere."""
    to_train, held_out, covered = map(
        np.sort, (generated_to_train, test_to_train, test_to_generated)
    )
    copies = float(np.mean(to_train < held_out[0])) if len(to_train) and len(held_out) else 0.0
    return NoveltyResult(to_train, held_out, covered, copies)


def masked_nearest_distances(
    queries: torch.Tensor,
    query_masks: torch.Tensor,
    references: torch.Tensor,
    reference_masks: torch.Tensor,
    *,
    batch: int = 256,
) -> FloatArray:
    """Return the distance of each image to its nearest reference over the pixels both show.

    d(x, y)^2 = sum m_x m_y |x - y|^2 / (C sum m_x m_y), the mean over pixels and channels

    Parameters
    ----------
    queries, references : (N, C, S, S), (M, C, S, S)
    query_masks, reference_masks : (N, 1, S, S), (M, 1, S, S), 1 valid, 0 hidden
    batch : queries at a time

    Returns
    -------
    (N,) float64, inf for an image that shares no pixel with any reference. References that share
    less than half as many pixels as the best one are no neighbours: few pixels agree by chance.

    Raises
    ------
    SettingsError : no references, or images of different sizes
    """
    if queries.shape[1:] != references.shape[1:] or not len(references):
        raise SettingsError(
            f"nearest neighbours: expected images of one size and at least one reference, got "
            f"{tuple(queries.shape)} and {tuple(references.shape)}."
        )
    channels = queries.shape[1]
    known = reference_masks.float().flatten(1)
    right = torch.where(reference_masks > 0, references, 0.0).float().flatten(1)
    squares, wide = right.square(), known.repeat(1, channels)
    found = np.empty(len(queries))
    for start in range(0, len(queries), batch):
        part = slice(start, start + batch)
        mask = query_masks[part].float().flatten(1)
        left = torch.where(query_masks[part] > 0, queries[part], 0.0).float().flatten(1)
        shown = mask.repeat(1, channels)
        shared = mask @ known.T
        total = left.square() @ wide.T - 2.0 * left @ right.T + shown @ squares.T
        most = shared.amax(dim=1, keepdim=True)
        total = (total / shared.clamp_min(1.0)).masked_fill(shared < 0.5 * most, torch.inf)
        best = total.argmin(dim=1)
        # Taken again from the differences, so that a copy lies at exactly 0.
        both = (shown * wide[best]).double()
        exact = (both * (left - right[best]).double().square()).sum(dim=1) / both.sum(dim=1)
        found[part] = exact.sqrt().nan_to_num(nan=torch.inf).numpy()
    return found
