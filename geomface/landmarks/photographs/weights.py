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

    arrays = {"sigma_factor": np.array([weights.sigma_factor], np.float32)}
    for name, network in (("finder", weights.finder), ("landmarks", weights.landmarks)):
        for key, tensor in network.state_dict().items():
            if key.endswith("num_batches_tracked"):
                continue
            precision = np.float16 if tensor.ndim > 1 else np.float32
            arrays[f"{name}.{key}"] = tensor.detach().contiguous().numpy().astype(precision)
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

    path = asset_path(ASSET) if path is None else path
    arrays, _ = load_tensors(path, kind=KIND, schema=SCHEMA)
    finder, landmarks = FinderNetwork(), PhotographNetwork()
    try:
        for name, network in (("finder", finder), ("landmarks", landmarks)):
            state = {
                key.removeprefix(f"{name}."): torch.from_numpy(array.astype(np.float32))
                for key, array in arrays.items()
                if key.startswith(f"{name}.")
            }
            counters = {
                key: value
                for key, value in network.state_dict().items()
                if key.endswith("num_batches_tracked")
            }
            network.load_state_dict(state | counters)
        factor = float(arrays["sigma_factor"][0])
    except (RuntimeError, KeyError) as error:
        raise FileFormatError(
            f"{path}: these are not the weights of this version's networks for photographs. Train "
            "them again with tools/train_photograph_detector.py, or reinstall geomface."
        ) from error
    for network in (finder, landmarks):
        network.eval().requires_grad_(False).to(memory_format=torch.channels_last)  # type: ignore
    return PhotographWeights(finder, landmarks, factor)
