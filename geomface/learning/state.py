"""What training must remember, as named parts, and its way to disk and back, bit for bit."""

import contextlib
import dataclasses
import hashlib
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import torch

from geomface.errors import FileFormatError
from geomface.files.reading import taking_apart
from geomface.files.tensors import load_tensors, save_tensors
from geomface.learning.errors import CheckpointError
from geomface.learning.randomness import stream_seed
from geomface.learning.system import System, rename

KIND = "training-checkpoint"
SCHEMA = 1


@dataclasses.dataclass(frozen=True)
class TrainingState:
    """Everything that the next step depends on, by name.

    Parameters
    ----------
    modules : networks, their EMAs, and modules that keep buffers
    optimizers : one for each that steps alone
    generators : random streams
    scalars : schedule and counters, anything JSON holds; restored in place
    seed : of what draws from torch's own generators, such as dropout
    frozen : hashes of networks that are used and never trained
    """

    modules: Mapping[str, torch.nn.Module]
    optimizers: Mapping[str, torch.optim.Optimizer]
    generators: Mapping[str, torch.Generator]
    scalars: dict[str, Any]
    seed: int = 0
    frozen: Mapping[str, str] = dataclasses.field(default_factory=dict)


def global_generators() -> dict[str, torch.Generator]:
    """Return torch's own generators, from which layers such as dropout draw."""
    found = {"torch": torch.default_generator}
    if torch.cuda.is_available():
        found["cuda"] = torch.cuda.default_generators[torch.cuda.current_device()]
    return found


@contextlib.contextmanager
def own_randomness(seed: int, name: str) -> Iterator[None]:
    """Give the block torch's own generators at the beginning of a stream, then put them back."""
    generators = global_generators()
    before = {key: generator.get_state() for key, generator in generators.items()}
    for generator in generators.values():
        generator.manual_seed(stream_seed(seed, name))
    try:
        yield
    finally:
        for key, generator in generators.items():
            generator.set_state(before[key])


def save_checkpoint(
    path: Path | str, state: TrainingState, *, system: System, step: int, config: Any = None
) -> None:
    """Write a state to one safetensors file, whole or not at all.

    The file appears under its name when it is complete; a full disk or a kill leaves the older
    files as they were.

    Parameters
    ----------
    path : *.safetensors
    state : what to write
    system : what is trained; another system's checkpoint is refused when reading
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
            arrays[f"module/{name}/{key}"] = tensor_array(tensor)
    for name, optimizer in state.optimizers.items():
        table = optimizer.state_dict()
        groups[name] = table["param_groups"]
        for index, entries in table["state"].items():
            for key, value in entries.items():
                arrays[f"optimizer/{name}/{index}/{key}"] = tensor_array(torch.as_tensor(value))
    for name, generator in {**state.generators, **global_generators()}.items():
        arrays[f"generator/{name}"] = tensor_array(generator.get_state())
    header = {
        "system": system.name,
        "step": step,
        "scalars": state.scalars,
        "groups": groups,
        "config": config,
        "frozen": state.frozen,
    }
    save_tensors(path, arrays, kind=KIND, schema=SCHEMA, units=None, config=header)


def load_checkpoint(path: Path | str, state: TrainingState, *, system: System) -> int:
    """Read a checkpoint into `state`, in place, and return the steps done.

    Torch's own generators are put where they were, too, if the checkpoint knows them.

    Raises
    ------
    FileFormatError : missing, damaged, or of an unknown schema
    CheckpointError : of another system, or of networks of another shape
    """
    arrays, header = read_checkpoint(path, system=system)
    for name, value in header.get("frozen", {}).items():
        if state.frozen.get(name, value) != value:
            raise CheckpointError(
                f"{path}: expected the frozen network {name!r} that the run began with, got one "
                "with other weights. Use the old one, or begin a new run."
            )
    for name, module in state.modules.items():
        fill_module(module, _part(arrays, f"module/{name}/"), f"{path}: {name}")
    with taking_apart(path, "a checkpoint"):
        for name, optimizer in state.optimizers.items():
            _fill_optimizer(optimizer, _part(arrays, f"optimizer/{name}/"), header["groups"][name])
    for name, generator in {**global_generators(), **state.generators}.items():
        stored = arrays.get(f"generator/{name}")
        if stored is not None:
            _set_generator(generator, stored, f"{path}: {name}")
        elif name in state.generators:
            raise CheckpointError(
                f"{path}: expected the random stream {name!r}, and it is not in the checkpoint. "
                "Another version wrote it: begin a new run."
            )
    state.scalars.clear()
    state.scalars.update(header["scalars"])
    return header["step"]


def read_checkpoint(
    path: Path | str, *, system: System
) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
    """Return the arrays of a checkpoint and its {system, step, scalars, groups, config}.

    Both come under today's names, whatever names the system had when it was written.

    Raises
    ------
    FileFormatError, CheckpointError : as `load_checkpoint`
    """
    arrays, record = load_tensors(path, kind=KIND, schema=SCHEMA)
    header = require_header(path, record["config"])
    if not isinstance(header.get("groups"), dict):
        raise FileFormatError(f"{path}: the checkpoint lacks its header. Use an older checkpoint.")
    if header["system"] != system.name:
        raise CheckpointError(
            f"{path}: expected a checkpoint of {system.name!r}, got one of {header['system']!r}. "
            "Give the run of this system."
        )
    header["scalars"] = rename(header["scalars"], system.scalars)
    header["config"] = rename(header["config"], system.settings)
    header["groups"] = {system.modules.get(k, k): v for k, v in header["groups"].items()}
    arrays = {_todays_name(key, system): array for key, array in arrays.items()}
    for old, new in system.buffers.items():
        if old in header["scalars"]:
            arrays[new] = np.asarray(header["scalars"].pop(old))
    return arrays, header


def require_header(path: Path | str, header: Any) -> dict[str, Any]:
    """Return what a file of trained networks says of itself, if it says all.

    Raises
    ------
    FileFormatError : system, step, scalars or config is missing, or of another type
    """
    told = header if isinstance(header, dict) else {}
    step, config = told.get("step"), told.get("config")
    whole = isinstance(told.get("system"), str) and type(step) is int and step >= 0
    whole = whole and all(isinstance(told.get(key, {}), dict) for key in ("scalars", "frozen"))
    if not (whole and "scalars" in told and isinstance(config, dict | None)):
        raise FileFormatError(
            f"{path}: expected trained networks with their system, step, scalars and config, the "
            "header is damaged. Use an older checkpoint, or copy the file anew."
        )
    return told | {"config": config}


def iterate_tensors(state: TrainingState) -> Iterator[tuple[str, torch.Tensor]]:
    """Yield every floating-point weight and buffer of the networks with its name."""
    for name, module in state.modules.items():
        for key, tensor in module.state_dict().items():
            if tensor.is_floating_point():
                yield f"{name}/{key}", tensor


def weights_hash(module: torch.nn.Module) -> str:
    """Return a hash of a network's weights and buffers with their names."""
    digest = hashlib.sha256()
    for key, tensor in module.state_dict().items():
        digest.update(key.encode() + np.ascontiguousarray(tensor_array(tensor)).tobytes())
    return digest.hexdigest()[:16]


