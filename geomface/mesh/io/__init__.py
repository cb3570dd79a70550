"""Files of meshes in and out: meshes, landmarks, templates.

Vertex and face count and order never change; nothing is merged, dropped or cleaned.
"""

from pathlib import Path

import numpy as np

from geomface.arrays import require_kind, require_type
from geomface.errors import FileFormatError, OutputError
from geomface.files.reading import reading
from geomface.mesh.io.glb import read_glb, write_glb
from geomface.mesh.io.landmark_files import load_landmarks, save_landmarks
from geomface.mesh.io.materials import TextureChoice
from geomface.mesh.io.obj import read_obj, write_obj
from geomface.mesh.io.off import read_off, write_off
from geomface.mesh.io.ply import read_ply, write_ply
from geomface.mesh.io.stl import read_stl, write_stl
from geomface.mesh.io.templates import (
    load_embedding,
    load_regions,
    load_template,
    save_embedding,
    save_regions,
    save_template,
)
from geomface.mesh.mesh import Mesh
from geomface.mesh.units import canonical_unit

_READERS = {
    ".obj": read_obj,
    ".ply": read_ply,
    ".glb": read_glb,
    ".stl": read_stl,
    ".off": read_off,
}
_WRITERS = {
    ".obj": write_obj,
    ".ply": write_ply,
    ".glb": write_glb,
    ".stl": write_stl,
    ".off": write_off,
}

MESH_SUFFIXES = tuple(_READERS)
"""Suffixes that `load_mesh` and `save_mesh` know."""


def load_mesh(
    path: str | Path, *, unit: str | float | None = None, texture: TextureChoice = True
) -> Mesh:
    """Read a mesh; the suffix says the format: .obj, .ply, .glb, .stl or .off.

    Parameters
    ----------
    path : the file
    unit : what its numbers are in (um, mm, cm, inch, m, or the millimetres in one as a number); by
        default what the file says, else mm is assumed. Numbers are never scaled here.
    texture : False leaves a texture image out; a path is a further folder to look for it: files
        name pictures in their own folder only

    Returns
    -------
    Mesh named after the file, vertices, faces (or quads) and uv as the file counts and orders them

    Raises
    ------
    FileFormatError : missing, empty, truncated or not of its format; unknown suffix or unit;
        texture unreadable (one that is missing is a note)
    OutOfMemoryError : it does not fit into memory
    MeshError : no faces, indices out of range, NaN or infinity

    Example
    -------
    >>> import geomface as gf
    >>> gf.save_mesh("face.ply", gf.load_builtin_face().mesh)
    >>> gf.load_mesh("face.ply").topology_id == gf.load_builtin_face().mesh.topology_id
    True
    """
    names = "A file of a mesh has a name: 'face.ply', or a Path."
    require_type(path, (str, Path), "load_mesh", way_out=names, error=FileFormatError)
    reader = _READERS.get(Path(path).suffix.lower())
    if reader is None:
        raise FileFormatError(f"{path}: expected a mesh named {_suffixes()}; rename or convert it.")
    if unit is not None:
        unit = canonical_unit(unit, f"{path}: unit", FileFormatError)
    # Numbers beyond reason overflow without a warning; Mesh refuses what is not finite.
    with reading(path, "a mesh"), np.errstate(all="ignore"):
        mesh = reader(path, unit=unit, texture=texture)
    # What a reader hands on as said was said by the file.
    from_file = unit is None and mesh.unit_source == "said"
    return mesh.replace(unit_source="file") if from_file else mesh


def save_mesh(path: str | Path, mesh: Mesh, *, precise: bool = False) -> None:
    """Write a mesh, whole or not at all; the suffix says the format: .obj, .ply, .glb, .stl, .off.

    Parameters
    ----------
    path : the file, in a folder that exists
    mesh : the mesh; OBJ, PLY and GLB keep all of it, OFF no uv, STL only the triangles
    precise : colours and texture beyond 8 bits, where the format can

    Raises
    ------
    OutputError : unknown suffix, or a place that cannot be written
    MeshError : a uv seam along the diagonal of a quad

    Example
    -------
    >>> import geomface as gf
    >>> mesh = gf.load_builtin_face().mesh
    >>> for name in ("face.obj", "face.ply", "face.glb", "face.stl", "face.off"):
    ...     gf.save_mesh(name, mesh)
    >>> len(gf.load_mesh("face.glb").vertices) == len(mesh.vertices)
    True
    """
    writer = _WRITERS.get(Path(path).suffix.lower())
    if writer is None:
        raise OutputError(f"{path}: expected a mesh name ending in {_suffixes()}.")
    require_kind(mesh, Mesh, "save_mesh", where="`.mesh`")
    writer(path, mesh, precise=precise)


def _suffixes() -> str:
    *most, last = MESH_SUFFIXES
    return f"{', '.join(most)} or {last}"


__all__ = [
    "MESH_SUFFIXES",
    "load_embedding",
    "load_landmarks",
    "load_mesh",
    "load_regions",
    "load_template",
    "read_glb",
    "read_obj",
    "read_off",
    "read_ply",
    "read_stl",
    "save_embedding",
    "save_landmarks",
    "save_mesh",
    "save_regions",
    "save_template",
    "write_glb",
    "write_obj",
    "write_off",
    "write_ply",
    "write_stl",
]
