"""`geomface model fit-image`: the model's face in a photograph, by rendering it."""

import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import tyro

from geomface.cli.inputs import make_folder, read_model
from geomface.cli.model.fit_files import require_renders_apart, save_render, save_texture
from geomface.cli.model.inputs import ModelFile, named_weights
from geomface.cli.model.photographs import Photograph, photograph_names, read_photographs
from geomface.cli.options import CommonOptions, Folder, MaybeFolder, require_options
from geomface.cli.run import Run
from geomface.errors import SettingsError
from geomface.ranges import POSITIVE

if TYPE_CHECKING:
    from geomface.fitting.rendering import ImageFit, PictureFitSettings
    from geomface.statistics import MorphableModel


@dataclasses.dataclass(frozen=True)
class ModelFitImageOptions:
    """Fit a model to a photograph: pose, face, skin colour and light, by rendering.

    Writes face.ply (the face in the model's frame, with colours without light), textured.glb (with
    the photograph on its texture, light taken out), texture.png, mask.png (white where the
    photograph shows the skin), fit.json (all parameters), fit.png (photograph, fit, model, shading,
    albedo, difference, turned) and turned.png. Of several photographs of one person face.ply is the
    neutral face, and pictures/ holds the face and the texture of each. Eyeballs are no part of the
    model: the meshes have holes for them. A grey photograph says nothing of the colour of the skin:
    textured.glb has that of the model.
    """

    images: Annotated[
        tyro.conf.Positional[tuple[Path, ...]],
        tyro.conf.arg(metavar="IMAGE", help_behavior_hint="(required)"),
    ]
    """The photograph, or several of one person: PNG, JPEG, BMP, GIF, TIFF or WebP."""
    out: Folder
    """Folder for the results; it is created."""
    landmarks: Annotated[
        tuple[Path, ...],
        tyro.conf.arg(metavar="FILE", help_behavior_hint="(default: beside them, or found)"),
    ] = ()
    """Landmarks of each photograph in pixels: JSON with "unit": "px", .pts, .txt or .csv; rows of x
    and y."""
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
    """Kind of mesh file: ply, obj or glb. With obj the textured face is textured.obj."""
    texture_size: int = 1024
    """Texels along each side of the texture; 0 writes none."""
    renders: MaybeFolder = None
    """Folder that gets a render of each fitted face where it is in its photograph, on black, with
    alpha and landmarks: the other halves of pairs for 'geomface train render_to_photo'."""
    common: CommonOptions = CommonOptions()

    def __post_init__(self) -> None:
        require_options(self, focal=POSITIVE, landmark_sigma=POSITIVE, texture_size="[0, 8192]")
        if not self.images:
            raise SettingsError("model fit-image: expected a photograph, got none. Name one.")


def run_fit_image(options: ModelFitImageOptions, run: Run) -> int:
    """Read, fit, write."""
    from geomface.files import save_image
    from geomface.fitting.rendering import PictureFitSettings, fit_image
    from geomface.fitting.rendering.sheet import fit_panels, panel_sheet
    from geomface.mesh.io import save_mesh

    run.require_cpu()
    ending = f".{options.format.lower().lstrip('.')}"
    if ending not in (".ply", ".obj", ".glb"):
        raise SettingsError(f"--format: expected ply, obj or glb, got {options.format}.")
    if options.landmarks and len(options.landmarks) != len(options.images):
        raise SettingsError(
            f"--landmarks: expected one file for each of {len(options.images)} photographs, in "
            f"their order, got {len(options.landmarks)}."
        )
    make_folder(options.out, create=False)
    require_renders_apart(options)
    names = photograph_names(options.images)
    settings = PictureFitSettings(camera=options.camera)
    model = read_model(options.model)
    files = options.landmarks or tuple(None for _ in options.images)
    photographs = read_photographs(options.images, files, model, run)
    if options.common.dry_run:
        names = ", ".join(str(path) for path in options.images)
        return run.plan([f"fit {model.name} to {names}", f"write into {options.out}"])
    if len(photographs) > 1:
        return _fit_person(
            options, run, model, settings, dict(zip(names, photographs, strict=True))
        )
    one = photographs[0]
    with run.stage("fit", one.path.stem):
        fit = fit_image(
            one.image,
            one.points,
            model,
            settings,
            focal_px=options.focal,
            sigma_px=options.landmark_sigma,
            confidence=one.confidence,
            name=one.path.stem,
        )
    run.add_notes(fit.notes)
    panels = fit_panels(one.image, fit)
    make_folder(options.out)
    save_mesh(options.out / f"face{ending}", fit.mesh)
    baked = save_texture(options, run, one, fit, model, "")
    save_render(options, one, fit, one.path.stem)
    save_image(options.out / "fit.png", panel_sheet(panels))
    save_image(options.out / "turned.png", panels["turned"])
    run.finish(_figures(model, fit) | baked, options.out / "fit.json")
    run.say(f"{options.out}: {_sentence(fit)}, {run.seconds:.1f} s")
    return 0


def _fit_person(
    options: ModelFitImageOptions,
    run: Run,
    model: "MorphableModel",
    settings: "PictureFitSettings",
    named: dict[str, Photograph],
) -> int:
    """Fit one person to several pictures and write what belongs to her and to each of them."""
    from geomface.files import save_image
    from geomface.fitting.rendering import fit_images
    from geomface.fitting.rendering.sheet import fit_panels
    from geomface.mesh.io import save_mesh
    from geomface.rendering import contact_sheet

    names, photographs = list(named), list(named.values())
    with run.stage("fit", f"{len(names)} photographs at once"):
        person = fit_images(
            [one.image for one in photographs],
            [one.points for one in photographs],
            model,
            settings,
            focal_px=[options.focal] * len(photographs),
            sigma_px=options.landmark_sigma,
            confidence=[one.confidence for one in photographs],
            names=names,
        )
    ending = f".{options.format.lower().lstrip('.')}"
    pictures = options.out / "pictures"
    make_folder(options.out)
    pictures.mkdir(exist_ok=True)
    save_mesh(options.out / f"face{ending}", person.mesh)
    cells, labels, turned, figures = [], [], None, {}
    for name, one, fit in zip(names, photographs, person.pictures, strict=True):
        run.add_notes(f"{name}: {note}" for note in fit.notes)
        save_mesh(pictures / f"{name}{ending}", fit.mesh)
        baked = save_texture(options, run, one, fit, model, f"pictures/{name}.")
        save_render(options, one, fit, name)
        figures[name] = _figures(model, fit) | baked
        panels = fit_panels(one.image, fit)
        cells += list(panels.values())
        labels += list(panels)
        turned = panels["turned"] if turned is None else turned
        run.say(f"{name}: {_sentence(fit)}")
    save_image(options.out / "fit.png", contact_sheet(cells, len(cells) // len(names), labels))
    if turned is not None:
        save_image(options.out / "turned.png", turned)
    found = {"shape": person.shape, "albedo": person.albedo, "pictures": figures}
    run.finish(found | {"topology_id": model.topology_id}, options.out / "fit.json")
    run.say(f"{options.out}: one person in {len(names)} pictures, {run.seconds:.1f} s")
    return 0


def _sentence(fit: "ImageFit") -> str:
    return (
        f"{'converged' if fit.converged else 'not yet at rest'}, difference "
        f"{fit.residual['median']:.3f} (95 %: {fit.residual['p95']:.3f}) of [0, 1], landmarks "
        f"{fit.landmark_px['median']:.1f} px"
    )


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
