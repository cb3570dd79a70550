"""The training of the detector for photographs: windows, targets, pictures without a face."""

import dataclasses
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from photograph_case import SIZE, noise, photographs
from training_kit import check_only_its_own

from geomface.datasets.labelled_pictures import load_synthetic
from geomface.errors import SettingsError
from geomface.landmarks.photographs.finder import RADIUS
from geomface.landmarks.photographs.frames import WINDOW, frames_of, to_window
from geomface.landmarks.photographs.training.developing import develop_windows
from geomface.landmarks.photographs.training.no_faces import KINDS, draw_no_face, headless
from geomface.landmarks.photographs.training.recipe import photograph_recipe
from geomface.landmarks.photographs.training.sets import PictureRows, pack_faces
from geomface.landmarks.photographs.training.windows import (
    FIELD,
    finder_targets,
    finder_windows,
    landmark_windows,
)
from geomface.landmarks.photographs.weights import load_weights
from geomface.learning import Draws, stream_generator
from geomface.learning.errors import DatasetError

TOOL = Path(__file__).resolve().parents[3] / "tools" / "train_photograph_detector.py"


def draws(count: int, seed: int = 0) -> Draws:
    return Draws(stream_generator(seed, "test"), count)


@pytest.fixture(scope="module")
def face_set(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("sets") / "faces"
    words = f"synth faces --out {folder} --identities 4 --samples 3 --size 128 --quiet"
    subprocess.run([sys.executable, "-m", "geomface", *words.split()], check=True)
    return folder


def spots(count: int) -> tuple[dict[str, torch.Tensor], torch.Tensor]:
    """Black pictures with a white spot on one landmark each."""
    rng = np.random.default_rng(5)
    points = rng.uniform(60, 110, (count, 68, 2))
    pictures = np.zeros((count, 1, SIZE, SIZE), np.float32)
    marked = rng.integers(17, 68, count)
    for index, point in enumerate(points[np.arange(count), marked]):
        x, y = np.round(point).astype(int)
        pictures[index, 0, y - 3 : y + 4, x - 3 : x + 4] = 1.0
        points[index, marked[index]] = x + 0.5, y + 0.5
    batch = {
        "pictures": torch.from_numpy(pictures),
        "points": torch.from_numpy(points.astype(np.float32)),
        "frames": torch.from_numpy(frames_of(points).astype(np.float32)),
        "around": torch.zeros(count, 1, SIZE, SIZE),
    }
    return batch, torch.from_numpy(marked)


def test_points_stay_on_what_they_mark(monkeypatch) -> None:
    module = "geomface.landmarks.photographs.training.windows"
    monkeypatch.setattr(f"{module}.develop_windows", lambda windows, draws: windows)
    monkeypatch.setattr(f"{module}.cover_windows", lambda windows, *rest: windows)
    whole = torch.zeros(64, 1, 1, 2), torch.full((64, 1, 1, 2), float(SIZE))
    monkeypatch.setattr(f"{module}._rim", lambda *rest: whole)  # half a spot has another centre
    batch, marked = spots(64)
    found = landmark_windows(batch, draws(64))
    side = torch.arange(WINDOW) + 0.5
    checked = 0
    for index in range(64):
        window, weight = found["windows"][index, 0], found["windows"][index, 0].sum()
        center = torch.stack([(window.sum(0) * side).sum(), (window.sum(1) * side).sum()]) / weight
        names = [int(marked[index]), *_mirror_of(int(marked[index]))]
        known = found["known"][index, names].min() > 0
        if known and 60 < weight and window[[0, -1]].max() == 0 == window[:, [0, -1]].max():
            gaps = (found["points"][index, names] - center).norm(dim=1)
            assert gaps.min() < 1.5
            checked += 1
    assert checked > 20
    assert 0 < (found["face"] == 0).sum() < 20
    assert (found["known"][found["face"] == 0] == 0).all()


def _mirror_of(name: int) -> list[int]:
    from geomface.mesh.multi_pie import mirror_order

    return [int(mirror_order()[name])]


def test_the_finder_is_asked_for_faces_of_its_size_only() -> None:
    frames = torch.tensor(
        [
            [50.0, 42.0, 1.1 * RADIUS, 0.3],
            [50.0, 42.0, 3.0 * RADIUS, 0.0],
            [50.0, 42.0, RADIUS, 3.0],
        ]
    )
    face, counts, others = finder_targets(frames, FIELD // 4)
    assert face[0].sum() >= 2 and face[1].sum() == face[2].sum() == 0
    assert counts[1].min() == counts[2].min() == 1 and 0 < (counts[0] == 0).sum() < 40
    row, column = (int(v) for v in torch.nonzero(face[0])[0])
    right, down, size, cosine, sine = others[0, :, row, column].tolist()
    assert 4 * (column + 0.5) + RADIUS * right == pytest.approx(50, abs=1e-4)
    assert 4 * (row + 0.5) + RADIUS * down == pytest.approx(42, abs=1e-4)
    assert np.exp(size) == pytest.approx(1.1, abs=1e-4)
    assert np.arctan2(sine, cosine) == pytest.approx(0.3, abs=1e-4)


def test_finder_windows_show_the_face_where_they_say(monkeypatch) -> None:
    module = "geomface.landmarks.photographs.training.windows"
    monkeypatch.setattr(f"{module}.develop_windows", lambda windows, draws: windows)
    monkeypatch.setattr(f"{module}.cover_windows", lambda windows, *rest: windows)
    batch, _ = spots(64)
    side = torch.arange(SIZE) + 0.5
    gap = (side - batch["frames"][:, :1, None]) ** 2 + (
        side[:, None] - batch["frames"][:, 1:2, None]
    ) ** 2
    batch["pictures"] = (gap < (0.5 * batch["frames"][:, 2, None, None]) ** 2).float()[:, None]
    found = finder_windows(batch, draws(64))
    cells = torch.arange(FIELD) + 0.5
    for window, (x, y, radius, _) in zip(found["windows"], found["frames"].tolist(), strict=True):
        if 5 < radius < 12 and 16 < x < FIELD - 16 and 16 < y < FIELD - 16:
            inside = (cells - x) ** 2 + (cells[:, None] - y) ** 2 < (0.35 * radius) ** 2
            assert window[0][inside].mean() > 0.8


def test_developed_windows_are_pictures_of_the_same_thing() -> None:
    x = (torch.arange(WINDOW) + 0.5) / WINDOW
    windows = (0.5 + 0.4 * torch.sin(9 * x) * torch.cos(7 * x[:, None])).expand(24, 1, -1, -1)
    developed = develop_windows(windows, draws(24))
    assert developed.shape == windows.shape and 0 <= developed.min() <= developed.max() <= 1
    again = develop_windows(windows, draws(24))
    assert torch.equal(developed, again)
    flat = torch.stack([windows.flatten(1), developed.flatten(1)])
    centred = flat - flat.mean(dim=2, keepdim=True)
    similar = (centred[0] * centred[1]).sum(1) / centred.norm(dim=2).prod(dim=0)
    assert similar.median() > 0.5 and len(torch.unique(similar)) == 24


def test_pictures_without_a_face_are_drawn_by_their_seed_alone() -> None:
    for kind in KINDS:
        first, again, other = (
            draw_no_face(np.random.default_rng(seed), 64, kind) for seed in (1, 1, 2)
        )
        np.testing.assert_array_equal(first, again)
        assert first.dtype == np.float32 and first.shape == (64, 64)
        assert 0 <= first.min() < first.max() <= 1 and np.abs(first - other).mean() > 0.01


def test_a_body_keeps_what_lies_below_the_chin(face_set) -> None:
    faces = load_synthetic(face_set)
    picture = faces.image(faces.records[0]).mean(axis=2)
    points = faces.records[0].landmarks
    body = headless(picture, points, np.random.default_rng(0))
    chin = int(points[8, 1])
    np.testing.assert_allclose(body[-4:], picture[-4:], atol=1e-6) if chin < 110 else None
    top = int(points[36:48, 1].mean())
    assert np.abs(body[: top + 1] - picture[: top + 1]).mean() > 0.05


def test_a_packed_set_holds_grey_pictures_and_points(face_set, tmp_path) -> None:
    faces = load_synthetic(face_set)
    rows = pack_faces(tmp_path, [faces])
    batch = rows.batch(torch.tensor([7, 0]))
    record = faces.records[7]
    grey = faces.image(record) @ np.array([0.299, 0.587, 0.114])
    assert len(rows) == 12 and batch["pictures"].shape == (2, 1, 128, 128)
    np.testing.assert_allclose(batch["pictures"][0, 0], grey, atol=0.003)
    np.testing.assert_allclose(batch["points"][0], record.landmarks, atol=1e-4)
    inside = to_window(batch["points"], batch["frames"])
    np.testing.assert_allclose(inside.mean(dim=1), WINDOW / 2, atol=1e-3)
    with pytest.raises(DatasetError, match="with pictures, got none"):
        pack_faces(tmp_path / "none", [])


def test_an_unknown_recipe_is_refused() -> None:
    with pytest.raises(SettingsError, match="expected tiny, short, refine, cpu or full"):
        photograph_recipe("huge")  # type: ignore[arg-type]


def test_the_command_trains_and_writes_the_asset(face_set, tmp_path) -> None:
    asset, out = tmp_path / "detector.safetensors", tmp_path / "run"
    words = f"--out {out} --faces {face_set} --held-out {face_set} --recipe tiny --asset {asset}"
    done = subprocess.run(
        [sys.executable, str(TOOL), *words.split()], capture_output=True, text=True
    )
    assert done.returncode == 0 and "6 steps, finished" in done.stdout, done.stderr
    assert load_weights(asset).sigma_factor > 0 and asset.stat().st_size < 4 * 2**20


def test_each_phase_moves_its_network() -> None:
    check_only_its_own(photographs())


def test_rows_carry_what_lies_around_them() -> None:
    around = noise(6, 1)
    rows: PictureRows = noise(10, 2, around)
    batch = rows.batch(torch.tensor([8]))
    assert torch.equal(batch["around"], around.batch(torch.tensor([2]))["pictures"])
    assert dataclasses.is_dataclass(rows.fingerprint()) or rows.fingerprint()
