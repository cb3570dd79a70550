"""Domain mixup with a few real people, tested on the other people's photographs.

    python tests/benchmarks/domain_mixup.py --synthetic SET [SET ...] [--photographs ORL]
        [--aligned KEPT.npz] [--people 2 5 10] [--splits 5] [--arms syn real mix both]
        [--steps 500] [--batch 64] --out DIR

Of the 19 people of orl_dev.npz, k are the few real ones and all pairs of the others' photographs
are the test, for several random splits; the k people of a smaller k are among those of a larger.
Arms: `syn` learns from synthetic people alone, `real` from the k alone, `mix` from blends of both
at one ratio a batch (Qiu et al. 2021, Sec. 3.4), `both` from half a batch of each. They have the
settings of the library's `cpu` recipe but for --steps and --batch, the same first weights in a
split (its number is the seed), and see as many pictures in as many steps.

DIR gets results.json, written after each training, so that a stopped run goes on where it was; the
trainings themselves; and the curve over k, curve.png.
"""

import argparse
import dataclasses
import json
import sys
import time
from pathlib import Path

import numpy as np

from geomface.files.records import write_json
from geomface.learning import ComputeSettings
from geomface.learning.training import run_training
from geomface.recognition.aligned.aligned_faces import AlignedFaces, aligned_faces, load_aligned
from geomface.recognition.embedder.face_embedder import FaceEmbedder
from geomface.recognition.protocols.picture_pairs import all_pairs
from geomface.recognition.protocols.verification import verify
from geomface.recognition.training.export import trained_embedder
from geomface.recognition.training.people import gather_faces
from geomface.recognition.training.settings import RecognitionSettings, recognition_recipe
from geomface.recognition.training.task import SYSTEM, RecognitionTask
from geomface.synthesis.mixup_ratios import parse_ratios

sys.path.insert(0, str(Path(__file__).resolve().parent))

from recognition import aligned_photographs  # noqa: E402

ARMS = {
    "syn": "synthetic people alone",
    "real": "the few real people alone",
    "mix": "domain mixup of both",
    "both": "both side by side",
}


@dataclasses.dataclass(frozen=True, eq=False)
class Photographs:
    """Real people: pictures (N, h, w, 3), whether each has a face, and its person."""

    faces: AlignedFaces
    pictures: np.ndarray
    found: np.ndarray
    people: np.ndarray

    def of(self, people: np.ndarray) -> np.ndarray:
        """Return the mask of the pictures with a face of some people."""
        return np.isin(self.people, people) & self.found


