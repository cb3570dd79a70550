"""Unwrap a template: one uv per vertex on the unit square, no triangle flipped."""

import dataclasses
import time

import numpy as np

from geomface.arrays import FloatArray, IndexArray, require_kind
from geomface.errors import ParametrizationError
from geomface.mesh.mesh import Mesh
from geomface.mesh.mirror import mirror_map
from geomface.mesh.template import Template
from geomface.mesh.topology import require_disk_with_holes
from geomface.parametrization.area import area_target, region_vertices, starting_densities
from geomface.parametrization.boundary import BoundaryPlacement, place_boundary
from geomface.parametrization.checks import FoldedMapError, require_embedding
from geomface.parametrization.distortion import DistortionReport, measure_distortion
from geomface.parametrization.graph import EmbeddingGraph, build_graph
from geomface.parametrization.reweighting import shape_map
from geomface.parametrization.settings import UnwrapSettings
from geomface.parametrization.solve import TutteSolver
from geomface.parametrization.weights import (
    chord_length_weights,
    cotangent_weights,
    mean_value_weights,
    normalised_length_weights,
    shape_preserving_weights,
    symmetrised,
    uniform_weights,
)


@dataclasses.dataclass(frozen=True, eq=False)
class UnwrapResult:
    """A template on the unit square.

    Parameters
    ----------
    mesh : the template with `uv` (one per vertex, in vertex order) and `uv_faces` equal to
        `faces`
    uv : (V, 2) float64
    boundary : where the outer boundary lies
    report : distortion, shares, settings, time, notes
    """

    mesh: Mesh
    uv: FloatArray
    boundary: BoundaryPlacement
    report: DistortionReport


def unwrap(template: Template, *, settings: UnwrapSettings | None = None) -> UnwrapResult:
    """Map a template to the unit square, without flips and mirror-symmetric.

    sum_j w_ij (u_i - u_j) = 0 for inner vertices, the outer boundary on the square. The default
    solves once with w = 1, once with w = l_uniform / (s l_3D), and once more after dividing
    the weights by the local stretch.

    Parameters
    ----------
    template : mesh (a disk with holes, any unit), landmarks for the chin, regions for the shares
    settings : see `UnwrapSettings`

    Returns
    -------
    UnwrapResult. A fallback that was taken is named in `report.notes`.

    Raises
    ------
    MeshError : unused vertices, several components, no boundary, a handle.
    SettingsError : a region that the template does not have.
    ParametrizationError : a boundary that cannot go to a square, shares that cannot be met, or a
        map that flips triangles (only possible with cotangent weights or a broken template).

    Convention
    ----------
    uv in [0, 1], origin bottom-left; chin at the bottom centre, u grows to the subject's left
    (+x), which the viewer sees on the right.

    Source
    ------
    Tutte 1963, Floater 1997; weights and boundary of Shamai, Slossberg and Kimmel 2019, section
    5.3. Departures: holes are closed by a fan, only the quads' edges carry weights where there
    are quads, re-weighting by stretch follows, and dense parts get more room (`detail`).

    Example
    -------
    >>> import geomface as gf
    >>> flat = gf.unwrap(gf.load_builtin_face().template)
    >>> flat.report.flips, flat.mesh.uv.shape[1]
    (0, 2)
    """
    require_kind(template, Template, "unwrap", where="`.template`")
    started = time.perf_counter()
    settings = UnwrapSettings() if settings is None else settings
    mesh = template.mesh
    loops = require_disk_with_holes(mesh)
    mirror, notes = _mirror(mesh, loops[0], settings)
    boundary = place_boundary(template, loops[0], mirror)
    notes.extend(boundary.notes)
    uv, solves, remark = _first_valid(template, loops, boundary, mirror, settings)
    notes.extend(remark)
    if mesh.texture is not None:
        notes.append("The texture belonged to the old uv and was dropped.")
    report = measure_distortion(
        mesh.vertices,
        mesh.faces,
        uv,
        regions={
            **template.regions,
            **{name: region_vertices(template, name) for name in settings.shares},
        },
        mirror=mirror,
        holes=loops[1:],
        image_size=settings.image_size,
    )
    report = dataclasses.replace(
        report,
        solves=solves,
        settings=_resolved(settings),
        notes=tuple(notes),
        seconds=time.perf_counter() - started,
    )
    unwrapped = mesh.replace(uv=uv, uv_faces=mesh.faces, texture=None)
    return UnwrapResult(unwrapped, uv, boundary, report)


