"""Make assets/photograph_landmarks: python tools/train_photograph_detector.py --out RUN ...

Needs sets of `geomface synth faces --preset photo`; the card names the commands.
"""

import dataclasses
import sys
from pathlib import Path
from typing import Annotated, Literal

import tyro
from training_tool import drawing_progress, main, train_asset

from geomface.cli.learned.frame import Training, TrainOptions, apply_options
from geomface.cli.options import CommonOptions, MaybeFile
from geomface.cli.run import Run

Folders = Annotated[tuple[Path, ...], tyro.conf.arg(metavar="DIR")]


@dataclasses.dataclass(frozen=True)
class PhotographOptions:
    """Train the detector of faces and their landmarks in photographs on synthetic faces.

    Packs the sets, draws pictures without faces, trains finder and landmark network, calibrates
    the uncertainties and writes the detector's file. The same command goes on where it stopped.
    """

    training: TrainOptions
    faces: Folders
    """Sets of 'geomface synth faces' to learn from."""
    held_out: Folders
    """Sets of other people (another --seed), which errors are measured on."""
    recipe: Literal["tiny", "short", "refine", "cpu", "full"] = "cpu"
    """tiny takes seconds, short ten minutes, refine (of --init-from) five, cpu half an hour, full
    some hours."""
    asset: MaybeFile = None
    """Write the finished detector to this file."""
    common: CommonOptions = CommonOptions()


def run(options: PhotographOptions, run: Run) -> int:
    """Pack, draw, train, and write the asset."""
    from geomface.datasets.labelled_pictures import load_synthetic
    from geomface.landmarks.photographs.training.recipe import photograph_recipe
    from geomface.landmarks.photographs.training.run import prepare_sets, trained_weights
    from geomface.landmarks.photographs.training.task import SYSTEM, PhotographTask
    from geomface.landmarks.photographs.weights import save_weights

    settings = photograph_recipe(options.recipe)
    settings = dataclasses.replace(settings, seed=options.common.seed)
    settings = apply_options(settings, options.training, options.common)
    out = options.training.out
    faces = [load_synthetic(folder) for folder in options.faces]
    held_out = [load_synthetic(folder) for folder in options.held_out]
    config = {"recipe": options.recipe, "settings": settings}

    def packed():
        return prepare_sets(settings, out, faces, held_out, on_progress=drawing_progress(run))

    def prepare():
        sets = packed()
        return lambda: PhotographTask(settings, *sets), {"faces": len(sets[0])}

    count = sum(len(item) for item in faces)
    return train_asset(
        Training(SYSTEM, settings, f"on {count} synthetic faces", prepare),
        options.training,
        run,
        options.asset,
        lambda path: save_weights(path, trained_weights(out, packed()[2]), config),
    )


if __name__ == "__main__":
    sys.exit(main(PhotographOptions, run))
