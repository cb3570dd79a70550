"""`geomface evaluate SYSTEM`: Measure a trained system, one verb a system."""

from geomface.cli.command import Command, CommandGroup
from geomface.cli.learned.texture_evaluate import EvaluateTextureOptions, run_evaluate

GROUP = CommandGroup(
    "evaluate",
    "Measure a trained system.",
    {"progressive_texture": Command(EvaluateTextureOptions, run_evaluate)},
)