def arm_settings(arm: str, seed: int, options: argparse.Namespace) -> RecognitionSettings:
    """Return the settings of a training: of all arms the same but for how domains meet."""
    use, steps = recognition_recipe("cpu"), options.steps
    return dataclasses.replace(
        use,
        seed=seed,
        steps=steps,
        batch=options.batch // 2 if arm == "both" else options.batch,
        margin=dataclasses.replace(use.margin, warm_up=steps // 2),
        domain_mixup=None if arm == "both" else parse_ratios(options.ratios),
        compute=ComputeSettings("cpu", options.precision),
        loop=dataclasses.replace(
            use.loop,
            steps=steps,
            log_every=max(steps // 4, 1),
            sample_every=steps,
            checkpoint_every=steps,
            evaluate_every=max(steps // 4, 1),
            keep=1,
        ),
    )


def trained(
    arm: str,
    few: AlignedFaces | None,
    test: AlignedFaces,
    synthetic: AlignedFaces,
    settings: RecognitionSettings,
    run: Path,
) -> tuple[FaceEmbedder, list[float]]:
    """Return the embedder of an arm, and equal errors on the test on the way."""
    faces, real = (few, None) if arm == "real" else (synthetic, None if arm == "syn" else few)
    assert faces is not None
    curve: list[float] = []

    def keep(record: dict[str, float]) -> None:
        if "held_out_eer" in record:
            curve.append(round(record["held_out_eer"], 4))

    run_training(
        lambda: RecognitionTask(settings, faces, real, test),
        run,
        settings,
        system=SYSTEM,
        on_log=keep,
    )
    return trained_embedder(run), curve


def measured(embedder: FaceEmbedder, photographs: Photographs, people: np.ndarray) -> dict:
    """Return the figures of all pairs of some people's photographs."""
    chosen = photographs.of(people)
    pairs = all_pairs([f"s{person:02d}" for person in photographs.people[chosen]])
    scores = pairs.scores(embedder.embed(photographs.pictures[chosen]))
    figures = verify(scores, pairs, resamples=0).left_out.pairs
    return {
        "equal_error": figures.equal_error.value,
        "auc": figures.auc.value,
        "accepted_1": figures.accepted[0.01].value,
    }


def table(rows: list[dict]) -> str:
    """Return mean and spread of each arm over the splits, and how often mix is the best."""
    lines = []
    for few in sorted({row["people"] for row in rows}):
        found = {
            arm: {
                r["split"]: r["equal_error"] for r in rows if (r["people"], r["arm"]) == (few, arm)
            }
            for arm in ARMS
        }
        for arm, values in found.items():
            if values:
                each = " ".join(f"{value:.3f}" for value in values.values())
                mean, spread = np.mean(list(values.values())), np.std(list(values.values()))
                lines.append(f"k {few:2d} {arm:5} {mean:.4f} +- {spread:.4f}  {each}")
        for other in ("syn", "real", "both"):
            splits = sorted(found["mix"].keys() & found[other].keys())
            if splits:
                gaps = [found["mix"][s] - found[other][s] for s in splits]
                lower = sum(gap < 0 for gap in gaps)
                lines.append(
                    f"k {few:2d} mix - {other}: {np.mean(gaps):+.4f}, lower in {lower} of "
                    f"{len(gaps)}"
                )
    return "\n".join(lines)


def draw_curve(rows: list[dict], path: Path) -> None:
    """Draw equal errors over k: means of the splits, and each split as a dot."""
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(figsize=(5.2, 3.4), layout="constrained")
    counts = sorted({row["people"] for row in rows})
    for number, (arm, label) in enumerate(ARMS.items()):
        values = [
            [r["equal_error"] for r in rows if (r["people"], r["arm"]) == (few, arm)]
            for few in counts
        ]
        shown = [(few, each) for few, each in zip(counts, values, strict=True) if each]
        if not shown:
            continue
        axes.plot([few for few, _ in shown], [np.mean(each) for _, each in shown], "-", label=label)
        for few, each in shown:
            place = few + 0.12 * (number - 1.5)
            axes.plot([place] * len(each), each, ".", color=f"C{number}", alpha=0.45, ms=5)
    axes.set(xlabel="real people, 10 photographs each", ylabel="equal error on the other people")
    axes.set_xticks(counts)
    axes.set_ylim(bottom=0.0)
    axes.grid(alpha=0.3)
    axes.legend(fontsize=8)
    figure.savefig(path, dpi=110)
    plt.close(figure)


def main() -> None:
    """Train and measure all arms."""
    parser = argparse.ArgumentParser(description=str(__doc__).splitlines()[0])
    parser.add_argument("--synthetic", type=Path, nargs="+", required=True)
    parser.add_argument("--photographs", type=Path, default=Path("../shared/data/orl"))
    parser.add_argument("--aligned", type=Path, help="npz that keeps the aligned photographs")
    parser.add_argument("--people", type=int, nargs="+", default=[2, 5, 10])
    parser.add_argument("--splits", type=int, nargs="+", default=[0, 1, 2, 3, 4])
    parser.add_argument("--arms", nargs="+", default=list(ARMS), choices=list(ARMS))
    parser.add_argument("--steps", type=int, default=500)
    parser.add_argument("--batch", type=int, default=64)
    parser.add_argument("--ratios", default="0:1:0.05", help="synthetic shares of mix")
    parser.add_argument("--precision", default="bfloat16")
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    synthetic = gather_faces(
        [load_aligned(path) for path in options.synthetic], [str(p) for p in options.synthetic]
    )
    alignment = synthetic.alignment
    pictures, found, people = aligned_photographs(options.photographs, alignment, options.aligned)
    names = [f"s{person:02d}" for person in people]
    photographs = Photographs(aligned_faces(pictures, names, alignment), pictures, found, people)
    record = options.out / "results.json"
    rows = json.loads(record.read_text())["rows"] if record.exists() else []
    everyone = np.unique(people)
    for split in options.splits:
        order = np.random.default_rng(split).permutation(everyone)
        for few in options.people:
            test = order[few:]
            for arm in options.arms:
                place = {"people": few, "split": split, "arm": arm}
                if any(place.items() <= row.items() for row in rows):
                    continue
                began = time.process_time()
                name = f"{arm}-{split}" if arm == "syn" else f"{arm}-{split}-{few}"
                use = arm_settings(arm, split, options)
                embedder, curve = trained(
                    arm,
                    photographs.faces.subset(photographs.of(order[:few])),
                    photographs.faces.subset(photographs.of(everyone if arm == "syn" else test)),
                    synthetic,
                    use,
                    options.out / name,
                )
                seconds = round(time.process_time() - began, 1)
                figures = measured(embedder, photographs, test)
                rows.append({**place, **figures, "on_the_way": curve, "cpu_seconds": seconds})
                write_json(record, {"settings": arm_settings("mix", 0, options), "rows": rows})
                print(json.dumps(rows[-1]), flush=True)
    print(table(rows))
    draw_curve(rows, options.out / "curve.png")


if __name__ == "__main__":
    main()
