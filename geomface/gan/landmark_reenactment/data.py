"""What a training is shown: frames of faces with their landmarks, three of a kind at a time."""

import dataclasses
from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np
import torch

from geomface.arrays import FloatArray, IndexArray
from geomface.gan.landmark_reenactment.crops import MARGIN, crop_face
from geomface.learning.data import network_values
from geomface.learning.errors import DatasetError
from geomface.learning.fingerprint import Fingerprint, content_hash, fingerprint_rows
from geomface.learning.randomness import stream_seed
from geomface.learning.stream import Batch

WITHIN = 200
"""Frames of a triplet are no further apart, as in the released code, which has 50 as the least."""


class Frame(NamedTuple):
    """A picture before its crop; landmarks (68, 2) have the first pixel's centre at (0.5, 0.5)."""

    name: str
    image: np.ndarray
    points: FloatArray
    person: int
    group: int
    moment: int = 0


@dataclasses.dataclass(frozen=True, eq=False)
class FaceFrames:
    """Cropped faces with their landmarks.

    Parameters
    ----------
    images : (N, 3, S, S) uint8
    points : (N, 68, 2) float32 pixels of the crop, the first one's centre at (0, 0); NaN is unknown
    people : (N,) int64, who
    groups : (N,) int64; frames of one group share person, light, hair, clothes and background: a
        video, a synthetic track. A picture by itself is a group of its own
    moments : (N,) int64, number of the frame in its group
    names : of the frames
    margin : of the crops, see `crop_box`

    Raises
    ------
    DatasetError : other shapes, names that come twice, two people in one group
    """

    images: np.ndarray
    points: np.ndarray
    people: IndexArray
    groups: IndexArray
    moments: IndexArray
    names: tuple[str, ...]
    margin: float = MARGIN

    def __post_init__(self) -> None:
        count = len(self.names)
        side = self.images.shape[-1] if self.images.ndim == 4 else 0
        wanted = {
            "images": (count, 3, side, side),
            "points": (count, 68, 2),
            **dict.fromkeys(("people", "groups", "moments"), (count,)),
        }
        for name, shape in wanted.items():
            found = getattr(self, name).shape
            if found != shape:
                raise DatasetError(f"frames, {name}: expected {shape}, got {found}.")
        if len(set(self.names)) < count:
            raise DatasetError("frames: expected each name once, got some twice.")
        pairs = np.unique(np.stack([self.groups, self.people]), axis=1)
        if len(np.unique(pairs[0])) < pairs.shape[1]:
            raise DatasetError(
                "frames: expected one person in each group, got several. Frames of one group are "
                "moved into each other; give pictures of other people groups of their own."
            )

    def __len__(self) -> int:
        return len(self.names)

    @property
    def size(self) -> int:
        """Pixels a side."""
        return self.images.shape[-1]

    def subset(self, chosen: np.ndarray) -> "FaceFrames":
        """Return some frames, by a mask or their numbers."""
        rows = np.arange(len(self))[chosen]
        return FaceFrames(
            self.images[rows],
            self.points[rows],
            self.people[rows],
            self.groups[rows],
            self.moments[rows],
            tuple(self.names[k] for k in rows),
            self.margin,
        )

    def fingerprint(self) -> Fingerprint:
        """Return a hash for each frame."""
        return fingerprint_rows({"images": self.images, "points": self.points}, self.names)


def collect_frames(frames: Iterable[Frame], size: int, margin: float = MARGIN) -> FaceFrames:
    """Return pictures as frames: each is cropped by its landmarks.

    Parameters
    ----------
    frames : read one after the other, so that large pictures need not be held
    size : of the crops, pixels
    margin : see `crop_box`

    Raises
    ------
    DatasetError : no frames
    LandmarkError : landmarks that span no box
    """
    images, points, labels, names = [], [], [], []
    for frame in frames:
        shown, marks, _ = crop_face(frame.image, frame.points, size, margin)
        images.append(shown.transpose(2, 0, 1))
        points.append(marks.astype(np.float32))
        labels.append((frame.person, frame.group, frame.moment))
        names.append(frame.name)
    if not names:
        raise DatasetError("frames: expected some, got none. Check the paths.")
    people, groups, moments = np.array(labels, np.int64).T
    return FaceFrames(
        np.stack(images), np.stack(points), people, groups, moments, tuple(names), margin
    )


def join_frames(parts: Sequence[FaceFrames]) -> FaceFrames:
    """Return the frames of several sets as one; people and groups of each stay their own.

    Raises
    ------
    DatasetError : no sets, or several sizes or margins
    """
    if len({(part.size, part.margin) for part in parts}) != 1:
        raise DatasetError(
            f"frames: expected sets of one size and margin, got "
            f"{', '.join(f'{part.size} px at {part.margin:g}' for part in parts) or 'none'}."
        )
    people, groups = [], []
    first_person = first_group = 0
    for part in parts:
        person, group = (
            np.unique(item, return_inverse=True)[1] for item in (part.people, part.groups)
        )
        people.append(person + first_person)
        groups.append(group + first_group)
        first_person, first_group = people[-1].max() + 1, groups[-1].max() + 1
    images, points, moments = (
        np.concatenate([getattr(part, name) for part in parts])
        for name in ("images", "points", "moments")
    )
    names = tuple(name for part in parts for name in part.names)
    who, which = np.concatenate(people), np.concatenate(groups)
    return FaceFrames(images, points, who, which, moments, names, parts[0].margin)


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
        for name, own in zip(("source", "target", "next"), rows.T, strict=True):
            batch[f"{name}_points"] = network_values(self.frames.points[own])
            if name != "next":
                batch[name] = network_values(self.frames.images[own])
        return batch

    def fingerprint(self) -> Fingerprint:
        """Return a hash for each frame, and one for which of them are shown together."""
        return {**self.frames.fingerprint(), "triplets": content_hash(self.rows.tobytes())}
