"""What a training of this system is made of."""

import dataclasses
from typing import Literal, get_args

from geomface.errors import SettingsError
from geomface.learning.system import System
from geomface.ranges import COUNT, POSITIVE, require_numbers

SYSTEM = System("landmark_reenactment")
Condition = Literal["heatmaps", "contours"]
SCHEMES = (66, 68)
SMALLEST_SIZE = 16
_LAST_SIDE = 4
"""Of the map that the discriminator's last convolution looks at, as in the paper."""


@dataclasses.dataclass(frozen=True)
class NetworkSettings:
    """Sizes of the networks, at the paper's by default."""

    size: int = 128
    """Pixels a side: a multiple of 4 from 16, since the generator halves pictures twice."""
    width: int = 64
    """Channels of the generator's first layer; doubled at each halving."""
    blocks: int = 6
    """Residual blocks of the generator."""
    discriminator_width: int = 64
    """Channels of the discriminator's first layer; doubled at each halving, up to eight times."""
    condition: Condition = "heatmaps"
    """What tells the target: a Gaussian a landmark, or their lines in three channels."""
    points: int = 66
    """Landmarks that heatmaps show: 66 without the inner corners of the mouth, or 68."""
    sigma: float = 1.75
    """Of the Gaussians, or across the lines, in pixels."""
    mask_head: bool = True
    """Let the generator choose where it keeps its input; else every pixel is new."""

    def __post_init__(self) -> None:
        counts = ("size", "width", "blocks", "discriminator_width", "points")
        require_numbers(self, **dict.fromkeys(counts, COUNT), sigma=POSITIVE)
        if self.size % 4 or self.size < SMALLEST_SIZE:
            raise SettingsError(
                f"size: expected a multiple of 4 from {SMALLEST_SIZE}, which the networks halve "
                f"twice, got {self.size}. Take {max(self.size // 4 * 4, SMALLEST_SIZE)}."
            )
        if self.condition not in get_args(Condition):
            raise SettingsError(
                f"condition: expected one of {', '.join(get_args(Condition))}, got "
                f"{self.condition!r}."
            )
        if self.points not in SCHEMES:
            raise SettingsError(f"points: expected 66 or 68 landmarks, got {self.points}.")

    @property
    def condition_channels(self) -> int:
        """Channels of a condition."""
        return self.points if self.condition == "heatmaps" else 3

    @property
    def halvings(self) -> int:
        """How often the discriminator halves a picture: 128 px come down to 4."""
        return (self.size // _LAST_SIDE).bit_length() - 1
