"""The planar graph that is embedded: a template's edges, its holes closed by virtual vertices."""

import dataclasses
from functools import cached_property

import numpy as np

from geomface.arrays import FloatArray, IndexArray
from geomface.mesh.mesh import Mesh
from geomface.mesh.mirror import mirror_vertices
from geomface.mesh.normals import face_areas
from geomface.mesh.topology import unique_edges


@dataclasses.dataclass(frozen=True, eq=False)
class EmbeddingGraph:
    """Vertices, edges and triangles of the surface to embed.

    Parameters
    ----------
    vertices : (W, 3) float64, the template's V vertices and then one for every closed hole; made
        exactly symmetric when `mirror` is given
    edges : (E, 2) int64, the edges that carry weights, smaller index first, ascending
    triangles : (T, 3) int64, the template's F triangles and then the fans of the holes
    polygons : (P, 3 or 4) int64 arrays, the faces of the graph
    mirror : (W,) int64 mirror twins, or None
    twins : (E,) int64 row of every edge's mirror image, or None
    hole_centers : (H,) int64 virtual vertices
    vertex_count, face_count : V and F, what belongs to the template
    """

    vertices: FloatArray
    edges: IndexArray
    triangles: IndexArray
    polygons: tuple[IndexArray, ...]
    mirror: IndexArray | None
    twins: IndexArray | None
    hole_centers: IndexArray
    vertex_count: int
    face_count: int

    @property
    def faces(self) -> IndexArray:
        """(F, 3) the template's triangles."""
        return self.triangles[: self.face_count]

    @cached_property
    def areas(self) -> FloatArray:
        """(T,) areas of the triangles on the surface."""
        return face_areas(self.vertices, self.triangles)

    @cached_property
    def lengths(self) -> FloatArray:
        """(E,) edge lengths on the surface, with a floor that keeps every weight finite."""
        return edge_lengths(self.vertices, self.edges)


def build_graph(
    mesh: Mesh,
    holes: list[IndexArray],
    *,
    quads: bool,
    mirror: IndexArray | None = None,
) -> EmbeddingGraph:
    """Build the graph of a template.

    Parameters
    ----------
    mesh : the template
    holes : boundary loops to close by a fan, each clockwise seen from outside; those left out
        stay open
    quads : take the quads' edges (no diagonals) instead of the triangles'
    mirror : (V,) mirror twins; edges without a twin are left out, so that the graph is symmetric

    Notes
    -----
    Leaving an edge out joins two triangles into a quad of the graph. In a Tutte embedding it
    is convex, so the triangles, split along either diagonal, keep their orientation.
    """
    count = len(mesh.vertices)
    vertices = mesh.vertices
    if mirror is not None:
        vertices = 0.5 * (vertices + mirror_vertices(vertices, mirror))
    centers = np.arange(count, count + len(holes))
    middles = np.array([vertices[hole].mean(axis=0) for hole in holes]).reshape(-1, 3)
    # The rim runs along its triangles; the fan across the hole runs against them.
    fans = [
        np.stack([np.full(len(hole), center), np.roll(hole, -1), hole], axis=1)
        for hole, center in zip(holes, centers, strict=True)
    ]
    fan = np.concatenate(fans) if fans else np.zeros((0, 3), np.int64)
    surface = mesh.quads if quads and mesh.quads is not None else mesh.faces
    edges = unique_edges(surface)
    if len(fan):
        spokes = np.stack([fan[:, 2], fan[:, 0]], axis=1)
        edges = np.concatenate([edges, spokes])
        edges = edges[np.argsort(edge_keys(edges))]
    if mirror is not None:
        mirror = np.concatenate([mirror, _mirror_of_holes(holes, mirror) + count])
        vertices = np.concatenate([vertices, middles])
        vertices = 0.5 * (vertices + mirror_vertices(vertices, mirror))
        twins, found = edge_twins(edges, mirror)
        if not found.all():
            edges = edges[found]
            twins, _ = edge_twins(edges, mirror)
    else:
        twins = None
        vertices = np.concatenate([vertices, middles])
    return EmbeddingGraph(
        vertices=vertices,
        edges=edges,
        triangles=np.concatenate([mesh.faces, fan]),
        polygons=(surface, fan) if len(fan) else (surface,),
        mirror=mirror,
        twins=twins,
        hole_centers=centers,
        vertex_count=count,
        face_count=len(mesh.faces),
    )


def _mirror_of_holes(holes: list[IndexArray], mirror: IndexArray) -> IndexArray:
    owner = np.full(len(mirror), -1, np.int64)
    for number, hole in enumerate(holes):
        owner[hole] = number
    return np.array([owner[mirror[hole[0]]] for hole in holes], np.int64)


def edge_keys(edges: IndexArray) -> IndexArray:
    """Return one integer per undirected edge, the same in both directions."""
    return (edges.min(axis=1) << 32) + edges.max(axis=1)


def find_edges(edges: IndexArray, queries: IndexArray) -> tuple[IndexArray, np.ndarray]:
    """Return the row in `edges` of every queried edge, and whether it is there at all.

    `edges` must be ascending with the smaller index first.
    """
    keys = edge_keys(edges)
    wanted = edge_keys(queries)
    rows = np.minimum(np.searchsorted(keys, wanted), len(keys) - 1)
    return rows, keys[rows] == wanted


def edge_twins(edges: IndexArray, mirror: IndexArray) -> tuple[IndexArray, np.ndarray]:
    """Return the row of every edge's mirror image, and whether it exists."""
    return find_edges(edges, mirror[edges])


def edge_lengths(points: FloatArray, edges: IndexArray) -> FloatArray:
    """Return (E,) edge lengths, those below a millionth of the mean raised to it."""
    lengths = np.linalg.norm(points[edges[:, 0]] - points[edges[:, 1]], axis=1)
    return np.maximum(lengths, 1e-6 * float(lengths.mean()))
