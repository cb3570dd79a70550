"""`geomface evaluate faces`: folders of pictures, their people and landmarks, what is refused."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from geomface import FaceImageSettings, FaceSampler, PoseSettings
from geomface.cli.framed_faces import read_framed
from geomface.cli.main import main
from geomface.cli.options import CommonOptions
from geomface.cli.run import Run
from geomface.datasets.photographs import load_photograph, load_photographs
from geomface.errors import FileFormatError, LandmarkError
from geomface.files.images import load_image, save_image
from geomface.learning.errors import DatasetError
from geomface.metrics.face_frame import frame_face
from geomface.synthesis import Constant


@pytest.fixture(scope="module")
def photographs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("photographs")
    rng = np.random.default_rng(0)
    for index in range(20):
        place = folder / f"p{index // 4}" / f"{index % 4}.png"
        place.parent.mkdir(exist_ok=True)
        save_image(place, 0.2 + 0.6 * rng.random((112, 92)))
    return folder


@pytest.fixture(scope="module")
def faces(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("faces") / "set"
    words = ["--identities", "6", "--samples", "3", "--size", "64", "--yaw", "constant(0)"]
    assert main(["synth", "faces", "--out", str(folder), *words, "--quiet"]) == 0
    return folder


def test_figures_and_sheet(
    faces: Path, photographs: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["evaluate", "faces", str(faces), "--photographs", str(photographs), "--cropped"]
    sheet, report = tmp_path / "sheet.png", tmp_path / "report.json"
    assert main([*words, "--sheet", str(sheet), "--report", str(report)]) == 0
    said = capsys.readouterr()
    assert "eye white over skin" in said.out and "told apart" in said.out
    assert "20 of 20 have no landmarks" in said.err and "18 faces are smaller" in said.err
    record = json.loads(report.read_text())
    assert record["pictures"]["faces"] == {"pictures": 18, "people": 6}
    assert record["pictures"]["photographs"] == {"pictures": 20, "people": 5}
    told = record["features"]["gradients"]["telling_apart"]["accuracy"]
    assert told["value"] > 0.9 and told["low"] < told["value"] <= told["high"]
    assert load_image(sheet).std() > 0.1
    assert main([*words, "--json", "--quiet", "--count", "16"]) == 0
    counted = json.loads(capsys.readouterr().out)["pictures"]
    assert counted["faces"] == {"pictures": 16, "people": 6}
    assert main([*words, "--dry-run"]) == 0
    assert "compare 18 faces with 20 photographs" in capsys.readouterr().out


def test_pictures_that_cannot_be_measured_are_left_out(
    faces: Path, photographs: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "photographs"
    shutil.copytree(photographs, folder)
    words = ["evaluate", "faces", str(faces), "--photographs", str(folder), "--json", "--cropped"]
    assert main([*words, "--quiet"]) == 0
    clean = json.loads(capsys.readouterr().out)
    (folder / "p1" / "torn.png").write_bytes((folder / "p1" / "1.png").read_bytes()[:400])
    save_image(folder / "p2" / "night.png", np.zeros((112, 92)))
    save_image(folder / "p3" / "dot.png", np.full((1, 1), 0.5))
    assert main(words) == 3
    said = capsys.readouterr()
    found = json.loads(said.out)
    assert set(found["failed"]["photographs"]) == {"p1/torn.png", "p2/night.png"}
    assert found["failed"]["faces"] == {} and "night.png: expected some light" in said.err
    assert "torn.png" in said.err and "2 of 23 cannot be measured" in said.err
    assert "1 of 23 are turned" in said.err and "smaller than 17 x 20 pixels" in said.err
    for figures in ("statistics", "features", "patches", "pictures", "compared"):
        assert found[figures] == clean[figures]


def test_faces_without_landmarks_are_found(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Off the middle, the frame of the found landmarks is that of the true ones."""
    front = PoseSettings(Constant(0.0), Constant(0.0), Constant(0.0))
    sampler = FaceSampler(FaceImageSettings(size=96, pose=front, seed=4))
    batch = sampler.batch([(index, 0) for index in range(2)])
    wanted = []
    for index, (face, marks) in enumerate(zip(batch.images["rgb"], batch.landmarks, strict=True)):
        picture = np.full((140, 260, 3), 0.4)
        picture[40:136, 160:256] = face
        save_image(tmp_path / f"{index}.png", picture)
        framed = frame_face(load_image(tmp_path / f"{index}.png"), marks + [160, 40])
        assert framed is not None
        wanted.append(framed.picture)
    save_image(tmp_path / "wall.png", np.random.default_rng(0).random((64, 64)))
    photographs, run = load_photographs(tmp_path), Run("evaluate faces", CommonOptions())
    failed: dict[str, str] = {}
    found = read_framed("photographs", photographs, run, failed, count=9, seed=0)
    assert list(failed) == ["wall.png"] and "wall.png: no face was found" in failed["wall.png"]
    middle = read_framed("photographs", photographs, run, {}, count=9, seed=0, cropped=True)
    assert len(found.pictures) == 2 and len(middle.pictures) == 3
    assert np.abs(found.pictures - wanted).mean() < 0.04
    assert np.abs(middle.pictures[:2] - wanted).mean() > 0.1
    said = capsys.readouterr().err
    assert "3 of 3 have no landmarks and are cropped" in said


