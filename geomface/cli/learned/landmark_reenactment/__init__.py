"""The commands of faces that follow landmarks."""

from geomface.cli.command import Command
from geomface.cli.learned.landmark_reenactment.evaluate import (
    EvaluateReenactmentOptions,
    run_evaluate,
)
from geomface.cli.learned.landmark_reenactment.sample import SampleReenactmentOptions, run_sample
from geomface.cli.learned.landmark_reenactment.train import TrainReenactmentOptions, run_train

COMMANDS = {
    "train": Command(TrainReenactmentOptions, run_train),
    "sample": Command(SampleReenactmentOptions, run_sample),
    "evaluate": Command(EvaluateReenactmentOptions, run_evaluate),
}
