"""Distortion of a parametrization: what was stretched, flipped, or left without a texel."""

import dataclasses
from collections.abc import Mapping, Sequence

import numpy as np

from geomface.arrays import BoolArray, FloatArray, IndexArray
from geomface.mesh.normals import face_areas
from geomface.mesh.topology import boundary_loops
from geomface.parametrization.checks import flipped_triangles, signed_areas

# Triangles thinner than this part of the largest area have no shape to distort.
_DEGENERATE = 1e-12


@dataclasses.dataclass(frozen=True)
class DistortionReport:
    """How good a map to the unit square is.

    Singular values sigma1 >= sigma2 belong to the map from the square to the surface, scaled by
    sqrt(uv area / surface area), so that 1 is the ideal everywhere.

    Parameters
    ----------
    flips : triangles of zero or negative area in the square, decided exactly
    l2_stretch : sqrt of the surface average of (sigma1^2 + sigma2^2) / 2; 1 is the lower bound
    linf_stretch : largest sigma1
    mean_sigma_ratio : surface average of sigma1 / sigma2, the stretch of angles; 1 is conformal
    rms_log_area : rms over the surface of log(sigma1 sigma2); 0 is area-preserving
    symmetric_dirichlet : surface average of sigma1^2 + sigma2^2 + 1/sigma1^2 + 1/sigma2^2; 4 is
        an isometry
    share : {region: part of the square that its triangles cover}
    covered_area : area of the triangles and the holes together; 1 when the square is covered
    hole_area : part of the square that lies in holes of the surface
    image_size : side of the image that pixels are counted for, texels
    small_triangles : part of the triangles below half a texel
    vertices_without_texel : vertices none of whose triangles holds a texel centre
    mirror_error : largest distance between a vertex and its twin's reflection at u = 1/2; None
        for a template without mirror symmetry
    degenerate_triangles : triangles without area on the surface, left out of the averages
    seconds : time of the whole unwrap
    solves : linear systems solved
    settings : the settings, resolved
    notes : sentences on what was decided on the way
    """

    flips: int
    l2_stretch: float
    linf_stretch: float
    mean_sigma_ratio: float
    rms_log_area: float
    symmetric_dirichlet: float
    share: Mapping[str, float]
    covered_area: float
    hole_area: float
    image_size: int
    small_triangles: float
    vertices_without_texel: int
    mirror_error: float | None
    degenerate_triangles: int
    seconds: float = 0.0
    solves: int = 0
    settings: Mapping[str, object] = dataclasses.field(default_factory=dict)
    notes: tuple[str, ...] = ()

    def as_dict(self) -> dict[str, object]:
        """Return plain numbers, lists and dictionaries for a JSON record."""
        record = {field.name: getattr(self, field.name) for field in dataclasses.fields(self)}
        for name, value in record.items():
            if isinstance(value, Mapping):
                record[name] = dict(value)
            elif isinstance(value, tuple):
                record[name] = list(value)
        return record


def measure_distortion(
    vertices: FloatArray,
    faces: IndexArray,
    uv: FloatArray,
    *,
    regions: Mapping[str, IndexArray] | None = None,
    mirror: IndexArray | None = None,
    holes: Sequence[IndexArray] | None = None,
    image_size: int = 256,
) -> DistortionReport:
    """Measure the distortion of a map from a surface to the unit square.

    Parameters
    ----------
    vertices : (V, 3) float64, any unit
    faces : (F, 3) int64, indices into vertices and uv alike
    uv : (V, 2) float64
    regions : {name: vertex indices}; a triangle belongs to a region with its three vertices
    mirror : (V,) mirror twins, or None
    holes : boundary loops of the holes, clockwise; found by their sense in uv when left out
    image_size : side of the image that pixels are counted for

    Source
    ------
    Sander, Snyder, Gortler and Hoppe 2001, section 3, for the L2 and L-infinity stretch.
    """
    large, small, area = singular_values(vertices, faces, uv)
    solid = area > _DEGENERATE * float(area.max())
    uv_area = signed_areas(uv, faces)
    flips = len(flipped_triangles(uv, faces))
    scale = np.sqrt(max(float(uv_area.sum()), 0.0) / float(area.sum()))
    weight = area[solid] / area[solid].sum()
    large, small = large[solid] * scale, small[solid] * scale
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        squares = large**2 + small**2
        ratio = large / small
        log_area = np.log(large * small)
        dirichlet = squares + 1.0 / large**2 + 1.0 / small**2
    if holes is None:
        holes = [loop for loop in boundary_loops(faces) if _polygon_area(uv[loop]) < 0]
    # Holes run clockwise.
    hole_area = -sum(_polygon_area(uv[loop]) for loop in holes)
    empty = vertices_without_texel(uv, faces, image_size)
    return DistortionReport(
        flips=flips,
        l2_stretch=float(np.sqrt(weight @ squares / 2.0)),
        linf_stretch=float(large.max()),
        mean_sigma_ratio=float(weight @ ratio),
        rms_log_area=float(np.sqrt(weight @ log_area**2)),
        symmetric_dirichlet=float(weight @ dirichlet),
        share={
            name: float(uv_area[faces_inside(faces, members, len(vertices))].sum())
            for name, members in (regions or {}).items()
        },
        covered_area=float(uv_area.sum()) + hole_area,
        hole_area=hole_area,
        image_size=image_size,
        small_triangles=float((uv_area * image_size**2 < 0.5).mean()),
        vertices_without_texel=int(empty.sum()),
        mirror_error=None if mirror is None else mirror_error(uv, mirror),
        degenerate_triangles=int((~solid).sum()),
    )


