"""What `geomface model fit-image` writes of each photograph: its texture, its face in its place."""

from typing import TYPE_CHECKING, Any

from geomface.cli.inputs import make_folder
from geomface.errors import MeshError, ParametrizationError, SettingsError

if TYPE_CHECKING:
    from geomface.cli.model.photographs import Photograph
    from geomface.cli.model.pictures import ModelFitImageOptions
    from geomface.cli.run import Run
    from geomface.fitting.rendering import ImageFit
    from geomface.statistics import MorphableModel


def require_renders_apart(options: "ModelFitImageOptions") -> None:
    """Refuse renders beside the photographs, whose names they have."""
    if options.renders is None:
        return
    place = options.renders.resolve()
    for path in options.images:
        if path.resolve().parent == place:
            raise SettingsError(
                f"--renders {options.renders}: expected another folder than that of {path}, whose "
                "name its render has. Name a new one."
            )
    make_folder(options.renders, create=False)


def save_render(
    options: "ModelFitImageOptions", photograph: "Photograph", fit: "ImageFit", name: str
) -> None:
    """Write the render of a fitted face in the place of its photograph, and the landmarks."""
    from geomface.files import save_image
    from geomface.fitting.rendering.sheet import render_in_place
    from geomface.mesh.io.pixel_landmarks import PixelLandmarks, save_pixel_landmarks

    if options.renders is None:
        return
    make_folder(options.renders)
    # Landmarks last: a render without them would be aligned by others than its photograph.
    save_image(options.renders / f"{name}.png", render_in_place(fit))
    marks = PixelLandmarks(
        photograph.points, image_size=fit.image_size, confidence=photograph.confidence
    )
    save_pixel_landmarks(options.renders / f"{name}.landmarks.json", marks)


def save_texture(
    options: "ModelFitImageOptions",
    run: "Run",
    photograph: "Photograph",
    fit: "ImageFit",
    model: "MorphableModel",
    prefix: str,
) -> dict[str, Any]:
    """Write a face with its photograph on it, the texture and what of it was seen."""
    import numpy as np

    from geomface.files import save_image
    from geomface.fitting.rendering.photograph_texture import bake_photograph
    from geomface.mesh.io import save_mesh
    from geomface.mesh.io.texture_files import save_texture
    from geomface.mesh.uv_fingerprint import uv_fingerprint

    if not options.texture_size:
        return {}
    try:
        with run.stage("texture", photograph.path.stem):
            baked = bake_photograph(photograph.image, fit, model, options.texture_size)
    except (MeshError, ParametrizationError) as error:
        run.add_notes([f"No texture was written: {error}"])
        return {}
    ending = "obj" if options.format.lower().lstrip(".") == "obj" else "glb"
    save_mesh(options.out / f"{prefix}textured.{ending}", baked.mesh)
    fingerprint = uv_fingerprint(baked.mesh)
    save_texture(options.out / f"{prefix}texture.png", baked.texture, fingerprint)
    seen = np.repeat(baked.mask[..., None], 3, axis=2).astype(np.float32)
    save_image(options.out / f"{prefix}mask.png", seen)
    return {"texture_seen": baked.kept_fraction, "uv_fingerprint": fingerprint}
