"""Faces and landmarks in pictures: where they are, however the picture is stored or turned."""

import dataclasses
import io
import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import geomface as gf
from geomface.cli.main import main
from geomface.errors import FileFormatError, LandmarkError, SettingsError
from geomface.files import load_image, save_image
from geomface.landmarks import PhotographLandmarks, PhotographSettings
from geomface.landmarks.photographs.frames import (
    cut_window,
    frames_of,
    from_window,
    to_window,
    window_places,
)
from geomface.landmarks.photographs.training.no_faces import draw_no_face
from geomface.landmarks.photographs.weights import load_weights
from geomface.mesh.io.pixel_landmarks import load_pixel_landmarks
from geomface.mesh.multi_pie import MOUTH, mirror_order
from geomface.synthesis.distributions import Gaussian, Uniform
from geomface.synthesis.settings import CameraSettings, PhotoSettings, PoseSettings

SETTINGS = gf.FaceImageSettings(
    size=192,
    preset="photo",
    seed=77,
    pose=PoseSettings(yaw=Uniform(-20, 20), pitch=Gaussian(0, 5), roll=Gaussian(0, 3)),
    camera=CameraSettings(scale=Uniform(0.45, 0.6)),
    photo=PhotoSettings(occluders=0.0),
)


@pytest.fixture(scope="module")
def detector():
    return PhotographLandmarks()


@pytest.fixture(scope="module")
def batch():
    return gf.FaceSampler(SETTINGS).batch([(index, 0) for index in range(4)])


def eye_distance(points: np.ndarray) -> float:
    return float(np.linalg.norm(points[42:48].mean(axis=0) - points[36:42].mean(axis=0)))


def apart(points: np.ndarray, true: np.ndarray) -> float:
    """Return the mean distance in eye distances."""
    return float(np.linalg.norm(points - true, axis=1).mean()) / eye_distance(true)


def test_frames_of_turned_and_moved_faces_follow() -> None:
    rng = np.random.default_rng(0)
    points = rng.normal(0, 20, (68, 2))
    x, y, radius, roll = frames_of(points)
    turned = 2.0 * points @ np.array([[0.0, 1.0], [-1.0, 0.0]]) + [5.0, 7.0]  # a quarter clockwise
    assert frames_of(turned) == pytest.approx(
        [5 - 2 * y, 7 + 2 * x, 2 * radius, (roll + np.pi / 2 + np.pi) % (2 * np.pi) - np.pi]
    )


def test_windows_and_pictures_are_inverse_and_windows_show_the_picture() -> None:
    torch = pytest.importorskip("torch")
    frames = torch.tensor([[60.0, 40.0, 11.0, 0.4], [20.0, 30.0, 7.0, -2.0]], dtype=torch.float64)
    points = torch.rand(2, 5, 2, dtype=torch.float64) * 100
    np.testing.assert_allclose(from_window(to_window(points, frames), frames), points, atol=1e-9)
    x = np.arange(120) + 0.5
    ramp = torch.from_numpy((0.01 * x[None] + 0.002 * x[:, None]).astype(np.float32))
    for frame in ([60.0, 55.0, 6.0, 0.4], [60.0, 60.0, 13.0, -0.2]):
        window = cut_window(ramp, np.array(frame))[0, 0]
        places = window_places(torch.tensor([frame]))[0]
        inside = ((places > 2) & (places < 118)).all(dim=2)
        expected = 0.01 * places[..., 0] + 0.002 * places[..., 1]
        np.testing.assert_allclose(window[inside], expected[inside], atol=2e-5)


def test_faces_of_unknown_people_are_found_and_marked(detector, batch) -> None:
    errors = []
    for picture, true in zip(batch.images["rgb"], batch.landmarks, strict=True):
        result = detector.detect(picture)
        assert len(result.faces) == 1 and result.image_size == (192, 192)
        face = result.faces[0]
        assert face.points.shape == (68, 2) and face.score > 0.6
        assert ((face.confidence >= 0) & (face.confidence <= 1)).all() and (face.sigma_px > 0).all()
        np.testing.assert_allclose(face.frame, frames_of(face.points))
        errors.append(apart(face.points, true))
    assert np.mean(errors) < 0.06 and max(errors) < 0.12


