"""`geomface model evaluate`: compactness, generalization, specificity, outliers."""

import dataclasses
from typing import TYPE_CHECKING, Annotated, Any, Literal

import tyro

from geomface.cli.inputs import PICTURE_SUFFIXES, read_model, require_output
from geomface.cli.model.inputs import MeshFiles, ModelFile, expand, read_meshes
from geomface.cli.options import CommonOptions, Flag, MaybeFile, require_options
from geomface.cli.run import Run
from geomface.errors import SettingsError
from geomface.ranges import NOT_NEGATIVE

if TYPE_CHECKING:
    from geomface.statistics.evaluation import Curve

_SHOWN = (1, 2, 5, 10, 20, 40, 80, 160)


@dataclasses.dataclass(frozen=True)
class ModelEvaluateOptions:
    """Measure a model: compactness, generalization to meshes, specificity, outliers.

    Generalization is the error of describing --meshes with the first k modes: give meshes that
    the model was not fitted to, or --folds to refit on parts of them and test on the rest.
    Specificity is how far random faces of the model lie from the nearest of --training.
    """

    meshes: MeshFiles
    """Registered meshes to describe: names or a quoted pattern."""
    model: ModelFile = None
    """Any model file that 'geomface model convert' reads."""
    training: Annotated[
        tuple[str, ...],
        tyro.conf.arg(metavar="FILES", help_behavior_hint="(default: those of --meshes)"),
    ] = ()
    """Registered meshes that random faces should resemble."""
    folds: Annotated[
        str | None,
        tyro.conf.arg(metavar="N|leave-one-out", help_behavior_hint="(default: use --model)"),
    ] = None
    """Cross-validate on --meshes instead of describing them with --model."""
    samples: int = 1000
    """Random faces for the specificity, 0 to leave it out."""
    distance: Literal["vertex", "surface"] = "vertex"
    """Between corresponding vertices, or between surfaces (slow)."""
    remove_size: Flag = False
    """Align by similarity instead of rigid motion; errors are still given at true size."""
    outlier_level: float = 0.01
    """Share of ordinary faces that may be flagged as outliers."""
    picture: MaybeFile = None
    """Picture of the curves with their 95 % intervals."""
    report: MaybeFile = None
    """JSON record with all curves."""
    common: CommonOptions = CommonOptions()

    def __post_init__(self) -> None:
        require_options(self, samples=NOT_NEGATIVE, outlier_level="(0, 1)")


