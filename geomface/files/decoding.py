"""What Pillow reads, as float32: 8 bits a channel, and grey of 16 bits or floats."""

import io
import warnings
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from geomface.arrays import ImageArray
from geomface.errors import FileFormatError

MOST_PIXELS = 2**26
"""Pictures of more pixels are refused; one of that many takes about a gigabyte while it is read."""
MODES = {1: "L", 3: "RGB", 4: "RGBA"}
"""Pillow's word for a picture of so many channels."""
_ORIENTATION = 0x0112
_PHOTOMETRIC = 0x0106
_ROUNDING = 1e-5
_FORMATS = ("PNG", "JPEG", "BMP", "GIF", "TIFF", "WEBP")


def decode_any(data: bytes, name: str, channels: int) -> tuple[ImageArray, Any]:
    """Decode an image of any format but a PNG of 16 bits.

    Parameters
    ----------
    data : the file
    name : for messages
    channels : 1, 3 or 4

    Returns
    -------
    (H, W, channels) float32 in [0, 1] as stored, and what EXIF says of how it is to be turned

    Raises
    ------
    FileFormatError : damaged, too large, no image, or of numbers without a known range
    """
    from PIL import Image, UnidentifiedImageError

    formats = (*_FORMATS, "TGA") if _is_tga(data, name) else _FORMATS
    try:
        _require_size(_webp_size(data), name)  # its decoder takes the memory when it is made
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # our own limit is below the one that is warned of
            with Image.open(io.BytesIO(data), formats=formats) as picture:
                _require_size(picture.size, name)
                _require_stored(picture, len(data), name)
                orientation = orientation_of(picture.getexif)
                if picture.mode in ("I", "F") or picture.mode.startswith("I;16"):
                    return with_channels(_deep_grey(picture, name), channels), orientation
                mode = MODES[channels]
                # `convert` copies even where there is nothing to do.
                pixels = np.asarray(picture if picture.mode == mode else picture.convert(mode))
    except (FileFormatError, MemoryError):
        raise
    except Image.DecompressionBombError as error:  # raised before the size is told
        raise FileFormatError(
            f"{name}: has more than the {MOST_PIXELS} pixels that are read (8192 x 8192). Make it "
            "smaller."
        ) from error
    # Decoders raise whatever they like on damaged data.
    except Exception as error:
        reason: Any = error
        if isinstance(error, UnidentifiedImageError):
            reason = "none of these"
            if data[:4] in (b"II*\0", b"MM\0*"):
                reason = "a TIFF of other numbers than 8 or 16 bits a channel"
        raise FileFormatError(
            f"{name}: expected an image (PNG, JPEG, BMP, GIF, TIFF, WebP or TGA), but it cannot be "
            f"decoded ({reason}). Export or copy it again."
        ) from error
    image = pixels.reshape(*pixels.shape[:2], channels).astype(np.float32)
    image /= np.float32(255.0)
    return image, orientation


def _require_size(size: tuple[int, int], name: str) -> None:
    """Refuse a picture by its header, before its pixels take any memory."""
    width, height = size
    if width * height > MOST_PIXELS:
        raise FileFormatError(
            f"{name}: has {width} x {height} pixels, more than the {MOST_PIXELS} that are read "
            "(8192 x 8192). Make it smaller."
        )


def _require_stored(picture: Any, stored: int, name: str) -> None:
    """Refuse pixels that are not packed and announced to be more than the file can hold."""
    width, height = picture.size
    tiles = getattr(picture, "tile", ())  # none yet where a decoder has its own way
    raw = bool(tiles) and all(tile[0] == "raw" for tile in tiles)
    if raw and width * height > 8 * stored:  # a pixel has a bit at least
        raise FileFormatError(
            f"{name}: announces {width} x {height} pixels and holds {stored} bytes. It is "
            "truncated or damaged: export or copy it again."
        )


def _deep_grey(picture: Any, name: str) -> ImageArray:
    """Return (H, W, 1) of a grey picture of 16 bits, or of floats, whose range is known."""
    levels = np.asarray(picture)[:, :, None]
    if picture.mode == "F":
        least, most = levels.min(), levels.max()
        if not (least >= -_ROUNDING and most <= 1.0 + _ROUNDING):  # NaN passes neither
            raise FileFormatError(
                f"{name}: expected floats in [0, 1], 0 black and 1 white, got {least:g} to "
                f"{most:g}. Scale it, or save it with 8 or 16 bits."
            )
        return np.clip(levels, 0.0, 1.0, dtype=np.float32)
    if picture.mode == "I":
        raise FileFormatError(
            f"{name}: expected 8 or 16 bits a channel without sign, got whole numbers of "
            f"{levels.min()} to {levels.max()}. Save it with 8 or 16 bits."
        )
    grey = levels.astype(np.float32) / np.float32(65535.0)
    white_is_zero = getattr(picture, "tag_v2", {}).get(_PHOTOMETRIC) == 0
    return np.float32(1.0) - grey if white_is_zero else grey


def _webp_size(data: bytes) -> tuple[int, int]:
    """Return width and height of a WebP from its header, (0, 0) of anything else."""
    if data[:4] != b"RIFF" or data[8:12] != b"WEBP":
        return 0, 0
    kind, body = data[12:16], data[20:30]
    if kind == b"VP8X":
        return (
            1 + int.from_bytes(body[4:7], "little"),
            1 + int.from_bytes(body[7:10], "little"),
        )
    bits = int.from_bytes(body[1:5] if kind == b"VP8L" else body[6:10], "little")
    if kind == b"VP8L":
        return 1 + (bits & 0x3FFF), 1 + (bits >> 14 & 0x3FFF)
    return bits & 0x3FFF, bits >> 16 & 0x3FFF


def _is_tga(data: bytes, name: str) -> bool:
    """TGA has no mark at its start: the name says it, or a mark at the end of newer files."""
    return name.lower().endswith(".tga") or data[-18:-2] == b"TRUEVISION-XFILE"


def orientation_of(read: Callable[[], Mapping[int, Any]]) -> Any:
    """Return what EXIF says; a block that cannot be read turns nothing."""
    try:
        return read().get(_ORIENTATION, 1)
    except Exception:  # whatever its parser likes
        return 1


def with_channels(image: ImageArray, channels: int) -> ImageArray:
    """Return (H, W, 1 to 4) with 1, 3 or 4 channels."""
    have = image.shape[2]
    grey, alpha = have <= 2, image[:, :, -1:] if have in (2, 4) else np.ones_like(image[:, :, :1])
    color = np.repeat(image[:, :, :1], 3, axis=2) if grey else image[:, :, :3]
    if channels == 1:
        weights = np.array([0.299, 0.587, 0.114], np.float32)
        return image[:, :, :1] if grey else (color @ weights)[:, :, None]
    return color if channels == 3 else np.concatenate([color, alpha], axis=2)