def test_grey_bytes_and_alpha_are_the_same_picture(detector, batch) -> None:
    picture = batch.images["rgb"][0]
    grey = picture @ np.array([0.299, 0.587, 0.114], np.float32)
    own = detector.detect(grey).faces[0].points
    alpha = np.dstack([picture, np.ones(picture.shape[:2], np.float32)])
    for same in (picture, grey[..., None], alpha):
        np.testing.assert_allclose(detector.detect(same).faces[0].points, own, atol=0.01)
    rounded = np.round(255 * grey).astype(np.uint8)
    np.testing.assert_allclose(detector.detect(rounded).faces[0].points, own, atol=0.5)


def test_a_mirrored_or_shifted_picture_has_its_points_there(detector, batch) -> None:
    picture = batch.images["rgb"][1]
    own = detector.detect(picture).faces[0].points
    mirrored = detector.detect(picture[:, ::-1]).faces[0].points[mirror_order()]
    mirrored[:, 0] = 192 - mirrored[:, 0]
    assert apart(mirrored, own) < 0.02
    shifted = np.pad(picture, ((0, 0), (1, 0), (0, 0)), mode="edge")[:, :192]
    assert apart(detector.detect(shifted).faces[0].points - [1, 0], own) < 0.02


@pytest.mark.parametrize("size", [64, 700])
def test_any_size_will_do(detector, batch, size) -> None:
    picture = batch.images["rgb"][2]
    resized = np.asarray(
        Image.fromarray(np.round(255 * picture).astype(np.uint8)).resize((size, size))
    )
    result = detector.detect(resized)
    assert apart(result.faces[0].points * 192 / size, batch.landmarks[2]) < 0.1


@pytest.mark.parametrize(("turns", "told"), [(0, None), (1, "to the left"), (2, "upside down")])
def test_a_lying_face_is_found_and_said(detector, batch, turns, told) -> None:
    picture, points = batch.images["rgb"][3], batch.landmarks[3].astype(float)
    for _ in range(turns):
        points = np.stack([points[:, 1], 192 - points[:, 0]], axis=1)
    result = detector.detect(np.ascontiguousarray(np.rot90(picture, turns)))
    assert apart(result.faces[0].points, points) < 0.1
    assert result.notes == () if told is None else told in result.notes[0]


def test_all_faces_are_returned_the_largest_first(detector, batch) -> None:
    scene = np.full((260, 460, 3), 0.5, np.float32)
    scene[40:232, 10:202] = batch.images["rgb"][0]
    small = Image.fromarray(np.round(255 * batch.images["rgb"][2]).astype(np.uint8))
    scene[80:208, 300:428] = np.asarray(small.resize((128, 128))) / np.float32(255)
    result = detector.detect(scene)
    centers = [face.frame[0] for face in result.faces]
    assert len(centers) == 2 and centers[0] < 230 < centers[1]
    assert "2 faces" in result.notes[0]
    one = PhotographLandmarks(PhotographSettings(faces=1), detector.weights).detect(scene)
    np.testing.assert_allclose(one.faces[0].points, result.faces[0].points)


def test_what_covers_the_mouth_makes_it_unsure(detector, batch) -> None:
    falls = []
    for picture, true in zip(batch.images["rgb"], batch.landmarks, strict=True):
        covered = picture.copy()
        low, high = true[MOUTH].min(axis=0) - 10, true[MOUTH].max(axis=0) + 10
        covered[int(low[1]) : int(high[1]), int(low[0]) : int(high[0])] = 0.6
        before, after = detector.detect(picture).faces, detector.detect(covered).faces
        if before and after:
            falls.append(before[0].confidence[MOUTH].mean() - after[0].confidence[MOUTH].mean())
    assert len(falls) >= 3 and np.mean(falls) > 0.02


