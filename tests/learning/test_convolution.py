"""The convolution with fast second derivatives is torch's, to every order that is used."""

import pytest
import torch
import torch.nn.functional as F

from geomface.learning.convolution import convolve


@pytest.mark.parametrize("size", [1, 3, 5])
@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last])
def test_values_and_derivatives_up_to_the_third(size: int, layout: torch.memory_format) -> None:
    torch.manual_seed(0)
    images = torch.randn(2, 3, 6, 5, dtype=torch.float64).contiguous(memory_format=layout)
    weight = torch.randn(4, 3, size, size, dtype=torch.float64).contiguous(memory_format=layout)
    inputs = tuple(
        item.requires_grad_() for item in (images, weight, torch.randn(4, dtype=torch.float64))
    )
    results = []
    for function in (lambda x, w, b: F.conv2d(x, w, b, padding=size // 2), convolve):
        values = [function(*inputs)]
        total = values[0].pow(3).sum()
        for order in range(3):
            slopes = torch.autograd.grad(total, inputs, create_graph=order < 2)
            values += slopes
            total = torch.stack([item.square().sum() for item in slopes]).sum()
        results.append(values)
    for expected, got in zip(*results, strict=True):
        scale = float(expected.detach().abs().max())
        assert float((expected - got).detach().abs().max()) <= 1e-12 * scale


def test_gradcheck_accepts_both_derivatives() -> None:
    torch.manual_seed(0)
    images = torch.randn(1, 2, 4, 3, dtype=torch.float64, requires_grad=True)
    weight = torch.randn(2, 2, 3, 3, dtype=torch.float64, requires_grad=True)
    bias = torch.randn(2, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(convolve, (images, weight, bias))
    assert torch.autograd.gradgradcheck(convolve, (images, weight, bias))


def test_frozen_weights_get_no_gradient() -> None:
    images, weight = torch.randn(1, 2, 4, 4, requires_grad=True), torch.randn(3, 2, 3, 3)
    convolve(images, weight).sum().backward()
    assert images.grad is not None and weight.grad is None
