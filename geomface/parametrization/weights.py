"""Edge weights of convex combination maps."""

import numpy as np

from geomface.arrays import FloatArray, IndexArray
from geomface.parametrization.graph import EmbeddingGraph, edge_lengths, find_edges


def uniform_weights(graph: EmbeddingGraph) -> FloatArray:
    """Return w_ij = 1, (E,). Source: Tutte 1963."""
    return np.ones(len(graph.edges))


def chord_length_weights(graph: EmbeddingGraph) -> FloatArray:
    """Return w_ij = 1 / l_ij with l the length on the surface, (E,).

    Source
    ------
    Floater 1997, section 5 (weighted least squares). Crowds dense parts even more than uniform
    weights do; for comparison.
    """
    return 1.0 / graph.lengths


def normalised_length_weights(
    graph: EmbeddingGraph, uniform_uv: FloatArray, importance: FloatArray | None = None
) -> FloatArray:
    """Return w_ij = l_uniform / (s_ij l_3D), the weights of Shamai et al., (E,).

    Springs of stiffness w pull with about the same force in the uniform map when w l is constant;
    dividing by the length on the surface makes lengths come out in proportion to it.

    Parameters
    ----------
    graph : the graph
    uniform_uv : (W, 2) float64, its uniform map
    importance : (W,) float64 s of every vertex, averaged over the ends of an edge; a larger s
        gives more room

    Source
    ------
    Shamai, Slossberg and Kimmel 2019, section 5.3: edge weights are averages of vertex weights
    "normalised by the ones resulting from the uniform parametrization". As printed a larger
    weight would shrink a feature; s divides here.
    """
    weights = edge_lengths(uniform_uv, graph.edges) / graph.lengths
    if importance is not None:
        weights = weights / importance[graph.edges].mean(axis=1)
    return weights


def mean_value_weights(graph: EmbeddingGraph) -> FloatArray:
    """Return w_ij = (tan(a / 2) + tan(b / 2)) / l_ij, a and b the angles beside the edge, (E, 2).

    Angles are those of the graph's faces at vertex i, so the rule holds for quads as well; an
    open hole counts as no angle.

    Source
    ------
    Floater 2003, "Mean value coordinates", equation 2.1, with angles on the surface.
    """
    weights = np.zeros((len(graph.edges), 2))
    lengths = graph.lengths
    for polygons in graph.polygons:
        for tail, head, angle in _corners(graph.vertices, polygons):
            # An angle of pi would weigh infinitely; beyond 170 degrees the rule is cut off.
            half = np.tan(0.5 * np.minimum(angle, np.radians(170.0)))
            rows, found = find_edges(graph.edges, np.stack([tail, head], axis=1))
            column = (graph.edges[rows, 0] != tail).astype(np.int64)
            np.add.at(weights, (rows[found], column[found]), half[found] / lengths[rows[found]])
    return weights


def cotangent_weights(graph: EmbeddingGraph) -> FloatArray:
    """Return w_ij = (cot a + cot b) / 2, a and b the angles opposite to the edge, (E,).

    Negative where a + b > pi, so triangles may flip: for comparison only. Triangles only.

    Source
    ------
    Pinkall and Polthier 1993.
    """
    from geomface.mesh.laplacian import cotangents

    half = 0.5 * cotangents(graph.vertices, graph.triangles)
    weights = np.zeros(len(graph.edges))
    for corner in range(3):
        opposite = np.roll(graph.triangles, -corner, axis=1)[:, 1:]
        rows, found = find_edges(graph.edges, opposite)
        np.add.at(weights, rows[found], half[found, corner])
    return weights


