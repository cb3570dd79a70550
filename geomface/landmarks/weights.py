"""The detector's file: network weights in half precision and the shape models."""

import dataclasses
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from geomface.errors import FileFormatError
from geomface.statistics import LinearModel

if TYPE_CHECKING:
    from geomface.landmarks.network import LandmarkNetwork
    from geomface.landmarks.skin import SkinModel

KIND = "landmark-detector"
SCHEMA = 1
ASSET = "landmarks/detector.safetensors"


@dataclasses.dataclass(frozen=True, eq=False)
class DetectorWeights:
    """A trained network and what is known about faces.

    Parameters
    ----------
    network : sees views of the scan
    constellation : shape model of the 68 points
    skins : shape models of skin and landmarks, one for each kind of face, the likeliest first
    """

    network: "LandmarkNetwork"
    constellation: LinearModel
    skins: "tuple[SkinModel, ...]" = ()


def save_detector(path: Path | str, weights: DetectorWeights, config: dict | None = None) -> None:
    """Write the detector (kind "landmark-detector").

    Weights are rounded to half precision, the modes of the skin to bytes with a step each.
    """
    from geomface.files.tensors import save_tensors

    arrays = {
        f"network.{name}": tensor.detach().contiguous().numpy().astype(np.float16)
        for name, tensor in weights.network.state_dict().items()
    }
    model = weights.constellation
    arrays["constellation.mean"] = model.mean.astype(np.float32)
    arrays["constellation.basis"] = model.basis.astype(np.float32)
    for index, skin in enumerate(weights.skins):
        basis = skin.points.basis
        step = np.abs(basis).max(axis=(0, 1)) / 127.0
        arrays[f"skin{index}.mean"] = skin.points.mean.astype(np.float32)
        arrays[f"skin{index}.basis"] = np.round(basis / step).astype(np.int8)
        arrays[f"skin{index}.step"] = step.astype(np.float32)
        arrays[f"skin{index}.normals"] = skin.normals.astype(np.float16)
    save_tensors(path, arrays, kind=KIND, schema=SCHEMA, units="mm", config=config or {})


def load_detector(path: Path | str | None = None) -> DetectorWeights:
    """Read a detector; without a path, the one that ships with geomface.

    Raises
    ------
    FileFormatError : missing or damaged, or weights of another network.
    """
    import torch

    from geomface.files.assets import asset_path
    from geomface.files.tensors import load_tensors
    from geomface.landmarks.network import LandmarkNetwork

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
        skins = tuple(_read_skins(arrays))
    except (RuntimeError, KeyError) as error:
        raise FileFormatError(
            f"{path}: these are not the weights of this version's landmark network. Train it "
            "again, or reinstall geomface."
        ) from error
    return DetectorWeights(network.eval(), model, skins)


def _read_skins(arrays: Mapping[str, np.ndarray]) -> "Iterator[SkinModel]":
    """Yield the skin models of a file; older files have none."""
    from geomface.landmarks.skin import SkinModel

    index = 0
    while f"skin{index}.mean" in arrays:
        step = arrays[f"skin{index}.step"].astype(np.float64)
        basis = arrays[f"skin{index}.basis"].astype(np.float64) * step
        points = LinearModel(arrays[f"skin{index}.mean"].astype(np.float64), basis)
        yield SkinModel(points, arrays[f"skin{index}.normals"].astype(np.float64))
        index += 1
