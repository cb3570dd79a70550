"""`geomface train|sample|evaluate progressive_texture`: the texture GAN."""

import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import tyro

from geomface.cli.inputs import require_output
from geomface.cli.options import CommonOptions, Flag, MaybeFile
from geomface.cli.run import Run
from geomface.errors import SettingsError

if TYPE_CHECKING:
    from geomface.gan.progressive_texture import TextureGanSettings, TextureSet

RunFolder = Annotated[Path, tyro.conf.arg(metavar="RUN")]
GivenRun = Annotated[tyro.conf.Positional[Path], tyro.conf.arg(metavar="RUN")]
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

    out: RunFolder
    """The run directory: settings, metrics, pictures, checkpoints."""
    data: str = "shapes"
    """"shapes", or a folder of textures (NAME.png with NAME.mask.png, or a pipeline's output)."""
    recipe: Literal["tiny", "cpu", "paper"] = "cpu"
    """tiny takes seconds, cpu minutes on two cores, paper days on a GPU."""
    kind: Literal["texture", "geometry"] = "texture"
    """What a folder holds: textures, or geometry images."""
    arm: Literal["masked", "unmasked", "clean", "reals-only"] = "masked"
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
    mirror: Flag = False
    """Also show every texture mirrored; the uv map must be symmetric."""
    resume: Literal["never", "auto", "must"] = "auto"
    """Go on with the run in --out: never, if there is one, or else fail."""
    init_from: MaybeFile = None
    """Checkpoint whose weights a new run begins with."""
    budget_minutes: Annotated[
        float | None, tyro.conf.arg(metavar="FLOAT", help_behavior_hint="(optional)")
    ] = None
    """Save and end after this wall-clock time; the same command goes on."""
    precision: Literal["float32", "bfloat16"] = "float32"
    """bfloat16 needs --device cuda."""
    compile: Flag = False
    """Compile the networks first."""
    devices: int = 1
    """GPUs; more than one needs Lightning Fabric."""
    common: CommonOptions = CommonOptions()


def run_train(options: TrainTextureOptions, run: Run) -> int:
    """Read the data, train, say how it ended."""
    from geomface.cli.record import package_versions
    from geomface.gan.progressive_texture import train_texture_gan
    from geomface.learning import format_figures
    from geomface.learning.device import check_compute

    settings = train_settings(options)
    device = check_compute(settings.compute)
    if options.common.dry_run:
        return run.plan(
            [
                f"train {settings.networks.size} px {settings.arm} on {options.data} for "
                f"{settings.loop.steps} steps on {device}",
                f"write {options.out}",
            ]
        )
    data, config = _read_data(options, settings, run)
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
            on_log=lambda figures: run.warn(format_figures(figures)),
            on_progress=advance,
        )
    run.finish(
        {
            "steps": result.steps,
            "ended": result.ended,
            "checkpoint": result.checkpoint,
            "figures": result.figures,
        }
    )
    if result.ended == "interrupt":
        raise KeyboardInterrupt
    run.say(f"{result.checkpoint}: {result.steps} steps, {result.ended}, {run.seconds:.0f} s")
    return 0


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
    settings = recipe(options.recipe, shapes=shapes, arm=options.arm, seed=options.common.seed)
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
    if options.loss is not None:
        settings = change(settings, adversarial=change(settings.adversarial, loss=options.loss))
    if options.size is not None:
        settings = change(settings, networks=change(settings.networks, size=options.size))
        if settings.shapes is not None:
            settings = change(settings, shapes=change(settings.shapes, size=options.size))
    return settings


def _read_data(
    options: TrainTextureOptions, settings: "TextureGanSettings", run: Run
) -> "tuple[TextureSet, dict[str, Any]]":
    from geomface.gan.progressive_texture import load_geometry, load_textures, shapes_set

    size = settings.networks.size
    if settings.shapes is not None:
        return shapes_set(settings.shapes), {"kind": "shapes", "data": settings.shapes}
    source = {"kind": options.kind, "data": str(Path(options.data).resolve())}
    with run.progress("read", 1) as step:

        def advance(done: int, total: int) -> None:
            step(done, "", total)

        if options.kind == "texture":
            return load_textures(
                options.data, size, mirror=options.mirror, on_progress=advance
            ), source
        read = load_geometry(options.data, size, on_progress=advance)
    geometry = {"low": read.low, "high": read.high, "topology_id": read.topology_id}
    return read.textures, source | geometry


@dataclasses.dataclass(frozen=True)
class SampleTextureOptions:
    """Draw images from a trained texture GAN; no training data is needed."""

    run: GivenRun
    """Run directory, or one of its checkpoints."""
    out: Annotated[Path, tyro.conf.arg(metavar="DIR")]
    """Folder for sample000.png, ... and the sheet samples.png."""
    count: int = 16
    """Images."""
    common: CommonOptions = CommonOptions()


