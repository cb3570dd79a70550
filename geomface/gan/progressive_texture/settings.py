"""What a training of this system is made of, and its recipes."""

import dataclasses
from typing import Literal

from geomface.errors import SettingsError
from geomface.gan.progressive_texture.networks import GrowingNetworkSettings
from geomface.gan.progressive_texture.probe import ProbeSettings
from geomface.gan.progressive_texture.schedule import GrowthSettings
from geomface.gan.progressive_texture.shapes import ShapesSettings
from geomface.learning.adversarial import AdversarialSettings
from geomface.learning.device import ComputeSettings
from geomface.learning.loop import FREE, LoopSettings

SYSTEM = "progressive_texture"

Arm = Literal["masked", "unmasked", "clean", "reals-only"]
ARMS: dict[Arm, str] = {
    "masked": "B: all images, the same masks on reals and fakes",
    "unmasked": "A: all images, no masks",
    "clean": "C: only the images that hide nothing",
    "reals-only": "D: all images, masks on the reals only",
}
"""How the masks are used; all but the first are there to be compared with."""


@dataclasses.dataclass(frozen=True)
class OptimizerSettings:
    """Adam for both networks."""

    learning_rate: float = 1e-3
    """Of both networks."""
    beta1: float = 0.0
    """Adam's first decay."""
    beta2: float = 0.99
    """Adam's second decay."""
    average_decay: float = 0.999
    """Decay of the running average of the generator's weights, at each step."""
    settle: float = 0.0
    """Share of the images, at the end, over which the learning rate falls to a twentieth."""

    def __post_init__(self) -> None:
        if not 0 <= self.settle <= 1:
            raise SettingsError(f"settle: expected a share in [0, 1], got {self.settle}.")

    def rate(self, shown: float) -> float:
        """Return the learning rate after a share `shown` of all images; no less after the end."""
        if not self.settle:
            return self.learning_rate
        return self.learning_rate * min(1.0, max((1.0 - shown) / self.settle, 0.05))


@dataclasses.dataclass(frozen=True)
class TextureGanSettings:
    """Settings of one training; `networks` decides between the probe and the growing networks."""

    networks: ProbeSettings | GrowingNetworkSettings
    """Sizes of the networks."""
    growth: GrowthSettings
    """When to grow, and how many images a step; the probe does not grow."""
    adversarial: AdversarialSettings = AdversarialSettings()
    """Loss and penalties."""
    optimizer: OptimizerSettings = OptimizerSettings()
    """Adam and the running average."""
    loop: LoopSettings = LoopSettings()
    """How long, how often."""
    compute: ComputeSettings = ComputeSettings()
    """Device and precision."""
    arm: Arm = "masked"
    """How masks are used."""
    seed: int = 0
    """Of weights, order and latents."""
    shapes: ShapesSettings | None = None
    """The drawn set; None for a folder."""
    held_out: float = 0.0
    """Share of the images, by a hash of their names, that training never sees."""

    def __post_init__(self) -> None:
        if not 0 <= self.held_out < 1:
            raise SettingsError(
                f"held_out: expected a share in [0, 1), got {self.held_out}. 0 holds out nothing."
            )
        if self.shapes is not None and self.held_out:
            raise SettingsError(
                "held_out: expected 0 for shapes, whose test pictures are drawn anew, got "
                f"{self.held_out}. Leave it out."
            )
        if self.arm not in ARMS:
            raise SettingsError(f"arm: expected one of {', '.join(ARMS)}, got {self.arm!r}.")
        devices = self.compute.devices
        if devices > 1 and isinstance(self.networks, ProbeSettings):
            raise SettingsError(
                "devices: expected 1 for the probe, whose batch norm needs the whole batch, got "
                f"{devices}. Use a recipe with growing networks, such as paper."
            )
        for level in range(2, self.networks.top + 1):
            batch = self.growth.batch(2**level)
            if batch % max(devices, 1):
                raise SettingsError(
                    f"devices: expected a divisor of the {batch} images of a step, got {devices}. "
                    "Use fewer devices."
                )


FREE_SETTINGS = FREE | {"compute"}
"""What may differ when a run is resumed."""


