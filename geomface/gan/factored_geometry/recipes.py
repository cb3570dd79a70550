"""Recipes: settings that were chosen and measured, by name."""

import dataclasses
from typing import Any, Literal

from geomface.errors import SettingsError
from geomface.gan.factored_geometry.settings import (
    FactoredSettings,
    NetworkSettings,
)
from geomface.learning.adversarial import AdversarialSettings
from geomface.learning.loop import LoopSettings

Arm = Literal[
    "full",
    "no-alternate",
    "no-variation",
    "no-features",
    "no-expression-classes",
    "ac-gan",
]
ARMS: dict[Arm, str] = {
    "full": "as specified",
    "no-alternate": "every batch is labelled in all factors",
    "no-variation": "no total variation",
    "no-features": "no feature loss",
    "no-expression-classes": "no classifier of the last factor",
    "ac-gan": "AC-GAN: generated faces are classified too, only labelled codes, no feature loss",
}
"""What is left out, to be compared with; all but the first are there for that."""

RECIPES = ("tiny", "cpu", "paper")
PAPER_STEPS = 200 * 477 * 3
"""200 epochs of 30,559 faces in batches of 64, three steps of the discriminator each."""


def _fast(steps: int, size: int, widths: tuple[int, int], batch: int, every: int) -> dict[str, Any]:
    """Return the settings of a non-saturating GAN with a lazy R1."""
    return {
        "networks": NetworkSettings(size, *widths, features=None),
        "adversarial": AdversarialSettings("non-saturating", r1_weight=0.1, r1_every=8),
        "batch": batch,
        "discriminator_steps": 1,
        "generator_lr": 2e-4,
        "discriminator_lr": 4e-4,
        "lr_decay": 0.5,
        "horizon": steps,
        "loop": LoopSettings(steps, max(every // 5, 1), every, every),
    }


_RECIPES = {
    "tiny": lambda: _fast(steps=20, size=16, widths=(8, 8), batch=16, every=10),
    "cpu": lambda: _fast(steps=8000, size=32, widths=(32, 16), batch=64, every=1000),
    "paper": lambda: {
        "class_samples": 0,
        "horizon": PAPER_STEPS,
        "loop": LoopSettings(PAPER_STEPS, 300, 3000, 3000),
    },
}


def recipe(name: str, *, arm: Arm = "full", seed: int = 0) -> FactoredSettings:
    """Return the settings of a recipe.

    Parameters
    ----------
    name : "tiny" (seconds), "cpu" (at most 10 minutes on two cores) or "paper"
    arm : what is left out, one of `ARMS`
    seed : of weights, order and codes

    Raises
    ------
    SettingsError : an unknown recipe or arm
    """
    if name not in RECIPES:
        raise SettingsError(f"recipe: expected one of {', '.join(RECIPES)}, got {name!r}.")
    return without(FactoredSettings(**_RECIPES[name](), seed=seed), arm)


def without(settings: FactoredSettings, arm: Arm) -> FactoredSettings:
    """Return settings with what an arm leaves out."""
    change = dataclasses.replace
    if arm == "full":
        return settings
    if arm == "no-alternate":
        return change(settings, alternate=False)
    if arm == "no-variation":
        return change(settings, weights=change(settings.weights, variation=0.0))
    if arm == "no-features":
        return change(settings, weights=change(settings.weights, features=0.0))
    if arm == "no-expression-classes":
        *others, last = settings.factors
        return change(settings, factors=(*others, change(last, classified=False)))
    if arm == "ac-gan":
        return change(
            settings,
            classify_fakes=True,
            alternate=False,
            weights=change(settings.weights, features=0.0),
        )
    raise SettingsError(f"arm: expected one of {', '.join(ARMS)}, got {arm!r}.")
