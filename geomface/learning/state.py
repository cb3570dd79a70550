"""What training must remember, as named parts, and its way to disk and back, bit for bit."""

import dataclasses
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch

from geomface.files.tensors import load_tensors, save_tensors
from geomface.learning.errors import CheckpointError

KIND = "training-checkpoint"
SCHEMA = 1


@dataclasses.dataclass(frozen=True)
class TrainingState:
    """Everything that the next step depends on, by name.

    Parameters
    ----------
    modules : networks and their averages
    optimizers : one for each that steps alone
    generators : random streams
    scalars : schedule and counters, anything JSON holds; restored in place
    """

    modules: Mapping[str, torch.nn.Module]
    optimizers: Mapping[str, torch.optim.Optimizer]
    generators: Mapping[str, torch.Generator]
    scalars: dict[str, Any]


def save_checkpoint(
    path: Path | str, state: TrainingState, *, system: str, step: int, config: Any = None
) -> None:
    """Write a state to one safetensors file, whole or not at all.

    The file appears under its name when it is complete; a full disk or a kill leaves the older
    files as they were.

    Parameters
    ----------
    path : *.safetensors
    state : what to write
    system : name of what is trained; another system's checkpoint is refused when reading
    step : steps done
    config : what a reader needs to build the networks, as settings

    Raises
    ------
    OutputError : the place cannot be written
    """
    groups: dict[str, Any] = {}
    arrays: dict[str, np.ndarray] = {}
    for name, module in state.modules.items():
        for key, tensor in module.state_dict().items():
            arrays[f"module/{name}/{key}"] = _array(tensor)
    for name, optimizer in state.optimizers.items():
        table = optimizer.state_dict()
        groups[name] = table["param_groups"]
        for index, entries in table["state"].items():
            for key, value in entries.items():
                arrays[f"optimizer/{name}/{index}/{key}"] = _array(torch.as_tensor(value))
    for name, generator in state.generators.items():
        arrays[f"generator/{name}"] = _array(generator.get_state())
    header = {
        "system": system,
        "step": step,
        "scalars": state.scalars,
        "groups": groups,
        "config": config,
    }
    save_tensors(path, arrays, kind=KIND, schema=SCHEMA, units=None, config=header)


def load_checkpoint(path: Path | str, state: TrainingState, *, system: str) -> int:
    """Read a checkpoint into `state`, in place, and return the steps done.

    Raises
    ------
    FileFormatError : missing, damaged, or of an unknown schema
    CheckpointError : of another system, or of networks of another shape
    """
    arrays, header = read_checkpoint(path, system=system)
    for name, module in state.modules.items():
        _fill_module(module, _part(arrays, f"module/{name}/"), f"{path}: {name}")
    for name, optimizer in state.optimizers.items():
        _fill_optimizer(optimizer, _part(arrays, f"optimizer/{name}/"), header["groups"][name])
    for name, generator in state.generators.items():
        generator.set_state(torch.from_numpy(arrays[f"generator/{name}"]))
    state.scalars.clear()
    state.scalars.update(header["scalars"])
    return int(header["step"])


def read_checkpoint(
    path: Path | str, *, system: str
) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
    """Return the arrays of a checkpoint and its {system, step, scalars, groups, config}.

    Raises
    ------
    FileFormatError, CheckpointError : as `load_checkpoint`
    """
    arrays, record = load_tensors(path, kind=KIND, schema=SCHEMA)
    header = record["config"]
    if not isinstance(header, dict) or not {"system", "step", "scalars", "groups"} <= set(header):
        raise CheckpointError(f"{path}: the checkpoint lacks its header. Use an older checkpoint.")
    if header["system"] != system:
        raise CheckpointError(
            f"{path}: expected a checkpoint of {system!r}, got one of {header['system']!r}. Give "
            "the run of this system."
        )
    return arrays, header


def load_module(
    path: Path | str, module: torch.nn.Module, *, system: str, name: str
) -> dict[str, Any]:
    """Read one network of a checkpoint into `module` and return the checkpoint's header.

    This is what `--init-from` and sampling use: optimisers and streams stay as they are.

    Raises
    ------
    FileFormatError, CheckpointError : as `load_checkpoint`
    """
    arrays, header = read_checkpoint(path, system=system)
    _fill_module(module, _part(arrays, f"module/{name}/"), f"{path}: {name}")
    return header


def iterate_tensors(state: TrainingState) -> Iterator[tuple[str, torch.Tensor]]:
    """Yield every floating-point weight and buffer of the networks with its name."""
    for name, module in state.modules.items():
        for key, tensor in module.state_dict().items():
            if tensor.is_floating_point():
                yield f"{name}/{key}", tensor


def _array(tensor: torch.Tensor) -> np.ndarray:
    return tensor.detach().cpu().numpy()


def _part(arrays: Mapping[str, np.ndarray], prefix: str) -> dict[str, np.ndarray]:
    return {key.removeprefix(prefix): v for key, v in arrays.items() if key.startswith(prefix)}


def _fill_module(module: torch.nn.Module, arrays: Mapping[str, np.ndarray], name: str) -> None:
    wanted = module.state_dict()
    for key in sorted(set(wanted) ^ set(arrays)):
        side = "is not in the checkpoint" if key in wanted else "is not in this network"
        raise CheckpointError(
            f"{name}: expected the same weights, but {key!r} {side}. The settings of the networks "
            "differ: use those of the run, or start a new one."
        )
    for key, tensor in wanted.items():
        if tuple(tensor.shape) != arrays[key].shape:
            raise CheckpointError(
                f"{name}: expected {key!r} of shape {tuple(tensor.shape)}, got "
                f"{arrays[key].shape}. The settings of the networks differ: use those of the run, "
                "or start a new one."
            )
    with torch.no_grad():
        for key, tensor in wanted.items():
            tensor.copy_(torch.from_numpy(arrays[key]))


def _fill_optimizer(
    optimizer: torch.optim.Optimizer, arrays: Mapping[str, np.ndarray], groups: list[dict[str, Any]]
) -> None:
    parameters = [item for group in optimizer.param_groups for item in group["params"]]
    entries: dict[int, dict[str, torch.Tensor]] = {}
    for key, array in arrays.items():
        index, _, entry = key.partition("/")
        value = torch.from_numpy(array)
        like = parameters[int(index)]
        if value.shape == like.shape and value.ndim:
            # Moments lie in memory as their weights do, or fused steps fall back to slow ones.
            value = torch.empty_like(like).copy_(value)
        entries.setdefault(int(index), {})[entry] = value
    restored = [
        {key: tuple(item) if key == "betas" else item for key, item in group.items()}
        for group in groups
    ]
    optimizer.load_state_dict({"state": entries, "param_groups": restored})
