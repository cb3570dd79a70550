"""Which way triangles face."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from geomface.faces.builtin import load_builtin_face
from geomface.mesh.winding import (
    away_from_centre,
    outward_beside,
    repeated_faces,
    turned_triangles,
    winding_parts,
)


def ball(radius=100.0, centre=(0.0, 0.0, 0.0), rows=12, columns=24):
    """A closed ball, outward."""
    down = np.pi * np.arange(1, rows) / rows
    around = 2 * np.pi * np.arange(columns) / columns
    ring = [[np.sin(a) * np.cos(b), np.sin(a) * np.sin(b), np.cos(a)] for a in down for b in around]
    points = np.array([*ring, [0, 0, 1], [0, 0, -1]])
    faces = []
    for row in range(rows - 2):
        for column in range(columns):
            a, b = row * columns + column, row * columns + (column + 1) % columns
            faces += [[a, a + columns, b], [b, a + columns, b + columns]]
    top, bottom, last = len(ring), len(ring) + 1, (rows - 2) * columns
    for column in range(columns):
        following = (column + 1) % columns
        faces += [[top, column, following], [bottom, last + following, last + column]]
    return radius * points + centre, np.array(faces)


@settings(max_examples=6, deadline=None)
@given(seed=st.integers(0, 10_000), share=st.sampled_from([0.0, 0.1, 0.5, 1.0]))
@pytest.mark.parametrize("shape", ["open", "closed"])
def test_any_winding_becomes_outward(shape, seed, share):
    if shape == "closed":
        vertices, faces = ball()
    else:
        mesh = load_builtin_face().mesh
        vertices, faces = mesh.vertices, mesh.faces
    turned = np.random.default_rng(seed).random(len(faces)) < share
    given_faces = np.where(turned[:, None], faces[:, ::-1], faces)
    away = away_from_centre(vertices, faces)
    np.testing.assert_array_equal(turned_triangles(vertices, given_faces, away), turned)
    beside = outward_beside(vertices + 3.0, faces, vertices[::5], vertices[::5] / 100)
    np.testing.assert_array_equal(turned_triangles(vertices, given_faces, beside), turned)


def test_the_inside_of_a_wall_stays_as_it_is():
    (outer, faces), (inner, _) = ball(100.0), ball(97.0)
    vertices = np.concatenate([outer, inner])
    wall = np.concatenate([faces, faces[:, ::-1] + len(outer)])
    assert not turned_triangles(vertices, wall, away_from_centre(vertices, wall)).any()


def test_each_part_is_turned_by_itself():
    (first, faces), (second, _) = ball(), ball(centre=(300.0, 0.0, 0.0))
    vertices = np.concatenate([first, second])
    both = np.concatenate([faces, faces[:, ::-1] + len(first)])
    turn = turned_triangles(vertices, both, away_from_centre(vertices, both))
    np.testing.assert_array_equal(turn, np.arange(len(both)) >= len(faces))


def test_a_surface_with_one_side_is_left_alone():
    strip = np.array([[0, 1, 2], [1, 3, 2], [2, 3, 4], [3, 5, 4], [4, 5, 1], [5, 0, 1]])
    part, turn = winding_parts(strip)
    assert (part == 0).all() and not turn.any()


def test_of_equal_triangles_the_first_stays():
    faces = np.array([[0, 1, 2], [2, 1, 0], [1, 2, 3], [1, 2, 0], [3, 1, 2]])
    np.testing.assert_array_equal(repeated_faces(faces), [False, True, False, True, True])


def test_nothing_known_turns_nothing():
    mesh = load_builtin_face().mesh
    for faces in (mesh.faces, mesh.faces[:, ::-1]):
        assert not turned_triangles(mesh.vertices, faces, np.zeros((len(faces), 3))).any()
