"""Adversarial losses over the scores of a discriminator: one function a side, one name a kind."""

import dataclasses
from typing import Literal

import torch
import torch.nn.functional as F

from geomface.errors import SettingsError

LossKind = Literal["non-saturating", "hinge", "wgan-gp", "began"]
LOSS_KINDS: tuple[LossKind, ...] = ("non-saturating", "hinge", "wgan-gp", "began")


@dataclasses.dataclass(frozen=True)
class AdversarialSettings:
    """An adversarial loss with its penalties."""

    loss: LossKind = "wgan-gp"
    """Kind of the loss; began needs a discriminator that is an autoencoder."""
    gradient_weight: float = 10.0
    """Lambda of the gradient penalty, used with wgan-gp."""
    gradient_target: float = 1.0
    """Norm that the gradient penalty asks for."""
    drift_weight: float = 0.001
    """Weight of E[D(real)^2], used with wgan-gp."""
    r1_weight: float = 0.0
    """Gamma of the R1 penalty, used with non-saturating and hinge; 0 leaves it out."""
    r1_every: int = 1
    """Steps between two R1 penalties; their weight is multiplied to make up for it."""
    began_gamma: float = 0.5
    """Wanted ratio of the fakes' to the reals' reconstruction error."""
    began_rate: float = 0.001
    """Learning rate of BEGAN's k."""

    def __post_init__(self) -> None:
        if self.loss not in LOSS_KINDS:
            raise SettingsError(
                f"loss: expected one of {', '.join(LOSS_KINDS)}, got {self.loss!r}."
            )
        if self.r1_every < 1:
            raise SettingsError(f"r1_every: expected 1 or more, got {self.r1_every}.")
        if min(self.gradient_weight, self.drift_weight, self.r1_weight) < 0:
            raise SettingsError("the weights of penalties must not be negative.")


def discriminator_loss(
    kind: LossKind, real: torch.Tensor, fake: torch.Tensor, *, k: float = 0.0
) -> torch.Tensor:
    """Return what the discriminator minimises, without penalties.

    non-saturating  E[softplus(-D(x))] + E[softplus(D(G(z)))]
    hinge           E[max(0, 1 - D(x))] + E[max(0, 1 + D(G(z)))]
    wgan-gp         E[D(G(z))] - E[D(x)]
    began           E[L(x)] - k E[L(G(z))], L the reconstruction error

    Parameters
    ----------
    kind : one of `LOSS_KINDS`
    real, fake : (N,) scores; for began, reconstruction errors
    k : BEGAN's balance

    Source
    ------
    Goodfellow et al. 2014; Lim & Ye 2017 (the sign of Sanchez & Valstar 2018, Eq. 3, is the other
    way round in print and would reward one that errs); Gulrajani et al. 2017; Berthelot et al.
    2017, Eq. 1.
    """
    if kind == "non-saturating":
        return F.softplus(-real).mean() + F.softplus(fake).mean()
    if kind == "hinge":
        return F.relu(1.0 - real).mean() + F.relu(1.0 + fake).mean()
    if kind == "wgan-gp":
        return fake.mean() - real.mean()
    if kind == "began":
        return real.mean() - k * fake.mean()
    raise SettingsError(f"loss: expected one of {', '.join(LOSS_KINDS)}, got {kind!r}.")


def generator_loss(kind: LossKind, fake: torch.Tensor) -> torch.Tensor:
    """Return what the generator minimises.

    non-saturating  E[softplus(-D(G(z)))]
    hinge, wgan-gp  -E[D(G(z))]
    began           E[L(G(z))]

    Parameters
    ----------
    kind : one of `LOSS_KINDS`
    fake : (N,) scores; for began, reconstruction errors

    Source
    ------
    As `discriminator_loss`.
    """
    if kind == "non-saturating":
        return F.softplus(-fake).mean()
    if kind in ("hinge", "wgan-gp"):
        return -fake.mean()
    if kind == "began":
        return fake.mean()
    raise SettingsError(f"loss: expected one of {', '.join(LOSS_KINDS)}, got {kind!r}.")


def next_began_k(k: float, real: float, fake: float, *, gamma: float, rate: float) -> float:
    """Return BEGAN's next balance: clip(k + rate (gamma L(x) - L(G(z))), 0, 1).

    Parameters
    ----------
    k : balance before the step
    real, fake : mean reconstruction errors of the step
    gamma : wanted ratio of errors
    rate : step size

    Source
    ------
    Berthelot et al. 2017, Eq. 1. It uses the two errors; Gecer et al. 2018's code uses the
    discriminator's whole loss, which mixes k into its own update.
    """
    return min(max(k + rate * (gamma * real - fake), 0.0), 1.0)
