"""Sliced Wasserstein distance of local patches, level by level of a Laplacian pyramid."""

import dataclasses

import torch

from geomface.errors import SettingsError
from geomface.metrics.pyramid import laplacian_pyramid

SCALE = 1000.0
"""Distances are reported times 1000, as in the papers' tables."""


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
    batch: int = 128
    """Images held in a pyramid at a time."""
    seed: int = 0
    """Of patches and directions."""


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
    Distances times 1000. 0 for a set with itself: patches are taken at the same places of both.

    Raises
    ------
    SettingsError : sets of different sizes, or empty ones

    Convention
    ----------
    A change of a channel's mean or contrast over a whole set is invisible, because each set is
    normalised by its own statistics. That is the published metric, and a weakness of it.

    Source
    ------
    Karras et al. 2018, Sec. 5: 16,384 images, 128 patches of 7 x 7, 4 x 128 directions.
    """
    if first.shape[1:] != second.shape[1:] or not len(first) or not len(second):
        raise SettingsError(
            f"sliced Wasserstein: expected two sets of images of one size, got "
            f"{tuple(first.shape)} and {tuple(second.shape)}."
        )
    count = min(len(first), len(second))
    generator = torch.Generator().manual_seed(settings.seed)
    places = _patch_places(count, first.shape[-1], settings, generator)
    left, right = (_descriptors(item[:count], places, settings) for item in (first, second))
    distances = {
        size: SCALE * _distance(left[size], right[size], settings, generator) for size in left
    }
    average = sum(distances.values()) / len(distances)
    return SlicedWassersteinResult(distances, average, count, settings)


def _patch_places(
    count: int, size: int, settings: SlicedWassersteinSettings, generator: torch.Generator
) -> dict[int, torch.Tensor]:
    """Return {size of level: (count, patches, 2) rows and columns of patches' corners}."""
    places = {}
    while size >= settings.smallest:
        if size < settings.patch:
            raise SettingsError(
                f"sliced Wasserstein: expected levels of at least {settings.patch} pixels, got "
                f"{size}. Raise smallest, or take smaller patches."
            )
        places[size] = torch.randint(
            size - settings.patch + 1, (count, settings.patches, 2), generator=generator
        )
        size //= 2
    return places


def _descriptors(
    images: torch.Tensor, places: dict[int, torch.Tensor], settings: SlicedWassersteinSettings
) -> dict[int, torch.Tensor]:
    """Return {size: (patches of all images, C p p) float32, normalised per channel}."""
    found: dict[int, list[torch.Tensor]] = {size: [] for size in places}
    for start in range(0, len(images), settings.batch):
        part = images[start : start + settings.batch].float()
        for band in laplacian_pyramid(part, settings.smallest):
            size = band.shape[-1]
            found[size].append(_cut(band, places[size][start : start + len(part)], settings.patch))
    return {size: _normalise(torch.cat(parts)) for size, parts in found.items()}


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
        directions = (directions / directions.norm(dim=0)).to(left.device)
        sorted_left, sorted_right = ((item @ directions).sort(dim=0)[0] for item in (left, right))
        total += float((sorted_left - sorted_right).abs().mean())
    return total / settings.repeats
