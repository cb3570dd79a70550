"""What a training of this system is made of."""

import dataclasses
from typing import Literal

from geomface.errors import SettingsError
from geomface.gan.progressive_texture.dcgan import DcganSettings
from geomface.gan.progressive_texture.networks import GrowingNetworkSettings
from geomface.gan.progressive_texture.schedule import GrowthSettings
from geomface.gan.progressive_texture.shapes import ShapesSettings
from geomface.learning.adversarial import AdversarialSettings
from geomface.learning.device import ComputeSettings
from geomface.learning.loop import LoopSettings
from geomface.learning.optimizers import OptimizerSettings, Schedule
from geomface.learning.system import System
from geomface.ranges import BELOW_ONE, POSITIVE, SEED, SHARE, require_numbers

SYSTEM = System(
    "progressive_texture",
    modules={"critic": "discriminator", "average": "generator_ema"},
    settings={
        "arm": "masking",
        "networks.critic_width": "networks.discriminator_width",
        "optimizer.learning_rate": "optimizer.lr",
        "optimizer.average_decay": "optimizer.ema_decay",
        "optimizer.settle": "optimizer.lr_decay",
    },
    scalars={"images": "shown.images"},
    buffers={"k": "module/balance/k"},
)
"""With the names of the first version's runs, which go on under today's."""

Masking = Literal["masked", "unmasked", "clean", "reals-only"]
MASKING: dict[Masking, str] = {
    "masked": "B: all images, the same masks on reals and fakes",
    "unmasked": "A: all images, no masks",
    "clean": "C: only the images that hide nothing",
    "reals-only": "D: all images, masks on the reals only",
}
"""How the masks are used; all but the first are there to be compared with."""


Networks = DcganSettings | GrowingNetworkSettings
"""Sizes of networks, and by that their kind."""


@dataclasses.dataclass(frozen=True)
class RateSettings:
    """Adam for both networks, and the average."""

    lr: float = 1e-3
    """Of both networks."""
    beta1: float = 0.0
    """Adam's first decay."""
    beta2: float = 0.99
    """Adam's second decay."""
    ema_decay: float = 0.999
    """Decay of the moving average of the generator's weights, at each step."""
    lr_decay: float = 0.0
    """Share of the images, at the end, over which the learning rate falls to a twentieth."""

    def __post_init__(self) -> None:
        require_numbers(
            self,
            lr=POSITIVE,
            beta1=BELOW_ONE,
            beta2=BELOW_ONE,
            ema_decay=BELOW_ONE,
            lr_decay=SHARE,
        )

    def adam(self) -> OptimizerSettings:
        """Return both networks' optimiser and the course of its rate over all images."""
        schedule = Schedule()
        if self.lr_decay:
            schedule = Schedule("linear", begin=1.0 - self.lr_decay, floor=0.05)
        return OptimizerSettings("adam", self.lr, self.beta1, self.beta2, schedule=schedule)


@dataclasses.dataclass(frozen=True)
class TextureGanSettings:
    """Settings of one training; `networks` decides between the DCGAN and the growing networks."""

    networks: Networks
    """Sizes of the networks."""
    growth: GrowthSettings
    """When to grow, and how many images a step; the DCGAN does not grow."""
    adversarial: AdversarialSettings = AdversarialSettings()
    """Loss and penalties."""
    optimizer: RateSettings = RateSettings()
    """Adam and the moving average."""
    loop: LoopSettings = LoopSettings()
    """How long, how often."""
    compute: ComputeSettings = ComputeSettings()
    """Device and precision."""
    masking: Masking = "masked"
    """How masks are used."""
    seed: int = 0
    """Of weights, order and latents."""
    shapes: ShapesSettings | None = None
    """The drawn set; None for a folder."""
    held_out: float = 0.0
    """Share of the images, by a hash of their names, that training never sees."""

    def __post_init__(self) -> None:
        require_numbers(self, seed=SEED, held_out=BELOW_ONE)
        if self.shapes is not None and self.held_out:
            raise SettingsError(
                "held_out: expected 0 for shapes, whose test pictures are drawn anew, got "
                f"{self.held_out}. Leave it out."
            )
        if self.masking not in MASKING:
            raise SettingsError(
                f"masking: expected one of {', '.join(MASKING)}, got {self.masking!r}."
            )
        devices = self.compute.devices
        for level in range(2, self.networks.top + 1):
            batch = self.growth.batch(2**level)
            if batch % max(devices, 1):
                raise SettingsError(
                    f"devices: expected a divisor of the {batch} images of a step, got {devices}. "
                    "Use fewer devices."
                )