def run_evaluate(options: ModelEvaluateOptions, run: Run) -> int:
    """Read, align, measure, tell."""
    import numpy as np

    from geomface.statistics import align_meshes
    from geomface.statistics.evaluation import (
        compactness,
        generalization,
        generalization_to,
        mahalanobis_outliers,
        specificity,
    )

    run.require_cpu()
    require_output(options.report, "--report", (".json",), (options.model,))
    require_output(options.picture, "--picture", PICTURE_SUFFIXES, (options.model,))
    folds = _folds(options.folds)
    paths = expand(options.meshes)
    training_paths = expand(options.training, "--training") if options.training else paths
    model = read_model(options.model)
    if options.common.dry_run:
        return run.plan([f"measure {model.name} on {len(paths)} meshes"])
    meshes = read_meshes(paths, run)
    model.require_topology(meshes[0])
    align = "similarity" if options.remove_size else "rigid"
    rng = np.random.default_rng(options.common.seed)
    components = _chosen(len(model.shape), options.distance)
    held_out = np.stack([mesh.vertices for mesh in meshes])
    faces = model.mesh.faces
    curves: dict[str, Curve] = {"compactness": compactness(model).share}
    if folds is None:
        curves["generalization"] = generalization_to(
            model, held_out, components=components, distance=options.distance, align=align
        )
    else:
        curves["generalization"] = generalization(
            held_out,
            folds=folds,
            components=_chosen(_largest(len(held_out), folds), options.distance),
            faces=faces,
            distance=options.distance,
            align=align,
            rng=rng,
        )
    if options.samples:
        training = held_out
        if options.training:
            loaded = read_meshes(training_paths, run)
            model.require_topology(loaded[0])
            training = np.stack([mesh.vertices for mesh in loaded])
        posed = align_meshes(
            training, reference=model.shape.mean, scale=options.remove_size
        ).aligned
        curves["specificity"] = specificity(
            model,
            posed,
            samples=options.samples,
            components=components,
            distance=options.distance,
            rng=rng,
        )
    posed = align_meshes(held_out, reference=model.shape.mean, scale=options.remove_size).aligned
    # A mode that few meshes spoke for has too small a variance to call anybody an outlier.
    trusted = max(1, model.shape.sample_count // 5) if model.shape.sample_count else None
    outliers = mahalanobis_outliers(
        model.shape.coefficients(posed)[:, :trusted],
        level=options.outlier_level,
        names=[path.stem for path in paths],
    )
    if options.picture is not None:
        _draw(options, curves)
    figures: dict[str, Any] = {name: _plain(curve) for name, curve in curves.items()}
    figures["outliers"] = {
        "flagged": outliers.flagged_names,
        "distances": outliers.distances,
        "threshold": outliers.threshold,
    }
    run.finish(figures | {"topology_id": model.topology_id}, options.report)
    _tell(run, curves)
    run.say(outliers.summary)
    return 0


def _folds(text: str | None) -> str | int | None:
    if text is None or text == "leave-one-out":
        return text
    try:
        return int(text)
    except ValueError:
        raise SettingsError(f"--folds: expected a number or leave-one-out, got {text!r}.") from None


def _largest(count: int, folds: str | int) -> int:
    """Return how many modes every fold can fit."""
    left_out = 1 if isinstance(folds, str) else -(-count // folds)
    return count - left_out - 1


def _chosen(largest: int, distance: str) -> list[int] | None:
    """Return the numbers of modes to judge: all by vertices, a few by surfaces, which is slow."""
    if distance == "vertex":
        return None
    return sorted({k for k in _SHOWN if k <= largest} | {largest})


def _plain(curve: "Curve") -> dict[str, Any]:
    return {
        "components": curve.components,
        "mean": curve.mean,
        "low": curve.low,
        "high": curve.high,
        "distance": curve.distance,
        "unit": curve.unit,
    }


def _tell(run: Run, curves: "dict[str, Curve]") -> None:
    """Print the curves at a few numbers of modes, with their 95 % intervals."""
    largest = max(int(curve.components.max(initial=0)) for curve in curves.values())
    shown = sorted({k for k in _SHOWN if k < largest} | {largest})
    rows = []
    for k in shown:
        row = [str(k)]
        for curve in curves.values():
            at = [index for index, value in enumerate(curve.components) if value == k]
            if not at:
                row.append("-")
                continue
            scale, digits = (100.0, 1) if curve.unit == "" else (1.0, 3)
            low, mean, high = (scale * part[at[0]] for part in (curve.low, curve.mean, curve.high))
            text = f"{mean:.{digits}f}"
            row.append(text if low != low else f"{text} [{low:.{digits}f}, {high:.{digits}f}]")
        rows.append(row)
    units = [f"{name}, {'%' if curve.unit == '' else curve.unit}" for name, curve in curves.items()]
    run.table(["modes", *units], rows)


def _draw(options: ModelEvaluateOptions, curves: "dict[str, Curve]") -> None:
    from geomface.report.model_figures import curves_figure, save_figure

    panels = {}
    for name, curve in curves.items():
        scale = 100.0 if curve.unit == "" else 1.0
        band = (curve.components, scale * curve.mean, scale * curve.low, scale * curve.high)
        panels[name] = {curve.distance or "share of the variance": band}
    if options.picture is not None:
        save_figure(options.picture, curves_figure(panels))
