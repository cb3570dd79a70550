"""What a training is shown: renders of people, photographs, and a few pairs of both."""

import dataclasses

import torch

from geomface.learning.errors import DatasetError
from geomface.learning.stream import Batch, Dataset, Draws
from geomface.recognition.alignment.reference import Alignment

FEWEST = 2
"""Pictures of a stream."""


@dataclasses.dataclass(frozen=True, eq=False)
class TranslationData:
    """The three streams of a training, all aligned alike.

    Parameters
    ----------
    alignment : of all pictures
    renders : rows of `images`, `labels` (-1 for unknown) and, unless the whole picture counts,
        `masks` (N, 1, S, S), 1 on the face
    people : how many the labels tell
    photographs : rows of `images`
    pairs : rows of `renders` and `photographs` of the same face in the same place, or none
    held_out : pairs that are only measured on, or none

    Raises
    ------
    DatasetError : renders or photographs are fewer than two; pictures that are not square
    """

    alignment: Alignment
    renders: Dataset
    people: int
    photographs: Dataset
    pairs: Dataset | None = None
    held_out: Dataset | None = None

    def __post_init__(self) -> None:
        require_square(self.alignment)
        for name, data in (("renders", self.renders), ("photographs", self.photographs)):
            if len(data) < FEWEST:
                raise DatasetError(
                    f"{name}: expected {FEWEST} pictures or more, got {len(data)}. Add some."
                )


def require_square(alignment: Alignment) -> None:
    """Raise `DatasetError` unless pictures are square, as the networks want them."""
    if alignment.height != alignment.width:
        raise DatasetError(
            f"translation: expected square pictures, got {alignment.size}. Align them with --size "
            f"{alignment.height}x{alignment.height}."
        )


def mirror_some(batch: Batch, draws: Draws, *, share: float) -> Batch:
    """Mirror all pictures of a share of the rows, masks and both halves of pairs alike.

    Parameters
    ----------
    batch : columns; those of (N, C, H, W) are pictures
    draws : one number a row
    share : of the rows
    """
    mirrored = draws.uniform() < share
    return {
        name: torch.where(mirrored.view(-1, 1, 1, 1), column.flip(3), column)
        if column.ndim == 4
        else column
        for name, column in batch.items()
    }
