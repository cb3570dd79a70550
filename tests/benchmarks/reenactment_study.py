"""What each part of the reenactment brings: arms, seeds, and everything that is measured of them.

    python tests/benchmarks/reenactment_study.py --out DIR [--arms both self triple none ...]
        [--seeds 0 1 2] [--steps N] [--preset plain|photo] [--precision bfloat16] [--again]
    python tests/benchmarks/reenactment_study_tables.py --out DIR

Draws its tracks (`reenactment_study_data.py`, some minutes), teaches a reader of landmarks (two
minutes), then trains every arm of every seed (recipe `cpu`, one core) in DIR/runs/ARM-SEED and
writes what it is worth on other people to DIR/ARM-SEED.json; DIR/warp.json has the same of a
piecewise affine warp. What is done is not done again: the same command goes on where it stopped;
--again measures trained runs anew.
"""

import argparse
import dataclasses
import json
import sys
from pathlib import Path
from typing import Any, get_args

import numpy as np
import torch

from geomface.arrays import FloatArray, IndexArray
from geomface.files.records import write_json
from geomface.gan.landmark_reenactment import (
    ARMS,
    SYSTEM,
    CropEmbedder,
    FaceFrames,
    LandmarkReenactment,
    ReenactmentSettings,
    draw_triplets,
    evaluate_reenactment,
    load_reenactor,
    prepare_data,
    recipe,
)
from geomface.gan.landmark_reenactment.evaluation import move
from geomface.learning import ComputeSettings, run_training
from geomface.recognition import load_embedder

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))

from reenactment_study_data import (  # noqa: E402
    Preset,
    Reader,
    hidden_parts,
    known_frames,
    taught_reader,
    warped,
)

TRIPLETS, FAR = 600, 20.0
"""Of the test, and degrees of yaw from which a turn is far."""


def settings_of(
    arm: str, seed: int, steps: int | None, precision: str = "bfloat16"
) -> ReenactmentSettings:
    """Return the settings of a training."""
    settings = recipe("cpu", arm=arm, seed=seed)  # type: ignore[arg-type]
    change = dataclasses.replace
    weights = change(settings.weights, identity=0.0, perceptual=0.0)
    settings = change(
        settings, weights=weights, compute=ComputeSettings("cpu", precision=precision)
    )  # type: ignore[arg-type]
    if steps is None:
        return settings
    return change(settings, horizon=steps, loop=change(settings.loop, steps=steps))


@dataclasses.dataclass(frozen=True, eq=False)
class Test:
    """What every arm is measured on and by: other people, pairs far apart, and what these hide."""

    frames: FaceFrames
    rows: IndexArray
    yaw: FloatArray
    reader: Reader
    embedder: CropEmbedder

    @property
    def far(self) -> IndexArray:
        """Triplets whose source and next frame are 20 degrees of yaw apart or more."""
        return self.rows[np.abs(self.yaw[self.rows[:, 2]] - self.yaw[self.rows[:, 0]]) >= FAR]


def read_test(out: Path, preset: Preset = "plain") -> Test:
    """Return the test; draws and teaches what is missing."""
    shown, _ = known_frames("shown", out, preset)
    frames, yaw = known_frames("test", out, preset)
    rows = draw_triplets(frames, per_frame=2)
    chosen = np.linspace(0, len(rows) - 1, TRIPLETS).round().astype(int)
    reader = taught_reader(shown, out / "sets" / "reader.safetensors")
    return Test(frames, rows[chosen], yaw, reader, CropEmbedder(load_embedder()).eval())


def trained(arm: str, seed: int, steps: int | None, out: Path, precision: str) -> Path:
    """Train an arm unless it is trained, and return its run."""
    settings = settings_of(arm, seed, steps, precision)
    data = prepare_data(known_frames("shown", out)[0], held_out=0.1)
    run = out / "runs" / f"{arm}-{seed}"
    run.parent.mkdir(exist_ok=True)
    result = run_training(lambda: LandmarkReenactment(settings, data), run, settings, system=SYSTEM)
    if result.ended == "interrupt":
        raise SystemExit(1)
    return run


def far_errors(made: torch.Tensor, test: Test) -> dict[str, float]:
    """Return mean |y - I_n| of pictures made for far turns: of all pixels, and where they hid."""
    rows = test.far
    wanted, _ = test.frames.look(rows[:, 2])
    points = test.frames.points.astype(np.float64)
    hidden = np.stack([hidden_parts(points[i], points[j]) for i, _, j in rows])
    gap = (made - wanted).abs().mean(dim=1).numpy()
    return {"all": float(gap.mean()), "hidden": float(gap[hidden].mean()), "pairs": len(rows)}


def measured_warp(test: Test) -> dict[str, Any]:
    """Return what the warp is worth in one step, of all pairs and of far ones."""
    points = test.frames.points.astype(np.float64)

    def made(rows: IndexArray) -> torch.Tensor:
        images, _ = test.frames.look(rows[:, 0])
        pictures = [
            warped(image.numpy(), points[i], points[j])
            for image, (i, _, j) in zip(images, rows, strict=True)
        ]
        return torch.from_numpy(np.stack(pictures)).float()

    wanted, following = test.frames.look(test.rows[:, 2])
    shown = made(test.rows)
    found = test.reader.locate(shown)
    sides = np.ptp(following.numpy(), axis=1).mean(axis=1)
    off = np.linalg.norm(found - following.double().numpy(), axis=2).mean(axis=1) / sides
    return {
        "first": float((shown - wanted).abs().mean()),
        "landmarks_first": float(off.mean()),
        "far": far_errors(made(test.far), test),
    }


def measured(run: Path, test: Test) -> dict[str, Any]:
    """Return everything that is measured of a run."""
    model = load_reenactor(run)
    found = evaluate_reenactment(
        model.generator,
        model.settings,
        test.frames,
        test.rows,
        embedder=test.embedder,
        locate=test.reader.locate,
    )
    source, own = test.frames.look(test.far[:, 0])
    _, following = test.frames.look(test.far[:, 2])
    with torch.no_grad():
        far = move(model.generator, model.settings, source, own, following)
    lines = [json.loads(line) for line in (run / "metrics.jsonl").read_text().splitlines()]
    course = {
        name: [line[name] for line in lines if name in line]
        for name in ("pixel", "score/real", "score/fake")
    }
    return {**dataclasses.asdict(found), "far": far_errors(far, test), "course": course}


def main() -> None:
    """Train and measure what is not there."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])  # type: ignore[union-attr]
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument(
        "--arms", nargs="+", choices=ARMS, default=["both", "self", "triple", "none"]
    )
    parser.add_argument("--seeds", nargs="+", type=int, default=[0, 1, 2])
    parser.add_argument("--steps", type=int)
    parser.add_argument("--preset", choices=get_args(Preset), default="plain")
    parser.add_argument("--precision", choices=["float32", "bfloat16"], default="bfloat16")
    parser.add_argument("--again", action="store_true")
    given = parser.parse_args()
    torch.set_num_threads(1)
    test = read_test(given.out, given.preset)
    if given.again or not (given.out / "warp.json").exists():
        write_json(given.out / "warp.json", measured_warp(test))
    for seed in given.seeds:
        for arm in given.arms:
            path = given.out / f"{arm}-{seed}.json"
            if path.exists() and not given.again:
                continue
            print(f"{arm}, seed {seed}", flush=True)
            run = trained(arm, seed, given.steps, given.out, given.precision)
            write_json(path, measured(run, test))


if __name__ == "__main__":
    main()
