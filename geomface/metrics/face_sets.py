"""How real a set of face pictures is, by features that nobody trained for this."""

import dataclasses
from collections.abc import Callable, Mapping, Sequence

import numpy as np
import torch

from geomface.arrays import FloatArray, ImageArray, require_shape
from geomface.errors import SettingsError
from geomface.metrics.distinctness import between_over_within
from geomface.metrics.face_frame import HEIGHT, WIDTH, ellipse_distance
from geomface.metrics.features import RandomFeatures, extract_features
from geomface.metrics.frechet import frechet_distance, kernel_distance
from geomface.metrics.gradient_features import gradient_histograms
from geomface.metrics.photograph_statistics import FACE, face_statistics
from geomface.metrics.telling_apart import TellingApart, tell_apart
from geomface.metrics.wasserstein import SlicedWassersteinSettings, sliced_wasserstein

FEWEST = 16
"""Pictures of a set; fewer say nothing."""
WINDOWS = ("face", "picture")
_SQUARE = 88
"""Pixels a side of what patches are taken from: 8 times the 11 of the coarsest level."""
_LARGE = 1e-9
_ONE_UNIT = ("gradients",)
"""Features whose columns are comparable as they are. Each in its own deviation, the cells at the
rim of the window, where photographs hardly differ, would outweigh the face a thousandfold."""


@dataclasses.dataclass(frozen=True, eq=False)
class FramedFaces:
    """Faces in the frame.

    Parameters
    ----------
    pictures : (N, 112, 92) float32 grey, as `frame_face` makes them
    people : (N,) names of who is in them, "" where not known

    Raises
    ------
    SettingsError : pictures of another size, or as many names as there are no pictures
    """

    pictures: ImageArray
    people: Sequence[str]

    def __post_init__(self) -> None:
        require_shape(self.pictures, (None, HEIGHT, WIDTH), "framed faces", SettingsError)
        if len(self.people) != len(self.pictures):
            raise SettingsError(
                f"framed faces: expected a person for each of {len(self.pictures)} pictures, got "
                f"{len(self.people)}."
            )

    def groups(self) -> np.ndarray:
        """Return (N,) names, another one for every picture of nobody known."""
        return np.array([name or f"\0{index}" for index, name in enumerate(self.people)])


@dataclasses.dataclass(frozen=True)
class StatisticComparison:
    """Median and spread (10th and 90th percentile) of one figure over the pictures of both."""

    faces: float
    faces_range: tuple[float, float]
    photographs: float
    photographs_range: tuple[float, float]

    @property
    def ratio(self) -> float:
        """Of the medians: 1 is as photographs have it."""
        return self.faces / self.photographs


@dataclasses.dataclass(frozen=True, eq=False)
class FeatureComparison:
    """Both sets by one kind of features.

    Parameters
    ----------
    telling_apart : by a small classifier on held-out people
    frechet, frechet_of_photographs : distance to photographs, and between two halves of them
    kernel, kernel_of_photographs : as much by `kernel_distance`
    between_people, between_people_of_photographs : over within people; None: people not known
    """

    telling_apart: TellingApart
    frechet: float
    frechet_of_photographs: float
    kernel: float
    kernel_of_photographs: float
    between_people: float | None
    between_people_of_photographs: float | None


@dataclasses.dataclass(frozen=True, eq=False)
class FaceSetComparison:
    """A set of faces beside photographs.

    Parameters
    ----------
    statistics : {name: both}, see `face_statistics`
    features : {"gradients", "convolutions", "statistics": both}
    patches : {pixels of the level: sliced Wasserstein distance times 1000}, finest first
    patches_of_photographs : the same between two halves of the photographs
    compared : pictures of each side in the distances
    """

    statistics: Mapping[str, StatisticComparison]
    features: Mapping[str, FeatureComparison]
    patches: Mapping[int, float]
    patches_of_photographs: Mapping[int, float]
    compared: int


