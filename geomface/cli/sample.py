"""`geomface sample SYSTEM`: Draw from a trained system, one verb a system."""

from geomface.cli.command import Command, CommandGroup
from geomface.cli.learned.texture_sample import SampleTextureOptions, run_sample

GROUP = CommandGroup(
    "sample",
    "Draw from a trained system.",
    {"progressive_texture": Command(SampleTextureOptions, run_sample)},
)
