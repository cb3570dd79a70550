"""`geomface train progressive_texture`: train the texture GAN into a run directory."""

import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import tyro

from geomface.cli.options import CommonOptions, Flag, MaybeFile
from geomface.cli.run import Run
from geomface.errors import SettingsError

if TYPE_CHECKING:
    from geomface.datasets import ImageSet
    from geomface.gan.progressive_texture import TextureGanSettings
    from geomface.learning import TrainingResult

RecipeNumber = Annotated[
    int | None, tyro.conf.arg(metavar="INT", help_behavior_hint="(default: the recipe's)")
]


@dataclasses.dataclass(frozen=True)
class TrainTextureOptions:
    """Train a progressive GAN on textures or geometry images with holes.

    A pixel that its mask hides is hidden from the discriminator in reals and fakes alike, so damage
    in the data is never learned. With --data shapes, the red-circle experiment: coloured shapes in
    which red circles play the damage.
    """

    out: Annotated[Path, tyro.conf.arg(metavar="RUN")]
    """The run directory: settings, metrics, pictures, checkpoints."""
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
        Literal["non-saturating", "hinge", "wgan-gp", "began"] | None,
        tyro.conf.arg(
            metavar="{non-saturating,hinge,wgan-gp,began}",
            help_behavior_hint="(default: the recipe's)",
        ),
    ] = None
    """The adversarial loss."""
    steps: RecipeNumber = None
    """Steps in all."""
    held_out: Annotated[
        float | None, tyro.conf.arg(metavar="SHARE", help_behavior_hint="(default: the recipe's)")
    ] = None
    """Share of a folder that is never trained on, chosen by a hash of the files' names."""
    mirror: Flag = False
    """Also show every texture mirrored, or each coordinate of a geometry image on its own (eight
    images of one); the uv map must be symmetric."""
    resume: Literal["never", "auto", "must"] = "auto"
    """Go on with the run in --out: never, if there is one, or else fail."""
    init_from: MaybeFile = None
    """Checkpoint whose weights a new run begins with."""
    budget_minutes: Annotated[
        float | None, tyro.conf.arg(metavar="FLOAT", help_behavior_hint="(optional)")
    ] = None
    """Save and end after this wall-clock time; the same command goes on."""
    precision: Literal["float32", "bfloat16"] = "float32"
    """bfloat16 runs on CUDA and on processors that multiply it (AMX, AVX-512 BF16)."""
    compile: Flag = False
    """Compile the networks first."""
    devices: int = 1
    """GPUs in all (with --device cpu, processes), which share every batch; under torchrun, as many
    as it started."""
    common: CommonOptions = CommonOptions()


def run_train(options: TrainTextureOptions, run: Run) -> int:
    """Read the data, train, say how it ended."""
    from geomface.learning import LostPeerError
    from geomface.learning.device import check_compute
    from geomface.learning.distributed import is_started, join_ranks
    from geomface.learning.launcher import LOST, start_processes

    settings = train_settings(options)
    device = check_compute(settings.compute)
    if options.common.dry_run:
        return run.plan(
            [
                f"train {settings.networks.size} px {settings.masking} on {options.data} for "
                f"{settings.loop.steps} steps on {settings.compute.devices} x {device.type}",
                f"write {options.out}",
            ]
        )
    if settings.compute.devices > 1 and not is_started():
        return start_processes([*run.title.split()[1:], *run.words], options.devices)
    try:
        with join_ranks(settings.compute) as ranks:
            if not ranks.first:
                run.common = dataclasses.replace(run.common, quiet=True)
            with ranks.main_process_first():
                data, config = _read_data(options, settings, run)
            result, left_out = _train(options, settings, data, config, run)
    except LostPeerError:
        return LOST  # the one that failed tells why, and the launcher who it was
    if not ranks.first:
        return 0
    run.finish(
        {
            "steps": result.steps,
            "ended": result.ended,
            "held_out": left_out,
            "checkpoint": result.checkpoint,
            "metrics": result.metrics,
        }
    )
    if result.ended == "interrupt":
        raise KeyboardInterrupt
    run.say(f"{result.checkpoint}: {result.steps} steps, {result.ended}, {run.seconds:.0f} s")
    return 0


def _train(
    options: TrainTextureOptions,
    settings: "TextureGanSettings",
    data: "ImageSet",
    config: dict[str, Any],
    run: Run,
) -> "tuple[TrainingResult, int]":
    """Train with progress; return how it ended and how many images were held out."""
    from geomface.cli.record import package_versions
    from geomface.gan.progressive_texture import train_texture_gan
    from geomface.learning import choose_device, format_metrics
    from geomface.learning.holdout import is_held_out

    device = choose_device(settings.compute.device)
    left_out = sum(is_held_out(name, settings.held_out) for name in data.names)
    if data.names:
        run.warn(f"{options.data}: {len(data.names) - left_out} images, {left_out} more held out")
    first: list[int] = []
    with run.progress("train", settings.loop.steps) as step:

        def advance(done: int, total: int) -> None:
            # Time left counts from where this process began, not from step 0 of a resumed run.
            first.append(done - 1)
            step(done - first[0], f"step {done}", total - first[0])

        result = train_texture_gan(
            settings,
            data,
            options.out,
            resume=options.resume,
            init_from=options.init_from,
            config=config,
            record={"versions": package_versions(), "device": str(device), "data": options.data},
            on_log=lambda figures: run.warn(format_metrics(figures)),
            on_progress=advance,
        )
    return result, left_out


def train_settings(options: TrainTextureOptions) -> "TextureGanSettings":
    """Return the recipe's settings with the options' changes."""
    from geomface.gan.progressive_texture import recipe
    from geomface.learning import ComputeSettings

    if options.budget_minutes is not None and options.budget_minutes <= 0:
        raise SettingsError(
            f"--budget-minutes: expected more than 0, got {options.budget_minutes}."
        )
    shapes = options.data == "shapes"
    if shapes and options.kind != "texture":
        raise SettingsError("--kind geometry: expected a folder in --data, got shapes.")
    if options.mirror and shapes:
        raise SettingsError("--mirror: expected a folder in --data. Leave it out.")
    settings = recipe(
        options.recipe, shapes=shapes, masking=options.masking, seed=options.common.seed
    )
    loop, change = settings.loop, dataclasses.replace
    if options.steps is not None:
        loop = change(loop, steps=options.steps)
    if options.budget_minutes is not None:
        loop = change(loop, budget_seconds=60.0 * options.budget_minutes)
    compute = ComputeSettings(
        options.common.device,
        options.precision,
        compile=options.compile,
        devices=options.devices,
    )
    settings = change(settings, loop=loop, compute=compute)
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
            return load_textures(
                options.data, size, mirror=options.mirror, on_progress=advance
            ), source
        read = load_geometry_images(options.data, size, mirror=options.mirror, on_progress=advance)
    names = ("low", "high", "topology_id", "mode")
    geometry = {name: getattr(read, name) for name in names}
    return read.images, source | geometry
