"""What is done to one part of a set of aligned faces: read, find, align, write."""

import dataclasses
import json
from pathlib import Path

import numpy as np

from geomface.batch.attempts import ItemTask, Outcome
from geomface.datasets import layout
from geomface.datasets.photographs import Photograph
from geomface.errors import GeomfaceError
from geomface.learning.fingerprint import content_hash
from geomface.recognition.aligned.aligned_faces import as_levels
from geomface.recognition.aligned.aligned_row import AlignedRow, manifest_line
from geomface.recognition.aligned.read_face import AlignedFace, LandmarkSource, read_face
from geomface.recognition.alignment.reference import Alignment
from geomface.threads import one_torch_thread


@dataclasses.dataclass(frozen=True)
class AlignedPartPayload:
    """What a worker needs to align some pictures of a set."""

    photographs: tuple[Photograph, ...]
    alignment: Alignment
    landmarks: LandmarkSource


def align_part(task: ItemTask, folder: Path) -> Outcome:
    """Align the faces of one part; pictures without one are listed and left out."""
    part: AlignedPartPayload = task.payload
    levels, lines, lost = [], [], []
    with one_torch_thread():
        for photograph in part.photographs:
            try:
                face = read_face(photograph, part.alignment, part.landmarks)
            except GeomfaceError as error:
                lost.append(json.dumps({"key": photograph.name, "message": str(error)}) + "\n")
                continue
            level = as_levels(face.picture[None])[0]
            place = f"{task.place}/{layout.ALIGNED_IMAGES}"
            lines.append(manifest_line(_row(photograph, face, level), place, len(levels)))
            levels.append(level)
    size = (3, part.alignment.height, part.alignment.width)
    np.save(folder / layout.ALIGNED_IMAGES, np.array(levels, np.uint8).reshape(-1, *size))
    (folder / layout.MANIFEST).write_bytes(b"".join(lines))
    if lost:
        (folder / layout.FAILURES).write_text("".join(lost), encoding="utf-8")
    return Outcome(figures={"written": len(levels), "failed": len(lost)})


def _row(photograph: Photograph, face: AlignedFace, level: np.ndarray) -> AlignedRow:
    return AlignedRow(
        photograph.name,
        photograph.person,
        photograph.parents,
        photograph.parent_weights,
        digest=content_hash(level.tobytes()),
        grey=bool((level == level[:1]).all()),
        landmarks=face.landmarks,
        pixels=round(face.pixels, 4),
        off=round(face.off, 4),
    )
