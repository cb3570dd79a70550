"""What the faces alone say: edges, neighbours, boundary loops, components."""

import numpy as np
from scipy import sparse
from scipy.sparse import csgraph

from geomface.arrays import BoolArray, FloatArray, IndexArray
from geomface.errors import MeshError
from geomface.mesh.mesh import Mesh


def half_edges(polygons: IndexArray) -> IndexArray:
    """Return all directed polygon edges, (P k, 2): edge j of polygon i is row i k + j."""
    return np.stack([polygons, np.roll(polygons, -1, axis=1)], axis=-1).reshape(-1, 2)


def unique_edges(polygons: IndexArray) -> IndexArray:
    """Return every undirected edge of triangles or quads once, (E, 2), smaller index first."""
    return edge_counts(polygons)[0]


def edge_counts(polygons: IndexArray) -> tuple[IndexArray, IndexArray]:
    """Return the unique edges (E, 2) and how many polygons use each, (E,)."""
    tails, heads = polygons.ravel(), np.roll(polygons, -1, axis=1).ravel()
    size = int(polygons.max(initial=0)) + 1
    keys = np.minimum(tails, heads) * size + np.maximum(tails, heads)
    keys, counts = np.unique(keys, return_counts=True)
    return np.stack([keys // size, keys % size], axis=1), counts


def edge_uses(faces: IndexArray) -> tuple[IndexArray, IndexArray, IndexArray]:
    """Return unique edges (E, 2), how many faces use each (E,), and the edge of each half-edge.

    The last is (3 F,), in the order of `half_edges`.
    """
    edges = np.sort(half_edges(faces), axis=1)
    size = int(edges.max(initial=0)) + 1
    keys, inverse, counts = np.unique(
        edges[:, 0] * size + edges[:, 1], return_inverse=True, return_counts=True
    )
    return np.stack([keys // size, keys % size], axis=1), counts, inverse


def edge_faces(faces: IndexArray) -> tuple[IndexArray, IndexArray]:
    """Return interior edges (E, 2) and the two faces beside each (E, 2).

    Edges with one face or more than two are left out.
    """
    edges, counts, inverse = edge_uses(faces)
    order = np.argsort(inverse, kind="stable")
    starts = np.concatenate([[0], np.cumsum(counts)[:-1]])
    inner = counts == 2
    pairs = np.stack([order[starts[inner]], order[starts[inner] + 1]], axis=1) // faces.shape[1]
    return edges[inner], pairs


def vertex_adjacency(polygons: IndexArray, vertex_count: int) -> sparse.csr_array:
    """Return the symmetric (V, V) matrix with 1 where an edge joins two vertices."""
    edges = unique_edges(polygons)
    both = np.concatenate([edges, edges[:, ::-1]])
    ones = np.ones(len(both))
    return sparse.csr_array((ones, (both[:, 0], both[:, 1])), shape=(vertex_count, vertex_count))


def connected_components(polygons: IndexArray, vertex_count: int) -> tuple[int, IndexArray]:
    """Return the number of components and the (V,) component of every vertex.

    A vertex that no face uses is a component of its own.
    """
    count, labels = csgraph.connected_components(
        vertex_adjacency(polygons, vertex_count), directed=False
    )
    return int(count), labels.astype(np.int64)


def boundary_edges(faces: IndexArray) -> IndexArray:
    """Return the (B, 2) directed edges used by one face only, in the direction of that face."""
    directed = half_edges(faces)
    _, counts, inverse = edge_uses(faces)
    return directed[counts[inverse] == 1]


def boundary_vertices(faces: IndexArray, vertex_count: int) -> BoolArray:
    """Return the (V,) mask of vertices on a boundary edge."""
    mask = np.zeros(vertex_count, bool)
    mask[boundary_edges(faces).ravel()] = True
    return mask


def boundary_loops(faces: IndexArray) -> list[IndexArray]:
    """Return the closed boundary loops as vertex index arrays, most vertices first.

    Raises
    ------
    MeshError : two loops meet in one vertex, so that the boundary is no set of simple loops.

    Convention
    ----------
    A loop runs along its triangles: the surface lies to the left when seen from outside, so the
    outer loop of a mask is counter-clockwise and a hole is clockwise.
    """
    return _chain(boundary_edges(faces))


def _chain(edges: IndexArray) -> list[IndexArray]:
    """Link directed boundary edges (B, 2) to closed loops, most vertices first."""
    starts, counts = np.unique(edges[:, 0], return_counts=True)
    if (counts > 1).any():
        raise MeshError(
            f"vertex {int(starts[counts > 1][0])} lies on {int(counts.max())} boundary loops at "
            "once; expected simple loops. Split the vertex or fill one of the holes."
        )
    following = dict(edges.tolist())
    loops = []
    while following:
        first, vertex = following.popitem()
        loop = [first]
        while vertex != first:
            loop.append(vertex)
            if vertex not in following:
                raise _not_closed(vertex)
            vertex = following.pop(vertex)
        loops.append(np.array(loop, np.int64))
    # popitem starts at an arbitrary place: begin each loop at its smallest index.
    loops = [np.roll(loop, -int(np.argmin(loop))) for loop in loops]
    return sorted(loops, key=lambda loop: (-len(loop), int(loop[0])))


def boundary_cycles(faces: IndexArray) -> list[IndexArray]:
    """Return the boundary as simple cycles, most vertices first, also where rims touch.

    A rim that touches itself or another one at a vertex falls apart into the cycles that meet
    there; elsewhere the cycles are the `boundary_loops`.

    Raises
    ------
    MeshError : the boundary is not closed, because triangles there are not wound alike.
    """
    following: dict[int, list[int]] = {}
    for tail, head in boundary_edges(faces).tolist():
        following.setdefault(tail, []).append(head)
    cycles = []
    for first in sorted(following):
        path, place = [first], {first: 0}
        while following[path[-1]] or len(path) > 1:
            if not following.get(path[-1]):
                raise _not_closed(path[-1])
            vertex = following[path[-1]].pop()
            if vertex not in place:
                place[vertex] = len(path)
                path.append(vertex)
                following.setdefault(vertex, [])
                continue
            start = place[vertex]
            cycle = np.array(path[start:], np.int64)
            cycles.append(np.roll(cycle, -int(np.argmin(cycle))))
            for left in path[start + 1 :]:
                del place[left]
            del path[start + 1 :]
    return sorted(cycles, key=lambda loop: (-len(loop), int(loop[0])))


def _not_closed(vertex: int) -> MeshError:
    return MeshError(
        f"the boundary is not closed at vertex {vertex}; the triangles there are not "
        "wound alike. Make the winding consistent."
    )


def loop_length(vertices: FloatArray, loop: IndexArray) -> float:
    """Return the length of a closed loop, unit of `vertices`."""
    return float(np.linalg.norm(vertices[np.roll(loop, -1)] - vertices[loop], axis=1).sum())


def require_used_vertices(mesh: Mesh) -> None:
    """Refuse a mesh with vertices that no face uses.

    Raises
    ------
    MeshError : names the first of them.
    """
    used = np.zeros(len(mesh.vertices), bool)
    used[mesh.faces.ravel()] = True
    if not used.all():
        raise MeshError(
            f"{mesh.name}: expected every vertex to belong to a face, {int((~used).sum())} do not "
            f"(first: vertex {int(np.argmin(used))}). Remove them from the template."
        )


def require_disk_with_holes(mesh: Mesh) -> list[IndexArray]:
    """Return the boundary loops of a disk with holes, the longest (outer) loop first.

    Raises
    ------
    MeshError : unused vertices, several components, a non-manifold edge, no boundary, a handle.
    """
    count = len(mesh.vertices)
    require_used_vertices(mesh)
    edges, uses, inverse = edge_uses(mesh.faces)
    graph = sparse.csr_array((np.ones(len(edges)), (edges[:, 0], edges[:, 1])), (count, count))
    components = csgraph.connected_components(graph, directed=False, return_labels=False)
    if components != 1:
        raise MeshError(
            f"{mesh.name}: expected one connected surface, got {components} components. "
            "Keep the face alone (no eyeballs, teeth or hair) as the template."
        )
    if (uses > 2).any():
        raise MeshError(
            f"{mesh.name}: expected at most two faces on an edge, edge "
            f"{edges[int(np.argmax(uses))].tolist()} has {int(uses.max())}. Make the template "
            "manifold."
        )
    try:
        loops = _chain(half_edges(mesh.faces)[uses[inverse] == 1])
    except MeshError as crossing:
        raise MeshError(f"{mesh.name}: {crossing}") from crossing
    if not loops:
        raise MeshError(
            f"{mesh.name}: expected a face mask with an open boundary, got a closed surface. "
            "Cut the face out of the head first."
        )
    euler = count - len(edges) + len(mesh.faces)
    if euler != 2 - len(loops):
        raise MeshError(
            f"{mesh.name}: expected one disk with holes, got a surface with handles (Euler "
            f"characteristic {euler} with {len(loops)} boundary loops). Close the handles."
        )
    return sorted(loops, key=lambda loop: -loop_length(mesh.vertices, loop))
