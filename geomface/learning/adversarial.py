"""Adversarial losses with their penalties, one call a side; and the closed forms below them."""

import dataclasses
from typing import Literal

import torch
import torch.nn.functional as F

from geomface.errors import SettingsError
from geomface.learning.distributed import current_ranks
from geomface.learning.metrics_log import Metrics
from geomface.learning.penalties import Score, drift_penalty, gradient_penalty, r1_penalty
from geomface.ranges import COUNT, NOT_NEGATIVE, POSITIVE, require_numbers

LossKind = Literal["non-saturating", "hinge", "lsgan", "wgan-gp", "began"]
LOSS_KINDS: tuple[LossKind, ...] = ("non-saturating", "hinge", "lsgan", "wgan-gp", "began")


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
    """Gamma of the R1 penalty, used with non-saturating, hinge and lsgan; 0 leaves it out."""
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
        require_numbers(
            self,
            gradient_weight=NOT_NEGATIVE,
            gradient_target=NOT_NEGATIVE,
            drift_weight=NOT_NEGATIVE,
            r1_weight=NOT_NEGATIVE,
            r1_every=COUNT,
            began_gamma=POSITIVE,
            began_rate=NOT_NEGATIVE,
        )


class BeganBalance(torch.nn.Module):
    """BEGAN's balance k of one discriminator, on its device; a system may have several.

    Parameters
    ----------
    gamma : wanted ratio of the fakes' to the reals' reconstruction error
    rate : step size
    """

    k: torch.Tensor

    def __init__(self, gamma: float = 0.5, rate: float = 0.001) -> None:
        super().__init__()
        self.gamma, self.rate = gamma, rate
        self.register_buffer("k", torch.zeros((), dtype=torch.float64))

    @torch.no_grad()
    def update(self, real: torch.Tensor, fake: torch.Tensor) -> None:
        """Move k by the mean errors of the whole batch: k + rate (gamma L(x) - L(G(z))) in [0, 1].

        Parameters
        ----------
        real, fake : reconstruction errors of this process's shard

        Source
        ------
        Berthelot et al. 2017, Eq. 1. It uses the two errors; Gecer et al. 2018, Eq. 4, prints the
        discriminator's whole loss, which mixes k into its own update.
        """
        real, fake = current_ranks().mean(torch.stack([real.mean(), fake.mean()])).double()
        self.k.add_(self.rate * (self.gamma * real - fake)).clamp_(0.0, 1.0)


def d_loss(
    use: AdversarialSettings,
    score: Score,
    real: torch.Tensor,
    fake: torch.Tensor,
    *,
    mix: torch.Tensor | None = None,
    step: int = 0,
    balance: BeganBalance | None = None,
    suffix: str = "",
) -> tuple[torch.Tensor, Metrics]:
    """Return what a discriminator minimises, with its penalties, and metrics.

    wgan-gp  L + lambda E[(|grad D| - target)^2] + drift E[D(x)^2]
    began    L with k of the balance, which then moves
    others   L + gamma r1_every E[|grad D|^2] / 2 at every r1_every-th step

    L is `discriminator_loss`. Masks are the score's business, see `MaskedDiscriminator`.

    Parameters
    ----------
    use : kind and weights
    score : images -> (N,) scores; for began, reconstruction errors
    real, fake : (N, C, H, W)
    mix : (N,) uniform in [0, 1), for wgan-gp
    step : steps done
    balance : for began
    suffix : of the metrics' names, where a system has several discriminators
    """
    real_scores, fake_scores = score(real), score(fake)
    k = 0.0 if balance is None else balance.k.to(fake_scores.dtype, copy=True)
    loss = discriminator_loss(use.loss, real_scores, fake_scores, k=k)
    metrics: dict[str, torch.Tensor | float] = {
        "loss/discriminator": loss,
        "score/real": real_scores.mean(),
        "score/fake": fake_scores.mean(),
    }
    if use.loss == "wgan-gp":
        if mix is None:
            raise SettingsError("wgan-gp: expected `mix`, uniform draws of the batch, got none.")
        slope = gradient_penalty(score, real, fake, mix=mix, target=use.gradient_target)
        drift = drift_penalty(real_scores)
        loss = loss + use.gradient_weight * slope + use.drift_weight * drift
        metrics |= {"penalty/gradient": slope, "penalty/drift": drift}
    elif use.loss == "began":
        if balance is None:
            raise SettingsError("began: expected a `balance`, got none.")
        balance.update(real_scores.detach(), fake_scores.detach())
        metrics["balance/k"] = balance.k.clone()
    elif use.r1_weight and step % use.r1_every == 0:
        slope = r1_penalty(score, real)
        loss = loss + use.r1_weight * use.r1_every * slope
        metrics["penalty/r1"] = slope
    return loss, {f"{name}{suffix}": value for name, value in metrics.items()}


def g_loss(use: AdversarialSettings, score: Score, fake: torch.Tensor) -> torch.Tensor:
    """Return what a generator minimises: `generator_loss` of the scores of its images."""
    return generator_loss(use.loss, score(fake))


def discriminator_loss(
    kind: LossKind, real: torch.Tensor, fake: torch.Tensor, *, k: torch.Tensor | float = 0.0
) -> torch.Tensor:
    """Return what the discriminator minimises, without penalties.

    non-saturating  E[softplus(-D(x))] + E[softplus(D(G(z)))]
    hinge           E[max(0, 1 - D(x))] + E[max(0, 1 + D(G(z)))]
    lsgan           (E[(D(x) - 1)^2] + E[D(G(z))^2]) / 2
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
    way round in print and would reward one that errs); Mao et al. 2017; Gulrajani et al. 2017;
    Berthelot et al. 2017, Eq. 1.
    """
    if kind == "non-saturating":
        return F.softplus(-real).mean() + F.softplus(fake).mean()
    if kind == "hinge":
        return F.relu(1.0 - real).mean() + F.relu(1.0 + fake).mean()
    if kind == "lsgan":
        return 0.5 * ((real - 1.0).square().mean() + fake.square().mean())
    if kind == "wgan-gp":
        return fake.mean() - real.mean()
    if kind == "began":
        return real.mean() - k * fake.mean()
    raise SettingsError(f"loss: expected one of {', '.join(LOSS_KINDS)}, got {kind!r}.")


def generator_loss(kind: LossKind, fake: torch.Tensor) -> torch.Tensor:
    """Return what the generator minimises.

    non-saturating  E[softplus(-D(G(z)))]
    lsgan           E[(D(G(z)) - 1)^2] / 2
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
    if kind == "lsgan":
        return 0.5 * (fake - 1.0).square().mean()
    if kind in ("hinge", "wgan-gp"):
        return -fake.mean()
    if kind == "began":
        return fake.mean()
    raise SettingsError(f"loss: expected one of {', '.join(LOSS_KINDS)}, got {kind!r}.")