def run_sample(options: SampleTextureOptions, run: Run) -> int:
    """Load, draw, write."""
    from geomface.errors import OutputError
    from geomface.gan.progressive_texture import load_generator, sample_images
    from geomface.learning import image_grid, to_pictures
    from geomface.mesh.io import save_image

    generator = load_generator(options.run)
    if options.common.dry_run:
        return run.plan([f"draw {options.count} images", f"write {options.out}"])
    images = sample_images(generator, options.count, seed=options.common.seed)
    if options.out.is_file():
        raise OutputError(f"{options.out}: expected a folder to write to, got a file.")
    options.out.mkdir(parents=True, exist_ok=True)
    digits = max(3, len(str(options.count - 1)))
    for index, picture in enumerate(to_pictures(images)):
        save_image(options.out / f"sample{index:0{digits}d}.png", picture)
    sheet = options.out / "samples.png"
    save_image(sheet, image_grid(images[:144]))
    written = {"count": options.count, "size": images.shape[-1], "step": generator.step}
    if generator.config.get("kind") == "geometry":
        written |= {"geometry_images": _save_geometry(generator.config, images, options.out)}
    run.finish(written | {"sheet": sheet})
    run.say(f"{options.out}: {options.count} images of {images.shape[-1]} px, {run.seconds:.1f} s")
    return 0


def _save_geometry(config: "dict[str, Any]", images: Any, out: Path) -> str:
    """Write sampled geometry images in millimetres as one safetensors file."""
    import numpy as np

    from geomface.mesh.io.tensors import save_tensors

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


@dataclasses.dataclass(frozen=True)
class EvaluateTextureOptions:
    """Measure a trained texture GAN: shapes and holes, distances to clean data, novelty."""

    run: GivenRun
    """Run directory."""
    count: int = 2000
    """Images drawn."""
    data: Annotated[
        Path | None, tyro.conf.arg(metavar="DIR", help_behavior_hint="(default: the run's)")
    ] = None
    """Folder of textures to compare with."""
    report: MaybeFile = None
    """JSON record with the figures; default evaluation.json in the run directory."""
    common: CommonOptions = CommonOptions()


def run_evaluate(options: EvaluateTextureOptions, run: Run) -> int:
    """Draw, measure, write."""
    from geomface.gan.progressive_texture import (
        ShapesSettings,
        load_generator,
        load_geometry,
        load_textures,
        measure_distances,
        measure_red_circles,
        sample_images,
        shapes_set,
    )
    from geomface.gan.progressive_texture.evaluation import reference_images

    report = options.report or (options.run / "evaluation.json" if options.run.is_dir() else None)
    require_output(report, "--report", (".json",))
    generator = load_generator(options.run)
    kind = generator.config.get("kind", "texture")
    if options.common.dry_run:
        return run.plan([f"draw {options.count} images and measure them", f"write {report}"])
    images = sample_images(generator, options.count, seed=options.common.seed)
    size = generator.config["networks"]["size"]
    figures: dict[str, Any] = {"step": generator.step, "count": options.count}
    if kind == "shapes" and options.data is None:
        drawn = ShapesSettings(**generator.config["data"])
        figures |= measure_red_circles(images, shapes_set(drawn))
        # Other pictures than those of the training: a copy of the set must not look best.
        held_out = dataclasses.replace(drawn, red_circle_share=0.0, seed=drawn.seed + 1)
        reference = reference_images(shapes_set(held_out), images.shape[-1], options.count)
    else:
        folder = options.data or Path(generator.config["data"])
        if kind == "geometry":
            data = load_geometry(folder, size).textures
        else:
            data = load_textures(folder, size)
        reference = reference_images(data, images.shape[-1], options.count)
    distances = measure_distances(images, reference, seed=options.common.seed)
    figures["distances"] = distances
    run.finish(figures, report)
    if "generated" in figures:
        run.table(
            ["set", "red circle", "red squares", "green circles", "holes (area)"],
            [
                [
                    name,
                    f"{figures[name].red_circle:.4f}",
                    f"{figures[name].red_squares:.3f}",
                    f"{figures[name].green_circles:.3f}",
                    f"{figures[name].hole_area:.5f}",
                ]
                for name in ("generated", "data", "clean")
            ],
        )
    run.say(
        f"SWD {distances.swd_average:.1f} (two halves of the reference: "
        f"{distances.swd_reference:.1f}), Frechet {distances.frechet:.4f}, {run.seconds:.1f} s"
    )
    return 0
