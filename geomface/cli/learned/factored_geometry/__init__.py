"""The factored geometry GAN's commands."""

from geomface.cli.command import Command
from geomface.cli.learned.factored_geometry.edit import EditFactoredOptions, run_edit
from geomface.cli.learned.factored_geometry.evaluate import (
    EvaluateFactoredOptions,
    run_evaluate,
)
from geomface.cli.learned.factored_geometry.fit import FitFactoredOptions, run_fit
from geomface.cli.learned.factored_geometry.sample import SampleFactoredOptions, run_sample
from geomface.cli.learned.factored_geometry.train import TrainFactoredOptions, run_train

COMMANDS = {
    "train": Command(TrainFactoredOptions, run_train),
    "sample": Command(SampleFactoredOptions, run_sample),
    "evaluate": Command(EvaluateFactoredOptions, run_evaluate),
    "fit": Command(FitFactoredOptions, run_fit),
    "edit": Command(EditFactoredOptions, run_edit),
}
