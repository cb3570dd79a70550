"""What each part of a training brings: SynFace's comparisons on faces drawn here (`cpu` size).

    python tests/benchmarks/recognition_study.py --out DIR [--photographs ../shared/data/orl]
        [--ict ../shared/data/ict/ict_face.npz] [--seeds 0 1 2] [--steps 200] [--only NAME ...]
        [--tables]

Draws the sets that are missing under DIR/sets (56 x 48, aligned), trains every arm of every seed
(`compact`, batch 128, bfloat16) and measures it on people who are held out and on real photographs.
Everything done is kept in DIR/results.json: the same command goes on, `--tables` prints what is
there and draws DIR/people.png.
"""

import argparse
import dataclasses
import json
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch

from geomface.files.records import write_json
from geomface.learning import ComputeSettings, run_training
from geomface.metrics import verify_identities
from geomface.metrics.identity_sets import intra_class_spread
from geomface.recognition.aligned.aligned_faces import AlignedFaces, load_aligned
from geomface.recognition.embedder.face_embedder import FaceEmbedder, load_embedder
from geomface.recognition.training.augmentation import AugmentationSettings
from geomface.recognition.training.export import embed_faces, trained_embedder
from geomface.recognition.training.settings import RecognitionSettings, recognition_recipe
from geomface.recognition.training.task import SYSTEM, RecognitionTask
from geomface.synthesis.set_sizes import long_tail

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))

from recognition import aligned_photographs  # noqa: E402

Test = Callable[[FaceEmbedder], float]
PHOTO = ("--preset", "photo", "--wear", "per-picture")
MIXED = ("--identity-mixup", "0:1:0.05")
RATIOS = (1.0, 0.9, 0.8, 0.7, 0.6)
VARIED = ("none", "expression", "pose", "light")
STILL = AugmentationSettings(**dict.fromkeys(
    (field.name for field in dataclasses.fields(AugmentationSettings)), 0.0
))  # fmt: skip


@dataclasses.dataclass(frozen=True)
class DrawnSet:
    """What is drawn: people, pictures a person, seed, and words for `synth faces`."""

    people: int
    samples: int
    seed: int
    words: tuple[str, ...] = PHOTO
    ict: bool = False


SETS = {
    "people 300": DrawnSet(300, 20, 31),
    "mixed 300": DrawnSet(300, 20, 31, PHOTO + MIXED),
    "plain 300": DrawnSet(300, 20, 31, ("--preset", "plain")),
    "test": DrawnSet(200, 4, 77),
    "people 1000": DrawnSet(1000, 3, 31),
    "people 3000": DrawnSet(3000, 1, 31),
    "people 100": DrawnSet(100, 30, 31),
    **{
        f"test R {r:g}": DrawnSet(
            200, 4, 77, (*PHOTO, "--identity-mixup", f"{r:g}", "--mixup-label", "person")
        )
        for r in RATIOS[1:]
    },
    **{
        f"spread {name}": DrawnSet(
            60, 12, 55, (*PHOTO, *(("--identity-mixup", mix) if mix else ()),
                         *(("--mixup-label", "person") if mix else ())),
        )
        for name, mix in (("1", ""), ("0.8", "0.8"), ("0.6 to 1", "0.6:1:0.05"))
    },
    "ict 150": DrawnSet(150, 10, 31, ict=True),
    "ict test": DrawnSet(100, 4, 77, ict=True),
    **{
        f"vary {what}{mix}": DrawnSet(
            60, 10, 31, (*PHOTO, "--vary", what, *(MIXED if mix else ()))
        )
        for what in VARIED
        for mix in ("", " mixed")
    },
}  # fmt: skip


@dataclasses.dataclass(frozen=True)
class Arm:
    """A training: a set, whose pictures of each person, and how they are changed."""

    faces: str
    counts: tuple[int, ...] = ()
    """Pictures of person 0, 1, ..., from the first again after the last; empty: all."""
    people: int | None = None
    augmented: bool = True


ARMS = {
    "100 x 30": Arm("people 100"),
    "300 x 10": Arm("people 300", (10,)),
    "1,000 x 3": Arm("people 1000"),
    "3,000 x 1": Arm("people 3000"),
    "300 x 20": Arm("people 300"),
    "300 x 20, identities mixed": Arm("mixed 300"),
    "300 x 20, plain": Arm("plain 300"),
    "300 x 20, not augmented": Arm("people 300", augmented=False),
    "300 x 5": Arm("people 300", (5,)),
    "50 x 30": Arm("people 100", people=50),
    "150 x 10": Arm("people 300", (10,), people=150),
    "ICT 150 x 10": Arm("ict 150"),
    **{f"300 x 5, {name}": Arm("people 300", long_tail(name, 5)) for name in ("ub1", "ub2")},
    **{f"varied {what}{mix}": Arm(f"vary {what}{mix}") for what in VARIED
       for mix in ("", " mixed")},
}  # fmt: skip
ATTACKED = ("300 x 20", "300 x 20, identities mixed")
"""Arms that are tested on mixed people (S2)."""
MIXED_TESTS = tuple(f"test R {r:g}" for r in RATIOS[1:])
TESTS = ("test", "ict test", *MIXED_TESTS)


