"""The weights of a network that ships, as arrays of a file and back."""

from collections.abc import Mapping
from pathlib import Path

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
