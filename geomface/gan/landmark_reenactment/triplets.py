"""Which frames are shown together: drawn once from a seed, people held out, paired or not."""

import dataclasses
from collections.abc import Callable

import numpy as np
import torch

from geomface.arrays import IndexArray
from geomface.gan.landmark_reenactment.data import FaceFrames
from geomface.learning.data import network_values
from geomface.learning.errors import DatasetError
from geomface.learning.fingerprint import Fingerprint, content_hash
from geomface.learning.holdout import held_out as is_aside
from geomface.learning.randomness import batch_indices, stream_generator, stream_seed
from geomface.learning.stream import Batch

WITHIN = 200
"""Frames of a triplet are no further apart, as in the released code, which has 50 as the least."""


def draw_triplets(
    frames: FaceFrames, *, per_frame: int = 4, apart: int = 0, within: int = WITHIN, seed: int = 0
) -> IndexArray:
    """Return (M, 3) int64: source, target and next frame, all of one group, drawn from a seed.

    Every frame is a source `per_frame` times, unless its group has no two others for it.

    Parameters
    ----------
    frames : with their groups and moments
    per_frame : triplets of each source
    apart, within : target and next are more moments than the first, and at most the second, from
        the source
    seed : of the draws
    """
    drawn = np.random.default_rng(stream_seed(seed, "triplets"))
    order = np.lexsort((frames.moments, frames.groups))
    groups, moments = frames.groups[order], frames.moments[order].astype(np.float64)
    # Moments of one group follow each other, those of another lie far away.
    spread = np.ptp(moments) + 2.0 * within + 2.0 if len(order) else 0.0
    line = moments + np.unique(groups, return_inverse=True)[1] * spread
    begin, left = (np.searchsorted(line, line - far, "left") for far in (within, apart))
    right, end = (np.searchsorted(line, line + far, "right") for far in (apart, within))
    before = left - begin
    count = before + end - right
    source = np.repeat(np.flatnonzero(count > 1), per_frame)
    first = np.floor(drawn.random(len(source)) * count[source]).astype(np.int64)
    second = np.floor(drawn.random(len(source)) * (count[source] - 1)).astype(np.int64)
    second += second >= first
    chosen = [
        np.where(k < before[source], begin[source] + k, right[source] + k - before[source])
        for k in (first, second)
    ]
    return order[np.stack([source, *chosen], axis=1)]


@dataclasses.dataclass(frozen=True, eq=False)
class TripletSet:
    """Three frames of a person at a time: a source, where it goes, and where it goes next.

    A still picture, row (i, i, i), is its own target; `vary_triplets` moves it.

    Parameters
    ----------
    frames : all
    rows : (M, 3) int64, from `draw_triplets`
    """

    frames: FaceFrames
    rows: IndexArray

    def __len__(self) -> int:
        return len(self.rows)

    def batch(self, indices: torch.Tensor) -> Batch:
        """Return pictures and landmarks of some triplets.

        Returns
        -------
        source, target : (B, 3, S, S) in [-1, 1]; of the next frame no loss asks for a picture
        source_points, target_points, next_points : (B, 68, 2)
        still : (B,) 0 or 1
        """
        rows = self.rows[indices.numpy()]
        batch = {"still": network_values((rows == rows[:, :1]).all(axis=1))}
        for name, own in zip(("source", "target"), rows.T, strict=False):
            batch[name], batch[f"{name}_points"] = self.frames.look(own)
        batch["next_points"] = network_values(self.frames.points[rows[:, 2]])
        return batch

    def fingerprint(self) -> Fingerprint:
        """Return a hash for each frame, and one for which of them are shown together."""
        return {**self.frames.fingerprint(), "triplets": content_hash(self.rows.tobytes())}


@dataclasses.dataclass(frozen=True, eq=False)
class ReenactmentData:
    """What a training is shown, and what it is measured on.

    Parameters
    ----------
    shown : triplets of frames of one group, then the still pictures
    paired : how many the first are
    held_out : triplets of people who are not shown, with pictures of all three; None without any
    notes : sentences on what was left out
    """

    shown: TripletSet
    paired: int
    held_out: TripletSet | None = None
    notes: tuple[str, ...] = ()

    @property
    def stills(self) -> int:
        """How many still pictures are shown."""
        return len(self.shown) - self.paired


def prepare_data(
    frames: FaceFrames,
    *,
    held_out: float = 0.0,
    per_frame: int = 4,
    apart: int = 0,
    within: int = WITHIN,
    seed: int = 0,
) -> ReenactmentData:
    """Return the triplets of a training.

    Frames that no others of their group are near count as still pictures.

    Parameters
    ----------
    frames : of everybody
    held_out : share of the people who are only measured on, by a hash of their numbers
    per_frame, apart, within, seed : see `draw_triplets`

    Raises
    ------
    DatasetError : nobody is left to train on
    """
    people, who = np.unique(frames.people, return_inverse=True)
    aside = is_aside([f"person {number}" for number in people], held_out)[who]
    rows = draw_triplets(frames, per_frame=per_frame, apart=apart, within=within, seed=seed)
    own = rows[~aside[rows[:, 0]]]
    alone = np.flatnonzero(~aside & ~np.isin(np.arange(len(frames)), rows))
    if not len(own) + len(alone):
        raise DatasetError("frames: expected some to train on, got none but those held out.")
    stills = np.repeat(alone[:, None], 3, axis=1)
    shown = TripletSet(frames, np.concatenate([own, stills]))
    other = rows[aside[rows[:, 0]]]
    notes = []
    if held_out and not len(other):
        notes.append("no triplets of people held out: the training measures nothing")
    if not len(own):
        notes.append("still pictures only: expressions and poses out of the plane are not learned")
    measured = TripletSet(frames, other) if len(other) else None
    return ReenactmentData(shown, len(own), measured, tuple(notes))


def batch_order(
    data: ReenactmentData, unpaired: float, *, seed: int, name: str
) -> Callable[[int, int], torch.Tensor]:
    """Return an order for `Stream`: each batch is of triplets or of stills, by the given share.

    Source
    ------
    Sanchez & Valstar 2018, Sec. 4: each batch is either paired or unpaired.
    """

    def order(shown: int, count: int) -> torch.Tensor:
        drawn = torch.rand((), generator=stream_generator(seed, f"{name}/kind/{shown}"))
        stills = data.paired == 0 or (data.stills > 0 and bool(drawn < unpaired))
        if stills:
            return data.paired + batch_indices(seed, data.stills, shown, count, f"{name}/stills")
        return batch_indices(seed, data.paired, shown, count, f"{name}/triplets")

    return order
