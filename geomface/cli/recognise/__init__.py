"""`geomface recognise`: who is in pictures of faces."""

from geomface.cli.command import Command, CommandGroup
from geomface.cli.recognise.align import RecogniseAlignOptions, run_align

GROUP = CommandGroup(
    "recognise",
    "Who is in pictures of faces: align them, describe them.",
    {"align": Command(RecogniseAlignOptions, run_align)},
)
