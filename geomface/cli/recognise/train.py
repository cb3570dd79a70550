"""`geomface recognise train`: an embedder of aligned faces into a run directory."""

import dataclasses
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import tyro

from geomface.cli.learned.frame import (
    Training,
    TrainOptions,
    apply_options,
    run_training_command,
)
from geomface.cli.options import CommonOptions, Flag, MaybeFolder, require_options
from geomface.cli.run import Run
from geomface.errors import SettingsError
from geomface.ranges import BELOW_ONE, COUNT, NOT_NEGATIVE

if TYPE_CHECKING:
    from geomface.recognition.aligned.aligned_faces import AlignedFaces
    from geomface.recognition.training.settings import RecognitionSettings
    from geomface.recognition.training.task import RecognitionTask

EMBEDDER = "embedder.safetensors"
"""File of a run with the embedder for use."""
RecipeShare = Annotated[
    float | None, tyro.conf.arg(metavar="SHARE", help_behavior_hint="(default: the recipe's)")
]


@dataclasses.dataclass(frozen=True)
class RecogniseTrainOptions:
    """Train an embedder that tells people apart, from synthetic faces, photographs or both.

    It learns from sets of 'geomface recognise align', whose size the network takes over. Mixed
    people of synthetic sets are learned by their shares. Real people are further classes; batches
    of both are blended (domain mixup). At the end RUN/embedder.safetensors is written, for
    'geomface recognise embed', with the threshold measured on people that are held out.
    """

    training: TrainOptions
    faces: Annotated[tuple[Path, ...], tyro.conf.arg(metavar="DIR [DIR ...]")]
    """Sets of aligned faces; people of two sets are never the same."""
    real: MaybeFolder = None
    """Set of a few real people, aligned, to be mixed in."""
    recipe: Literal["tiny", "cpu", "paper"] = "cpu"
    """tiny takes seconds, cpu 10 minutes on two cores, paper days on a GPU."""
    network: Annotated[
        Literal["compact", "iresnet18", "lresnet50e_ir"] | None,
        tyro.conf.arg(
            metavar="{compact,iresnet18,lresnet50e_ir}",
            help_behavior_hint="(default: the recipe's)",
        ),
    ] = None
    """The embedding network."""
    people: Annotated[
        int | None, tyro.conf.arg(metavar="INT", help_behavior_hint="(default: all)")
    ] = None
    """People to learn from, the first ones of the sets."""
    no_domain_mixup: Flag = False
    """Show synthetic and real pictures side by side instead of blended."""
    synthetic_weight: Annotated[
        float | None,
        tyro.conf.arg(metavar="FLOAT", help_behavior_hint="(default: one softmax over all people)"),
    ] = None
    """Give the people of --faces a softmax of their own beside that of --real, with this weight,
    such as 0.5; pictures are shown side by side, and descriptors whitened by those of --real."""
    no_whitening: Flag = False
    """Leave the descriptors as the network gives them. Otherwise directions in which pictures of
    one person differ count less, as measured on the first 4,000 pictures of --faces: name the set
    first that is most like the pictures the embedder is for."""
    held_out: RecipeShare = None
    """Share of the people on whom verification is measured, chosen by a hash of their names."""
    common: CommonOptions = CommonOptions()

    def __post_init__(self) -> None:
        require_options(self, people=COUNT, held_out=BELOW_ONE, synthetic_weight=NOT_NEGATIVE)
        if self.synthetic_weight is not None and self.real is None:
            raise SettingsError(
                "--synthetic-weight: expected real people beside the synthetic ones of --faces, "
                "got none. Give --real, or leave the weight out."
            )


def run_train(options: RecogniseTrainOptions, run: Run) -> int:
    """Read the sets, train, write the embedder."""
    from geomface.recognition.aligned.aligned_faces import load_aligned
    from geomface.recognition.training.task import SYSTEM

    _require_other_folders(options)
    sets = [load_aligned(folder) for folder in options.faces]
    settings = _settings(options, sets[0])
    if run.common.dry_run:
        _prepared(options, settings, sets, run)
    data = ", ".join(map(str, options.faces))
    height, width = settings.network.height, settings.network.width
    training = Training(
        system=SYSTEM,
        settings=settings,
        plan=f"{settings.network.name} at {height}x{width} on {data}",
        prepare=lambda: _prepared(options, settings, sets, run),
        inputs={"people": options.people},
        data=data if options.real is None else f"{data}; real: {options.real}",
        finish=lambda: _write_embedder(options, settings, sets, run),
    )
    return run_training_command(training, options.training, run)


def _require_other_folders(options: RecogniseTrainOptions) -> None:
    """Refuse a set that is named twice: its people would be two people each."""
    folders = [*options.faces, *([] if options.real is None else [options.real])]
    seen: set[Path] = set()
    for folder in folders:
        if folder.resolve() in seen:
            raise SettingsError(
                f"{folder}: expected each set once in --faces and --real, got it twice. People of "
                "two sets are never taken for the same; name it once."
            )
        seen.add(folder.resolve())


