"""`geomface model fit-scan` and `fit-landmarks`: the model's face for a scan or for landmarks."""

import dataclasses
from typing import TYPE_CHECKING, Annotated, Any

import tyro

from geomface.cli.failed_fit import recorded_failure
from geomface.cli.inputs import MESH_SUFFIXES, find_scan_landmarks, read_model, require_output
from geomface.cli.model.inputs import ModelFile, named_weights
from geomface.cli.model.photographs import read_pixel_landmarks
from geomface.cli.model.pictures import camera_record
from geomface.cli.options import (
    CommonOptions,
    Flag,
    InputFile,
    MaybeFile,
    MaybeFolder,
    OutputFile,
    ScanUnit,
    require_options,
)
from geomface.cli.run import Run
from geomface.errors import SettingsError
from geomface.ranges import COUNT, POSITIVE

if TYPE_CHECKING:
    from geomface.fitting import ScanFit
    from geomface.registration import RegistrationResult
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
    """The fitted mesh, in the scan's pose and size, in millimetres."""
    model: ModelFile = None
    """Any model file that 'geomface model convert' reads."""
    landmarks: Annotated[
        MaybeFile, tyro.conf.arg(metavar="FILE", help_behavior_hint="(default: beside the scan)")
    ] = None
    """Landmarks of the scan: JSON (3D Slicer's and scalismo's, too), .pp, .fcsv, .ljson, .pts, .txt
    or .csv."""
    no_landmarks: Flag = False
    """Use no landmark file, not even one beside the scan: find the landmarks."""
    unit: ScanUnit = None
    """Unit of the scan's numbers: um, mm, cm, inch, m, or the millimetres in one as a number."""
    textures: MaybeFolder = None
    """Where the scan's pictures lie too: files name pictures in their own folder only."""
    refine: Flag = False
    """Also fit what the model does not know."""
    unverified: Flag = False
    """Write the result even if it is no likely face."""
    report: MaybeFile = None
    """JSON record with coefficients and residuals."""
    common: CommonOptions = CommonOptions()


@dataclasses.dataclass(frozen=True)
class ModelFitLandmarksOptions:
    """Fit a model to landmarks in space, or in a picture: the most probable face that has them.

    Landmarks are taken as pixels of a picture when --image-size says how large it is, or when a
    JSON file has the unit "px".
    """

    landmarks: InputFile
    """Landmarks: JSON, .pp, .fcsv, .ljson, .pts, .txt or .csv; missing ones are left out. Of a
    picture: JSON, .pts, .txt or .csv with two numbers a point."""
    out: OutputFile
    """The fitted mesh, where the landmarks are; of a picture, in the model's frame."""
    model: ModelFile = None
    """Any model file that 'geomface model convert' reads."""
    image_size: Annotated[
        tuple[int, int] | None,
        tyro.conf.arg(metavar="WIDTH HEIGHT", help_behavior_hint="(default: landmarks in space)"),
    ] = None
    """Size of the picture that the landmarks belong to, pixels."""
    camera: Annotated[str, tyro.conf.arg(metavar="KIND")] = "weak-perspective"
    """Of a picture: weak-perspective or perspective."""
    focal: Annotated[
        float | None,
        tyro.conf.arg(metavar="PIXELS", help_behavior_hint="(default: a guess)"),
    ] = None
    """Focal length of the perspective camera in pixels; by default 1.4 times the longer side, or
    more where the face would be nearer than 600 mm."""
    report: MaybeFile = None
    """JSON record with coefficients and residuals."""
    common: CommonOptions = CommonOptions()

    def __post_init__(self) -> None:
        require_options(self, image_size=COUNT, focal=POSITIVE)


