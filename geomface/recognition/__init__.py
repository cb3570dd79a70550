"""Identity descriptors of faces and frontal pictures, by a small embedder of our own."""

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from geomface.recognition.describe import describe_faces, describe_pictures
    from geomface.recognition.frontal import FrontalView
    from geomface.recognition.network import DESCRIPTOR_SIZE, FACE_SHARE, IdentityNetwork
    from geomface.recognition.train import IdentityTraining, train_embedder
    from geomface.recognition.training_pictures import (
        IdentityPictures,
        draw_identity_pictures,
    )
    from geomface.recognition.weights import load_embedder, save_embedder

# Lazy (PEP 562): whoever only asks for a name must not load torch.
_HOMES = {
    "DESCRIPTOR_SIZE": "network",
    "FACE_SHARE": "network",
    "FrontalView": "frontal",
    "IdentityNetwork": "network",
    "IdentityPictures": "training_pictures",
    "IdentityTraining": "train",
    "describe_faces": "describe",
    "describe_pictures": "describe",
    "draw_identity_pictures": "training_pictures",
    "load_embedder": "weights",
    "save_embedder": "weights",
    "train_embedder": "train",
}

__all__ = [
    "DESCRIPTOR_SIZE",
    "FACE_SHARE",
    "FrontalView",
    "IdentityNetwork",
    "IdentityPictures",
    "IdentityTraining",
    "describe_faces",
    "describe_pictures",
    "draw_identity_pictures",
    "load_embedder",
    "save_embedder",
    "train_embedder",
]


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(importlib.import_module(f"{__name__}.{_HOMES[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
