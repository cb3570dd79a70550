"""`geomface evaluate progressive_texture`: measure a trained texture GAN."""

import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import tyro

from geomface.cli.inputs import require_output
from geomface.cli.options import CommonOptions, MaybeFile, require_options
from geomface.cli.run import Run
from geomface.ranges import COUNT

if TYPE_CHECKING:
    from geomface.datasets import ImageSet
    from geomface.gan.progressive_texture import SetComparison


@dataclasses.dataclass(frozen=True)
class EvaluateTextureOptions:
    """Measure a trained texture GAN: distances to held-out images, novelty, shapes and holes.

    Held-out are the textures that the training left aside, or those in --test. Real images against
    the same held-out ones stand beside the generated: no generator should come nearer.
    """

    run: Annotated[tyro.conf.Positional[Path], tyro.conf.arg(metavar="RUN")]
    """Run directory."""
    count: int = 2000
    """Images drawn."""
    data: Annotated[
        Path | None, tyro.conf.arg(metavar="DIR", help_behavior_hint="(default: as recorded)")
    ] = None
    """Where the folder that was trained on lies now."""
    test: Annotated[
        Path | None,
        tyro.conf.arg(metavar="DIR", help_behavior_hint="(default: the held-out share)"),
    ] = None
    """Folder of other textures, none of which was trained on."""
    report: MaybeFile = None
    """JSON record with the metrics; default evaluation.json in the run directory."""
    common: CommonOptions = CommonOptions()

    def __post_init__(self) -> None:
        require_options(self, count=COUNT)


def run_evaluate(options: EvaluateTextureOptions, run: Run) -> int:
    """Draw, measure, write."""
    from geomface.gan.progressive_texture import (
        ShapesSettings,
        compare_sets,
        load_generator,
        measure_red_circles,
        sample_images,
        shapes_set,
    )

    report = options.report or (options.run / "evaluation.json" if options.run.is_dir() else None)
    require_output(report, "--report", (".json",))
    generator = load_generator(options.run)
    if options.common.dry_run:
        return run.plan([f"draw {options.count} images and measure them", f"write {report}"])
    metrics: dict[str, Any] = {"step": generator.step, "count": options.count}
    config, real = generator.config, None
    if config.get("kind") == "shapes":
        _refuse_folders(options)
        drawn = ShapesSettings(**config["data"])
        train = shapes_set(drawn)
        # New clean pictures: neither a copy of the set nor damage must look best.
        test, real = (
            shapes_set(dataclasses.replace(drawn, red_circle_share=0.0, seed=drawn.seed + more))
            for more in (1, 2)
        )
    else:
        train, test = _read_sets(options, config)
    images = sample_images(generator, options.count, seed=options.common.seed)
    if config.get("kind") == "shapes":
        metrics |= measure_red_circles(images, train)
    found = compare_sets(images, train, test, real=real, seed=options.common.seed)
    metrics |= {field.name: getattr(found, field.name) for field in dataclasses.fields(found)}
    run.finish(metrics, report)
    _print(metrics, found, run)
    return 0


def _refuse_folders(options: EvaluateTextureOptions) -> None:
    from geomface.errors import SettingsError

    for name, value in (("--data", options.data), ("--test", options.test)):
        if value is not None:
            raise SettingsError(f"{name}: a run on shapes draws its own pictures. Leave it out.")


def _read_sets(
    options: EvaluateTextureOptions, config: "dict[str, Any]"
) -> "tuple[ImageSet, ImageSet | None]":
    """Return the images trained on and the held-out ones."""
    import numpy as np

    from geomface.datasets import load_geometry_images, load_textures, split_set
    from geomface.errors import SettingsError
    from geomface.learning import DatasetError

    size, mirror = config["networks"]["size"], bool(config.get("mirror"))
    if options.data is None and "data" not in config:
        raise SettingsError("--data: the run does not say what it was trained on; name the folder.")

    def read(folder: Path | str) -> "ImageSet":
        if config.get("kind") != "geometry":
            return load_textures(folder, size, mirror=mirror)
        low, high = (np.asarray(config[name], np.float32) for name in ("low", "high"))
        found = load_geometry_images(folder, size, span=(low, high))
        if found.mode != config.get("mode", "absolute"):
            raise DatasetError(
                f"{folder}: expected {config.get('mode', 'absolute')} coordinates as in the "
                f"training, got {found.mode}. Encode them alike."
            )
        if found.topology_id != config["topology_id"]:
            raise DatasetError(
                f"{folder}: expected geometry images of topology {config['topology_id']} as in the "
                f"training, got {found.topology_id}."
            )
        return found.images

    train, test = split_set(read(options.data or config["data"]), config.get("held_out", 0.0))
    return train, test if options.test is None else read(options.test)


def _print(metrics: "dict[str, Any]", found: "SetComparison", run: Run) -> None:
    if "generated" in metrics:
        run.table(
            ["set", "red circle", "red squares", "green circles", "holes (area)"],
            [
                [
                    name,
                    f"{metrics[name].red_circle:.4f}",
                    f"{metrics[name].red_squares:.3f}",
                    f"{metrics[name].green_circles:.3f}",
                    f"{metrics[name].hole_area:.5f}",
                ]
                for name in ("generated", "data", "clean")
            ],
        )
        run.say()
    levels = list(found.distances.swd)
    run.table(
        ["to held-out", *(f"SWD {level} px" for level in levels), "SWD", "Frechet", "kernel"],
        [
            [
                name,
                *(f"{item.swd[level]:.1f}" for level in levels),
                f"{item.swd_average:.1f}",
                f"{item.frechet:.4f}",
                f"{item.kernel:.2e}",
            ]
            for name, item in (("generated", found.distances), ("real", found.real_distances))
        ],
    )
    run.say()
    rows = {
        "generated to train": found.generated_to_train,
        "held-out to train": found.test_to_train,
        "held-out to generated": found.test_to_generated,
    }
    run.table(
        ["nearest (rms)", "5 %", "median", "95 %"],
        [
            [name, f"{item.p05:.4f}", f"{item.median:.4f}", f"{item.p95:.4f}"]
            for name, item in rows.items()
        ],
    )
    kind = "clean " if found.without_holes else ""
    run.say(
        f"{found.distances.images} images a set, {kind}reals of {found.train_images} trained on "
        f"and {found.test_images} held out; {found.copies:.1%} nearer to the training than any "
        f"held-out image; {run.seconds:.1f} s"
    )
