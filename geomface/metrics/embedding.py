"""Descriptors in the plane, and labels taken over from the nearest cluster of labelled ones."""

import dataclasses
from collections.abc import Sequence

import numpy as np

from geomface.arrays import FloatArray, require_finite
from geomface.errors import MissingBackendError, SettingsError
from geomface.metrics.factors import unit_rows

_ROWS = 1024


def embed_in_plane(
    descriptors: FloatArray, *, perplexity: float = 30.0, seed: int = 0
) -> FloatArray:
    """Return places in the plane where near descriptors stay near (t-SNE).

    Parameters
    ----------
    descriptors : (N, D), N above the perplexity
    perplexity : about how many neighbours each one keeps
    seed : of the search

    Returns
    -------
    (N, 2) float64; only who is near whom means something, not axes, sizes or wide gaps

    Raises
    ------
    MissingBackendError : scikit-learn is not installed
    SettingsError : too few descriptors for the perplexity, another shape, NaN

    Source
    ------
    van der Maaten & Hinton 2008, by scikit-learn, started from the first two principal components;
    Shamai, Slossberg, Kimmel 2018, Fig. 16.
    """
    rows = _rows(descriptors, "descriptors")
    if not 1 <= perplexity < len(rows):
        raise SettingsError(
            f"t-SNE: expected a perplexity of at least 1 and below the number of descriptors, got "
            f"{perplexity:g} for {len(rows)}."
        )
    try:
        from sklearn.manifold import TSNE
    except ImportError as error:
        raise MissingBackendError(
            f"t-SNE: scikit-learn could not be loaded ({error}). Install it with: pip install "
            "'geomface[analysis]'."
        ) from error
    search = TSNE(perplexity=perplexity, init="pca", random_state=seed % 2**32)
    return np.asarray(search.fit_transform(rows), np.float64)


def scale_in_plane(descriptors: FloatArray) -> tuple[FloatArray, float]:
    """Return places in the plane whose distances are as those of the descriptors (classical MDS).

    X = V_2 sqrt(L_2),  V L V^T = -1/2 J D J,  J = I - 1 1^T / N

    D the squared Euclidean distances of the descriptors, brought to length 1: 2 - 2 cos. Unlike
    t-SNE nothing is searched: gaps and sizes mean something, as far as two axes hold them.

    Parameters
    ----------
    descriptors : (N, D), two or more

    Returns
    -------
    (N, 2) float64, the larger axis first, the sign of each such that its largest entry is positive;
    the share of the squared distances that the plane holds, 1 where all are the same

    Raises
    ------
    SettingsError : fewer than two, another shape, NaN

    Source
    ------
    Torgerson 1952; Borg & Groenen 2005, ch. 12; for sets of faces Qiu et al. 2021, Fig. 3.
    """
    rows = unit_rows(_rows(descriptors, "descriptors"))
    if len(rows) < 2:
        raise SettingsError("MDS: expected two or more descriptors, got one.")
    # -1/2 J D J is the matrix of inner products of the centred rows.
    left, sizes, _ = np.linalg.svd(rows - rows.mean(axis=0), full_matrices=False)
    places = np.zeros((len(rows), 2))
    held = min(2, len(sizes))
    places[:, :held] = left[:, :held] * sizes[:held]
    largest = places[np.abs(places).argmax(axis=0), [0, 1]]
    total = float((sizes**2).sum())
    share = float((sizes[:2] ** 2).sum()) / total if total > 1e-20 else 1.0
    return places * np.where(largest < 0, -1.0, 1.0), share


@dataclasses.dataclass(frozen=True, eq=False)
class AnnotationResult:
    """Labels given to descriptors.

    Parameters
    ----------
    labels : one a descriptor
    confidence : (N,) float64 in (0, 1], see `annotate`
    names : the different labels, sorted
    """

    labels: tuple[str, ...]
    confidence: FloatArray
    names: tuple[str, ...]


