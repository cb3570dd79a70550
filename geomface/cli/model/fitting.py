"""`geomface model fit-scan` and `fit-landmarks`: the model's face for a scan or for landmarks."""

import dataclasses
from typing import TYPE_CHECKING, Annotated, Any

import tyro

from geomface.cli.inputs import MESH_SUFFIXES, find_scan_landmarks, require_output
from geomface.cli.model.inputs import ModelFile, read_morphable
from geomface.cli.options import CommonOptions, Flag, InputFile, MaybeFile, OutputFile
from geomface.cli.run import Run
from geomface.errors import SettingsError

if TYPE_CHECKING:
    from geomface.statistics import MorphableModel


@dataclasses.dataclass(frozen=True)
class ModelFitScanOptions:
    """Fit a model to a raw scan: the most probable face of the model, pose and scale.

    With --refine the face may leave the model where the scan says so: a smooth and a fine
    displacement are fitted as well, which is a registration that knows what faces look like.
    """

    scan: InputFile
    """The raw scan: OBJ, PLY, GLB, STL or OFF."""
    out: OutputFile
    """The fitted mesh, in the scan's pose and unit."""
    model: ModelFile = None
    """Any model file that 'geomface model convert' reads."""
    landmarks: Annotated[
        MaybeFile, tyro.conf.arg(metavar="FILE", help_behavior_hint="(default: beside the scan)")
    ] = None
    """Landmarks of the scan: JSON, .pts, .txt, .pp or .ljson."""
    no_landmarks: Flag = False
    """Use no landmarks, not even those beside the scan: start from several poses."""
    refine: Flag = False
    """Also fit what the model does not know."""
    report: MaybeFile = None
    """JSON record with coefficients and residuals."""
    common: CommonOptions = CommonOptions()


@dataclasses.dataclass(frozen=True)
class ModelFitLandmarksOptions:
    """Fit a model to landmarks in space: the most probable face that has them."""

    landmarks: InputFile
    """Landmarks: JSON, .pts, .txt, .pp or .ljson; missing ones are left out."""
    out: OutputFile
    """The fitted mesh, where the landmarks are."""
    model: ModelFile = None
    """Any model file that 'geomface model convert' reads."""
    report: MaybeFile = None
    """JSON record with coefficients and residuals."""
    common: CommonOptions = CommonOptions()


def run_fit_scan(options: ModelFitScanOptions, run: Run) -> int:
    """Read, fit, write."""
    from geomface.faces.fitting import fit_scan, register_with_model
    from geomface.mesh.io import load_landmarks, load_mesh, save_mesh

    run.require_cpu()
    read = (options.scan, options.landmarks, options.model)
    require_output(options.out, "--out", MESH_SUFFIXES, read)
    require_output(options.report, "--report", (".json",), read)
    model = read_morphable(options.model)
    scan = load_mesh(options.scan)
    place = find_scan_landmarks(options.scan, options.landmarks, options.no_landmarks)
    landmarks = None if place is None else load_landmarks(place)
    if landmarks is not None:
        model.template.require_landmarks(landmarks)
    if options.common.dry_run:
        return run.plan([f"fit {model.name} to {scan.name}", f"write {options.out}"])
    figures: dict[str, Any] = {}
    if options.refine:
        fit = register_with_model(model, scan, landmarks)
    else:
        fit = fit_scan(model, scan, landmarks)
        figures = {"shape": fit.shape, "expression": _named(model, fit.expression)}
    run.add_notes(fit.notes)
    save_mesh(options.out, fit.mesh)
    figures |= {
        "converged": fit.converged,
        "iterations": fit.iterations,
        "residual_mm": fit.residual_mm,
        "kept_fraction": fit.kept_fraction,
        "landmark_mm": fit.landmark_mm,
        "topology_id": model.topology_id,
    }
    run.finish(figures, options.report)
    residual = fit.residual_mm
    run.say(
        f"{options.out}: {'converged' if fit.converged else 'did not converge'} after "
        f"{fit.iterations} rounds, residual {residual['median']:.2f} mm (95 %: "
        f"{residual['p95']:.2f} mm), {run.seconds:.1f} s"
    )
    return 0


def run_fit_landmarks(options: ModelFitLandmarksOptions, run: Run) -> int:
    """Read, fit, write."""
    from geomface.faces.fitting import fit_landmarks_3d
    from geomface.mesh.io import load_landmarks, save_mesh

    run.require_cpu()
    read = (options.landmarks, options.model)
    require_output(options.out, "--out", MESH_SUFFIXES, read)
    require_output(options.report, "--report", (".json",), read)
    model = read_morphable(options.model)
    if model.template.landmarks is None:
        raise SettingsError(f"{model.name}: this model has no landmarks to fit by.")
    landmarks = load_landmarks(options.landmarks)
    model.template.require_landmarks(landmarks)
    if options.common.dry_run:
        return run.plan([f"fit {model.name} to {landmarks.name}", f"write {options.out}"])
    fit = fit_landmarks_3d(model, landmarks)
    run.add_notes(fit.notes)
    save_mesh(options.out, fit.mesh)
    run.finish(
        {
            "converged": fit.converged,
            "iterations": fit.iterations,
            "residual_mm": fit.residual_mm,
            "shape": fit.shape,
            "expression": _named(model, fit.expression),
            "weights": fit.weights,
            "topology_id": model.topology_id,
        },
        options.report,
    )
    run.say(
        f"{options.out}: residual {fit.residual_mm['median']:.2f} mm (largest "
        f"{fit.residual_mm['max']:.2f} mm), {run.seconds:.1f} s"
    )
    return 0


def _named(model: "MorphableModel", weights: Any) -> Any:
    """Return expression weights by name where they have names."""
    names = () if model.expression is None else model.expression.names
    return dict(zip(names, map(float, weights), strict=True)) if names else weights
