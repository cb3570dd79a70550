"""The embedder that ships: its file, its card, and what it is worth on real photographs."""

from pathlib import Path

import numpy as np
import pytest

from geomface.datasets.photographs import load_photograph
from geomface.files import save_image
from geomface.files.assets import asset_path
from geomface.metrics.verification import verify_pairs
from geomface.recognition.aligned.read_face import read_face
from geomface.recognition.embedder.face_embedder import ASSET, load_embedder

PHOTOGRAPHS = Path(__file__).parents[3] / "shared" / "data" / "orl" / "orl_dev.npz"


def test_it_is_small_and_says_where_it_comes_from():
    path = asset_path(ASSET)
    assert path.stat().st_size < 4e6
    assert (path.parent / "card.md").is_file()
    embedder = load_embedder()
    assert embedder.alignment.id == "five-points-56x48"
    assert {"equal error", "0.1", "0.01"} <= set(embedder.thresholds)
    assert embedder.card["real people"] == 0


def test_descriptors_have_length_one_and_do_not_depend_on_their_company():
    embedder = load_embedder()
    faces = np.random.default_rng(0).random((5, 56, 48, 3), np.float32)
    found = embedder.embed(faces)
    np.testing.assert_allclose(np.linalg.norm(found, axis=1), 1.0, atol=1e-12)
    np.testing.assert_allclose(embedder.embed(faces[2:3])[0], found[2], atol=1e-5)


@pytest.mark.skipif(not PHOTOGRAPHS.is_file(), reason="needs the photographs of ../shared/data/orl")
def test_real_people_are_told_apart(tmp_path):
    # Ten people, three pictures each, landmarks found; all 190 give an equal error of 0.052.
    stored = np.load(PHOTOGRAPHS)["images"][:10, :3].reshape(-1, 112, 92)
    embedder, faces = load_embedder(), []
    for number, picture in enumerate(stored):
        path = tmp_path / f"{number}.png"
        save_image(path, (picture / 255.0).astype(np.float32)[..., None].repeat(3, axis=2))
        faces.append(read_face(load_photograph(path), embedder.alignment).picture)
    found = embedder.embed(np.stack(faces))
    first, second = np.triu_indices(len(found), 1)
    same = first // 3 == second // 3
    report = verify_pairs((found @ found.T)[first, second], same, resamples=0)
    assert report.auc.value > 0.97
