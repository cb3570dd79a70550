"""`geomface train landmark_reenactment`: train a reenactment into a run directory."""

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
from geomface.cli.options import OPTIONAL, CommonOptions, MaybeFile, require_options
from geomface.cli.recognise.embedder_file import embedder_id, embedder_path
from geomface.cli.run import Run
from geomface.ranges import BELOW_ONE, COUNT, NOT_NEGATIVE, SHARE

if TYPE_CHECKING:
    from geomface.gan.landmark_reenactment import (
        LandmarkReenactment,
        ReenactmentData,
        ReenactmentSettings,
    )

_NETWORKS = ("size", "width", "blocks", "condition")
"""Options that are settings of the networks, where given."""


@dataclasses.dataclass(frozen=True)
class TrainReenactmentOptions:
    """Train a generator that moves a face to landmarks, and that can be fed its own results.

    It learns from frames of one person under one light: sets of 'geomface synth faces --track N',
    videos and frame folders with landmark files (300VW as it lies); and from still pictures, which
    are turned, sheared and mirrored. Landmarks that are not given are found.
    """

    training: TrainOptions
    faces: Annotated[tuple[Path, ...], OPTIONAL] = ()
    """Sets of 'geomface synth faces', or folders of pictures with or without landmark files."""
    videos: Annotated[tuple[Path, ...], OPTIONAL] = ()
    """Videos, folders of frames, or folders of either; each is one person."""
    every: int = 1
    """Take each n-th frame of a video or track."""
    apart: int = 0
    """Frames of a triplet are further apart than this many moments; 50 for videos of 25 a second,
    as in the released code."""
    per_frame: int = 4
    """Triplets that begin at a frame."""
    unpaired: float = 0.5
    """Share of the batches that are of still pictures, where there are some."""
    held_out: float = 0.1
    """Share of the people who are only measured on."""
    size: RecipeNumber = None
    """Pixels a side of the crops, a multiple of 4 from 16."""
    width: RecipeNumber = None
    """Channels of the networks' first layers."""
    blocks: RecipeNumber = None
    """Residual blocks of the generator."""
    condition: Annotated[
        Literal["heatmaps", "contours"] | None,
        tyro.conf.arg(help_behavior_hint="(default: the recipe's)"),
    ] = None
    """What tells the target: a Gaussian a landmark, or their lines in three channels."""
    warp: Annotated[
        Literal["yes", "no"] | None, tyro.conf.arg(help_behavior_hint="(default: the recipe's)")
    ] = None
    """Show the generator its input as the landmarks move it, which short trainings need; no is as
    in the paper."""
    batch: RecipeNumber = None
    """Triplets a step."""
    embedder: MaybeFile = None
    """Embedder of the loss of identity; the recipe paper takes the one that ships, the others leave
    the loss out without."""
    vgg: MaybeFile = None
    """VGG-16 or VGG-19 of torchvision as safetensors, of the perceptual loss; without, there is
    none."""
    recipe: Literal["tiny", "cpu", "paper"] = "cpu"
    """tiny takes seconds, cpu is for 32 to 64 px on a few cores, paper for 128 px and a day on a
    GPU."""
    arm: Literal[
        "both", "self", "triple", "none", "printed-hinge", "no-adversary", "no-mask", "no-warp"
    ] = "both"
    """What is left out or changed; all but both are there to be compared with."""
    weights: Annotated[
        Literal["paper", "code", "balanced"] | None,
        tyro.conf.arg(help_behavior_hint="(default: the recipe's)"),
    ] = None
    """Whose weights of the losses: the paper's, of squares; the code's, of absolute values; or
    balanced ones, of absolute values, with a weaker way back."""
    consistency: Annotated[
        tuple[float, float] | None,
        tyro.conf.arg(metavar="FROM FULL", help_behavior_hint="(default: the recipe's)"),
    ] = None
    """Shares of the training from which self and triple loss count, and count in full; 0 0 is as
    published."""
    common: CommonOptions = CommonOptions()

    def __post_init__(self) -> None:
        given = {
            name: COUNT
            for name in ("size", "width", "blocks", "batch")
            if getattr(self, name) is not None
        }
        require_options(
            self,
            every=COUNT,
            apart=NOT_NEGATIVE,
            per_frame=COUNT,
            unpaired=SHARE,
            held_out=BELOW_ONE,
            **given,
        )


