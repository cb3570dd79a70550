"""Images: PNG of 8 and 16 bits, JPEG and what else scanners write; float32, row 0 at the top."""

import io
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from geomface.arrays import ImageArray
from geomface.errors import OutputError, SettingsError
from geomface.files import png16
from geomface.files.atomic import write_bytes
from geomface.files.decoding import MODES, decode_any, orientation_of, with_channels
from geomface.files.picture_text import with_text
from geomface.files.reading import named, read_bytes, reading

IMAGE_SUFFIXES = (".png", ".jpg", ".jpeg", ".bmp", ".gif", ".tif", ".tiff", ".webp", ".tga")
"""Endings of the pictures that are read, in small letters."""
FOREIGN_SUFFIXES = (
    *(".heic", ".heif", ".avif", ".jp2", ".jxl", ".pgm", ".ppm", ".pnm", ".psd", ".svg", ".exr"),
    *(".hdr", ".raw", ".dng", ".cr2", ".cr3", ".nef", ".arw", ".orf", ".raf", ".rw2"),
)
"""Endings of pictures that are not."""


def load_image(path: str | Path, channels: int = 3) -> ImageArray:
    """Read an image as (H, W, channels) float32 in [0, 1].

    Parameters
    ----------
    path : PNG, JPEG, BMP, GIF, TIFF, WebP or TGA, of at most 2^26 pixels; of moving pictures the
        first frame
    channels : 1 grey, 3 RGB or 4 RGBA; the file's own channels are converted

    Raises
    ------
    FileFormatError : missing, empty, truncated, too large or not an image

    Convention
    ----------
    Row 0 is the top, as EXIF orients the picture. Values are k / 255, or k / 65535 of a PNG or a
    grey TIFF of 16 bits (a TIFF in colour counts with the upper 8), and as they are of a grey TIFF
    of floats in [0, 1]. No colour management: the numbers are those in the file (sRGB as a rule).
    Grey from RGB is 0.299 R + 0.587 G + 0.114 B.

    Example
    -------
    >>> import numpy as np
    >>> import geomface as gf
    >>> gf.save_image("grey.png", np.full((4, 6, 3), 0.5))
    >>> image = gf.load_image("grey.png")
    >>> image.shape, image.dtype, round(float(image.mean()), 3)
    ((4, 6, 3), dtype('float32'), 0.502)
    """
    return decode_image(read_bytes(path, "an image (PNG, JPEG)"), str(path), channels)


def decode_image(data: bytes, name: str, channels: int = 3, *, upright: bool = True) -> ImageArray:
    """Decode an image held in memory; as `load_image`, `name` is for messages.

    `upright=False` leaves the orientation in EXIF alone, as uv of a mesh are for the stored pixels.
    """
    if channels not in MODES:
        raise SettingsError(f"channels must be 1, 3 or 4, got {channels}.")
    with reading(name, "an image"):
        if png16.is_deep(data):
            deep = png16.decode(data, name).astype(np.float32)
            deep /= np.float32(65535.0)
            image = with_channels(deep, channels)
            orientation = orientation_of(lambda: _exif(png16.exif(data)))
        else:
            if png16.is_png(data):
                png16.check_chunks(data, name)  # Pillow lets a cut end pass
            image, orientation = decode_any(data, name, channels)
        return _turned(image, orientation) if upright else image


def may_have_alpha(data: bytes) -> bool:
    """Say by the head of an image file whether its pixels can be transparent."""
    if png16.is_png(data):
        return bool(data[25:26] and data[25] & 4) or b"tRNS" in data[: data.find(b"IDAT")]
    return data[:2] not in (b"\xff\xd8", b"BM")


def _exif(chunk: bytes) -> Mapping[int, Any]:
    from PIL import Image

    found = Image.Exif()
    found.load(chunk)
    return found


def _turned(pixels: np.ndarray, orientation: Any) -> np.ndarray:
    """Return pixels (H, W, ...) as EXIF orientation 1 .. 8 wants them shown; others are 1."""
    if orientation in (5, 6, 7, 8):
        pixels = pixels.swapaxes(0, 1)
    if orientation in (3, 4, 7, 8):
        pixels = pixels[::-1]
    if orientation in (2, 3, 6, 7):
        pixels = pixels[:, ::-1]
    return pixels


def save_image(
    path: str | Path, image: np.ndarray, bits: int = 8, *, text: str | None = None
) -> None:
    """Write an image, atomically.

    Parameters
    ----------
    path : *.png, or *.jpg (8 bits, lossy)
    image : (H, W), (H, W, 1), (H, W, 3) or (H, W, 4) in [0, 1], row 0 at the top; bool is 0 or 1
    bits : 8 or 16 per channel; k = floor(value (2^bits - 1) + 1/2), clipped
    text : kept in the file as a comment (ASCII)

    Raises
    ------
    OutputError : the place cannot be written; shape, bits or suffix that cannot be stored; NaN

    Example
    -------
    >>> import geomface as gf
    >>> gf.save_image("face.png", gf.render_mesh(gf.load_builtin_face().mesh, size=64))
    >>> gf.load_image("face.png").shape
    (64, 64, 3)
    """
    suffix = Path(path).suffix.lower()
    if suffix not in (".png", ".jpg", ".jpeg"):
        raise OutputError(f"{path}: expected an image name ending in .png or .jpg.")
    if suffix != ".png" and bits != 8:
        raise OutputError(f"{path}: a JPEG holds 8 bits; write 16 bits to a .png.")
    data = encode_image(image, named(path), bits, jpeg=suffix != ".png")
    write_bytes(path, data if text is None else with_text(data, text))


def encode_image(image: np.ndarray, name: str, bits: int = 8, *, jpeg: bool = False) -> bytes:
    """Encode an image as PNG (or JPEG) in memory; as `save_image`."""
    image = np.asarray(image)
    if image.ndim == 2:
        image = image[:, :, None]
    allowed = (1, 3) if jpeg else (1, 3, 4)
    if image.ndim != 3 or image.shape[2] not in allowed or 0 in image.shape:
        raise OutputError(f"{name}: expected an image (H, W, 1 or 3), got shape {image.shape}.")
    if bits not in (8, 16):
        raise OutputError(f"{name}: bits must be 8 or 16, got {bits}.")
    if not np.isfinite(image).all():
        raise OutputError(f"{name}: the image holds NaN or infinity; fill it before saving.")
    top = 2**bits - 1
    # float32 has 24 bits: k / 65535 comes back as exactly k.
    levels = np.clip(np.floor(image.astype(np.float32) * np.float32(top) + np.float32(0.5)), 0, top)
    if bits == 16:
        return png16.encode(levels.astype(np.uint16))
    return encode_bytes(levels.astype(np.uint8), jpeg=jpeg)


def encode_bytes(pixels: np.ndarray, *, jpeg: bool = False) -> bytes:
    """Encode pixels (H, W, C) uint8 as PNG (or JPEG) in memory, unchecked."""
    from PIL import Image

    buffer = io.BytesIO()
    picture = Image.fromarray(pixels[:, :, 0] if pixels.shape[2] == 1 else pixels)
    if jpeg:
        picture.save(buffer, format="JPEG", quality=95, subsampling=0)
    else:
        picture.save(buffer, format="PNG", compress_level=1)
    return buffer.getvalue()
