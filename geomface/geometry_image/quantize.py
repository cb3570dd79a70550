"""Numbers as 8-bit or 16-bit codes over a stored range."""

import dataclasses
from typing import Any

import numba
import numpy as np

from geomface.arrays import BoolArray, FloatArray, frozen, require_finite, require_shape
from geomface.errors import MeshError, SettingsError

_TYPES = {8: np.uint8, 16: np.uint16}


@dataclasses.dataclass(frozen=True, eq=False)
class ValueRange:
    """What codes 0 and 2^bits - 1 stand for, for each of the three channels.

    Parameters
    ----------
    low, high : (3,) float64, low <= high, unit of the geometry; equal entries in all channels
        make it one global range
    """

    low: FloatArray
    high: FloatArray

    def __post_init__(self) -> None:
        for name in ("low", "high"):
            value = require_shape(getattr(self, name), (3,), f"value range: {name}", SettingsError)
            require_finite(value, f"value range: {name}", SettingsError)
            object.__setattr__(self, name, frozen(value, np.float64))
        if (self.low > self.high).any():
            raise SettingsError(
                f"value range: expected low <= high, got low {self.low.tolist()} and high "
                f"{self.high.tolist()}."
            )

    def step(self, bits: int) -> FloatArray:
        """Return the (3,) distance between neighbouring codes."""
        return (self.high - self.low) / _levels(bits)


def value_range(
    values: np.ndarray, mask: BoolArray | None = None, *, shared: bool = False, margin: float = 0.0
) -> ValueRange:
    """Return the range of values, for instance of all geometry images of a training set.

    Parameters
    ----------
    values : (..., 3), or (..., H, W, 3) with a mask
    mask : (H, W) bool, texels that count
    shared : one global range for all channels, as in seed papers that store one minimum and
        maximum
    margin : widen by this share of the range on both sides, for meshes not seen yet
    """
    values = np.asarray(values)
    if values.shape[-1:] != (3,) or values.size == 0:
        raise MeshError(f"value range: expected values of shape (..., 3), got {values.shape}.")
    if mask is not None:
        values = values[..., mask, :]
    axes = None if shared else tuple(range(values.ndim - 1))
    low = np.broadcast_to(values.min(axis=axes), 3).astype(np.float64)
    high = np.broadcast_to(values.max(axis=axes), 3).astype(np.float64)
    extra = margin * (high - low)
    return ValueRange(low - extra, high + extra)


def quantize(values: np.ndarray, limits: ValueRange, bits: int) -> np.ndarray:
    """Return codes, uint8 or uint16: code = round((x - low) / (high - low) (2^bits - 1)).

    Rounded to the nearest code, halves up, so the error is uniform with RMS step / sqrt(12);
    values outside the range take its end. A channel whose range is a point has code 0.

    Parameters
    ----------
    values : (..., 3) floats
    limits : the stored range
    bits : 8 or 16
    """
    levels = _levels(bits)
    width = limits.high - limits.low
    scale = np.divide(levels, width, out=np.zeros(3), where=width > 0)
    values = np.asarray(values)
    codes = np.empty(values.shape, _TYPES[bits])
    _encode(values.reshape(-1, 3), limits.low, scale, levels, codes.reshape(-1, 3))
    return codes


def dequantize(codes: np.ndarray, limits: ValueRange) -> FloatArray:
    """Return the (..., 3) float64 values of codes: low + code step."""
    bits = 8 * codes.dtype.itemsize
    return limits.low + codes * limits.step(bits)


def _levels(bits: int) -> int:
    if bits not in _TYPES:
        raise SettingsError(f"expected 8 or 16 bits for codes, got {bits}.")
    return 2**bits - 1


@numba.njit(cache=True)
def _encode(values: Any, low: Any, scale: Any, levels: int, codes: Any) -> None:
    for i in range(len(values)):
        for k in range(3):
            code = np.floor((np.float64(values[i, k]) - low[k]) * scale[k] + 0.5)
            codes[i, k] = min(max(code, 0.0), levels)
