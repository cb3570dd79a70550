"""The detector's file: network weights in half precision and the constellation model."""

import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from geomface.errors import FileFormatError
from geomface.statistics import LinearModel

if TYPE_CHECKING:
    from geomface.faces.landmark_detection.network import LandmarkNetwork

KIND = "landmark-detector"
SCHEMA = 1
ASSET = "landmarks/detector.safetensors"


@dataclasses.dataclass(frozen=True, eq=False)
class DetectorWeights:
    """A trained network and what it knows about constellations."""

    network: "LandmarkNetwork"
    constellation: LinearModel


def save_detector(path: Path | str, weights: DetectorWeights, config: dict | None = None) -> None:
    """Write the detector (kind "landmark-detector"); weights are rounded to half precision."""
    from geomface.mesh.io.tensors import save_tensors

    arrays = {
        f"network.{name}": tensor.detach().contiguous().numpy().astype(np.float16)
        for name, tensor in weights.network.state_dict().items()
    }
    model = weights.constellation
    arrays["constellation.mean"] = model.mean.astype(np.float32)
    arrays["constellation.basis"] = model.basis.astype(np.float32)
    save_tensors(path, arrays, kind=KIND, schema=SCHEMA, units="mm", config=config or {})


def load_detector(path: Path | str | None = None) -> DetectorWeights:
    """Read a detector; without a path, the one that ships with geomface.

    Raises
    ------
    FileFormatError : missing or damaged, or weights of another network.
    """
    import torch

    from geomface.faces.assets import asset_path
    from geomface.faces.landmark_detection.network import LandmarkNetwork
    from geomface.mesh.io.tensors import load_tensors

    path = asset_path(ASSET) if path is None else path
    arrays, _ = load_tensors(path, kind=KIND, schema=SCHEMA)
    network = LandmarkNetwork()
    state = {
        name.removeprefix("network."): torch.from_numpy(array.astype(np.float32))
        for name, array in arrays.items()
        if name.startswith("network.")
    }
    try:
        network.load_state_dict(state)
        model = LinearModel(
            arrays["constellation.mean"].astype(np.float64),
            arrays["constellation.basis"].astype(np.float64),
        )
    except (RuntimeError, KeyError) as error:
        raise FileFormatError(
            f"{path}: these are not the weights of this version's landmark network. Train it "
            "again, or reinstall geomface."
        ) from error
    return DetectorWeights(network.eval(), model)