def singular_values(
    vertices: FloatArray, faces: IndexArray, uv: FloatArray
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return the (F,) singular values sigma1 >= sigma2 of the map from uv to the surface.

    Infinite or NaN where a triangle has no area in uv. The third array is the (F,) area on the
    surface.
    """
    origin, first, second = (vertices[faces[:, k]] for k in range(3))
    first, second = first - origin, second - origin
    area = face_areas(vertices, faces)
    origin, f, g = (uv[faces[:, k]] for k in range(3))
    f, g = (f - origin).T, (g - origin).T
    aa, bb, ab = (
        np.einsum("ij,ij->i", p, q) for p, q in ((first, first), (second, second), (first, second))
    )
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        # The metric E, F, G of the surface in uv coordinates: J^T J with J = [a b] [f g]^-1.
        squared = (f[0] * g[1] - f[1] * g[0]) ** 2
        a = (g[1] ** 2 * aa - 2.0 * f[1] * g[1] * ab + f[1] ** 2 * bb) / squared
        b = ((f[0] * g[1] + f[1] * g[0]) * ab - g[0] * g[1] * aa - f[0] * f[1] * bb) / squared
        c = (g[0] ** 2 * aa - 2.0 * f[0] * g[0] * ab + f[0] ** 2 * bb) / squared
        root = np.hypot(a - c, 2.0 * b)
        large = np.sqrt(0.5 * (a + c + root))
        # The product of both is the ratio of the areas, which is safer than a difference.
        small = 2.0 * area / np.sqrt(squared) / large
    return large, np.minimum(small, large), area


def faces_inside(faces: IndexArray, members: IndexArray, vertex_count: int) -> BoolArray:
    """Return the (F,) mask of triangles with all three vertices among `members`."""
    inside = np.zeros(vertex_count, bool)
    inside[members] = True
    return np.all(inside[faces], axis=1)  # type: ignore[return-value]


def mirror_error(uv: FloatArray, mirror: IndexArray) -> float:
    """Return the largest distance between uv and the reflection, at u = 1/2, of the twins' uv."""
    reflected = uv[mirror] * [-1.0, 1.0] + [1.0, 0.0]
    return float(np.linalg.norm(reflected - uv, axis=1).max())


def vertices_without_texel(uv: FloatArray, faces: IndexArray, size: int) -> BoolArray:
    """Return the (V,) mask of vertices none of whose triangles holds a texel centre.

    Convention
    ----------
    Texel centres lie at (i + 0.5) / size.
    """
    pixels = uv[faces] * size - 0.5
    empty = np.ones(len(uv), bool)
    # Most triangles hold the texel centre next to their middle; the search is for the others.
    nearest = np.rint(pixels.mean(axis=1)).clip(0, size - 1)
    empty[faces[_inside(pixels, nearest)].ravel()] = False
    rest = np.flatnonzero(empty[faces].any(axis=1))
    pixels = pixels[rest]
    low = np.ceil(pixels.min(axis=1)).astype(np.int64).clip(0, size - 1)
    high = np.floor(pixels.max(axis=1)).astype(np.int64).clip(0, size - 1)
    extent = np.maximum(high - low + 1, 0)
    candidates = extent[:, 0] * extent[:, 1]
    # One row per triangle and texel of its bounding box.
    owner = np.repeat(np.arange(len(rest)), candidates)
    running = np.arange(len(owner)) - np.repeat(np.cumsum(candidates) - candidates, candidates)
    texel = low[owner] + np.stack([running % extent[owner, 0], running // extent[owner, 0]], axis=1)
    empty[faces[rest[owner[_inside(pixels[owner], texel)]]].ravel()] = False
    return empty


def _inside(corners: FloatArray, points: np.ndarray) -> BoolArray:
    """Say for every row whether the triangle (n, 3, 2) holds the point (n, 2), rim included."""
    inside = np.ones(len(corners), bool)
    for k in range(3):
        start, end = corners[:, k], corners[:, (k + 1) % 3]
        step, reach = end - start, points - start
        inside &= step[:, 0] * reach[:, 1] - step[:, 1] * reach[:, 0] >= 0
    return inside


def _polygon_area(points: FloatArray) -> float:
    """Return the signed area of a closed polygon."""
    following = np.roll(points, -1, axis=0)
    cross = points[:, 0] * following[:, 1] - points[:, 1] * following[:, 0]
    return 0.5 * float(cross.sum())
