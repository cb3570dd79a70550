"""Adversarial losses and penalties: closed forms, and gradients against differences."""

import math

import pytest
import torch

from geomface.errors import SettingsError
from geomface.learning import (
    LOSS_KINDS,
    AdversarialSettings,
    BeganBalance,
    LossKind,
    d_loss,
    discriminator_loss,
    drift_penalty,
    g_loss,
    generator_loss,
    gradient_penalty,
    r1_penalty,
)

GOOD, BAD = torch.tensor([1.0, 1.0]), torch.tensor([-1.0, -1.0])


def test_hinge_of_a_perfect_discriminator_is_zero() -> None:
    assert discriminator_loss("hinge", GOOD, BAD) == 0
    # The sign as printed in Sanchez & Valstar, Eq. 3, is this with the two exchanged.
    assert discriminator_loss("hinge", BAD, GOOD) == 4


def test_non_saturating_at_zero_scores() -> None:
    zero = torch.zeros(5)
    assert discriminator_loss("non-saturating", zero, zero).item() == pytest.approx(2 * math.log(2))
    assert generator_loss("non-saturating", zero).item() == pytest.approx(math.log(2))


def test_wasserstein_is_the_difference_of_means() -> None:
    real, fake = torch.tensor([1.0, 3.0]), torch.tensor([-1.0, 0.0])
    assert discriminator_loss("wgan-gp", real, fake).item() == -2.5
    assert generator_loss("wgan-gp", fake).item() == 0.5


def test_began() -> None:
    real, fake = torch.ones(3), torch.full((3,), 0.3)
    assert discriminator_loss("began", real, fake, k=0.2).item() == pytest.approx(1 - 0.2 * 0.3)
    balance = BeganBalance(gamma=0.5, rate=0.001)
    balance.k.fill_(0.2)
    balance.update(real, fake)
    assert balance.k.item() == pytest.approx(0.2002, abs=1e-9)
    hasty = BeganBalance(rate=1.0)
    for errors, limit in [((9.0, 0.0), 1.0), ((0.0, 9.0), 0.0)]:
        hasty.update(*(torch.full((3,), error) for error in errors))
        assert hasty.k.item() == limit


def test_least_squares() -> None:
    assert discriminator_loss("lsgan", GOOD, torch.zeros(2)) == 0
    assert discriminator_loss("lsgan", BAD, GOOD).item() == 0.5 * (4 + 1)
    assert generator_loss("lsgan", BAD).item() == 2.0


@pytest.mark.parametrize("kind", LOSS_KINDS)
def test_one_call_is_the_loss_and_its_penalties(kind: LossKind) -> None:
    real, fake, weights, mix = penalty_inputs()
    use = AdversarialSettings(loss=kind, r1_weight=0.7, r1_every=3, drift_weight=0.2)
    balance = BeganBalance()
    balance.k.fill_(0.4)

    def score(images: torch.Tensor) -> torch.Tensor:
        return smooth_discriminator(weights, images).abs()

    for step in range(4):
        k = balance.k.item()
        loss, metrics = d_loss(use, score, real, fake, mix=mix, step=step, balance=balance)
        expected = discriminator_loss(kind, score(real), score(fake), k=k)
        torch.testing.assert_close(metrics["loss/discriminator"], expected)
        if kind == "wgan-gp":
            slope = gradient_penalty(score, real, fake, mix=mix)
            expected = expected + 10.0 * slope + 0.2 * drift_penalty(score(real))
        elif kind != "began" and step % 3 == 0:
            expected = expected + 0.7 * 3 * r1_penalty(score, real)
        torch.testing.assert_close(loss, expected)
        assert (balance.k.item() != k) == (kind == "began")
    assert torch.equal(g_loss(use, score, fake), generator_loss(kind, score(fake)))
    named = d_loss(use, score, real, fake, mix=mix, balance=balance, suffix="/photos")[1]
    assert all(name.endswith("/photos") for name in named)


