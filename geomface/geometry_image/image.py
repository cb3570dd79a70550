"""The geometry image: a face as a picture, with all that is needed to read it back."""

import dataclasses
from typing import Literal

import numpy as np

from geomface.arrays import BoolArray, ImageArray, frozen
from geomface.errors import MeshError, SettingsError
from geomface.geometry_image.quantize import ValueRange, dequantize, value_range
from geomface.mesh.units import UNITS
from geomface.mesh.uv_fingerprint import Fingerprint

Mode = Literal["absolute", "displacement"]

_BITS = {np.dtype(np.float32): 32, np.dtype(np.uint16): 16, np.dtype(np.uint8): 8}


@dataclasses.dataclass(frozen=True, eq=False)
class GeometryImage:
    """One geometry image, or a stack of them made alike.

    Parameters
    ----------
    pixels : (..., H, W, 3) float32 values in `unit`, or uint8 / uint16 codes over `limits`
    mask : (H, W) bool, texels on the surface; all others hold a gutter
    mode : "absolute" (positions) or "displacement" (positions minus a reference shape)
    topology_id : of the mesh that was encoded
    uv_fingerprint : `fingerprint` of its uv, one per face corner
    reference_fingerprint : of the reference vertices, None for absolute images
    unit : of the geometry
    limits : the range that codes span, None for float32

    Convention
    ----------
    Channels are x, y, z. Row 0 is the top; texel centres at u = (column + 0.5) / W,
    v = 1 - (row + 0.5) / H.
    """

    pixels: np.ndarray
    mask: BoolArray
    mode: Mode
    topology_id: str
    uv_fingerprint: Fingerprint
    reference_fingerprint: Fingerprint | None = None
    unit: str = "mm"
    limits: ValueRange | None = None

    def __post_init__(self) -> None:
        pixels, mask = np.asarray(self.pixels), np.asarray(self.mask)
        if pixels.ndim < 3 or pixels.shape[-1] != 3 or pixels.shape[-3:-1] != mask.shape:
            raise MeshError(
                "geometry image: expected pixels (..., H, W, 3) and a mask (H, W), got "
                f"{pixels.shape} and {mask.shape}."
            )
        if pixels.dtype not in _BITS:
            raise MeshError(
                f"geometry image: expected pixels of float32, uint16 or uint8, got {pixels.dtype}."
            )
        if self.mode not in ("absolute", "displacement"):
            raise SettingsError(
                f"geometry image: expected mode absolute or displacement, got {self.mode!r}."
            )
        if (self.limits is None) != (pixels.dtype == np.float32):
            raise SettingsError(
                "geometry image: 8-bit and 16-bit pixels need limits, float32 pixels have none."
            )
        if (self.reference_fingerprint is None) != (self.mode == "absolute"):
            raise SettingsError(
                "geometry image: displacements need the fingerprint of their reference, absolute "
                "images have none."
            )
        if self.unit not in UNITS:
            raise SettingsError(
                f"geometry image: unit must be one of {', '.join(UNITS)}, got {self.unit!r}."
            )
        object.__setattr__(self, "pixels", frozen(pixels))
        object.__setattr__(self, "mask", frozen(mask, np.bool_))

    @property
    def bits(self) -> int:
        """Bits a channel: 8, 16 or 32 (float)."""
        return _BITS[self.pixels.dtype]

    @property
    def size(self) -> int:
        """Texels along a side."""
        return self.mask.shape[0]

    @property
    def values(self) -> np.ndarray:
        """(..., H, W, 3) positions or displacements in `unit`."""
        return self.pixels if self.limits is None else dequantize(self.pixels, self.limits)

    @property
    def noise(self) -> float:
        """Standard deviation per axis of the rounding error, in `unit`; 0 for float32."""
        if self.limits is None:
            return 0.0
        return float(np.sqrt(np.mean(self.limits.step(self.bits) ** 2) / 12.0))

    def picture(self, limits: ValueRange | None = None) -> ImageArray:
        """Return (..., H, W, 3) float32 in [0, 1] to look at, x y z as red green blue."""
        limits = limits or self.limits or value_range(self.values, self.mask)
        width = np.maximum(limits.high - limits.low, 1e-12)
        return np.clip((self.values - limits.low) / width, 0, 1).astype(np.float32)
