"""`geomface recognise align`: a set of aligned faces of a folder of pictures."""

import dataclasses
from typing import Annotated

import tyro

from geomface.cli.batch import execute
from geomface.cli.options import CommonOptions, ExecutorOptions, Flag, Folder, require_options
from geomface.cli.run import Run
from geomface.ranges import COUNT

Size = Annotated[str, tyro.conf.arg(metavar="HEIGHTxWIDTH")]


@dataclasses.dataclass(frozen=True)
class RecogniseAlignOptions:
    """A set of aligned faces, for training and measuring, of photographs or synthetic pictures.

    Five points of each face (eyes, nose, corners of the mouth) are brought to their places by a
    shift, a turn and a scale. People are the column identity of labels.csv or the subfolders (LFW
    lies so), or those of a set of 'geomface synth faces', in files or shards, whose mixed people
    keep their shares. Pictures without a face are listed and left out. The same command again goes
    on where it stopped, and adds what is new.

    Finding the landmarks of a photograph takes most of the time. 'geomface landmarks detect --image
    DIR --out DIR', the same folder twice, writes them beside the pictures, where this command,
    'recognise evaluate', 'model fit-image' and 'evaluate faces' look for them.
    """

    images: Folder
    """Photographs, in any depth of subfolders, or a set of 'geomface synth faces'."""
    out: Folder
    """Folder of the set; it is created."""
    size: Size = "112x96"
    """Pixels of the aligned pictures; 112x96, 112x112 and 56x48 are usual."""
    detect: Flag = False
    """Find all landmarks, also where some lie beside the pictures or belong to the set."""
    masks: Flag = False
    """Keep where the face is, for 'geomface train render_to_photo'; of synthetic sets that have the
    output alpha."""
    workers: int = 1
    """Number of worker processes; the bytes do not depend on it."""
    part_pictures: int = 64
    """Pictures a part; parts are what workers make and what is resumed."""
    executor: ExecutorOptions = ExecutorOptions()
    common: CommonOptions = CommonOptions()

    def __post_init__(self) -> None:
        require_options(self, workers=COUNT, part_pictures=COUNT)


def run_align(options: RecogniseAlignOptions, run: Run) -> int:
    """Plan, and align the faces unless it is a dry run."""
    from geomface.pipeline.aligned_sets import AlignedSetSettings, aligned_job
    from geomface.recognition.alignment.reference import alignment_of

    run.require_cpu()
    settings = AlignedSetSettings(
        options.images,
        options.out,
        alignment_of(options.size),
        "found" if options.detect else "given",
        options.workers,
        options.part_pictures,
        options.masks,
    )
    names = {"done": "pictures", "made": "aligned"}
    return execute(aligned_job(settings), run, options.executor, names, items=False)