def tensor_array(tensor: torch.Tensor) -> np.ndarray:
    """Return a tensor as an array; bfloat16, which numpy lacks, as its bits."""
    value = tensor.detach().cpu()
    return (value.view(torch.int16) if value.dtype == torch.bfloat16 else value).numpy()


def array_tensor(array: np.ndarray, like: torch.Tensor) -> torch.Tensor:
    """Return what `tensor_array` gave for a tensor of the type of `like`."""
    tensor = torch.from_numpy(array)
    bits = tensor.dtype == torch.int16 and like.dtype.is_floating_point
    return tensor.view(torch.bfloat16) if bits else tensor


def _todays_name(key: str, system: System) -> str:
    part, slash, rest = key.partition("/")
    name, further, rest = rest.partition("/")
    if part not in ("module", "optimizer"):
        return key
    return part + slash + system.modules.get(name, name) + further + rest


def _part(arrays: Mapping[str, np.ndarray], prefix: str) -> dict[str, np.ndarray]:
    return {key.removeprefix(prefix): v for key, v in arrays.items() if key.startswith(prefix)}


Module = TypeVar("Module", bound=torch.nn.Module)


def build_module(make: Callable[[], Module], arrays: Mapping[str, np.ndarray], name: str) -> Module:
    """Return a network of a file: weights that do not fit are refused before it takes memory.

    Parameters
    ----------
    make : builds the network by sizes that the file tells, which may be beyond reason
    arrays : its weights and buffers
    name : for messages

    Raises
    ------
    CheckpointError : sizes that are none, or weights of another network
    """
    try:
        with torch.device("meta"):
            require_weights(make().state_dict(), arrays, name)
    except (RuntimeError, OverflowError, ZeroDivisionError) as error:
        raise CheckpointError(
            f"{name}: expected sizes of a network, got some that none can have ({error}). The "
            "file is damaged: copy it anew."
        ) from error
    module = make()
    fill_module(module, arrays, name)
    return module


def require_weights(
    wanted: Mapping[str, torch.Tensor], arrays: Mapping[str, np.ndarray], name: str
) -> None:
    """Refuse arrays that are not the weights and buffers of a network, by name and shape.

    Raises
    ------
    CheckpointError : another set of weights, or another shape; `name` is for the message
    """
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


def fill_module(module: torch.nn.Module, arrays: Mapping[str, np.ndarray], name: str) -> None:
    """Copy arrays into a network's weights and buffers, or refuse what does not fit.

    Raises
    ------
    CheckpointError : another set of weights, or another shape; `name` is for the message
    """
    wanted = module.state_dict()
    require_weights(wanted, arrays, name)
    with torch.no_grad():
        for key, tensor in wanted.items():
            tensor.copy_(array_tensor(arrays[key], tensor))


def _set_generator(generator: torch.Generator, stored: np.ndarray, name: str) -> None:
    try:
        generator.set_state(torch.from_numpy(stored))
    except (RuntimeError, TypeError) as error:
        raise CheckpointError(
            f"{name}: expected the state of a random stream, got another array ({error}). The "
            "checkpoint is damaged: use an older one."
        ) from error


def _fill_optimizer(
    optimizer: torch.optim.Optimizer, arrays: Mapping[str, np.ndarray], groups: list[dict[str, Any]]
) -> None:
    parameters = [item for group in optimizer.param_groups for item in group["params"]]
    entries: dict[int, dict[str, torch.Tensor]] = {}
    for key, array in arrays.items():
        index, _, entry = key.partition("/")
        like = parameters[int(index)]
        value = array_tensor(array, like)
        if value.shape == like.shape and value.ndim:
            # Moments lie in memory as their weights do, or fused steps fall back to slow ones.
            value = torch.empty_like(like).copy_(value)
        entries.setdefault(int(index), {})[entry] = value
    restored = [
        {key: tuple(item) if key == "betas" else item for key, item in group.items()}
        for group in groups
    ]
    optimizer.load_state_dict({"state": entries, "param_groups": restored})
