"""Domain mixup with a few real people, tested on the other people's photographs.

    python tests/benchmarks/domain_mixup.py --synthetic SET [SET ...] [--start RUN]
        [--photographs ORL] [--aligned KEPT.npz] [--people 2 5 10] [--splits 0 1 2 3 4]
        [--arms syn mix real alone both] [--steps 60] [--rate 0.005] [--batch 64]
        [--ratios 0:1:0.05] --out DIR

Of the 19 people of orl_dev.npz, k are the few real ones and all pairs of the others' photographs
are the test, for several random splits; the k people of a smaller k are among those of a larger.
Arms: `syn` learns from synthetic people alone, `real` from the k alone, `mix` from blends of both
at one ratio a batch (Qiu et al. 2021, Sec. 3.4), `both` from half a batch of each. They see as many
pictures in as many steps of the library's training, by the settings of its `cpu` recipe but for
--steps, --rate and --batch.

With --start all of them begin with the network of a training on the synthetic people (on all of
--synthetic but the share --held-out, in this order) and with its centres of classes; those of real
people are the means of their descriptors. `alone` is `real` from first weights at the recipe's rate
and `start` no training at all. Without --start all begin with the same first weights; the number of
the split is the seed.

Every embedder is measured as trained and with normalisations of the statistics of the k people's
pictures (`adapt_statistics`), as `recognise train --real` writes it.

DIR gets results.json, written after each training, so that a stopped run goes on where it was, and
the curve over k, curve.png.
"""

import argparse
import dataclasses
import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import cast

import numpy as np
import torch
import torch.nn.functional as F

from geomface.files.records import write_json
from geomface.learning import ComputeSettings, load_trained
from geomface.learning.memory import keep_freed_memory
from geomface.learning.trained import TrainedModel
from geomface.recognition.aligned.aligned_faces import AlignedFaces, aligned_faces, load_aligned
from geomface.recognition.alignment.reference import Alignment
from geomface.recognition.embedder.face_embedder import FaceEmbedder
from geomface.recognition.margins.margin_softmax import MarginHead
from geomface.recognition.networks.embedder_network import EmbedderNetwork
from geomface.recognition.protocols.picture_pairs import all_pairs
from geomface.recognition.protocols.verification import verify
from geomface.recognition.training.people import gather_faces, split_people
from geomface.recognition.training.settings import RecognitionSettings, recognition_recipe
from geomface.recognition.training.statistics import adapt_statistics
from geomface.recognition.training.task import SYSTEM, RecognitionTask
from geomface.synthesis.mixup_ratios import parse_ratios

sys.path.insert(0, str(Path(__file__).resolve().parent))

from recognition import aligned_photographs  # noqa: E402

