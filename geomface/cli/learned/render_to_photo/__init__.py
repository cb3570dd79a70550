"""The commands of the translation of renders."""

from geomface.cli.command import Command
from geomface.cli.learned.render_to_photo.evaluate import (
    EvaluateTranslationOptions,
    run_evaluate,
)
from geomface.cli.learned.render_to_photo.sample import SampleTranslationOptions, run_sample
from geomface.cli.learned.render_to_photo.train import TrainTranslationOptions, run_train

COMMANDS = {
    "train": Command(TrainTranslationOptions, run_train),
    "sample": Command(SampleTranslationOptions, run_sample),
    "evaluate": Command(EvaluateTranslationOptions, run_evaluate),
}
