"""What each part of the translation brings: arms, seeds, and everything that is measured of them.

    python tests/benchmarks/translation_study.py --out DIR --judges FILE [FILE ...]
        [--arms full no-pairs ...] [--seeds 0 1 2] [--steps N] [--again]
    python tests/benchmarks/translation_study_tables.py --out DIR

Draws its sets (`translation_study_data.py`, some minutes), teaches those who measure (a minute),
then trains every arm of every seed (recipe `cpu`, one core, the embedder that ships) in
DIR/runs/ARM-SEED and writes what it is worth to DIR/ARM-SEED.json. What is done is not done again:
the same command goes on where it stopped; --again measures trained runs anew. --judges are
embedders (`geomface recognise train`) of other seeds and people than the one that ships, which tell
whether people stay who they are. The tables come from what is there.
"""

import argparse
import dataclasses
import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch

from geomface.files.records import write_json
from geomface.gan.render_to_photo import (
    ARMS,
    SYSTEM,
    FacePairs,
    RenderToPhoto,
    RenderTranslator,
    TranslationData,
    TranslationSettings,
    load_translator,
    recipe,
)
from geomface.learning import ComputeSettings, run_training
from geomface.metrics import measure_distances, verify_identities
from geomface.metrics.pyramid import laplacian_pyramid
from geomface.recognition import EmbedderModule, FaceEmbedder, load_embedder

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))

from translation_study_data import ALIGNMENT, SIZE, KnownFaces, known_faces  # noqa: E402
from translation_study_readers import (  # noqa: E402
    read_faces,
    reader_targets,
    reading_errors,
    share_called_real,
    taught_classifier,
    taught_reader,
)

NO_PAIRS = "-no-pairs"
PRECISION = "bfloat16"
"""Of the trainings: a fifth less time than float32."""
CHOICES = (*ARMS, "hard" + NO_PAIRS)
GAMES = ("photographs", "renders", "pairs")


def settings_of(arm: str, seed: int, steps: int | None) -> TranslationSettings:
    """Return the settings of a training; an arm with "-no-pairs" behind it has no game of them."""
    plain = arm not in ARMS
    settings = recipe("cpu", arm=arm.removesuffix(NO_PAIRS) if plain else arm, seed=seed)  # type: ignore[arg-type]
    change = dataclasses.replace
    if plain:
        settings = change(settings, weights=change(settings.weights, pairs=0.0))
    settings = change(settings, compute=ComputeSettings("cpu", PRECISION))
    if steps is None:
        return settings
    return change(settings, horizon=steps, loop=change(settings.loop, steps=steps))


@dataclasses.dataclass(frozen=True, eq=False)
class Tests:
    """What every arm is measured on and by, none of it known to the training.

    Parameters
    ----------
    renders, photographs : of other people, each of others
    pair_renders, pair_photographs : halves of the pairs held out
    others : photographs of yet others, which tell how near photographs are to photographs
    judges : {name: embedder}
    reader, classifier : see `translation_study_readers`
    """

    renders: KnownFaces
    photographs: KnownFaces
    pair_renders: KnownFaces
    pair_photographs: KnownFaces
    others: KnownFaces
    judges: Mapping[str, FaceEmbedder]
    reader: torch.nn.Module
    classifier: torch.nn.Module


def read_tests(out: Path, judges: list[Path]) -> Tests:
    """Return the tests; draws and teaches what is missing."""
    other_renders, others, seen = (
        known_faces(name, out) for name in ("renders other", "photographs other", "photographs")
    )
    reader = taught_reader([seen, others], out / "sets" / "reader.safetensors")
    classifier = taught_classifier(other_renders, others, out / "sets" / "classifier.safetensors")
    return Tests(
        renders=known_faces("renders test", out),
        photographs=known_faces("photographs test", out),
        pair_renders=known_faces("pair renders test", out),
        pair_photographs=known_faces("pair photographs test", out),
        others=others,
        judges={path.stem: load_embedder(path) for path in judges},
        reader=reader,
        classifier=classifier,
    )


def read_data(out: Path) -> TranslationData:
    """Return the streams of all trainings."""
    renders, photographs = (known_faces(name, out).faces for name in ("renders", "photographs"))
    own, held_out = (
        FacePairs(*(known_faces(f"pair {half}{which}", out).faces
                    for half in ("renders", "photographs")))
        for which in ("", " test")
    )  # fmt: skip
    people = len(renders.people.names)
    return TranslationData(ALIGNMENT, renders, people, photographs, own, held_out)


def trained(arm: str, seed: int, steps: int | None, out: Path, data: TranslationData) -> Path:
    """Train an arm unless it is trained, and return its run."""
    settings = settings_of(arm, seed, steps)
    embedder = load_embedder() if settings.weights.identity else None
    run = out / "runs" / f"{arm}-{seed}"
    run.parent.mkdir(exist_ok=True)
    result = run_training(
        lambda: RenderToPhoto(settings, data, embedder), run, settings, system=SYSTEM
    )
    if result.ended == "interrupt":
        raise SystemExit(1)
    return run


def distances(made: torch.Tensor, real: torch.Tensor) -> dict[str, float]:
    """Return the distances to photographs, and how much fine detail there is beside theirs."""
    found = measure_distances(made, real)
    detail = [laplacian_pyramid(images)[0].std() for images in (made, real)]
    return {
        "kid": found.kernel,
        "kid_error": found.kernel_error,
        "swd": found.swd_average,
        "swd_finest": found.swd[SIZE],
        "detail": float(detail[0] / detail[1]),
    }


