"""The outer boundary on the square."""

import numpy as np
import pytest
from parametrization_surfaces import armed_star, planar_grid, quad_mask

from geomface.errors import ParametrizationError
from geomface.mesh import LandmarkEmbedding, Mesh, Template
from geomface.mesh.mirror import mirror_map
from geomface.mesh.topology import require_disk_with_holes
from geomface.parametrization import BoundaryPlacement, place_boundary
from geomface.parametrization.checks import chords, flat_chords


def place(template: Template, *, symmetric: bool = True) -> BoundaryPlacement:
    loops = require_disk_with_holes(template.mesh)
    return place_boundary(template, loops[0], mirror_map(template.mesh) if symmetric else None)


def perimeter_times(uv: np.ndarray) -> np.ndarray:
    """Where points lie along the square's edge, 0 .. 4 from the lower right corner on."""
    u, v = uv.T
    return np.select(
        [(u == 1) & (v < 1), (v == 1) & (u > 0), (u == 0) & (v > 0)], [v, 2 - u, 3 - v], 3 + u
    )


@pytest.mark.parametrize("columns", [8, 9, 16], ids=["vertex", "edge", "fine"])
def test_boundary_runs_once_around_the_square(columns: int) -> None:
    placed = place(quad_mask(columns))
    u, v = placed.uv.T
    on_edge = (u == 0) | (u == 1) | (v == 0) | (v == 1)
    assert on_edge.all()
    assert (placed.uv >= 0).all() and (placed.uv <= 1).all()
    places = perimeter_times(placed.uv)
    start = int(np.argmin(places))
    assert (np.diff(np.roll(places, -start)) > 0).all()
    at = {int(vertex): tuple(point) for vertex, point in zip(placed.loop, placed.uv, strict=True)}
    assert [at[int(corner)] for corner in placed.corners] == [(1, 0), (1, 1), (0, 1), (0, 0)]


@pytest.mark.parametrize("columns", [8, 9, 16])
def test_boundary_is_exactly_symmetric(columns: int) -> None:
    template = quad_mask(columns)
    placed = place(template)
    mirror = mirror_map(template.mesh)
    assert mirror is not None
    uv = np.full((len(mirror), 2), np.nan)
    uv[placed.loop] = placed.uv
    twin = uv[mirror[placed.loop]]
    np.testing.assert_array_equal(twin[:, 1], placed.uv[:, 1])
    np.testing.assert_allclose(twin[:, 0] + placed.uv[:, 0], 1.0, rtol=0, atol=1.2e-16)


def test_sides_follow_arc_length() -> None:
    template = quad_mask(16)
    placed = place(template)
    points = template.mesh.vertices[placed.loop]
    lengths = np.linalg.norm(np.roll(points, -1, axis=0) - points, axis=1)
    steps = np.linalg.norm(np.roll(placed.uv, -1, axis=0) - placed.uv, axis=1)
    ratio = steps / lengths
    side = np.searchsorted([0.0, 1.0, 2.0, 3.0], perimeter_times(placed.uv), side="right")
    for number in range(1, 5):
        of_side = ratio[side == number]
        np.testing.assert_allclose(of_side, of_side[0], rtol=1e-12)


def test_start_is_the_chin_landmark_and_u_grows_to_the_left() -> None:
    template = quad_mask(16)
    vertices = template.mesh.vertices
    chin = int(np.argmin(np.abs(vertices - [0.0, -1.0, vertices[:, 2].min()]).sum(axis=1)))
    marked = Template(template.mesh, LandmarkEmbedding.on_vertices(np.full(68, chin)))
    for start in (template, marked):
        placed = place(start)
        first = placed.loop[0]
        np.testing.assert_array_equal(placed.uv[0], [0.5, 0.0])
        assert vertices[first, 0] == 0.0 and vertices[first, 1] == -1.0
        right_side = placed.uv[:, 0] == 1.0
        assert (vertices[placed.loop[right_side], 0] > 0).all()


