"""What is unusual about a scan, in lines a person can read; nothing is changed."""

import dataclasses

import numpy as np
from scipy import sparse
from scipy.sparse import csgraph

from geomface.arrays import BoolArray, FloatArray, IndexArray
from geomface.mesh.mesh import Mesh
from geomface.mesh.normals import face_cross_products
from geomface.mesh.topology import edge_counts
from geomface.mesh.units import scan_unit
from geomface.mesh.winding import repeated_faces

_FLAT = 1e-10


@dataclasses.dataclass(frozen=True, eq=False)
class ScanDiagnosis:
    """What was found in a scan.

    Parameters
    ----------
    components : number of connected parts with triangles
    component_labels : (V,) int64, 0 the part with most triangles; -1 a vertex in no triangle
    nonmanifold_edges : (n, 2) int64, edges of more than two triangles
    isolated_vertices : (n,) int64, vertices in no triangle
    duplicate_vertices : (n,) int64, vertices at the place of an earlier one
    weld : (V,) int64, the first vertex at the same place (itself for most). Parts, edges and
        degenerate triangles are judged with it, so that a seam is not taken for a rim.
    degenerate_faces : (F,) bool, triangles without area: set aside for a fit
    repeated_faces : (F,) bool, triangles of the same three places as an earlier one: likewise
    unit_factor : multiply the vertices by it to get millimetres
    unit_guess : the unit that the factor stands for
    notes : a sentence for each thing found and what is done about it
    unit_notes : those of them that tell how the unit is known
    """

    components: int
    component_labels: IndexArray
    nonmanifold_edges: IndexArray
    isolated_vertices: IndexArray
    duplicate_vertices: IndexArray
    weld: IndexArray
    degenerate_faces: BoolArray
    repeated_faces: BoolArray
    unit_factor: float
    unit_guess: str
    notes: tuple[str, ...]
    unit_notes: tuple[str, ...] = ()


def diagnose_scan(
    mesh: Mesh,
    *,
    scale_to_template: float | None = None,
) -> ScanDiagnosis:
    """Look for what real scans have and clean meshes have not.

    Parameters
    ----------
    mesh : the scan; it is not changed
    scale_to_template : scale of the similarity that takes the scan's landmarks to those of a
        template in millimetres; see `scan_unit`

    Returns
    -------
    ScanDiagnosis
    """
    vertex_count = len(mesh.vertices)
    weld = first_at_same_place(mesh.vertices)
    faces = weld[mesh.faces]
    used = np.zeros(vertex_count, bool)
    used[mesh.faces] = True
    isolated = np.flatnonzero(~used)
    duplicates = np.flatnonzero((weld != np.arange(vertex_count)) & used)
    degenerate = _degenerate(mesh.vertices, faces)
    repeated = repeated_faces(faces) & ~degenerate
    edges, counts = edge_counts(faces[~degenerate & ~repeated])
    labels, sizes = _components(edges, faces, weld, used, vertex_count)
    nonmanifold = edges[counts > 2]
    largest = mesh.vertices[labels == 0]
    unit = scan_unit(mesh, largest, scale_to_template)
    notes = []
    if len(sizes) > 1:
        share = 100.0 * sizes[0] / sizes.sum()
        notes.append(
            f"{len(sizes)} separate parts, the largest with {share:.1f} % of the triangles: all "
            "are used."
        )
    found = (
        (len(nonmanifold), "edge", "with more than two triangles", "used as they are"),
        (len(isolated), "vertex", "in no triangle", "ignored, kept in the file"),
        (len(duplicates), "vertex", "at the place of another", "treated as one, kept in the file"),
        (int(degenerate.sum()), "triangle", "without area", "set aside, kept in the file"),
        (
            int(repeated.sum()),
            "triangle",
            "at the place of another",
            "taken once, kept in the file",
        ),
    )
    plural = {"edge": "edges", "vertex": "vertices", "triangle": "triangles"}
    for count, what, how, done in found:
        if count:
            notes.append(f"{count} {what if count == 1 else plural[what]} {how}: {done}.")
    return ScanDiagnosis(
        components=len(sizes),
        component_labels=labels,
        nonmanifold_edges=nonmanifold,
        isolated_vertices=isolated,
        duplicate_vertices=duplicates,
        weld=weld,
        degenerate_faces=degenerate,
        repeated_faces=repeated,
        unit_factor=unit.factor,
        unit_guess=unit.unit,
        notes=(*notes, *unit.notes),
        unit_notes=unit.notes,
    )


def first_at_same_place(vertices: FloatArray) -> IndexArray:
    """Return for each vertex the first one with exactly equal coordinates, (V,) int64."""
    x = vertices[:, 0]
    order = np.argsort(x, kind="stable")
    near = np.flatnonzero(x[order][1:] == x[order][:-1])
    weld = np.arange(len(vertices))
    if len(near) == 0:
        return weld
    # Only vertices that share x can be equal; sorting those few by all axes is cheap.
    rows = np.unique(np.concatenate([order[near], order[near + 1]]))
    axes = vertices[rows].T
    by_place = np.lexsort(axes)
    fresh = np.ones(len(rows), bool)
    fresh[1:] = (axes[:, by_place[1:]] != axes[:, by_place[:-1]]).any(axis=0)
    # Stable sorting keeps the smallest index first within equal places.
    weld[rows[by_place]] = rows[by_place][fresh][np.cumsum(fresh) - 1]
    return weld


def _degenerate(vertices: FloatArray, faces: IndexArray) -> BoolArray:
    a, b, c = faces.T
    repeated = (a == b) | (b == c) | (c == a)
    corners = vertices[faces]
    with np.errstate(over="ignore", invalid="ignore"):  # absurd coordinates count as flat
        longest = ((corners - np.roll(corners, -1, axis=1)) ** 2).sum(axis=2).max(axis=1)
        cross = face_cross_products(vertices, faces)
        return repeated | ~((cross**2).sum(axis=1) > (_FLAT * longest) ** 2)


def _components(
    edges: IndexArray, faces: IndexArray, weld: IndexArray, used: BoolArray, vertex_count: int
) -> tuple[IndexArray, IndexArray]:
    """Return the (V,) labels and the number of triangles of each part, largest first."""
    ones = np.ones(len(edges), np.int8)
    graph = sparse.csr_array((ones, (edges[:, 0], edges[:, 1])), shape=(vertex_count,) * 2)
    _, raw = csgraph.connected_components(graph, directed=False)
    triangles = np.bincount(raw[faces[:, 0]], minlength=raw.max() + 1)
    order = np.argsort(-triangles, kind="stable")
    sizes = triangles[order]
    rank = np.empty(len(order), np.int64)
    rank[order] = np.arange(len(order))
    rank[triangles == 0] = -1
    # A corner of nothing but degenerate triangles may still be alone in the graph.
    return np.where(used, rank[raw[weld]], -1), sizes[sizes > 0]
