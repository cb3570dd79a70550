"""`geomface recognise`: who is in pictures of faces."""

from geomface.cli.command import Command, CommandGroup
from geomface.cli.recognise.align import RecogniseAlignOptions, run_align
from geomface.cli.recognise.compare import RecogniseCompareOptions, run_compare
from geomface.cli.recognise.embed import RecogniseEmbedOptions, run_embed
from geomface.cli.recognise.evaluate import RecogniseEvaluateOptions, run_evaluate
from geomface.cli.recognise.train import RecogniseTrainOptions, run_train

GROUP = CommandGroup(
    "recognise",
    "Who is in pictures of faces: align them, describe them, measure how well they are told apart.",
    {
        "align": Command(RecogniseAlignOptions, run_align),
        "embed": Command(RecogniseEmbedOptions, run_embed),
        "compare": Command(RecogniseCompareOptions, run_compare),
        "train": Command(RecogniseTrainOptions, run_train),
        "evaluate": Command(RecogniseEvaluateOptions, run_evaluate),
    },
)
