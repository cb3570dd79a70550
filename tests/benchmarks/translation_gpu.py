"""The translation on a GPU: steps against a plain eager loop, the limits, a short training.

    python tests/benchmarks/translation_gpu.py --device cuda --recipe paper --out DIR
        [--batch 16 64] [--turns 5] [--no-compile] [--train-seconds 150] [--minutes 8]
        [--renders SET --photographs SET --pairs RENDERS PHOTOGRAPHS]
    python tests/benchmarks/translation_gpu.py --device cpu --recipe tiny --out DIR

The second line is the check of the first, in seconds. The plain loop is that of
`translation_step.py`: torch as it comes, eager float32. Both have their pictures at hand and are
timed in turn; the ratio is the median over the turns with its 95 % interval by bootstrap. A batch
that does not fit is told and left out. Beside it stand what the products of a plain step alone
would take at the fastest matrix product, and what reading and writing every tensor of it once would
take at the fastest copy, both measured here. Then the networks are trained for --train-seconds with
the sets that are given (`geomface recognise align`, 108 px for `paper`; noise without them). DIR
gets speed.json, the run and sheet.png: renders, translations, the way back.
"""

import argparse
import dataclasses
import shutil
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch

from geomface.files.records import write_json
from geomface.gan.render_to_photo import (
    SYSTEM,
    RenderToPhoto,
    TranslationData,
    TranslationSettings,
    pair_faces,
    read_streams,
    recipe,
)
from geomface.learning import ComputeSettings, LoopSettings, PhasedTask, System
from geomface.learning.device import multiplies_bfloat16
from geomface.learning.training import run_training
from geomface.recognition import load_aligned, load_embedder

sys.path.insert(0, str(Path(__file__).resolve().parent))

from recognition_gpu import compare_runs  # noqa: E402
from translation_step import plain_loop, random_data  # noqa: E402


def compare_steps(
    use: TranslationSettings,
    data: TranslationData,
    options: argparse.Namespace,
    ways: dict[str, ComputeSettings],
) -> dict:
    """Return the times of a step, ours in several ways beside the plain one, and the limits."""
    device = torch.device(options.device)
    runs: dict[str, Callable[[], object]] = {"plain float32": plain_loop(use, data, device)}
    for name, compute in ways.items():
        runs[name] = RenderToPhoto(dataclasses.replace(use, compute=compute), data).step
    size = use.networks.size
    title = f"{size} px, batch {use.batch}, {device}"
    return {"size": size, "batch": use.batch} | compare_runs(title, use.batch, runs, options)


def train(
    use: TranslationSettings, data: TranslationData, options: argparse.Namespace, known: bool
) -> dict:
    """Train for a while, keep the last sheet, and return how fast it went."""
    embedder = load_embedder() if known else None
    use = dataclasses.replace(use, loop=short_loop(options, options.recipe == "tiny"))
    return train_briefly(
        lambda: RenderToPhoto(use, data, embedder), use, SYSTEM, options.out, "cycle"
    )


def short_loop(options: argparse.Namespace, tiny: bool) -> LoopSettings:
    """Return a loop of --train-seconds."""
    every = 5 if tiny else 100
    return LoopSettings(10**6, every, every, 10**6, keep=1, budget_seconds=options.train_seconds)


def train_briefly(
    build: Callable[[], PhasedTask], use: Any, system: System, out: Path, figure: str
) -> dict:
    """Train into out/run, copy its last sheet to out/sheet.png, and return how fast it went and the
    median of a figure of its log.
    """
    lines: list[dict[str, float]] = []
    run = out / "run"
    result = run_training(build, run, use, system=system, resume="never", on_log=lines.append)
    sheets = sorted((run / "samples").glob("*.png"))
    if sheets:
        shutil.copy(sheets[-1], out / "sheet.png")
    told = [line for line in lines if "waiting" in line]
    told = told[1:] or told  # the first one compiles
    middle = {
        name: float(np.median([line[name] for line in told]))
        for name in ("steps_per_second", "waiting", figure)
        if told
    }
    found = {"batch": use.batch, "steps": result.steps, "seconds": result.seconds, **middle}
    print(f"training: {found}", flush=True)
    return found


def main() -> None:
    """Compare steps, then train."""
    parser = argparse.ArgumentParser(description=str(__doc__).splitlines()[0])
    parser.add_argument("--recipe", choices=("paper", "cpu", "tiny"), default="paper")
    parser.add_argument("--device", default="cuda")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--batch", type=int, nargs="+")
    parser.add_argument("--turns", type=int, default=5)
    parser.add_argument("--steps", type=int, default=4)
    parser.add_argument("--no-compile", action="store_true")
    parser.add_argument("--train-seconds", type=float)
    parser.add_argument("--renders", type=Path)
    parser.add_argument("--photographs", type=Path)
    parser.add_argument("--pairs", type=Path, nargs=2)
    parser.add_argument("--minutes", type=float, default=8.0)
    options = parser.parse_args()
    given = [options.renders, options.photographs, options.pairs]
    if any(given) and not all(given):
        parser.error("expected --renders, --photographs and --pairs together, or none of them")
    began, tiny = time.perf_counter(), options.recipe == "tiny"
    options.train_seconds = options.train_seconds or (2.0 if tiny else 150.0)
    options.out.mkdir(parents=True, exist_ok=True)
    use = recipe(options.recipe)
    if all(given):
        data = read_streams(
            load_aligned(options.renders),
            load_aligned(options.photographs),
            pair_faces(*map(load_aligned, options.pairs)),
        )
        networks = dataclasses.replace(use.networks, size=data.alignment.height)
        use = dataclasses.replace(use, networks=networks)
    else:
        data = random_data(use.networks.size, 256)
    ways = {"float32": ComputeSettings(options.device)}
    if options.device != "cpu" or multiplies_bfloat16():
        ways["bfloat16"] = ComputeSettings(options.device, "bfloat16")
    if not options.no_compile and not tiny:
        ways["bfloat16, compiled"] = ComputeSettings(options.device, "bfloat16", compile=True)
    record: dict = {"recipe": options.recipe, "device": options.device, "steps": [], "left_out": []}
    if options.device == "cuda":
        record["device"] = torch.cuda.get_device_name()
    until = began + 60 * options.minutes - options.train_seconds - 20
    plain = dataclasses.replace(use, weights=dataclasses.replace(use.weights, identity=0.0))
    for batch in options.batch or ([4] if tiny else [16, 64]):
        if time.perf_counter() > until - (0 if tiny else 60):
            record["left_out"].append(f"batch {batch}: no time")
            continue
        try:
            changed = dataclasses.replace(plain, batch=batch)
            record["steps"].append(compare_steps(changed, data, options, ways))
        except torch.OutOfMemoryError:
            record["left_out"].append(f"batch {batch}: does not fit into memory")
        if options.device == "cuda":
            torch.cuda.empty_cache()
        write_json(options.out / "speed.json", record)
    fastest = dataclasses.replace(use, compute=list(ways.values())[-1])
    record["training"] = train(fastest, data, options, known=all(given))
    record["seconds"] = time.perf_counter() - began
    write_json(options.out / "speed.json", record)
    for line in record["left_out"]:
        print(f"left out: {line}")
    print(f"{record['seconds']:.0f} s")


if __name__ == "__main__":
    main()
