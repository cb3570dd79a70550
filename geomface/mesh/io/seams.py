"""One index for position and uv: vertices split where the uv have a seam."""

import dataclasses

import numpy as np

from geomface.arrays import FloatArray, IndexArray
from geomface.mesh.io.polygons import first_unique, polygons_of
from geomface.mesh.mesh import Mesh


@dataclasses.dataclass(frozen=True, eq=False)
class SplitVertices:
    """The vertices that a program needs which has one index for position and uv.

    Parameters
    ----------
    origin : (G,) the mesh vertex of each; the first V are all vertices in order
    uv : (G, 2), 0 where a vertex has none; None for a mesh without
    polygons : (P, 3 or 4) of them
    """

    origin: IndexArray
    uv: FloatArray | None
    polygons: IndexArray


def split_vertices(
    mesh: Mesh, polygons: IndexArray | None = None, uv_polygons: IndexArray | None = None
) -> SplitVertices:
    """Split the vertices of a mesh at its uv seams.

    The first uv of a vertex, in the order of the polygons, keeps the vertex's place; for each
    further one a vertex follows behind the V that there are.

    Parameters
    ----------
    mesh : any mesh
    polygons, uv_polygons : (P, 3 or 4) what to split, and its uv indices; default the triangles
    """
    if polygons is None:
        polygons, uv_polygons = mesh.faces, mesh.uv_faces
    everyone = np.arange(len(mesh.vertices))
    if mesh.uv is None or uv_polygons is None:
        return SplitVertices(everyone, None, polygons)
    corners, uv_corners = polygons.ravel(), uv_polygons.ravel()
    firsts, numbers = first_unique(uv_corners, corners)
    vertex = corners[firsts]
    _, keeps = np.unique(vertex, return_index=True)
    further = np.ones(len(firsts), bool)
    further[keeps] = False
    place = vertex.copy()
    place[further] = len(everyone) + np.arange(further.sum())
    origin = np.concatenate([everyone, vertex[further]])
    uv = np.zeros((len(origin), 2))
    uv[place] = mesh.uv[uv_corners[firsts]]
    return SplitVertices(origin, uv, place[numbers].reshape(polygons.shape))


def without_seams(mesh: Mesh) -> Mesh:
    """Return the mesh with one uv a vertex: those at seams are doubled, behind the V others.

    The mesh itself where it has no uv. Quads stay quads; one is then split along the diagonal that
    its new numbers give.

    Raises
    ------
    MeshError : a uv seam along the diagonal of a quad
    """
    if mesh.uv is None:
        return mesh
    polygons, uv_polygons = polygons_of(mesh)
    split = split_vertices(mesh, polygons, uv_polygons)
    vertices = mesh.vertices[split.origin]
    if split.polygons.shape[1] == 4:
        bare = Mesh(vertices, quads=split.polygons, name=mesh.name)
    else:
        bare = Mesh(vertices, split.polygons, name=mesh.name)
    return dataclasses.replace(
        bare,
        colors=None if mesh.colors is None else mesh.colors[split.origin],
        uv=split.uv,
        uv_faces=bare.faces,
        texture=mesh.texture,
        painted=mesh.painted,
        unit=mesh.unit,
        unit_source=mesh.unit_source,
    )
