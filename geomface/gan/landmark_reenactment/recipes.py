"""Recipes, arms and presets of weights: settings that were chosen, by name."""

import dataclasses
from typing import Any, Literal

from geomface.errors import SettingsError
from geomface.gan.landmark_reenactment.settings import (
    PAPER_STEPS,
    LossWeights,
    NetworkSettings,
    ReenactmentSettings,
)
from geomface.learning.ema import EmaSettings
from geomface.learning.loop import LoopSettings

Arm = Literal[
    "both", "self", "triple", "none", "printed-hinge", "no-adversary", "no-mask", "no-warp"
]
ARMS: dict[Arm, str] = {
    "both": "as specified: self and triple consistency",
    "self": "no triple consistency",
    "triple": "no self consistency",
    "none": "neither",
    "printed-hinge": "the adversarial loss as the paper prints it, real and made exchanged",
    "no-adversary": "nobody judges",
    "no-mask": "every pixel of a result is new",
    "no-warp": "pictures are shown to the generator as they are, as in the paper",
}
"""What is left out or changed, to be compared with; all but the first are there for that."""

Preset = Literal["paper", "code", "balanced"]
PRESETS: dict[Preset, LossWeights] = {
    "paper": LossWeights(),
    "code": LossWeights(1, 1.0, 100.0, 100.0, 100.0, 1.0, 10.0, 1e-5),
    "balanced": LossWeights(1, 1.0, 100.0, 30.0, 100.0, 1.0, 10.0, 1e-5),
}
"""Weights of the losses: the paper's are for squares, those of the released code for |a - b|. With
the latter, handing back the input is a minimum that short trainings do not leave: the pixel loss
gains 100 a unit there, and both consistencies lose 200. Balanced, the way back weighs less."""

RECIPES = ("tiny", "cpu", "paper")


def _quick(
    steps: int, size: int, width: int, blocks: int, batch: int, every: int
) -> dict[str, Any]:
    """Return the settings of a short training: warped pictures, lines for heatmaps, quick rates."""
    return {
        "networks": NetworkSettings(size, width, blocks, width, "contours", sigma=0.7, warp=True),
        "batch": batch,
        "lr": 1e-3,
        "lr_floor": 1e-5,
        "horizon": steps,
        "consistency_begins": 0.3,
        "consistency_full": 0.6,
        "ema": EmaSettings(0.995, warm_up=True),
        "loop": LoopSettings(steps, max(every // 5, 1), every, every, evaluate_every=every),
    }


_RECIPES = {
    "tiny": lambda: _quick(steps=20, size=16, width=4, blocks=1, batch=4, every=10),
    "cpu": lambda: _quick(steps=3000, size=32, width=16, blocks=2, batch=16, every=500),
    "paper": lambda: {"loop": LoopSettings(PAPER_STEPS, 200, 2000, 2000, evaluate_every=2000)},
}


def recipe(
    name: str, *, arm: Arm = "both", weights: Preset | None = None, seed: int = 0
) -> ReenactmentSettings:
    """Return the settings of a recipe.

    Parameters
    ----------
    name : "tiny" (seconds), "cpu" (ten minutes on one core, 32 px) or "paper" (128 px, a GPU)
    arm : what is left out or changed, one of `ARMS`
    weights : of the losses, one of `PRESETS`; by default the paper's for "paper", else "balanced"
    seed : of weights, orders and draws

    Raises
    ------
    SettingsError : an unknown recipe, arm or preset
    """
    if name not in RECIPES:
        raise SettingsError(f"recipe: expected one of {', '.join(RECIPES)}, got {name!r}.")
    preset = weights or ("paper" if name == "paper" else "balanced")
    if preset not in PRESETS:
        raise SettingsError(f"weights: expected one of {', '.join(PRESETS)}, got {preset!r}.")
    settings = ReenactmentSettings(**_RECIPES[name](), weights=PRESETS[preset], seed=seed)
    return with_arm(settings, arm)


def with_arm(settings: ReenactmentSettings, arm: Arm) -> ReenactmentSettings:
    """Return settings with what an arm leaves out or changes.

    Raises
    ------
    SettingsError : an unknown arm
    """
    change = dataclasses.replace
    left_out: dict[str, tuple[str, ...]] = {
        "self": ("triple_consistency",),
        "triple": ("self_consistency",),
        "none": ("self_consistency", "triple_consistency"),
        "no-adversary": ("adversarial",),
    }
    if arm not in ARMS:
        raise SettingsError(f"arm: expected one of {', '.join(ARMS)}, got {arm!r}.")
    weights = change(settings.weights, **dict.fromkeys(left_out.get(arm, ()), 0.0))
    if arm == "printed-hinge":
        settings = change(settings, game="printed")
    if arm == "no-mask":
        settings = change(settings, networks=change(settings.networks, mask_head=False))
    if arm == "no-warp":
        settings = change(settings, networks=change(settings.networks, warp=False))
    return change(settings, weights=weights)