@torch.no_grad()
def people_apart(judge: FaceEmbedder, images: torch.Tensor, labels: np.ndarray) -> dict[str, float]:
    """Return how well an embedder tells people apart."""
    who = EmbedderModule(judge, ALIGNMENT).eval()
    rows = torch.cat([who(part) for part in images.split(64)]).double().numpy()
    found = verify_identities(rows, labels)
    return {"auc": found.auc, "eer": found.equal_error, "d_prime": found.d_prime}


def worth(images: torch.Tensor, known: KnownFaces, tests: Tests) -> dict[str, Any]:
    """Return all that is measured of pictures with the people, poses and lights of `known`."""
    return {
        **distances(images, tests.photographs.images()),
        "called_photographs": share_called_real(tests.classifier, images),
        "read": read(images, known, tests),
        "people": {
            name: people_apart(judge, images, known.faces.labels)
            for name, judge in tests.judges.items()
        },
    }


def read(images: torch.Tensor, known: KnownFaces, tests: Tests) -> dict[str, float]:
    """Return how far what is read from pictures is from the truth."""
    return reading_errors(read_faces(tests.reader, images), reader_targets(known))


def pair_errors(images: torch.Tensor, tests: Tests) -> dict[str, float]:
    """Return mean |y - r| over the pairs held out, in [-1, 1] colours: of all, and on the face."""
    mask = tests.pair_renders.faces.batch(torch.arange(len(images)))["masks"]
    gap = (images - tests.pair_photographs.images()).abs()
    return {"all": float(gap.mean()), "face": float((mask * gap).sum() / (3.0 * mask.sum()))}


def translated(translator: RenderTranslator, known: KnownFaces) -> tuple[torch.Tensor, float]:
    """Return what becomes of renders, rounded as pictures are kept, and the mean cycle error."""
    made = translator.translate(known.faces.pictures(), known.faces.names)
    levels = torch.from_numpy(np.rint(255.0 * made.pictures)).permute(0, 3, 1, 2)
    return (levels.float() / 127.5 - 1.0).contiguous(), float(made.cycle.mean())


def games(run: Path) -> dict[str, dict[str, float]]:
    """Return the course of each game: range of its k, measure in the first and last tenth."""
    lines = [json.loads(line) for line in (run / "metrics.jsonl").read_text().splitlines()]
    found = {}
    for game in GAMES:
        rows = [line for line in lines if f"balance/{game}" in line]
        if not rows:
            continue
        k = [row[f"balance/{game}"] for row in rows]
        course = [row[f"measure/{game}"] for row in rows]
        tenth = max(len(rows) // 10, 1)
        found[game] = {
            "k_low": min(k),
            "k_high": max(k),
            "k_end": k[-1],
            "measure_begin": float(np.mean(course[:tenth])),
            "measure_end": float(np.mean(course[-tenth:])),
        }
    return found


def measured(run: Path, tests: Tests) -> dict[str, Any]:
    """Return the figures of a trained arm."""
    translator = load_translator(run)
    made, cycle = translated(translator, tests.renders)
    pairs, _ = translated(translator, tests.pair_renders)
    told = [read_faces(tests.reader, images) for images in (made, tests.renders.images())]
    return {
        "step": translator.step,
        **worth(made, tests.renders, tests),
        "moved": reading_errors(*told),
        "cycle": cycle,
        "pairs": pair_errors(pairs, tests),
        "pairs_read": read(pairs, tests.pair_renders, tests),
        "pairs_detail": distances(pairs, tests.pair_photographs.images()),
        "games": games(run),
    }


def measured_sets(tests: Tests) -> dict[str, Any]:
    """Return the figures of what there is without a translation: the renders, the photographs."""
    renders, true = tests.pair_renders.images(), tests.pair_photographs.images()
    return {
        "renders": {
            **worth(tests.renders.images(), tests.renders, tests),
            "pairs": pair_errors(renders, tests),
            "pairs_read": read(renders, tests.pair_renders, tests),
            "pairs_detail": distances(renders, true),
        },
        "photographs": {
            **worth(tests.photographs.images(), tests.photographs, tests),
            **distances(tests.others.images(), tests.photographs.images()),
            "pairs": pair_errors(true, tests),
            "pairs_read": read(true, tests.pair_photographs, tests),
            "pairs_detail": distances(true, true),
        },
    }


def main() -> None:
    """Draw, teach, train, measure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--judges", type=Path, nargs="+", required=True)
    parser.add_argument("--arms", nargs="+", choices=CHOICES, default=list(CHOICES))
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--steps", type=int, help="of each training; default the recipe's")
    parser.add_argument("--again", action="store_true", help="measure trained runs anew")
    options = parser.parse_args()
    torch.set_num_threads(1)
    out: Path = options.out
    tests = read_tests(out, options.judges)
    data = read_data(out)
    base = out / "sets.json"
    if not base.exists() or options.again:
        write_json(base, measured_sets(tests))
    for seed in options.seeds:
        for arm in options.arms:
            path = out / f"{arm}-{seed}.json"
            if path.exists() and not options.again:
                continue
            run = trained(arm, seed, options.steps, out, data)
            found = measured(run, tests)
            write_json(path, {"arm": arm, "seed": seed, **found})
            told = {"pairs": found["pairs"]["face"], "kid": found["kid"],
                    "called": found["called_photographs"]}  # fmt: skip
            print(arm, seed, {k: round(v, 4) for k, v in told.items()}, flush=True)


if __name__ == "__main__":
    main()
