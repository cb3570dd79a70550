"""The embedder's file."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from geomface.errors import FileFormatError

if TYPE_CHECKING:
    from geomface.recognition.embedder.network import IdentityNetwork

KIND = "identity-embedder"
SCHEMA = 1
ASSET = "identity/embedder.safetensors"


def save_embedder(path: Path | str, network: "IdentityNetwork", config: Any = None) -> None:
    """Write an embedder (kind "identity-embedder"); its kernels are rounded to half precision."""
    from geomface.files.tensors import save_tensors

    arrays = {}
    for name, tensor in network.state_dict().items():
        array = tensor.detach().contiguous().numpy()
        # The statistics of the normalisations keep their range.
        arrays[name] = array.astype(np.float16) if array.ndim > 1 else array
    save_tensors(path, arrays, kind=KIND, schema=SCHEMA, units=None, config=config)


def load_embedder(path: Path | str | None = None) -> "IdentityNetwork":
    """Read an embedder, ready for use; without a path, the one that ships with geomface.

    Raises
    ------
    FileFormatError : missing or damaged, or weights of another network.
    """
    import torch

    from geomface.files.assets import asset_path
    from geomface.files.tensors import load_tensors
    from geomface.recognition.embedder.network import IdentityNetwork

    path = asset_path(ASSET) if path is None else path
    arrays, _ = load_tensors(path, kind=KIND, schema=SCHEMA)
    network = IdentityNetwork()
    state = {
        name: torch.from_numpy(array.astype(np.float32) if array.dtype == np.float16 else array)
        for name, array in arrays.items()
    }
    try:
        network.load_state_dict(state)
    except RuntimeError as error:
        raise FileFormatError(
            f"{path}: these are not the weights of this version's identity network. Train it "
            "again with tools/train_identity_embedder.py, or reinstall geomface."
        ) from error
    if not all(bool(torch.isfinite(tensor).all()) for tensor in network.state_dict().values()):
        raise FileFormatError(f"{path}: expected finite weights, got NaN or infinity.")
    return network.eval().requires_grad_(False)
