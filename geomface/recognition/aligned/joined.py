"""Several sets of aligned faces as one."""

import dataclasses
from collections.abc import Sequence

import numpy as np

from geomface.recognition.aligned.aligned_faces import AlignedFaces
from geomface.recognition.aligned.aligned_row import AlignedRow
from geomface.recognition.aligned.stored_images import StoredImages


def joined_faces(sets: Sequence[AlignedFaces]) -> AlignedFaces:
    """Return the pictures of several sets of one alignment, in their order; nothing is read.

    Person P of set k is k/P: equal names in two sets, such as the numbers of synthetic people, do
    not mean one person.
    """
    rows = tuple(_renamed(row, f"{k}/") for k, faces in enumerate(sets) for row in faces.rows)
    images = [faces.images for faces in sets]
    stored = [item for item in images if isinstance(item, StoredImages)]
    joined = (
        StoredImages.joined(stored)
        if len(stored) == len(images)
        else np.concatenate([item[:] for item in images])
    )
    return AlignedFaces.of_rows(sets[0].alignment, joined, rows)


def _renamed(row: AlignedRow, prefix: str) -> AlignedRow:
    return dataclasses.replace(
        row,
        name=prefix + row.name,
        person=prefix + row.person if row.person else "",
        parents=tuple(prefix + parent for parent in row.parents),
    )
