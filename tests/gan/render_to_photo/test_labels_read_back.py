"""Labels that are read back: errors in closed form, and what the readers make of real renders."""

from pathlib import Path

import numpy as np
import pytest

from geomface.datasets.labelled_pictures import CameraNumbers
from geomface.files import save_image
from geomface.gan.render_to_photo import KnownRenders, known_renders, read_back
from geomface.gan.render_to_photo.labels import FacesRead, label_errors
from geomface.learning import DatasetError
from geomface.mesh.rotation import rotation_about
from geomface.pipeline import FaceSetSettings, generate_faces
from geomface.recognition import Alignment
from geomface.synthesis import FaceImageSettings

AXIS = np.array([0.0, 1.0, 0.0])


@pytest.fixture(scope="module")
def synth(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("labels") / "synth"
    images = FaceImageSettings(identities=3, samples=1, size=96, outputs=("rgb",), seed=3)
    generate_faces(FaceSetSettings(images, folder))
    return folder


def drawn_truth(count: int = 4) -> KnownRenders:
    """Return a truth without pictures."""
    rng = np.random.default_rng(0)
    cameras = tuple(
        CameraNumbers(False, 900.0, np.zeros(2), rotation_about(AXIS, angle), np.zeros(3))
        for angle in rng.uniform(-0.5, 0.5, count)
    )
    lights = 0.2 * rng.normal(size=(count, 9, 3))
    lights[:, 0] += 3.0
    points = rng.uniform(0, 64, (count, 68, 2))
    names = tuple(map(str, range(count)))
    return KnownRenders(Alignment(64, 64), names, np.zeros((count, 64, 64, 3), np.float32), points,
                        cameras, lights)  # fmt: skip


def read_of(truth: KnownRenders) -> FacesRead:
    """Return what a perfect reader reads."""
    rotations = np.stack([camera.rotation for camera in truth.cameras])
    return FacesRead(truth.points.copy(), rotations, truth.lights.mean(axis=2))


def test_errors_are_those_that_were_made() -> None:
    truth = drawn_truth()
    read = read_of(truth)
    none = label_errors(read, truth)
    assert (none.found, none.landmarks, none.fitted) == (1.0, 0.0, 1.0)
    assert none.pose == pytest.approx(0, abs=1e-4) and none.light == pytest.approx(0, abs=1e-9)
    assert none.light_told == pytest.approx(1)
    eyes = truth.alignment.points
    read.points[..., 0] += 0.1 * np.linalg.norm(eyes[1] - eyes[0])
    read.rotations[:] = rotation_about(np.array([1.0, 0, 0]), np.radians(7)) @ read.rotations
    read.lights[:] *= 3.0  # a brighter light, or a lighter skin: nobody can say
    found = label_errors(read, truth)
    assert found.landmarks == pytest.approx(0.1) and found.pose == pytest.approx(7)
    assert found.light == pytest.approx(0, abs=1e-9)
    read.lights[:] = read.lights.mean(axis=0)  # the same light for all tells nothing
    assert label_errors(read, truth).light_told == pytest.approx(0, abs=1e-6)


def test_what_is_not_found_is_counted_and_left_out() -> None:
    truth = drawn_truth()
    read = read_of(truth)
    read.points[0], read.rotations[:2], read.lights[:2] = np.nan, np.nan, np.nan
    found = label_errors(read, truth)
    assert (found.found, found.fitted, found.landmarks) == (0.75, 0.5, 0.0)
    assert found.light_told is None  # of two fits no correlation is told
    for column in (read.points, read.rotations, read.lights):
        column[:] = np.nan
    nothing = label_errors(read, truth)
    assert nothing.found == 0 and nothing.landmarks is nothing.pose is nothing.light is None


def test_renders_are_read_and_grey_pictures_are_not(synth: Path) -> None:
    both = known_renders(synth, Alignment(16, 16), most=2)
    assert both.names == ("000000_00000", "000002_00000")  # from all over the set
    known = known_renders(synth, Alignment(48, 48), most=1)
    found = read_back(known, np.full_like(known.pictures, 0.5))
    assert found.renders.found == found.renders.fitted == 1
    assert found.renders.landmarks is not None and found.renders.landmarks < 0.12
    assert found.renders.pose is not None and found.renders.pose < 12
    assert found.renders.light is not None and found.renders.light < 0.2
    assert found.translated.found == 0 and found.landmark_ratio is found.pose_moved is None


def test_photographs_have_no_labels_to_read(tmp_path: Path) -> None:
    save_image(tmp_path / "a.png", np.zeros((40, 40, 3), np.float32))
    with pytest.raises(DatasetError, match="whose poses and lights are known"):
        known_renders(tmp_path, Alignment(16, 16), most=3)