def shape_preserving_weights(graph: EmbeddingGraph) -> FloatArray:
    """Return the shape-preserving weights of Floater, rows summing to 1, (E, 2).

    The star of a vertex is laid flat with its edge lengths kept and its angles scaled to sum to
    2 pi. For every neighbour p_l the ray from p_l through the centre leaves the star between two
    neighbours p_r and p_r+1; the centre's barycentric coordinates in (p_l, p_r, p_r+1) are
    averaged over l. A planar star gives the centre exactly (linear precision).

    Source
    ------
    Floater 1997, section 6, equations 19 to 21.
    """
    edges = graph.edges
    weights = np.zeros((len(edges), 2))
    stars = _stars(graph)
    for star, angles in stars:
        centers, neighbours = star[:, 0], star[:, 1:]
        count, degree = neighbours.shape
        angles = angles * (2.0 * np.pi / angles.sum(axis=1, keepdims=True))
        directions = np.concatenate(
            [np.zeros((count, 1)), np.cumsum(angles, axis=1)[:, :-1]], axis=1
        )
        pairs = np.stack([np.repeat(centers, degree), neighbours.ravel()], axis=1)
        rows, found = find_edges(edges, pairs)
        reach = graph.vertices[neighbours] - graph.vertices[centers][:, None]
        radii = np.linalg.norm(reach, axis=2)
        flat = radii[..., None] * np.stack([np.cos(directions), np.sin(directions)], axis=-1)
        sums = np.zeros((count, degree))
        here = np.arange(count)
        for first in range(degree):
            turn = (directions - directions[:, [first]]) % (2.0 * np.pi)
            # The last neighbour within half a turn, and the next one, straddle the far side.
            within = np.where(turn <= np.pi, turn, -1.0)
            second = np.argmax(within, axis=1)
            third = (second + 1) % degree
            a, b, c = flat[:, first], flat[here, second], flat[here, third]
            parts = np.stack([_cross(b, c), _cross(c, a), _cross(a, b)], axis=1)
            parts = np.maximum(parts, 0.0)
            parts /= parts.sum(axis=1, keepdims=True)
            for column, which in enumerate((np.full(count, first), second, third)):
                sums[here, which] += parts[:, column] / degree
        column = (edges[rows, 0] != pairs[:, 0]).astype(np.int64)
        weights[rows[found], column[found]] = sums.ravel()[found]
    return weights


def symmetrised(weights: FloatArray, graph: EmbeddingGraph) -> FloatArray:
    """Return the average of the weights and their mirror image; unchanged without a mirror."""
    twin = graph.twins
    if graph.mirror is None or twin is None:
        return weights
    if weights.ndim == 1:
        return 0.5 * (weights + weights[twin])
    turned = graph.mirror[graph.edges[:, 0]] != graph.edges[twin, 0]
    mirrored = np.where(turned[:, None], weights[twin][:, ::-1], weights[twin])
    return 0.5 * (weights + mirrored)


def _cross(a: FloatArray, b: FloatArray) -> FloatArray:
    return a[:, 0] * b[:, 1] - a[:, 1] * b[:, 0]


def _corners(vertices: FloatArray, polygons: IndexArray):
    """Yield (vertex, neighbour, angle) for both edges of every polygon corner."""
    degree = polygons.shape[1]
    for corner in range(degree):
        center = polygons[:, corner]
        following = polygons[:, (corner + 1) % degree]
        previous = polygons[:, (corner - 1) % degree]
        angle = _angles(vertices, center, following, previous)
        yield center, following, angle
        yield center, previous, angle


def _angles(
    vertices: FloatArray, center: IndexArray, first: IndexArray, second: IndexArray
) -> FloatArray:
    """Return the angles between two edges at `center`, radians in 0 .. pi."""
    a = vertices[first] - vertices[center]
    b = vertices[second] - vertices[center]
    return np.arctan2(np.linalg.norm(np.cross(a, b), axis=1), np.einsum("ij,ij->i", a, b))


def _stars(graph: EmbeddingGraph) -> list[tuple[IndexArray, FloatArray]]:
    """Return the closed stars, grouped by degree: rows (vertex, neighbours in order), and angles.

    The angle in column k lies between neighbours k and k + 1, counter-clockwise.
    """
    center, following, angle, previous = [], [], [], []
    for polygons in graph.polygons:
        degree = polygons.shape[1]
        for corner in range(degree):
            center.append(polygons[:, corner])
            following.append(polygons[:, (corner + 1) % degree])
            previous.append(polygons[:, (corner - 1) % degree])
            angle.append(_angles(graph.vertices, center[-1], following[-1], previous[-1]))
    centers, nexts = np.concatenate(center), np.concatenate(following)
    ends, angles = np.concatenate(previous), np.concatenate(angle)
    # Sector k runs from neighbour nexts[k] to ends[k]; the sector that starts at ends[k] follows.
    order = np.lexsort((nexts, centers))
    centers, nexts, ends, angles = centers[order], nexts[order], ends[order], angles[order]
    keys = (centers << 32) + nexts
    wanted = (centers << 32) + ends
    follow = np.minimum(np.searchsorted(keys, wanted), len(keys) - 1)
    closed = keys[follow] == wanted
    size = len(graph.vertices)
    degrees = np.bincount(centers, minlength=size)
    whole = np.bincount(centers, closed, minlength=size) == degrees
    starts = np.concatenate([[0], np.cumsum(degrees)[:-1]])
    groups = []
    for degree in np.unique(degrees[whole & (degrees > 0)]):
        members = np.flatnonzero(whole & (degrees == degree))
        sector = starts[members]
        star = np.empty((len(members), degree + 1), np.int64)
        star[:, 0] = members
        spread = np.empty((len(members), degree))
        for step in range(degree):
            star[:, step + 1] = nexts[sector]
            spread[:, step] = angles[sector]
            sector = follow[sector]
        groups.append((star, spread))
    return groups
