"""The smooth surface through soft control points on the layout."""

import dataclasses
from collections.abc import Sequence

import numpy as np
from scipy import sparse
from scipy.interpolate import CubicSpline, PchipInterpolator
from scipy.sparse.linalg import splu

from builtin_face.layout import Layout
from geomface.arrays import FloatArray
from geomface.mesh.laplacian import cotangent_laplacian, lumped_mass
from geomface.mesh.normals import vertex_normals
from geomface.mesh.quads import split_quads
from geomface.mesh.topology import boundary_edges, vertex_adjacency

TENSION = 0.03


@dataclasses.dataclass
class Targets:
    """Points that the surface is drawn to: collected for the left half, mirrored when solved."""

    vertices: list[int] = dataclasses.field(default_factory=list)
    points: list[Sequence[float]] = dataclasses.field(default_factory=list)
    weights: list[float] = dataclasses.field(default_factory=list)

    def add(self, vertex: int, point: Sequence[float] | FloatArray, weight: float) -> None:
        """Draw `vertex` to `point` (x, y, z)."""
        self.vertices.append(int(vertex))
        self.points.append([float(value) for value in point])
        self.weights.append(weight)


def through(
    points: Sequence[Sequence[float]], count: int, *, closed: bool = False, midline: bool = False
) -> FloatArray:
    """Return a smooth curve through (address, x, y, z), at the addresses 0 .. count - 1.

    A cubic spline by chord length passes through the points; between two of them the addresses
    are spread smoothly by length.

    Parameters
    ----------
    points : rows (address, x, y, z) in order; address NaN: the curve passes, at no set address
    count : number of addresses
    closed : addresses wrap round at `count`
    midline : both ends lie on the mirror plane, where the curve leaves it at a right angle

    Returns
    -------
    (count, 3) float64; rows before the first and after the last address of an open curve are NaN
    """
    rows = np.array(points, float)
    address, place = rows[:, 0], rows[:, 1:]
    if closed:
        address = np.append(address, address[0] + count)
        place = np.vstack([place, place[:1]])
    chord = np.concatenate([[0], np.cumsum(np.linalg.norm(np.diff(place, axis=0), axis=1))])
    if closed:
        spline = CubicSpline(chord, place, bc_type="periodic")
    elif midline:
        ends = [(1, np.array([1.0, 0, 0])), (1, np.array([-1.0, 0, 0]))]
        spline = CubicSpline(chord, place, bc_type=ends)  # type: ignore[arg-type]
    else:
        spline = CubicSpline(chord, place)
    fine_chord = np.linspace(0, chord[-1], 4000)
    fine = spline(fine_chord)
    length = np.concatenate([[0], np.cumsum(np.linalg.norm(np.diff(fine, axis=0), axis=1))])
    addressed = np.isfinite(address)
    at_point = np.interp(chord, fine_chord, length)[addressed]
    address = address[addressed]
    wanted = np.arange(np.ceil(address[0]), np.floor(address[-1]) + 1)
    by_length = np.interp(PchipInterpolator(address, at_point)(wanted), length, fine_chord)
    curve = np.full((count, 3), np.nan)
    curve[wanted.astype(int) % count] = spline(by_length)
    return curve


def difference_operator(layout: Layout) -> sparse.csr_array:
    """Return the (V, V) matrix x_v - mean of neighbours; on a boundary, neighbours along it."""
    count = layout.vertex_count
    adjacency = vertex_adjacency(layout.quads, count).tocoo()
    rim = boundary_edges(layout.quads)
    along = sparse.coo_array(
        (np.ones(2 * len(rim)), (rim.ravel(), rim[:, ::-1].ravel())), shape=(count, count)
    ).tocsr()
    on_rim = np.zeros(count, bool)
    on_rim[rim] = True
    inner = sparse.diags_array((~on_rim).astype(float)) @ adjacency.tocsr()
    neighbours = inner + along
    degree = np.asarray(neighbours.sum(axis=1)).ravel()
    return sparse.csr_array(sparse.eye_array(count) - sparse.diags_array(1 / degree) @ neighbours)


def mirrored(vertices: FloatArray, layout: Layout) -> FloatArray:
    """Return the left half of `vertices` (V, 3) with its exact mirror image on the right."""
    result = vertices.copy()
    result[layout.midline, 0] = 0.0
    left = layout.left
    result[layout.mirror[left]] = result[left] * [-1.0, 1.0, 1.0]
    return result


def fair(layout: Layout, targets: Targets) -> FloatArray:
    """Return the fairest surface near the targets: min |L L x|^2 + t |L x|^2 + sum w |x_v - p_v|^2.

    Parameters
    ----------
    layout : the topology; L is its `difference_operator`
    targets : control points of the left half; each counts for its mirror twin too

    Returns
    -------
    (V, 3) float64, symmetric to the bit

    Source
    ------
    Discrete thin plate over the parameter grid, as in Botsch and Sorkine 2008, section 3.
    """
    vertices = np.array(targets.vertices, np.int64)
    points = np.array(targets.points)
    weights = np.array(targets.weights)
    operator = difference_operator(layout)
    weight = np.zeros(layout.vertex_count)
    pull = np.zeros((layout.vertex_count, 3))
    for ids, places in (
        (vertices, points),
        (layout.mirror[vertices], points * [-1.0, 1.0, 1.0]),
    ):
        np.add.at(weight, ids, weights)
        np.add.at(pull, ids, weights[:, None] * places)
    bent = operator @ operator
    system = operator.T @ operator * TENSION + bent.T @ bent
    system = (system + sparse.diags_array(weight)).tocsc()
    return mirrored(splu(system).solve(pull), layout)


def relax(layout: Layout, vertices: FloatArray, share: FloatArray, rounds: int = 12) -> FloatArray:
    """Return the surface with its vertices spread more evenly along it.

    Parameters
    ----------
    vertices : (V, 3) float64
    share : (V,) how far a vertex goes to the mean of its neighbours each round, within its tangent
        plane; 0 keeps it
    """
    operator = difference_operator(layout)
    faces = split_quads(layout.quads, layout.vertex_count)
    for _ in range(rounds):
        step = -share[:, None] * (operator @ vertices)
        normals = vertex_normals(vertices, faces)
        step -= (step * normals).sum(axis=1, keepdims=True) * normals
        vertices = mirrored(vertices + step, layout)
    return vertices


def polish(layout: Layout, vertices: FloatArray, length: FloatArray) -> FloatArray:
    """Return the surface without waves shorter than `length`: min |x - x_0|^2 + l^4 |Laplace x|^2.

    The Laplacian is that of the surface, so kinks where the spacing of the grid changes go too.

    Parameters
    ----------
    vertices : (V, 3) float64
    length : (V,) float64, millimetres; 0 keeps a vertex

    Source
    ------
    Botsch and Sorkine 2008, section 3, with the cotangent Laplacian and lumped mass.
    """
    faces = split_quads(layout.quads, layout.vertex_count)
    stiffness = cotangent_laplacian(vertices, faces)
    mass = lumped_mass(vertices, faces)
    bending = stiffness.T @ sparse.diags_array(length**4 / mass) @ stiffness
    keep = mass + 1e4 * mass * (length == 0)
    system = sparse.csc_array(bending + sparse.diags_array(keep))
    return mirrored(splu(system).solve(keep[:, None] * vertices), layout)
