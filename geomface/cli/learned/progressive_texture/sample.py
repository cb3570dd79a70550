"""`geomface sample progressive_texture`: draw images from a trained texture GAN."""

import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import tyro

from geomface.cli.inputs import make_folder
from geomface.cli.options import CommonOptions, Flag, require_options
from geomface.cli.run import Run
from geomface.ranges import COUNT, NOT_NEGATIVE

if TYPE_CHECKING:
    from geomface.gan.progressive_texture import TrainedGenerator
    from geomface.mesh import Mesh


SHOWN, TURNED = 24, 4
"""Faces on the picture of all, and on the one of poses and lights."""


@dataclasses.dataclass(frozen=True)
class SampleTextureOptions:
    """Draw images from a trained texture GAN; no training data is needed.

    Without RUN the small model that ships with geomface draws whole faces at once. With --pairs
    your own does too: each texture on the geometry that scanned faces assign to it.
    """

    run: Annotated[
        tyro.conf.Positional[Path | None],
        tyro.conf.arg(metavar="RUN", help_behavior_hint="(default: the model that ships)"),
    ] = None
    """Run directory, or one of its checkpoints."""
    out: Annotated[Path, tyro.conf.arg(metavar="DIR")] = Path("geomface-faces")
    """Folder for sample000.png, ... and the sheet samples.png; faces.png shows whole faces,
    poses.png some of them turned and under other lights."""
    count: int = 16
    """Images."""
    pairs: Annotated[Path | None, tyro.conf.arg(metavar="DIR", help_behavior_hint="(optional)")] = (
        None
    )
    """A pipeline's output, which teaches the geometry of a texture: also write textured faces."""
    assignment: Literal[
        "least-squares", "maximum-likelihood", "nearest", "nonlinear", "mean", "random"
    ] = "least-squares"
    """How a texture gets its geometry, with --pairs; the model that ships uses least squares."""
    variety: Annotated[
        float | None, tyro.conf.arg(metavar="FLOAT", help_behavior_hint="(default: 1 if it can)")
    ] = None
    """How much of what a texture does not tell about the shape is drawn at random: 0 gives the mean
    shape of all who have such a skin, 1 people as they vary."""
    geometry: Annotated[
        Path | None, tyro.conf.arg(metavar="RUN", help_behavior_hint="(default: assigned)")
    ] = None
    """A run trained with --kind geometry: take the faces' geometry from it instead."""
    format: tuple[Literal["obj", "ply", "glb"], ...] = ("glb",)
    """Formats of the faces."""
    expressions: Flag = False
    """Give every face a random expression of the built-in face, on whose template it must be, in
    place of what its geometry has of the scans' expressions."""
    common: CommonOptions = CommonOptions()

    def __post_init__(self) -> None:
        require_options(self, count=COUNT, variety=NOT_NEGATIVE)


def run_sample(options: SampleTextureOptions, run: Run) -> int:
    """Load, draw, write."""
    from geomface.errors import SettingsError
    from geomface.files import save_image
    from geomface.gan.progressive_texture import load_generator, sample_images
    from geomface.learning import image_grid, to_pictures
    from geomface.mesh.io import save_mesh
    from geomface.mesh.io.texture_files import save_texture
    from geomface.report.face_sheet import face_sheet, pose_and_light_sheet

    make_folder(options.out, create=False)
    generator = load_generator(options.run)
    if options.common.dry_run:
        return run.plan([f"draw {options.count} images", f"write {options.out}"])
    if options.pairs is not None and generator.config.get("kind") != "texture":
        raise SettingsError("--pairs: expected a run trained on a folder of textures.")
    whole = options.pairs is not None or options.run is None
    for name in ("expressions", "geometry", "variety"):
        if getattr(options, name) not in (None, False) and not whole:
            raise SettingsError(f"--{name}: expected faces to give it to; add --pairs.")
    if options.pairs is None and options.assignment != "least-squares":
        raise SettingsError("--assignment: expected faces to learn it from; add --pairs.")
    images = sample_images(generator, options.count, seed=options.common.seed)
    faces = _faces(options, generator, images.shape[-1]) if whole else []
    make_folder(options.out)
    digits = max(3, len(str(options.count - 1)))
    for index, picture in enumerate(to_pictures(images)):
        save_texture(
            options.out / f"sample{index:0{digits}d}.png", picture, generator.uv_fingerprint
        )
    sheet = options.out / "samples.png"
    save_image(sheet, image_grid(images[:144]))
    written = {"count": options.count, "size": images.shape[-1], "step": generator.step}
    if generator.config.get("kind") == "geometry":
        written |= {"geometry_images": _save_geometry(generator.config, images, options.out)}
    for face in faces:
        for suffix in options.format:
            save_mesh(options.out / f"{face.name}.{suffix}", face)
    if faces:
        save_image(options.out / "faces.png", face_sheet(faces[:SHOWN]))
        save_image(options.out / "poses.png", pose_and_light_sheet(faces[:TURNED]))
        written |= {
            "faces": len(faces),
            "assignment": "gan" if options.geometry else options.assignment,
        }
    run.finish(written | {"sheet": sheet})
    run.say(f"{options.out}: {options.count} images of {images.shape[-1]} px, {run.seconds:.1f} s")
    return 0


def _faces(options: SampleTextureOptions, generator: "TrainedGenerator", size: int) -> "list[Mesh]":
    """Read or fit what belongs together and return the textured faces."""
    import numpy as np

    from geomface.faces.builtin import load_builtin_face
    from geomface.gan.progressive_texture import (
        fit_joint_model,
        load_generator,
        load_joint,
        textured_faces,
    )

    seed = options.common.seed
    if options.pairs is None:
        joint = load_joint()
    else:
        joint = fit_joint_model(
            options.pairs,
            size,
            method=options.assignment.replace("-", "_"),
            rng=np.random.default_rng(seed),
        )
    model = load_builtin_face() if options.expressions else None
    shape = None if options.geometry is None else load_generator(options.geometry)
    variety = options.variety
    if variety is None:
        variety = float(shape is None and joint.variety is not None)
    return list(
        textured_faces(
            generator,
            joint,
            options.count,
            seed=seed,
            geometry=shape,
            expressions=model,
            variety=variety,
        )
    )


def _save_geometry(config: "dict[str, Any]", images: Any, out: Path) -> str:
    """Write sampled geometry images in millimetres as one safetensors file."""
    import numpy as np

    from geomface.files.tensors import save_tensors

    low, high = (np.asarray(config[name], np.float32) for name in ("low", "high"))
    values = 0.5 * (images.numpy() + 1.0) * (high - low)[:, None, None] + low[:, None, None]
    path = out / "samples.safetensors"
    save_tensors(
        path,
        {"pixels": values.transpose(0, 2, 3, 1)},
        kind="geometry-image-samples",
        schema=1,
        topology_id=config["topology_id"],
    )
    return str(path)
