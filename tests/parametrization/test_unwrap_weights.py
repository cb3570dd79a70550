"""Edge weights against direct implementations, and the linear solve."""

import numpy as np
import pytest
from parametrization_surfaces import planar_grid, quad_mask, random_disk, without_a_star

from geomface.errors import ParametrizationError
from geomface.mesh import Mesh
from geomface.mesh.mirror import mirror_map
from geomface.mesh.topology import require_disk_with_holes
from geomface.parametrization import TutteSolver
from geomface.parametrization.graph import EmbeddingGraph, build_graph
from geomface.parametrization.weights import (
    chord_length_weights,
    cotangent_weights,
    mean_value_weights,
    normalised_length_weights,
    shape_preserving_weights,
    symmetrised,
    uniform_weights,
)


def graph_of(mesh: Mesh, *, quads: bool = False, fan: bool = True) -> EmbeddingGraph:
    holes = require_disk_with_holes(mesh)[1:] if fan else []
    return build_graph(mesh, holes, quads=quads)


def directed(graph: EmbeddingGraph, weights: np.ndarray) -> dict[tuple[int, int], float]:
    """Return {(row vertex, neighbour): weight}."""
    if weights.ndim == 1:
        weights = np.stack([weights, weights], axis=1)
    table = {}
    for (i, j), (forth, back) in zip(graph.edges.tolist(), weights.tolist(), strict=True):
        table[i, j], table[j, i] = forth, back
    return table


def stars(graph: EmbeddingGraph) -> dict[int, list[int]]:
    """Return the neighbours of every inner vertex in counter-clockwise order, by walking."""
    follow: dict[int, dict[int, int]] = {}
    for polygons in graph.polygons:
        for polygon in polygons.tolist():
            for k, center in enumerate(polygon):
                nearby = polygon[(k + 1) % len(polygon)], polygon[k - 1]
                follow.setdefault(center, {})[nearby[0]] = nearby[1]
    result = {}
    for center, links in follow.items():
        first = next(iter(links))
        walk, at = [first], links[first]
        while at != first and at in links:
            walk.append(at)
            at = links[at]
        if at == first and len(walk) == len(links):
            result[center] = walk
    return result


def angle_at(points: np.ndarray, center: int, first: int, second: int) -> float:
    a, b = points[first] - points[center], points[second] - points[center]
    return float(np.arccos(a @ b / (np.linalg.norm(a) * np.linalg.norm(b))))


@pytest.fixture(scope="module")
def disk() -> EmbeddingGraph:
    return graph_of(random_disk(np.random.default_rng(3), inner=60))


def test_mean_value_weights_by_hand(disk: EmbeddingGraph) -> None:
    table = directed(disk, mean_value_weights(disk))
    points = disk.vertices
    for center, ring in stars(disk).items():
        for k, at in enumerate(ring):
            before, after = ring[k - 1], ring[(k + 1) % len(ring)]
            tangents = np.tan(angle_at(points, center, before, at) / 2) + np.tan(
                angle_at(points, center, at, after) / 2
            )
            expected = tangents / np.linalg.norm(points[at] - points[center])
            assert table[center, at] == pytest.approx(expected, rel=1e-9)


