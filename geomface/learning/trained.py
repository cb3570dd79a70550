"""Trained networks for use: from a model file, a checkpoint or a run, whichever is given."""

import dataclasses
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch

from geomface.errors import FileFormatError
from geomface.files.tensors import load_tensors, read_header, save_tensors
from geomface.learning.errors import CheckpointError
from geomface.learning.fingerprint import content_hash
from geomface.learning.run_directory import newest_checkpoint
from geomface.learning.state import KIND as CHECKPOINT
from geomface.learning.state import (
    Module,
    build_module,
    fill_module,
    read_checkpoint,
    require_header,
)
from geomface.learning.system import System

KIND = "trained-model"
SCHEMA = 1


@dataclasses.dataclass(frozen=True, eq=False)
class TrainedModel:
    """Networks as arrays, until they are filled into modules.

    Parameters
    ----------
    path : where they were read
    step : of the training
    config : what builds the networks
    scalars : counters of the training, such as a level of growth
    frozen : hashes of the frozen networks that they were trained with
    arrays : {network: {weight: array}}
    """

    path: Path
    step: int
    config: Any
    scalars: Mapping[str, Any]
    frozen: Mapping[str, str]
    arrays: Mapping[str, Mapping[str, np.ndarray]]

    def fill(self, name: str, module: torch.nn.Module) -> torch.nn.Module:
        """Copy the weights of one network into `module`, and return it.

        Raises
        ------
        CheckpointError : there is no such network, it has another shape, or its numbers are not
            finite
        """
        fill_module(module, self._of(name), f"{self.path}: {name}")
        return module

    def build(self, name: str, make: Callable[[], Module]) -> Module:
        """Return one network that `make` builds by the sizes in `config`, with its weights.

        Raises
        ------
        CheckpointError : there is no such network, or sizes and weights do not fit
        """
        return build_module(make, self._of(name), f"{self.path}: {name}")

    def _of(self, name: str) -> Mapping[str, np.ndarray]:
        if name not in self.arrays:
            raise CheckpointError(
                f"{self.path}: expected the network {name!r}, got {', '.join(self.arrays)}."
            )
        arrays = self.arrays[name]
        if not all(np.isfinite(array).all() for array in arrays.values()):
            raise CheckpointError(
                f"{self.path}: {name}: expected finite numbers, got NaN or infinity: the training "
                "went astray. Take an earlier checkpoint, or train again at a lower rate."
            )
        return arrays


def load_trained(path: Path | str, *, system: System) -> TrainedModel:
    """Read the networks of a model file, of a checkpoint, or of a run's newest checkpoint.

    Raises
    ------
    FileFormatError : missing, damaged, or neither of these
    CheckpointError : of another system
    """
    source = newest_checkpoint(path, system=system) if Path(path).is_dir() else Path(path)
    kind = read_header(source)["kind"]
    if kind == CHECKPOINT:
        arrays, header = read_checkpoint(source, system=system)
        arrays = {
            k.removeprefix("module/"): v for k, v in arrays.items() if k.startswith("module/")
        }
    else:
        arrays, record = load_tensors(source, kind=KIND, schema=SCHEMA)
        header = require_header(source, record["config"])
        if header["system"] != system.name:
            raise CheckpointError(
                f"{source}: expected a model of {system.name!r}, got one of {header['system']!r}. "
                "Give the file of this system."
            )
        if _hash(arrays) != header.get("hash"):
            raise FileFormatError(f"{source}: the weights are damaged. Copy or write it again.")
    networks: dict[str, dict[str, np.ndarray]] = {}
    for key, array in arrays.items():
        name, _, weight = key.partition("/")
        networks.setdefault(name, {})[weight] = array
    return TrainedModel(
        source,
        header["step"],
        header["config"],
        header["scalars"],
        header.get("frozen", {}),
        networks,
    )


def save_trained(
    path: Path | str,
    model: TrainedModel,
    *,
    system: System,
    networks: tuple[str, ...] | None = None,
    precision: Literal["float32", "float16"] = "float32",
    exact: tuple[str, ...] = (),
) -> None:
    """Write a model file: networks to use, without what only training needs.

    Parameters
    ----------
    path : *.safetensors
    model : from `load_trained`
    system : what was trained
    networks : which to keep; None keeps all
    precision : float16 halves the file; vectors, such as statistics of a normalisation, keep theirs
    exact : networks that keep their precision altogether, such as those that only hold tables

    Raises
    ------
    OutputError : the place cannot be written
    """
    arrays = {
        f"{name}/{key}": array.astype(np.float16)
        if precision == "float16"
        and name not in exact
        and array.ndim > 1
        and array.dtype.kind == "f"
        else array
        for name, weights in model.arrays.items()
        if networks is None or name in networks
        for key, array in weights.items()
    }
    header = {
        "system": system.name,
        "step": model.step,
        "scalars": dict(model.scalars),
        "config": model.config,
        "frozen": dict(model.frozen),
        "hash": _hash(arrays),
    }
    save_tensors(path, arrays, kind=KIND, schema=SCHEMA, units=None, config=header)


def _hash(arrays: Mapping[str, np.ndarray]) -> str:
    parts = (part for key in sorted(arrays) for part in (key.encode(), arrays[key].tobytes()))
    return content_hash(*parts)
