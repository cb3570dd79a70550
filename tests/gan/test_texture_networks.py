"""Growing networks, DCGAN and schedule: counts, paths, norms."""

import dataclasses
import math

import pytest
import torch

from geomface.datasets import ImageSet
from geomface.errors import SettingsError
from geomface.gan.progressive_texture.dcgan import (
    DcganAutoencoder,
    DcganDiscriminator,
    DcganGenerator,
    DcganSettings,
)
from geomface.gan.progressive_texture.layers import (
    EqualConv,
    EqualLinear,
    append_deviation,
    pixel_norm,
)
from geomface.gan.progressive_texture.networks import (
    GrowingAutoencoder,
    GrowingDiscriminator,
    GrowingGenerator,
    GrowingNetworkSettings,
    count_weights,
)
from geomface.gan.progressive_texture.recipes import (
    FOLDER_RECIPES,
    SHAPE_RECIPES,
    recipe,
)
from geomface.gan.progressive_texture.schedule import Growth, GrowthSettings
from geomface.gan.progressive_texture.settings import RateSettings
from geomface.gan.progressive_texture.task import TextureGan
from geomface.learning.device import ComputeSettings
from geomface.learning.masking import double

SMALL = GrowingNetworkSettings(size=32, channel_base=128, channel_max=16, latent=8)


def test_counts_at_1024_pixels_are_those_of_the_paper() -> None:
    with torch.device("meta"):
        generator = GrowingGenerator(GrowingNetworkSettings())
        plain = GrowingDiscriminator(GrowingNetworkSettings(), masked=False)
        masked = GrowingDiscriminator(GrowingNetworkSettings(), masked=True)
    assert count_weights(generator) == 23_079_115
    assert count_weights(plain) == 23_087_249
    # A mask channel adds one weight to every feature of the nine 1 x 1 input layers.
    widths = (512, 512, 512, 512, 256, 128, 64, 32, 16)
    assert count_weights(masked) - count_weights(plain) == sum(widths)


@pytest.mark.parametrize("level", [3, 4, 5])
def test_fade_runs_from_the_smaller_to_the_larger_path(level: int) -> None:
    torch.manual_seed(0)
    generator, latents = GrowingGenerator(SMALL), torch.randn(4, 8)
    discriminator = GrowingDiscriminator(SMALL, masked=False)
    with torch.no_grad():
        small, large = generator(latents, level - 1), generator(latents, level)
        assert large.shape == (4, 3, 2**level, 2**level)
        assert torch.equal(generator(latents, level, 0.0), double(small))
        assert torch.equal(generator(latents, level, 1.0), large)
        half = generator(latents, level, 0.5)
        torch.testing.assert_close(half, (double(small) + large) / 2)
        torch.testing.assert_close(
            discriminator(double(small), level, 0.0), discriminator(small, level - 1)
        )
        assert torch.equal(discriminator(large, level, 1.0), discriminator(large, level))


def test_generator_ignores_the_length_of_a_latent() -> None:
    generator, latents = GrowingGenerator(SMALL), torch.randn(4, 8)
    with torch.no_grad():
        torch.testing.assert_close(generator(latents), generator(3 * latents), rtol=1e-4, atol=1e-5)


def test_pixel_norm_makes_unit_mean_squares() -> None:
    x = torch.randn(2, 6, 3, 3)
    torch.testing.assert_close(pixel_norm(x).square().mean(dim=1), torch.ones(2, 3, 3))


def test_minibatch_deviation() -> None:
    """Image i shares a group with i + N/g, ...; a group of equals gets sqrt(1e-8)."""
    x = torch.randn(8, 3, 2, 2)
    x[4:] = x[:4]
    x[0::2], group = x[0::2], 4
    layer = append_deviation(x, group)[:, 3]
    split = x.reshape(4, 2, 3, 2, 2)
    wanted = (split.var(dim=0, unbiased=False) + 1e-8).sqrt().mean(dim=(1, 2, 3))
    for index in range(8):
        torch.testing.assert_close(layer[index], wanted[index % 2].expand(2, 2))
    same = append_deviation(torch.ones(4, 3, 2, 2))[:, 3]
    torch.testing.assert_close(same, torch.full((4, 2, 2), 1e-4))
    assert append_deviation(torch.randn(6, 3, 2, 2)).shape == (6, 4, 2, 2)


def test_equalised_layers_keep_the_variance() -> None:
    torch.manual_seed(0)
    with torch.no_grad():
        y = EqualConv(64, 256, 3, gain=1.0)(torch.randn(8, 64, 9, 9))[:, :, 1:-1, 1:-1]
        assert y.std().item() == pytest.approx(1, abs=0.03)
        y = EqualLinear(256, 256)(torch.randn(64, 256))
        assert y.std().item() == pytest.approx(math.sqrt(2), abs=0.05)


def test_dcgan_shapes() -> None:
    settings = DcganSettings()
    images = DcganGenerator(settings)(torch.randn(3, 64))
    assert images.shape == (3, 3, 32, 32) and images.abs().max() <= 1
    stacked = torch.cat([images, torch.ones(3, 1, 32, 32)], dim=1)
    assert DcganDiscriminator(settings)(stacked).shape == (3,)
    errors = DcganAutoencoder(settings)(stacked)
    assert errors.shape == (3,) and (errors > 0).all()
    assert count_weights(DcganDiscriminator(settings)) == (
        (4 * 16 * 24 + 24) + (24 * 16 * 48 + 48) + (48 * 16 * 96 + 96) + (96 * 16 + 1)
    )


