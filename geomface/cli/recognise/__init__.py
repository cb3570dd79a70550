"""`geomface recognise`: who is in pictures of faces."""

from geomface.cli.command import Command, CommandGroup
from geomface.cli.recognise.align import RecogniseAlignOptions, run_align
from geomface.cli.recognise.evaluate import RecogniseEvaluateOptions, run_evaluate

GROUP = CommandGroup(
    "recognise",
    "Who is in pictures of faces: align them, describe them, measure how well they are told apart.",
    {
        "align": Command(RecogniseAlignOptions, run_align),
        "evaluate": Command(RecogniseEvaluateOptions, run_evaluate),
    },
)
