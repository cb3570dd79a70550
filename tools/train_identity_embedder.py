"""Make assets/identity, see its card: python tools/train_identity_embedder.py --out RUN."""

import dataclasses
import sys
from typing import Literal

from training_tool import drawing_progress, main, train_asset

from geomface.cli.learned.frame import Training, TrainOptions, apply_options
from geomface.cli.options import CommonOptions, MaybeFile
from geomface.cli.run import Run


@dataclasses.dataclass(frozen=True)
class EmbedderOptions:
    """Train the identity embedder on pictures of people who do not exist.

    Renders the pictures, trains the network and writes its file. What was rendered is kept in RUN;
    the same command goes on where it stopped.
    """

    training: TrainOptions
    recipe: Literal["tiny", "cpu", "full"] = "full"
    """tiny takes seconds, cpu some minutes, full twenty."""
    asset: MaybeFile = None
    """Write the finished embedder to this file."""
    common: CommonOptions = CommonOptions()


def run(options: EmbedderOptions, run: Run) -> int:
    """Render, train, and write the asset."""
    from geomface.recognition.embedder.weights import save_embedder
    from geomface.recognition.frontal_training.recipe import identity_recipe
    from geomface.recognition.frontal_training.run import draw_identity_sets, trained_embedder
    from geomface.recognition.frontal_training.task import SYSTEM, IdentityTask

    settings = dataclasses.replace(identity_recipe(options.recipe), seed=options.common.seed)
    settings = apply_options(settings, options.training, options.common)
    out, drawing = options.training.out, settings.drawing
    config = {"people": drawing.people, "samples": drawing.samples, "preset": "plain"}

    def prepare():
        sets = draw_identity_sets(settings, out, on_progress=drawing_progress(run))
        return lambda: IdentityTask(settings, *sets), {"people": drawing.people}

    return train_asset(
        Training(SYSTEM, settings, f"on pictures of {drawing.people} people", prepare),
        options.training,
        run,
        options.asset,
        lambda path: save_embedder(path, trained_embedder(out), {**config, "training": settings}),
    )


if __name__ == "__main__":
    sys.exit(main(EmbedderOptions, run))
