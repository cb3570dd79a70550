"""Whether an embedder tells the people of pictures apart: the distances of pairs (Fig. 7)."""

import dataclasses

import numpy as np
import torch

from geomface.arrays import FloatArray, IndexArray
from geomface.learning.errors import DatasetError
from geomface.metrics.verification import verify_pairs
from geomface.recognition.aligned.aligned_faces import AlignedFaces
from geomface.recognition.embedder.embedder_module import EmbedderModule
from geomface.recognition.embedder.face_embedder import FaceEmbedder
from geomface.recognition.protocols.picture_pairs import PicturePairs, all_pairs

PAIRS = 1000
"""Pairs of either kind, as published."""
FALSE_ACCEPTS = 0.01
BINS = 80
_BATCH, _DRAWS = 64, 8
"""Draws a pair that is wanted: most of a small set's come up among so many."""


@dataclasses.dataclass(frozen=True)
class PairDistances:
    """Distances of pairs of one kind.

    Parameters
    ----------
    pairs : how many
    mean, deviation : of their distances
    density : in each bin
    """

    pairs: int
    mean: float
    deviation: float
    density: tuple[float, ...]


@dataclasses.dataclass(frozen=True)
class PeopleApart:
    """How well squared distances of unit descriptors tell pairs of one person from pairs of two.

    Parameters
    ----------
    auc : probability that a pair of one person is nearer than a pair of two
    equal_error : where as many pairs of one person are refused as pairs of two are accepted
    d_prime : distance of both means in their mean deviation
    accepted : share of pairs of one person accepted when 1 % of the pairs of two are
    same, other : pairs of one person and of two
    edges : of the bins of their distances, 0 to 4
    """

    auc: float
    equal_error: float
    d_prime: float
    accepted: float
    same: PairDistances
    other: PairDistances
    edges: tuple[float, ...]


def describe_images(images: torch.Tensor, who: EmbedderModule) -> FloatArray:
    """Return unit descriptors (N, D) float64 of pictures (N, 3, S, S) in [-1, 1]."""
    with torch.no_grad():
        return torch.cat([who(part) for part in images.split(_BATCH)]).double().numpy()


def people_apart(
    images: torch.Tensor,
    faces: AlignedFaces,
    embedder: FaceEmbedder,
    *,
    pairs: int = PAIRS,
    seed: int = 0,
) -> PeopleApart | None:
    """Return how well an embedder tells people apart; None where nobody is known by two pictures.

    |f - g|^2 = 2 - 2 f . g

    Parameters
    ----------
    images : (N, 3, S, S) in [-1, 1]
    faces : who is in them, and how they are aligned
    embedder : that describes them
    pairs : of either kind, each once; fewer where there are not so many
    seed : of the draw; the same people give the same pairs

    Source
    ------
    Gecer et al. 2018, Fig. 7. Its distances exceed 2, so they are squared ones.
    """
    known = np.flatnonzero(faces.labels >= 0)
    names = [faces.people.names[label] for label in faces.labels[known]]
    try:
        drawn = all_pairs(names, most=_DRAWS * pairs, seed=seed)
    except DatasetError:
        return None
    chosen = _each_once(drawn, pairs)
    same = drawn.same[chosen]
    who = EmbedderModule(embedder, faces.alignment).eval()
    distances = 2.0 - 2.0 * drawn.scores(describe_images(images[known], who))[chosen]
    found = verify_pairs(-distances, same, rates=(FALSE_ACCEPTS,), resamples=0)
    edges = np.linspace(0.0, 4.0, BINS + 1)
    kinds = []
    for kind in (same, ~same):
        of_kind = distances[kind].clip(0.0, 4.0)
        density, _ = np.histogram(of_kind, edges, density=True)
        numbers = tuple(round(float(value), 5) for value in density)
        kinds.append(
            PairDistances(len(of_kind), float(of_kind.mean()), float(of_kind.std()), numbers)
        )
    return PeopleApart(
        found.auc.value,
        found.equal_error.value,
        found.d_prime.value,
        found.accepted[FALSE_ACCEPTS].value,
        *kinds,
        edges=tuple(round(float(edge), 3) for edge in edges),
    )


def _each_once(drawn: PicturePairs, pairs: int) -> IndexArray:
    """Return the numbers of the first pairs of either kind that are no repetition."""
    _, first = np.unique(np.sort(drawn.rows, axis=1), axis=0, return_index=True)
    first.sort()
    same = drawn.same[first]
    return np.concatenate([first[same][:pairs], first[~same][:pairs]])
