"""`geomface sample render_to_photo`: photographs of a set of renders."""

import dataclasses
from pathlib import Path
from typing import Annotated

import tyro

from geomface.cli.batch import execute
from geomface.cli.learned.trained_file import SHIPPED, RunOrShipped, trained_path
from geomface.cli.options import CommonOptions, ExecutorOptions, Flag, require_options
from geomface.cli.recognise.embedder_file import EmbedderFile
from geomface.cli.run import Run
from geomface.ranges import COUNT, POSITIVE

Limit = Annotated[
    float | None, tyro.conf.arg(metavar="FLOAT", help_behavior_hint="(default: keep all)")
]


@dataclasses.dataclass(frozen=True)
class SampleTranslationOptions:
    """Photographs of the people of a set of 'geomface synth faces', as a set of aligned faces.

    The result is ready for 'geomface recognise train' and 'embed'. People keep their numbers, and
    pictures the names by which the set tells the coefficients of their people. The row of each
    picture has its landmarks, pose, expression, light and camera, and says what it is worth:
    realism, how badly the judge of photographs draws it again; cycle, how far what it is led back
    to is from the render (both mean differences of colours in [-1, 1]); and identity, the cosine of
    its descriptor and the render's. The same command again goes on where it stopped.
    """

    set: Annotated[Path, tyro.conf.arg(metavar="SYNTH")]
    """Renders: a set of 'geomface synth faces' with the preset plain, in files or shards."""
    out: Annotated[Path, tyro.conf.arg(metavar="DIR")]
    """Folder of the photographs; it is created."""
    run: RunOrShipped = SHIPPED
    """Run directory, checkpoint or model file."""
    realism: Limit = None
    """Leave out pictures whose realism error is larger."""
    cycle: Limit = None
    """Leave out pictures whose cycle error is larger."""
    identity: Limit = None
    """Leave out pictures whose cosine to the render is smaller."""
    embedder: EmbedderFile = None
    """Embedder that tells the cosine; another one than the training's tells more."""
    workers: int = 1
    """Number of worker processes; the bytes do not depend on it."""
    part_pictures: Annotated[
        int | None, tyro.conf.arg(metavar="N", help_behavior_hint="(default: 64, in shards 512)")
    ] = None
    """Pictures a part or shard; parts are what workers make and what is resumed."""
    shards: Flag = False
    """Also write tar shards for WebDataset, with index.json; labels travel with the pictures."""
    executor: ExecutorOptions = ExecutorOptions()
    common: CommonOptions = CommonOptions()

    def __post_init__(self) -> None:
        require_options(
            self,
            realism=POSITIVE,
            cycle=POSITIVE,
            identity="(-1, 1]",
            workers=COUNT,
            part_pictures=COUNT,
        )


def run_sample(options: SampleTranslationOptions, run: Run) -> int:
    """Plan, and translate unless it is a dry run."""
    from geomface.gan.render_to_photo.sampling import ASSET
    from geomface.pipeline.translated_sets import TranslatedSetSettings, translated_job

    run.require_cpu()
    settings = TranslatedSetSettings(
        trained_path(options.run, ASSET),
        options.set,
        options.out,
        options.common.seed,
        options.realism,
        options.cycle,
        options.identity,
        options.embedder,
        options.workers,
        options.part_pictures,
        options.shards,
    )
    names = {"done": "pictures", "made": "translated"}
    return execute(translated_job(settings), run, options.executor, names, items=False)