def test_a_face_is_found_again_near_where_it_was(detector, batch) -> None:
    for picture in batch.images["rgb"]:
        (face,) = detector.detect(picture).faces
        radius = face.frame[2]
        for moved in ([0.2, -0.2, 0.0, 0.1], [-0.25, 0.1, 0.15, 0.0], [0.0, 0.0, -0.15, -0.1]):
            near = face.frame + np.array(moved) * [radius, radius, radius, 1.0]
            (again,) = detector.detect_near(picture, near[None]).faces
            assert apart(again.points, face.points) < 0.02
    nowhere = np.array([[10.0, 180.0, 8.0, 0.0]])
    assert detector.detect_near(batch.images["rgb"][0], nowhere).faces == ()
    with pytest.raises(LandmarkError, match="frames"):
        detector.detect_near(batch.images["rgb"][0], np.zeros(4))


def test_nothing_is_found_where_there_is_no_face(detector) -> None:
    with pytest.raises(LandmarkError, match="no face was found in the picture"):
        gf.detect_photograph_landmarks(np.full((80, 90), 0.4))
    pictures = [draw_no_face(np.random.default_rng([5, k]), 128) for k in range(8)]
    assert sum(len(detector.detect(picture).faces) > 0 for picture in pictures) <= 1


def test_an_own_detector_plugs_in(batch) -> None:
    picture, points = batch.images["rgb"][0], batch.landmarks[0]
    asked = []

    def own(image):
        asked.append(image)
        return np.stack([points / 2, points])

    result = gf.detect_photograph_landmarks(picture.mean(axis=2), detector=own)
    assert asked[0].shape == (192, 192, 3)
    np.testing.assert_allclose(result.faces[0].points, points)
    assert len(result.faces) == 2 and (result.faces[0].confidence == 1).all()
    with pytest.raises(LandmarkError, match="no face"):
        gf.detect_photograph_landmarks(picture, detector=lambda image: None)
    with pytest.raises(LandmarkError, match=r"expected \(68, 2\) or \(F, 68, 2\)"):
        gf.detect_photograph_landmarks(picture, detector=lambda image: points[:5])
    with pytest.raises(LandmarkError, match="no array of numbers"):
        gf.detect_photograph_landmarks(picture, detector=lambda image: [points, "none"])


@pytest.mark.parametrize(
    ("image", "said"),
    [
        (np.zeros((1, 1)), "at least 16 pixels"),
        (np.zeros((40, 40, 2)), r"\(H, W, 3\)"),
        (np.zeros(40), r"\(H, W, 3\)"),
        (np.full((40, 40), np.nan), "finite"),
        (np.zeros((40, 40), complex), "complex"),
        (np.full((40, 40), 100), "uint8 or uint16, got int64"),
        (np.full((40, 40, 3), 100.0), "got 100 to 100. Divide by 255"),
        ([[0.5] * 40, [0.5] * 39], "an array of numbers"),
        (None, r"\(H, W, 3\)"),
    ],
)
def test_what_is_no_picture_is_refused(detector, image, said) -> None:
    with pytest.raises(LandmarkError, match=said):
        detector.detect(image)


def test_settings_out_of_range_are_refused() -> None:
    for wrong in ({"smallest": 0.0}, {"score": 1.5}, {"faces": 0}):
        with pytest.raises(SettingsError):
            PhotographSettings(**wrong)


def test_foreign_weights_are_refused(tmp_path) -> None:
    with pytest.raises(FileFormatError):
        load_weights(tmp_path / "none.safetensors")


