"""Registrations and fits of scans whose landmarks nobody measured: found, or refused."""

import dataclasses
from types import SimpleNamespace

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

import geomface as gf
from geomface.cli.main import main
from geomface.errors import LandmarkError
from geomface.landmarks import LandmarkDetector
from geomface.landmarks.for_template import find_start
from geomface.landmarks.unaided import register_with_model
from geomface.mesh.io import save_mesh
from geomface.mesh.rotation import rotation_angle
from geomface.scans.damage import icosphere
from geomface.scans.simulate import ScanSettings


@pytest.fixture(scope="module")
def face():
    return gf.load_builtin_face()


@pytest.fixture(scope="module")
def detector():
    return LandmarkDetector()


@pytest.fixture(scope="module")
def turned(face):
    """A small scan that lies on its crown and looks away, in inches, and its true landmarks."""
    settings = ScanSettings(vertices=5000)
    scan = gf.simulate_scan(face, rng=np.random.default_rng([3, 1]), settings=settings)
    turn = Rotation.from_euler("zyx", [160.0, 100.0, 50.0], degrees=True).as_matrix() / 25.4
    mesh = scan.mesh.replace(vertices=scan.mesh.vertices @ turn.T, unit="inch")
    return mesh, scan.truth["landmarks"] @ turn.T


@pytest.fixture(scope="module")
def ball():
    vertices, faces = icosphere(4)
    return gf.Mesh(100.0 * vertices, faces, name="ball")


class Finds:
    """A detector that says one thing, whatever it is shown."""

    def __init__(self, found):
        self.found = found

    def detect(self, scan):
        if isinstance(self.found, Exception):
            raise self.found
        return self.found


def test_a_verb_without_landmarks_starts_from_those_on_the_scan(face, turned, detector):
    mesh, truth = turned
    found = detector.detect(mesh)
    assert np.median(np.linalg.norm(found.landmarks.points - truth, axis=1)) * 25.4 < 3.0
    alone = gf.fit_scan(face, mesh, detector=Finds(found))
    given = gf.fit_scan(face, mesh, found.landmarks)
    np.testing.assert_array_equal(alone.mesh.vertices, given.mesh.vertices)
    assert alone.notes == (alone.notes[0], *given.notes) and "found on" in alone.notes[0]


def test_a_template_without_landmarks_is_looked_at_too(face, turned, detector):
    bare = dataclasses.replace(face.template, landmarks=None)
    found = find_start(bare, turned[0], detector)
    placed = face.template.landmarks.positions(face.mesh.vertices)
    miss = np.linalg.norm(found.start.apply(placed) - turned[1], axis=1) * 25.4
    assert found.landmarks is None and np.median(miss) < 8.0
    known = gf.fit_similarity(placed, turned[1])
    assert rotation_angle(found.start.rotation @ known.rotation.T) < np.radians(8.0)


@pytest.mark.parametrize("verb", [gf.register, gf.fit_scan, register_with_model])
def test_no_verb_guesses_where_no_face_is_found(face, ball, verb):
    model = face.template if verb is gf.register else face
    with pytest.raises(LandmarkError, match="no face was found"):
        verb(model, ball, detector=Finds(LandmarkError("no face was found")))


def test_a_ball_is_refused_and_nothing_written(ball, tmp_path, capsys):
    save_mesh(tmp_path / "ball.ply", ball)
    out = tmp_path / "out.ply"
    assert main(["register", "--scan", str(tmp_path / "ball.ply"), "--out", str(out)]) == 1
    assert "no face was found" in capsys.readouterr().err and not out.exists()


def test_a_template_that_is_no_face_needs_landmarks(face, ball):
    class SeesScans(Finds):
        def detect(self, scan):
            if scan is ball:
                raise LandmarkError("no face was found")
            return super().detect(scan)

    with pytest.raises(LandmarkError, match="this template has no landmarks"):
        find_start(gf.Template(ball), face.mesh, SeesScans(SimpleNamespace(landmarks=None)))
