"""The embedder's file."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from geomface.recognition.embedder.network import IdentityNetwork

KIND = "identity-embedder"
SCHEMA = 1
ASSET = "identity/embedder.safetensors"


def save_embedder(path: Path | str, network: "IdentityNetwork", config: Any = None) -> None:
    """Write an embedder (kind "identity-embedder"); its kernels are rounded to half precision."""
    from geomface.files.tensors import save_tensors
    from geomface.learning.network_arrays import network_arrays

    save_tensors(path, network_arrays(network), kind=KIND, schema=SCHEMA, units=None, config=config)


def load_embedder(path: Path | str | None = None) -> "IdentityNetwork":
    """Read an embedder of rendered frontal faces; without a path, the one that ships.

    Photographs are described by another kind, see `load_embedder`.

    Raises
    ------
    FileFormatError : missing or damaged, or weights of another network.

    Example
    -------
    >>> from geomface.recognition import load_embedder
    >>> load_embedder().training
    False
    """
    from geomface.files.assets import asset_path
    from geomface.files.tensors import load_tensors
    from geomface.learning.network_arrays import fill_network
    from geomface.recognition.embedder.network import IdentityNetwork

    path = asset_path(ASSET) if path is None else path
    arrays, _ = load_tensors(path, kind=KIND, schema=SCHEMA)
    network = IdentityNetwork()
    remedy = "Train it again with tools/train_identity_embedder.py, or reinstall geomface."
    fill_network(network, arrays, path=path, remedy=remedy)
    return network.requires_grad_(False)
