"""Area control: how much of the square each part of the surface should get."""

import dataclasses

import numpy as np
from scipy import sparse

from geomface.arrays import BoolArray, FloatArray, IndexArray
from geomface.errors import ParametrizationError, SettingsError
from geomface.mesh.template import Template
from geomface.parametrization.distortion import faces_inside
from geomface.parametrization.graph import EmbeddingGraph
from geomface.parametrization.settings import UnwrapSettings

HOLE_DENSITY = 0.3
"""A hole gets this part of the area that its surroundings would give it."""
# Rounds of neighbour averaging of the mesh density, and of a region's edge (outside only).
_DENSITY_ROUNDS = 8
_EDGE_ROUNDS = 5


@dataclasses.dataclass(frozen=True, eq=False)
class AreaTarget:
    """How much area each part of the surface should get.

    Parameters
    ----------
    log_density : (V,) float64, log of uv area per surface area wished for, up to a constant
    names : R names of the regions with a prescribed share
    shares : (R,) float64 parts of the square
    faces : (R, F) bool, the triangles of each region
    fields : (R, V) float64 in 0 .. 1, the region with a soft outer edge
    """

    log_density: FloatArray
    names: tuple[str, ...]
    shares: FloatArray
    faces: BoolArray
    fields: FloatArray


def area_target(template: Template, graph: EmbeddingGraph, settings: UnwrapSettings) -> AreaTarget:
    """Resolve detail, importance and shares to densities on the vertices.

    Raises
    ------
    SettingsError : a region that the template does not have.
    ParametrizationError : a region without a triangle, or one that is the whole surface.
    """
    count, faces = graph.vertex_count, template.mesh.faces
    average = _neighbour_average(graph)
    log_density = _mesh_density(graph, average, settings.detail)
    for name, factor in settings.importance.items():
        field = np.zeros(count)
        field[region_vertices(template, name)] = 1.0
        # s scales lengths, so areas go with its square.
        log_density = log_density + 2.0 * np.log(factor) * _soft_edge(field, average)
    fields, inside = [], []
    for name in settings.shares:
        members = region_vertices(template, name)
        triangles = faces_inside(faces, members, count)
        if not triangles.any() or triangles.all():
            held = "no triangle" if not triangles.any() else "every triangle"
            raise ParametrizationError(
                f"region {name!r} of {template.mesh.name} holds {held} (a triangle belongs to a "
                "region with all three vertices); expected a part of the surface to give a share "
                "to. Correct the region."
            )
        field = np.zeros(count)
        field[members] = 1.0
        fields.append(_soft_edge(field, average))
        inside.append(triangles)
    return AreaTarget(
        log_density=log_density,
        names=tuple(settings.shares),
        shares=np.array(list(settings.shares.values())),
        faces=np.array(inside, bool).reshape(len(inside), len(faces)),
        fields=np.array(fields).reshape(len(fields), count),
    )


def region_vertices(template: Template, name: str) -> IndexArray:
    """Return the vertices of a region, or of several joined by +.

    Raises
    ------
    SettingsError : the template has no such region.
    """
    missing = [part for part in name.split("+") if part not in template.regions]
    if missing:
        known = ", ".join(sorted(template.regions)) or "none"
        raise SettingsError(
            f"region {missing[0]!r} is not one of the regions of {template.mesh.name} ({known}). "
            "Name it in the template's region file, or ask for one that is there."
        )
    return np.unique(np.concatenate([template.regions[part] for part in name.split("+")]))


def starting_densities(graph: EmbeddingGraph, target: AreaTarget) -> tuple[FloatArray, FloatArray]:
    """Return the extra log density of each region (R,) and the importance of every vertex (W,).

    The extra densities would give the shares exactly if areas followed densities; importance is
    the square root of the density, since it scales lengths.
    """
    faces = graph.faces
    area = graph.areas[: len(faces)] * np.exp(target.log_density[faces].mean(axis=1))
    on_faces = target.fields[:, faces].mean(axis=2)
    goal = log_odds(target.shares)
    extra = np.zeros(len(goal))
    for _ in range(12):
        weight = area * np.exp(extra @ on_faces) if len(goal) else area
        expected = (target.faces @ weight) / weight.sum()
        extra = extra + goal - log_odds(expected)
    density = extended(graph, target.log_density + extra @ target.fields, HOLE_DENSITY)
    return extra, np.exp(0.5 * density)


def log_odds(shares: FloatArray) -> FloatArray:
    """Return log(p / (1 - p)), with p kept off 0 and 1."""
    shares = np.clip(shares, 1e-9, 1.0 - 1e-9)
    return np.log(shares / (1.0 - shares))


def extended(graph: EmbeddingGraph, values: FloatArray, density: float = 1.0) -> FloatArray:
    """Extend a vertex field to the hole centres: the rim's mean, plus log(density)."""
    if not len(graph.hole_centers):
        return values
    fans = graph.triangles[graph.face_count :]
    hole = fans[:, 0] - graph.vertex_count
    rim = np.bincount(hole, values[fans[:, 2]]) / np.bincount(hole)
    return np.concatenate([values, rim + np.log(density)])


def _neighbour_average(graph: EmbeddingGraph) -> sparse.csr_array:
    """Return the (V, V) matrix that averages over the neighbours on the template."""
    count = graph.vertex_count
    edges = graph.edges[graph.edges[:, 1] < count]
    both = np.concatenate([edges, edges[:, ::-1]])
    degree = np.maximum(np.bincount(both[:, 0], minlength=count), 1)
    return sparse.csr_array((1.0 / degree[both[:, 0]], (both[:, 0], both[:, 1])), (count, count))


def _mesh_density(graph: EmbeddingGraph, average: sparse.csr_array, detail: float) -> FloatArray:
    """Return -detail * log(mean triangle area around each vertex), smoothed and centred, (V,)."""
    faces = graph.faces
    corners = faces.ravel()
    area = np.repeat(graph.areas[: len(faces)], 3)
    count = graph.vertex_count
    mean = np.bincount(corners, area, minlength=count) / np.bincount(corners, minlength=count)
    log_area = np.log(np.maximum(mean, 1e-6 * mean.mean()))
    for _ in range(_DENSITY_ROUNDS):
        log_area = 0.5 * (log_area + average @ log_area)
    return -detail * (log_area - log_area.mean())


def _soft_edge(field: FloatArray, average: sparse.csr_array) -> FloatArray:
    """Let a 0-1 field fade out over a few rings of vertices outside the region."""
    core = field
    for _ in range(_EDGE_ROUNDS):
        field = np.maximum(core, average @ field)
    return field
