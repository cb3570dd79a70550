"""Sizes of the VAEs of the factors, and how they are trained."""

import dataclasses
import math
from typing import Literal

from geomface.errors import SettingsError
from geomface.ranges import COUNT, NOT_NEGATIVE, POSITIVE, SHARE, require_numbers

FACTORS = ("identity", "expression", "light", "pose")
"""What a population is of, and files of coefficients are called."""
RECIPES = ("tiny", "paper")
RecipeName = Literal["tiny", "paper"]


@dataclasses.dataclass(frozen=True)
class VaeSize:
    """Sizes of the networks of one factor; the encoder is the mirror of the decoder."""

    latent: int
    """Numbers of the code."""
    hidden: int
    """Width of the hidden layers, of which there are three."""

    def __post_init__(self) -> None:
        require_numbers(self, latent=COUNT, hidden=COUNT)


@dataclasses.dataclass(frozen=True)
class FactorVaeSettings:
    """Sizes and training of the VAEs; the defaults are those of DiscoFaceGAN.

    Source
    ------
    Deng et al. 2020, DiscoFaceGAN, and its code.
    """

    identity: VaeSize = VaeSize(128, 512)
    expression: VaeSize = VaeSize(32, 256)
    light: VaeSize = VaeSize(16, 128)
    pose: VaeSize = VaeSize(3, 32)
    batch: int = 64
    """Rows a step."""
    epochs: int = 400
    """How often all rows are shown at most."""
    least_steps: int = 0
    """For few rows: as many epochs more as these steps take."""
    lr: float = 1e-4
    """Rate of Adam."""
    halve_every: float = 0.375
    """Share of the epochs after which the rate is halved, and halved again."""
    kl_rise: float = 0.0
    """Share of the epochs in which the weight of the KL rises to 1, so that codes come into use."""
    patience: float = 1.0
    """Share of the epochs without a gain on held-out rows after which a training ends."""

    def __post_init__(self) -> None:
        require_numbers(
            self,
            batch=COUNT,
            epochs=COUNT,
            least_steps=NOT_NEGATIVE,
            lr=POSITIVE,
            halve_every="(0, 1]",
            kl_rise=SHARE,
            patience="(0, 1]",
        )

    def epochs_of(self, rows: int) -> int:
        """Return how often that many rows are shown."""
        return max(self.epochs, math.ceil(self.least_steps / math.ceil(rows / self.batch)))


def factor_vae_recipe(name: RecipeName = "tiny") -> FactorVaeSettings:
    """Return the settings of a recipe: "tiny" for populations of hundreds, "paper" as published.

    Raises
    ------
    SettingsError : an unknown name
    """
    if name == "paper":
        return FactorVaeSettings()
    if name != "tiny":
        raise SettingsError(f"recipe: expected {' or '.join(RECIPES)}, got {name!r}.")
    return FactorVaeSettings(
        identity=VaeSize(32, 128),
        expression=VaeSize(16, 64),
        light=VaeSize(8, 64),
        pose=VaeSize(3, 32),
        epochs=30,
        least_steps=4000,
        lr=2e-3,
        halve_every=0.25,
        kl_rise=0.25,
        patience=0.25,
    )
