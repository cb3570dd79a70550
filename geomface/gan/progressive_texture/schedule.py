"""When the networks grow: level and fade as a function of the images shown."""

import dataclasses
from typing import NamedTuple

from geomface.errors import SettingsError
from geomface.ranges import COUNT, NOT_NEGATIVE, require_numbers

PAPER_BATCHES = ((4, 128), (8, 128), (16, 128), (32, 64), (64, 32), (128, 16), (256, 8), (512, 4))


class Growth(NamedTuple):
    """Where the schedule stands: size is 2^level pixels, alpha the share of the newest layers."""

    level: int
    alpha: float
    batch: int


@dataclasses.dataclass(frozen=True)
class GrowthSettings:
    """How long each size is trained."""

    start: int = 4
    """Pixels a side at the beginning."""
    stable_images: int = 600_000
    """Images shown at each size after its layers are faded in."""
    fade_images: int = 600_000
    """Images shown while the next size's layers are faded in."""
    total_images: int = 12_000_000
    """Images shown in all; the full size takes what the others leave."""
    batches: tuple[tuple[int, int], ...] = PAPER_BATCHES
    """(pixels, images a step) pairs; larger sizes take the last pair's."""

    def __post_init__(self) -> None:
        require_numbers(
            self,
            stable_images=COUNT,
            fade_images=NOT_NEGATIVE,
            total_images=COUNT,
            batches=COUNT,
        )
        if self.start < 4 or self.start & (self.start - 1):
            raise SettingsError(f"start: expected a power of two from 4, got {self.start}.")

    def batch(self, size: int) -> int:
        """Return the images a step at `size` pixels."""
        fitting = [count for pixels, count in self.batches if pixels <= size]
        return fitting[-1] if fitting else self.batches[0][1]

    def at(self, images: int, top: int) -> Growth:
        """Return where the schedule stands after `images`, growing up to 2^top pixels.

        The first size is only stable; every other one fades in, a = shown / fade_images, and is
        then stable.

        Source
        ------
        Karras et al. 2018, Sec. 2 and Appendix A.
        """
        first = min(self.start.bit_length() - 1, top)
        level, since = first, images
        if since >= self.stable_images and level < top:
            since -= self.stable_images
            rung = self.fade_images + self.stable_images
            climbed = min(since // rung, top - first - 1)
            level, since = first + 1 + climbed, since - climbed * rung
        fading = level > first and since < self.fade_images
        alpha = since / self.fade_images if fading else 1.0
        return Growth(level, alpha, self.batch(2**level))

    def steps(self, top: int) -> int:
        """Return how many steps show `total_images`."""
        shown = count = 0
        first = min(self.start.bit_length() - 1, top)
        while shown < self.total_images:
            level, _, batch = self.at(shown, top)
            end = self.stable_images + (level - first) * (self.fade_images + self.stable_images)
            end = self.total_images if level == top else min(end, self.total_images)
            steps = -(-(end - shown) // batch)
            count, shown = count + steps, shown + steps * batch
        return count
