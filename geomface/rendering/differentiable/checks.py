"""Checks that turn tensors of the wrong shape into sentences."""

import dataclasses
from typing import Self

import torch

from geomface.errors import GeomfaceError, MeshError, SettingsError


def require_tensor(
    value: object,
    shape: tuple[int | None, ...],
    name: str,
    error: type[GeomfaceError] = SettingsError,
) -> torch.Tensor:
    """Return `value` after checking that it is a floating-point tensor of the given shape.

    None stands for any length of at least one.
    """
    if not isinstance(value, torch.Tensor) or not value.is_floating_point():
        kind = f"{value.dtype} tensor" if isinstance(value, torch.Tensor) else type(value).__name__
        raise error(f"{name}: expected a floating-point torch tensor, got a {kind}.")
    fits = value.ndim == len(shape) and all(
        have > 0 and want in (None, have) for want, have in zip(shape, value.shape, strict=True)
    )
    if not fits:
        wanted = "(" + ", ".join("any" if want is None else str(want) for want in shape) + ")"
        empty = " An empty batch cannot be drawn." if 0 in value.shape else ""
        raise error(f"{name}: expected shape {wanted}, got {tuple(value.shape)}.{empty}")
    return value


def common_batch(sizes: dict[str, int]) -> int:
    """Return the batch size that all share, where 1 fits any.

    Raises
    ------
    MeshError : two sizes above 1 that differ; the message names both.
    """
    batch, owner = 1, ""
    for name, size in sizes.items():
        if size == 1:
            continue
        if batch not in (1, size):
            raise MeshError(
                f"{name}: expected a batch of 1 or {batch} as in {owner}, got {size}. One render "
                "call has one batch size."
            )
        batch, owner = size, name
    return batch


class TensorFields:
    """What frozen dataclasses of tensors share: one batch size, where 1 fits any, and a device."""

    def tensors(self) -> dict[str, torch.Tensor]:
        """Return the fields that hold tensors, by name."""
        values = {field.name: getattr(self, field.name) for field in dataclasses.fields(self)}  # type: ignore[arg-type]
        return {name: value for name, value in values.items() if isinstance(value, torch.Tensor)}

    def require(self, name: str, **shapes: tuple[int | None, ...]) -> None:
        """Raise unless the named fields have these shapes and all tensors share one batch size."""
        for field, shape in shapes.items():
            require_tensor(getattr(self, field), shape, f"{name}: {field}")
        common_batch({field: len(value) for field, value in self.tensors().items()})

    @property
    def batch(self) -> int:
        """Size of the batch, 1 for what all images share."""
        return max(len(value) for value in self.tensors().values())

    def to(self, like: torch.Tensor) -> Self:
        """Return the same with the dtype and device of a tensor."""
        moved = {name: value.to(like) for name, value in self.tensors().items()}
        return dataclasses.replace(self, **moved)  # type: ignore[type-var]


def per_pixel(values: torch.Tensor, image: torch.Tensor) -> torch.Tensor:
    """Return (C, N): the row of values (B, C) of each pixel's image, (C, 1) when all share one."""
    return values.T if len(values) == 1 else values.T.index_select(1, image)
