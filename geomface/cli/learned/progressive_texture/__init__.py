"""The texture GAN's commands."""

from geomface.cli.command import Command
from geomface.cli.learned.progressive_texture.evaluate import EvaluateTextureOptions, run_evaluate
from geomface.cli.learned.progressive_texture.sample import SampleTextureOptions, run_sample
from geomface.cli.learned.progressive_texture.train import TrainTextureOptions, run_train

COMMANDS = {
    "train": Command(TrainTextureOptions, run_train),
    "sample": Command(SampleTextureOptions, run_sample),
    "evaluate": Command(EvaluateTextureOptions, run_evaluate),
}
