"""What a training of this system is made of."""

import dataclasses
from typing import Literal, get_args

from geomface.errors import SettingsError
from geomface.learning.device import ComputeSettings
from geomface.learning.ema import EmaSettings
from geomface.learning.loop import LoopSettings
from geomface.learning.optimizers import OptimizerSettings, Schedule
from geomface.learning.picture_size import require_halved_twice
from geomface.learning.system import System
from geomface.ranges import (
    BELOW_ONE,
    COUNT,
    NOT_NEGATIVE,
    POSITIVE,
    SEED,
    SHARE,
    require_numbers,
)

SYSTEM = System("render_to_photo")
Norm = Literal["none", "instance", "batch"]
FirstWeights = Literal["published", "kept-strength"]
PAPER_STEPS = 248_000
_HALVED_AT = (128_000, 192_000, 224_000, 240_000, 244_000, 246_000, 247_000)
MILESTONES = tuple(step / PAPER_STEPS for step in _HALVED_AT)
"""Shares of the training at which the rate is halved."""


@dataclasses.dataclass(frozen=True)
class NetworkSettings:
    """Sizes of the four networks, at the paper's by default."""

    size: int = 108
    """Pixels a side: a multiple of 4 from 16, since translators halve pictures twice."""
    width: int = 32
    """Channels of the translators' first layer; doubled at each halving."""
    discriminator_width: int = 64
    """Channels of the autoencoders' first layer; as many more at each halving."""
    code: int = 64
    """Numbers that an autoencoder squeezes a picture into."""
    norm: Norm = "none"
    """After each convolution of the translators; none is what the released code comes down to."""
    dropout: float = 0.1
    """Share that is dropped after each block of G, in training and in sampling."""
    skips: bool = True
    """Lead G's first layers past the others into its last ones."""
    first_weights: FirstWeights = "published"
    """Of the translators: N(0, 0.02), or such that signals keep their strength (He et al. 2015):
    weak ones at quick rates end in pictures of one colour, from which there is no way back."""

    def __post_init__(self) -> None:
        widths = dict.fromkeys(("size", "width", "discriminator_width", "code"), COUNT)
        require_numbers(self, **widths, dropout=BELOW_ONE)
        require_halved_twice(self.size)
        for name, choices in (("norm", get_args(Norm)), ("first_weights", get_args(FirstWeights))):
            if getattr(self, name) not in choices:
                raise SettingsError(
                    f"{name}: expected one of {', '.join(choices)}, got {getattr(self, name)!r}."
                )

    @property
    def sides(self) -> tuple[int, ...]:
        """Sides of the maps of an autoencoder, pixels: 108, 54, 27, 14."""
        sides = [self.size]
        while len(sides) < self.size.bit_length() - 3:
            sides.append(-(-sides[-1] // 2))
        return tuple(sides)


@dataclasses.dataclass(frozen=True)
class LossWeights:
    """Weights of the losses beside those of realism, whose weight is 1."""

    cycle: float = 0.5
    """Of |G'(G(x)) - x|, for both translators."""
    pairs: float = 0.5
    """Of the game of pairs, in which G' judges G."""
    identity: float = 0.001
    """Of the loss that keeps people apart, for G."""
    input: float = 0.1
    """Of |G(x) - x|, for G."""
    reconstruction: float = 0.0
    """Of |G(s) - r| over pairs, for G; not in the method, there to be compared with."""

    def __post_init__(self) -> None:
        require_numbers(self, **{field.name: NOT_NEGATIVE for field in dataclasses.fields(self)})


@dataclasses.dataclass(frozen=True)
class TranslationSettings:
    """Settings of one training."""

    networks: NetworkSettings = NetworkSettings()
    """Sizes of the networks."""
    weights: LossWeights = LossWeights()
    """Of the losses."""
    gamma: float = 0.5
    """Ratio that each game aims at: errors of what is made to errors of what is real."""
    balance_rate: float = 0.001
    """Rate of the balances k of the three games."""
    masked: bool = True
    """Keep G near its input on the face only; else on the background too."""
    variance_power: int = 1
    """Of the variance in the loss of identity; the released code has 2."""
    batch: int = 16
    """Renders a step, and as many photographs and pairs."""
    lr: float = 8e-5
    """Adam's rate for all networks."""
    lr_floor: float = 5e-6
    """Where the halvings of the rate end."""
    horizon: int = PAPER_STEPS
    """Steps over which the rate falls; not the loop's, which may be raised later."""
    ema: EmaSettings = EmaSettings(0.9999, warm_up=True)
    """The averages of the networks, by which pictures are made."""
    mirror: float = 0.5
    """Share of the pictures that are shown mirrored."""
    view_shift: float = 0.05
    """How far, at most, what the embedder sees is off, a share of its side."""
    loop: LoopSettings = LoopSettings()
    """How long, how often."""
    compute: ComputeSettings = ComputeSettings()
    """Device and precision."""
    seed: int = 0
    """Of weights, orders and all that is drawn."""

    def __post_init__(self) -> None:
        require_numbers(
            self,
            gamma=POSITIVE,
            balance_rate=NOT_NEGATIVE,
            variance_power="[1, 2]",
            batch="[2, inf)",
            lr=POSITIVE,
            lr_floor=NOT_NEGATIVE,
            horizon=COUNT,
            mirror=SHARE,
            view_shift=BELOW_ONE,
            seed=SEED,
        )
        if self.batch % max(self.compute.devices, 1):
            raise SettingsError(
                f"devices: expected a divisor of the {self.batch} pictures of a step, got "
                f"{self.compute.devices}. Use fewer devices."
            )

    def adam(self) -> OptimizerSettings:
        """Return the optimiser of all networks and the course of its rate."""
        floor = min(self.lr_floor / self.lr, 1.0)
        halvings = Schedule("steps", milestones=MILESTONES, factor=0.5, floor=floor)
        return OptimizerSettings("adam", self.lr, 0.9, 0.999, schedule=halvings)