def annotate(
    descriptors: FloatArray,
    labelled: FloatArray,
    labels: Sequence[str],
    *,
    neighbours: int | None = None,
) -> AnnotationResult:
    """Give each descriptor the label of the nearest cluster of labelled ones.

    A cluster is all that bears one label. Without `neighbours`, the nearest centre decides, with
    the confidence d_2 / (d_1 + d_2), d_1 and d_2 the distances to the nearest and the next centre:
    1/2 between two clusters, 1 on a centre. With k neighbours, they vote; the confidence is the
    share of votes, and of labels with equal votes that of the nearest neighbour wins.

    Parameters
    ----------
    descriptors : (N, D)
    labelled : (M, D) descriptors of known faces
    labels : M names, such as attributes
    neighbours : k, or None for centres

    Raises
    ------
    SettingsError : shapes that do not fit, no labels, NaN, k out of 1 to M

    Source
    ------
    Shamai, Slossberg, Kimmel 2018, Sec. 10: automatic annotation by the nearest cluster. The
    confidence and the vote are ours.
    """
    rows, known = _rows(descriptors, "descriptors"), _rows(labelled, "labelled descriptors")
    if rows.shape[1] != known.shape[1] or len(labels) != len(known):
        raise SettingsError(
            f"annotation: expected descriptors of one length and a label for each known one, got "
            f"lengths {rows.shape[1]} and {known.shape[1]} and {len(labels)} labels for "
            f"{len(known)}."
        )
    if neighbours is not None and not 1 <= neighbours <= len(known):
        raise SettingsError(f"annotation: expected 1 to {len(known)} neighbours, got {neighbours}.")
    names, cluster = np.unique(np.array([str(label) for label in labels]), return_inverse=True)
    given, confidence = np.empty(len(rows), np.int64), np.empty(len(rows))
    if neighbours is None:
        known = np.stack([known[cluster == k].mean(axis=0) for k in range(len(names))])
    for start in range(0, len(rows), _ROWS):
        part = slice(start, start + _ROWS)
        if neighbours is None:
            given[part], confidence[part] = _by_centre(_distances(rows[part], known))
        else:
            given[part], confidence[part] = _by_vote(
                _distances(rows[part], known), cluster, len(names), neighbours
            )
    return AnnotationResult(
        tuple(str(names[k]) for k in given), confidence, tuple(str(name) for name in names)
    )


def _distances(rows: FloatArray, known: FloatArray) -> FloatArray:
    squares = (rows**2).sum(axis=1)[:, None] + (known**2).sum(axis=1) - 2.0 * rows @ known.T
    return np.sqrt(np.maximum(squares, 0.0))


def _by_centre(distances: FloatArray) -> tuple[np.ndarray, FloatArray]:
    nearest = distances.argmin(axis=1)
    if distances.shape[1] == 1:
        return nearest, np.ones(len(distances))
    two = np.partition(distances, 1, axis=1)[:, :2]
    total = two.sum(axis=1)
    return nearest, np.divide(two[:, 1], total, out=np.full(len(two), 0.5), where=total > 0)


def _by_vote(
    distances: FloatArray, cluster: np.ndarray, clusters: int, neighbours: int
) -> tuple[np.ndarray, FloatArray]:
    order = np.argsort(distances, axis=1, kind="stable")[:, :neighbours]
    voters = cluster[order]
    votes = np.stack([(voters == k).sum(axis=1) for k in range(clusters)], axis=1)
    most = votes.max(axis=1)
    leads = np.take_along_axis(votes, voters, axis=1) == most[:, None]
    winner = np.take_along_axis(voters, leads.argmax(axis=1)[:, None], axis=1)[:, 0]
    return winner, most / neighbours


def _rows(descriptors: FloatArray, label: str) -> FloatArray:
    rows = np.asarray(descriptors, np.float64)
    if rows.ndim != 2 or 0 in rows.shape:
        raise SettingsError(f"{label}: expected (N, D), at least one, got shape {rows.shape}.")
    require_finite(rows, label, SettingsError)
    return rows