def _mirror(
    mesh: Mesh, outer: IndexArray, settings: UnwrapSettings
) -> tuple[IndexArray | None, list[str]]:
    """Return the mirror twins when the map can be symmetric, else why it cannot."""
    if not settings.symmetric:
        return None, []
    mirror = mirror_map(mesh)
    if mirror is None or not np.isin(mirror[outer], outer).all():
        return None, ["The template has no mirror symmetry, so the map has none."]
    return mirror, []


def _first_valid(
    template: Template,
    loops: list[IndexArray],
    boundary: BoundaryPlacement,
    mirror: IndexArray | None,
    settings: UnwrapSettings,
) -> tuple[FloatArray, int, list[str]]:
    """Try the quads' graph, the triangles', and the triangles' without symmetry, in this order.

    Returns the (V, 2) map, its number of solves, and a sentence for every graph that failed.
    """
    mesh = template.mesh
    has_quads = mesh.quads is not None and 2 * len(mesh.quads) == len(mesh.faces)
    if settings.graph == "quads" and not has_quads:
        raise ParametrizationError(
            f"{mesh.name}: graph=quads expects a template made of quads only, this one has "
            "triangles. Use graph=auto."
        )
    attempts = []
    if has_quads and settings.graph != "triangles" and settings.weights != "cotangent":
        attempts.append((True, mirror, "The quads' edges alone do not carry the map."))
    if settings.graph != "quads":
        attempts.append((False, mirror, "No symmetric graph carries the map; it is not symmetric."))
        if mirror is not None:
            attempts.append((False, None, ""))
    remarks = []
    for quads, twins, remark in attempts[:-1]:
        try:
            return *_embed(template, loops, boundary, twins, settings, quads), remarks
        except FoldedMapError:
            remarks.append(remark)
    quads, twins, _ = attempts[-1]
    try:
        return *_embed(template, loops, boundary, twins, settings, quads), remarks
    except FoldedMapError as folded:
        raise ParametrizationError(f"{mesh.name}: {folded}") from folded


def _embed(
    template: Template,
    loops: list[IndexArray],
    boundary: BoundaryPlacement,
    mirror: IndexArray | None,
    settings: UnwrapSettings,
    quads: bool,
) -> tuple[FloatArray, int]:
    """Return the (V, 2) map on one graph, and the number of solves."""
    mesh = template.mesh
    holes = loops[1:] if settings.holes == "fan" else []
    graph = build_graph(mesh, holes, quads=quads, mirror=mirror)
    solver = TutteSolver(graph.edges, len(graph.vertices), boundary.loop, boundary.uv)
    target = area_target(template, graph, settings)
    extra, importance = starting_densities(graph, target)
    weights = _base_weights(graph, solver, mesh, settings, importance)
    if settings.weights == "cotangent":
        uv = solver.solve(symmetrised(weights, graph))
    else:
        uv = shape_map(solver, graph, weights, target, settings, extra).uv
    uv = uv[: len(mesh.vertices)]
    if mirror is not None:
        # Twins agree to rounding; now to the last bit.
        uv = 0.5 * (uv + uv[mirror] * [-1.0, 1.0] + [1.0, 0.0])
        uv[boundary.loop] = boundary.uv
    return uv, solver.solves


def _base_weights(
    graph: EmbeddingGraph,
    solver: TutteSolver,
    mesh: Mesh,
    settings: UnwrapSettings,
    importance: FloatArray,
) -> FloatArray:
    scheme = settings.weights
    if scheme == "normalised_length":
        uniform = solver.solve(uniform_weights(graph))
        require_embedding(uniform, mesh.faces)
        return normalised_length_weights(graph, uniform, importance)
    if scheme == "uniform":
        return uniform_weights(graph)
    if scheme == "chord_length":
        return chord_length_weights(graph)
    if scheme == "mean_value":
        return mean_value_weights(graph)
    if scheme == "shape_preserving":
        return shape_preserving_weights(graph)
    return cotangent_weights(graph)


def _resolved(settings: UnwrapSettings) -> dict[str, object]:
    record = {field.name: getattr(settings, field.name) for field in dataclasses.fields(settings)}
    record["stretch_steps"] = settings.steps
    record["importance"] = dict(settings.importance)
    record["shares"] = dict(settings.shares)
    return record


__all__ = ["UnwrapResult", "UnwrapSettings", "unwrap"]
