"""Recipes: settings that were chosen and measured, by name."""

from typing import Any

from geomface.errors import SettingsError
from geomface.gan.progressive_texture.dcgan import DcganSettings
from geomface.gan.progressive_texture.networks import GrowingNetworkSettings
from geomface.gan.progressive_texture.schedule import GrowthSettings
from geomface.gan.progressive_texture.settings import (
    Masking,
    RateSettings,
    TextureGanSettings,
)
from geomface.gan.progressive_texture.shapes import ShapesSettings
from geomface.learning.adversarial import AdversarialSettings
from geomface.learning.loop import LoopSettings


def _dcgan(
    steps: int, count: int, batch: int, widths: tuple[int, int], size: int, every: int
) -> dict[str, Any]:
    """Return the settings of a DCGAN that trains with hinge and R1 for `steps` steps.

    `widths` are the generator's and the discriminator's.
    """
    return {
        "networks": DcganSettings(size, *widths),
        "growth": GrowthSettings(
            start=size, stable_images=1, total_images=steps * batch, batches=((4, batch),)
        ),
        "adversarial": AdversarialSettings(loss="hinge", r1_weight=2.0, r1_every=4),
        "optimizer": RateSettings(1.5e-3, 0.0, 0.99, 0.998, lr_decay=0.5),
        "loop": LoopSettings(steps, max(every // 5, 1), every, every),
        "shapes": ShapesSettings(count=count, size=size),
    }


def _faces(
    steps: int, batch: int, widths: tuple[int, int], size: int, every: int
) -> dict[str, Any]:
    """Return the settings of a DCGAN for folders, whose faces are all in one place."""
    return {
        "networks": DcganSettings(size, *widths, deviation=True),
        "growth": GrowthSettings(
            start=size, stable_images=1, total_images=steps * batch, batches=((4, batch),)
        ),
        "adversarial": AdversarialSettings(loss="hinge", r1_weight=0.5, r1_every=4),
        "optimizer": RateSettings(1e-3, 0.0, 0.99, 0.998, lr_decay=0.5),
        "loop": LoopSettings(steps, max(every // 5, 1), every, every),
    }


def _growing(
    network: GrowingNetworkSettings, growth: GrowthSettings, log: int, every: int
) -> dict[str, Any]:
    """Return the settings of growing networks, as many steps as the schedule needs."""
    return {
        "networks": network,
        "growth": growth,
        "loop": LoopSettings(growth.steps(network.top), log, every, every),
    }


_PAPER_NETWORK = GrowingNetworkSettings(size=1024)
_SHAPE_BATCHES = ((4, 64), (64, 32), (128, 16))

SHAPE_RECIPES = {
    "tiny": lambda: _dcgan(steps=20, count=64, batch=8, widths=(8, 8), size=16, every=10),
    "cpu": lambda: _dcgan(steps=5000, count=10_000, batch=32, widths=(32, 48), size=32, every=500),
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
"""Recipes for `--data shapes`: the DCGAN on a CPU, the growing networks at the paper's 256 px."""

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
"""Recipes for a folder of textures or geometry images. On a CPU the DCGAN: at equal time it draws
faces where growing networks, which want some hundred thousand images a size, still draw fog."""

RECIPES = ("tiny", "cpu", "paper")
HELD_OUT = 0.1
"""Share of a folder that the recipes leave out of the training."""


def recipe(
    name: str, *, shapes: bool, masking: Masking = "masked", seed: int = 0
) -> TextureGanSettings:
    """Return the settings of a recipe.

    Parameters
    ----------
    name : "tiny" (seconds), "cpu" (minutes on two cores) or "paper"
    shapes : for the drawn shapes, else for a folder
    masking : how masks are used
    seed : of the training; the drawn set is the same for every seed

    Raises
    ------
    SettingsError : an unknown recipe or masking
    """
    table = SHAPE_RECIPES if shapes else FOLDER_RECIPES
    if name not in table:
        raise SettingsError(f"recipe: expected one of {', '.join(RECIPES)}, got {name!r}.")
    held_out = 0.0 if shapes else HELD_OUT
    return TextureGanSettings(**table[name](), masking=masking, seed=seed, held_out=held_out)
