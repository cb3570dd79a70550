"""What a training is shown: frames of faces with their landmarks."""

import dataclasses
from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np
import torch

from geomface.arrays import FloatArray, IndexArray
from geomface.gan.landmark_reenactment.crops import MARGIN, crop_face
from geomface.learning.data import network_values
from geomface.learning.errors import DatasetError
from geomface.learning.fingerprint import Fingerprint, fingerprint_rows


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

    def look(self, numbers: np.ndarray) -> tuple[torch.Tensor, torch.Tensor]:
        """Return pictures (B, 3, S, S) in [-1, 1] and landmarks (B, 68, 2) of some frames."""
        return network_values(self.images[numbers]), network_values(self.points[numbers])

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
