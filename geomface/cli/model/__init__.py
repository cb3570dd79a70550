"""`geomface model`: statistical face models: fit, sample, measure, fit to data, move between tools.

One module a group of verbs.
"""

from geomface.cli.command import Command, CommandGroup
from geomface.cli.model.build import ModelFitOptions, run_fit
from geomface.cli.model.files import (
    ModelConvertOptions,
    ModelExportOptions,
    run_convert,
    run_export,
)
from geomface.cli.model.fitting import (
    ModelFitLandmarksOptions,
    ModelFitScanOptions,
    run_fit_landmarks,
    run_fit_scan,
)
from geomface.cli.model.measure import ModelEvaluateOptions, run_evaluate
from geomface.cli.model.pairs import ModelPairsOptions, run_pairs
from geomface.cli.model.pictures import ModelFitImageOptions, run_fit_image
from geomface.cli.model.show import ModelShowOptions, run_show
from geomface.cli.model.use import (
    ModelProjectOptions,
    ModelSampleOptions,
    run_project,
    run_sample,
)

GROUP = CommandGroup(
    "model",
    "Statistical face models: build, use, measure, fit, convert.",
    {
        "fit": Command(ModelFitOptions, run_fit),
        "sample": Command(ModelSampleOptions, run_sample),
        "project": Command(ModelProjectOptions, run_project),
        "show": Command(ModelShowOptions, run_show),
        "evaluate": Command(ModelEvaluateOptions, run_evaluate),
        "pairs": Command(ModelPairsOptions, run_pairs),
        "fit-scan": Command(ModelFitScanOptions, run_fit_scan),
        "fit-landmarks": Command(ModelFitLandmarksOptions, run_fit_landmarks),
        "fit-image": Command(ModelFitImageOptions, run_fit_image),
        "convert": Command(ModelConvertOptions, run_convert),
        "export": Command(ModelExportOptions, run_export),
    },
)