def run_train(options: TrainReenactmentOptions, run: Run) -> int:
    """Read the frames, train, say how it ended."""
    from geomface.gan.landmark_reenactment import SYSTEM

    settings = train_settings(options)
    inputs: dict[str, Any] = {
        name: getattr(options, name) for name in ("every", "apart", "per_frame", "held_out")
    }
    if settings.weights.identity:
        inputs["embedder"] = embedder_id(embedder_path(options.embedder))
    if options.vgg is not None:
        inputs["vgg"] = embedder_id(options.vgg)
    if run.common.dry_run:
        _prepared(options, settings, run)
    places = ", ".join(map(str, (*options.faces, *options.videos)))
    training = Training(
        SYSTEM,
        settings,
        f"{settings.networks.size} px on {places}",
        lambda: _prepared(options, settings, run),
        inputs=inputs,
        data=places,
    )
    return run_training_command(training, options.training, run)


def train_settings(options: TrainReenactmentOptions) -> "ReenactmentSettings":
    """Return the recipe with the options' changes; losses that lack their network count nothing."""
    from geomface.gan.landmark_reenactment import recipe

    change = dataclasses.replace
    settings = recipe(
        options.recipe, arm=options.arm, weights=options.weights, seed=options.common.seed
    )
    given = {name: getattr(options, name) for name in _NETWORKS}
    given["discriminator_width"] = options.width
    given["warp"] = None if options.warp is None else options.warp == "yes"
    networks = {name: value for name, value in given.items() if value is not None}
    weights = settings.weights
    if options.embedder is None and options.recipe != "paper":
        weights = change(weights, identity=0.0)
    if options.vgg is None:
        weights = change(weights, perceptual=0.0)
    if options.consistency is not None:
        begins, full = options.consistency
        settings = change(settings, consistency_begins=begins, consistency_full=full)
    settings = change(
        settings,
        networks=change(settings.networks, **networks),
        weights=weights,
        batch=options.batch or settings.batch,
        unpaired=options.unpaired,
    )
    return apply_options(settings, options.training, options.common)


def _prepared(
    options: TrainReenactmentOptions, settings: "ReenactmentSettings", run: Run
) -> "tuple[Callable[[], LandmarkReenactment], dict[str, Any]]":
    """Return what makes the task, and what the report tells of its data."""
    from geomface.gan.landmark_reenactment import LandmarkReenactment
    from geomface.gan.landmark_reenactment.one_person import mixed_groups
    from geomface.learning import load_vgg
    from geomface.recognition import load_embedder

    data = _read(options, settings, run)
    embedder = features = None
    if settings.weights.identity:
        embedder = load_embedder(embedder_path(options.embedder))
        with run.stage("people"):
            run.add_notes(mixed_groups(data.shown.frames, embedder))
    if options.vgg is not None:
        features = load_vgg(options.vgg)
    frames = data.shown.frames
    told = {
        "frames": len(frames),
        "people": len(set(frames.people.tolist())),
        "triplets": data.paired,
        "stills": data.stills,
        "held_out_triplets": 0 if data.held_out is None else len(data.held_out),
    }
    return lambda: LandmarkReenactment(settings, data, embedder, features), told


def _read(
    options: TrainReenactmentOptions, settings: "ReenactmentSettings", run: Run
) -> "ReenactmentData":
    from geomface.cli.learned.landmark_reenactment.frames import read_frames
    from geomface.gan.landmark_reenactment import prepare_data
    from geomface.gan.landmark_reenactment.crops import MARGIN

    frames = read_frames(
        options.faces, options.videos, settings.networks.size, MARGIN, run, every=options.every
    )
    data = prepare_data(
        frames,
        held_out=options.held_out,
        per_frame=options.per_frame,
        apart=options.apart,
        seed=settings.seed,
    )
    for note in data.notes:
        run.note(note)
    return data
