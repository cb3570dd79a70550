"""The instance norm of one pass against torch's."""

import pytest
import torch
import torch.nn.functional as F

from geomface.learning.instance_norm import LeakyInstanceNorm


@pytest.mark.parametrize(("slope", "affine"), [(1.0, False), (0.2, True), (0.2, False)])
def test_it_is_torchs_norm_and_relu(slope: float, affine: bool) -> None:
    drawn = torch.Generator().manual_seed(0)
    layer = LeakyInstanceNorm(5, slope, affine=affine).double()
    if affine:
        for weight in layer.parameters():
            torch.nn.init.normal_(weight, generator=drawn)
    x = torch.randn(3, 5, 6, 4, dtype=torch.float64, generator=drawn, requires_grad=True)
    toward = torch.randn(3, 5, 6, 4, dtype=torch.float64, generator=drawn)
    y = F.instance_norm(x, weight=layer.weight, bias=layer.bias)
    expected = F.leaky_relu(y, slope)
    inputs = [x, *layer.parameters()]
    wanted = torch.autograd.grad(expected, inputs, toward)
    for given in (x, x.to(memory_format=torch.channels_last)):
        made = layer(given)
        torch.testing.assert_close(made, expected)
        found = torch.autograd.grad(made, inputs, toward)
        torch.testing.assert_close(found, wanted)


def test_other_kinds_of_numbers_and_layouts_stay() -> None:
    layer = LeakyInstanceNorm(4, 0.2)
    x = torch.randn(2, 4, 8, 8).to(memory_format=torch.channels_last)
    assert layer(x).is_contiguous(memory_format=torch.channels_last)
    half = layer(x.bfloat16())
    assert half.dtype == torch.bfloat16
    torch.testing.assert_close(half.float(), layer(x), rtol=0.05, atol=0.05)