def _settings(options: RecogniseTrainOptions, faces: "AlignedFaces") -> "RecognitionSettings":
    """Return the recipe with the options' changes, the network at the size of the set."""
    from geomface.recognition.networks.build import default_network
    from geomface.recognition.training.settings import recognition_recipe

    settings = recognition_recipe(options.recipe)
    network = settings.network if options.network is None else default_network(options.network)
    alignment = faces.alignment
    network = dataclasses.replace(network, height=alignment.height, width=alignment.width)
    changes: dict[str, Any] = {"network": network, "seed": options.common.seed}
    if options.no_domain_mixup or options.synthetic_weight is not None:
        changes["domain_mixup"] = None
    changes["synthetic_weight"] = options.synthetic_weight
    if options.held_out is not None:
        changes["held_out"] = options.held_out
    settings = dataclasses.replace(settings, **changes)
    return apply_options(settings, options.training, options.common)


def _divided(
    options: RecogniseTrainOptions, settings: "RecognitionSettings", sets: "list[AlignedFaces]"
) -> "tuple[AlignedFaces, AlignedFaces | None]":
    """Return the faces to learn from and those held out."""
    from geomface.recognition.training.people import first_people, gather_faces, split_people

    faces, held_out = split_people(
        gather_faces(sets, [str(folder) for folder in options.faces]), settings.held_out
    )
    return (faces if options.people is None else first_people(faces, options.people)), held_out


def _prepared(
    options: RecogniseTrainOptions,
    settings: "RecognitionSettings",
    sets: "list[AlignedFaces]",
    run: Run,
) -> "tuple[Callable[[], RecognitionTask], Mapping[str, Any]]":
    """Return what makes the task, and what the report tells of its data."""
    from geomface.recognition.aligned.aligned_faces import load_aligned
    from geomface.recognition.training.people import gather_faces, people_with_one, require_people
    from geomface.recognition.training.statistics import ENOUGH
    from geomface.recognition.training.task import RecognitionTask

    faces, held_out = _divided(options, settings, sets)
    real, every = None, list(sets)
    if options.real is not None:
        own = load_aligned(options.real)
        gather_faces([sets[0], own], [str(options.faces[0]), str(options.real)])  # one alignment
        real = gather_faces([own], [str(options.real)])
        every.append(own)
        if len(own) < ENOUGH:
            run.note(
                f"{len(own)} real pictures are too few to tell how such pictures are spread (from "
                f"{ENOUGH} on): the normalisations of the embedder keep the statistics of its "
                "training."
            )
    require_people(faces, real)
    if unknown := sum(int((each.people.classes[:, 0] < 0).sum()) for each in every):
        run.note(
            f"{unknown} of {sum(map(len, every))} pictures do not say who it is: nothing is "
            "learned from them."
        )
    if alone := people_with_one(faces):
        run.note(
            f"{alone} of {len(faces.people.names)} people have one picture: they are told from "
            "others, but nothing shows how their own pictures differ."
        )
    if held_out is None:
        run.note(
            f"No two people with several pictures are held out (a share of {settings.held_out:g} "
            f"of {len(faces.people.names)} people): nothing is measured on the way, and the "
            "embedder has no threshold. Give more people, or a larger --held-out."
        )
    told = {
        "pictures": len(faces),
        "people": len(faces.people.names),
        "held_out_people": 0 if held_out is None else len(held_out.people.names),
        "real_people": 0 if real is None else len(real.people.names),
        "alignment": faces.alignment.id,
    }
    return lambda: RecognitionTask(settings, faces, real, held_out), told


def _write_embedder(
    options: RecogniseTrainOptions,
    settings: "RecognitionSettings",
    sets: "list[AlignedFaces]",
    run: Run,
) -> dict[str, Any]:
    """Write the embedder of the newest checkpoint beside it, and return where."""
    from geomface.recognition.aligned.aligned_faces import load_aligned
    from geomface.recognition.embedder.face_embedder import save_embedder
    from geomface.recognition.training.export import trained_embedder

    faces, held_out = _divided(options, settings, sets)
    card = {"recipe": options.recipe, "seed": settings.seed}
    path = options.training.out / EMBEDDER
    real = None if options.real is None else load_aligned(options.real)
    known = [faces]
    if real is not None:
        # Two softmaxes are for an embedder of such people as the real ones.
        known = [real] if settings.synthetic_weight is not None else [faces, real]
    embedder = trained_embedder(
        options.training.out,
        held_out,
        card,
        photographs=real,
        whiten_by=[] if options.no_whitening else known,
    )
    save_embedder(path, embedder)
    if embedder.whitening is None and not options.no_whitening:
        run.note(
            "The descriptors stay as the network gives them: there are too few pictures beyond the "
            "first of each person to whiten "
            f"{embedder.network.descriptor_size} numbers by."
        )
    run.say(f"{path}: the embedder, for 'geomface recognise embed --embedder'")
    return {"embedder": path}
