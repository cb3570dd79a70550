"""Hidden parts keep their shape; lips that meet on the scan meet on the template."""

import dataclasses

import numpy as np
import pytest
from scipy.spatial import KDTree
from scipy.spatial.transform import Rotation

from geomface.faces.builtin import load_builtin_face
from geomface.mesh import Landmarks, Mesh
from geomface.mesh.topology import unique_edges
from geomface.registration import NonRigidRegistration, RegistrationSettings, register
from geomface.registration.hidden import HiddenParts
from geomface.registration.mouth import (
    LipLine,
    find_lips,
    keep_apart,
    lip_line,
    lips_meet,
    wider_open,
)
from geomface.registration.scan_target import ScanTarget

QUICK = RegistrationSettings(stiffness=(1e5, 1.3e3, 17.0, 2.0), final_matches=1)
OPPOSITE = np.array([[61, 67], [62, 66], [63, 65]])


@pytest.fixture(scope="module")
def template():
    return load_builtin_face().template


@pytest.fixture(scope="module")
def lips(template):
    return find_lips(template.mesh.vertices, template.mesh.faces, template.landmarks)


def sack(count=17, depth=10.0):
    """A plane with a sack behind it, and which vertices are in the sack."""
    x, y = np.meshgrid(np.linspace(-20, 20, count), np.linspace(-20, 20, count))
    away = np.hypot(x, y).ravel()
    z = -depth * np.maximum(1 - (away / 10.0) ** 2, 0.0)
    corner = (np.arange(count - 1)[:, None] * count + np.arange(count - 1)).ravel()
    faces = np.concatenate(
        [corner[:, None] + half for half in ([0, 1, count + 1], [0, count + 1, count])]
    )
    return np.stack([x.ravel(), y.ravel(), z], axis=1), faces, away < 10.0


def test_a_torn_part_follows_its_rim_rigidly(rng):
    rest, faces, inside = sack()
    turn = Rotation.from_euler("xyz", [20.0, -15.0, 40.0], degrees=True).as_matrix()
    right = rest @ turn.T + [5.0, 6.0, 7.0]
    torn = right.copy()
    torn[inside] += rng.normal(scale=1.0, size=(int(inside.sum()), 3))
    found = HiddenParts(rest, faces).settle(torn, inside)
    np.testing.assert_array_equal(found[~inside], torn[~inside])
    assert np.abs(found - right).max() < 0.3
    np.testing.assert_array_equal(HiddenParts(rest, faces).settle(right, inside), right)


def test_a_stretched_rim_does_not_stretch_what_hangs_on_it():
    rest, faces, inside = sack()
    stretched = 2.1 * rest
    found = HiddenParts(rest, faces).settle(stretched, inside)
    # Less than doubled is what faces do.
    np.testing.assert_array_equal(HiddenParts(rest, faces).settle(1.6 * rest, inside), 1.6 * rest)
    i, j = unique_edges(faces[inside[faces].all(axis=1)]).T

    def strain(at):
        lengths = [np.linalg.norm(mesh[i] - mesh[j], axis=1) for mesh in (at, rest)]
        return np.abs(np.log(lengths[0] / lengths[1]))

    assert strain(found).mean() < 0.7 * strain(stretched).mean()
    assert strain(found).max() < strain(stretched).max()


def test_parts_that_are_not_matched_go_with_what_surrounds_them():
    rest, faces, _ = sack()
    ball = np.array([[0, 0, 1.0], [1, 0, -1], [-1, 1, -1], [-1, -1, -1]]) + [0, 0, -4.0]
    both = np.vstack([rest, ball])
    four = np.array([[0, 1, 2], [0, 2, 3], [0, 3, 1], [1, 3, 2]]) + len(rest)
    parts = HiddenParts(both, np.vstack([faces, four]))
    turn = Rotation.from_euler("y", 30.0, degrees=True).as_matrix()
    now = both.copy()
    now[: len(rest)] = rest @ turn.T + [1.0, 2.0, 3.0]
    accepted = np.arange(len(both)) < len(rest)
    found, carried = parts.carry(now, accepted)
    np.testing.assert_allclose(found, both @ turn.T + [1.0, 2.0, 3.0], atol=1e-9)
    assert carried.tolist() == (~accepted).tolist()


def test_lips_are_found_from_corner_to_corner(template, lips):
    vertices = template.mesh.vertices
    marks = template.landmarks.vertices[:, 0]
    assert set(marks[OPPOSITE[:, 0]]) <= set(lips.upper)
    assert set(marks[OPPOSITE[:, 1]]) <= set(lips.lower)
    np.testing.assert_allclose(lips.axes(vertices)[0], [1.0, 0.0, 0.0], atol=1e-6)
    upper, lower = vertices[lips.side > 0], vertices[lips.side < 0]
    assert upper[:, 1].mean() > lower[:, 1].mean() and len(upper) > 50 < len(lower)
    assert find_lips(vertices, template.mesh.faces, None) is None


