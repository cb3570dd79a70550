"""Make assets/landmarks, see its card: python tools/train_landmark_detector.py --out RUN."""

import dataclasses
import sys
from typing import Literal

from training_tool import drawing_progress, main, train_asset

from geomface.cli.learned.frame import Training, TrainOptions, apply_options
from geomface.cli.options import CommonOptions, MaybeFile
from geomface.cli.run import Run


@dataclasses.dataclass(frozen=True)
class DetectorOptions:
    """Train the landmark detector on views of people who do not exist.

    Draws the views, trains the network, learns the shape models and writes the detector's file.
    What was drawn is kept in RUN; the same command goes on where it stopped.
    """

    training: TrainOptions
    recipe: Literal["tiny", "cpu", "full"] = "full"
    """tiny takes seconds, cpu some minutes, full two hours."""
    ict: MaybeFile = None
    """ICT-FaceKit's face model (ict_face.npz); without it, the built-in face alone is learned."""
    asset: MaybeFile = None
    """Write the finished detector to this file."""
    common: CommonOptions = CommonOptions()


def run(options: DetectorOptions, run: Run) -> int:
    """Draw, train, and write the asset."""
    from geomface.faces.builtin import load_builtin_face
    from geomface.faces.ict import load_ict
    from geomface.landmarks.training.recipe import detector_recipe
    from geomface.landmarks.training.run import draw_detector_sets, trained_detector
    from geomface.landmarks.training.task import SYSTEM, DetectorTask
    from geomface.landmarks.weights import save_detector

    models = {"builtin": load_builtin_face()}
    if options.ict is not None:
        models["ict"] = load_ict(options.ict)
    settings = detector_recipe(options.recipe, ict="ict" in models)
    settings = dataclasses.replace(settings, seed=options.common.seed)
    settings = apply_options(settings, options.training, options.common)
    out, config = options.training.out, {"recipe": options.recipe, "settings": settings}

    def prepare():
        sets = draw_detector_sets(settings, out, models, on_progress=drawing_progress(run))
        return lambda: DetectorTask(settings, *sets), {"people": settings.drawing.people}

    return train_asset(
        Training(SYSTEM, settings, f"on views of {settings.drawing.people} people", prepare),
        options.training,
        run,
        options.asset,
        lambda path: save_detector(path, trained_detector(settings, out, models), config),
    )


if __name__ == "__main__":
    sys.exit(main(DetectorOptions, run))
