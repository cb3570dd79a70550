"""Textures as loose pictures: each says for which uv it was made."""

import json
from pathlib import Path

import numpy as np

from geomface.arrays import ImageArray
from geomface.errors import FileFormatError
from geomface.files.images import decode_image, encode_image, save_image
from geomface.files.picture_text import text_of, with_text
from geomface.files.reading import read_bytes, reading
from geomface.mesh.mesh import Mesh
from geomface.mesh.uv_fingerprint import Fingerprint, require_same_uv, uv_fingerprint

_KIND = "texture"


def save_texture(path: str | Path, texture: ImageArray, uv: Fingerprint | None) -> None:
    """Write a texture as `save_image` does, and in it the fingerprint of the uv that it is for.

    Parameters
    ----------
    path : *.png or *.jpg
    texture : (H, W, 3) in [0, 1]
    uv : from `uv_fingerprint`; None says nothing

    Raises
    ------
    OutputError : a place that cannot be written, or another suffix
    """
    save_image(path, texture, text=_text(uv))


def encode_texture(mesh: Mesh, name: str, bits: int = 8) -> bytes:
    """Return the PNG of a mesh's own texture, with the fingerprint of its uv."""
    data, text = encode_image(np.asarray(mesh.texture), name, bits), _text(uv_fingerprint(mesh))
    return data if text is None else with_text(data, text)


def _text(uv: Fingerprint | None) -> str | None:
    return None if uv is None else json.dumps({"kind": _KIND, "uv_fingerprint": uv})


def load_texture_of(path: str | Path, mesh: Mesh) -> ImageArray:
    """Read a texture (H, W, 3) of a mesh; a picture that does not say its uv is taken.

    Raises
    ------
    FileFormatError : no picture
    MeshError : a texture that was made for other uv
    """
    data = read_bytes(path, "an image (PNG, JPEG)")
    require_same_uv(
        texture_fingerprint(data, path), uv_fingerprint(mesh), Path(path).name, mesh.name
    )
    return decode_image(data, str(path))


def texture_fingerprint(data: bytes, path: str | Path) -> Fingerprint | None:
    """Return the fingerprint of the uv that a texture (the bytes of its file) was made for.

    None where the picture does not say. `path` is for messages.

    Raises
    ------
    FileFormatError : a text of ours that cannot be read
    """
    text = text_of(data)
    if text is None:
        return None
    try:
        with reading(path, "a texture"):
            record = json.loads(text)
            if record["kind"] != _KIND:
                return None
            return tuple(map(float, record["uv_fingerprint"]))
    except (ValueError, KeyError, TypeError) as error:
        raise FileFormatError(
            f"{path}: expected a texture, but the text in it does not say for which uv ({error}). "
            "Save it again."
        ) from error
