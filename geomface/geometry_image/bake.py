"""Carry a scan's colours over to the texture of the template registered to it."""

import dataclasses
import time
from typing import Any

import numba
import numpy as np

from geomface.arrays import (
    BoolArray,
    FloatArray,
    ImageArray,
    IndexArray,
    require_finite,
    require_shape,
)
from geomface.errors import MeshError, TopologyMismatchError
from geomface.geometry_image.fill import fill_smoothly
from geomface.geometry_image.readout import read_bilinear
from geomface.geometry_image.sampling import TexelSampling, dilate, sample_texels
from geomface.geometry_image.transfer import closest_for_texels
from geomface.mesh.closest import ClosestPointIndex, ClosestPoints
from geomface.mesh.mesh import Mesh, require_same_topology
from geomface.mesh.normals import face_areas, smooth_vertex_normals, vertex_normals
from geomface.mesh.template import Template
from geomface.mesh.topology import boundary_edges
from geomface.mesh.units import factor_onto, millimetres
from geomface.ranges import NOT_NEGATIVE, POSITIVE, require_numbers
from geomface.rendering.textures import shrink_texture

_ON_EDGE = 1e-7


@dataclasses.dataclass(frozen=True)
class BakeSettings:
    """When a texel counts as seen by the scan."""

    max_distance_mm: float = 3.0
    """Largest distance between the registered surface and the scan, millimetres."""
    max_normal_degrees: float = 60.0
    """Largest angle between their normals, degrees."""
    reject_rim: bool = True
    """Whether texels whose closest scan point lies on the scan's boundary (a hole) are unseen."""
    gutter: int | None = None
    """Texels around the uv chart that repeat its border, for bilinear reads and mips; None fills
    the whole image."""

    def __post_init__(self) -> None:
        require_numbers(
            self,
            max_distance_mm=POSITIVE,
            max_normal_degrees="(0, 180]",
            gutter=NOT_NEGATIVE,
        )


@dataclasses.dataclass(frozen=True, eq=False)
class BakeResult:
    """A baked texture.

    Parameters
    ----------
    texture : (H, W, 3) float32 in [0, 1], row 0 at the top; filled everywhere
    mask : (H, W) bool, True where the scan was seen: the colour is measured, not filled
    kept_fraction : share of the texels on the template that were seen
    seconds : time taken
    notes : what a reader should know
    """

    texture: ImageArray
    mask: BoolArray
    kept_fraction: float
    seconds: float
    notes: tuple[str, ...]


def bake_texture(
    template: Mesh | Template,
    registered_vertices: FloatArray | Mesh,
    scan: Mesh,
    size: int = 1024,
    settings: BakeSettings | None = None,
) -> BakeResult:
    """Bake the colours of a scan into the template's texture.

    For each texel on the template: its surface point on the registered mesh, the closest point on
    the scan, and the scan's colour there. A texel is seen when that point is near, faces the same
    way and is not on the scan's rim. Unseen texels are filled smoothly and marked in the mask.

    Parameters
    ----------
    template : mesh with uv
    registered_vertices : (V, 3) float64, the template registered to the scan, in millimetres or
        the scan's own unit; or that mesh
    scan : mesh with a texture on uv (used first) or vertex colours, in any unit
    size : texels along each side
    settings : see `BakeSettings`

    Raises
    ------
    MeshError : no uv, a scan without colours, NaN, or no texel seen at all.
    TopologyMismatchError : registered vertices of another template.

    Convention
    ----------
    Texel centres as in `sample_texels`. Millimetres follow from the template's unit and the size of
    the registered face, so the scan's unit does not matter.

    Source
    ------
    Shamai, Slossberg and Kimmel 2019, section 5 (texture transfer by the closest point). The mask
    is ours.

    Example
    -------
    >>> import geomface as gf
    >>> face = gf.load_builtin_face()
    >>> flat = gf.unwrap(face.template).mesh
    >>> scan = flat.replace(colors=abs(flat.vertices) / abs(flat.vertices).max())
    >>> bake = gf.bake_texture(flat, flat.vertices, scan, size=64)
    >>> bake.texture.shape, bool(bake.mask.any())
    ((64, 64, 3), True)
    """
    started = time.perf_counter()
    settings = settings or BakeSettings()
    mesh = template.mesh if isinstance(template, Template) else template
    vertices = _registered(mesh, registered_vertices)
    if scan.texture is None and scan.colors is None:
        raise MeshError(
            f"{scan.name}: expected a scan with vertex colours or a texture, this one has neither. "
            "Export it with colours, or skip the bake."
        )
    likely = 1.0 / millimetres(scan.unit)
    vertices = vertices * (factor_onto(vertices, scan.vertices, likely) or 1.0)
    sampling = sample_texels(mesh, size)
    colors, seen = _read_scan(mesh, vertices, scan, sampling, settings)
    if not seen.any():
        raise MeshError(
            f"{scan.name}: no texel of {mesh.name} finds the scan within "
            f"{settings.max_distance_mm:g} mm. Check that the mesh was registered to this scan."
        )
    mask = np.zeros(sampling.mask.shape, bool)
    mask[sampling.mask] = seen
    texture = np.zeros((*mask.shape, 3), np.float32)
    texture[sampling.mask] = colors
    # Unseen texels inside the chart first, then the gutter repeats the chart's border.
    texture = dilate(fill_smoothly(texture, mask), sampling.mask, settings.gutter)
    kept = float(seen.mean())
    notes = []
    if kept < 0.5:
        notes.append(
            f"Only {100 * kept:.0f} % of the texture was seen by {scan.name}; the rest is filled."
        )
    return BakeResult(
        np.clip(texture, 0.0, 1.0), mask, kept, time.perf_counter() - started, tuple(notes)
    )


