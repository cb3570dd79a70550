"""Outputs as bytes, and back: PNG where 8 bits hold a picture, numpy's own format for the rest."""

import io

import numpy as np

from geomface.files import png16
from geomface.files.images import decode_image, encode_bytes
from geomface.files.numpy_files import read_array

IMAGE_FORMATS = ("png", "npy")
EIGHT_BITS = ("rgb", "alpha", "albedo")
"""Outputs in [0, 1] that are kept as k / 255."""
STORED = {
    "rgb": "uint8",
    "alpha": "uint8",
    "albedo": "uint8",
    "region": "uint8",
    "depth": "float32",
    "normals": "float16",
    "position": "float32",
    "uv": "float32",
    "shading": "float16",
    "face_id": "int32",
}
"""Number type of each output in a file. Half precision keeps normals to 0.03 degrees."""


def suffix_of(output: str, image_format: str) -> str:
    """Return the ending of an output's file, such as ".rgb.png"."""
    png = image_format == "png" and STORED[output] == "uint8"
    return f".{output}.{'png' if png else 'npy'}"


def encode_output(
    output: str, image: np.ndarray, image_format: str, *, noisy: bool = False
) -> bytes:
    """Return the bytes of one output of one picture.

    Parameters
    ----------
    output : its name
    image : (H, W) or (H, W, C), as in `FaceBatch`
    image_format : "png" packs 8-bit outputs as PNG, "npy" packs nothing
    noisy : the colours hold the noise of a camera; such a PNG is written in half the time
    """
    if output in EIGHT_BITS:
        levels = (np.float32(255.0) * image + np.float32(0.5)).astype(np.uint8)
    else:
        levels = image.astype(STORED[output], copy=False)
    if suffix_of(output, image_format).endswith(".png"):
        pixels = levels if levels.ndim == 3 else levels[..., None]
        quick = noisy and output == "rgb"
        return png16.encode_quickly(pixels) if quick else encode_bytes(pixels)
    buffer = io.BytesIO()
    np.lib.format.write_array(buffer, np.ascontiguousarray(levels), allow_pickle=False)
    return buffer.getvalue()


def decode_output(output: str, data: bytes, name: str) -> np.ndarray:
    """Return an output from its bytes: colours as float32 in [0, 1], the rest as it is kept.

    Raises
    ------
    FileFormatError : bytes of another kind; `name` is for the message.
    """
    if data[:6] == b"\x93NUMPY":
        image = read_array(data, name)
        return image.astype(np.float32) / np.float32(255.0) if output in EIGHT_BITS else image
    image = decode_image(data, name, 3 if output in ("rgb", "albedo") else 1)
    image = image if image.shape[2] == 3 else image[:, :, 0]
    return np.round(255 * image).astype(np.uint8) if output == "region" else image