def test_landmark_moves_the_start_without_symmetry() -> None:
    template = quad_mask(16)
    vertices = template.mesh.vertices
    top = int(np.argmin(np.abs(vertices[:, :2] - [0.25, 1.0]).sum(axis=1)))
    marked = Template(template.mesh, LandmarkEmbedding.on_vertices(np.full(68, top)))
    placed = place(marked, symmetric=False)
    assert placed.loop[0] == top
    np.testing.assert_array_equal(placed.uv[0], [0.5, 0.0])


def test_midline_through_an_edge_puts_its_middle_at_the_bottom_centre() -> None:
    template = quad_mask(9)
    placed = place(template)
    ends = placed.uv[[0, -1]]
    np.testing.assert_array_equal(ends[:, 1], 0.0)
    assert ends[:, 0].sum() == pytest.approx(1.0, abs=1e-15)


def test_flat_chords_agree_with_a_direct_search(rng: np.random.Generator) -> None:
    count = 23
    for _ in range(50):
        corners = np.sort(rng.choice(count, 4, replace=False))
        first, last = np.sort(rng.choice(count, 2, replace=False))
        side_of = [
            set(np.arange(a, a + ((b - a) % count) + 1) % count)
            for a, b in zip(corners, np.roll(corners, -1), strict=True)
        ]
        shared = any({first, last} <= side for side in side_of)
        found = flat_chords(np.array([[first, last]]), corners, count)
        assert bool(found) == shared


def test_chords_see_diagonals_and_no_boundary_edges() -> None:
    mesh = planar_grid(1)
    loop = require_disk_with_holes(mesh)[0]
    ends = loop[chords(mesh.faces, loop)]
    assert [set(pair) for pair in ends.tolist()] == [{0, 3}]


def test_a_corner_moves_to_free_an_ear() -> None:
    mesh = planar_grid(12)
    # Two corners of this grid, 12 and 156, are ears; the chin lies one vertex off the middle.
    marked = Template(mesh, LandmarkEmbedding.on_vertices(np.full(68, 7)))
    placed = place(marked, symmetric=False)
    assert {12, 156} <= set(placed.corners.tolist())
    assert any("moved" in note for note in placed.notes)


def test_ears_stick_out_of_a_smaller_square() -> None:
    mesh = planar_grid(12)
    marked = Template(mesh, LandmarkEmbedding.on_vertices(np.full(68, 0)))
    placed = place(marked, symmetric=False)
    assert any("stick out" in note for note in placed.notes)
    loop = placed.loop.tolist()
    for ear in (12, len(mesh.vertices) - 13):
        u, v = placed.uv[loop.index(ear)]
        assert min(u, v, 1 - u, 1 - v) == 0.0
    inner = np.delete(placed.uv, [loop.index(12), loop.index(len(mesh.vertices) - 13)], axis=0)
    assert inner.min() == pytest.approx(1 / 256) and inner.max() == pytest.approx(1 - 1 / 256)


def test_dead_ends_beyond_four_corners_are_refused() -> None:
    with pytest.raises(ParametrizationError, match=r"star: the edge between boundary vertices \d+"):
        place(Template(armed_star(6, 8)), symmetric=False)


def test_too_few_boundary_vertices() -> None:
    triangle = Mesh(np.eye(3), np.array([[0, 1, 2]]), name="flake")
    with pytest.raises(ParametrizationError, match="flake: expected at least 4 vertices"):
        place(Template(triangle), symmetric=False)


def test_uneven_boundary_is_refused() -> None:
    vertices = np.array([[0, 0, 0], [100, 0, 0], [100, 0.1, 0], [99.9, 0.1, 0]], float)
    mesh = Mesh(vertices, np.array([[0, 1, 2], [0, 2, 3]]), name="needle")
    with pytest.raises(ParametrizationError, match="near all four corners"):
        place(Template(mesh), symmetric=False)


def test_boundary_edge_without_length_is_refused() -> None:
    mesh = planar_grid(4)
    vertices = mesh.vertices.copy()
    vertices[1] = vertices[0]
    with pytest.raises(ParametrizationError, match="boundary vertices 0 and 1 lie at one point"):
        place(Template(mesh.replace(vertices=vertices)), symmetric=False)
