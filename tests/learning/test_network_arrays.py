"""Networks that ship: what is written is read, and nothing else is taken for it."""

import numpy as np
import pytest
import torch
from torch import nn

from geomface.errors import FileFormatError
from geomface.learning.network_arrays import fill_network, network_arrays

SAID = {"path": "W.safetensors", "remedy": "Train it again."}


def network(width: int = 4) -> nn.Module:
    made = nn.Sequential(nn.Conv2d(1, width, 3), nn.BatchNorm2d(width), nn.Linear(2, 2))
    made.train()(torch.randn(8, 1, 4, 4))
    return made


def test_a_network_is_read_as_it_was_written_but_for_half_precision() -> None:
    written, read = network(), network()
    arrays = network_arrays(written, "own.")
    assert {array.dtype.name for array in arrays.values()} == {"float16", "float32"}
    fill_network(read, arrays | {"other": np.zeros(3)}, "own.", **SAID)
    for name, tensor in written.state_dict().items():
        if "num_batches" not in name:
            expected = tensor.half().float() if tensor.ndim > 1 else tensor
            torch.testing.assert_close(read.state_dict()[name], expected, rtol=0, atol=0)
    assert not read.training and all(one.requires_grad for one in read.parameters())


def test_other_networks_and_numbers_that_are_not_finite_are_refused() -> None:
    arrays = network_arrays(network())
    with pytest.raises(FileFormatError, match="this version's Sequential. Train it again"):
        fill_network(network(5), arrays, **SAID)
    with pytest.raises(FileFormatError, match="not the weights"):
        fill_network(network(), {}, **SAID)
    arrays["1.running_var"][0] = np.nan
    with pytest.raises(FileFormatError, match="finite weights"):
        fill_network(network(), arrays, **SAID)
