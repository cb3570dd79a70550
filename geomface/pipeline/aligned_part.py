"""What is done to one part of a set of aligned faces: read, find, align, write."""

import dataclasses
import json
from pathlib import Path

import numpy as np

from geomface.batch.attempts import ItemTask, Outcome
from geomface.datasets import layout
from geomface.datasets.manifest import read_rows
from geomface.datasets.photographs import Photograph
from geomface.errors import FileFormatError, GeomfaceError
from geomface.learning.fingerprint import content_hash
from geomface.recognition.aligned.aligned_faces import as_levels
from geomface.recognition.aligned.aligned_row import AlignedRow, manifest_line, parse_row
from geomface.recognition.aligned.read_face import AlignedFace, LandmarkSource, read_face
from geomface.recognition.alignment.reference import Alignment
from geomface.threads import one_torch_thread


@dataclasses.dataclass(frozen=True)
class AlignedPartPayload:
    """What a worker needs to align some pictures of a set, with a hash of what each is made of."""

    photographs: tuple[Photograph, ...]
    sources: tuple[str, ...]
    alignment: Alignment
    landmarks: LandmarkSource
    masked: bool = False


def align_part(task: ItemTask, folder: Path) -> Outcome:
    """Align the faces of one part; pictures without one are listed and left out.

    What the part held before and is made of the same pixels and landmarks is taken over.
    """
    part: AlignedPartPayload = task.payload
    levels, lines, lost, kept = [], [], [], 0
    place = f"{task.place}/{layout.ALIGNED_IMAGES}"
    before = _faces_before(task.out / task.place, masked=part.masked)
    with one_torch_thread():
        for photograph, source in zip(part.photographs, part.sources, strict=True):
            try:
                face = before.get(source) or _aligned(photograph, source, part)
            except GeomfaceError as error:
                lost.append(json.dumps({"key": photograph.name, "message": str(error)}) + "\n")
                continue
            row, level = face
            kept += source in before
            row = labelled_row(row, photograph)
            lines.append(manifest_line(row, place, len(levels)))
            levels.append(level)
    size = (3 + part.masked, part.alignment.height, part.alignment.width)
    stored = np.array(levels, np.uint8).reshape(-1, *size)
    np.save(folder / layout.ALIGNED_IMAGES, np.ascontiguousarray(stored[:, :3]))
    if part.masked:
        np.save(folder / layout.ALIGNED_MASKS, np.ascontiguousarray(stored[:, 3:]))
    (folder / layout.MANIFEST).write_bytes(b"".join(lines))
    if lost:
        (folder / layout.FAILURES).write_text("".join(lost), encoding="utf-8")
    return Outcome(figures={"written": len(levels), "failed": len(lost), "kept": kept})


def _aligned(
    photograph: Photograph, source: str, part: AlignedPartPayload
) -> tuple[AlignedRow, np.ndarray]:
    """Return a face, its mask behind the colours, and what is known of it but for who it is."""
    face = read_face(photograph, part.alignment, part.landmarks, part.masked)
    level = as_levels(face.picture[None])[0]
    if face.mask is not None:
        level = np.concatenate([level, as_levels(face.mask[None, ..., None])[0]])
    return aligned_row(photograph.name, face, level, source), level


def aligned_row(name: str, face: AlignedFace, level: np.ndarray, source: str = "") -> AlignedRow:
    """Return what is known of an aligned picture, kept as `level`, but for who it is."""
    return AlignedRow(
        name,
        "",
        digest=content_hash(level.tobytes()),
        grey=bool((level[:3] == level[:1]).all()),
        landmarks=face.landmarks,
        pixels=round(face.pixels, 4),
        off=round(face.off, 4),
        source=source,
    )


def labelled_row(row: AlignedRow, photograph: Photograph) -> AlignedRow:
    """Return what is known of an aligned picture with who it is."""
    return dataclasses.replace(
        row,
        name=photograph.name,
        person=photograph.person,
        parents=photograph.parents,
        parent_weights=photograph.parent_weights,
    )


def _faces_before(folder: Path, *, masked: bool) -> dict[str, tuple[AlignedRow, np.ndarray]]:
    """Return the faces that a part held before, by what they were made of; none if damaged."""
    try:
        rows = list(read_rows(folder / layout.MANIFEST, parse_row, ""))
        names = (layout.ALIGNED_IMAGES, *([layout.ALIGNED_MASKS] if masked else []))
        parts = [np.load(folder / name, mmap_mode="r", allow_pickle=False) for name in names]
        found = {
            row.source: (row, np.concatenate([part[number] for part in parts]))
            for row, _, number in rows
        }
    except (FileFormatError, OSError, ValueError, EOFError, IndexError):
        return {}
    return {
        source: (row, level)
        for source, (row, level) in found.items()
        if source and row.digest == content_hash(level.tobytes())
    }
