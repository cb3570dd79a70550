"""`geomface synth pairs`: for a list of pairs, pictures of people who do not exist."""

import dataclasses
from typing import Annotated, Literal

import tyro

from geomface.cli.batch import execute
from geomface.cli.options import (
    CommonOptions,
    ExecutorOptions,
    Folder,
    MaybeFile,
    MaybeFolder,
    require_options,
)
from geomface.cli.run import Run
from geomface.cli.synth_faces import (
    CameraOptions,
    ExpressionOptions,
    IdentityOptions,
    LightOptions,
    ModelFile,
    PhotoOptions,
    PoseOptions,
    SynthFacesOptions,
    image_settings,
)
from geomface.errors import SettingsError
from geomface.ranges import COUNT, SHARE
from geomface.recognition.protocols.drawn_pairs import DrawnPairsSettings


@dataclasses.dataclass(frozen=True)
class SynthPairsOptions:
    """A synthetic test set for a list of pairs: Syn-LFW for LFW's, and with --mix Syn-LFW-R.

    For every picture of the list one is drawn; its person is somebody who does not exist, the same
    in all pictures of that person. Writes faces/PERSON/PICTURE.png and pairs.txt, the list, for
    'recognise evaluate OUT/faces --pairs OUT/pairs.txt', and manifest.jsonl with all parameters.
    Sets of one seed with and without --mix differ by the faces alone.
    """

    out: Folder
    """Folder of the set; it is created."""
    pairs: MaybeFile = None
    """The list: LFW's pairs.txt, or "s1/01.png s2/03.png 0" a line. Without it one is drawn, of
    --people with --samples pictures each."""
    fits: MaybeFolder = None
    """Results of 'model fit-image' of pictures of the list, each in a folder called as its picture:
    expression, light and pose are those that were found. Of the others they are drawn."""
    mix: Annotated[
        float | None, tyro.conf.arg(metavar="SHARE", help_behavior_hint="(default: no mixing)")
    ] = None
    """Share of the person in each picture; the rest is another person of the set, and the label
    stays (Syn-LFW-R)."""
    people: int = DrawnPairsSettings.people
    """Of a drawn list."""
    samples: int = DrawnPairsSettings.samples
    """Pictures a person of a drawn list."""
    folds: int = DrawnPairsSettings.folds
    """Of a drawn list; the people of a fold are in no other."""
    pairs_per_fold: int = DrawnPairsSettings.pairs
    """Pairs of one person, and as many of two, in each fold of a drawn list."""
    size: int = 227
    """Pixels a side."""
    preset: Literal["plain", "photo"] = "photo"
    """photo adds hair, skin detail, background, occluders and noise to plain."""
    model: ModelFile = None
    """Face model that the people are drawn from, and that was fitted."""
    workers: int = 1
    """Number of worker processes; the bytes do not depend on it."""
    identity: IdentityOptions = IdentityOptions()
    expression: ExpressionOptions = ExpressionOptions()
    pose: PoseOptions = PoseOptions()
    light: LightOptions = LightOptions()
    camera: CameraOptions = CameraOptions()
    photo: PhotoOptions = PhotoOptions()
    executor: ExecutorOptions = ExecutorOptions()
    common: CommonOptions = CommonOptions()

    def __post_init__(self) -> None:
        require_options(
            self,
            mix=SHARE,
            people=COUNT,
            samples=COUNT,
            folds=COUNT,
            pairs_per_fold=COUNT,
            size=COUNT,
            workers=COUNT,
        )


def run_synth_pairs(options: SynthPairsOptions, run: Run) -> int:
    """Plan, and draw the pictures unless it is a dry run."""
    from geomface.pipeline.pair_sets import FACES, PAIRS, PairSetSettings, pair_job

    run.require_cpu()
    identity, photo = options.identity, options.photo
    if options.mix is not None:
        if identity.identity_mixup is not None:
            raise SettingsError("--mix and --identity-mixup both mix people: give one of them.")
        identity = dataclasses.replace(
            identity, identity_mixup=str(options.mix), mixup_label="person"
        )
    if options.fits is not None and photo.light_rig == "auto":
        photo = dataclasses.replace(photo, light_rig="room")
    drawn = SynthFacesOptions(
        out=options.out,
        identities=2,  # of the list in the end
        samples=1,
        size=options.size,
        preset=options.preset,
        identity=identity,
        expression=options.expression,
        pose=options.pose,
        light=options.light,
        camera=options.camera,
        photo=photo,
        common=options.common,
    )
    wanted = DrawnPairsSettings()
    if options.pairs is None:
        wanted = DrawnPairsSettings(
            options.people, options.samples, options.folds, options.pairs_per_fold
        )
    settings = PairSetSettings(
        image_settings(drawn),
        options.out,
        options.pairs,
        wanted,
        options.fits,
        options.model,
        options.workers,
    )
    names = {"done": "pictures", "made": "drawn"}
    code = execute(pair_job(settings), run, options.executor, names, items=False)
    if not options.common.dry_run:
        run.say(
            f"geomface recognise evaluate {options.out / FACES} --pairs {options.out / PAIRS} "
            "--out DIR measures an embedder on it"
        )
    return code
