"""Sliced Wasserstein distance of local patches, level by level of a Laplacian pyramid."""

import dataclasses

import numpy as np
import torch

from geomface.errors import SettingsError
from geomface.metrics.pyramid import laplacian_pyramid
from geomface.ranges import COUNT, SEED, require_numbers

SCALE = 1000.0
"""Distances are reported times 1000, as in the papers' tables."""
_BATCH = 128


@dataclasses.dataclass(frozen=True)
class SlicedWassersteinSettings:
    """How patches are taken and projected."""

    smallest: int = 16
    """Pixels a side of the coarsest level."""
    patches: int = 128
    """Patches of each image and level."""
    patch: int = 7
    """Pixels a side of a patch, odd."""
    directions: int = 128
    """Random directions of one repetition."""
    repeats: int = 4
    """Repetitions, averaged."""
    same_places: bool = False
    """Take patches at the same places of the first and the second set. Then a set is at 0 from
    itself, and pictures that are aligned agree better than by the published way."""
    seed: int = 0
    """Of patches and directions."""

    def __post_init__(self) -> None:
        require_numbers(
            self,
            smallest=COUNT,
            patches=COUNT,
            patch=COUNT,
            directions=COUNT,
            repeats=COUNT,
            seed=SEED,
        )


@dataclasses.dataclass(frozen=True)
class SlicedWassersteinResult:
    """Distances times 1000 by pixels of the level, finest first, their mean, and the settings."""

    by_level: dict[int, float]
    average: float
    images: int
    settings: SlicedWassersteinSettings


def sliced_wasserstein(
    first: torch.Tensor,
    second: torch.Tensor,
    settings: SlicedWassersteinSettings = SlicedWassersteinSettings(),  # noqa: B008  (frozen)
) -> SlicedWassersteinResult:
    """Return the sliced Wasserstein distance between two sets of images.

    SWD = mean over directions of mean |sort(A u) - sort(B u)|, A and B patches of one level,
    each set normalised per channel by its own mean and deviation

    Parameters
    ----------
    first, second : (N, C, S, S) of one size; the longer set is cut to the shorter
    settings : patches and directions; the same seed gives the same figures

    Returns
    -------
    Distances times 1000, above 0 even for a set with itself unless `same_places`

    Raises
    ------
    SettingsError : sets of different sizes, or empty ones

    Convention
    ----------
    Every image of either set has places of its own. Distances fall as sets grow: compare them
    between equally many images only, beside the distance of two real sets. A change of a channel's
    mean or contrast over a whole set is invisible, because each set is normalised by its own
    statistics. That is the published metric, and a weakness of it.

    Source
    ------
    Karras et al. 2018, Sec. 5: 16,384 images, 128 patches of 7 x 7 a level and image, 4 x 128
    directions.
    """
    if first.shape[1:] != second.shape[1:] or not len(first) or not len(second):
        raise SettingsError(
            f"sliced Wasserstein: expected two sets of images of one size, got "
            f"{tuple(first.shape)} and {tuple(second.shape)}."
        )
    count = min(len(first), len(second))
    generator = torch.Generator().manual_seed(settings.seed)
    pyramids = [_bands(item[:count], settings.smallest) for item in (first, second)]
    distances = {}
    for bands in zip(*pyramids, strict=True):
        size = bands[0].shape[-1]
        places = [_places(count, size, settings, generator)]
        places += places if settings.same_places else [_places(count, size, settings, generator)]
        left, right = (
            _normalise(_cut(band, where, settings.patch))
            for band, where in zip(bands, places, strict=True)
        )
        distances[size] = SCALE * _distance(left, right, settings, generator)
    average = sum(distances.values()) / len(distances)
    return SlicedWassersteinResult(distances, average, count, settings)


def _bands(images: torch.Tensor, smallest: int) -> list[torch.Tensor]:
    parts = [laplacian_pyramid(part.float(), smallest) for part in images.split(_BATCH)]
    return [torch.cat(bands) for bands in zip(*parts, strict=True)]


def _places(
    count: int, size: int, settings: SlicedWassersteinSettings, generator: torch.Generator
) -> torch.Tensor:
    """Return (count, patches, 2) rows and columns of the patches' corners."""
    if size < settings.patch:
        raise SettingsError(
            f"sliced Wasserstein: expected levels of at least {settings.patch} pixels, got "
            f"{size}. Raise smallest, or take smaller patches."
        )
    corners = size - settings.patch + 1
    return torch.randint(corners, (count, settings.patches, 2), generator=generator)


def _cut(band: torch.Tensor, places: torch.Tensor, patch: int) -> torch.Tensor:
    count, channels, _, width = band.shape
    offset = torch.arange(patch)
    rows = places[..., 0, None] + offset
    columns = places[..., 1, None] + offset
    index = (rows[..., :, None] * width + columns[..., None, :]).reshape(count, 1, -1)
    flat = band.reshape(count, channels, -1)
    taken = flat.gather(2, index.to(band.device).expand(count, channels, -1))
    taken = taken.reshape(count, channels, places.shape[1], patch, patch)
    return taken.permute(0, 2, 1, 3, 4).reshape(-1, channels, patch, patch)


def _normalise(patches: torch.Tensor) -> torch.Tensor:
    mean = patches.mean(dim=(0, 2, 3), keepdim=True)
    deviation = patches.std(dim=(0, 2, 3), keepdim=True, unbiased=False).clamp_min(1e-12)
    return ((patches - mean) / deviation).flatten(1)


def _distance(
    left: torch.Tensor,
    right: torch.Tensor,
    settings: SlicedWassersteinSettings,
    generator: torch.Generator,
) -> float:
    total = 0.0
    for _ in range(settings.repeats):
        directions = torch.randn(left.shape[1], settings.directions, generator=generator)
        directions = (directions / directions.norm(dim=0)).T.to(left.device)
        sorted_left, sorted_right = (_sorted_rows(directions @ item.T) for item in (left, right))
        total += float((sorted_left - sorted_right).abs().mean())
    return total / settings.repeats


def _sorted_rows(rows: torch.Tensor) -> torch.Tensor:
    if rows.device.type != "cpu":
        return rows.sort(dim=1)[0]
    # NumPy sorts rows in memory 30 times as fast as Torch, which finds their order as well.
    return torch.from_numpy(np.sort(rows.numpy(), axis=1))