def test_pictures_of_other_kinds_are_named(
    photographs: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for index in range(7):
        (tmp_path / f"IMG_{index}.HEIC").write_bytes(b"ftypheic")
    (tmp_path / ".hidden.heic").write_bytes(b"")
    (tmp_path / "notes.txt").write_text("no picture")
    still = Image.fromarray(np.full((40, 30, 3), 90, np.uint8))
    still.save(tmp_path / "moving.gif", save_all=True, append_images=[still.rotate(90)])
    words = ["evaluate", "faces", str(photographs), "--photographs", str(tmp_path), "--dry-run"]
    assert main(words) == 0
    said = capsys.readouterr()
    assert "with 1 photographs" in said.out
    assert "7 pictures of kinds that are not read are left out: IMG_0.HEIC, IMG_1.HEIC" in said.err
    assert "and 2 more" in said.err and "hidden" not in said.err
    assert [item.read().shape for item in load_photographs(tmp_path)] == [(40, 30, 3)]


def test_people_and_landmarks_of_a_folder(photographs: Path, tmp_path: Path) -> None:
    assert [item.person for item in load_photographs(photographs)] == [
        f"p{index // 4}" for index in range(20)
    ]
    for name in ("a", "b"):
        save_image(tmp_path / f"{name}.png", np.full((8, 6, 3), 0.5))
    assert [item.person for item in load_photographs(tmp_path)] == ["", ""]
    points = np.random.default_rng(0).random((68, 2)).tolist()
    place = tmp_path / "b.landmarks.json"
    place.write_text(json.dumps({"unit": "px", "points": points}))
    (tmp_path / "labels.csv").write_text("file,identity\na.png,Ann\n")
    first, second = load_photographs(tmp_path)
    assert (first.person, second.person, first.landmarks) == ("Ann", "", None)
    np.testing.assert_allclose(second.landmarks, points)
    assert second.read().shape == (8, 6, 3)
    place.write_text(json.dumps({"unit": "px", "points": points[:51]}))
    # Files of landmarks that do not do are the fault of their picture, the others go on.
    first, second = load_photographs(tmp_path)
    assert first.given_landmarks() is None
    with pytest.raises(LandmarkError, match="expected the 68 landmarks"):
        second.given_landmarks()
    with pytest.raises(LandmarkError, match="expected the 68 landmarks"):
        load_photograph(tmp_path / "b.png")
    (tmp_path / "labels.csv").write_text("file,identity\nc.png,Ann\n")
    with pytest.raises(DatasetError, match="none of 1 is there, such as c.png"):
        load_photographs(tmp_path)


def test_bad_folders(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(FileFormatError, match="there is none"):
        load_photographs(tmp_path / "nowhere")
    with pytest.raises(FileFormatError, match="expected photographs"):
        load_photographs(tmp_path)
    assert main(["evaluate", "faces", str(tmp_path), "--photographs", str(tmp_path)]) == 1
    assert "expected photographs" in capsys.readouterr().err
    save_image(tmp_path / "a.png", np.full((8, 6, 3), 0.5))
    (tmp_path / "within").mkdir()
    save_image(tmp_path / "within" / "b.png", np.full((8, 6, 3), 0.5))
    with pytest.raises(FileFormatError, match="got a file"):
        load_photographs(tmp_path / "a.png")
    for other in (f"{tmp_path}/within/..", f"{tmp_path}/within"):
        for words in ([str(tmp_path), "--photographs", other], [other, "--photographs", tmp_path]):
            assert main(["evaluate", "faces", *map(str, words)]) == 1
            assert "expected other pictures than those of" in capsys.readouterr().err
    words = ["evaluate", "faces", "a", "--photographs", "b", "--sheet", "s.gif"]
    assert main(words) == 1
    assert "--sheet s.gif: expected a name ending in .png" in capsys.readouterr().err


def test_a_sheet_is_no_picture_of_the_sets(
    faces: Path, photographs: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for folder in (faces, photographs):
        place = folder / "sheet.png"
        words = ["evaluate", "faces", faces, "--photographs", photographs, "--sheet", place]
        assert main(list(map(str, words))) == 1
        assert "would be one of the pictures of" in capsys.readouterr().err
