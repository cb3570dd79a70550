"""The detector's training: its views, its rates, the command that makes the asset again."""

import dataclasses
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from detector_case import detector
from training_kit import check_only_its_own

from geomface.faces.builtin import load_builtin_face
from geomface.landmarks import LandmarkDetector, NetworkDetector
from geomface.landmarks.training import views as training_views
from geomface.landmarks.training.dataset import augment_views
from geomface.landmarks.training.recipe import Round, RoundSchedule, detector_recipe
from geomface.landmarks.training.run import draw_detector_sets, draw_view_set
from geomface.landmarks.training.scans import draw_training_scan
from geomface.landmarks.training.task import SYSTEM, DetectorTask
from geomface.landmarks.views import VIEW_SIZE
from geomface.landmarks.weights import load_detector
from geomface.learning import (
    Draws,
    LoopSettings,
    read_metrics,
    run_training,
    stream_generator,
)
from geomface.mesh.multi_pie import mirror_order

TOOL = Path(__file__).resolve().parents[2] / "tools" / "train_landmark_detector.py"
TINY = detector_recipe("tiny", ["builtin"])


@pytest.fixture(scope="module")
def models():
    return {"builtin": load_builtin_face()}


@pytest.fixture(scope="module")
def views(models, tmp_path_factory):
    return draw_view_set(tmp_path_factory.mktemp("views"), models, TINY.drawing)


def test_the_rate_falls_in_rounds() -> None:
    schedule = RoundSchedule(rounds=(Round(100, 2e-3, 1e-3), Round(300, 6e-4)))
    rates = [2e-3 * schedule.rate(step / 400) for step in range(401)]
    assert rates[0] == pytest.approx(2e-3) and rates[99] == pytest.approx(1e-3, rel=1e-3)
    assert rates[100] == pytest.approx(6e-4) and rates[400] == pytest.approx(0.0, abs=1e-12)
    assert rates[250] == pytest.approx(3e-4)


def test_a_recipe_learns_from_the_models_at_hand() -> None:
    every = detector_recipe("full", ["builtin", "ict", "anny"])
    alone = detector_recipe("full", ["builtin"])
    assert set(every.drawing.models) == {"builtin", "ict", "anny"}
    assert every.steps == every.loop.steps == 4040
    named = {*alone.drawing.models, *alone.shapes.models, *(d.model for d in alone.shapes.dense)}
    assert named == {"builtin"} and len(every.shapes.dense) == 2


def test_a_refined_detector_begins_with_the_one_that_ships(views) -> None:
    refined = DetectorTask(dataclasses.replace(TINY, start="shipped"), views, views)
    fresh = DetectorTask(TINY, views, views)
    assert refined.evaluate()["held_out_error_px"] < 0.4 * fresh.evaluate()["held_out_error_px"]


def test_training_people_are_of_all_widths_and_some_are_closed_heads() -> None:
    model = load_builtin_face()
    scans = [draw_training_scan(model, np.random.default_rng(seed)) for seed in range(12)]
    ratios = [np.ptp(scan.landmarks[:17, 0]) / np.ptp(scan.landmarks[:, 1]) for scan in scans]
    assert max(ratios) > 1.15 * min(ratios)
    normals = [scan.normals[np.unique(scan.faces)] for scan in scans]
    behind = [float((item[:, 2] < -0.5).mean()) for item in normals]
    assert 0 < sum(share > 0.1 for share in behind) < len(behind)


class Fixed:
    """Draws that mirror everything and add nothing."""

    def uniform(self, *shape):
        return torch.zeros((12, *shape))

    def normal(self, *shape):
        return torch.ones((12, *shape))


def test_a_mirrored_view_is_the_view_of_a_mirrored_person(views) -> None:
    batch = views.batch(torch.arange(12))
    mirrored = augment_views(batch, Fixed(), noise=0.1)
    order = torch.from_numpy(mirror_order())
    np.testing.assert_array_equal(mirrored["views"][:, 0], -batch["views"][:, 0].flip(2))
    np.testing.assert_array_equal(mirrored["views"][:, 1:], batch["views"][:, 1:].flip(3))
    np.testing.assert_allclose(
        mirrored["points"][:, order, 0], VIEW_SIZE - batch["points"][..., 0], atol=1e-4
    )
    np.testing.assert_array_equal(mirrored["points"][:, order, 1], batch["points"][..., 1])
    np.testing.assert_array_equal(mirrored["visible"][:, order], batch["visible"])
    again = augment_views(mirrored, Fixed(), noise=0.1)
    for name, tensor in batch.items():
        np.testing.assert_allclose(again[name], tensor, atol=1e-4)


def test_noise_roughens_the_surface_and_leaves_the_background(views) -> None:
    batch = views.batch(torch.arange(12))
    rough = augment_views(batch, Draws(stream_generator(0, "test"), 12), noise=0.1)
    for before, after in zip(batch["views"], rough["views"], strict=True):
        bare = (before == 0).all(dim=0)
        bare = bare & bare.flip(1)
        assert (after[:, bare] == 0).all()
        assert sorted(after[3].flatten().tolist()) == sorted(before[3].flatten().tolist())


def test_training_finds_landmarks_of_people_that_it_never_saw(
    models, tmp_path, monkeypatch
) -> None:
    # Views from the front alone: a few steps learn no more.
    monkeypatch.setattr(training_views, "NEAR_SHARE", 1.0)
    monkeypatch.setattr(training_views, "ANY_SHARE", 0.0)
    drawing = dataclasses.replace(TINY.drawing, people=16, held_out=4, people_per_file=16)
    loop = LoopSettings(30, 30, 30, 30, evaluate_every=10)
    settings = dataclasses.replace(
        TINY, drawing=drawing, batch=8, rounds=(Round(30, 2e-3),), loop=loop
    )
    sets = draw_detector_sets(settings, tmp_path, models)
    run_training(lambda: DetectorTask(settings, *sets), tmp_path, settings, system=SYSTEM)
    first, *_, last = read_metrics(tmp_path / "evaluations.jsonl")
    assert last["held_out_error_px"] < min(16.0, first["held_out_error_px"])


def test_the_command_trains_and_writes_the_asset(tmp_path) -> None:
    words = [sys.executable, str(TOOL), "--out", str(tmp_path / "run"), "--recipe", "tiny"]
    asset = tmp_path / "detector.safetensors"
    done = subprocess.run([*words, "--asset", str(asset)], capture_output=True, text=True)
    assert done.returncode == 0 and "6 steps, finished" in done.stdout, done.stderr
    weights = load_detector(asset)
    assert len(weights.dense_models) == 1 and weights.shape_model.mean.shape == (68, 3)
    assert LandmarkDetector(NetworkDetector(weights)).dense_models == weights.dense_models


def test_the_phase_moves_the_network() -> None:
    check_only_its_own(detector())
