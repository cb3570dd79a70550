"""`geomface recognise embed`: descriptors of the faces of a folder of pictures."""

import dataclasses

from geomface.cli.inputs import require_output
from geomface.cli.options import (
    CommonOptions,
    Flag,
    Folder,
    MaybeFile,
    OutputFile,
    require_options,
)
from geomface.cli.recognise.embedder_file import EmbedderFile, embedder_id, embedder_path
from geomface.cli.run import Run
from geomface.ranges import COUNT


@dataclasses.dataclass(frozen=True)
class RecogniseEmbedOptions:
    """Descriptors of faces: pictures of one person lie near each other, as cosines tell.

    The file holds the arrays names, embeddings (a row of length 1 a picture), found, and people
    where they are known. Pictures
    without a face are told and go on: their row is NaN, and found says so (exit code 3). In a
    picture with several faces the largest counts, unless it lies far from the middle.

    Finding the landmarks of a photograph takes most of the time. 'geomface landmarks detect --image
    DIR --out DIR', the same folder twice, writes them beside the pictures, where this command,
    'recognise evaluate', 'model fit-image' and 'evaluate faces' look for them.
    """

    images: Folder
    """Photographs, in any depth of subfolders, a set of 'geomface synth faces', or a set of
    'geomface recognise align' with the embedder's alignment."""
    out: OutputFile
    """The descriptors: an .npz file."""
    embedder: EmbedderFile = None
    """The embedder's file: embedder.safetensors of a run of 'geomface recognise train'."""
    detect: Flag = False
    """Find all landmarks, also where some lie beside the pictures or belong to the set."""
    workers: int = 1
    """Number of worker processes; the numbers do not depend on it."""
    report: MaybeFile = None
    """JSON record, with the pictures without a face and why."""
    common: CommonOptions = CommonOptions()

    def __post_init__(self) -> None:
        require_options(self, workers=COUNT)


def run_embed(options: RecogniseEmbedOptions, run: Run) -> int:
    """List, find, align, describe, write."""
    run.require_cpu()
    require_output(options.out, "--out", (".npz",), (embedder_path(options.embedder),))
    require_output(options.report, "--report", (".json",))
    from geomface.pipeline.embed_pictures import embed_pictures, pictures_to_embed
    from geomface.recognition.embedder.face_embedder import load_embedder
    from geomface.recognition.protocols.embeddings import save_embeddings

    path = embedder_path(options.embedder)
    embedder = load_embedder(path)
    photographs, lost = pictures_to_embed(options.images, embedder.alignment)
    if options.common.dry_run:
        what = f"describe {len(photographs)} pictures of {options.images}"
        return run.plan([what, f"write {options.out}"])
    with run.progress("pictures", len(photographs)) as step:
        step(0)
        found = embed_pictures(
            photographs,
            load_embedder,
            path,
            landmarks="found" if options.detect else "given",
            workers=options.workers,
            lost=lost,
            on_progress=step,
        )
    run.add_notes(found.notes)
    for why in found.failures.values():
        run.warn(f"failed: {why}")
    known = embedder_id(path)
    save_embeddings(options.out, dataclasses.replace(found.embeddings, embedder=known))
    count, total = int(found.embeddings.found.sum()), len(found.embeddings.names)
    figures = {
        "pictures": total,
        "described": count,
        "numbers": found.embeddings.descriptors.shape[1],
        "landmarks_found": found.detected,
        "alignment": found.embeddings.alignment,
        "embedder": known,
        "failed": found.failures,
    }
    run.finish(figures, options.report)
    run.say(
        f"{options.out}: descriptors of {count} of {total} pictures, {len(found.failures)} failed, "
        f"{run.seconds:.1f} s"
    )
    return 3 if found.failures else 0
