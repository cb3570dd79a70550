"""`geomface recognise`: who is in pictures of faces."""

from geomface.cli.command import Command, CommandGroup
from geomface.cli.recognise.align import RecogniseAlignOptions, run_align
from geomface.cli.recognise.compare import RecogniseCompareOptions, run_compare
from geomface.cli.recognise.embed import RecogniseEmbedOptions, run_embed
from geomface.cli.recognise.evaluate import RecogniseEvaluateOptions, run_evaluate
from geomface.cli.recognise.train import RecogniseTrainOptions, run_train

GROUP = CommandGroup(
    "recognise",
    "Who is in pictures of faces: align, train, describe, measure, compare.",
    {
        "align": Command(RecogniseAlignOptions, run_align),
        "train": Command(RecogniseTrainOptions, run_train),
        "embed": Command(RecogniseEmbedOptions, run_embed),
        "evaluate": Command(RecogniseEvaluateOptions, run_evaluate),
        "compare": Command(RecogniseCompareOptions, run_compare),
    },
)
