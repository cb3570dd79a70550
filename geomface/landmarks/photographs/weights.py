"""The file of the detector for photographs: both networks in half precision."""

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np

from geomface.errors import FileFormatError
from geomface.landmarks.photographs.finder import FinderNetwork
from geomface.landmarks.photographs.network import PhotographNetwork

KIND = "photograph-detector"
SCHEMA = 1
ASSET = "photograph_landmarks/detector.safetensors"


@dataclasses.dataclass(frozen=True, eq=False)
class PhotographWeights:
    """Trained networks, in evaluation mode.

    Parameters
    ----------
    finder : finds faces at every size
    landmarks : finds the points in the window of a face
    sigma_factor : what the network's uncertainties are multiplied by, so that they say how large
        errors are on people that it was not trained on
    """

    finder: FinderNetwork
    landmarks: PhotographNetwork
    sigma_factor: float = 1.0


def save_weights(
    path: Path | str, weights: PhotographWeights, config: dict[str, Any] | None = None
) -> None:
    """Write a detector (kind "photograph-detector"); filters in half precision, the rest single."""
    from geomface.files.tensors import save_tensors
    from geomface.learning.network_arrays import network_arrays

    factor = np.array([weights.sigma_factor], np.float32)
    finder = network_arrays(weights.finder, "finder.")
    landmarks = network_arrays(weights.landmarks, "landmarks.")
    arrays = {"sigma_factor": factor} | finder | landmarks
    save_tensors(path, arrays, kind=KIND, schema=SCHEMA, units=None, config=config or {})


def load_weights(path: Path | str | None = None) -> PhotographWeights:
    """Read a detector; without a path, the one that ships with geomface.

    Raises
    ------
    FileFormatError : missing or damaged, or weights of other networks.
    """
    import torch

    from geomface.files.assets import asset_path
    from geomface.files.tensors import load_tensors
    from geomface.learning.network_arrays import fill_network

    path = asset_path(ASSET) if path is None else path
    remedy = "Train them again with tools/train_photograph_detector.py, or reinstall geomface."
    arrays, _ = load_tensors(path, kind=KIND, schema=SCHEMA)
    finder, landmarks = FinderNetwork(), PhotographNetwork()
    for name, network in (("finder.", finder), ("landmarks.", landmarks)):
        fill_network(network, arrays, name, path=path, remedy=remedy)
        network.requires_grad_(False).to(memory_format=torch.channels_last)  # type: ignore
    factor = arrays.get("sigma_factor", np.zeros(0))
    if factor.shape != (1,) or not 0 < factor[0] < np.inf:
        raise FileFormatError(
            f"{path}: expected one positive number as sigma_factor, got {factor}. {remedy}"
        )
    return PhotographWeights(finder, landmarks, float(factor[0]))
