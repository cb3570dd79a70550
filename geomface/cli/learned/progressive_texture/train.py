"""`geomface train progressive_texture`: train the texture GAN into a run directory."""

import dataclasses
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import tyro

from geomface.cli.learned.frame import (
    RecipeNumber,
    Training,
    TrainOptions,
    apply_options,
    run_training_command,
)
from geomface.cli.options import CommonOptions, Flag, require_options
from geomface.cli.run import Run
from geomface.errors import SettingsError
from geomface.ranges import BELOW_ONE, COUNT

if TYPE_CHECKING:
    from geomface.datasets import ImageSet
    from geomface.gan.progressive_texture import TextureGan, TextureGanSettings


@dataclasses.dataclass(frozen=True)
class TrainTextureOptions:
    """Train a progressive GAN on textures or geometry images with holes.

    A pixel that its mask hides is hidden from the discriminator in reals and fakes alike, so damage
    in the data is never learned. With --data shapes, the red-circle experiment: coloured shapes in
    which red circles play the damage.
    """

    training: TrainOptions
    data: str = "shapes"
    """"shapes", or a folder of textures (NAME.png with NAME.mask.png, or a pipeline's output)."""
    recipe: Literal["tiny", "cpu", "paper"] = "cpu"
    """tiny takes seconds, cpu minutes on two cores, paper days on a GPU."""
    kind: Literal["texture", "geometry"] = "texture"
    """What a folder holds: textures, or geometry images."""
    masking: Annotated[
        Literal["masked", "unmasked", "clean", "reals-only"], tyro.conf.arg(aliases=["--arm"])
    ] = "masked"
    """How masks are used; all but masked are there to be compared with."""
    size: RecipeNumber = None
    """Pixels a side."""
    loss: Annotated[
        Literal["non-saturating", "hinge", "lsgan", "wgan-gp", "began"] | None,
        tyro.conf.arg(
            metavar="{non-saturating,hinge,lsgan,wgan-gp,began}",
            help_behavior_hint="(default: the recipe's)",
        ),
    ] = None
    """The adversarial loss."""
    held_out: Annotated[
        float | None, tyro.conf.arg(metavar="SHARE", help_behavior_hint="(default: the recipe's)")
    ] = None
    """Share of a folder that is never trained on, chosen by a hash of the files' names."""
    mirror: Flag = False
    """Also show every texture mirrored, or each coordinate of a geometry image on its own (eight
    images of one); the uv map must be symmetric."""
    common: CommonOptions = CommonOptions()

    def __post_init__(self) -> None:
        require_options(self, size=COUNT, held_out=BELOW_ONE)


def run_train(options: TrainTextureOptions, run: Run) -> int:
    """Read the data, train, say how it ended."""
    from geomface.datasets.textures import no_textures
    from geomface.gan.progressive_texture import SYSTEM

    settings = train_settings(options)
    # Told before other settings than a run's own are: most of them would differ for want of it.
    if options.data != "shapes" and options.kind == "texture" and not Path(options.data).is_dir():
        raise no_textures(options.data)
    inputs = {"kind": options.kind, "mirror": options.mirror}
    training = Training(
        SYSTEM,
        settings,
        f"{settings.networks.size} px {settings.masking} on {options.data}",
        lambda: _prepare(options, settings, run),
        inputs=inputs,
        data=options.data,
    )
    return run_training_command(training, options.training, run)


def _prepare(
    options: TrainTextureOptions, settings: "TextureGanSettings", run: Run
) -> "tuple[Callable[[], TextureGan], dict[str, Any]]":
    """Return what builds the task, and how many images were held out."""
    from geomface.datasets import split_set
    from geomface.gan.progressive_texture import TextureGan

    data, config = _read_data(options, settings, run)
    shown, held_out = split_set(data, settings.held_out)
    left_out = 0 if held_out is None else len(held_out.images)
    if data.names:
        run.warn(f"{options.data}: {len(shown.images)} images, {left_out} more held out")
    return lambda: TextureGan(settings, shown, config), {"held_out": left_out}


def train_settings(options: TrainTextureOptions) -> "TextureGanSettings":
    """Return the recipe's settings with the options' changes."""
    from geomface.gan.progressive_texture import recipe

    shapes = options.data == "shapes"
    if shapes and options.kind != "texture":
        raise SettingsError("--kind geometry: expected a folder in --data, got shapes.")
    if options.mirror and shapes:
        raise SettingsError("--mirror: expected a folder in --data. Leave it out.")
    settings = recipe(
        options.recipe, shapes=shapes, masking=options.masking, seed=options.common.seed
    )
    settings = apply_options(settings, options.training, options.common)
    change = dataclasses.replace
    if options.held_out is not None:
        settings = change(settings, held_out=options.held_out)
    if options.loss is not None:
        settings = change(settings, adversarial=change(settings.adversarial, loss=options.loss))
    if options.size is not None:
        settings = change(settings, networks=change(settings.networks, size=options.size))
        if settings.shapes is not None:
            settings = change(settings, shapes=change(settings.shapes, size=options.size))
    return settings


def _read_data(
    options: TrainTextureOptions, settings: "TextureGanSettings", run: Run
) -> "tuple[ImageSet, dict[str, Any]]":
    from geomface.datasets import load_geometry_images, load_textures
    from geomface.gan.progressive_texture import shapes_set

    size = settings.networks.size
    if settings.shapes is not None:
        return shapes_set(settings.shapes), {"kind": "shapes", "data": settings.shapes}
    source = {
        "kind": options.kind,
        "data": str(Path(options.data).resolve()),
        "mirror": options.mirror,
    }
    with run.progress("read", 1) as step:

        def advance(done: int, total: int) -> None:
            step(done, "", total)

        if options.kind == "texture":
            textures = load_textures(options.data, size, mirror=options.mirror, on_progress=advance)
            return textures, source | {"uv_fingerprint": textures.uv}
        read = load_geometry_images(options.data, size, mirror=options.mirror, on_progress=advance)
    names = ("low", "high", "topology_id", "mode")
    geometry = {name: getattr(read, name) for name in names}
    return read.images, source | geometry | {"uv_fingerprint": read.images.uv}
