"""`geomface train` and `evaluate landmark_reenactment` from sets on disk, and what they refuse."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from reenactment_cases import build_embedder, build_frames

import geomface as gf
from geomface.cli.main import main
from geomface.gan.landmark_reenactment import (
    CropEmbedder,
    NetworkSettings,
    draw_triplets,
    evaluate_reenactment,
    load_reenactor,
    measure_drift,
)
from geomface.learning import DatasetError, read_metrics
from geomface.pipeline import FaceSetSettings, generate_faces


@pytest.fixture(scope="module")
def tracks(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("tracks")
    images = gf.FaceImageSettings(identities=3, samples=7, size=48, track=3)
    generate_faces(FaceSetSettings(images, folder / "set"))
    return folder


def words_of(root: Path, *more: str) -> list[str]:
    words = ["train", "landmark_reenactment", "--recipe", "tiny", "--device", "cpu", "--quiet"]
    return [*words, "--faces", str(root / "set"), "--out", str(root / "run"), *more]


def test_a_set_of_tracks_is_learned_and_measured(
    tracks: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(words_of(tracks, "--steps", "1", "--held-out", "0.3")) == 0
    assert main(words_of(tracks, "--steps", "3", "--held-out", "0.3")) == 0
    steps = [item["step"] for item in read_metrics(tracks / "run" / "metrics.jsonl")]
    assert steps[-1] in (2, 3)
    model = load_reenactor(tracks / "run")
    assert model.step == 3 and model.settings.size == 16
    words = ["evaluate", "landmark_reenactment", str(tracks / "run"), "--faces"]
    words += [str(tracks / "set"), "--triplets", "6", "--no-landmarks", "--json"]
    capsys.readouterr()
    assert main(words) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["triplets"] == 6 and told["ratio"] == pytest.approx(told["second"] / told["first"])
    assert len(told["drift"]["errors"]) == 5 and (tracks / "run" / "evaluation.json").exists()


def test_no_faces_are_refused(tracks: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["train", "landmark_reenactment", "--out", str(tracks / "none")]
    assert main(words) != 0
    assert "--faces: expected folders of faces" in capsys.readouterr().err


def test_known_generators_have_known_figures() -> None:
    """One that hands back its input, and one that obeys and forgets the input."""
    frames = build_frames(length=7)
    rows, settings = draw_triplets(frames), NetworkSettings(16, condition="contours")
    embedder = CropEmbedder(build_embedder()).eval()

    def locate(images: torch.Tensor) -> np.ndarray:
        found = frames.points[rows[:, 2]].astype(float)
        found[0] = np.nan
        return found + 1.0

    kept = evaluate_reenactment(
        lambda x, c: x, settings, frames, rows, embedder=embedder, locate=locate
    )
    assert kept.footprint == 0 and kept.path == 0 and kept.ratio == 1
    assert kept.first == kept.second == kept.copied > 0
    sides = np.ptp(frames.points[rows[1:, 2]], axis=1).mean(axis=1)
    assert kept.landmarks_first == pytest.approx((2**0.5 / sides).mean(), rel=1e-5)
    assert kept.located == pytest.approx(1 - 1 / len(rows))
    assert kept.identity_first is not None and -1 <= kept.identity_first <= 1
    obeys = evaluate_reenactment(lambda x, c: 2 * c - 1, settings, frames, rows)
    assert obeys.path == 0 and obeys.ratio == 1 and obeys.footprint > 0.5
    assert obeys.drift is not None and obeys.drift.slope == pytest.approx(0, abs=1e-9)
    decays = measure_drift(lambda x, c: 0.5 * x, settings, frames)
    assert decays is not None and decays.slope != 0 and len(decays.errors) == 5
    assert measure_drift(lambda x, c: x, settings, build_frames(length=3)) is None
    with pytest.raises(DatasetError, match="4 triplets or more to measure, got 2"):
        evaluate_reenactment(lambda x, c: x, settings, frames, rows[:2])
