"""Table 1 of Abrevaya et al. 2019: trained arms and baselines on the same drawn faces.

    python tests/benchmarks/factored_geometry_table.py RUN... --model FILE [--region NAME]
        [--data JSON] [--every 4] [--draws 100] [--pairs 10000] [--fits 0] [--fit-steps 200]
        [--fit-restarts 2] [--people 100] [--arms-only] [--work FOLDER] [--nets]
        [--rows FOLDER] [--json FILE]

RUN are trainings of `geomface train factored_geometry`, in folders named ARM-SEED, on faces drawn
from FILE. The set is drawn again with what run.json records under "data" (people, faces, labelled,
seed), changed by --data, such as '{"people": 150}'; that it is the same is checked by its mean
face. Thresholds, truth and generalization come from faces of --people others, drawn with another
seed, which go through the same images and decoder. Seeds of one arm make one line, mean +-
deviation. Baselines are fitted to the same training faces; the autoencoder is trained in --work
(minutes), or left out. What --rows has kept of earlier calls is not measured again.

    Dec          % of faces with one code that are taken for the same, by the oracle's read-out: at
                 the threshold that tells most true pairs apart with at most 10 % of the pairs of
                 two labels called the same, and at the one where that are 10 % (FAR)
    Sp, Gen      mm to the nearest training face; from held-out faces to their best fit
    Div          mm between pairs: all, of one identity, of one expression. Read beside the training
                 row: more than there is noise, less is a collapse
    rough        mm, mean length of L (v - mean)
    right        % of faces with an expression's fixed code that are nearest to it

A second table shows which expression samples are nearest to. Further ones show Dec by other means:
all weights of FILE instead of the span of the expressions that were drawn, and with --nets
embedding nets, trained in --work on normal pictures of faces of again other people.
"""

import argparse
import dataclasses
import json
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from geomface.datasets.labelled_faces import LabelledFaces, split_faces
from geomface.files.records import plain, write_json
from geomface.gan.factored_geometry import FactoredModel, load_factored
from geomface.gan.factored_geometry.baselines import (
    AutoencoderSettings,
    fit_linear_factors,
    fit_pca_faces,
    fit_tensor_faces,
    model_faces,
    train_autoencoder,
)
from geomface.gan.factored_geometry.embedding import Embedding, oracle_embedding
from geomface.gan.factored_geometry.evaluation import (
    EvaluationSettings,
    evaluate_generator,
    measure_decoupling,
)
from geomface.gan.factored_geometry.fitting import FitSettings
from geomface.gan.factored_geometry.generators import FaceGenerator, GanFaces
from geomface.gan.factored_geometry.settings import NetworkSettings
from geomface.gan.factored_geometry.table_row import FactoredEvaluation, table_lines
from geomface.gan.factored_geometry.triplet import TripletSettings, train_embedding
from geomface.gan.factored_geometry.true_rows import training_row, true_row
from geomface.gan.factored_geometry.truth import TrueFaces, measure_truth
from geomface.learning import LoopSettings
from geomface.metrics import Estimate
from geomface.model_files import load_model
from geomface.statistics import MorphableModel
from geomface.synthesis.labelled_faces import LabelledFacesSettings, draw_labelled_faces

HELD_OUT_SEED = 9099
NETS_SEED = 5005
SAME_MM = 1e-2


def recorded(run: Path, changes: str) -> tuple[LabelledFacesSettings, float]:
    """Return how the faces of a run were drawn, and the share of the people held out."""
    record = json.loads((run / "run.json").read_text())
    known = {field.name for field in dataclasses.fields(LabelledFacesSettings)} - {"region"}
    data = record.get("data", {}) | json.loads(changes)
    data = {key: value for key, value in data.items() if key in known}
    return LabelledFacesSettings(**data), record["settings"]["held_out"]


def require_same(model: FactoredModel, training: LabelledFaces) -> None:
    """Exit unless the mean face of a run is that of the training set drawn here."""
    mean = training.vertices.mean(axis=0, dtype=np.float64)
    there = model.frame.template.vertices
    if there.shape != mean.shape or np.abs(there - mean).max() > SAME_MM:
        raise SystemExit(f"{model.name}: was not trained on these faces. Give its --region, FILE.")


