"""Tracks: the pictures of a person as the frames of one smooth movement."""

import dataclasses
from collections.abc import Callable
from typing import Literal

from geomface.arrays import FloatArray
from geomface.synthesis.settings import FaceImageSettings
from geomface.synthesis.streams import stream

Moving = Literal["pose", "expression", "gaze"]
_MOVES: dict[Moving, float] = {"pose": 1.0, "expression": 0.8, "gaze": 0.25}
"""Share of the time from one key to the next that is movement; before and after it rests: eyes
jump, heads hardly ever stand still."""


@dataclasses.dataclass(frozen=True)
class Moment:
    """Where a movement is: at a share of the way from one of its keys to the next.

    Parameters
    ----------
    key : number of the key, 0 or more
    share : in [0, 1)
    """

    key: int
    share: float

    def between(self, draw: Callable[[int], FloatArray]) -> FloatArray:
        """Return the numbers of this moment, x_k + share (x_k+1 - x_k), given those of each key."""
        first = draw(self.key)
        return first + self.share * (draw(self.key + 1) - first) if self.share else first


def moment(settings: FaceImageSettings, identity: int, sample: int, moving: Moving) -> Moment:
    """Return where the pose, expression or gaze of a person is in a picture.

    Picture t of a track is at u = t / N + p, with p in [0, 1) of the person and of what moves:
    key k = floor(u), share s(u - k). s rises from 0 to 1 with two continuous derivatives,

    s(x) = 6 y^5 - 15 y^4 + 10 y^3,  y = (x - 1/2) / m + 1/2 clipped to [0, 1]

    where m is the share of the time that is movement. Without a track every picture is a key.

    Parameters
    ----------
    settings : of the set; N is its `track`
    identity, sample : of the picture
    moving : what moves

    Convention
    ----------
    Key k of a person has the random numbers of picture k of the same set without a track: keys have
    the distributions of the settings, and what lies between two of them is a mean of theirs.

    Source
    ------
    Flash and Hogan 1985: movements of least jerk follow this polynomial.
    """
    if not settings.track:
        return Moment(sample, 0.0)
    start = stream(settings.seed, f"track {moving}", identity).random()
    key, share = divmod(sample / settings.track + start, 1.0)
    y = min(max((share - 0.5) / _MOVES[moving] + 0.5, 0.0), 1.0)
    return Moment(int(key), y * y * y * (y * (6.0 * y - 15.0) + 10.0))