def _probe(
    steps: int, count: int, batch: int, widths: tuple[int, int], size: int, every: int
) -> "dict":
    """Return the settings of a probe that trains with hinge and R1 for `steps` steps.

    `widths` are the generator's and the critic's.
    """
    return {
        "networks": ProbeSettings(size, *widths),
        "growth": GrowthSettings(
            start=size, stable_images=1, total_images=steps * batch, batches=((4, batch),)
        ),
        "adversarial": AdversarialSettings(loss="hinge", r1_weight=2.0, r1_every=4),
        "optimizer": OptimizerSettings(1.5e-3, 0.0, 0.99, 0.998, settle=0.5),
        "loop": LoopSettings(steps, max(every // 5, 1), every, every),
        "shapes": ShapesSettings(count=count, size=size),
    }


def _faces(steps: int, batch: int, widths: tuple[int, int], size: int, every: int) -> "dict":
    """Return the settings of a probe for folders, whose faces are all in one place."""
    return {
        "networks": ProbeSettings(size, *widths, deviation=True),
        "growth": GrowthSettings(
            start=size, stable_images=1, total_images=steps * batch, batches=((4, batch),)
        ),
        "adversarial": AdversarialSettings(loss="hinge", r1_weight=0.5, r1_every=4),
        "optimizer": OptimizerSettings(1e-3, 0.0, 0.99, 0.998, settle=0.5),
        "loop": LoopSettings(steps, max(every // 5, 1), every, every),
    }


def _growing(
    network: GrowingNetworkSettings, growth: GrowthSettings, log: int, every: int
) -> "dict":
    """Return the settings of growing networks, as many steps as the schedule needs."""
    return {
        "networks": network,
        "growth": growth,
        "loop": LoopSettings(growth.steps(network.top), log, every, every),
    }


_PAPER_NETWORK = GrowingNetworkSettings(size=1024)
_SHAPE_BATCHES = ((4, 64), (64, 32), (128, 16))

SHAPE_RECIPES = {
    "tiny": lambda: _probe(steps=20, count=64, batch=8, widths=(8, 8), size=16, every=10),
    "cpu": lambda: _probe(steps=5000, count=10_000, batch=32, widths=(32, 48), size=32, every=500),
    "paper": lambda: (
        _growing(
            GrowingNetworkSettings(size=256),
            GrowthSettings(4, 400_000, 400_000, 6_000_000, _SHAPE_BATCHES),
            100,
            2000,
        )
        | {"shapes": ShapesSettings(count=10_000, size=256)}
    ),
}
"""Recipes for `--data shapes`: the probe on a CPU, the growing networks at the paper's 256 px."""

FOLDER_RECIPES = {
    "tiny": lambda: _growing(
        GrowingNetworkSettings(size=16, channel_base=64, channel_max=16, latent=16),
        GrowthSettings(4, 32, 32, 192, ((4, 8),)),
        5,
        10,
    ),
    "cpu": lambda: _faces(steps=3000, batch=32, widths=(16, 32), size=64, every=500),
    "paper": lambda: _growing(_PAPER_NETWORK, GrowthSettings(), 100, 2000),
}
"""Recipes for a folder of textures or geometry images. On a CPU the probe: at equal time it draws
faces where growing networks, which want some hundred thousand images a size, still draw fog."""

RECIPES = ("tiny", "cpu", "paper")
HELD_OUT = 0.1
"""Share of a folder that the recipes leave out of the training."""


def recipe(name: str, *, shapes: bool, arm: Arm = "masked", seed: int = 0) -> TextureGanSettings:
    """Return the settings of a recipe.

    Parameters
    ----------
    name : "tiny" (seconds), "cpu" (minutes on two cores) or "paper"
    shapes : for the drawn shapes, else for a folder
    arm : how masks are used
    seed : of the training; the drawn set is the same for every seed

    Raises
    ------
    SettingsError : an unknown recipe or arm
    """
    table = SHAPE_RECIPES if shapes else FOLDER_RECIPES
    if name not in table:
        raise SettingsError(f"recipe: expected one of {', '.join(RECIPES)}, got {name!r}.")
    held_out = 0.0 if shapes else HELD_OUT
    return TextureGanSettings(**table[name](), arm=arm, seed=seed, held_out=held_out)