@pytest.mark.parametrize("apart", [-1.5, 0.0, 4.0])
def test_the_surface_says_whether_lips_meet(template, lips, apart):
    # Two lips of a simple scan: half planes, bulging forward, `apart` mm from each other.
    vertices = template.mesh.vertices
    centre = vertices[lips.upper].mean(axis=0)
    x, y = np.meshgrid(np.linspace(-40, 40, 41), np.linspace(0.0, 20.0, 21))
    z = -0.15 * np.abs(x) ** 1.2 - 3.0 * np.exp(-y / 1.5)
    flat = np.stack([x.ravel(), y.ravel(), z.ravel()], axis=1)
    corner = (np.arange(20)[:, None] * 41 + np.arange(40)).ravel()
    faces = np.concatenate([corner[:, None] + half for half in ([0, 1, 42], [0, 42, 41])])
    lower = flat * [1, -1, 1]
    lower[:, 1] -= max(apart, 0.0)
    # Overlapping: the upper lip hangs in front of the lower one.
    flat[:, 1] += min(apart, 0.0)
    flat[:, 2] += 1.0 * (apart < 0)
    scan = ScanTarget(
        np.vstack([flat, lower]) + centre, np.vstack([faces, faces[:, ::-1] + len(flat)])
    )
    line = lip_line(lips, vertices, scan)
    assert lips_meet(lips, vertices, line, None) == (apart <= 0.0)
    if apart == 0.0:
        assert np.abs(line.up - centre @ lips.axes(vertices)[1]).max() < 1.5
    points = np.full((68, 3), np.nan)
    points[OPPOSITE[:, 0]] = 0.0
    points[OPPOSITE[:, 1]] = [8.0, 0.0, 0.0]
    assert not lips_meet(lips, vertices, line, Landmarks(points))


def test_lips_that_the_surface_has_closed_are_left_to_it(template, lips):
    vertices = template.mesh.vertices.copy()
    line = LipLine(0.0, np.zeros(0), np.zeros(0), np.zeros(0))
    assert wider_open(lips, vertices, line)
    assert not wider_open(lips, vertices, dataclasses.replace(line, apart=4.0))
    # The lower lip in front of the upper one, and higher.
    vertices[lips.lower] = vertices[lips.upper] + [0.0, 0.5, 1.5]
    assert not wider_open(lips, vertices, line)


def test_the_barrier_keeps_each_lip_on_its_side(template, lips):
    vertices = template.mesh.vertices.copy()
    middle = 0.5 * (vertices[lips.upper] + vertices[lips.lower])
    vertices[lips.upper], vertices[lips.lower] = middle, middle
    barrier = keep_apart(lips, vertices)
    beyond, put = barrier(vertices)
    assert beyond.any() and not beyond[lips.side == 0].any()
    np.testing.assert_array_equal(put[~beyond], vertices[~beyond])
    again = put + 1e-9 * lips.side[:, None] * lips.axes(vertices)[1]
    assert not barrier(again)[0].any()


def test_a_closed_mouth_is_closed(template, lips):
    """A scan of the face itself with lips that meet in one line, and nothing behind them."""
    mesh = template.mesh
    vertices = mesh.vertices.copy()
    middle = 0.5 * (vertices[lips.upper] + vertices[lips.lower])
    above = vertices[:, 1] > np.interp(vertices[:, 0], middle[:, 0], middle[:, 1])
    for side, here in ((lips.upper, above), (lips.lower, ~above)):
        away, nearest = KDTree(mesh.vertices[side]).query(mesh.vertices)
        share = np.exp(-((away / 8.0) ** 2)) * here
        vertices += share[:, None] * (middle - mesh.vertices[side])[nearest]
    outside = (lips.side[mesh.faces] == 0).all(axis=1)
    scan = Mesh(vertices, mesh.faces[outside])
    marks = Landmarks(template.landmarks.positions(vertices))
    found = register(NonRigidRegistration(template, QUICK), scan, marks)
    ends = found.mesh.vertices[template.landmarks.vertices[:, 0][OPPOSITE]]
    assert np.linalg.norm(ends[:, 0] - ends[:, 1], axis=1).max() <= 0.6
    assert found.rim_crossings == 0
    open_scan = Mesh(mesh.vertices, mesh.faces)
    opened = register(
        NonRigidRegistration(template, QUICK),
        open_scan,
        Landmarks(template.landmarks.positions(mesh.vertices)),
    )
    ends = opened.mesh.vertices[template.landmarks.vertices[:, 0][OPPOSITE]]
    assert np.linalg.norm(ends[:, 0] - ends[:, 1], axis=1).min() > 2.0
