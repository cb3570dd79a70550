"""`geomface train SYSTEM`: Train a generative system into a run directory, one verb a system."""

from geomface.cli.command import Command, CommandGroup
from geomface.cli.learned.texture_train import TrainTextureOptions, run_train

GROUP = CommandGroup(
    "train",
    "Train a generative system into a run directory.",
    {"progressive_texture": Command(TrainTextureOptions, run_train)},
)
