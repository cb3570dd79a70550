"""The whole detection with a detector that knows the truth, and its refusals."""

import numpy as np
import pytest

from geomface.errors import FileFormatError, LandmarkError
from geomface.faces.builtin import load_builtin_face
from geomface.landmarks import LandmarkDetector
from geomface.landmarks.candidate_views import all_views, likely_views
from geomface.landmarks.pose_search import DetectionSettings
from geomface.landmarks.surface import ScanSurface
from geomface.landmarks.training.shape_models import learn_landmark_shape
from geomface.landmarks.view_detectors import PictureDetector
from geomface.mesh import Mesh
from geomface.mesh.similarity import Similarity
from geomface.rendering.camera import view_rotation
from geomface.scans.simulate import simulate_scan


@pytest.fixture(scope="module")
def face():
    return load_builtin_face()


@pytest.fixture(scope="module")
def scan(face):
    return simulate_scan(face, rng=np.random.default_rng(8))


@pytest.fixture(scope="module")
def shape_model(face):
    return learn_landmark_shape([face], 80, np.random.default_rng(2), components=25)


class Oracle:
    """Sees the true landmarks in every view that shows the face from its front."""

    def __init__(self, truth, shape_model, forward):
        self.truth, self.shape_model, self.forward = truth, shape_model, forward

    def detect(self, surface, views):
        for view in views:
            toward = float(view.rotation[2] @ self.forward)
            places, _ = view.project(surface.factor * self.truth)
            yield view, places, np.full(68, 0.5 if toward > 0.3 else 20.0)


def oracle(scan, shape_model, move=None):
    move = move or Similarity()
    return Oracle(
        move.apply(scan.truth["landmarks"]),
        shape_model,
        (move.rotation @ scan.truth["rotation"])[:, 2],
    )


@pytest.mark.parametrize("turn", [(0.0, 0.0), (150.0, 40.0)])
def test_true_pixels_become_true_points_in_any_pose(scan, shape_model, turn):
    move = Similarity(1.0, view_rotation(*turn), np.array([30.0, -20.0, 5.0]))
    moved = scan.mesh.replace(vertices=move.apply(scan.mesh.vertices))
    result = LandmarkDetector(oracle(scan, shape_model, move)).detect(moved)
    truth = move.apply(scan.truth["landmarks"])
    miss = np.linalg.norm(result.landmarks.points - truth, axis=1)
    assert np.median(miss[~result.filled]) < 1.0
    assert miss[17:].mean() < 2.0
    forward = result.similarity.rotation[:, 2]
    assert forward @ (move.rotation @ scan.truth["rotation"])[:, 2] > 0.95
    assert result.landmarks.sigma_mm is not None and (result.confidence[result.filled] == 0).all()


def test_metres_come_back_in_metres(scan, shape_model):
    metres = scan.mesh.replace(vertices=scan.mesh.vertices / 1000, unit="m")
    move = Similarity(0.001)
    result = LandmarkDetector(oracle(scan, shape_model, move)).detect(metres)
    miss = np.linalg.norm(1000 * result.landmarks.points - scan.truth["landmarks"], axis=1)
    assert np.median(miss) < 1.0 and result.landmarks.unit == "m"


def test_a_users_own_detector_gets_pictures_and_gives_pixels(scan, shape_model):
    shapes = []

    def nothing(picture):
        shapes.append(picture.shape)
        assert picture.min() >= 0 and picture.max() <= 1
        return None

    detector = PictureDetector(nothing, scan.mesh, shape_model=shape_model, size=64)
    with pytest.raises(LandmarkError, match="no face was found"):
        LandmarkDetector(detector).detect(scan.mesh)
    assert set(shapes) == {(64, 64, 3)}

    def wrong(picture):
        return np.zeros((5, 2))

    detector = PictureDetector(wrong, scan.mesh, shape_model=shape_model, size=64)
    with pytest.raises(LandmarkError, match=r"\(68, 2\)"):
        LandmarkDetector(detector).detect(scan.mesh)


def test_a_detector_that_loses_sight_of_the_face_is_refused(scan, shape_model):
    class Forgetful(Oracle):
        def detect(self, surface, views):
            return super().detect(surface, views) if len(views) > 5 else []

    forgetful = Forgetful(scan.truth["landmarks"], shape_model, scan.truth["rotation"][:, 2])
    with pytest.raises(LandmarkError, match="sees none"):
        LandmarkDetector(forgetful).detect(scan.mesh)


def test_what_is_no_face_is_refused(shape_model):
    class Unsure:
        def __init__(self):
            self.shape_model = shape_model

        def detect(self, surface, views):
            rng = np.random.default_rng(0)
            for view in views:
                yield view, rng.uniform(40, 90, (68, 2)), np.full(68, 9.0)

    theta, phi = np.meshgrid(np.linspace(0, np.pi, 30), np.linspace(0, 2 * np.pi, 40, False))
    points = np.stack(
        [np.sin(theta) * np.cos(phi), np.sin(theta) * np.sin(phi), np.cos(theta)], -1
    ).reshape(-1, 3)
    from scipy.spatial import ConvexHull

    hull = ConvexHull(points)
    ball = Mesh(100 * points, hull.simplices, name="ball")
    with pytest.raises(LandmarkError, match=r"ball: no face was found.*--landmarks"):
        LandmarkDetector(Unsure(), settings=DetectionSettings(refinements=1)).detect(ball)


def test_views_look_from_everywhere(scan):
    surface = ScanSurface(scan.mesh)
    for view in [*likely_views(surface), *all_views(surface)]:
        np.testing.assert_allclose(view.rotation @ view.rotation.T, np.eye(3), atol=1e-9)
        assert np.linalg.det(view.rotation) == pytest.approx(1.0)
    directions = np.stack([view.rotation[2] for view in all_views(surface)])
    for wanted in np.vstack([np.eye(3), -np.eye(3)]):
        assert (directions @ wanted).max() > 0.85


def test_a_damaged_detector_file_is_refused(tmp_path):
    from geomface.files.tensors import save_tensors
    from geomface.landmarks.weights import load_detector

    path = tmp_path / "d.safetensors"
    save_tensors(path, {"network.stem.bias": np.zeros(3)}, kind="landmark-detector", schema=1)
    with pytest.raises(FileFormatError, match="not the weights"):
        load_detector(path)
