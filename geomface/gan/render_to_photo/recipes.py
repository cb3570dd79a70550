"""Recipes, variants and arms: settings that were chosen, by name."""

import dataclasses
from typing import Any, Literal

from geomface.errors import SettingsError
from geomface.gan.render_to_photo.settings import (
    PAPER_STEPS,
    LossWeights,
    NetworkSettings,
    TranslationSettings,
)
from geomface.learning.ema import EmaSettings
from geomface.learning.loop import LoopSettings

Arm = Literal["full", "no-pairs", "no-identity", "no-cycle", "cyclegan", "reconstruction", "hard"]
ARMS: dict[Arm, str] = {
    "full": "as specified",
    "no-pairs": "no game of pairs",
    "no-identity": "no loss of identity",
    "no-cycle": "no cycle, and so no game of pairs",
    "cyclegan": "neither pairs nor identity",
    "reconstruction": "pairs are also learned from directly: |G(s) - r|",
    "hard": "no skips and no loss to the input: only pairs tell what belongs where",
}
"""What is left out or added, to be compared with; all but the first are there for that."""

Variant = Literal["corrected", "paper", "released"]
VARIANTS: dict[Variant, str] = {
    "corrected": "the paper's losses with their misprints mended; the face alone near its input",
    "paper": "batch norm, the whole picture near its input, seven halvings of the rate",
    "released": "as the released code: the variance of the identity loss squared once more",
}
"""Where print and code differ."""

RECIPES = ("tiny", "cpu", "paper")


def _quick(
    steps: int, size: int, widths: tuple[int, int], code: int, batch: int, every: int
) -> dict[str, Any]:
    """Return the settings of a short training: quicker rates, balances and averages.

    gamma is higher than the paper's 0.5, at which pictures of little contrast, which any
    autoencoder draws easily, are in balance already. The loss of identity weighs more than its
    0.001, which shows in 248,000 steps but not in a thousand.
    """
    return {
        "networks": NetworkSettings(size, *widths, code=code, first_weights="kept-strength"),
        "weights": LossWeights(identity=0.02),
        "gamma": 0.9,
        "balance_rate": 0.01,
        "batch": batch,
        "lr": 1e-3,
        "lr_floor": 3e-5,
        "horizon": steps,
        "ema": EmaSettings(0.995, warm_up=True),
        "loop": LoopSettings(steps, max(every // 5, 1), every, every),
    }


_RECIPES = {
    "tiny": lambda: _quick(steps=20, size=16, widths=(4, 4), code=8, batch=4, every=10),
    "cpu": lambda: _quick(steps=2000, size=32, widths=(8, 16), code=64, batch=16, every=250),
    "paper": lambda: {"loop": LoopSettings(PAPER_STEPS, 200, 2000, 2000)},
}


def recipe(
    name: str, *, arm: Arm = "full", variant: Variant = "corrected", seed: int = 0
) -> TranslationSettings:
    """Return the settings of a recipe.

    Parameters
    ----------
    name : "tiny" (seconds), "cpu" (minutes on one core, 32 px) or "paper" (108 px, a GPU)
    arm : what is left out or added, one of `ARMS`
    variant : whose losses, one of `VARIANTS`
    seed : of weights, orders and draws

    Raises
    ------
    SettingsError : an unknown recipe, arm or variant
    """
    if name not in RECIPES:
        raise SettingsError(f"recipe: expected one of {', '.join(RECIPES)}, got {name!r}.")
    settings = TranslationSettings(**_RECIPES[name](), seed=seed)
    return with_arm(as_published(settings, variant), arm)


def as_published(settings: TranslationSettings, variant: Variant) -> TranslationSettings:
    """Return settings as the paper or the released code has them, where these differ."""
    change = dataclasses.replace
    if variant == "corrected":
        return settings
    if variant == "paper":
        networks = change(settings.networks, norm="batch")
        return change(settings, networks=networks, masked=False, lr_floor=0.0)
    if variant == "released":
        return change(settings, variance_power=2)
    raise SettingsError(f"variant: expected one of {', '.join(VARIANTS)}, got {variant!r}.")


def with_arm(settings: TranslationSettings, arm: Arm) -> TranslationSettings:
    """Return settings with what an arm leaves out or adds."""
    change = dataclasses.replace
    left_out: dict[str, tuple[str, ...]] = {
        "full": (),
        "no-pairs": ("pairs",),
        "no-identity": ("identity",),
        "no-cycle": ("cycle", "pairs"),
        "cyclegan": ("pairs", "identity"),
        "reconstruction": (),
        "hard": ("input",),
    }
    if arm not in left_out:
        raise SettingsError(f"arm: expected one of {', '.join(ARMS)}, got {arm!r}.")
    weights = change(settings.weights, **dict.fromkeys(left_out[arm], 0.0))
    if arm == "reconstruction":
        weights = change(weights, reconstruction=1.0)
    if arm == "hard":
        settings = change(settings, networks=change(settings.networks, skips=False))
    return change(settings, weights=weights)