def compare_face_sets(
    faces: FramedFaces, photographs: FramedFaces, *, window: str = "face", seed: int = 0
) -> FaceSetComparison:
    """Return how far a set of faces is from photographs.

    Parameters
    ----------
    faces, photographs : 16 pictures or more each
    window : "face" shows features an ellipse from the hair to the chin that fades into the
        background, "picture" the whole frame
    seed : of divisions and random features

    Returns
    -------
    Distances stand beside those between two halves of the photographs, of other people and with
    equally many pictures: no set can be expected to come nearer

    Raises
    ------
    SettingsError : too few pictures or people, black ones, or photographs without any contrast

    Convention
    ----------
    Features see every face with the same median brightness; the statistics see it as it is.
    """
    for what, side in (("faces", faces), ("photographs", photographs)):
        if len(side.pictures) < FEWEST:
            raise SettingsError(
                f"{what}: expected {FEWEST} pictures or more of faces seen from about the front, "
                f"got {len(side.pictures)}."
            )
    if window not in WINDOWS:
        raise SettingsError(f"window: expected one of {', '.join(WINDOWS)}, got {window!r}.")
    rng = np.random.default_rng(seed)
    own, half, other = _sides(faces, photographs, rng)
    grey = [side.pictures.astype(np.float64) for side in (faces, photographs)]
    statistics = [face_statistics(pictures) for pictures in grey]
    for name, values in statistics[1].items():
        if not np.median(values) > 0:
            raise SettingsError(
                f"photographs: expected pictures of faces, but half of them or more have no {name} "
                "at all. Are they photographs?"
            )
    seen = [_seen(pictures, window) for pictures in grey]
    kinds: dict[str, Callable[[int], FloatArray]] = {
        "gradients": lambda side: gradient_histograms(seen[side]),
        "convolutions": lambda side: _convolutions(seen[side], seed),
        "statistics": lambda side: np.stack(list(statistics[side].values()), axis=1),
    }
    settings = SlicedWassersteinSettings(smallest=_SQUARE // 8, seed=seed)
    squares = [_squares(seen[0][own]), _squares(seen[1][half]), _squares(seen[1][other])]
    return FaceSetComparison(
        {name: _both(statistics[0][name], statistics[1][name]) for name in statistics[0]},
        {
            name: _compare(
                *_scaled(function(0), function(1), name in _ONE_UNIT),
                faces,
                photographs,
                (own, half, other),
                seed,
            )
            for name, function in kinds.items()
        },
        sliced_wasserstein(squares[0], squares[1], settings).by_level,
        sliced_wasserstein(squares[2], squares[1], settings).by_level,
        len(own),
    )


def _sides(
    faces: FramedFaces, photographs: FramedFaces, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return equally many rows of the faces, and of two halves of the photographs."""
    groups = photographs.groups()
    names = rng.permutation(np.unique(groups))
    if len(names) < 2:
        raise SettingsError(
            "photographs: expected two people or more, to divide them by people; got one. Add "
            "photographs of others."
        )
    first = np.isin(groups, names[::2])
    rows = [rng.permutation(np.flatnonzero(side)) for side in (first, ~first)]
    own = rng.permutation(len(faces.pictures))
    count = min(len(own), *map(len, rows))
    return own[:count], rows[0][:count], rows[1][:count]


def _seen(pictures: FloatArray, window: str) -> FloatArray:
    """Return pictures in which every face has a median of one half."""
    median = np.median(pictures[:, FACE], axis=1)
    bright = np.clip(0.5 * pictures / median[:, None, None], 0.0, 1.0)
    if window == "picture":
        return bright
    share = np.clip((1.1 - ellipse_distance(46, 62, 34, 46)) / 0.2, 0.0, 1.0)
    return 0.5 + share * (bright - 0.5)


def _convolutions(pictures: FloatArray, seed: int) -> FloatArray:
    images = torch.from_numpy(2.0 * pictures[:, None] - 1.0).float()
    return extract_features(images, RandomFeatures(channels=1, seed=seed))


def _squares(pictures: FloatArray) -> torch.Tensor:
    top, left = (HEIGHT - _SQUARE) // 2, (WIDTH - _SQUARE) // 2
    square = pictures[:, None, top : top + _SQUARE, left : left + _SQUARE]
    return torch.from_numpy(np.ascontiguousarray(2.0 * square - 1.0)).float()


def _both(faces: FloatArray, photographs: FloatArray) -> StatisticComparison:
    low, middle, high = np.percentile(faces, (10, 50, 90))
    other = np.percentile(photographs, (10, 50, 90))
    return StatisticComparison(
        float(middle),
        (float(low), float(high)),
        float(other[1]),
        (float(other[0]), float(other[2])),
    )


def _scaled(left: FloatArray, right: FloatArray, one_unit: bool) -> tuple[FloatArray, FloatArray]:
    """Return both in deviations of the second: of each column, or the usual one of all."""
    spread = right.std(axis=0)
    usual = np.sqrt(np.mean(spread**2)) + _LARGE
    # What never varies among photographs has no scale of its own.
    scale = usual if one_unit else np.where(spread > _LARGE, spread, usual)
    return (left - right.mean(axis=0)) / scale, (right - right.mean(axis=0)) / scale


def _compare(
    left: FloatArray,
    right: FloatArray,
    faces: FramedFaces,
    photographs: FramedFaces,
    sides: tuple[np.ndarray, np.ndarray, np.ndarray],
    seed: int,
) -> FeatureComparison:
    own, half, other = left[sides[0]], right[sides[1]], right[sides[2]]
    return FeatureComparison(
        tell_apart(left, right, faces.groups(), photographs.groups(), seed=seed),
        frechet_distance(own, half) / left.shape[1],
        frechet_distance(other, half) / left.shape[1],
        kernel_distance(own, half).value,
        kernel_distance(other, half).value,
        _distinctness(left, faces.people),
        _distinctness(right, photographs.people),
    )


def _distinctness(features: FloatArray, people: Sequence[str]) -> float | None:
    """Return how much people differ, None when nobody known is there twice or nobody else."""
    names = np.array(people)
    known = names != ""
    different = len(np.unique(names[known]))
    if different < 2 or known.sum() <= different:
        return None
    return between_over_within(features[known], names[known])