def test_shape_preserving_weights_by_hand(disk: EmbeddingGraph) -> None:
    table = directed(disk, shape_preserving_weights(disk))
    points = disk.vertices
    for center, ring in stars(disk).items():
        angles = [
            angle_at(points, center, ring[k], ring[(k + 1) % len(ring)]) for k in range(len(ring))
        ]
        turn = np.concatenate([[0.0], np.cumsum(angles)]) * 2 * np.pi / np.sum(angles)
        reach = [np.linalg.norm(points[at] - points[center]) for at in ring]
        flat = [r * np.array([np.cos(t), np.sin(t)]) for r, t in zip(reach, turn, strict=False)]
        total = np.zeros(len(ring))
        for k in range(len(ring)):
            # The triangle (k, r, r + 1) that holds the origin.
            for r in range(len(ring)):
                s = (r + 1) % len(ring)
                if k in (r, s):
                    continue
                system = np.array([[*flat[k], 1.0], [*flat[r], 1.0], [*flat[s], 1.0]]).T
                if abs(np.linalg.det(system)) < 1e-12:
                    continue
                parts = np.linalg.solve(system, [0.0, 0.0, 1.0])
                if (parts >= -1e-12).all():
                    total[[k, r, s]] += parts / len(ring)
                    break
        found = np.array([table[center, at] for at in ring])
        np.testing.assert_allclose(found, total, atol=1e-9)
        assert found.sum() == pytest.approx(1.0, abs=1e-12)
        assert (found > 0).all()


def test_cotangent_weights_by_hand(disk: EmbeddingGraph) -> None:
    expected: dict[tuple[int, int], float] = {}
    for triangle in disk.triangles.tolist():
        for k, corner in enumerate(triangle):
            i, j = triangle[(k + 1) % 3], triangle[(k + 2) % 3]
            half = 0.5 / np.tan(angle_at(disk.vertices, corner, i, j))
            expected[min(i, j), max(i, j)] = expected.get((min(i, j), max(i, j)), 0.0) + half
    table = directed(disk, cotangent_weights(disk))
    for pair, value in expected.items():
        assert table[pair] == pytest.approx(value, rel=1e-9, abs=1e-9)


def test_length_weights_by_hand(disk: EmbeddingGraph, rng: np.random.Generator) -> None:
    uniform = rng.normal(size=(len(disk.vertices), 2))
    importance = rng.uniform(0.5, 2.0, len(disk.vertices))
    table = directed(disk, normalised_length_weights(disk, uniform, importance))
    chord = directed(disk, chord_length_weights(disk))
    for i, j in disk.edges.tolist():
        surface = np.linalg.norm(disk.vertices[i] - disk.vertices[j])
        flat = np.linalg.norm(uniform[i] - uniform[j])
        mean = (importance[i] + importance[j]) / 2
        assert table[i, j] == pytest.approx(flat / (mean * surface), rel=1e-12)
        assert chord[i, j] == pytest.approx(1 / surface, rel=1e-12)


@pytest.mark.parametrize("weights", [mean_value_weights, shape_preserving_weights])
@pytest.mark.parametrize("tilt", [False, True])
def test_linear_precision(weights, tilt: bool, rng: np.random.Generator) -> None:
    """A flat mesh with its own boundary maps to itself, wherever its plane lies in space."""
    mesh = planar_grid(9, rng)
    flat = mesh.vertices[:, :2].copy()
    if tilt:
        rotation, _ = np.linalg.qr(rng.normal(size=(3, 3)))
        mesh = mesh.replace(vertices=7.0 * mesh.vertices @ rotation.T + [1.0, 2.0, 3.0])
    graph = graph_of(mesh)
    loop = require_disk_with_holes(mesh)[0]
    solver = TutteSolver(graph.edges, len(flat), loop, flat[loop])
    np.testing.assert_allclose(solver.solve(weights(graph)), flat, atol=1e-12)


def test_linear_precision_is_not_uniforms(rng: np.random.Generator) -> None:
    mesh = planar_grid(9, rng)
    flat = mesh.vertices[:, :2]
    graph = graph_of(mesh)
    loop = require_disk_with_holes(mesh)[0]
    solver = TutteSolver(graph.edges, len(flat), loop, flat[loop])
    assert np.abs(solver.solve(uniform_weights(graph)) - flat).max() > 1e-3


