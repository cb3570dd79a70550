"""A training set in memory: images and which of their pixels are valid."""

import dataclasses
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeVar

import numpy as np
import torch
import torch.nn.functional as F

from geomface.learning import fingerprint as data_fingerprint
from geomface.learning.errors import DatasetError
from geomface.learning.holdout import held_out
from geomface.mesh.uv_fingerprint import Fingerprint


@dataclasses.dataclass(frozen=True, eq=False)
class ImageSet:
    """Images and masks of one size.

    Parameters
    ----------
    images : (N, 3, S, S), uint8 or float32 in [-1, 1]
    masks : (N, 1, S, S) bool, or None when every pixel is valid
    mirror : show every image as often mirrored, with its mask, left to right
    coordinates : the channels are x (to the subject's left), y and z; `mirror` then mirrors each
        of them alone, which makes eight images of one
    names : of the images' files below their folder, for messages and for the share that is held
        out; may be empty
    uv : fingerprint of the uv that textures were made for, None where they do not say
    """

    images: torch.Tensor
    masks: torch.Tensor | None = None
    mirror: bool = False
    names: tuple[str, ...] = ()
    coordinates: bool = False
    uv: Fingerprint | None = None

    def __post_init__(self) -> None:
        shape = tuple(self.images.shape)
        if len(shape) != 4 or shape[1] != 3 or shape[2] != shape[3]:
            raise DatasetError(
                f"training set: expected square images (N, 3, S, S), got {shape}. Crop them."
            )
        if shape[0] == 0:
            raise DatasetError("training set: expected at least one image, got none.")
        if self.images.dtype == torch.float32:
            _check_range(self.images)
        elif self.images.dtype != torch.uint8:
            raise DatasetError(
                f"training set: expected uint8 or float32 images, got {self.images.dtype}."
            )
        if self.masks is not None:
            if tuple(self.masks.shape) != (shape[0], 1, *shape[2:]):
                raise DatasetError(
                    f"training set: expected masks {(shape[0], 1, *shape[2:])}, got "
                    f"{tuple(self.masks.shape)}. Each image needs its own."
                )
            hidden = ~self.masks.flatten(1).any(dim=1)
            if bool(hidden.any()):
                first = int(hidden.nonzero()[0])
                name = self.names[first] if self.names else f"number {first}"
                raise DatasetError(
                    f"training set: expected something to learn from in every image, but the mask "
                    f"of {name} hides all of it (of {int(hidden.sum())} in all). Leave those out."
                )

    def __len__(self) -> int:
        return len(self.images) * self._versions

    @property
    def _versions(self) -> int:
        return 1 if not self.mirror else 8 if self.coordinates else 2

    @property
    def size(self) -> int:
        """Pixels a side."""
        return self.images.shape[-1]

    def read(self, indices: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Return images (B, 3, S, S) float32 in [-1, 1] and masks (B, 1, S, S) float32.

        Index i + N is image i mirrored. Of coordinates, index i + N k has x mirrored where bit 0
        of k is set, y at bit 1, z at bit 2; a mirrored x also changes its sign. Where one
        coordinate is mirrored and another is not, a pixel is valid if both places are.

        Source
        ------
        Shamai, Slossberg, Kimmel 2018, Sec. 8. Their C - x, C the largest x, is -x here, since x
        is scaled about the plane of symmetry. They say nothing of masks.
        """
        count = len(self.images)
        chosen = indices % count
        images = self.images[chosen]
        if images.dtype == torch.uint8:
            images = images.float() / 127.5 - 1.0
        if self.masks is None:
            masks = torch.ones(len(images), 1, *images.shape[2:])
        else:
            masks = self.masks[chosen].float()
        version = torch.div(indices, count, rounding_mode="floor").reshape(-1, 1, 1, 1)
        if not bool(version.any()):
            return images, masks
        if not self.coordinates:
            version = 7 * version
        flipped = (version >> torch.arange(3).reshape(1, 3, 1, 1)) & 1 == 1
        images = torch.where(flipped, images.flip(3), images)
        if self.coordinates:
            sign = torch.where(flipped[:, :1], -1.0, 1.0)
            images = torch.cat([images[:, :1] * sign, images[:, 1:]], dim=1)
        own = torch.where(flipped.all(dim=1, keepdim=True), 0.0, masks)
        both = torch.where(flipped.any(dim=1, keepdim=True), masks.flip(3), masks)
        return images, torch.where(flipped.all(dim=1, keepdim=True), both, own * both)

    def batch(self, indices: torch.Tensor) -> dict[str, torch.Tensor]:
        """Return {"images", "masks"} as `read` does: a data set for the streams of a training."""
        images, masks = self.read(indices)
        return {"images": images, "masks": masks}

    def fingerprint(self) -> data_fingerprint.Fingerprint:
        """Return a hash of each image with its mask by its name, or else its number."""
        columns = {"images": self.images} | ({} if self.masks is None else {"masks": self.masks})
        return data_fingerprint.fingerprint_rows(columns, self.names)

    def subset(self, keep: np.ndarray) -> "ImageSet":
        """Return the images for which `keep`, bool or indices, says so."""
        chosen = torch.from_numpy(np.asarray(keep))
        index = chosen.nonzero().flatten() if chosen.dtype == torch.bool else chosen
        names = tuple(self.names[k] for k in index.tolist()) if self.names else ()
        masks = None if self.masks is None else self.masks[index]
        return ImageSet(self.images[index], masks, self.mirror, names, self.coordinates, self.uv)

    def complete(self) -> np.ndarray:
        """Say which images hide nothing."""
        if self.masks is None:
            return np.ones(len(self.images), bool)
        return self.masks.flatten(1).all(dim=1).numpy()


def split_set(data: ImageSet, share: float) -> tuple[ImageSet, ImageSet | None]:
    """Return the images to train on and those held out, None when there are none.

    Images without names go by their place in the set.

    Raises
    ------
    DatasetError : nothing is left to train on
    """
    out = held_out(data.names or tuple(map(str, range(len(data.images)))), share)
    return (data.subset(~out), data.subset(out)) if out.any() else (data, None)


def reduce_images(images: torch.Tensor, masks: torch.Tensor, size: int) -> tuple[torch.Tensor, ...]:
    """Reduce images (N, 3, S, S) and bool masks (N, 1, S, S) to `size`: means and minima.

    Raises
    ------
    DatasetError : S is no multiple of `size`
    """
    factor, rest = divmod(images.shape[-1], size)
    if rest or factor < 1:
        raise DatasetError(
            f"training set: expected images of {size} pixels or a multiple, got "
            f"{images.shape[-1]}. Choose another size."
        )
    if factor == 1:
        return images, masks
    floats = F.avg_pool2d(images.float(), factor)
    reduced = floats.round().to(torch.uint8) if images.dtype == torch.uint8 else floats
    return reduced, F.max_pool2d((~masks).float(), factor) == 0


File = TypeVar("File")


def read_images(
    files: Sequence[File],
    read: Callable[[File], tuple[Path, np.ndarray, np.ndarray]],
    size: int,
    on_progress: Callable[[int, int], None] | None = None,
) -> tuple[torch.Tensor, torch.Tensor]:
    """Read square images of one size and reduce them; returns (N, 3, S, S) and (N, 1, S, S) bool.

    Parameters
    ----------
    files : what `read` takes
    read : returns the path for messages, pixels (H, W, 3) uint8 or float32, and (H, W) bool masks
    size : pixels a side, the files' own or a part of it
    on_progress : called with (read, in all)

    Raises
    ------
    DatasetError : mixed sizes, or images that are not square
    """
    images, masks, expected = [], [], None
    for index, file in enumerate(files):
        path, pixels, valid = read(file)
        expected = expected or valid.shape
        require_square(path, valid.shape, expected)
        small = torch.from_numpy(pixels).permute(2, 0, 1)[None]
        small, small_mask = reduce_images(small, torch.from_numpy(valid)[None, None], size)
        images.append(small)
        masks.append(small_mask)
        if on_progress is not None:
            on_progress(index + 1, len(files))
    return torch.cat(images), torch.cat(masks)


def require_square(path: Path, got: tuple[int, ...], expected: tuple[int, ...]) -> None:
    """Raise unless an image has the expected size and is square.

    Raises
    ------
    DatasetError : it has not
    """
    if tuple(got) != tuple(expected):
        raise DatasetError(
            f"{path}: expected {expected[1]} x {expected[0]} pixels as in the first image, got "
            f"{got[1]} x {got[0]}. Bake all at one size."
        )
    if got[0] != got[1]:
        raise DatasetError(f"{path}: expected a square image, got {got[1]} x {got[0]} pixels.")


def _check_range(images: torch.Tensor) -> None:
    low, high = float(images.min()), float(images.max())
    if not (np.isfinite(low) and np.isfinite(high)):
        raise DatasetError("training set: expected finite pixels, got NaN or infinity.")
    if low < -1.001 or high > 1.001:
        raise DatasetError(
            f"training set: expected float images in [-1, 1], got [{low:.3g}, {high:.3g}]. Scale "
            "them: x / 127.5 - 1 for 8 bits."
        )
