"""`geomface evaluate factored_geometry`: Table 1 of the paper for a trained run."""

import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import tyro

from geomface.cli.inputs import require_output
from geomface.cli.learned.factored_geometry.data import DrawnOptions, read_source
from geomface.cli.learned.factored_geometry.faces import load_run
from geomface.cli.options import CommonOptions, MaybeFile, require_options
from geomface.cli.run import Run
from geomface.errors import SettingsError
from geomface.ranges import COUNT, NOT_NEGATIVE

if TYPE_CHECKING:
    from geomface.datasets.labelled_faces import LabelledFaces
    from geomface.gan.factored_geometry import FactoredModel
    from geomface.gan.factored_geometry.embedding import Embedding
    from geomface.gan.factored_geometry.generators import FaceGenerator
    from geomface.gan.factored_geometry.sources import FaceSource

Baseline = Literal["pca", "linear", "multilinear", "autoencoder", "truth"]


@dataclasses.dataclass(frozen=True)
class EvaluateFactoredOptions:
    """Measure a factored geometry GAN as Table 1 of the paper: decoupling, specificity, diversity.

    Dec: share of faces with one code of a factor that are taken for the same (by what a known face
    model reads from them), which is to be high; at FAR 10 %: at the looser threshold that takes a
    tenth of true different ones for the same. A generator whose faces are all alike has 100: read
    it beside Div and right. Sp: mm from a sample to the nearest training face, which is to be as
    for true faces. Div: mm between faces that share nothing, or a code; compare it with the
    training's, for noise raises it and collapse lowers it. Gen: mm from held-out faces to their
    fits. rough: mm of unevenness. right: share of faces with the code of a class that look like
    that class.
    """

    run: Annotated[tyro.conf.Positional[str], tyro.conf.arg(metavar="RUN")]
    """Run directory, checkpoint or model file; shipped is the model that ships."""
    baselines: Annotated[
        tuple[Baseline, ...], tyro.conf.arg(metavar="NAME...", help_behavior_hint="(optional)")
    ] = ()
    """Models to measure beside it, on the same faces: pca, linear (a PCA of people plus one of
    expressions), multilinear, autoencoder (trains one, minutes), truth (the face model that the
    faces are drawn from)."""
    fit: int = 0
    """Held-out faces to fit for Gen; seconds each."""
    samples: int = 1000
    """Faces drawn for Sp and rough."""
    codes: int = 100
    """Codes of each factor, and faces with each, for Dec."""
    pairs: int = 10_000
    """Pairs of faces for each Div."""
    data: Annotated[
        str | None,
        tyro.conf.arg(metavar="builtin|MODEL|DIR", help_behavior_hint="(default: as recorded)"),
    ] = None
    """What the run was trained on, where it lies now."""
    labels: MaybeFile = None
    """Label table of a folder, as for train."""
    reader: MaybeFile = None
    """Face model that reads person and expression from the meshes, of their topology; default the
    one that they are drawn from, or the built-in face. Without one there is no Dec."""
    report: MaybeFile = None
    """JSON record with n, seed and interval of each figure; default evaluation.json in the run."""
    drawn: DrawnOptions = DrawnOptions()
    common: CommonOptions = CommonOptions()

    def __post_init__(self) -> None:
        require_options(self, fit=NOT_NEGATIVE, samples=COUNT, codes=COUNT, pairs=COUNT)


def run_evaluate(options: EvaluateFactoredOptions, run: Run) -> int:
    """Make the data again, measure, write."""
    from geomface.datasets.labelled_faces import split_faces
    from geomface.gan.factored_geometry.evaluation import EvaluationSettings, evaluate_generator
    from geomface.gan.factored_geometry.generators import GanFaces
    from geomface.gan.factored_geometry.true_rows import training_row, true_row
    from geomface.gan.factored_geometry.truth import measure_truth
    from geomface.mesh import require_same_topology

    run.require_cpu()
    place = Path(options.run)
    report = options.report or (place / "evaluation.json" if place.is_dir() else None)
    require_output(report, "--report", (".json",))
    if "autoencoder" in options.baselines and report is None:
        raise SettingsError("--baselines autoencoder: expected a place to train it; add --report.")
    model = load_run(options.run)
    source = find_recorded(options, model)
    world = source.world()
    ends = {"first": source.place, "second": model.name}
    if world is not None:  # before thousands of faces are drawn
        require_same_topology(world.mesh, model.template.mesh, ends)
    settings = EvaluationSettings(
        options.samples,
        options.codes,
        options.codes,
        options.pairs,
        fits=options.fit,
        seed=options.common.seed,
    )
    if options.common.dry_run:
        beside = f", beside {', '.join(options.baselines)}" if options.baselines else ""
        return run.plan([f"measure {model.name} on {source.place}{beside}", f"write {report}"])
    with run.progress("read", 1) as step:
        faces = source.read(lambda done, total: step(done, "", total))
    require_same_topology(faces.template.mesh, model.template.mesh, ends)
    share = float(model.config["held_out"])
    training, held_out = split_faces(faces, share, factor=model.spec.factors[0].name)
    tell_other_data(options, model, source, run)
    embeddings = find_embeddings(options, model, source, run)
    truth = measure_truth(
        training,
        held_out,
        tellable(embeddings, held_out, run),
        frame=model.frame,
        alpha=model.alpha,
        seed=options.common.seed,
    )

    rows = [training_row(truth, settings), true_row(truth, settings)]
    generators: list[FaceGenerator] = [GanFaces(model, place.name)]
    for name in options.baselines:
        generators.append(fit_baseline(name, training, model, source, report))
    with run.progress("measure", len(generators)) as step:
        for index, generator in enumerate(generators):
            rows.append(evaluate_generator(generator, truth, settings))
            step(index + 1, generator.name)
    record = {
        "step": model.step,
        "data": source.record(),
        "training_faces": len(training),
        "held_out_faces": len(held_out),
        "rows": {row.name: row.record() for row in rows},
    }
    run.finish(record, report)
    found = [row.figures() for row in rows]
    measures = dict.fromkeys(measure for figures in found for measure in figures)
    run.table(
        ["", *(row.name for row in rows)],
        [
            [name, *(f"{cells[name]:.3g}" if name in cells else "-" for cells in found)]
            for name in measures
        ],
    )
    run.say()
    run.say(
        f"{len(training)} training and {len(held_out)} held-out faces, {options.samples} samples, "
        f"{options.codes} x {options.codes} for Dec, {options.pairs} pairs, seed "
        f"{options.common.seed}; Sp, Div, Gen and rough in mm; {run.seconds:.0f} s"
    )
    return 0


