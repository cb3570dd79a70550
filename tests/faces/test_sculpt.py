"""The tools of the workshop: curves, fairing, fields, weights."""

import numpy as np
import pytest
from builtin_face.fairing import Targets, difference_operator, fair, through
from builtin_face.fields import (
    antisymmetric,
    bump,
    push,
    push_line,
    ramp,
    swell,
    symmetric,
    turn,
)
from builtin_face.layout import MOUTH_SEGMENTS, Layout, build_layout
from builtin_face.sculpture import Sculpture, sculpt
from builtin_face.weights import jaw_weights, lower_lip_weights
from hypothesis import given, settings
from hypothesis import strategies as st

FLIP = np.array([-1.0, 1.0, 1.0])


@pytest.fixture(scope="module")
def layout() -> Layout:
    return build_layout()


@pytest.fixture(scope="module")
def face() -> Sculpture:
    return sculpt()


def test_layout_is_its_own_mirror(layout: Layout) -> None:
    twins = layout.mirror[layout.quads][:, ::-1]

    def canonical(quads: np.ndarray) -> set[tuple[int, ...]]:
        start = np.argmin(quads, axis=1)
        rolled = (start[:, None] + np.arange(4)) % 4
        return set(map(tuple, np.take_along_axis(quads, rolled, axis=1).tolist()))

    assert canonical(twins) == canonical(layout.quads)
    np.testing.assert_array_equal(layout.mirror[layout.mirror], np.arange(layout.vertex_count))


def test_curve_through_a_circle() -> None:
    angles = np.linspace(0, 2 * np.pi, 12, endpoint=False)
    points = [(2.0 * k, np.cos(a), np.sin(a), 0.5) for k, a in enumerate(angles)]
    curve = through(points, 24, closed=True)
    np.testing.assert_allclose(np.hypot(curve[:, 0], curve[:, 1]), 1, atol=2e-3)
    np.testing.assert_allclose(curve[::2, :2], np.stack([np.cos(angles), np.sin(angles)], 1))
    gaps = np.linalg.norm(np.diff(curve, axis=0), axis=1)
    assert gaps.max() / gaps.min() < 1.01


def test_curve_meets_the_midline_at_a_right_angle() -> None:
    curve = through([(0, 0, 0, 0), (10, 5, -4, 1), (20, 0, -9, 0)], 21, midline=True)
    start, end = curve[1] - curve[0], curve[-1] - curve[-2]
    assert abs(start[1]) < 0.35 * start[0] and abs(end[1]) < 0.35 * -end[0]


def test_fair_surface_of_a_plane_is_the_plane(layout: Layout) -> None:
    """A linear map of smooth weights: targets on z = 2 y + 3 give a surface on it."""
    rng = np.random.default_rng(0)
    targets = Targets()
    for vertex in rng.choice(layout.left, 400, replace=False):
        x, y = rng.uniform(1, 70), rng.uniform(-80, 100)
        targets.add(vertex, (x, y, 2 * y + 3), 0.1)
    surface = fair(layout, targets)
    np.testing.assert_allclose(surface[:, 2], 2 * surface[:, 1] + 3, atol=1e-5)
    np.testing.assert_array_equal(surface[layout.mirror] * FLIP + 0.0, surface + 0.0)


def test_difference_operator_has_no_say_on_constants(layout: Layout) -> None:
    operator = difference_operator(layout)
    np.testing.assert_allclose(operator @ np.ones(layout.vertex_count), 0, atol=1e-12)


@settings(max_examples=30, deadline=None)
@given(
    st.tuples(*[st.floats(-60, 60)] * 3),
    st.floats(5, 30),
    st.tuples(*[st.floats(-3, 3)] * 3),
)
def test_fields_have_mirror_twins(center, radius: float, by) -> None:
    """Every two-sided field commutes with the mirror."""
    rng = np.random.default_rng(4)
    points = rng.uniform(-80, 80, (40, 3))
    for field in (
        push(points, center, radius, by),
        swell(points, center, radius, by),
        push_line(points, [center, (20, 0, 100)], radius, by),
    ):
        assert np.isfinite(field).all()
    if center[0] != 0:
        for make in (
            lambda p: push(p, center, radius, by),
            lambda p: swell(p, center, radius, by),
            lambda p: push_line(p, [center, (20, 0, 100)], radius, by),
            lambda p: turn(p, center, radius, (0, 0, 1), 3.0),
        ):
            np.testing.assert_allclose(make(points * FLIP) * FLIP, make(points), atol=1e-9)


def test_turn_is_a_small_rotation() -> None:
    center = np.array([0.0, 3.0, 2.0])
    field = turn(center + [[0.0, 1e-3, 0]], center, 10.0, (1, 0, 0), 2.0)
    np.testing.assert_allclose(field, [[0, 0, 1e-3 * np.radians(2)]], atol=1e-9)


def test_ramp_and_bump_ends() -> None:
    np.testing.assert_allclose(ramp(np.array([-5.0, 0, 5, 10, 20]), 0, 10), [0, 0, 0.5, 1, 1])
    np.testing.assert_allclose(bump(np.array([[1.0, 2, 3]]), (1, 2, 3), 4.0), 1)


def test_even_and_odd_parts_add_up(layout: Layout, rng: np.random.Generator) -> None:
    field = rng.standard_normal((layout.vertex_count, 3))
    even, odd = symmetric(field, layout), antisymmetric(field, layout)
    np.testing.assert_allclose(even + odd, field, atol=1e-12)
    np.testing.assert_array_equal(even[layout.mirror] * FLIP, even)
    np.testing.assert_array_equal(odd[layout.mirror] * FLIP, -odd)


def test_weights_know_the_lips(layout: Layout, face: Sculpture) -> None:
    middle = MOUTH_SEGMENTS // 2
    for weights in (
        lower_lip_weights(layout, face.vertices),
        jaw_weights(layout, face.vertices),
    ):
        assert weights.min() >= 0 and weights.max() <= 1
        np.testing.assert_array_equal(weights[layout.mirror], weights)
        assert weights[layout.mouth[8, 0]] < 0.02 and weights[layout.mouth[8, -1]] > 0.98
        rim = weights[layout.mouth[-1]]
        assert (np.diff(rim) >= -1e-9).all(), "from the upper to the lower lip it only grows"
        assert 0.2 < rim[middle] < 0.6


def test_sculpting_twice_gives_the_same(face: Sculpture) -> None:
    again = sculpt()
    np.testing.assert_array_equal(again.vertices, face.vertices)
    for name, field in face.expression.items():
        np.testing.assert_array_equal(again.expression[name], field)