def test_linear_precision_with_a_filled_hole(rng: np.random.Generator) -> None:
    mesh = planar_grid(10, rng)
    faces = without_a_star(mesh.faces, rng)
    used, inverse = np.unique(faces, return_inverse=True)
    mesh = Mesh(mesh.vertices[used], inverse.reshape(-1, 3), name="ring")
    graph = graph_of(mesh)
    loop = require_disk_with_holes(mesh)[0]
    solver = TutteSolver(graph.edges, len(graph.vertices), loop, mesh.vertices[loop, :2])
    uv = solver.solve(shape_preserving_weights(graph))
    np.testing.assert_allclose(uv, graph.vertices[:, :2], atol=1e-11)


@pytest.mark.parametrize("quads", [True, False])
def test_symmetrised_weights_are_their_own_mirror_image(quads: bool) -> None:
    mesh = quad_mask(12).mesh
    mirror = mirror_map(mesh)
    graph = build_graph(mesh, require_disk_with_holes(mesh)[1:], quads=quads, mirror=mirror)
    assert graph.mirror is not None
    for weights in (mean_value_weights(graph), chord_length_weights(graph)):
        noisy = weights * np.random.default_rng(0).uniform(0.5, 2.0, weights.shape)
        table = directed(graph, symmetrised(noisy, graph))
        twins = graph.mirror
        for (i, j), value in table.items():
            assert table[int(twins[i]), int(twins[j])] == value


def test_every_inner_vertex_is_a_convex_combination() -> None:
    graph = graph_of(random_disk(np.random.default_rng(5), inner=400, holes=2))
    rng = np.random.default_rng(1)
    weights = rng.uniform(0.1, 10.0, (len(graph.edges), 2))
    loop = _outer(graph)
    turn = np.linspace(0, 2 * np.pi, len(loop), endpoint=False)
    solver = TutteSolver(
        graph.edges, len(graph.vertices), loop, np.stack([np.cos(turn), np.sin(turn)], axis=1)
    )
    for _ in range(3):
        uv = solver.solve(weights)
        table = directed(graph, weights)
        sums = {}
        for (i, j), weight in table.items():
            total, mean = sums.get(i, (0.0, np.zeros(2)))
            sums[i] = total + weight, mean + weight * uv[j]
        inner = np.setdiff1d(np.arange(len(uv)), loop)
        gaps = [np.abs(uv[i] - sums[int(i)][1] / sums[int(i)][0]).max() for i in inner]
        assert max(gaps) <= 1e-12
        assert solver.residual(weights, uv) <= 1e-12
        weights = weights * rng.uniform(0.5, 2.0, weights.shape)
    assert solver.solves == 3


def _outer(graph: EmbeddingGraph) -> np.ndarray:
    from geomface.mesh.topology import boundary_loops

    return boundary_loops(graph.triangles)[0]


def test_solver_agrees_with_a_dense_solve_before_and_after_reordering() -> None:
    graph = graph_of(random_disk(np.random.default_rng(8), inner=80))
    loop = _outer(graph)
    rng = np.random.default_rng(2)
    fixed = rng.normal(size=(len(loop), 2))
    solver = TutteSolver(graph.edges, len(graph.vertices), loop, fixed)
    for _ in range(2):
        weights = rng.uniform(0.2, 5.0, (len(graph.edges), 2))
        matrix = np.zeros((len(graph.vertices),) * 2)
        for (i, j), weight in directed(graph, weights).items():
            matrix[i, j] -= weight
            matrix[i, i] += weight
        matrix[loop] = 0.0
        matrix[loop, loop] = 1.0
        right = np.zeros((len(matrix), 2))
        right[loop] = fixed
        np.testing.assert_allclose(
            solver.solve(weights), np.linalg.solve(matrix, right), atol=1e-11
        )


def test_a_part_that_hangs_on_nothing_is_refused() -> None:
    edges = np.array([[0, 1], [1, 2], [0, 2], [3, 4]])
    solver = TutteSolver(edges, 5, np.array([0, 1]), np.array([[0.0, 0.0], [1.0, 0.0]]))
    with pytest.raises(ParametrizationError, match="connected to the outer boundary"):
        solver.solve(np.ones(len(edges)))
