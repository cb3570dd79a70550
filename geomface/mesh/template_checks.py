"""Can a mesh be a template? What its faces tell, a sentence for each thing looked at."""

import dataclasses

import numpy as np

from geomface.errors import MeshError
from geomface.mesh.diagnose import first_at_same_place
from geomface.mesh.mesh import Mesh
from geomface.mesh.normals import face_areas
from geomface.mesh.topology import (
    boundary_loops,
    connected_components,
    edge_counts,
    loop_length,
)
from geomface.mesh.winding import winding_parts

# Triangles thinner than this share of the mean area have none.
_FLAT = 1e-9


@dataclasses.dataclass(frozen=True)
class TemplateCheck:
    """One thing that was looked at.

    Parameters
    ----------
    name : what, such as "one part"
    passed : False keeps the mesh from being a template
    sentence : what was found; what to do about it, unless it passed
    """

    name: str
    passed: bool
    sentence: str


def check_topology(mesh: Mesh) -> tuple[TemplateCheck, ...]:
    """Look at everything that the faces of a template have to be.

    Parameters
    ----------
    mesh : any mesh, in any unit

    Returns
    -------
    Checks named "vertices", "triangles", "edges", "one part", "orientation" and "rims".
    """
    return (
        _vertices(mesh),
        _triangles(mesh),
        _edges(mesh),
        _parts(mesh),
        _orientation(mesh),
        _rims(mesh),
    )


def require_passed(name: str, checks: tuple[TemplateCheck, ...]) -> None:
    """Refuse a mesh with all that is wrong with it in one message.

    Raises
    ------
    MeshError : a check has not passed.
    """
    wrong = [check.sentence for check in checks if not check.passed]
    if wrong:
        raise MeshError(f"{name} cannot be a template yet: {' '.join(wrong)}")


def largest_part(mesh: Mesh) -> np.ndarray:
    """Return the vertices (n,) int64 of the connected part with most triangles, ascending."""
    _, labels = connected_components(mesh.faces, len(mesh.vertices))
    triangles = np.bincount(labels[mesh.faces[:, 0]])
    return np.flatnonzero(labels == int(triangles.argmax()))


def _vertices(mesh: Mesh) -> TemplateCheck:
    used = np.zeros(len(mesh.vertices), bool)
    used[mesh.faces] = True
    loose = int((~used).sum())
    if loose:
        return TemplateCheck(
            "vertices",
            False,
            f"{_count(loose, 'vertex', 'vertices')} in no triangle (first: {int(used.argmin())}): "
            "delete loose vertices, or give --largest-part.",
        )
    return TemplateCheck("vertices", True, f"{len(used):,} vertices, every one in a triangle.")


def _triangles(mesh: Mesh) -> TemplateCheck:
    areas = face_areas(mesh.vertices, mesh.faces)
    flat = int((areas <= _FLAT * areas.mean()).sum())
    if flat:
        return TemplateCheck(
            "triangles",
            False,
            f"{_count(flat, 'triangle', 'triangles')} without area (first: "
            f"{int(areas.argmin())}): dissolve them in the modelling program.",
        )
    what = "triangles" if mesh.quads is None else "triangles of quads"
    return TemplateCheck("triangles", True, f"{len(areas):,} {what}, every one with an area.")


def _edges(mesh: Mesh) -> TemplateCheck:
    edges, counts = edge_counts(mesh.faces)
    wrong = edges[counts > 2]
    if len(wrong):
        return TemplateCheck(
            "edges",
            False,
            f"{_count(len(wrong), 'edge', 'edges')} with more than two triangles (first: vertices "
            f"{wrong[0, 0]} and {wrong[0, 1]}): make the mesh manifold.",
        )
    return TemplateCheck("edges", True, "Every edge has one triangle or two: manifold.")


def _parts(mesh: Mesh) -> TemplateCheck:
    _, labels = connected_components(mesh.faces, len(mesh.vertices))
    sizes = np.bincount(labels[np.unique(mesh.faces)])
    sizes = np.sort(sizes[sizes > 0])[::-1]
    if len(sizes) == 1:
        return TemplateCheck("one part", True, "One connected surface.")
    twice = int((first_at_same_place(mesh.vertices) != np.arange(len(mesh.vertices))).sum())
    seams = (
        f" {twice:,} vertices lie at the place of another, as when a program splits a mesh at its "
        "seams: merge them first."
        if twice
        else ""
    )
    named = ", ".join(f"{size:,}" for size in sizes[:4]) + (", ..." if len(sizes) > 4 else "")
    return TemplateCheck(
        "one part",
        False,
        f"{len(sizes)} separate parts (of {named} vertices), expected one: take out eyeballs, "
        f"teeth and hair, or give --largest-part.{seams}",
    )


def _orientation(mesh: Mesh) -> TemplateCheck:
    _, turn = winding_parts(mesh.faces)
    if turn.any():
        return TemplateCheck(
            "orientation",
            False,
            f"{_count(int(turn.sum()), 'triangle', 'triangles')} wound against the others (first: "
            f"{int(turn.argmax())}): make the orientation coherent (MeshLab: Re-Orient all faces "
            "coherently; Blender: Recalculate Normals).",
        )
    return TemplateCheck("orientation", True, "All triangles are wound alike.")


def _rims(mesh: Mesh) -> TemplateCheck:
    try:
        loops = boundary_loops(mesh.faces)
    except MeshError as error:
        return TemplateCheck("rims", False, f"Its rims are no simple loops: {error}")
    if not loops:
        return TemplateCheck(
            "rims",
            False,
            "A closed surface without a rim: cut the face out of the head (the neck will do), "
            "since a map to the square needs an outline.",
        )
    edges, _ = edge_counts(mesh.faces)
    used = len(np.unique(mesh.faces))
    euler = used - len(edges) + len(mesh.faces)
    parts, _ = connected_components(mesh.faces, len(mesh.vertices))
    if parts == 1 and euler != 2 - len(loops):
        return TemplateCheck(
            "rims",
            False,
            f"A surface with handles (Euler characteristic {euler}, {len(loops)} rims): close "
            "them, such as the tunnel behind an ear ring.",
        )
    lengths = sorted((loop_length(mesh.vertices, loop) for loop in loops), reverse=True)
    sizes = ", ".join(f"{length:.4g}" for length in lengths[:5])
    more = ", ..." if len(lengths) > 5 else ""
    return TemplateCheck(
        "rims",
        True,
        f"{_count(len(loops), 'rim', 'rims')} ({sizes}{more} units long): the outline"
        + (f" and {_count(len(loops) - 1, 'opening', 'openings')}." if len(loops) > 1 else "."),
    )


def _count(number: int, one: str, many: str) -> str:
    return f"{number:,} {one if number == 1 else many}"
