"""The rasterizer against exact rational arithmetic, and its promises about shared edges."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from geomface.errors import MeshError
from geomface.rendering.rasterize import barycentrics, rasterize


def grid(count: int, offset: float = 0.5, step: float = 1.0) -> tuple[np.ndarray, np.ndarray]:
    """A count x count grid of vertices, every square cut into two triangles."""
    axis = offset + step * np.arange(count)
    xy = np.stack(np.meshgrid(axis, axis), -1).reshape(-1, 2)
    index = np.arange(count * count).reshape(count, count)
    corners = (index[:-1, :-1], index[1:, :-1], index[1:, 1:], index[:-1, 1:])
    a, b, c, d = (corner.ravel() for corner in corners)
    return xy, np.concatenate([np.stack([a, b, c], 1), np.stack([a, c, d], 1)])


def owners(xy: np.ndarray, faces: np.ndarray, size: int, bits: int = 8) -> np.ndarray:
    """How many triangles own each pixel when every triangle is drawn alone."""
    count = np.zeros((size, size), int)
    for face in faces:
        count += rasterize(xy, None, face[None], size, size, subpixel_bits=bits) >= 0
    return count


def test_grid_on_pixel_centres_has_no_crack_and_no_double_hit():
    xy, faces = grid(33)
    count = owners(xy, faces, 34)
    assert (count[:32, :32] == 1).all()
    # Bottom and right edges are neither top nor left, so the last row and column stay free.
    assert count.sum() == 32 * 32
    assert np.array_equal(rasterize(xy, None, faces, 34, 34) >= 0, count == 1)


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10**6), st.sampled_from([4, 8, 20]))
def test_a_jittered_patch_owns_every_pixel_once(seed, bits):
    rng = np.random.default_rng(seed)
    xy, faces = grid(6, offset=2.0, step=2.6)
    # Jitter on a coarse lattice, so that vertices and edges meet pixel centres often.
    xy = xy + rng.integers(-2, 3, xy.shape) * 0.25
    xy = np.round(xy * 2) / 2
    count = owners(xy, faces, 20, bits)
    assert count.max() == 1
    assert np.array_equal(count == 1, rasterize(xy, None, faces, 20, 20, subpixel_bits=bits) >= 0)


@settings(max_examples=40, deadline=None)
@given(st.lists(st.integers(-40, 140), min_size=6, max_size=6))
def test_coverage_agrees_with_rational_arithmetic(numbers):
    size = 12
    corners = [(Fraction(numbers[2 * i], 8), Fraction(numbers[2 * i + 1], 8)) for i in range(3)]
    ids = rasterize(
        np.array(corners, float), None, np.array([[0, 1, 2]]), size, size, subpixel_bits=8
    )
    (ax, ay), (bx, by), (cx, cy) = corners
    area = (bx - ax) * (cy - ay) - (cx - ax) * (by - ay)
    ordered = corners if area > 0 else [corners[0], corners[2], corners[1]]
    for row in range(size):
        for column in range(size):
            x, y = column + Fraction(1, 2), row + Fraction(1, 2)
            inside = area != 0
            for i in range(3):
                (px, py), (qx, qy) = ordered[i], ordered[(i + 1) % 3]
                edge = (qx - px) * (y - py) - (qy - py) * (x - px)
                owns = qy < py or (qy == py and qx > px)
                inside = inside and (edge > 0 or (edge == 0 and owns))
            assert (ids[row, column] == 0) == inside


def test_nearer_wins_and_lower_id_wins_ties():
    square = np.array([[0, 0], [8, 0], [8, 8], [0, 8]], float)
    xy = np.concatenate([square, square])
    faces = np.array([[0, 1, 2], [0, 2, 3], [4, 5, 6], [4, 6, 7]])
    depth = np.repeat([2.0, 1.0], 4)
    assert set(np.unique(rasterize(xy, depth, faces, 8, 8))) == {2, 3}
    assert set(np.unique(rasterize(xy, depth[::-1], faces, 8, 8))) == {0, 1}
    assert set(np.unique(rasterize(xy, np.ones(8), faces, 8, 8))) == {0, 1}


def test_depth_is_interpolated_where_surfaces_cross():
    square = np.array([[0, 0], [16, 0], [16, 16], [0, 16]], float)
    faces = np.array([[0, 1, 2], [0, 2, 3], [4, 5, 6], [4, 6, 7]])
    depth = np.array([0, 1, 1, 0, 0.25, 0.25, 0.25, 0.25])
    ids = rasterize(np.concatenate([square, square]), depth, faces, 16, 16)
    assert (ids[:, :4] <= 1).all()
    assert (ids[:, 4:] >= 2).all()


def test_both_sides_are_drawn_unless_culled():
    xy = np.array([[0.0, 0.0], [0.0, 8.0], [8.0, 0.0]])
    towards = np.array([[0, 1, 2]])  # counter-clockwise to the eye, since y points down
    away = towards[:, ::-1]
    shown = rasterize(xy, None, towards, 8, 8)
    assert np.array_equal(shown, rasterize(xy, None, away, 8, 8))
    assert np.array_equal(shown, rasterize(xy, None, towards, 8, 8, cull=True))
    assert (rasterize(xy, None, away, 8, 8, cull=True) == -1).all()


def test_what_cannot_be_drawn_is_left_out_and_the_rest_is_drawn():
    xy = np.array([[0, 0], [8, 0], [0, 8], [np.nan, 0], [1e9, 1e9], [4, 0]], float)
    faces = np.array([[0, 1, 3], [0, 1, 4], [0, 1, 5], [0, 1, 2]])
    assert set(np.unique(rasterize(xy, None, faces, 8, 8))) == {-1, 3}
    depth = np.array([0, 0, np.inf, 0, 0, 0])
    assert (rasterize(xy, depth, faces, 8, 8) == -1).all()


def test_large_triangles_beyond_the_picture_are_clipped():
    xy = np.array([[-9000.0, -9000.0], [18000.0, -9000.0], [-9000.0, 18000.0]])
    assert (rasterize(xy, None, np.array([[0, 1, 2]]), 30, 40) == 0).all()


def test_barycentrics_reproduce_linear_functions(rng):
    xy, faces = grid(9, offset=1.3, step=3.3)
    xy += rng.uniform(-0.8, 0.8, xy.shape)
    ids = rasterize(xy, None, faces, 32, 32)
    weights = barycentrics(xy, faces, ids)
    rows, columns = np.nonzero(ids >= 0)
    corners = xy[faces[ids[rows, columns]]]
    points = np.einsum("nk,nkc->nc", weights, corners)
    assert np.abs(points - np.stack([columns + 0.5, rows + 0.5], 1)).max() < 1e-12
    assert np.abs(weights.sum(axis=1) - 1).max() < 1e-15 * 8
    assert weights.min() > -0.01


def test_a_triangle_without_area_gets_equal_weights():
    ids = np.zeros((1, 1), np.int32)
    weights = barycentrics(np.zeros((3, 2)), np.array([[0, 1, 2]]), ids)
    assert np.allclose(weights, 1 / 3)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"xy": np.zeros((3, 3))}, "shape"),
        ({"faces": np.array([[0, 1, 3]])}, "outside"),
        ({"depth": np.zeros(2)}, "shape"),
        ({"height": 0}, "one pixel"),
        ({"subpixel_bits": 25}, "bits"),
        ({"subpixel_bits": 24, "width": 64}, "bits"),
    ],
)
def test_bad_input_is_refused_with_a_sentence(change, words):
    arguments = {
        "xy": np.zeros((3, 2)),
        "depth": None,
        "faces": np.array([[0, 1, 2]]),
        "height": 4,
        "width": 4,
    }
    with pytest.raises(MeshError, match=words):
        rasterize(**{**arguments, **change})
