"""Faster forms of the same step: fused doubling, fused Adam, bfloat16."""

import dataclasses

import pytest
import torch
import torch.nn.functional as F
from resume_cases import CASES, build_data

from geomface.gan.progressive_texture import layers
from geomface.gan.progressive_texture.dcgan import DcganGenerator
from geomface.gan.progressive_texture.layers import EqualConv, double_and_convolve
from geomface.gan.progressive_texture.networks import GrowingNetworkSettings
from geomface.gan.progressive_texture.schedule import GrowthSettings
from geomface.gan.progressive_texture.task import TextureGan
from geomface.learning.convolution import convolve
from geomface.learning.device import ComputeSettings, multiplies_bfloat16
from geomface.learning.masking import double


def _plain(images: torch.Tensor, weight: torch.Tensor, bias: torch.Tensor) -> torch.Tensor:
    return F.conv2d(double(images), weight, bias, padding=1)


@pytest.mark.parametrize(("dtype", "bound"), [(torch.float64, 1e-12), (torch.float32, 1e-5)])
def test_fused_doubling_has_the_same_values_and_first_and_second_derivatives(
    dtype: torch.dtype, bound: float
) -> None:
    torch.manual_seed(0)
    shapes = ((2, 5, 4, 6), (3, 5, 3, 3), (3,))
    inputs = tuple(torch.randn(shape, dtype=dtype).requires_grad_() for shape in shapes)
    toward = torch.randn(2, 3, 8, 12, dtype=dtype)
    results = []
    for function in (_plain, double_and_convolve):
        y = function(*inputs)
        # Of y^3, so that the second derivative is not that of a bilinear form only.
        first = torch.autograd.grad((y.pow(3) * toward).sum(), inputs, create_graph=True)
        total = torch.stack([item.square().sum() for item in first]).sum()
        second = torch.autograd.grad(total, inputs)
        results.append((y, *first, *second))
    for plain, fused in zip(*results, strict=True):
        scale = float(plain.detach().abs().max())
        assert float((plain - fused).detach().abs().max()) <= bound * scale


def test_layer_takes_the_fused_form_for_large_images_only(monkeypatch: pytest.MonkeyPatch) -> None:
    torch.manual_seed(0)
    layer, sizes = EqualConv(3, 4, 3), []
    monkeypatch.setattr(
        layers,
        "double_and_convolve",
        lambda x, *rest: sizes.append(x.shape[-1]) or double_and_convolve(x, *rest),
    )
    for size in (16, 32):
        images = torch.randn(1, 3, size, size)
        torch.testing.assert_close(layer.double(images), layer(double(images)))
    assert sizes == [32]


def test_fused_adam_steps_as_the_plain_one() -> None:
    tasks = [TextureGan(CASES["fade-wgan-gp"], build_data(CASES["fade-wgan-gp"])) for _ in "ab"]
    for task in tasks:
        for optimizer in task.optimizers.values():
            for group in optimizer.param_groups:
                assert group["fused"] is True
                group["fused"], group["foreach"] = task is tasks[0], False
    for _ in range(6):
        for task in tasks:
            task.step()
    weights = [
        [
            item
            for name in ("generator", "discriminator")
            for item in task.networks[name].parameters()
        ]
        for task in tasks
    ]
    moved = 0.0
    for fused, plain in zip(*weights, strict=True):
        torch.testing.assert_close(fused, plain, rtol=1e-3, atol=1e-4)
        moved = max(moved, float(fused.detach().abs().max()))
    assert moved > 0


@pytest.mark.skipif(not multiplies_bfloat16(), reason="this CPU does not multiply bfloat16")
def test_bfloat16_step_is_near_the_float32_step() -> None:
    settings = dataclasses.replace(
        CASES["fade-wgan-gp"],
        networks=GrowingNetworkSettings(size=16, channel_base=256, channel_max=32, latent=16),
        growth=GrowthSettings(16, 1, 0, 400, ((4, 8),)),
    )
    half = dataclasses.replace(settings, compute=ComputeSettings("cpu", precision="bfloat16"))
    metrics = [TextureGan(item, build_data(item)).step() for item in (settings, half)]
    for name in ("loss/discriminator", "penalty/gradient", "loss/generator"):
        exact, near = (float(torch.as_tensor(item[name]).detach()) for item in metrics)
        assert near == pytest.approx(exact, rel=0.05, abs=0.02), name


def test_layers_take_the_convolution_of_fast_second_derivatives_in_bfloat16(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    torch.manual_seed(0)
    layer, images, called = EqualConv(3, 4, 3), torch.randn(2, 3, 8, 8), []
    monkeypatch.setattr(layers, "convolve", lambda *given: called.append(1) or convolve(*given))
    exact = layer(images)
    assert not called
    with torch.autocast("cpu", torch.bfloat16):
        near = layer(images)
    assert called == [1] and near.dtype == torch.bfloat16
    torch.testing.assert_close(near.float(), exact, rtol=0.02, atol=0.03)


def test_penalties_do_not_meet_a_compiled_network(monkeypatch: pytest.MonkeyPatch) -> None:
    compiled: list[type] = []
    monkeypatch.setattr(torch.nn.Module, "compile", lambda self: compiled.append(type(self)))
    settings = dataclasses.replace(
        CASES["dcgan-hinge"], compute=ComputeSettings("cpu", compile=True)
    )
    TextureGan(settings, build_data(settings)).step()
    assert compiled == [DcganGenerator]
