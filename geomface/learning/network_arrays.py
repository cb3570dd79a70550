"""The weights of a network that ships, as arrays of a file and back."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TypeVar

import numpy as np
import torch
from torch import nn

from geomface.errors import FileFormatError

_COUNTER = "num_batches_tracked"
"""Of a batch normalisation; nothing depends on it once training is over."""


def network_arrays(network: nn.Module, prefix: str = "") -> dict[str, np.ndarray]:
    """Return the weights by name: filters in half precision, the rest in single.

    Parameters
    ----------
    network : its state is not changed
    prefix : put before every name
    """
    return {
        prefix + name: tensor.detach()
        .cpu()
        .contiguous()
        .numpy()
        .astype(np.float16 if tensor.ndim > 1 else np.float32)
        for name, tensor in network.state_dict().items()
        if not name.endswith(_COUNTER)
    }


Network = TypeVar("Network", bound=nn.Module)


def build_network(
    make: Callable[[], Network], arrays: Mapping[str, np.ndarray], *, path: Path | str, remedy: str
) -> Network:
    """Return a network of a file; sizes that are not those of its weights take no memory.

    Parameters
    ----------
    make : builds the network by sizes that the file tells, which may be beyond reason
    arrays, path, remedy : as of `fill_network`

    Raises
    ------
    FileFormatError : as `fill_network`
    """
    try:
        with torch.device("meta"):
            wanted = {name: tuple(t.shape) for name, t in make().state_dict().items()}
    except (RuntimeError, OverflowError) as error:
        raise FileFormatError(
            f"{path}: expected sizes of a network, got some that none can have ({error}). {remedy}"
        ) from error
    shapes = {name: array.shape for name, array in arrays.items()}
    if shapes != {name: shape for name, shape in wanted.items() if _COUNTER not in name}:
        raise FileFormatError(
            f"{path}: these are not the weights of a network of the sizes that it tells. {remedy}"
        )
    network = make()
    fill_network(network, arrays, path=path, remedy=remedy)
    return network


def fill_network(
    network: nn.Module,
    arrays: Mapping[str, np.ndarray],
    prefix: str = "",
    *,
    path: Path | str,
    remedy: str,
) -> None:
    """Write arrays of a file into a network, and leave it ready for use.

    Parameters
    ----------
    network : of the kind that the arrays are of
    arrays : by name, as `network_arrays` returns them; others may be among them if they lack the
        prefix
    prefix : before every name of this network's
    path, remedy : for the error: the file, and what its reader can do

    Raises
    ------
    FileFormatError : weights of another network, or NaN or infinity among them.
    """
    counters = {name: value for name, value in network.state_dict().items() if _COUNTER in name}
    state = {
        name.removeprefix(prefix): torch.from_numpy(array.astype(np.float32))
        for name, array in arrays.items()
        if name.startswith(prefix)
    }
    try:
        network.load_state_dict(counters | state)
    except RuntimeError as error:
        raise FileFormatError(
            f"{path}: these are not the weights of this version's {type(network).__name__}. "
            f"{remedy}"
        ) from error
    if not all(bool(torch.isfinite(tensor).all()) for tensor in network.state_dict().values()):
        raise FileFormatError(f"{path}: expected finite weights, got NaN or infinity. {remedy}")
    network.eval()