def test_what_a_loss_needs_is_asked_for() -> None:
    real, fake, weights, _ = penalty_inputs()
    for kind, missing in [("wgan-gp", "mix"), ("began", "balance")]:
        use = AdversarialSettings(loss=kind)  # type: ignore[arg-type]
        with pytest.raises(SettingsError, match=f"{kind}: expected .*`{missing}`"):
            d_loss(use, lambda x: smooth_discriminator(weights, x), real, fake)


@pytest.mark.parametrize("kind", LOSS_KINDS)
def test_losses_agree_with_finite_differences(kind: LossKind) -> None:
    generator = torch.Generator().manual_seed(3)
    real, fake = (
        torch.randn(6, generator=generator, dtype=torch.float64).requires_grad_(True)
        for _ in range(2)
    )
    assert torch.autograd.gradcheck(
        lambda a, b: discriminator_loss(kind, a, b, k=0.4), (real, fake)
    )
    assert torch.autograd.gradcheck(lambda b: generator_loss(kind, b), (fake,))


def smooth_discriminator(weights: torch.Tensor, images: torch.Tensor) -> torch.Tensor:
    return torch.tanh(torch.einsum("nchw,kchw->nk", images, weights)).sum(dim=1)


def penalty_inputs() -> tuple[torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(5)
    real, fake = (
        torch.randn(3, 2, 2, 2, generator=generator, dtype=torch.float64) for _ in range(2)
    )
    weights = torch.randn(2, 2, 2, 2, generator=generator, dtype=torch.float64) * 0.4
    return real, fake, weights.requires_grad_(True), torch.tensor([0.1, 0.5, 0.9])


def test_penalties_agree_with_finite_differences() -> None:
    real, fake, weights, mix = penalty_inputs()

    def slope(w: torch.Tensor) -> torch.Tensor:
        return gradient_penalty(lambda x: smooth_discriminator(w, x), real, fake, mix=mix.double())

    assert torch.autograd.gradcheck(slope, (weights,))
    assert torch.autograd.gradcheck(
        lambda w: r1_penalty(lambda x: smooth_discriminator(w, x), real), (weights,)
    )
    assert torch.autograd.gradcheck(
        lambda w: drift_penalty(smooth_discriminator(w, real)), (weights,)
    )


def test_penalties_of_a_linear_discriminator() -> None:
    real, fake, weights, mix = penalty_inputs()
    norm = weights[0].detach().norm().item()

    def linear(images: torch.Tensor) -> torch.Tensor:
        return torch.einsum("nchw,chw->n", images, weights[0])

    slope = gradient_penalty(linear, real, fake, mix=mix, target=1.0)
    assert slope.item() == pytest.approx((norm - 1) ** 2, rel=1e-12)
    wide = gradient_penalty(linear, real, fake, mix=mix, target=750.0)
    assert wide.item() == pytest.approx(((norm - 750) / 750) ** 2, rel=1e-12)
    assert r1_penalty(linear, real).item() == pytest.approx(0.5 * norm**2, rel=1e-12)


def test_gradient_penalty_is_finite_where_nothing_is_seen() -> None:
    weight = torch.ones((), requires_grad=True)
    images = torch.zeros(2, 3, 4, 4)
    slope = gradient_penalty(
        lambda x: (x * 0 * weight).sum(dim=(1, 2, 3)), images, images, mix=torch.zeros(2)
    )
    slope.backward()
    assert slope.item() == pytest.approx(1.0) and weight.grad is not None
    assert torch.isfinite(weight.grad)


def test_unknown_losses_and_bad_weights_are_refused() -> None:
    with pytest.raises(SettingsError, match=r"non-saturating, hinge, lsgan, wgan-gp, began.*'mse'"):
        AdversarialSettings(loss="mse")  # type: ignore[arg-type]
    with pytest.raises(SettingsError, match="r1_weight: expected 0 or more"):
        AdversarialSettings(r1_weight=-1)
    with pytest.raises(SettingsError, match="r1_every"):
        AdversarialSettings(r1_every=0)
    with pytest.raises(SettingsError, match="'mse'"):
        discriminator_loss("mse", GOOD, BAD)  # type: ignore[arg-type]