def _registered(mesh: Mesh, registered: FloatArray | Mesh) -> FloatArray:
    if isinstance(registered, Mesh):
        require_same_topology(mesh, registered)
        registered = registered.vertices
    name = f"{mesh.name}: registered vertices"
    vertices = require_shape(registered, (len(mesh.vertices), 3), name, TopologyMismatchError)
    require_finite(vertices, name)
    return np.ascontiguousarray(vertices, np.float64)


def _read_scan(
    mesh: Mesh, vertices: FloatArray, scan: Mesh, sampling: TexelSampling, settings: BakeSettings
) -> tuple[np.ndarray, BoolArray]:
    """Return colour (n, 3) and whether it was seen (n,) for the covered texels."""
    index = ClosestPointIndex(scan)
    largest = settings.max_distance_mm / _millimetres(mesh, vertices)
    least_cosine = np.cos(np.deg2rad(settings.max_normal_degrees))
    normals = vertex_normals(vertices, mesh.faces)
    # Noise folds single triangles of a scan: the gate asks which way the surface around faces.
    scan_normals = smooth_vertex_normals(scan.vertices, scan.faces, 2)
    rim = _rim_sides(scan)
    texture = None
    if scan.texture is not None and scan.uv is not None:
        area = float(face_areas(vertices, mesh.faces).sum())
        texels_per_unit = np.sqrt(len(sampling.faces) / max(area, 1e-300))
        texture = shrink_texture(scan, scan.texture, scan.vertices, texels_per_unit)
    elif scan.colors is None:
        raise MeshError(
            f"{scan.name}: this scan has a texture image but neither uv nor vertex colours, so the "
            "image cannot be placed. Export it with uv."
        )
    surface = sampling.matrix @ np.concatenate([vertices, normals], axis=1)
    closest = closest_for_texels(index, np.ascontiguousarray(surface[:, :3]), sampling)
    here = surface[:, 3:]
    there = _blend(scan_normals, scan.faces, closest)
    lengths = np.linalg.norm(here, axis=1) * np.linalg.norm(there, axis=1)
    seen = closest.distances <= largest
    if scan.painted is not None and texture is not None:
        seen &= scan.painted[closest.faces]
    seen &= np.einsum("ij,ij->i", here, there) >= least_cosine * lengths
    if settings.reject_rim:
        on_side = closest.barycentric < _ON_EDGE  # weight k is zero on the side facing corner k
        seen &= ~(rim[closest.faces] & on_side).any(axis=1)
    return _colors(scan, closest, texture), seen


def _colors(scan: Mesh, closest: ClosestPoints, texture: ImageArray | None) -> np.ndarray:
    if texture is not None and scan.uv is not None and scan.uv_faces is not None:
        uv = _blend(scan.uv, scan.uv_faces, closest)
        beyond = (uv < -_ON_EDGE) | (uv > 1 + _ON_EDGE)
        return read_bilinear(texture, np.where(beyond, uv - np.floor(uv), uv))
    return _blend(np.asarray(scan.colors, np.float64), scan.faces, closest)


def _blend(values: np.ndarray, triangles: IndexArray, closest: ClosestPoints) -> FloatArray:
    """Return (n, C) of values (V, C) at surface points, by their barycentric weights."""
    return _blended(values, triangles, closest.faces, closest.barycentric)


@numba.njit(cache=True)
def _blended(values: Any, triangles: Any, faces: Any, weights: Any) -> Any:
    out = np.empty((len(faces), values.shape[1]))
    for i in range(len(faces)):
        a, b, c = triangles[faces[i], 0], triangles[faces[i], 1], triangles[faces[i], 2]
        for k in range(values.shape[1]):
            out[i, k] = (
                weights[i, 0] * values[a, k]
                + weights[i, 1] * values[b, k]
                + weights[i, 2] * values[c, k]
            )
    return out


def _millimetres(mesh: Mesh, vertices: FloatArray) -> float:
    """Return the millimetres in a unit of the scan's space, by the size of the registered face."""
    sizes = [
        np.sqrt(np.mean(np.sum((v - v.mean(axis=0)) ** 2, axis=1)))
        for v in (mesh.vertices, vertices)
    ]
    return float(sizes[0] * millimetres(mesh.unit) / max(sizes[1], 1e-300))


def _rim_sides(scan: Mesh) -> BoolArray:
    """Return (F, 3): whether the side of a face opposite to corner k lies on the scan's boundary.

    Vertices at the same place count as one, so seams of files that split vertices are no rims.
    """
    _, places = np.unique(scan.vertices, axis=0, return_inverse=True)
    faces = places.reshape(-1)[scan.faces]
    rim = boundary_edges(faces)
    keys = np.unique(rim[:, 0] * len(scan.vertices) + rim[:, 1])
    sides = np.empty(faces.shape, bool)
    for k in range(3):
        edge = faces[:, (k + 1) % 3] * len(scan.vertices) + faces[:, (k + 2) % 3]
        sides[:, k] = np.isin(edge, keys)
    return sides
