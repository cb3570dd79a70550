"""Networks that were trained come back as they were, or in a sentence that says why not."""

from pathlib import Path

import numpy as np
import pytest
import torch

from geomface.learning import CheckpointError
from geomface.learning.trained import TrainedModel


def model_of(weight: np.ndarray) -> TrainedModel:
    """Return a model of one layer."""
    bias = np.zeros(2, np.float32)
    arrays = {"layer": {"weight": weight, "bias": bias}}
    return TrainedModel(Path("run.safetensors"), 3, None, {}, {}, arrays)


def test_weights_come_back() -> None:
    weight = np.arange(6, dtype=np.float32).reshape(2, 3)
    layer = model_of(weight).fill("layer", torch.nn.Linear(3, 2))
    np.testing.assert_array_equal(layer.weight.detach().numpy(), weight)


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_a_training_that_went_astray_is_told(bad: float) -> None:
    weight = np.ones((2, 3), np.float32)
    weight[1, 2] = bad
    with pytest.raises(CheckpointError, match=r"run.safetensors: layer: expected finite numbers"):
        model_of(weight).fill("layer", torch.nn.Linear(3, 2))


def test_another_shape_and_another_name_are_told() -> None:
    model = model_of(np.ones((2, 3), np.float32))
    with pytest.raises(CheckpointError, match="layer"):
        model.fill("layer", torch.nn.Linear(4, 2))
    with pytest.raises(CheckpointError, match="expected the network 'other', got layer"):
        model.fill("other", torch.nn.Linear(3, 2))
