"""Templates of any kind: rims that touch, closed heads, several parts."""

import numpy as np
import pytest

from geomface.errors import MeshError
from geomface.faces.builtin import load_builtin_face
from geomface.mesh import Landmarks, Mesh, Similarity, Template
from geomface.mesh.topology import boundary_cycles, boundary_loops, require_disk_with_holes
from geomface.registration import RegistrationSettings, register
from geomface.registration.template_terms import inner_rims

QUICK = RegistrationSettings(stiffness=(1e5, 1.3e3), final_matches=1)


@pytest.fixture(scope="module")
def template():
    return load_builtin_face().template


def moved(template):
    """A scan of the template itself: larger, elsewhere, the chin pulled down; and landmarks."""
    vertices = template.mesh.vertices.copy()
    vertices[:, 1] -= 6.0 / (1.0 + np.exp((vertices[:, 1] + 50.0) / 8.0))
    place = Similarity(1.05, np.eye(3), [30.0, -20.0, 100.0])
    return place.apply(vertices)


def fitted(template, face):
    """Register `template`, whose first vertices are the face's, to the moved face."""
    truth = moved(face)
    marks = Landmarks(face.landmarks.positions(truth))
    found = register(template, Mesh(truth, face.mesh.faces), marks, settings=QUICK)
    return np.linalg.norm(found.mesh.vertices[: len(truth)] - truth, axis=1), found


def without(template, gone):
    return Template(Mesh(template.mesh.vertices, template.mesh.faces[~gone]), template.landmarks)


def touching(template):
    """Two triangles of the cheek that share one vertex are missing: the hole touches itself."""
    faces, vertices = template.mesh.faces, template.mesh.vertices
    centre = int(np.argmin(np.linalg.norm(vertices - [45.0, -10.0, 80.0], axis=1)))
    around = np.flatnonzero((faces == centre).any(axis=1))
    first = around[0]
    across = next(i for i in around if len(set(faces[i]) & set(faces[first])) == 1)
    gone = np.zeros(len(faces), bool)
    gone[[first, across]] = True
    return without(template, gone)


def closed(template):
    """Every rim closed by a fan."""
    vertices, faces = template.mesh.vertices, template.mesh.faces
    for loop in boundary_loops(faces):
        fan = np.stack([np.roll(loop, -1), loop, np.full(len(loop), len(vertices))], axis=1)
        centre = vertices[loop].mean(axis=0) - [0.0, 0.0, 15.0]
        vertices, faces = np.vstack([vertices, centre]), np.vstack([faces, fan])
    return Template(Mesh(vertices, faces), template.landmarks)


def test_cycles_part_where_rims_touch(template):
    plain = [set(loop.tolist()) for loop in boundary_loops(template.mesh.faces)]
    assert [set(loop.tolist()) for loop in boundary_cycles(template.mesh.faces)] == plain
    faces = touching(template).mesh.faces
    with pytest.raises(MeshError, match="boundary loops"):
        boundary_loops(faces)
    cycles = boundary_cycles(faces)
    assert sorted(len(cycle) for cycle in cycles) == [3, 3, *sorted(map(len, plain))]
    flipped = template.mesh.faces.copy()
    rim = boundary_loops(flipped)[0]
    turned = np.isin(flipped, rim).sum(axis=1) == 2
    flipped[np.flatnonzero(turned)[0]] = flipped[np.flatnonzero(turned)[0]][::-1]
    with pytest.raises(MeshError, match="not wound alike"):
        boundary_cycles(flipped)


def test_lips_and_lids_are_openings_that_look_forward(template):
    vertices, faces = template.mesh.vertices, template.mesh.faces
    rims = inner_rims(vertices, faces)
    assert len(rims) == 3
    assert not set(np.concatenate(rims)) & set(require_disk_with_holes(template.mesh)[0])
    head = closed(template).mesh
    assert inner_rims(head.vertices, head.faces) == []


@pytest.mark.parametrize("kind", [touching, closed])
def test_a_template_needs_no_simple_rim(template, kind):
    errors, found = fitted(kind(template), template)
    assert found.residual_mm["median"] < 0.1
    assert np.median(errors) < 1.0 and np.percentile(errors, 95) < 4.0
    assert found.mesh.topology_id == kind(template).mesh.topology_id


def test_parts_go_with_the_face(template):
    """An eyeball behind the lids, closed and never matched, moves as the lids do."""
    vertices, faces = template.mesh.vertices, template.mesh.faces
    corners = np.vstack([np.eye(3), -np.eye(3)])
    ball = np.array(
        [[0, 1, 2], [1, 3, 2], [3, 4, 2], [4, 0, 2], [1, 0, 5], [3, 1, 5], [4, 3, 5], [0, 4, 5]]
    )
    centre = vertices[template.landmarks.vertices[36:42, 0]].mean(axis=0) - [0.0, 0.0, 14.0]
    both = Mesh(
        np.vstack([vertices, 10.0 * corners + centre]), np.vstack([faces, ball + len(vertices)])
    )
    errors, found = fitted(Template(both, template.landmarks), template)
    assert np.median(errors) < 1.0
    eye = found.mesh.vertices[len(vertices) :]
    now = np.linalg.norm(eye[:, None] - eye, axis=2)
    np.testing.assert_allclose(
        now, 10.5 * np.linalg.norm(corners[:, None] - corners, axis=2), rtol=0.02
    )
    assert np.linalg.norm(eye.mean(axis=0) - (1.05 * centre + [30.0, -20.0, 100.0])) < 1.5
    assert (found.confidence[len(vertices) :] == 0.0).all()