def test_growing_autoencoder_errs_by_level_and_counts_seen_pixels_only() -> None:
    torch.manual_seed(0)
    discriminator = GrowingAutoencoder(SMALL)
    for level, alpha in ((2, 1.0), (3, 0.4), (5, 1.0)):
        images = torch.randn(4, 3, 2**level, 2**level)
        mask = (torch.rand(4, 1, 2**level, 2**level) > 0.3).float()
        stacked = torch.cat([images * mask, mask], dim=1)
        back = discriminator.decoder(discriminator.encoder(stacked, level, alpha), level, alpha)
        expected = ((images - back).abs() * mask).mean(dim=(1, 2, 3))
        torch.testing.assert_close(discriminator(stacked, level, alpha), expected)
    counts = (
        count_weights(discriminator),
        count_weights(discriminator.decoder),
        count_weights(discriminator.encoder),
    )
    assert counts[0] == counts[1] + counts[2] and counts[1] == count_weights(
        GrowingGenerator(SMALL)
    )


def test_dcgan_with_deviation_sees_too_little_variety() -> None:
    settings = DcganSettings(size=16, generator_width=4, discriminator_width=4, deviation=True)
    torch.manual_seed(0)
    discriminator, images = DcganDiscriminator(settings), torch.randn(4, 4, 16, 16)
    plain = DcganSettings(size=16, generator_width=4, discriminator_width=4)
    more = count_weights(discriminator) - count_weights(DcganDiscriminator(plain))
    assert more == (128 + 16) * 128 + 128 + 129 - (128 + 1)
    together, alone = (
        discriminator(images),
        torch.cat([discriminator(image[None]) for image in images]),
    )
    assert (together - alone).abs().max() > 1e-4


def test_schedule() -> None:
    growth = GrowthSettings(4, 100, 50, 1000, ((4, 10), (16, 5)))
    assert growth.at(0, 4) == Growth(2, 1.0, 10)
    assert growth.at(99, 4) == Growth(2, 1.0, 10)
    assert growth.at(100, 4) == Growth(3, 0.0, 10)
    assert growth.at(125, 4) == Growth(3, 0.5, 10)
    assert growth.at(150, 4) == Growth(3, 1.0, 10)
    assert growth.at(250, 4) == Growth(4, 0.0, 5)
    assert growth.at(300, 4) == Growth(4, 1.0, 5)
    assert growth.at(999_999, 4) == Growth(4, 1.0, 5)
    assert growth.steps(4) == 25 + 750 // 5


def test_schedule_counts_its_steps_without_walking_them() -> None:
    growth = GrowthSettings(4, 97, 31, 1013, ((4, 8), (8, 7), (32, 3)))
    shown = count = 0
    while shown < growth.total_images:
        shown, count = shown + growth.at(shown, 5).batch, count + 1
    assert growth.steps(5) == count


def test_recipes_resolve_and_unknown_ones_are_refused() -> None:
    for shapes, table in ((True, SHAPE_RECIPES), (False, FOLDER_RECIPES)):
        for name in table:
            settings = recipe(name, shapes=shapes)
            assert settings.loop.steps > 0
        assert (
            recipe("tiny", shapes=shapes).loop.checkpoint_every
            < recipe("tiny", shapes=shapes).loop.steps
        )
    with pytest.raises(SettingsError, match="expected one of tiny, cpu, paper, got 'huge'"):
        recipe("huge", shapes=True)
    with pytest.raises(SettingsError, match="masking: expected one of masked"):
        recipe("tiny", shapes=True, masking="E")  # type: ignore[arg-type]


def test_impossible_sizes_are_refused() -> None:
    with pytest.raises(SettingsError, match="power of two from 8 to 1024, got 48"):
        GrowingNetworkSettings(size=48)
    with pytest.raises(SettingsError, match="channel_base"):
        GrowingNetworkSettings(size=1024, channel_base=64)
    with pytest.raises(SettingsError, match="power of two from 16, got 20"):
        DcganSettings(size=20)
    with pytest.raises(SettingsError, match="start"):
        GrowthSettings(start=6)


def test_learning_rate_falls_at_the_end() -> None:
    rates = RateSettings(2e-3, lr_decay=0.5)
    adam = rates.adam()
    assert [adam.lr * adam.schedule.rate(at) for at in (0.0, 0.5, 0.75, 1.0, 3.0)] == pytest.approx(
        [2e-3, 2e-3, 1e-3, 1e-4, 1e-4]
    )
    assert RateSettings(2e-3).adam().schedule.rate(1.0) == 1
    with pytest.raises(SettingsError, match=r"lr_decay: expected 0 to 1, got 2"):
        RateSettings(lr_decay=2)


def test_a_step_takes_the_rate_of_its_place() -> None:
    settings = dataclasses.replace(
        recipe("tiny", shapes=True), optimizer=RateSettings(2e-3, lr_decay=1.0), shapes=None
    )
    images = torch.zeros(8, 3, 16, 16, dtype=torch.uint8)
    task = TextureGan(settings, ImageSet(images))
    for done in range(3):
        task.step()
        shown = done * 8 / settings.growth.total_images
        rates = {
            group["lr"]
            for optimizer in task.state.optimizers.values()
            for group in optimizer.param_groups
        }
        assert rates == {2e-3 * (1 - shown)}


def test_only_batches_of_sizes_that_are_trained_must_be_shared() -> None:
    settings = recipe("paper", shapes=False)
    small = dataclasses.replace(settings.networks, size=128)
    with pytest.raises(SettingsError, match="divisor of the 4 images of a step, got 8"):
        dataclasses.replace(settings, compute=ComputeSettings("cpu", devices=8))
    dataclasses.replace(settings, networks=small, compute=ComputeSettings("cpu", devices=8))