def find_recorded(options: EvaluateFactoredOptions, model: "FactoredModel") -> "FaceSource":
    """Return where the faces of a run come from: as recorded, with what the options change.

    Raises
    ------
    SettingsError : the run does not say it, and the options neither
    """
    from geomface.gan.factored_geometry.sources import recorded_source

    names = tuple(factor.name for factor in model.spec.factors)
    if options.data is not None:
        return read_source(options.data, options.labels, options.drawn, names)
    source = recorded_source(model.config.get("data"))
    if source is None:
        raise SettingsError(
            "--data: the run does not say what it was trained on; name the face model or folder."
        )
    drawn = options.drawn.settings(source.drawn)
    if source.drawn is None and drawn is not None:
        raise SettingsError(f"{source.place}: a folder, whose faces are not drawn. Leave that out.")
    labels = source.labels if options.labels is None else str(options.labels)
    return dataclasses.replace(source, drawn=drawn, labels=labels)


def find_embeddings(
    options: EvaluateFactoredOptions, model: "FactoredModel", source: "FaceSource", run: Run
) -> "dict[str, Embedding]":
    """Return what reads the factors from meshes, as far as a known face model can."""
    from geomface.faces.builtin import load_builtin_face
    from geomface.gan.factored_geometry.embedding import oracle_embedding
    from geomface.mesh import require_same_topology
    from geomface.model_files import load_model

    wanted = model.template.mesh.topology_id
    if options.reader is not None:
        reader = load_model(options.reader)
        ends = {"first": str(options.reader), "second": model.name}
        require_same_topology(reader.mesh, model.template.mesh, ends)
    else:
        reader = source.world()
        if reader is None and load_builtin_face().mesh.topology_id == wanted:
            reader = load_builtin_face()
    if reader is None:
        run.note(
            "no face model of this topology reads person and expression from the meshes, so that "
            "Dec is left out; --reader names one"
        )
        return {}
    names = [factor.name for factor in model.spec.factors]
    return {
        name: oracle_embedding(reader, name) for name in ("identity", "expression") if name in names
    }


def tell_other_data(
    options: EvaluateFactoredOptions, model: "FactoredModel", source: "FaceSource", run: Run
) -> None:
    """Say where a run is measured against other faces than those that it was trained on."""
    from geomface.gan.factored_geometry.sources import recorded_source

    known = recorded_source(model.config.get("data"))
    if known is None:
        run.note(
            f"the run does not say what it was trained on: it is measured as if on {source.place}"
        )
    elif known.drawn != source.drawn:
        run.note(
            "these are not the faces that the run was trained on: Sp, Div and what is held out "
            "belong to others"
        )


def tellable(
    embeddings: "dict[str, Embedding]", held_out: "LabelledFaces", run: Run
) -> "dict[str, Embedding]":
    """Return the embeddings of factors of which the held-out faces have pairs of both kinds."""
    import numpy as np

    from geomface.gan.factored_geometry.truth import true_labels

    found = {}
    for factor, embedding in embeddings.items():
        labels = true_labels(held_out, factor)
        counts = np.unique(labels[labels >= 0], return_counts=True)[1]
        if len(counts) > 1 and counts.max() > 1:
            found[factor] = embedding
        else:
            run.note(
                f"Dec {factor} is left out: the held-out faces have {len(counts)} known "
                f"{factor} classes, it takes two and more faces of one. Train with a larger "
                "--held-out, or on more people"
            )
    return found


def fit_baseline(
    name: Baseline,
    training: "LabelledFaces",
    model: "FactoredModel",
    source: "FaceSource",
    report: Path | None,
) -> "FaceGenerator":
    """Fit or train a model to hold the run against, on the same faces."""
    from geomface.gan.factored_geometry.baselines import (
        AutoencoderSettings,
        fit_linear_factors,
        fit_pca_faces,
        fit_tensor_faces,
        model_faces,
        train_autoencoder,
    )
    from geomface.gan.factored_geometry.settings import NetworkSettings

    if name == "pca":
        return fit_pca_faces(training, model.spec.size)
    if name == "linear":
        return fit_linear_factors(training)
    if name == "multilinear":
        return fit_tensor_faces(training)
    if name == "truth":
        world = source.world()
        if world is None:
            raise SettingsError("--baselines truth: faces of a folder are drawn from no model.")
        return model_faces(world, source.drawn)
    sizes = NetworkSettings(**model.config["networks"])
    settings = AutoencoderSettings(
        dataclasses.replace(sizes, features=None), numbers=model.spec.size
    )
    place = (report or Path("evaluation.json")).parent / "autoencoder"
    return train_autoencoder(settings, training, place, alpha=model.alpha)
