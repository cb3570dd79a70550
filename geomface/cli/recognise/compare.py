"""`geomface recognise compare`: how alike two faces are, and what that means."""

import dataclasses
from pathlib import Path
from typing import Annotated

import tyro

from geomface.cli.inputs import require_output
from geomface.cli.options import CommonOptions, MaybeFile, MaybeFolder
from geomface.cli.recognise.embedder_file import EmbedderFile, embedder_path
from geomface.cli.run import Run

Picture = Annotated[tyro.conf.Positional[Path], tyro.conf.arg(metavar="PICTURE")]


@dataclasses.dataclass(frozen=True)
class RecogniseCompareOptions:
    """How alike the faces of two pictures are, and where the thresholds of a protocol lie.

    The similarity is the cosine of the two descriptors. Thresholds are those that the embedder was
    measured with, or those of an evaluation on your own photographs, which tell more: they hold for
    faces photographed alike. Above a threshold two pictures are taken for one person.
    """

    first: Picture
    """A picture of a face; landmarks beside it are used, others are found."""
    second: Picture
    """The other picture."""
    embedder: EmbedderFile = None
    """The embedder's file."""
    evaluation: MaybeFolder = None
    """Folder that 'geomface recognise evaluate' wrote, whose thresholds are taken."""
    report: MaybeFile = None
    """JSON record."""
    common: CommonOptions = CommonOptions()


def run_compare(options: RecogniseCompareOptions, run: Run) -> int:
    """Read both faces, describe them, tell."""
    import numpy as np

    from geomface.datasets.photographs import load_photograph
    from geomface.files.reading import require_file
    from geomface.recognition.aligned.read_face import read_face
    from geomface.recognition.embedder.face_embedder import load_embedder
    from geomface.recognition.protocols.thresholds import (
        read_thresholds,
        same_by,
        threshold_title,
    )

    run.require_cpu()
    paths = options.first, options.second
    require_output(
        options.report, "--report", (".json",), (*paths, embedder_path(options.embedder))
    )
    for path in paths:
        require_file(path, "an image")
    photographs = [load_photograph(path) for path in paths]
    embedder = load_embedder(embedder_path(options.embedder))
    thresholds = dict(embedder.thresholds)
    if options.evaluation is not None:
        thresholds = read_thresholds(options.evaluation, alignment=embedder.alignment.id)
    if options.common.dry_run:
        return run.plan([f"compare the faces of {paths[0]} and {paths[1]}"])
    with run.stage("faces", "of both pictures"):
        faces = [read_face(photograph, embedder.alignment) for photograph in photographs]
        one, two = embedder.embed(np.stack([face.picture for face in faces]))
    similarity = float(np.clip(one @ two, -1.0, 1.0))
    answers = same_by(similarity, thresholds)
    if not thresholds:
        run.note(
            "No threshold is known for this embedder (its training measured none), so "
            "the similarity says little by itself. Measure one with 'geomface recognise evaluate' "
            "and give its folder as --evaluation."
        )
    figures = {"similarity": similarity, "thresholds": thresholds, "same": answers}
    run.finish(figures | {"landmarks": [face.landmarks for face in faces]}, options.report)
    run.say(f"similarity {similarity:.4f}")
    if thresholds:
        run.table(
            ("threshold at", "cosine", "taken for"),
            [
                (threshold_title(name), f"{value:.4f}", _verdict(answers[name]))
                for name, value in sorted(thresholds.items(), key=lambda item: item[1])
            ],
        )
    return 0


def _verdict(same: bool) -> str:
    return "one person" if same else "two people"