def run_fit_scan(options: ModelFitScanOptions, run: Run) -> int:
    """Read, fit, write."""
    from geomface.landmarks.unaided import fit_scan, register_with_model
    from geomface.mesh.io import load_landmarks, load_mesh, save_mesh

    run.require_cpu()
    read = (options.scan, options.landmarks, options.model)
    require_output(options.out, "--out", MESH_SUFFIXES, read)
    require_output(options.report, "--report", (".json",), read)
    model = read_model(options.model)
    scan = load_mesh(options.scan, unit=options.unit, texture=options.textures or True)
    place = find_scan_landmarks(options.scan, options.landmarks, options.no_landmarks)
    landmarks = None if place is None else load_landmarks(place)
    if landmarks is not None:
        model.template.require_landmarks(landmarks)
    if options.common.dry_run:
        return run.plan([f"fit {model.name} to {scan.name}", f"write {options.out}"])
    fit_to = register_with_model if options.refine else fit_scan
    with recorded_failure(
        run, scan, options.out, options.report, lambda fit: scan_fit_figures(fit, model)
    ):
        fit = fit_to(model, scan, landmarks, verify=not options.unverified)
    run.add_notes(fit.notes)
    save_mesh(options.out, fit.mesh)
    run.finish(scan_fit_figures(fit, model), options.report)
    residual = fit.residual_mm
    run.say(
        f"{options.out}: {'converged' if fit.converged else 'did not converge'} after "
        f"{fit.iterations} rounds, residual {residual['median']:.2f} mm (95 %: "
        f"{residual['p95']:.2f} mm), {run.seconds:.1f} s"
    )
    return 0


def scan_fit_figures(
    fit: "ScanFit | RegistrationResult", model: "MorphableModel"
) -> dict[str, Any]:
    """Return the figures of a model fit that a record carries."""
    from geomface.fitting import ScanFit

    if isinstance(fit, ScanFit):
        own = {
            "shape": fit.shape,
            "expression": named_weights(model, fit.expression),
            "verification": {"reasons": fit.reasons},
        }
    else:
        own = {"verification": fit.verification}
    return own | {
        "converged": fit.converged,
        "iterations": fit.iterations,
        "residual_mm": fit.residual_mm,
        "kept_fraction": fit.kept_fraction,
        "scan_unit": fit.scan_unit,
        "scan_unit_mm": fit.scan_unit_mm,
        "landmark_mm": fit.landmark_mm,
        "topology_id": model.topology_id,
    }


def run_fit_landmarks(options: ModelFitLandmarksOptions, run: Run) -> int:
    """Read, fit, write."""
    from geomface.fitting import fit_landmarks_3d
    from geomface.mesh.io import load_landmarks, save_mesh
    from geomface.mesh.io.pixel_landmarks import holds_pixels

    run.require_cpu()
    read = (options.landmarks, options.model)
    require_output(options.out, "--out", MESH_SUFFIXES, read)
    require_output(options.report, "--report", (".json",), read)
    model = read_model(options.model)
    if model.template.landmarks is None:
        raise SettingsError(f"{model.name}: this model has no landmarks to fit by.")
    if options.image_size is not None or holds_pixels(options.landmarks):
        return _fit_in_picture(options, run, model)
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
            "expression": named_weights(model, fit.expression),
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


def _fit_in_picture(options: ModelFitLandmarksOptions, run: Run, model: "MorphableModel") -> int:
    """Read landmarks in pixels, fit, write."""
    from geomface.fitting import fit_landmarks_2d
    from geomface.mesh.io import save_mesh

    landmarks = read_pixel_landmarks(options.landmarks, model)
    size = landmarks.image_size
    if options.image_size is not None:
        size = (options.image_size[1], options.image_size[0])
    if size is None:
        raise SettingsError(
            f"{options.landmarks}: expected the size of the picture, in the file as 'image_size': "
            "[width, height] or as --image-size WIDTH HEIGHT."
        )
    if options.common.dry_run:
        return run.plan(
            [f"fit {model.name} to {options.landmarks} in a picture", f"write {options.out}"]
        )
    fit = fit_landmarks_2d(
        model,
        landmarks.points,
        size,
        camera=options.camera,
        focal_px=options.focal,
        name=options.landmarks.name,
    )
    run.add_notes(fit.notes)
    save_mesh(options.out, fit.mesh)
    run.finish(
        {
            "converged": fit.converged,
            "iterations": fit.iterations,
            "residual_px": fit.residual_px,
            "landmark_sigma_px": fit.sigma_px,
            "contour": fit.contour,
            "camera": camera_record(fit.camera),
            "shape": fit.shape,
            "expression": named_weights(model, fit.expression),
            "weights": fit.weights,
            "topology_id": model.topology_id,
        },
        options.report,
    )
    run.say(
        f"{options.out}: residual {fit.residual_px['median']:.2f} px (largest "
        f"{fit.residual_px['max']:.2f} px), {run.seconds:.1f} s"
    )
    return 0