ARMS = {
    "start": "the network that all begin with",
    "syn": "synthetic people alone",
    "real": "the few alone",
    "alone": "the few alone, from first weights",
    "mix": "domain mixup of both",
    "both": "both side by side",
}
LOOKS = 2
"""Times that the test is looked at in a training; the last one counts."""


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
    fresh = options.start is None or arm == "alone"
    rate = use.optimizer.lr if fresh else options.rate
    return dataclasses.replace(
        use,
        seed=seed,
        steps=steps,
        batch=options.batch // 2 if arm == "both" else options.batch,
        margin=dataclasses.replace(use.margin, warm_up=steps // 2 if fresh else 0),
        domain_mixup=None if arm == "both" else parse_ratios(options.ratios),
        optimizer=dataclasses.replace(use.optimizer, lr=rate),
        compute=ComputeSettings("cpu", options.precision),
    )


def begin_with(
    task: RecognitionTask, start: TrainedModel, few: AlignedFaces | None, alone: bool
) -> None:
    """Fill a task with a trained network, its centres, and means of the few as theirs."""
    network, head = network_of(task), task.networks["head"]
    start.fill("embedder", network)
    centres = torch.from_numpy(np.array(start.arrays["head"]["weight"]))
    rows = [] if alone else [centres]
    if few is not None:
        found = FaceEmbedder(network.eval(), few.alignment).embed(few.pictures())
        means = [
            torch.from_numpy(found[few.people.labels == label].mean(axis=0))
            for label in range(len(few.people.names))
        ]
        rows.append(F.normalize(torch.stack(means), dim=1) * centres.norm(dim=1).mean())
        network.train()
    with torch.no_grad():
        cast(MarginHead, head).weight.copy_(torch.cat(rows))


def network_of(task: RecognitionTask) -> EmbedderNetwork:
    """Return the network that a task trains."""
    return cast(EmbedderNetwork, task.networks["embedder"])


def trained(
    arm: str,
    few: AlignedFaces,
    synthetic: AlignedFaces,
    settings: RecognitionSettings,
    start: TrainedModel | None,
    look: Callable[[FaceEmbedder], dict],
) -> tuple[FaceEmbedder, list[dict]]:
    """Train an arm and return its embedder and what `look` tells of it on the way."""
    lone = arm in ("real", "alone")
    real = None if lone or arm in ("syn", "start") else few
    task = RecognitionTask(settings, few if lone else synthetic, real)
    if start is not None and arm != "alone":
        begin_with(task, start, few if lone else real, alone=lone)
    network = network_of(task)

    embedder = FaceEmbedder(network.eval(), synthetic.alignment)
    looks = [look(embedder)] if arm == "start" else []
    for step in range(0 if arm == "start" else settings.steps):
        network.train()
        task.step()
        network.eval()
        if (step + 1) % max(settings.steps // LOOKS, 1) == 0 or step + 1 == settings.steps:
            looks.append(look(embedder))
    return embedder, looks


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


def found_errors(rows: list[dict], few: int, arm: str, adapted: bool) -> dict[int, float]:
    """Return the equal errors of an arm by split."""
    chosen = [row for row in rows if (row["people"], row["arm"]) == (few, arm)]
    return {row["split"]: (row["adapted"] if adapted else row)["equal_error"] for row in chosen}


def table(rows: list[dict]) -> str:
    """Return mean and spread of each arm over the splits, and mix beside the others in pairs."""
    lines = []
    for few in sorted({row["people"] for row in rows}):
        for adapted in (False, True):
            kind = "statistics of the few" if adapted else "as trained"
            mix = found_errors(rows, few, "mix", adapted)
            for arm in ARMS:
                values = found_errors(rows, few, arm, adapted)
                if not values:
                    continue
                numbers = np.array(list(values.values()))
                shared = sorted(mix.keys() & values.keys())
                gaps = np.array([mix[split] - values[split] for split in shared])
                lines.append(
                    f"k {few:2d} {kind:21} {arm:5} {numbers.mean():.4f} +- {numbers.std():.4f}, "
                    f"mix {gaps.mean():+.4f}, lower in {(gaps < 0).sum()} of {len(gaps)}:  "
                    + " ".join(f"{value:.3f}" for value in numbers)
                )
    return "\n".join(lines)


def draw_curve(rows: list[dict], path: Path) -> None:
    """Draw equal errors over k, means of the splits; dashed with the statistics of the few."""
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(figsize=(6.8, 3.6), layout="constrained")
    counts = sorted({row["people"] for row in rows})
    for number, (arm, label) in enumerate(ARMS.items()):
        for adapted, style in ((False, "-"), (True, "--")):
            found = [(few, found_errors(rows, few, arm, adapted)) for few in counts]
            found = [(few, list(each.values())) for few, each in found if each]
            if not found:
                continue
            places = [few + 0.1 * (number - 2.5) for few, _ in found]
            means = [float(np.mean(each)) for _, each in found]
            color = f"C{number}"
            axes.plot(places, means, "o" + style, color=color, ms=4, label="" if adapted else label)
            if not adapted:
                for place, (_, each) in zip(places, found, strict=True):
                    axes.plot([place] * len(each), each, ".", color=color, alpha=0.35, ms=4)
    axes.plot([], [], "k--", label="with the statistics of the few")
    axes.set(xlabel="real people, 10 photographs each", ylabel="equal error on the other people")
    axes.set_xticks(counts)
    axes.set_yscale("log")
    ticks = (0.02, 0.03, 0.05, 0.1, 0.2)
    axes.set_yticks(ticks, [f"{tick:g}" for tick in ticks])
    axes.minorticks_off()
    axes.grid(alpha=0.3)
    axes.legend(fontsize=7, loc="upper left", bbox_to_anchor=(1.0, 1.0))
    figure.savefig(path, dpi=100)
    plt.close(figure)


def load_photographs(options: argparse.Namespace, alignment: Alignment) -> Photographs:
    """Return the photographs, aligned by the landmarks that are found in them."""
    pictures, found, people = aligned_photographs(options.photographs, alignment, options.aligned)
    names = [f"s{person:02d}" for person in people]
    return Photographs(aligned_faces(pictures, names, alignment), pictures, found, people)


def main() -> None:
    """Train and measure all arms."""
    parser = argparse.ArgumentParser(description=str(__doc__).splitlines()[0])
    parser.add_argument("--synthetic", type=Path, nargs="+", required=True)
    parser.add_argument("--start", type=Path, help="training on the synthetic people")
    parser.add_argument("--held-out", type=float, default=0.03, help="share in that training")
    parser.add_argument("--photographs", type=Path, default=Path("../shared/data/orl"))
    parser.add_argument("--aligned", type=Path, help="npz that keeps the aligned photographs")
    parser.add_argument("--people", type=int, nargs="+", default=[2, 5, 10])
    parser.add_argument("--splits", type=int, nargs="+", default=[0, 1, 2, 3, 4])
    parser.add_argument("--arms", nargs="+", default=list(ARMS), choices=list(ARMS))
    parser.add_argument("--steps", type=int, default=60)
    parser.add_argument("--rate", type=float, default=0.005)
    parser.add_argument("--batch", type=int, default=64)
    parser.add_argument("--ratios", default="0:1:0.05", help="synthetic shares of mix")
    parser.add_argument("--precision", default="bfloat16")
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args()
    keep_freed_memory()
    options.out.mkdir(parents=True, exist_ok=True)
    synthetic = gather_faces(
        [load_aligned(path) for path in options.synthetic], [str(p) for p in options.synthetic]
    )
    synthetic, _ = split_people(synthetic, options.held_out)
    start = load_trained(options.start, system=SYSTEM) if options.start else None
    photographs = load_photographs(options, synthetic.alignment)
    record = options.out / "results.json"
    rows = json.loads(record.read_text())["rows"] if record.exists() else []
    everyone = np.unique(photographs.people)
    for split in options.splits:
        order = np.random.default_rng(split).permutation(everyone)
        for arm in options.arms:
            for few in options.people:
                place = {"people": few, "split": split, "arm": arm}
                if any(place.items() <= row.items() for row in rows):
                    continue
                # What learns from synthetic people alone is one training for every k.
                tests = options.people if arm in ("syn", "start") else [few]
                real = {k: photographs.faces.subset(photographs.of(order[:k])) for k in tests}
                began = time.process_time()
                embedder, looks = trained(
                    arm,
                    real[few],
                    synthetic,
                    arm_settings(arm, split, options),
                    start,
                    lambda e, tests=tests, order=order: {
                        k: measured(e, photographs, order[k:]) for k in tests
                    },
                )
                seconds = round(time.process_time() - began, 1)
                for k in tests:
                    way = [round(look[k]["equal_error"], 4) for look in looks]
                    there = measured(adapt_statistics(embedder, real[k]), photographs, order[k:])
                    further = {"adapted": there, "looks": way, "seconds": seconds}
                    rows.append({**place, "people": k, **looks[-1][k], **further})
                    print(json.dumps(rows[-1]), flush=True)
                write_json(record, {"settings": arm_settings("mix", 0, options), "rows": rows})
    print(table(rows))
    draw_curve(rows, options.out / "curve.png")


if __name__ == "__main__":
    main()
