"""What the template alone brings to a registration: bending operator, features, visibility."""

import numpy as np
from scipy import sparse
from scipy.sparse.linalg import splu
from scipy.spatial import KDTree

from geomface.arrays import BoolArray, FloatArray, IndexArray
from geomface.mesh.closest import ClosestPointIndex
from geomface.mesh.laplacian import cotangent_laplacian, lumped_mass
from geomface.mesh.normals import vertex_normals
from geomface.mesh.topology import boundary_cycles, unique_edges

# Feature sizes in mm: normals are compared over this diffusion length, and a curvature of this
# radius counts half as a feature.
_DIFFUSION_MM = 1.5
_FEATURE_RADIUS_MM = 12.0
_RELIEF_MM = 8.0
# An opening whose area is a smaller share of its squared circumference (a circle: 0.08) is shut.
_SHUT = 0.01


class BendingOperator:
    """The bending energy d^T K d = integral of s |Laplacian d|^2 over the template.

    K = L^T diag(s / m) L with the cotangent Laplacian L, vertex areas m and a stiffness factor s
    per vertex. It acts on the total displacement from rest, over the mesh connectivity: upper and
    lower lip are far apart although they nearly touch.

    Parameters
    ----------
    vertices : (V, 3) float64, mm
    faces : (F, 3) int64

    Source
    ------
    Thin-plate energy, mixed finite elements (Botsch and Kobbelt 2004); lumped mass.
    """

    def __init__(self, vertices: FloatArray, faces: IndexArray) -> None:
        self.laplacian = cotangent_laplacian(vertices, faces)
        mass = lumped_mass(vertices, faces)
        # A floor keeps slivers from ruining the conditioning.
        self.mass = np.maximum(mass, 0.02 * np.median(mass))

    def matrix(self, stiffness: FloatArray | float = 1.0) -> sparse.csc_array:
        """Return K, (V, V), for a stiffness factor per vertex (V,) or one for all."""
        weights = np.broadcast_to(stiffness, self.mass.shape) / self.mass
        scaled = sparse.diags_array(weights) @ self.laplacian
        return (self.laplacian.T @ scaled).tocsc()


class Relief:
    """The height of a surface over itself, smoothed: noses, lips and sockets of the eyes.

    h_v = n_v . (x_v - y_v),   (M + l^2 L) y = M x

    Parameters
    ----------
    laplacian : (V, V) cotangent Laplacian at rest, positive semi-definite
    mass : (V,) vertex areas, mm^2
    """

    def __init__(self, laplacian: sparse.csc_array, mass: FloatArray) -> None:
        self.mass = mass
        smooth = sparse.diags_array(mass) + _RELIEF_MM**2 * laplacian
        self._factor = splu(smooth.tocsc())

    def __call__(self, vertices: FloatArray, normals: FloatArray) -> FloatArray:
        """Return the (V,) heights."""
        smooth = self._factor.solve(self.mass[:, None] * vertices)
        return np.einsum("vc,vc->v", vertices - smooth, normals)


def feature_strength(vertices: FloatArray, faces: IndexArray) -> FloatArray:
    """Return (V,) in [0, 1]: how well a vertex can be told from its tangential neighbours.

    c^2 / (c^2 + c0^2) with c the normal variation per mm, averaged over a few mm: near 1 on lids,
    lips, nostrils and the ridge of the nose, near 0 on cheek and forehead.
    """
    normals = vertex_normals(vertices, faces, weighting="area")
    edges = unique_edges(faces)
    i, j = edges.T
    lengths = np.maximum(np.linalg.norm(vertices[i] - vertices[j], axis=1), 1e-9)
    bend = (np.linalg.norm(normals[i] - normals[j], axis=1) / lengths) ** 2
    count = len(vertices)
    total = np.bincount(edges.ravel(), np.repeat(bend, 2), minlength=count)
    degree = np.maximum(np.bincount(edges.ravel(), minlength=count), 1)
    curvature = np.sqrt(total / degree)
    mass = lumped_mass(vertices, faces)
    diffusion = sparse.diags_array(
        np.maximum(mass, 1e-12)
    ) + _DIFFUSION_MM**2 * cotangent_laplacian(vertices, faces)
    curvature = splu(diffusion.tocsc()).solve(mass * curvature)
    squared = np.maximum(curvature, 0.0) ** 2
    return squared / (squared + _FEATURE_RADIUS_MM**-2)


def exposure(
    vertices: FloatArray, faces: IndexArray, normals: FloatArray, which: IndexArray | None = None
) -> IndexArray:
    """Count from how many of fifteen frontal directions each vertex can be seen.

    Nostrils, the inside of the lips and the folds of the lids have no counterpart on a scan;
    matching them anyway pulls them out. A vertex counts as visible from a direction when its
    normal faces it and no triangle is in the way.

    Parameters
    ----------
    vertices : (V, 3) float64, mm, face looking along +z
    which : (n,) int64 vertices to test, default all

    Returns
    -------
    (n,) int64 in 0..15
    """
    which = np.arange(len(vertices)) if which is None else which
    surface = ClosestPointIndex((vertices, faces))
    seen = np.zeros(len(which), np.int64)
    for yaw in np.radians([-60.0, -30.0, 0.0, 30.0, 60.0]):
        for pitch in np.radians([-30.0, 0.0, 30.0]):
            direction = np.array(
                [np.sin(yaw) * np.cos(pitch), np.sin(pitch), np.cos(yaw) * np.cos(pitch)]
            )
            facing = np.flatnonzero(normals[which] @ direction > 0.1)
            # Start a little outside, or the ray hits the triangle that it starts from.
            origins = vertices[which[facing]] + 0.05 * normals[which[facing]] + 0.02 * direction
            hits, _ = surface.first_hit(origins, np.tile(direction, (len(facing), 1)))
            seen[facing] += hits < 0
    return seen


def inner_rims(vertices: FloatArray, faces: IndexArray) -> list[IndexArray]:
    """Return the rims of lips and lids: the boundary cycles of openings that look forward.

    The outer rim of a mask encloses the surface, not an opening, and the neck of a head opens
    downwards. An opening that is all but shut looks nowhere: it counts.
    """
    rims = []
    for loop in boundary_cycles(faces):
        start, end = vertices[loop], vertices[np.roll(loop, -1)]
        # The surface lies to the left of a rim, so an opening is run round clockwise.
        opening = -0.5 * np.cross(start, end).sum(axis=0)
        area = float(np.linalg.norm(opening))
        length = float(np.linalg.norm(end - start, axis=1).sum())
        if opening[2] > 0.5 * area or area < _SHUT * length**2:
            rims.append(loop)
    return rims


def near_rims(vertices: FloatArray, rims: list[IndexArray], width: float) -> BoolArray:
    """Return the (V,) mask of lips and lids: within `width` of any of the rims."""
    near = np.concatenate([np.zeros(0, np.int64), *rims])
    if len(near) == 0:
        return np.zeros(len(vertices), bool)
    distances, _ = KDTree(vertices[near]).query(vertices)
    return distances <= width
