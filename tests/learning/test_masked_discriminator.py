"""What lies behind a mask changes no bit of any score, loss or gradient."""

import pytest
import torch

from geomface.gan.progressive_texture.networks import (
    GrowingAutoencoder,
    GrowingDiscriminator,
    GrowingGenerator,
    GrowingNetworkSettings,
)
from geomface.learning import (
    LOSS_KINDS,
    LossKind,
    MaskedDiscriminator,
    discriminator_loss,
    fade_with_mask,
    generator_loss,
    gradient_penalty,
    halve_with_mask,
    hide,
    min_pool,
    r1_penalty,
)
from geomface.learning.masking import double

SMALL = GrowingNetworkSettings(size=16, channel_base=64, channel_max=8, latent=8)


def holes(count: int, size: int, seed: int = 0) -> torch.Tensor:
    generator = torch.Generator().manual_seed(seed)
    return (torch.rand(count, 1, size, size, generator=generator) > 0.2).float()


def discriminator(kind: LossKind = "hinge") -> MaskedDiscriminator:
    torch.manual_seed(1)
    network = GrowingAutoencoder if kind == "began" else GrowingDiscriminator
    return MaskedDiscriminator(network(SMALL, masked=True))


@pytest.mark.parametrize("poison", [7.0, -1e30, float("inf"), float("nan")])
@pytest.mark.parametrize("alpha", [0.0, 0.3, 1.0])
@pytest.mark.parametrize("kind", LOSS_KINDS)
def test_hidden_pixels_change_nothing(kind: LossKind, alpha: float, poison: float) -> None:
    """Scores with minibatch deviation, losses, both penalties and all gradients, bit by bit."""
    network, mask = discriminator(kind), holes(8, 16)
    generator = torch.Generator().manual_seed(2)
    real, fake = (torch.randn(8, 3, 16, 16, generator=generator) for _ in range(2))
    mix = torch.rand(8, generator=generator)

    def everything(real: torch.Tensor, fake: torch.Tensor) -> list[torch.Tensor]:
        network.zero_grad()
        shown, faded = fade_with_mask(real, mask, alpha)
        fake = fake.clone().requires_grad_(True)

        def score(images: torch.Tensor) -> torch.Tensor:
            return network(images, faded, 4, alpha)

        loss = discriminator_loss(kind, score(shown), score(fake), k=0.5)
        loss = loss + gradient_penalty(score, shown, fake, mix=mix) + r1_penalty(score, shown)
        loss.backward()
        assert fake.grad is not None
        own = fake.grad.clone()
        (through,) = torch.autograd.grad(generator_loss(kind, score(fake)), fake)
        hidden = (faded == 0).expand_as(fake)
        assert not own[hidden].any() and not through[hidden].any()
        assert through[~hidden].any()
        weights = [item.grad.clone() for item in network.parameters() if item.grad is not None]
        assert all(torch.isfinite(item).all() for item in weights)
        return [loss.detach(), own, through, *weights]

    faded = fade_with_mask(real, mask, alpha)[1]
    clean = everything(real, fake)
    dirty = everything(torch.where(mask > 0, real, poison), torch.where(faded > 0, fake, poison))
    assert len(clean) == len(dirty) > 10
    for before, after in zip(clean, dirty, strict=True):
        assert torch.equal(before, after)


def test_the_mask_itself_is_seen() -> None:
    network, images = discriminator(), torch.zeros(4, 3, 16, 16)
    with torch.no_grad():
        assert not torch.equal(
            network(images, holes(4, 16)), network(images, torch.ones(4, 1, 16, 16))
        )


def test_hide_leaves_exact_zeros() -> None:
    images = torch.tensor([[[[float("nan"), -2.0], [float("inf"), 3.0]]]])
    mask = torch.tensor([[[[0.0, 1.0], [0.0, 1.0]]]])
    shown = hide(images, mask)
    assert torch.equal(shown, torch.tensor([[[[0.0, -2.0], [0.0, 3.0]]]]))
    assert not torch.signbit(shown[0, 0, :, 0]).any()


def test_masks_shrink_by_minimum_and_images_by_mean() -> None:
    mask = torch.ones(1, 1, 4, 4)
    mask[0, 0, 0, 1] = 0
    assert torch.equal(min_pool(mask), torch.tensor([[[[0.0, 1.0], [1.0, 1.0]]]]))
    images = torch.arange(16.0).reshape(1, 1, 4, 4)
    small, small_mask = halve_with_mask(images, mask)
    assert torch.equal(small, torch.tensor([[[[0.0, 4.5], [10.5, 12.5]]]]))
    assert torch.equal(small_mask, min_pool(mask))


def test_fade_begins_at_the_smaller_size_and_ends_at_the_larger() -> None:
    images, mask = torch.randn(4, 3, 8, 8), holes(4, 8)
    small, small_mask = halve_with_mask(images, mask)
    shown, faded = fade_with_mask(images, mask, 0.0)
    assert torch.equal(faded, double(small_mask))
    torch.testing.assert_close(hide(shown, faded), double(small), rtol=0, atol=1e-6)
    shown, faded = fade_with_mask(images, mask, 1.0)
    assert torch.equal(shown, images) and torch.equal(faded, mask)
    for alpha in (0.01, 0.5, 0.99):
        faded = fade_with_mask(images, mask, alpha)[1]
        assert torch.equal(faded > 0, mask > 0)
        whole = double(small_mask) > 0
        assert (faded[whole] == 1).all()


def test_masked_discriminator_at_the_start_of_a_fade_is_the_smaller_discriminator() -> None:
    network, mask = discriminator(), holes(8, 16)
    torch.manual_seed(3)
    generator = GrowingGenerator(SMALL)
    real, latents = torch.randn(8, 3, 16, 16), torch.randn(8, 8)
    with torch.no_grad():
        small, small_mask = halve_with_mask(real, mask)
        shown, faded = fade_with_mask(real, mask, 0.0)
        torch.testing.assert_close(
            network(shown, faded, 4, 0.0), network(small, small_mask, 3, 1.0), rtol=0, atol=1e-5
        )
        torch.testing.assert_close(
            network(generator(latents, 4, 0.0), faded, 4, 0.0),
            network(generator(latents, 3, 1.0), small_mask, 3, 1.0),
            rtol=0,
            atol=1e-5,
        )