def baselines(
    model: MorphableModel,
    training: LabelledFaces,
    drawn: LabelledFacesSettings,
    size: int,
    work: Path | None,
) -> Iterator[tuple[str, Callable[[], FaceGenerator]]]:
    """Yield the models that the arms are held against, by name, to be made when needed."""
    yield "pca", lambda: fit_pca_faces(training)
    yield "linear-fitted", lambda: fit_linear_factors(training)
    yield "multilinear", lambda: fit_tensor_faces(training)
    if work is not None:
        use = AutoencoderSettings(NetworkSettings(size, 32, 32, None))
        run = work / f"autoencoder-{size}"
        yield "autoencoder", lambda: train_autoencoder(use, training, run)
    yield "linear-truth", lambda: model_faces(model, drawn)


def train_nets(
    model: MorphableModel,
    drawn: LabelledFacesSettings,
    truth: TrueFaces,
    first: FactoredModel,
    work: Path,
) -> dict[str, Embedding]:
    """Return nets for identity and expression, trained on people of neither set."""
    people = dataclasses.replace(drawn, people=500, faces=8, seed=NETS_SEED)
    faces = draw_labelled_faces(model, people)
    shown = measure_truth(truth.training, faces, {}, frame=first.frame, alpha=first.alpha).shown
    faces = dataclasses.replace(faces, vertices=shown)
    found = {}
    for factor, steps in (("identity", 600), ("expression", 600)):
        use = TripletSettings(32, 8, horizon=steps, loop=LoopSettings(steps, 100, steps, steps))
        found[factor] = train_embedding(use, faces, factor, work / f"net-{factor}")
    return found


def say_thresholds(truth: TrueFaces) -> None:
    """Print how well the embeddings tell true pairs apart."""
    for factor, item in truth.thresholds.items():
        print(
            f"{truth.embeddings[factor].name}, {factor}: true pairs told apart "
            f"{100 * item.accuracy:.1f} %, falsely the same {100 * item.false_acceptance:.1f} %"
        )


def arms(
    runs: list[Path], fitting: FitSettings
) -> Iterator[tuple[str, Callable[[], FaceGenerator]]]:
    """Yield the trained runs, named by their arms, to be read when needed."""
    for run in runs:
        arm = run.name.rpartition("-")[0] or run.name
        yield run.name, partial(_read, run, arm, fitting)


def _read(run: Path, arm: str, fitting: FitSettings) -> FaceGenerator:
    return GanFaces(load_factored(run), arm, fitting=fitting)


def estimate_of(record: dict[str, Any]) -> Estimate:
    """Return an estimate as it was written."""
    return Estimate(
        **{key: np.nan if item is None and key != "seed" else item for key, item in record.items()}
    )


def restored(record: dict[str, Any]) -> FactoredEvaluation:
    """Return a row as it was written."""
    single = ("specificity", "generalization", "roughness")
    several = ("decoupling", "decoupling_loosest", "diversity", "right")
    found = {key: None if record[key] is None else estimate_of(record[key]) for key in single}
    many = {key: {k: estimate_of(item) for k, item in record[key].items()} for key in several}
    return FactoredEvaluation(
        record["name"], nearest=record["nearest"], settings=record["settings"], **found, **many
    )


def ratios(
    rows: list[FactoredEvaluation], true: FactoredEvaluation, shown: FactoredEvaluation
) -> None:
    """Print specificity over that of true new people, diversities over those of training faces."""
    print("\nspecificity / that of true new people; diversities / those of the training faces")
    for row in rows:
        parts = [
            f"{share} {item.value / shown.diversity[share].value:.2f}"
            for share, item in row.diversity.items()
        ]
        print(f"{row.name:<24} {row.figures()['Sp'] / true.figures()['Sp']:.2f}  ", *parts)


