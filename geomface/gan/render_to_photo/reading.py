"""Sets of aligned faces as the streams of a training, and pairs by the names of their halves."""

import dataclasses
from collections import Counter
from pathlib import PurePosixPath

import numpy as np
import torch

from geomface.files.images import IMAGE_SUFFIXES
from geomface.gan.render_to_photo.data import TranslationData, require_square
from geomface.learning.errors import DatasetError
from geomface.learning.fingerprint import Fingerprint, content_hash
from geomface.learning.holdout import held_out as is_aside
from geomface.learning.stream import Batch
from geomface.recognition.aligned.aligned_faces import AlignedFaces
from geomface.recognition.alignment.reference import require_alignment

SAME_PLACE = 0.01
"""How far, a share, the scales of two halves may be apart that show the same place."""


@dataclasses.dataclass(frozen=True, eq=False)
class FacePairs:
    """Renders and photographs of the same faces in the same places.

    Parameters
    ----------
    renders, photographs : as many of either, row by row
    """

    renders: AlignedFaces
    photographs: AlignedFaces

    def __len__(self) -> int:
        return len(self.renders)

    def batch(self, indices: torch.Tensor) -> Batch:
        """Return {"renders", "photographs"}, each (B, 3, S, S) in [-1, 1]."""
        halves = {"renders": self.renders, "photographs": self.photographs}
        return {name: half.batch(indices)["images"] for name, half in halves.items()}

    def fingerprint(self) -> Fingerprint:
        """Return a hash of each pair."""
        rows = zip(self.renders.rows, self.photographs.rows, strict=True)
        return {one.name: content_hash(f"{one.digest} {two.digest}".encode()) for one, two in rows}

    def subset(self, chosen: np.ndarray) -> "FacePairs":
        """Return some pairs, by a mask or their numbers."""
        return FacePairs(self.renders.subset(chosen), self.photographs.subset(chosen))


def pair_faces(renders: AlignedFaces, photographs: AlignedFaces) -> FacePairs:
    """Return the pairs of two sets: pictures of one name, whatever its ending.

    Parameters
    ----------
    renders, photographs : sets of one alignment, aligned by the same landmarks

    Raises
    ------
    DatasetError : another alignment, pictures without the other half, halves of another size or
        place
    """
    require_alignment("pairs, photographs", photographs.alignment, renders.alignment)
    one, two = _numbers(renders), _numbers(photographs)
    lonely = sorted(one.keys() ^ two.keys())
    if lonely:
        raise DatasetError(
            f"pairs: expected every picture in both sets, got {len(one)} renders and {len(two)} "
            f"photographs, {len(lonely)} of which have no other half, such as {lonely[0]}. Give "
            "both the same name; pictures without a face are left out on both sides."
        )
    order = list(one)
    rows = [np.array([numbers[name] for name in order]) for numbers in (one, two)]
    pairs = FacePairs(renders.subset(rows[0]), photographs.subset(rows[1]))
    halves = (pairs.renders, pairs.photographs)
    scales = [np.array([row.pixels for row in half.rows]) for half in halves]
    off = np.abs(scales[0] / scales[1] - 1.0)
    if off.max() > SAME_PLACE:
        worst = int(off.argmax())
        raise DatasetError(
            f"pairs: expected halves of one size, aligned by the same landmarks, got "
            f"{pairs.renders.rows[worst].name} at {scales[0][worst]:.3g} and "
            f"{scales[1][worst]:.3g} pixels a pixel. Bring both to one size and lay the landmarks "
            "of one beside both."
        )
    return pairs


def read_streams(
    renders: AlignedFaces,
    photographs: AlignedFaces,
    pairs: FacePairs | None = None,
    *,
    held_out: float = 0.0,
) -> TranslationData:
    """Return the streams of a training.

    Parameters
    ----------
    renders, photographs : sets of one alignment
    pairs : of it, too
    held_out : share of the pairs that is only measured on, by a hash of their names

    Raises
    ------
    DatasetError : sets of several alignments, too few pictures, no pairs but those held out
    """
    wanted = renders.alignment
    require_square(wanted)
    require_alignment("photographs", photographs.alignment, wanted)
    people = len(renders.people.names)
    if pairs is None:
        return TranslationData(wanted, renders, people, photographs)
    require_alignment("pairs", pairs.renders.alignment, wanted)
    aside = is_aside(pairs.renders.names, held_out)
    own = pairs if not aside.any() else pairs.subset(~aside)
    other = pairs.subset(aside) if aside.any() else None
    return TranslationData(wanted, renders, people, photographs, own, other)


def _numbers(faces: AlignedFaces) -> dict[str, int]:
    """Return {name without its ending: row}."""
    names = [_stem(name) for name in faces.names]
    name, times = Counter(names).most_common(1)[0]
    if times > 1:
        raise DatasetError(
            f"pairs: expected each name once, whatever its ending, got {name} {times} times."
        )
    return {name: row for row, name in enumerate(names)}


def _stem(name: str) -> str:
    path = PurePosixPath(name)
    return str(path.with_suffix("")) if path.suffix.lower() in IMAGE_SUFFIXES else name
