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
from geomface.ranges import COUNT, NOT_NEGATIVE, POSITIVE, SEED, SHARE, require_numbers

SYSTEM = System("landmark_reenactment")
Condition = Literal["heatmaps", "contours"]
SCHEMES = (66, 68)
PAPER_STEPS = 300_000
Game = Literal["hinge", "printed"]
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
    warp: bool = False
    """Show the generator its input as the landmarks move it, see `warp_field`, not as it is: then
    it has to repair, not to move, which is learned in a fraction of the steps."""

    def __post_init__(self) -> None:
        counts = ("size", "width", "blocks", "discriminator_width", "points")
        require_numbers(self, **dict.fromkeys(counts, COUNT), sigma=POSITIVE)
        require_halved_twice(self.size)
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


@dataclasses.dataclass(frozen=True)
class LossWeights:
    """Weights of the generator's losses, the paper's by default, and their power."""

    power: int = 2
    """p of the pixel, self and triple loss, mean |a - b|^p."""
    adversarial: float = 1.0
    """Of -D(G(I; t))."""
    pixel: float = 10.0
    """Of G(I; t) - I_t."""
    self_consistency: float = 100.0
    """Of G(G(I; t); s) - I."""
    triple_consistency: float = 100.0
    """Of G(G(I; t); n) - G(I; n)."""
    identity: float = 1.0
    """Of the angle between descriptors of I and G(I; t), where an embedder is given."""
    perceptual: float = 10.0
    """Of feature maps of G(I; t) and I_t, where a network is given."""
    variation: float = 1e-4
    """Of the total variation of G(I; t)."""

    def __post_init__(self) -> None:
        names = (field.name for field in dataclasses.fields(self))
        require_numbers(self, **dict.fromkeys(names, NOT_NEGATIVE) | {"power": "[1, 2]"})


@dataclasses.dataclass(frozen=True)
class ReenactmentSettings:
    """Settings of one training."""

    networks: NetworkSettings = NetworkSettings()
    """Sizes of the networks."""
    weights: LossWeights = LossWeights()
    """Of the losses."""
    consistency_begins: float = 0.1
    """Share of the training before which self and triple loss count nothing: handing back the input
    fulfils both, and a network that learns that first does not leave it."""
    consistency_full: float = 0.2
    """Share from which they count in full; their weights rise linearly until then."""
    game: Game = "hinge"
    """The adversarial loss; printed is as the paper prints it, with real and made exchanged."""
    unpaired: float = 0.5
    """Share of the batches that are made of still pictures, where there are some."""
    mirror: float = 0.5
    """Share of the pictures that are shown mirrored."""
    batch: int = 16
    """Triplets a step."""
    lr: float = 1e-4
    """Adam's rate for both networks."""
    lr_floor: float = 1e-6
    """Where the rate ends."""
    lr_falls_from: float = 1 / 3
    """Share of the training after which the rate falls linearly."""
    clip: float | None = 1.0
    """Largest norm of a network's gradient."""
    horizon: int = PAPER_STEPS
    """Steps over which the rate falls; not the loop's, which may be raised later."""
    ema: EmaSettings = EmaSettings(0.999, warm_up=True)
    """The average of the generator, by which pictures are made."""
    loop: LoopSettings = LoopSettings()
    """How long, how often."""
    compute: ComputeSettings = ComputeSettings()
    """Device and precision."""
    seed: int = 0
    """Of weights, orders and all that is drawn."""

    def __post_init__(self) -> None:
        require_numbers(
            self,
            consistency_begins=SHARE,
            consistency_full=SHARE,
            unpaired=SHARE,
            mirror=SHARE,
            batch=COUNT,
            lr=POSITIVE,
            lr_floor=NOT_NEGATIVE,
            lr_falls_from="[0, 1)",
            clip=POSITIVE,
            horizon=COUNT,
            seed=SEED,
        )
        if self.game not in get_args(Game):
            raise SettingsError(
                f"game: expected one of {', '.join(get_args(Game))}, got {self.game!r}."
            )
        if self.batch % max(self.compute.devices, 1):
            raise SettingsError(
                f"devices: expected a divisor of the {self.batch} triplets of a step, got "
                f"{self.compute.devices}. Use fewer devices."
            )

    def consistency(self, share: float) -> float:
        """Return the factor of the weights of both consistencies after a share of the training."""
        if share < self.consistency_begins:
            return 0.0
        rise = self.consistency_full - self.consistency_begins
        return min((share - self.consistency_begins) / rise, 1.0) if rise > 0 else 1.0

    def adam(self) -> OptimizerSettings:
        """Return the optimiser of both networks and the course of its rate."""
        falling = Schedule(
            "linear", begin=self.lr_falls_from, floor=min(self.lr_floor / self.lr, 1.0)
        )
        return OptimizerSettings("adam", self.lr, 0.5, 0.9999, clip=self.clip, schedule=falling)