def main() -> None:
    """Measure, print and write."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("runs", type=Path, nargs="+")
    parser.add_argument("--model", type=Path, required=True)
    parser.add_argument("--region")
    parser.add_argument("--data", default="{}")
    parser.add_argument("--every", type=int, default=4)
    parser.add_argument("--draws", type=int, default=100)
    parser.add_argument("--pairs", type=int, default=10_000)
    parser.add_argument("--fits", type=int, default=0)
    parser.add_argument("--people", type=int, default=100)
    parser.add_argument("--work", type=Path)
    parser.add_argument("--fit-steps", type=int, default=200)
    parser.add_argument("--fit-restarts", type=int, default=2)
    parser.add_argument("--arms-only", action="store_true")
    parser.add_argument("--nets", action="store_true")
    parser.add_argument("--rows", type=Path)
    parser.add_argument("--json", type=Path)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    model = load_model(options.model)
    if options.region is not None:
        model = model.marginal(np.sort(model.template.regions[options.region]))
    drawn, share = recorded(options.runs[0], options.data)
    training, _ = split_faces(draw_labelled_faces(model, drawn), share)
    others = dataclasses.replace(drawn, people=options.people, faces=28, seed=HELD_OUT_SEED)
    held_out = draw_labelled_faces(model, others)
    first = load_factored(options.runs[0])
    require_same(first, training)
    readers = {name: oracle_embedding(model, name) for name in ("identity", "expression")}
    truth = measure_truth(training, held_out, readers, frame=first.frame, alpha=first.alpha)
    weights = oracle_embedding(model, "expression", directions=np.eye(len(model.blendshapes)))
    further = {"all weights": {"expression": weights}}
    if options.nets:
        further["nets"] = train_nets(model, drawn, truth, first, options.work)
    others_of = {
        name: measure_truth(training, held_out, items, frame=first.frame, alpha=first.alpha)
        for name, items in further.items()
    }
    for item in (truth, *others_of.values()):
        say_thresholds(item)
    use = EvaluationSettings(
        draws=options.draws,
        pairs=options.pairs,
        fits=options.fits,
        every=options.every,
        seed=options.seed,
    )
    true, shown = true_row(truth, use), training_row(truth, use)
    rows: list[FactoredEvaluation] = []
    also: dict[str, dict[str, list[Estimate]]] = {}
    fitting = FitSettings(options.fit_steps, restarts=options.fit_restarts, start="random")
    made = baselines(model, training, drawn, first.frame.size, options.work)
    if options.arms_only:
        made = iter(())
    for key, make in [*arms(options.runs, fitting), *made]:
        kept = None if options.rows is None else options.rows / f"{key}.json"
        if kept is None or not kept.is_file():
            start = time.process_time()
            generator = make()
            row = evaluate_generator(generator, truth, use)
            more = {}
            for means, item in others_of.items():
                found = measure_decoupling(generator, item, use)
                more[means], more[f"{means} at FAR 10 %"] = found
            took = time.process_time() - start
            print(f"  {key}: {took:.0f} s of processor time", flush=True)
            measured = plain({"row": row.record(), "also": more, "seconds": took})
            if kept is not None:
                kept.parent.mkdir(parents=True, exist_ok=True)
                write_json(kept, measured)
        else:
            measured = json.loads(kept.read_text())
        rows.append(restored(measured["row"]))
        for means, items in measured["also"].items():
            for factor, item in items.items():
                lines = also.setdefault(f"Dec {factor} %, {means}", {})
                lines.setdefault(rows[-1].name, []).append(estimate_of(item))
    print(*table_lines([shown, true, *rows]), sep="\n")
    ratios(rows, true, shown)
    print("\nnearest expression, %")
    for row in (true, *rows):
        shares = row.nearest["expression"].items()
        print(f"{row.name:<24}", *(f"{name} {100 * share:.0f}" for name, share in shares))
    for title, lines in also.items():
        print(f"\n{title}")
        for name, items in lines.items():
            print(f"{name:<24}", *(f"{100 * item.value:.1f}" for item in items))
    record = {
        "runs": options.runs,
        "data": drawn,
        "rows": [row.record() for row in (shown, true, *rows)],
        "also": also,
        "thresholds": {name: item.thresholds for name, item in others_of.items()},
    }
    if options.json is not None:
        write_json(options.json, record)


if __name__ == "__main__":
    main()
