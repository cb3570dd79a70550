"""Recognition with translated faces: shares of the real people, with and without generated ones.

    python tests/benchmarks/translation_recognition.py --out DIR [--arm full] [--seeds 0 1 2]
        [--shares 0.2 0.5 1] [--people 300] [--steps 500] [--tables]

Goes on where `translation_study.py` with the same DIR stopped: its photographs are the real people,
its run ARM-SEED translates renders of new people. A compact network of 32 px learns from 20, 50 and
100 % of the real people, alone, with the translated faces and with the renders as they are, each
kind with a softmax of its own, the generated one at half weight, after Gecer et al. 2018, Fig. 8.
Measured is verification of real people whom nobody has learned from. DIR/recognition.json keeps
what is done; the same command goes on.
"""

import argparse
import dataclasses
import json
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import torch

from geomface.files.records import write_json
from geomface.gan.render_to_photo import load_translator
from geomface.learning import ComputeSettings, run_training
from geomface.metrics import verify_identities
from geomface.recognition import AlignedFaces, FaceEmbedder, NetworkSettings, aligned_faces
from geomface.recognition.aligned.joined import joined_faces
from geomface.recognition.training.export import embed_faces, trained_embedder
from geomface.recognition.training.people import first_people
from geomface.recognition.training.settings import RecognitionSettings, recognition_recipe
from geomface.recognition.training.task import SYSTEM, RecognitionTask

sys.path.insert(0, str(Path(__file__).resolve().parent))

from translation_study_data import ALIGNMENT, SETS, SIZE, DrawnSet, known_faces  # noqa: E402

SHARES = (0.2, 0.5, 1.0)
KINDS = ("alone", "translated", "renders")
WEIGHT, SAMPLES, SEED = 0.5, 8, 106
"""Of the generated people: weight, pictures of each, and seed."""


def settings_of(seed: int, steps: int, *, generated: bool) -> RecognitionSettings:
    """Return the settings of a training, alike for all but the second softmax."""
    base = recognition_recipe("cpu")
    return dataclasses.replace(
        base,
        network=NetworkSettings("compact", SIZE, SIZE),
        domain_mixup=None,
        synthetic_weight=WEIGHT if generated else None,
        batch=64,
        seed=seed,
        steps=steps,
        held_out=0.0,
        margin=dataclasses.replace(base.margin, warm_up=steps // 2),
        compute=ComputeSettings("cpu", "bfloat16"),
        loop=dataclasses.replace(
            base.loop, steps=steps, evaluate_every=steps, checkpoint_every=steps, sample_every=steps
        ),
    )


def verified(embedder: FaceEmbedder, faces: AlignedFaces) -> dict[str, float]:
    """Return equal error and area under the curve of all pairs."""
    found = verify_identities(embed_faces(embedder, faces), faces.labels)
    return {"eer": found.equal_error, "auc": found.auc}


def trained(
    real: AlignedFaces, generated: AlignedFaces | None, tests: AlignedFaces, seed: int, steps: int
) -> dict[str, Any]:
    """Train an embedder and measure it, whitened by the real people and as it is."""
    settings = settings_of(seed, steps, generated=generated is not None)
    sets = [real] if generated is None else [generated, real]
    with tempfile.TemporaryDirectory() as folder:
        run = Path(folder) / "run"
        result = run_training(
            lambda: RecognitionTask(settings, *sets), run, settings, system=SYSTEM
        )
        if result.ended == "interrupt":
            raise SystemExit(1)
        embedder = trained_embedder(run, photographs=real, whiten_by=[real])
    raw = dataclasses.replace(embedder, whitening=None)
    return {**verified(embedder, tests), "not_whitened": verified(raw, tests)}


def generated_faces(out: Path, run: Path, people: int) -> dict[str, AlignedFaces]:
    """Return renders of new people, and what a run makes of them."""
    name = f"renders generated {people}"
    SETS[name] = DrawnSet(people, SAMPLES, SEED, photographs=False)
    renders = known_faces(name, out).faces
    made = load_translator(run).translate(renders.pictures(), renders.names)
    persons = [row.person for row in renders.rows]
    shown = aligned_faces(made.pictures, persons, ALIGNMENT, renders.names)
    return {"renders": dataclasses.replace(renders, masks=None), "translated": shown}


def print_table(results: dict[str, Any]) -> None:
    """Print means and ranges over seeds."""
    print("| real people | beside them | seeds | AUC | EER | EER, not whitened |")
    print("|---|---|---|---|---|---|")
    for share in SHARES:
        for kind in KINDS:
            runs = [run for run in results.values() if (run["share"], run["kind"]) == (share, kind)]
            if not runs:
                continue
            cells = []
            for values in (
                [run["auc"] for run in runs],
                [run["eer"] for run in runs],
                [run["not_whitened"]["eer"] for run in runs],
            ):
                cells.append(f"{np.mean(values):.4f} ({min(values):.4f} to {max(values):.4f})")
            people = f"{runs[0]['people']} ({share:.0%})"
            print(f"| {people} | {kind} | {len(runs)} | {' | '.join(cells)} |")


def main() -> None:
    """Translate, train, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--arm", default="full", help="whose run translates")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--shares", type=float, nargs="+", default=SHARES, help="of real people")
    parser.add_argument("--people", type=int, default=300, help="generated")
    parser.add_argument("--steps", type=int, default=500)
    parser.add_argument("--tables", action="store_true", help="print what is there")
    options = parser.parse_args()
    torch.set_num_threads(1)
    out: Path = options.out
    path = out / "recognition.json"
    results: dict[str, Any] = json.loads(path.read_text()) if path.exists() else {}
    if not options.tables:
        run_all(options, results, path)
    print_table(results)


def run_all(options: argparse.Namespace, results: dict[str, Any], path: Path) -> None:
    """Do what is missing, and keep every figure as it comes."""
    out = options.out
    every = known_faces("photographs", out).faces
    tests = joined_faces(
        [known_faces(f"photographs {name}", out).faces for name in ("test", "other")]
    )
    for seed in options.seeds:
        beside = generated_faces(out, out / "runs" / f"{options.arm}-{seed}", options.people)
        for kind in KINDS:
            for share in options.shares:
                key = f"{share:g} {kind}, seed {seed}"
                if key in results:
                    continue
                people = round(share * len(every.people.names))
                real = first_people(every, people)
                found = trained(real, beside.get(kind), tests, seed, options.steps)
                results[key] = {"share": share, "kind": kind, "seed": seed, "people": people,
                                "steps": options.steps, **found}  # fmt: skip
                write_json(path, results)
                print(key, round(found["eer"], 4), flush=True)


if __name__ == "__main__":
    main()