def test_the_command_writes_pixel_landmarks_a_picture_and_a_report(
    batch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    save_image(tmp_path / "face.png", batch.images["rgb"][0])
    out, shown = tmp_path / "L.json", tmp_path / "P.png"
    words = ["landmarks", "detect", "--image", str(tmp_path / "face.png"), "--out", str(out)]
    assert main([*words, "--dry-run"]) == 0 and not out.exists()
    report = tmp_path / "R.json"
    assert main([*words, "--picture", str(shown), "--report", str(report)]) == 0
    found = load_pixel_landmarks(out)
    assert apart(found.points, batch.landmarks[0]) < 0.12 and found.image_size == (192, 192)
    assert found.confidence is not None and found.confidence.shape == (68,)
    assert load_image(shown).shape == (576, 576, 3)
    assert len(json.loads(report.read_text())["faces"]) == 1
    capsys.readouterr()
    assert main(words) == 1 and "by hand" in capsys.readouterr().err
    assert main([*words, "--scan", "x.ply", "--force"]) == 1
    assert "one of the two" in capsys.readouterr().err


def test_a_folder_is_done_and_failures_are_told(
    batch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder, out = tmp_path / "photos", tmp_path / "out"
    (folder / "inner").mkdir(parents=True)
    save_image(folder / "a.png", batch.images["rgb"][0])
    save_image(folder / "inner" / "b.jpg", batch.images["rgb"][1])
    save_image(folder / "grey.png", np.full((60, 60, 3), 0.5))
    (folder / "broken.jpg").write_bytes(b"no picture")
    words = ["landmarks", "detect", "--image", str(folder), "--out", str(out)]
    assert main([*words, "--json"]) == 3
    said = capsys.readouterr()
    record = json.loads(said.out)
    assert sorted(record["found"]) == ["a.png", "inner/b.jpg"]
    assert sorted(record["failed"]) == ["broken.jpg", "grey.png"] and "no face" in said.err
    assert sorted(path.name for path in out.rglob("*.landmarks.json")) == [
        "a.landmarks.json",
        "b.landmarks.json",
    ]
    (out / "a.landmarks.json").write_text("marked by hand")
    (out / "inner" / "b.landmarks.json").unlink()
    assert main([*words, "--json"]) == 3
    said = capsys.readouterr()
    assert list(json.loads(said.out)["found"]) == ["inner/b.jpg"] and "--force" in said.err
    assert (out / "a.landmarks.json").read_text() == "marked by hand"


def test_pictures_of_a_folder_never_share_a_landmark_file(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "photos").mkdir()
    for name in ("a.png", "a.jpg"):
        save_image(tmp_path / "photos" / name, np.full((60, 60, 3), 0.5))
    out = tmp_path / "out"
    words = ["landmarks", "detect", "--image", str(tmp_path / "photos"), "--out", str(out)]
    assert main(words) == 1 and "a.landmarks.json" in capsys.readouterr().err
    assert not out.exists()


def stored(picture: np.ndarray, mode: str, kind: str, **options) -> bytes:
    image = Image.fromarray(np.round(255 * picture).astype(np.uint8)).convert(mode)
    stream = io.BytesIO()
    image.save(stream, kind, **options)
    return stream.getvalue()


def test_pictures_are_read_however_they_are_stored(batch, tmp_path: Path) -> None:
    picture, true = batch.images["rgb"][0], batch.landmarks[0]
    exif = Image.Exif()
    exif[0x0112] = 3  # stored upside down
    still = Image.fromarray(np.zeros((192, 192, 3), np.uint8))
    turned = np.ascontiguousarray(picture[::-1, ::-1])
    files = {
        "exif.jpg": stored(turned, "RGB", "JPEG", exif=exif),
        "cmyk.jpg": stored(picture, "CMYK", "JPEG"),
        "animated.webp": stored(picture, "RGB", "WEBP", save_all=True, append_images=[still]),
        "palette.png": stored(picture, "P", "PNG"),
    }
    for name, data in files.items():
        (tmp_path / name).write_bytes(data)
    save_image(tmp_path / "deep.png", picture.mean(axis=2), bits=16)
    for name in (*files, "deep.png"):
        result = gf.detect_photograph_landmarks(load_image(tmp_path / name))
        assert apart(result.faces[0].points, true) < 0.12, name
        assert not result.notes, name


def test_confidence_of_a_landmark_file_is_checked(tmp_path: Path) -> None:
    path = tmp_path / "L.json"
    record = {"scheme": "multi-pie-68", "unit": "px", "points": [[1.0, 2.0]] * 68}
    path.write_text(json.dumps(record | {"confidence": [0.5] * 68}))
    found = load_pixel_landmarks(path)
    assert found.confidence is not None and (found.confidence == 0.5).all()
    for wrong in ([0.5] * 5, [2.0] * 68, "high"):
        path.write_text(json.dumps(record | {"confidence": wrong}))
        with pytest.raises(LandmarkError, match="68 numbers in"):
            load_pixel_landmarks(path)
    assert dataclasses.replace(found, confidence=None).confidence is None
