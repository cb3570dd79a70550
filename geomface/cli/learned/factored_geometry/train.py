"""`geomface train factored_geometry`: train the factored geometry GAN into a run directory."""

import dataclasses
from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated, Any, Literal

import tyro

from geomface.cli.learned.factored_geometry.data import DrawnOptions, read_source
from geomface.cli.learned.frame import (
    RecipeNumber,
    Training,
    TrainOptions,
    apply_options,
    run_training_command,
)
from geomface.cli.options import CommonOptions, MaybeFile, require_options
from geomface.cli.run import Run
from geomface.errors import SettingsError
from geomface.ranges import BELOW_ONE, COUNT, NOT_NEGATIVE

if TYPE_CHECKING:
    from geomface.gan.factored_geometry import Factor, FactoredGeometryGan, FactoredSettings
    from geomface.gan.factored_geometry.sources import FaceSource

R1_WEIGHT, R1_EVERY = 0.1, 8
"""Of the recipes whose loss is not wgan-gp."""


@dataclasses.dataclass(frozen=True)
class TrainFactoredOptions:
    """Train a GAN of face meshes in which the person and the expression are separate knobs.

    It learns from registered faces (all of one topology) with a label of the person, and of the
    expression for a few of them. Without --data, faces are drawn from the built-in face.
    """

    training: TrainOptions
    data: Annotated[str, tyro.conf.arg(metavar="builtin|MODEL|DIR")] = "builtin"
    """builtin, the file of another face model to draw faces from, or a folder of registered meshes
    such as a pipeline's output."""
    labels: MaybeFile = None
    """Label table of a folder: CSV or JSON lines with the columns file, identity, expression (empty
    where it is not known); default labels.csv in the folder, else a subfolder is a person."""
    recipe: Literal["tiny", "cpu", "paper"] = "cpu"
    """tiny takes seconds, cpu 10 minutes on two cores, paper a day on a GPU."""
    arm: Literal[
        "full", "no-alternate", "no-variation", "no-features", "no-expression-classes", "ac-gan"
    ] = "full"
    """What is left out; all but full are there to be compared with."""
    factors: Annotated[
        str | None,
        tyro.conf.arg(
            metavar="NAME=INT,...", help_behavior_hint="(default: identity=65,expression=15)"
        ),
    ] = None
    """Factors with the lengths of their codes; the names are the label table's columns. The first
    is whom --held-out sets aside."""
    noise: RecipeNumber = None
    """Length of the code of all that no factor explains."""
    loss: Annotated[
        Literal["non-saturating", "hinge", "lsgan", "wgan-gp"] | None,
        tyro.conf.arg(
            metavar="{non-saturating,hinge,lsgan,wgan-gp}",
            help_behavior_hint="(default: the recipe's)",
        ),
    ] = None
    """The adversarial loss."""
    size: RecipeNumber = None
    """Pixels a side of the geometry images, a power of two from 16."""
    held_out: Annotated[
        float | None, tyro.conf.arg(metavar="SHARE", help_behavior_hint="(default: the recipe's)")
    ] = None
    """Share of the people that is never trained on, chosen by a hash of their names."""
    bits: Literal[8, 32] = 32
    """Of the training images: 32 are floats, 8 rounds them as a picture file does."""
    drawn: DrawnOptions = DrawnOptions()
    common: CommonOptions = CommonOptions()

    def __post_init__(self) -> None:
        require_options(self, noise=NOT_NEGATIVE, size=COUNT, held_out=BELOW_ONE)


def run_train(options: TrainFactoredOptions, run: Run) -> int:
    """Read or draw the data, train, say how it ended."""
    from geomface.gan.factored_geometry import SYSTEM

    settings = train_settings(options)
    names = tuple(factor.name for factor in settings.factors)
    source = read_source(options.data, options.labels, options.drawn, names)
    training = Training(
        SYSTEM,
        settings,
        f"{settings.networks.size} px on {options.data}",
        lambda: _prepare(settings, source, run),
        inputs=source.inputs,
        data=source.place,
    )
    return run_training_command(training, options.training, run)


def _prepare(
    settings: "FactoredSettings", source: "FaceSource", run: Run
) -> "tuple[Callable[[], FactoredGeometryGan], dict[str, Any]]":
    """Return what builds the task, and what the record tells of the data."""
    from geomface.gan.factored_geometry import FactoredGeometryGan
    from geomface.gan.factored_geometry.task import prepare_images

    with run.progress("read", 1) as step:
        faces = source.read(lambda done, total: step(done, "", total))
    data = prepare_images(settings, faces)
    shown = len(data.images)
    told = ", ".join(
        f"{len(data.classes[name])} of {name} on {int((data.labels[name] >= 0).sum())}"
        for name in source.factors
    )
    run.warn(f"{source.place}: {shown} faces, {len(faces) - shown} more held out; labels: {told}")
    record = source.record()
    return lambda: FactoredGeometryGan(settings, data, record), {
        "faces": shown,
        "held_out": len(faces) - shown,
    }


def train_settings(options: TrainFactoredOptions) -> "FactoredSettings":
    """Return the recipe's settings with the options' changes."""
    from geomface.gan.factored_geometry import recipe
    from geomface.gan.factored_geometry.recipes import without
    from geomface.learning import AdversarialSettings

    settings = recipe(options.recipe, seed=options.common.seed)
    settings = apply_options(settings, options.training, options.common)
    changes: dict[str, Any] = {"bits": options.bits}
    if options.factors is not None:
        changes["factors"] = read_factors(options.factors)
    if options.size is not None:
        changes["networks"] = dataclasses.replace(settings.networks, size=options.size)
    if options.loss == "wgan-gp":
        changes["adversarial"] = AdversarialSettings("wgan-gp")
    elif options.loss is not None:
        changes["adversarial"] = AdversarialSettings(
            options.loss, r1_weight=R1_WEIGHT, r1_every=R1_EVERY
        )
    for name in ("noise", "held_out"):
        if getattr(options, name) is not None:
            changes[name] = getattr(options, name)
    return without(dataclasses.replace(settings, **changes), options.arm)


def read_factors(text: str) -> "tuple[Factor, ...]":
    """Return factors from "identity=65,expression=15".

    Raises
    ------
    SettingsError : another form, a code of length 0
    """
    from geomface.gan.factored_geometry import Factor

    factors = []
    for item in text.split(","):
        name, equals, dims = (part.strip() for part in item.partition("="))
        if not equals or not dims.removeprefix("-").isdecimal():
            raise SettingsError(
                f"--factors: expected names with the lengths of their codes, such as "
                f"identity=65,expression=15, got {text!r}."
            )
        factors.append(Factor(name, int(dims)))
    return tuple(factors)
