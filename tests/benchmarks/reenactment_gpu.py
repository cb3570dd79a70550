"""The reenactment on a GPU: steps against a plain eager loop, the limits, a short training.

    python tests/benchmarks/reenactment_gpu.py --device cuda --out DIR
        [--batch 16 64] [--turns 5] [--no-compile] [--draw-seconds 60] [--train-seconds 150]
        [--faces SET ...] [--minutes 8]
    python tests/benchmarks/reenactment_gpu.py --tiny --device cpu --out DIR

The second line is the check of the first, in seconds. The plain loop is that of
`reenactment_step.py`: torch as it comes, eager float32, the networks of `paper` at 128 px. Both
have both consistencies from the first step and no features of other networks, and are timed in
turn; the ratio is the median over the turns with its 95 % interval by bootstrap. A batch that does
not fit is told and left out; what has to be compiled comes last, after all else is written.
Beside it stand what the products of a plain step alone would take at the fastest matrix product,
and what reading and writing every tensor of it once would take at the fastest copy, both measured
here.

Then people who do not exist are drawn for --draw-seconds, or --faces are read (sets of `synth faces
--track N`), and the networks are trained for --train-seconds with the loss of identity. So short a
training has the balanced weights of the losses, and a course of the length that it will have. DIR
gets speed.json, the run and sheet.png: sources, targets, G(I; t), then G(I; n) in one step and in
two.
"""

import argparse
import dataclasses
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch

from geomface.files.records import write_json
from geomface.gan.landmark_reenactment import (
    PRESETS,
    SYSTEM,
    Frame,
    LandmarkReenactment,
    ReenactmentData,
    ReenactmentSettings,
    collect_frames,
    prepare_data,
    read_face_frames,
    recipe,
)
from geomface.learning import ComputeSettings
from geomface.learning.device import multiplies_bfloat16
from geomface.recognition import load_embedder
from geomface.synthesis import FaceImageSettings, FaceSampler, PhotoSettings

sys.path.insert(0, str(Path(__file__).resolve().parent))

from recognition_gpu import compare_runs  # noqa: E402
from reenactment_step import plain_loop, random_data  # noqa: E402
from translation_gpu import short_loop, train_briefly  # noqa: E402

FRAMES, POSE = 12, 4
"""Frames of a drawn person, and from one drawn pose to the next."""
COMPILING = 90.0
"""Seconds that must be left before anything is compiled."""


def compare_steps(
    use: ReenactmentSettings,
    data: ReenactmentData,
    options: argparse.Namespace,
    ways: dict[str, ComputeSettings],
) -> dict:
    """Return the times of a step, ours in several ways beside the plain one, and the limits."""
    device = torch.device(options.device)
    runs: dict[str, Callable[[], object]] = {"plain float32": plain_loop(use, data, device)}
    for name, compute in ways.items():
        runs[name] = LandmarkReenactment(dataclasses.replace(use, compute=compute), data).step
    size = use.networks.size
    title = f"{size} px, batch {use.batch}, {device}"
    return {"size": size, "batch": use.batch} | compare_runs(title, use.batch, runs, options)


