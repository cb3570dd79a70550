"""`geomface model fit-image`: the model's face in a photograph, by rendering it."""

import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import tyro

from geomface.cli.inputs import make_folder, read_model
from geomface.cli.model.inputs import ModelFile, named_weights
from geomface.cli.options import CommonOptions, Folder, InputFile, require_options
from geomface.cli.run import Run
from geomface.errors import LandmarkError, SettingsError
from geomface.ranges import POSITIVE

if TYPE_CHECKING:
    from geomface.fitting.rendering import ImageFit
    from geomface.mesh.io.pixel_landmarks import PixelLandmarks
    from geomface.statistics import MorphableModel


@dataclasses.dataclass(frozen=True)
class ModelFitImageOptions:
    """Fit a model to a photograph: pose, face, skin colour and light, by rendering.

    Writes face.ply (the face in the model's frame, with colours without light), fit.json (all
    parameters), fit.png (photograph, fit, model, shading, albedo, difference, turned) and
    turned.png.
    """

    image: Annotated[tyro.conf.Positional[Path], tyro.conf.arg(metavar="IMAGE")]
    """The photograph: PNG, JPEG, BMP, TIFF or WebP, colour or grey."""
    landmarks: InputFile
    """Its landmarks in pixels: JSON with "unit": "px", .pts, .txt or .csv; rows of x and y."""
    out: Folder
    """Folder for the results; it is created."""
    model: ModelFile = None
    """Any model file that 'geomface model convert' reads. Without colours of its own it gets a
    procedural skin."""
    camera: Annotated[str, tyro.conf.arg(metavar="KIND")] = "perspective"
    """perspective, or weak-perspective."""
    focal: Annotated[
        float | None,
        tyro.conf.arg(metavar="PIXELS", help_behavior_hint="(default: a guess)"),
    ] = None
    """Focal length of the perspective camera in pixels; by default 1.4 times the longer side, or
    more where the face would be nearer than 600 mm."""
    landmark_sigma: Annotated[
        float | None,
        tyro.conf.arg(metavar="PIXELS", help_behavior_hint="(default: found by the residuals)"),
    ] = None
    """Standard deviation of a landmark, pixels; by default it follows the size of the face and how
    far the landmarks are from any face."""
    format: Annotated[str, tyro.conf.arg(metavar="ENDING")] = "ply"
    """Kind of mesh file: ply, obj or glb."""
    common: CommonOptions = CommonOptions()

    def __post_init__(self) -> None:
        require_options(self, focal=POSITIVE, landmark_sigma=POSITIVE)


def read_pixel_landmarks(path: Path, model: "MorphableModel") -> "PixelLandmarks":
    """Return the landmarks of a picture in the scheme and number of a model's own.

    Raises
    ------
    LandmarkError : a model without landmarks, or of another scheme or number.
    """
    from geomface.mesh.io.pixel_landmarks import load_pixel_landmarks

    found, own = load_pixel_landmarks(path), model.template.landmarks
    if own is None:
        raise LandmarkError(f"{model.name}: this model has no landmarks. Give its template some.")
    if (found.scheme, len(found.points)) != (own.scheme, len(own)):
        raise LandmarkError(
            f"{path}: expected {len(own)} landmarks of the scheme {own.scheme}, as {model.name} "
            f"has them, got {len(found.points)} of {found.scheme}."
        )
    return found


def run_fit_image(options: ModelFitImageOptions, run: Run) -> int:
    """Read, fit, write."""
    from geomface.files import load_image, save_image
    from geomface.fitting.rendering import PictureFitSettings, fit_image
    from geomface.fitting.rendering.sheet import fit_panels, panel_sheet
    from geomface.mesh.io import save_mesh

    run.require_cpu()
    ending = f".{options.format.lower().lstrip('.')}"
    if ending not in (".ply", ".obj", ".glb"):
        raise SettingsError(f"--format: expected ply, obj or glb, got {options.format}.")
    make_folder(options.out, create=False)
    settings = PictureFitSettings(camera=options.camera)
    model = read_model(options.model)
    landmarks = read_pixel_landmarks(options.landmarks, model)
    image = load_image(options.image)
    size = (image.shape[0], image.shape[1])
    if landmarks.image_size not in (None, size):
        raise LandmarkError(
            f"{options.landmarks}: these landmarks are of an image of "
            f"{landmarks.image_size[1]} x {landmarks.image_size[0]} pixels, {options.image} has "
            f"{size[1]} x {size[0]}."
        )
    if options.common.dry_run:
        return run.plan([f"fit {model.name} to {options.image}", f"write into {options.out}"])
    fit = fit_image(
        image,
        landmarks.points,
        model,
        settings,
        focal_px=options.focal,
        sigma_px=options.landmark_sigma,
        name=options.image.stem,
    )
    run.add_notes(fit.notes)
    panels = fit_panels(image, fit)
    make_folder(options.out)
    save_mesh(options.out / f"face{ending}", fit.mesh)
    save_image(options.out / "fit.png", panel_sheet(panels))
    save_image(options.out / "turned.png", panels["turned"])
    run.finish(_figures(model, fit), options.out / "fit.json")
    run.say(
        f"{options.out}: {'converged' if fit.converged else 'not yet at rest'}, difference "
        f"{fit.residual['median']:.3f} (95 %: {fit.residual['p95']:.3f}) of [0, 1], landmarks "
        f"{fit.landmark_px['median']:.1f} px, {run.seconds:.1f} s"
    )
    return 0


def camera_record(camera: Any) -> dict[str, Any]:
    """Return a fitted camera for a report, with its kind and the angles of the face."""
    from geomface.fitting import Perspective, pose_angles

    kind = "perspective" if isinstance(camera, Perspective) else "weak-perspective"
    fields = {field.name: getattr(camera, field.name) for field in dataclasses.fields(camera)}
    angles = dict(zip(("yaw", "pitch", "roll"), pose_angles(camera.rotation), strict=True))
    return {"kind": kind, "degrees": angles} | fields


def _figures(model: "MorphableModel", fit: "ImageFit") -> dict[str, Any]:
    return {
        "converged": fit.converged,
        "history": fit.history,
        "residual": fit.residual,
        "landmark_px": fit.landmark_px,
        "landmark_sigma_px": fit.landmark_sigma_px,
        "contour": fit.contour,
        "camera": camera_record(fit.camera),
        "image_size": [fit.image_size[1], fit.image_size[0]],
        "shape": fit.shape,
        "expression": named_weights(model, fit.expression),
        "albedo": fit.albedo,
        "light": fit.light,
        "topology_id": model.topology_id,
    }
