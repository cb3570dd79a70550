"""A template that melted onto something else is told from a fitted face."""

import numpy as np
import pytest
import trimesh
from scipy.spatial.transform import Rotation

from geomface.errors import FailedRegistrationError
from geomface.fitting.model_registration import known_faces, shape_prior
from geomface.mesh import Landmarks, Mesh, Similarity
from geomface.mesh.normals import vertex_normals
from geomface.registration import register
from geomface.registration.verification import _shape_reasons
from geomface.scans.simulate import simulate_scan


def turned(similarity, template, axis, degrees):
    """Turn a pose about the middle of the face."""
    rotation = Rotation.from_euler(axis, degrees, degrees=True).as_matrix()
    centre = template.mesh.vertices.mean(axis=0)
    return similarity.compose(Similarity(1.0, rotation, centre - rotation @ centre))


def test_a_fitted_face_is_one(face, solver, scan):
    result = register(solver, scan.mesh, scan.landmarks, faces=shape_prior(face))
    found = result.verification
    assert found.reasons == ()
    assert found.distortion < 15.0 and found.model_distance < 15.0 and found.upright > 1.0
    assert found.matched == pytest.approx(result.history[-1].kept_fraction)


@pytest.mark.parametrize(("axis", "degrees"), [("z", 180), ("x", -80)])
def test_a_wrong_pose_is_refused_and_the_result_can_be_looked_at(face, solver, scan, axis, degrees):
    right = register(solver, scan.mesh, scan.landmarks).similarity
    start = turned(right, face.template, axis, degrees)
    with pytest.raises(FailedRegistrationError, match=r"no likely face.*Likely causes") as caught:
        register(solver, scan.mesh, start=start, faces=shape_prior(face))
    assert caught.value.result.verification.reasons
    assert caught.value.result.residual_mm["median"] < 0.5  # which tells nothing


def test_a_face_upside_down_is_told_by_its_relief(face, solver):
    """This one lies within the limits of distortion and of the face model, and of both at once."""
    scan = simulate_scan(face, rng=np.random.default_rng(4))
    truth = scan.truth
    right = Similarity(float(truth["scale"]), truth["rotation"], truth["translation"])
    start = turned(right, face.template, "z", 180)
    result = register(solver, scan.mesh, start=start, faces=shape_prior(face), verify=False)
    found = result.verification
    assert _shape_reasons(found.distortion, found.model_distance) == []
    (reason,) = found.reasons
    assert "one upside down" in reason and found.upright < 0.33


def test_the_relief_of_a_turned_template_is_upside_down(face, solver):
    """On the template itself: far above the limit upright, as far below 0 when it is turned."""
    normals = vertex_normals(solver.rest, solver.faces, weighting="area")
    relief, mass = solver.relief(solver.rest, normals), solver.bending.mass
    right = solver.turned.upright(relief, relief, mass)
    under = solver.turned._places[4][0]  # turned on the spot
    assert right > 3.0
    assert solver.turned.upright(relief, relief[under], mass) < -3.0
    half = mass * (solver.rest[:, 0] > 0)
    assert solver.turned.upright(relief, relief, half) > 3.0
    noise = np.random.default_rng(0).standard_normal(len(relief))
    assert abs(solver.turned.upright(relief, noise, mass)) < 0.2


def test_much_of_distortion_and_distance_at_once_is_no_face():
    """Each limit holds alone, and an ellipse a little outside of both for the two together."""
    angles, distances = np.linspace(0.0, 45.0, 46), np.linspace(0.0, 35.0, 36)
    likely = np.array([[not _shape_reasons(a, d) for d in distances] for a in angles])
    inside = (angles[:, None] <= 38.0) & (distances <= 28.0)
    both = np.hypot(angles[:, None] / 38.0, distances / 28.0)
    np.testing.assert_array_equal(likely, inside & (both <= 1.08))
    corner = inside & ~likely
    assert corner.sum() > 50 and likely[both <= 1.0].all()
    (reason,) = _shape_reasons(36.0, 27.0)
    assert "36 degrees" in reason and "27 standard" in reason and "both at once" in reason
    assert _shape_reasons(37.0, None) == [] and len(_shape_reasons(39.0, None)) == 1
    assert len(_shape_reasons(39.0, 29.0)) == 2


def test_a_ball_is_no_face(solver):
    ball = trimesh.creation.icosphere(subdivisions=4, radius=100.0)
    scan = Mesh(np.asarray(ball.vertices), np.asarray(ball.faces), name="ball")
    with pytest.raises(FailedRegistrationError, match="ball: the fit is no likely face"):
        register(solver, scan, start=Similarity())
    found = register(solver, scan, start=Similarity(), verify=False)
    assert found.verification.distortion > 40.0


def test_a_landmark_off_the_fitted_face_is_named(solver, scan):
    points = scan.landmarks.points.copy()
    points[33] += [0.0, -14.0, 0.0]
    result = register(solver, scan.mesh, Landmarks(points))
    assert any("far from the fitted face: 33 (1" in note for note in result.notes)


def test_the_built_in_topology_has_a_model(face, solver):
    assert known_faces(face.template).modes.shape[1] == len(face.mesh.vertices)
    assert known_faces(simulate_template()) is None


def simulate_template():
    from geomface.mesh import Template

    return Template(Mesh(np.eye(3), np.array([[0, 1, 2]])))
