"""The embedder's training: its loss, its pictures, the command that makes the asset again."""

import dataclasses
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from embedder_case import embedder
from training_kit import check_exact_resume, check_only_its_own, check_processes_agree

from geomface.errors import SettingsError
from geomface.learning import (
    Draws,
    LoopSettings,
    read_metrics,
    run_training,
    stream_generator,
)
from geomface.recognition import (
    describe_pictures,
    draw_identity_pictures,
    identity_recipe,
    load_embedder,
)
from geomface.recognition.frontal_training.dataset import augment_pictures
from geomface.recognition.frontal_training.losses import contrastive_loss
from geomface.recognition.frontal_training.run import (
    draw_identity_set,
    draw_identity_sets,
    trained_embedder,
)
from geomface.recognition.frontal_training.task import SYSTEM, IdentityTask

TOOL = Path(__file__).resolve().parents[2] / "tools" / "train_identity_embedder.py"
TINY = identity_recipe("tiny")


def test_loss_is_least_when_people_stand_apart() -> None:
    who = torch.tensor([0, 0, 1, 1])
    apart = torch.tensor([[1.0, 0.0], [1.0, 0.0], [-1.0, 0.0], [-1.0, 0.0]])
    together = torch.tensor([[1.0, 0.0]] * 4)
    assert contrastive_loss(together, who, 0.1).item() == pytest.approx(np.log(3), rel=1e-6)
    expected = np.log1p(2 * np.exp(-20))
    assert contrastive_loss(apart, who, 0.1).item() == pytest.approx(expected, abs=1e-6)


def test_files_hold_the_pictures_that_are_drawn_at_once(tmp_path) -> None:
    found = draw_identity_set(tmp_path, TINY.drawing)
    whole = draw_identity_pictures(TINY.drawing.people, TINY.drawing.samples, TINY.drawing.seed)
    rows = found.drawn.rows(np.arange(len(found)))
    np.testing.assert_array_equal(rows["pictures"], whole.pictures)
    np.testing.assert_array_equal(rows["masks"], whole.masks)
    np.testing.assert_array_equal(found.identities.numpy(), whole.identities)


def test_pictures_are_changed_as_a_camera_would(tmp_path) -> None:
    data = draw_identity_set(tmp_path, TINY.drawing, held_out=True)
    batch = data.batch(torch.arange(len(data)))
    draws = Draws(stream_generator(0, "test"), len(data))
    shown = augment_pictures(batch, draws, grey=1.0)["pictures"]
    assert shown.min() >= -1.0 and shown.max() <= 1.0
    face = batch["masks"].expand_as(shown) * batch["masks"].flip(3) > 0
    grey = (shown - shown.mean(dim=1, keepdim=True)).abs()
    assert float(grey[face].mean()) < 0.02  # noise alone


def test_training_tells_people_apart(tmp_path) -> None:
    drawing = dataclasses.replace(TINY.drawing, people=24, held_out=8, people_per_file=24)
    loop = LoopSettings(100, 20, 100, 100, evaluate_every=20)
    settings = dataclasses.replace(
        TINY, drawing=drawing, people=12, samples=3, steps=100, loop=loop
    )
    sets = draw_identity_sets(settings, tmp_path)
    run_training(lambda: IdentityTask(settings, *sets), tmp_path, settings, system=SYSTEM)
    first, *_, last = read_metrics(tmp_path / "evaluations.jsonl")
    assert last["held_out_eer"] < min(0.25, first["held_out_eer"])


def test_fewer_people_than_a_step_takes_are_refused(tmp_path) -> None:
    settings = dataclasses.replace(TINY, people=64)
    with pytest.raises(SettingsError, match="64 classes of a batch, got 8"):
        IdentityTask(settings, *draw_identity_sets(settings, tmp_path))


def test_the_command_trains_and_writes_the_asset(tmp_path) -> None:
    words = [sys.executable, str(TOOL), "--out", str(tmp_path / "run"), "--recipe", "tiny"]
    asset = tmp_path / "embedder.safetensors"
    done = subprocess.run([*words, "--asset", str(asset)], capture_output=True, text=True)
    assert done.returncode == 0 and "6 steps, finished" in done.stdout, done.stderr
    pictures = np.zeros((1, 64, 64, 3))
    found = describe_pictures(pictures, network=load_embedder(asset))
    np.testing.assert_allclose(
        found, describe_pictures(pictures, network=trained_embedder(tmp_path / "run")), atol=5e-3
    )


def test_killed_lives_leave_what_one_leaves(tmp_path) -> None:
    check_exact_resume("embedder_case:embedder", tmp_path, steps=16)


def test_two_processes_are_one(tmp_path) -> None:
    check_processes_agree("embedder_case:embedder", tmp_path, steps=4)


def test_the_phase_moves_the_network() -> None:
    check_only_its_own(embedder())