def draw_people(size: int, seconds: float, most: int = 4000) -> ReenactmentData:
    """Return tracks of people who do not exist, as many as are drawn in a time, two at least."""
    clean = PhotoSettings(film=0.0, jpeg=0.0, occluders=0.0)
    settings = FaceImageSettings(
        most, FRAMES, max(3 * size // 2, 48), seed=1, preset="photo", track=POSE, photo=clean
    )
    sampler, frames, until = FaceSampler(settings), list[Frame](), time.perf_counter() + seconds
    for person in range(most):
        if person > 1 and time.perf_counter() > until:
            break
        drawn = sampler.batch([(person, moment) for moment in range(FRAMES)])
        for moment in range(FRAMES):
            image, points = drawn.images["rgb"][moment], drawn.landmarks[moment]
            name = f"{person}/{moment}"
            frames.append(Frame(name, image, points.astype(np.float64), person, person, moment))
    return prepare_data(collect_frames(frames, size))


def train(
    use: ReenactmentSettings, data: ReenactmentData, options: argparse.Namespace, step_ms: float
) -> dict:
    """Train for a while, keep the last sheet, and return how fast it went."""
    expected = max(round(1e3 * options.train_seconds / step_ms), 10)
    use = dataclasses.replace(
        use,
        loop=short_loop(options, options.tiny),
        horizon=expected,
        weights=dataclasses.replace(PRESETS["balanced"], perceptual=0.0),
        consistency_begins=0.2,
        consistency_full=0.5,
        lr=3e-4,
    )
    found = train_briefly(
        lambda: LandmarkReenactment(use, data, load_embedder()), use, SYSTEM, options.out, "pixel"
    )
    return found | {"people": len(set(data.shown.frames.people.tolist())), "expected": expected}


def main() -> None:
    """Compare steps, then train."""
    parser = argparse.ArgumentParser(description=str(__doc__).splitlines()[0])
    parser.add_argument("--tiny", action="store_true", help="tiny sizes, in seconds")
    parser.add_argument("--device", default="cuda")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--batch", type=int, nargs="+")
    parser.add_argument("--turns", type=int, default=5)
    parser.add_argument("--steps", type=int, default=4)
    parser.add_argument("--no-compile", action="store_true")
    parser.add_argument("--draw-seconds", type=float)
    parser.add_argument("--train-seconds", type=float)
    parser.add_argument("--faces", type=Path, nargs="*", default=[])
    parser.add_argument("--minutes", type=float, default=8.0)
    options = parser.parse_args()
    began, tiny = time.perf_counter(), options.tiny
    options.train_seconds = options.train_seconds or (2.0 if tiny else 150.0)
    options.draw_seconds = options.draw_seconds or (1.0 if tiny else 60.0)
    options.out.mkdir(parents=True, exist_ok=True)
    use = recipe("tiny" if tiny else "paper", arm="no-warp")
    bare = dataclasses.replace(use.weights, identity=0.0, perceptual=0.0)
    plain = dataclasses.replace(use, weights=bare, consistency_begins=0.0, consistency_full=0.0)
    noise = random_data(use.networks.size)
    ways = {"float32": ComputeSettings(options.device)}
    if options.device != "cpu" or multiplies_bfloat16():
        ways["bfloat16"] = ComputeSettings(options.device, "bfloat16")
    rounds = [(batch, ways) for batch in options.batch or ([4] if tiny else [16, 64])]
    if not (options.no_compile or tiny):
        compiled = ComputeSettings(options.device, "bfloat16", compile=True)
        rounds.append((rounds[0][0], {"bfloat16, compiled": compiled}))
    record: dict = {"tiny": tiny, "device": options.device, "steps": [], "left_out": []}
    if options.device == "cuda":
        record["device"] = torch.cuda.get_device_name()
    kept = options.train_seconds + (0 if options.faces else options.draw_seconds) + 20
    until = began + 60 * options.minutes - kept
    for batch, some in rounds:
        needed = COMPILING if any(way.compile for way in some.values()) else 30.0
        title = f"batch {batch}, {', '.join(some)}"
        if not tiny and time.perf_counter() > until - needed:
            record["left_out"].append(f"{title}: no time")
            continue
        try:
            changed = dataclasses.replace(plain, batch=batch)
            record["steps"].append(compare_steps(changed, noise, options, some))
        except torch.OutOfMemoryError:
            record["left_out"].append(f"{title}: does not fit into memory")
        if options.device == "cuda":
            torch.cuda.empty_cache()
        write_json(options.out / "speed.json", record)
    # Not compiled: a training of so few minutes would spend its time on that.
    way = list(ways)[-1]
    step_ms = record["steps"][0]["ways"][way]["ms"] if record["steps"] else 100.0
    size = use.networks.size
    if options.faces:
        data = prepare_data(read_face_frames(options.faces, size).frames)
    else:
        data = draw_people(size, options.draw_seconds)
    record["training"] = train(
        dataclasses.replace(use, compute=ways[way]), data, options, 1.3 * step_ms
    )
    record["seconds"] = time.perf_counter() - began
    write_json(options.out / "speed.json", record)
    for line in record["left_out"]:
        print(f"left out: {line}")
    print(f"{record['seconds']:.0f} s")


if __name__ == "__main__":
    main()
