"""Translators and autoencoders: as many weights as published, any size, noise that is given."""

import dataclasses

import pytest
import torch

from geomface.errors import SettingsError
from geomface.gan.render_to_photo import Autoencoder, NetworkSettings, Translator
from geomface.gan.render_to_photo.settings import LossWeights, TranslationSettings
from geomface.learning import ComputeSettings

SMALL = NetworkSettings(size=32, width=4, discriminator_width=4, code=8)


def weights(network: torch.nn.Module) -> int:
    return sum(item.numel() for item in network.parameters())


@pytest.mark.parametrize(("size", "autoencoder"), [(108, 6_723_459), (64, 4_011_651)])
def test_networks_of_the_paper_have_its_weights(size: int, autoencoder: int) -> None:
    settings = NetworkSettings(size=size)
    assert weights(Translator(settings)) == 1_101_600
    assert weights(Translator(settings, inverse=True)) == 1_078_464
    assert weights(Autoencoder(settings)) == autoencoder


def test_autoencoders_halve_odd_sides_up() -> None:
    assert NetworkSettings(size=108).sides == (108, 54, 27, 14)
    assert NetworkSettings(size=48).sides == (48, 24, 12)
    assert NetworkSettings(size=16).sides == (16, 8)


@pytest.mark.parametrize("size", [16, 32, 48, 64, 100, 108])
def test_pictures_keep_their_size(size: int) -> None:
    settings = dataclasses.replace(SMALL, size=size)
    images = torch.rand(2, 3, size, size) * 2 - 1
    for network in (Translator(settings), Translator(settings, inverse=True)):
        translated = network(images)
        assert translated.shape == images.shape and translated.abs().max() <= 1
    assert Autoencoder(settings)(images).shape == images.shape


def test_what_is_dropped_follows_from_the_noise() -> None:
    torch.manual_seed(0)
    network = Translator(SMALL).eval()
    images = torch.rand(3, 3, 32, 32) * 2 - 1
    noise = torch.rand(3, *network.noise_shape(32))
    together = network(images, noise)
    for row in range(3):
        alone = network(images[row : row + 1], noise[row : row + 1])
        torch.testing.assert_close(alone[0], together[row])
    assert not torch.equal(together, network(images))
    assert torch.equal(network(images), network(images))
    assert not torch.equal(network.train()(images), network(images))
    # With all dropped, only the skips are left.
    nothing = torch.zeros_like(noise)
    assert network(images, nothing).any()
    straight = Translator(dataclasses.replace(SMALL, skips=False))
    assert not straight(images, nothing).any()


@pytest.mark.parametrize("width", [8, 32])
def test_narrow_translators_begin_as_strong_as_those_of_the_paper(width: int) -> None:
    torch.manual_seed(0)
    images = torch.rand(2, 3, 32, 32) * 2 - 1
    network = Translator(NetworkSettings(size=32, width=width), inverse=True)
    assert 1e-4 < network(images).std() < 1e-3
    assert width != 32 or network.blocks[0].layers[0].weight.std().item() == pytest.approx(  # type: ignore[union-attr,index]
        0.02, rel=0.02
    )


def test_the_inverse_has_neither_noise_nor_skips() -> None:
    network = Translator(SMALL, inverse=True).train()
    images = torch.rand(1, 3, 32, 32)
    assert torch.equal(network(images), network(images))
    without = Translator(dataclasses.replace(SMALL, skips=False, dropout=0.0))
    assert weights(without) == weights(network) < weights(Translator(SMALL))


@pytest.mark.parametrize(("norm", "kind"), [("instance", "InstanceNorm2d"), ("batch", "Batch")])
def test_norms_stand_after_each_convolution(norm: str, kind: str) -> None:
    network = Translator(dataclasses.replace(SMALL, norm=norm))  # type: ignore[arg-type]
    names = [type(layer).__name__ for layer in network.modules()]
    convolutions = sum(name.startswith("Conv") for name in names)
    assert sum(name.startswith(kind) for name in names) == convolutions - 1  # not after the last


@pytest.mark.parametrize(
    ("make", "told"),
    [
        (lambda: NetworkSettings(size=50), "multiple of 4 from 16.*got 50. Take 48"),
        (lambda: NetworkSettings(size=8), "Take 16"),
        (lambda: NetworkSettings(norm="layer"), "none, instance, batch, got 'layer'"),  # type: ignore[arg-type]
        (lambda: NetworkSettings(dropout=1.0), "dropout"),
        (lambda: LossWeights(cycle=-1), "cycle"),
        (lambda: TranslationSettings(variance_power=3), "variance_power"),
        (
            lambda: TranslationSettings(batch=6, compute=ComputeSettings("cpu", devices=4)),
            "divisor of the 6 pictures of a step, got 4",
        ),
    ],
)
def test_settings_out_of_range_are_refused(make, told: str) -> None:
    with pytest.raises(SettingsError, match=told):
        make()


@torch.no_grad()
@pytest.mark.parametrize("width", [4, 8, 32])
@pytest.mark.parametrize("inverse", [False, True])
def test_strong_first_weights_keep_the_strength_of_signals(width: int, inverse: bool) -> None:
    torch.manual_seed(3)
    images = torch.rand(4, 3, 32, 32) * 2 - 1
    found = {}
    for first in ("published", "kept-strength"):
        settings = NetworkSettings(size=32, width=width, first_weights=first)
        network = Translator(settings, inverse=inverse).eval()
        inner = network.down2(network.down1(network.first(images)))
        for block in network.blocks:
            inner = block(inner)
        found[first] = float(network.up1(inner).square().mean().sqrt())
        assert network(images).abs().max() < 1
    strength = float(images.square().mean().sqrt())
    assert 0.4 < found["kept-strength"] / strength < 2.5
    assert found["published"] / strength < 0.25


def test_first_weights_have_names() -> None:
    with pytest.raises(SettingsError, match="first_weights: expected one of published"):
        NetworkSettings(first_weights="strong")  # type: ignore[arg-type]
