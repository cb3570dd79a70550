"""The texture of a damaged scan: what it shows, and where that is skin."""

import dataclasses
from typing import Any

import numpy as np

from geomface.arrays import BoolArray, FloatArray, ImageArray
from geomface.geometry_image import BakeSettings, TexelSampling, bake_texture, dilate
from geomface.geometry_image.fill import fill_smoothly
from geomface.mesh import Mesh
from geomface.pipeline.texture_settings import DamageSettings

_FAR = BakeSettings(max_distance_mm=15.0, max_normal_degrees=120.0, reject_rim=False)
"""Finds what lies over the skin, thick as it may be."""
_TINT = 0.1
"""A texel is no skin when so much of its colour comes from something else."""


@dataclasses.dataclass(frozen=True, eq=False)
class MaskedTexture:
    """A texture with holes.

    Parameters
    ----------
    texture : (S, S, 3) float32 in [0, 1], as an eye would see the damage
    valid : (S, S) bool, True where it shows skin; outside the chart as the nearest texel inside
    covered_share, hole_share : shares of the chart that something covers, and that nothing shows
    """

    texture: ImageArray
    valid: BoolArray
    covered_share: float
    hole_share: float

    def figures(self) -> dict[str, Any]:
        """The numbers of an item's record."""
        return {
            "complete": bool(self.valid.all()),
            "valid_share": round(float(self.valid.mean()), 4),
            "covered_share": round(self.covered_share, 4),
            "hole_share": round(self.hole_share, 4),
        }


def mask_texture(
    template: Mesh,
    vertices: FloatArray,
    scan: Mesh,
    size: int,
    damage: DamageSettings,
    *,
    covered: FloatArray | None,
    sampling: TexelSampling,
) -> MaskedTexture:
    """Bake a scan and mark what is no skin.

    Parameters
    ----------
    template : mesh with uv
    vertices : (V, 3) float64, the template registered to the scan
    scan : with vertex colours
    size : texels a side
    damage : what holes look like, and which gaps are small enough to be filled
    covered : (N,) in [0, 1], how much of each scan vertex is no face; None for nothing
    sampling : of the template at this size

    Raises
    ------
    MeshError : the scan is nowhere near the template
    """
    chart = sampling.mask
    baked = bake_texture(template, vertices, scan, size)
    texture, under = baked.texture, np.zeros(chart.shape, bool)
    if covered is not None:
        shares = np.repeat(np.asarray(covered, np.float32)[:, None], 3, axis=1)
        far = bake_texture(template, vertices, scan, size, _FAR)
        there = bake_texture(template, vertices, scan.replace(colors=shares), size, _FAR)
        under = chart & far.mask & (there.texture[..., 0] > _TINT)
    skin = baked.mask & ~under
    if skin.any():
        texture = fill_smoothly(texture, skin)
    gaps = chart & ~skin & ~under
    hole = gaps & ~small_gaps(gaps, skin, damage.close * size)
    if damage.holes == "flat":
        texture[hole] = damage.hole_color
    if covered is not None:
        texture[under] = far.texture[under]
    valid = dilate((chart & ~hole & ~under)[..., None], chart)[..., 0]
    within = max(int(chart.sum()), 1)
    return MaskedTexture(
        np.clip(dilate(texture, chart), 0, 1).astype(np.float32),
        valid,
        float(under.sum()) / within,
        float(hole.sum()) / within,
    )


def small_gaps(gaps: BoolArray, skin: BoolArray, radius: float) -> BoolArray:
    """Return the connected gaps of which no texel is further than `radius` texels from skin."""
    from scipy import ndimage

    if not skin.any() or radius <= 0:
        return np.zeros_like(gaps)
    distance = np.asarray(ndimage.distance_transform_edt(~skin))
    label = np.zeros(gaps.shape, np.int32)
    ndimage.label(gaps, output=label)
    deepest = np.asarray(ndimage.maximum(distance, label, np.arange(label.max() + 1)))
    return gaps & (deepest <= radius)[label]
