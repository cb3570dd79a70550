"""The detector's file: network weights in half precision and the shape models."""

import dataclasses
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from geomface.errors import FileFormatError
from geomface.statistics import LinearModel

if TYPE_CHECKING:
    from geomface.landmarks.dense_model import DenseShapeModel
    from geomface.landmarks.network import LandmarkNetwork

KIND = "landmark-detector"
SCHEMA = 1
ASSET = "landmarks/detector.safetensors"
_REMEDY = "Train it again with tools/train_landmark_detector.py, or reinstall geomface."


@dataclasses.dataclass(frozen=True, eq=False)
class DetectorWeights:
    """A trained network and what is known about faces.

    Parameters
    ----------
    network : sees views of the scan
    shape_model : landmark shape model
    dense_models : of landmarks and skin, one for each kind of face, the likeliest first
    """

    network: "LandmarkNetwork"
    shape_model: LinearModel
    dense_models: "tuple[DenseShapeModel, ...]" = ()


def save_detector(path: Path | str, weights: DetectorWeights, config: dict | None = None) -> None:
    """Write the detector (kind "landmark-detector").

    Weights are rounded to half precision, the modes of the dense models to bytes with a step each.
    In the file the landmark shape model is called constellation, a dense one skin and its number.
    """
    from geomface.files.tensors import save_tensors
    from geomface.learning.network_arrays import network_arrays

    arrays = network_arrays(weights.network, "network.")
    model = weights.shape_model
    arrays["constellation.mean"] = model.mean.astype(np.float32)
    arrays["constellation.basis"] = model.basis.astype(np.float32)
    for index, dense in enumerate(weights.dense_models):
        basis = dense.points.basis
        step = np.abs(basis).max(axis=(0, 1)) / 127.0
        arrays[f"skin{index}.mean"] = dense.points.mean.astype(np.float32)
        arrays[f"skin{index}.basis"] = np.round(basis / step).astype(np.int8)
        arrays[f"skin{index}.step"] = step.astype(np.float32)
        arrays[f"skin{index}.normals"] = dense.normals.astype(np.float16)
    save_tensors(path, arrays, kind=KIND, schema=SCHEMA, units="mm", config=config or {})


def load_detector(path: Path | str | None = None) -> DetectorWeights:
    """Read a detector; without a path, the one that ships with geomface.

    Raises
    ------
    FileFormatError : missing or damaged, or weights of another network.
    """
    from geomface.files.assets import asset_path
    from geomface.files.tensors import load_tensors
    from geomface.landmarks.network import LandmarkNetwork
    from geomface.learning.network_arrays import fill_network

    path = asset_path(ASSET) if path is None else path
    arrays, _ = load_tensors(path, kind=KIND, schema=SCHEMA)
    network = LandmarkNetwork()
    fill_network(network, arrays, "network.", path=path, remedy=_REMEDY)
    try:
        model = LinearModel(
            arrays["constellation.mean"].astype(np.float64),
            arrays["constellation.basis"].astype(np.float64),
        )
        dense_models = tuple(_read_dense_models(arrays))
    except KeyError as error:
        raise FileFormatError(
            f"{path}: expected shape models of faces beside the network, got none. {_REMEDY}"
        ) from error
    return DetectorWeights(network, model, dense_models)


def _read_dense_models(arrays: Mapping[str, np.ndarray]) -> "Iterator[DenseShapeModel]":
    """Yield the dense shape models of a file; older files have none."""
    from geomface.landmarks.dense_model import DenseShapeModel

    index = 0
    while f"skin{index}.mean" in arrays:
        step = arrays[f"skin{index}.step"].astype(np.float64)
        basis = arrays[f"skin{index}.basis"].astype(np.float64) * step
        points = LinearModel(arrays[f"skin{index}.mean"].astype(np.float64), basis)
        yield DenseShapeModel(points, arrays[f"skin{index}.normals"].astype(np.float64))
        index += 1