def drawn(name: str, out: Path, ict: Path) -> Path:
    """Draw and align a set where it is missing, and return its folder."""
    folder, use = out / "sets" / name.replace(" ", "-"), SETS[name]
    if (folder / "set.json").exists():
        return folder
    with tempfile.TemporaryDirectory(dir=out) as place:
        program = [sys.executable, "-m", "geomface"]
        words = ["--identities", str(use.people), "--samples", str(use.samples), "--size", "160"]
        words += ["--seed", str(use.seed), "--shards", "--out", place + "/drawn", *use.words]
        words += ["--model", str(ict)] if use.ict else []
        subprocess.run([*program, "synth", "faces", *words], check=True)
        words = ["--images", place + "/drawn", "--size", "56x48", "--out", place + "/aligned"]
        subprocess.run([*program, "recognise", "align", *words], check=True)
        folder.parent.mkdir(parents=True, exist_ok=True)
        shutil.move(place + "/aligned", folder)
    return folder


def chosen(faces: AlignedFaces, arm: Arm) -> AlignedFaces:
    """Return the pictures of an arm: the first so many of each person."""
    person, sample = np.array([row.name.split("_") for row in faces.rows]).astype(int).T
    keep = np.full(len(faces), True) if arm.people is None else person < arm.people
    if arm.counts:
        keep &= sample < np.array(arm.counts)[person % len(arm.counts)]
    return faces if keep.all() else faces.subset(keep)


def settings_of(arm: Arm, seed: int, steps: int) -> RecognitionSettings:
    """Return the settings of a training, the same for all but what the arm says."""
    base = recognition_recipe("cpu")
    return dataclasses.replace(
        base,
        seed=seed,
        steps=steps,
        held_out=0.0,
        margin=dataclasses.replace(base.margin, warm_up=steps // 2),
        augmentation=base.augmentation if arm.augmented else STILL,
        loop=dataclasses.replace(
            base.loop, steps=steps, evaluate_every=steps, checkpoint_every=steps,
            sample_every=steps,
        ),
        compute=ComputeSettings("cpu", "bfloat16"),
    )  # fmt: skip


def measured(descriptors: np.ndarray, people: Sequence[str]) -> float:
    """Return the equal error of all pairs."""
    classes = np.unique(people, return_inverse=True)[1]
    return verify_identities(descriptors, classes).equal_error


def trained(
    arm: Arm, faces: AlignedFaces, seed: int, steps: int,
    tests: dict[str, Test], place: Path,
) -> dict[str, Any]:  # fmt: skip
    """Train one arm and measure it."""
    settings = settings_of(arm, seed, steps)
    with tempfile.TemporaryDirectory(dir=place) as folder:
        run = Path(folder) / "run"
        result = run_training(
            lambda: RecognitionTask(settings, faces), run, settings, system=SYSTEM
        )
        if result.ended == "interrupt":
            raise SystemExit(1)
        embedder = trained_embedder(run, whiten_by=[faces])
    found = {name: test(embedder) for name, test in tests.items()}
    raw = dataclasses.replace(embedder, whitening=None)
    found |= {f"{name}, not whitened": test(raw) for name, test in tests.items()}
    return {"people": len(faces.people.names), "pictures": len(faces), **found}


def set_test(faces: AlignedFaces) -> Test:
    """Return a test on a set of synthetic people."""
    people = [row.person for row in faces.rows]
    return lambda embedder: measured(embed_faces(embedder, faces), people)


def photograph_test(folder: Path, kept: Path) -> Test:
    """Return the test on the real photographs."""
    from geomface.recognition.alignment.reference import alignment_of

    alignment = alignment_of("five-points-56x48")
    pictures, found, people = aligned_photographs(folder, alignment, kept)
    names = [str(item) for item in people[found]]
    return lambda embedder: measured(embedder.embed(pictures[found]), names)


def main() -> None:
    """Draw, train, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--photographs", type=Path, default=Path("../shared/data/orl"))
    parser.add_argument("--ict", type=Path, default=Path("../shared/data/ict/ict_face.npz"))
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--steps", type=int, default=200)
    parser.add_argument("--only", nargs="+", choices=list(ARMS), help="arms; else all, and S1")
    parser.add_argument("--tables", action="store_true")
    options = parser.parse_args()
    torch.set_num_threads(1)
    out = options.out
    out.mkdir(parents=True, exist_ok=True)
    path = out / "results.json"
    results = json.loads(path.read_text()) if path.exists() else {"arms": {}, "spread": {}}
    if not options.tables:
        run_all(options, out, results, lambda: write_json(path, results))
    from recognition_study_tables import print_tables

    print_tables(results, out)


def run_all(
    options: argparse.Namespace, out: Path, results: dict, keep: Callable[[], None]
) -> None:
    """Do what is missing, and keep every figure as it comes."""

    def faces_of(name: str) -> AlignedFaces:
        return load_aligned(drawn(name, out, options.ict))

    tests = {name: set_test(faces_of(name)) for name in TESTS}
    tests["photographs"] = photograph_test(options.photographs, out / "photographs-56x48.npz")
    for seed in options.seeds:
        for name in options.only or ARMS:
            key = f"{name}, seed {seed}"
            if key in results["arms"]:
                continue
            arm = ARMS[name]
            faces = chosen(faces_of(arm.faces), arm)
            own = {k: v for k, v in tests.items() if name in ATTACKED or k not in MIXED_TESTS}
            found = trained(arm, faces, seed, options.steps, own, out)
            results["arms"][key] = {"arm": name, "seed": seed, "steps": options.steps, **found}
            keep()
            print(key, {name: round(found[name], 3) for name in own}, flush=True)
    if options.only:
        return
    embedder = load_embedder()
    for name in (item for item in SETS if item.startswith("spread ")):
        faces = faces_of(name)
        rows = embed_faces(embedder, faces)
        who = np.unique([row.person for row in faces.rows], return_inverse=True)[1]
        estimate = intra_class_spread(rows, who)
        results["spread"][name.removeprefix("spread ")] = dataclasses.asdict(estimate)
    keep()


if __name__ == "__main__":
    main()
