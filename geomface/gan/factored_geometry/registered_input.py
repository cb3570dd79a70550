"""What is handed to a trained model: registered faces, brought to millimetres, or refused."""

import logging
from collections.abc import Sequence

import numpy as np

from geomface.arrays import BoolArray, FloatArray, require_finite, require_shape
from geomface.errors import MeshError, SettingsError, TopologyMismatchError
from geomface.mesh.mesh import Mesh, UnitSource, require_same_topology
from geomface.mesh.units import registered_unit

Faces = Mesh | Sequence[Mesh] | np.ndarray
"""Registered faces: meshes with a unit of their own, or vertices (V, 3) or (N, V, 3)."""
_EXPECTED = "expected meshes, or one numpy array (V, 3) or (N, V, 3)"
log = logging.getLogger("geomface")
_FARTHEST = 0.15
# The size is that of the vertices: those that are seen need no faces.
_ANY_FACE = np.array([[0, 1, 2]])
FEWEST_VISIBLE = 3
"""Vertices of a face; fewer say nothing of its size."""


def registered_vertices(
    faces: Faces, template: Mesh, visible: np.ndarray | None = None
) -> tuple[FloatArray, BoolArray, tuple[str, ...]]:
    """Return the vertices of registered faces in the frame of a template, and which of them count.

    Another unit than the millimetre is converted; where the size contradicts a unit that nobody
    said, the size decides, and this is logged (see `registered_unit`). Vertices that are not
    visible may hold anything, and come back as those of the template.

    Parameters
    ----------
    faces : see `Faces`
    template : mm, whose topology and pose the faces share
    visible : (N, V) or (V,) bool, None for all

    Returns
    -------
    (N, V, 3) float64 mm, (N, V) bool, N names

    Raises
    ------
    TopologyMismatchError : another topology, or another number of vertices
    MeshError : no face, something else than faces, NaN or infinity, fewer than 3 visible vertices,
        no unit that makes it a face, or another pose
    SettingsError : `visible` is not bool
    """
    if isinstance(faces, np.ndarray):
        stack = faces[None] if faces.ndim == 2 else faces
        wanted = (None, len(template.vertices), 3)
        stack = require_shape(stack, wanted, "faces", TopologyMismatchError)
        if stack.dtype.kind not in "fiu":
            raise MeshError(f"faces: expected numbers, got an array of {stack.dtype}.")
        stack = stack.astype(np.float64)
        names = tuple(f"face {i}" for i in range(len(stack)))
        units: list[tuple[str, UnitSource | None]] = [("mm", "assumed")] * len(stack)
    else:
        meshes = [faces] if isinstance(faces, Mesh) else faces
        if not isinstance(meshes, Sequence):
            raise MeshError(f"faces: {_EXPECTED}, got a {type(faces).__name__}.")
        for mesh in meshes:
            if not isinstance(mesh, Mesh):
                kinds = f"a {type(faces).__name__} with a {type(mesh).__name__} in it"
                raise MeshError(f"faces: {_EXPECTED}, got {kinds}.")
            require_same_topology(mesh, template)
        names = tuple(mesh.name for mesh in meshes)
        units = [(mesh.unit, mesh.unit_source) for mesh in meshes]
        stack = np.array([mesh.vertices for mesh in meshes], np.float64)
    if not len(stack):
        raise MeshError("expected registered faces, got none.")
    seen = visible_vertices(visible, *stack.shape[:2])
    for vertices, shown, name, (unit, who) in zip(stack, seen, names, units, strict=True):
        require_finite(vertices[shown], name)
        part = Mesh(vertices[shown], _ANY_FACE, unit=unit, name=name, unit_source=who)
        found = registered_unit(part, template.vertices[shown])
        for note in found.notes:
            log.warning("%s", note)
        if found.factor != 1.0 and not found.notes:
            log.warning("%s: converted to millimetres (times %g).", name, found.factor)
        vertices[shown] *= found.factor
        vertices[~shown] = template.vertices[~shown]
        _require_pose(vertices[shown], template.vertices[shown], template.diagonal, name)
    return stack, seen, names


def visible_vertices(visible: np.ndarray | None, faces: int, vertices: int) -> BoolArray:
    """Return which vertices count, (N, V) bool, from (N, V), (V,) or None for all.

    Raises
    ------
    MeshError : another shape, or a face of which fewer than 3 vertices are seen
    SettingsError : not bool
    """
    if visible is None:
        return np.ones((faces, vertices), bool)
    visible = np.asarray(visible)
    if visible.dtype != bool:
        raise SettingsError(
            f"visible: expected bool, True where a vertex is seen, got {visible.dtype}."
        )
    if visible.ndim == 1:
        visible = visible[None].repeat(faces, axis=0)
    visible = require_shape(visible, (faces, vertices), "visible vertices")
    counts = visible.sum(axis=1)
    blind = np.flatnonzero(counts < FEWEST_VISIBLE)
    if len(blind):
        raise MeshError(
            f"visible vertices: expected at least {FEWEST_VISIBLE} that are seen, got "
            f"{counts[blind[0]]} of face {blind[0]} ({len(blind)} of {faces} faces are such). "
            "Leave these out."
        )
    return visible


def _require_pose(points: FloatArray, reference: FloatArray, diagonal: float, name: str) -> None:
    """Refuse a face that is turned or shifted: people and expressions move vertices far less."""
    distance = float(np.linalg.norm(points - reference, axis=1).mean())
    if distance > _FARTHEST * diagonal:
        raise MeshError(
            f"{name}: lies {distance:.0f} mm from the mean face of the template on average, so it "
            "is in another pose or mirrored. Align it to the template first "
            "(--align, or align_meshes)."
        )
