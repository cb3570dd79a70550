"""What a training of this system is made of."""

import dataclasses

from geomface.errors import SettingsError
from geomface.gan.factored_geometry.codes import Factor
from geomface.learning.adversarial import AdversarialSettings
from geomface.learning.device import ComputeSettings
from geomface.learning.ema import EmaSettings
from geomface.learning.loop import LoopSettings
from geomface.learning.optimizers import OptimizerSettings, Schedule
from geomface.learning.system import System
from geomface.ranges import BELOW_ONE, COUNT, NOT_NEGATIVE, POSITIVE, SEED, SHARE, require_numbers

SYSTEM = System("factored_geometry")
SETTLED = 0.02
"""What is left of the learning rates at the end."""


@dataclasses.dataclass(frozen=True)
class NetworkSettings:
    """Sizes of the generator and of the discriminator."""

    size: int = 64
    """Pixels a side: a power of two from 16."""
    generator_width: int = 64
    """Channels of the generator's last layer but one; doubled at each halving."""
    discriminator_width: int = 64
    """Channels of the discriminator's first layer; doubled at each halving."""
    features: int | None = 2048
    """Width of a linear layer before the classes; None takes the last 4 x 4 map as it is."""

    def __post_init__(self) -> None:
        require_numbers(self, generator_width=COUNT, discriminator_width=COUNT, features=COUNT)
        if self.size < 16 or self.size & (self.size - 1):
            raise SettingsError(f"size: expected a power of two from 16, got {self.size}.")

    @property
    def halvings(self) -> int:
        """How often the size is halved down to 4 pixels."""
        return self.size.bit_length() - 3


@dataclasses.dataclass(frozen=True)
class LossWeights:
    """Weights of the losses."""

    classes: float = 1.0
    """Of the labels of generated faces, in the generator's loss."""
    features: float = 0.5
    """Of the feature loss of pairs that share a code."""
    variation: float = 1e-4
    """Of the total variation, summed over the pixels of an image in [-1, 1]."""
    real_classes: float = 0.1
    """Of the labels of real faces, in the discriminator's loss."""

    def __post_init__(self) -> None:
        require_numbers(self, **{field.name: NOT_NEGATIVE for field in dataclasses.fields(self)})


@dataclasses.dataclass(frozen=True)
class FactoredSettings:
    """Settings of one training."""

    networks: NetworkSettings = NetworkSettings()
    """Sizes of the networks."""
    factors: tuple[Factor, ...] = (Factor("identity", 65), Factor("expression", 15))
    """What varies, each with the length of its code; their classes come from the data."""
    noise: int = 5
    """Length of the code of everything else."""
    adversarial: AdversarialSettings = AdversarialSettings("wgan-gp")
    """Loss and penalties, on images whose deviation is 1."""
    weights: LossWeights = LossWeights()
    """Of the other losses."""
    alternate: bool = True
    """Label one factor a batch, in turns; else all factors in every batch."""
    classify_fakes: bool = False
    """AC-GAN: the discriminator learns the labels of generated faces too, codes are labelled in
    every batch and there is no feature loss. To be compared with."""
    batch: int = 64
    """Faces a step."""
    class_samples: int = 2
    """Faces of each class in a further batch that shows a factor whose labels are rare to its
    classifier; 0 leaves it with the labelled ones of the batch, by weights."""
    discriminator_steps: int = 3
    """Of the discriminator for each of the generator."""
    generator_lr: float = 2e-4
    """Adam's rate for the generator."""
    discriminator_lr: float = 2e-4
    """Adam's rate for the discriminator."""
    lr_decay: float = 0.0
    """Share of the training, at the end, over which the rates fall to a fiftieth."""
    horizon: int = 1
    """Steps that the fall is measured by; not the loop's, which may be raised later."""
    ema: EmaSettings = EmaSettings(0.999, warm_up=True)
    """The average of the generator, from which faces are drawn."""
    bits: int = 32
    """Of the training images: 32 for floats, or 8 as the paper stores them."""
    held_out: float = 0.1
    """Share of the people, by a hash of their names, that training never sees."""
    alpha: float = 1.2
    """Smoothness of the meshes made of images, see `GeometryImageDecoder`."""
    loop: LoopSettings = LoopSettings()
    """How long, how often."""
    compute: ComputeSettings = ComputeSettings()
    """Device and precision."""
    seed: int = 0
    """Of weights, order and codes."""

    def __post_init__(self) -> None:
        require_numbers(
            self,
            noise=NOT_NEGATIVE,
            batch="[2, inf)",
            class_samples=NOT_NEGATIVE,
            discriminator_steps=COUNT,
            generator_lr=POSITIVE,
            discriminator_lr=POSITIVE,
            lr_decay=SHARE,
            horizon=COUNT,
            held_out=BELOW_ONE,
            alpha=POSITIVE,
            seed=SEED,
        )
        names = [factor.name for factor in self.factors]
        if not names or len(set(names)) < len(names):
            raise SettingsError(f"factors: expected names, each once, got {names}.")
        if self.bits not in (8, 32):
            raise SettingsError(f"bits: expected 8 or 32, got {self.bits}.")
        whole = 8 * max(self.compute.devices, 1)
        if self.batch % 2 or (self.compute.devices > 1 and self.batch % whole):
            raise SettingsError(
                f"batch: expected pairs of faces, a multiple of {whole} on {self.compute.devices} "
                f"devices, got {self.batch}."
            )

    def adam(self, lr: float) -> OptimizerSettings:
        """Return an optimiser and the course of its rate."""
        schedule = Schedule()
        if self.lr_decay:
            schedule = Schedule("linear", begin=1.0 - self.lr_decay, floor=SETTLED)
        return OptimizerSettings("adam", lr, 0.5, 0.999, schedule=schedule)
