"""Aligned faces as a data set for training and measuring, from memory or from the disk."""

import dataclasses
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import torch

from geomface.arrays import IndexArray
from geomface.datasets import layout
from geomface.datasets.manifest import read_head, read_rows
from geomface.errors import FileFormatError, SettingsError
from geomface.files.records import read_json
from geomface.learning.data import network_values
from geomface.learning.errors import DatasetError
from geomface.learning.fingerprint import Fingerprint, content_hash
from geomface.learning.stream import Batch
from geomface.recognition.aligned.aligned_row import AlignedRow, parse_failure, parse_row
from geomface.recognition.aligned.class_labels import ClassLabels, class_labels
from geomface.recognition.aligned.stored_images import StoredImages
from geomface.recognition.alignment.reference import Alignment, alignment_of

KIND, SCHEMA, WHAT = "aligned-faces", 1, "a set of aligned faces"


@dataclasses.dataclass(frozen=True, eq=False)
class AlignedFaces:
    """Aligned pictures and who is in them; a data set for `learning.Stream`.

    Parameters
    ----------
    alignment : of all of them
    images : (N, 3, h, w) uint8, in memory or on disk
    rows : what is known of each
    people : the classes, see `ClassLabels`
    failures : {name: why} of pictures that were left out
    masks : (N, 1, h, w) uint8, how much of each pixel the face covers, where that is known

    Example
    -------
    >>> import numpy as np
    >>> from geomface.recognition import AlignedFaces, aligned_faces, alignment_of
    >>> pictures = np.zeros((3, 56, 48, 3), np.float32)
    >>> faces = aligned_faces(pictures, ["anna", "anna", "ben"], alignment_of("56x48"))
    >>> isinstance(faces, AlignedFaces), len(faces.subset(faces.labels == 0))
    (True, 2)
    """

    alignment: Alignment
    images: np.ndarray | StoredImages
    rows: tuple[AlignedRow, ...]
    people: ClassLabels
    failures: Mapping[str, str] = dataclasses.field(default_factory=dict)
    masks: np.ndarray | StoredImages | None = None

    @classmethod
    def of_rows(
        cls,
        alignment: Alignment,
        images: np.ndarray | StoredImages,
        rows: tuple[AlignedRow, ...],
        masks: np.ndarray | StoredImages | None = None,
    ) -> "AlignedFaces":
        """Return pictures with what is known of each; the people are numbered anew."""
        return cls(alignment, images, rows, _people(rows), masks=masks)

    def __len__(self) -> int:
        return len(self.rows)

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the pictures."""
        return tuple(row.name for row in self.rows)

    @property
    def labels(self) -> IndexArray:
        """Classes (N,) int64, -1 for a mix and for who is not known."""
        return self.people.labels

    @property
    def notes(self) -> tuple[str, ...]:
        """What was done about imperfect pictures and labels."""
        grey = sum(row.grey for row in self.rows)
        notes = list(self.people.notes)
        if 0 < grey < len(self.rows):
            notes.append(
                f"{grey} of {len(self.rows)} pictures are grey, the others are in colour: grey is "
                "shown to networks as three equal channels."
            )
        return tuple(notes)

    def batch(self, indices: torch.Tensor) -> Batch:
        """Return some samples.

        Returns
        -------
        images (B, 3, h, w) in [-1, 1], labels (B,), classes (B, 2) and masses (B, 2) as
        `ClassLabels` has them; where there are masks, masks (B, 1, h, w) in [0, 1]
        """
        chosen = indices.numpy()
        columns = (self.images, self.people.labels, self.people.classes, self.people.masses)
        names = ("images", "labels", "classes", "masses")
        batch = {
            name: network_values(np.ascontiguousarray(column[chosen]))
            for name, column in zip(names, columns, strict=True)
        }
        if self.masks is not None:
            covered = network_values(np.ascontiguousarray(self.masks[chosen]))
            batch["masks"] = 0.5 * (covered + 1.0)
        return batch

    def pictures(self, chosen: np.ndarray | slice = slice(None)) -> np.ndarray:
        """Return pictures (n, h, w, 3) float32 in [0, 1], as embedders take them."""
        levels = self.images[chosen].transpose(0, 2, 3, 1)
        return np.ascontiguousarray(levels, np.float32) / np.float32(255)

    def fingerprint(self) -> Fingerprint:
        """Return a hash of each picture and its labels; the pictures are not read."""
        shares = zip(self.people.classes, self.people.masses, strict=True)
        return {
            row.name: content_hash(row.digest.encode(), classes.tobytes(), masses.tobytes())
            for row, (classes, masses) in zip(self.rows, shares, strict=True)
        }

    def subset(self, chosen: np.ndarray) -> "AlignedFaces":
        """Return some pictures, by their numbers or a mask; their classes are numbered anew."""
        numbers = np.arange(len(self))[chosen]
        rows = tuple(self.rows[number] for number in numbers)
        masks = None if self.masks is None else _part(self.masks, numbers)
        return AlignedFaces.of_rows(self.alignment, _part(self.images, numbers), rows, masks)


def aligned_faces(
    images: np.ndarray, people: Sequence[str], alignment: Alignment, names: Sequence[str] = ()
) -> AlignedFaces:
    """Return aligned faces that are in memory.

    Parameters
    ----------
    images : (N, h, w, 3) float32 in [0, 1]
    people : who is in each, "" where not known
    alignment : of the pictures, which are of its size
    names : of the pictures; without, their numbers

    Raises
    ------
    DatasetError : another shape, values beyond [0, 1], NaN, not one name for each

    Example
    -------
    >>> import numpy as np
    >>> from geomface.recognition import aligned_faces, alignment_of
    >>> pictures = np.zeros((3, 56, 48, 3), np.float32)
    >>> faces = aligned_faces(pictures, ["anna", "anna", "ben"], alignment_of("56x48"))
    >>> faces.people.names, faces.labels.tolist()
    (('anna', 'ben'), [0, 0, 1])
    """
    expected = (len(people), alignment.height, alignment.width, 3)
    if images.shape != expected:
        raise DatasetError(
            f"aligned faces: expected pictures of shape {expected}, got {images.shape}."
        )
    if images.size and not (images.min() >= 0 and images.max() <= 1):
        raise DatasetError(
            f"aligned faces: expected values in [0, 1], got {images.min():g} to "
            f"{images.max():g}. Divide 8-bit values by 255."
        )
    levels = as_levels(images)
    names = tuple(names) or tuple(map(str, range(len(people))))
    if len(set(names)) < len(names) or len(names) != len(people):
        raise DatasetError(
            f"aligned faces: expected {len(people)} names, each once, got {len(names)}, "
            f"{len(set(names))} different ones."
        )
    rows = tuple(
        AlignedRow(name, person, digest=content_hash(level.tobytes()))
        for name, person, level in zip(names, people, levels, strict=True)
    )
    return AlignedFaces(alignment, levels, rows, _people(rows))


def as_levels(pictures: np.ndarray) -> np.ndarray:
    """Return pictures (N, h, w, 3) in [0, 1] as they are kept: (N, 3, h, w) uint8."""
    levels = np.floor(pictures * np.float32(255) + np.float32(0.5)).astype(np.uint8)
    return np.ascontiguousarray(levels.transpose(0, 3, 1, 2))


def is_aligned(folder: Path) -> bool:
    """Say whether a folder holds a set of aligned faces, finished or not."""
    head = folder / layout.SET_FILE
    data = read_json(head) if head.is_file() else None
    return isinstance(data, dict) and data.get("kind") == KIND


def load_aligned(folder: Path | str) -> AlignedFaces:
    """Read what a set of aligned faces says of itself; pictures are read when asked for.

    Raises
    ------
    FileFormatError : no finished set of aligned faces, or a damaged one
    DatasetError : no face in any of its pictures

    Example
    -------
    >>> from pathlib import Path
    >>> import geomface as gf
    >>> from geomface.pipeline import AlignedSetSettings, align_set
    >>> from geomface.recognition import alignment_of, load_aligned
    >>> face = gf.FaceSampler(gf.FaceImageSettings(size=160)).batch([(0, 0)]).images["rgb"][0]
    >>> Path("people/anna").mkdir(parents=True)
    >>> gf.save_image("people/anna/1.png", face)
    >>> report = align_set(AlignedSetSettings(Path("people"), Path("set"), alignment_of("56x48")))
    >>> load_aligned("set").names
    ('anna/1.png',)
    """
    folder = Path(folder)
    if folder.is_dir() and not (folder / layout.SET_FILE).exists():
        raise FileFormatError(
            f"{folder}: expected a set of aligned faces, got a folder without {layout.SET_FILE}. "
            f"Make one of its pictures with 'geomface recognise align --images {folder}'."
        )
    head = read_head(folder / layout.SET_FILE, kind=KIND, schema=SCHEMA, what=WHAT)
    try:
        alignment = alignment_of(str(head.get("alignment")))
    except SettingsError as error:
        raise FileFormatError(
            f"{folder / layout.SET_FILE}: not {WHAT} of use here: {error}"
        ) from error
    manifest = folder / layout.MANIFEST
    way_out = "Run 'geomface recognise align' again to write it anew."
    if not manifest.is_file():
        raise FileFormatError(f"{manifest}: no manifest, the set was not finished. {way_out}")
    found = list(read_rows(manifest, parse_row, way_out)) if manifest.stat().st_size else []
    failures = folder / layout.FAILURES
    lost = list(read_rows(failures, parse_failure, way_out)) if failures.is_file() else []
    if not found:
        raise DatasetError(f"{folder}: expected aligned faces, none of {len(lost)} pictures has.")
    paths = list(dict.fromkeys(path for _, path, _ in found))
    number = {path: index for index, path in enumerate(paths)}
    places = np.array([(number[path], row) for _, path, row in found], np.int64)
    size = (alignment.height, alignment.width)
    images = StoredImages([folder / path for path in paths], places, size)
    images.require_files()
    rows = tuple(row for row, _, _ in found)
    name, times = Counter(row.name for row in rows).most_common(1)[0]
    if times > 1:
        raise FileFormatError(
            f"{manifest}: expected each name once, {name} is there again. {way_out}"
        )
    masks = None
    if head.get("masked"):
        beside = [(folder / path).with_name(layout.ALIGNED_MASKS) for path in paths]
        masks = StoredImages(beside, places, size, channels=1)
        masks.require_files()
    return AlignedFaces(alignment, images, rows, _people(rows), dict(lost), masks)


def _part(images: np.ndarray | StoredImages, numbers: np.ndarray) -> np.ndarray | StoredImages:
    return images.part(numbers) if isinstance(images, StoredImages) else images[numbers]


def _people(rows: Sequence[AlignedRow]) -> ClassLabels:
    return class_labels(
        [row.person for row in rows],
        [row.parents for row in rows],
        [row.parent_weights for row in rows],
    )
