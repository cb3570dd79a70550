"""Descriptors of folders: for any workers, of photographs and aligned sets, some without a face."""

import dataclasses
from pathlib import Path

import numpy as np
import pytest
from embedders import RANDOM, RandomEmbedder, load_random

from geomface.errors import FileFormatError, LandmarkError, SettingsError
from geomface.files import load_image, save_image
from geomface.learning.errors import DatasetError
from geomface.mesh.io.pixel_landmarks import PixelLandmarks, save_pixel_landmarks
from geomface.pipeline.aligned_sets import AlignedSetSettings, align_set
from geomface.pipeline.embed_pictures import embed_pictures, pictures_to_embed
from geomface.recognition.alignment.reference import Alignment
from geomface.recognition.alignment.warp import align_face
from geomface.recognition.protocols.embeddings import load_embeddings, save_embeddings

SMALL = RandomEmbedder.alignment


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Eleven pictures with landmarks beside them, one grey, one of whom lacks a landmark."""
    root = tmp_path / "photographs"
    rng = np.random.default_rng(3)
    five = 1.4 * SMALL.points + 10.0
    points = np.repeat(five[2:3], 68, axis=0)
    points[36:42], points[42:48], points[[48, 54]] = five[0], five[1], five[3:]
    for index in range(11):
        path = root / f"p{index % 3}" / f"{index:02d}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        save_image(path, rng.random((100, 90, 1 if index == 4 else 3)))
        places = points.copy()
        places[30] = np.nan if index == 7 else places[30]
        save_pixel_landmarks(path.with_suffix(".landmarks.json"), PixelLandmarks(places))
    return root


def five_of(folder: Path) -> np.ndarray:
    return 1.4 * SMALL.points + 10.0


def test_every_picture_has_its_row(folder: Path, tmp_path: Path) -> None:
    photographs, lost = pictures_to_embed(folder, SMALL)
    steps = []
    found = embed_pictures(
        photographs, load_random, RANDOM, on_progress=lambda *now: steps.append(now)
    )
    names = found.embeddings.names
    assert len(names) == 11 and names[0] == "p0/00.png" and not lost
    assert [step[0] for step in steps] == [8, 11]
    assert (
        list(found.failures) == ["p1/07.png"] and "some are missing" in found.failures["p1/07.png"]
    )
    assert found.embeddings.found.sum() == 10 and found.detected == 0
    assert found.notes[0].startswith("1 of 10 faces are grey")
    image = load_image(folder / "p2/05.png")
    alone = RandomEmbedder().embed(align_face(image, five_of(folder), SMALL)[None])[0]
    assert np.allclose(found.embeddings.descriptors[names.index("p2/05.png")], alone, atol=1e-6)
    save_embeddings(tmp_path / "e.npz", found.embeddings)
    with np.load(tmp_path / "e.npz") as arrays:
        lacking = ~arrays["found"]
        assert np.isnan(arrays["embeddings"][lacking]).all() and lacking.sum() == 1
        assert str(arrays["alignment"]) == SMALL.id
    again = load_embeddings(tmp_path / "e.npz")
    assert again.missing == ("p1/07.png",)
    assert np.allclose(again.descriptors, found.embeddings.descriptors, atol=1e-6)


def test_workers_change_nothing(folder: Path) -> None:
    photographs, _ = pictures_to_embed(folder, SMALL)
    one, two = (embed_pictures(photographs, load_random, RANDOM, workers=count) for count in (1, 2))
    assert np.array_equal(one.embeddings.descriptors, two.embeddings.descriptors)
    assert (one.failures, one.notes) == (two.failures, two.notes)


def test_aligned_faces_are_described_as_they_are(folder: Path, tmp_path: Path) -> None:
    align_set(AlignedSetSettings(folder, tmp_path / "set", SMALL))
    photographs, lost = pictures_to_embed(tmp_path / "set", SMALL)
    assert list(lost) == ["p1/07.png"]
    stored = embed_pictures(photographs, load_random, RANDOM, lost=lost)
    direct = embed_pictures(pictures_to_embed(folder, SMALL)[0], load_random, RANDOM)
    order = [stored.embeddings.names.index(name) for name in direct.embeddings.names]
    found = stored.embeddings.found[order]
    assert np.array_equal(found, direct.embeddings.found) and stored.failures == direct.failures
    # They differ by the rounding to 8 bits.
    cosines = (stored.embeddings.descriptors[order] * direct.embeddings.descriptors).sum(axis=1)
    assert cosines[found].min() > 0.999
    with pytest.raises(DatasetError, match="expected faces aligned as five-points-112x96, got"):
        pictures_to_embed(tmp_path / "set", Alignment())


def test_nobody_to_describe_and_no_embedder_are_told(folder: Path) -> None:
    photographs, _ = pictures_to_embed(folder, SMALL)
    empty = np.full((68, 2), np.nan)
    nobody = [dataclasses.replace(item, landmarks=empty) for item in photographs]
    with pytest.raises(LandmarkError, match=r"no face in any of 11 pictures.*p0/00.png: "):
        embed_pictures(nobody, load_random, RANDOM)
    with pytest.raises(FileFormatError, match="not an embedder"):
        embed_pictures(photographs, load_random, folder)
    with pytest.raises(SettingsError, match="workers: expected"):
        embed_pictures(photographs, load_random, RANDOM, workers=0)
