"""`geomface train render_to_photo`: train the translation of renders into a run directory."""

import dataclasses
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import tyro

from geomface.cli.learned.frame import (
    Training,
    TrainOptions,
    apply_options,
    run_training_command,
)
from geomface.cli.options import CommonOptions, Folder, require_options
from geomface.cli.recognise.embedder_file import EmbedderFile, embedder_path
from geomface.cli.run import Run
from geomface.errors import SettingsError
from geomface.ranges import BELOW_ONE, COUNT

if TYPE_CHECKING:
    from geomface.gan.render_to_photo import RenderToPhoto, TranslationData, TranslationSettings
    from geomface.recognition import AlignedFaces, FaceEmbedder

WIDTHS = ("width", "discriminator_width")
Width = Annotated[
    int | None, tyro.conf.arg(metavar="INT", help_behavior_hint="(default: the recipe's)")
]


@dataclasses.dataclass(frozen=True)
class TrainTranslationOptions:
    """Train a translation of renders of people who do not exist into photographs of them.

    It learns from sets of 'geomface recognise align' of one square size, which the networks take
    over, a multiple of 4 px such as --size 64x64: renders of 'geomface synth faces --outputs rgb
    alpha', aligned with --masks; photographs of anybody; and some pairs, a hundred are enough to
    begin with, of a render and a photograph of the same face in the same place. Pairs are sets of
    'synth faces' with the presets plain and photo and one seed, or photographs of your own and what
    'geomface model fit-image --renders' draws of them.
    """

    training: TrainOptions
    renders: Folder
    """Aligned set of renders with masks; its people are kept apart."""
    photographs: Folder
    """Aligned set of photographs; who is in them does not count."""
    pairs: Annotated[
        tuple[Path, Path] | None,
        tyro.conf.arg(metavar="RENDERS PHOTOGRAPHS", help_behavior_hint="(required by most arms)"),
    ] = None
    """Two aligned sets whose pictures of one name belong together; the arms no-pairs, no-cycle and
    cyclegan need none."""
    width: Width = None
    """Channels of the translators' first layer."""
    discriminator_width: Width = None
    """Channels of the autoencoders' first layer, which judge the pictures."""
    held_out: float = 0.1
    """Share of the pairs that is only measured on (evaluations.jsonl), chosen by a hash of their
    names."""
    embedder: EmbedderFile = None
    """Embedder that tells who it is; it is not trained."""
    recipe: Literal["tiny", "cpu", "paper"] = "cpu"
    """tiny takes seconds, cpu is for 32 to 64 px on a few cores, paper for 108 px and a day on a
    GPU."""
    arm: Literal[
        "full", "no-pairs", "no-identity", "no-cycle", "cyclegan", "reconstruction", "hard"
    ] = "full"
    """What is left out or added; all but full are there to be compared with."""
    variant: Literal["corrected", "paper", "released"] = "corrected"
    """Whose losses, where print and code differ."""
    common: CommonOptions = CommonOptions()

    def __post_init__(self) -> None:
        given = [name for name in WIDTHS if getattr(self, name) is not None]
        require_options(self, held_out=BELOW_ONE, **dict.fromkeys(given, COUNT))


def run_train(options: TrainTranslationOptions, run: Run) -> int:
    """Read the sets, train, say how it ended."""
    from geomface.cli.recognise.embedder_file import embedder_id
    from geomface.gan.render_to_photo import SYSTEM
    from geomface.recognition import load_aligned

    renders = load_aligned(options.renders)
    settings = train_settings(options, renders)
    inputs: dict[str, Any] = {"held_out": options.held_out}
    if settings.weights.identity:
        inputs["embedder"] = embedder_id(embedder_path(options.embedder))
    elif options.embedder is not None:
        raise SettingsError(
            f"--embedder {options.embedder}: the arm {options.arm} has no loss of identity. Leave "
            "it out."
        )
    if run.common.dry_run:
        _prepared(options, settings, renders, run)
    places = (options.renders, options.photographs, *(options.pairs or ()))
    training = Training(
        SYSTEM,
        settings,
        f"{settings.networks.size} px from {options.renders} to {options.photographs}",
        lambda: _prepared(options, settings, renders, run),
        inputs=inputs,
        data=", ".join(map(str, places)),
    )
    return run_training_command(training, options.training, run)


def train_settings(
    options: TrainTranslationOptions, renders: "AlignedFaces"
) -> "TranslationSettings":
    """Return the recipe with the options' changes, the networks at the size of the set."""
    from geomface.gan.render_to_photo import recipe

    settings = recipe(
        options.recipe, arm=options.arm, variant=options.variant, seed=options.common.seed
    )
    if options.pairs is None and settings.weights.pairs + settings.weights.reconstruction:
        raise SettingsError(
            f"--pairs: expected two sets for the arm {options.arm}, got none. Give them, or --arm "
            "no-pairs."
        )
    widths = {name: getattr(options, name) for name in WIDTHS if getattr(options, name) is not None}
    networks = dataclasses.replace(settings.networks, size=renders.alignment.height, **widths)
    loop = settings.loop
    if options.pairs is not None and options.held_out:
        loop = dataclasses.replace(loop, evaluate_every=loop.sample_every)
    settings = dataclasses.replace(settings, networks=networks, loop=loop)
    return apply_options(settings, options.training, options.common)


def _prepared(
    options: TrainTranslationOptions,
    settings: "TranslationSettings",
    renders: "AlignedFaces",
    run: Run,
) -> "tuple[Callable[[], RenderToPhoto], dict[str, Any]]":
    """Return what makes the task, and what the report tells of its data."""
    from geomface.gan.render_to_photo import RenderToPhoto, require_data
    from geomface.recognition import load_embedder

    data = _read(options, renders)
    for note in renders.notes:
        run.note(f"{options.renders}: {note}")
    if data.pairs is not None and data.held_out is None and options.held_out:
        run.note(
            f"--held-out {options.held_out:g} of {len(data.pairs)} pairs is none: nothing is "
            "measured on the way. Give more pairs, or a larger --held-out."
        )
    embedder: FaceEmbedder | None = None
    if settings.weights.identity:
        embedder = load_embedder(embedder_path(options.embedder))
    require_data(settings, data, embedder)
    told = {
        "renders": len(data.renders),
        "people": data.people,
        "photographs": len(data.photographs),
        "pairs": 0 if data.pairs is None else len(data.pairs),
        "held_out_pairs": 0 if data.held_out is None else len(data.held_out),
        "alignment": data.alignment.id,
    }
    return lambda: RenderToPhoto(settings, data, embedder), told


def _read(options: TrainTranslationOptions, renders: "AlignedFaces") -> "TranslationData":
    from geomface.gan.render_to_photo import pair_faces, read_streams
    from geomface.recognition import load_aligned

    pairs = None
    if options.pairs is not None:
        pairs = pair_faces(*map(load_aligned, options.pairs))
    photographs = load_aligned(options.photographs)
    return read_streams(renders, photographs, pairs, held_out=options.held_out)
