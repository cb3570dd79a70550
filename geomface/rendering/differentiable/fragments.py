"""The covered pixels of one visibility pass, as flat lists."""

import dataclasses
import itertools
from collections.abc import Callable
from functools import cached_property

import torch

from geomface.rendering.differentiable.compiled.pictures import CompiledPicture


@dataclasses.dataclass(frozen=True, eq=False)
class Fragments:
    """One row for every covered pixel, image after image and row after row.

    Parameters
    ----------
    face_ids : (B, H, W) int32, from a visibility backend
    pixel : (N,) int64, place in the flattened (B, H, W)
    image : (N,) int64
    face : (N,) int64
    corners : (3, N) int64, vertices of the face
    x, y : (N,) pixel centre
    compiled : the stages use their compiled twins (on a CPU only)
    """

    face_ids: torch.Tensor
    pixel: torch.Tensor
    image: torch.Tensor
    face: torch.Tensor
    corners: torch.Tensor
    x: torch.Tensor
    y: torch.Tensor
    compiled: bool

    @cached_property
    def counts(self) -> list[int]:
        """Number of covered pixels of every image."""
        return torch.bincount(self.image, minlength=len(self.face_ids)).tolist()

    @cached_property
    def offsets(self) -> list[int]:
        """Where the pixels of every image begin, and the end."""
        return [0, *itertools.accumulate(self.counts)]

    def picture(self, values: torch.Tensor) -> torch.Tensor:
        """Put values (C, N) into pictures (B, H, W, C), 0 where nothing is covered."""
        drawn = put_pixels(values, self.pixel, None, self.face_ids.numel(), compiled=self.compiled)
        return drawn.reshape(*self.face_ids.shape, len(values))


def put_pixels(
    values: torch.Tensor,
    pixels: torch.Tensor,
    backdrop: torch.Tensor | None,
    size: int,
    *,
    compiled: bool,
) -> torch.Tensor:
    """Return (P, C): a backdrop, or zeros, with values (C, N) at different pixels (N,)."""
    if compiled and values.is_floating_point():
        return CompiledPicture.apply(values, pixels, backdrop, size)
    if backdrop is None:
        backdrop = torch.zeros((size, len(values)), dtype=values.dtype, device=values.device)
    return backdrop.index_copy(0, pixels, values.T.contiguous())


def each_image(
    function: Callable[[torch.Tensor], torch.Tensor], values: torch.Tensor, counts: list[int]
) -> torch.Tensor:
    """Apply a function of (C, n) to the first `counts[0]` columns, the next `counts[1]`, and so on.

    For functions such as powers, whose last bits depend on how many numbers they are given: the
    result for one image does not depend on the batch.
    """
    if len(counts) == 1:
        return function(values)
    return torch.cat([function(part.contiguous()) for part in values.split(counts, dim=1)], dim=1)


def fragments_of(
    face_ids: torch.Tensor, faces: torch.Tensor, dtype: torch.dtype, *, compiled: bool = True
) -> Fragments:
    """List the covered pixels of (B, H, W) face ids; `compiled` counts on a CPU only."""
    _, height, width = face_ids.shape
    image, row, column = torch.nonzero(face_ids >= 0, as_tuple=True)
    pixel = (image * height + row) * width + column
    face = face_ids.reshape(-1).index_select(0, pixel).long()
    corners = faces.T.contiguous().index_select(1, face)
    return Fragments(
        face_ids,
        pixel,
        image,
        face,
        corners,
        column.to(dtype) + 0.5,
        row.to(dtype) + 0.5,
        compiled and face_ids.device.type == "cpu",
    )
