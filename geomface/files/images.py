"""Images: PNG of 8 and 16 bits, JPEG and what else scanners write; float32, row 0 at the top."""

import io
import warnings
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from geomface.arrays import ImageArray
from geomface.errors import FileFormatError, OutputError, SettingsError
from geomface.files import png16
from geomface.files.atomic import write_bytes
from geomface.files.picture_text import with_text
from geomface.files.reading import named, read_bytes, reading

MOST_PIXELS = 2**26
"""Pictures of more pixels are refused; one of that many takes about a gigabyte while it is read."""
_ORIENTATION = 0x0112
_FORMATS = ("PNG", "JPEG", "BMP", "TIFF", "WEBP")
IMAGE_SUFFIXES = (".png", ".jpg", ".jpeg", ".bmp", ".tif", ".tiff", ".webp", ".tga")
"""Endings of the pictures that are read, in small letters."""
_MODES = {1: "L", 3: "RGB", 4: "RGBA"}


def load_image(path: str | Path, channels: int = 3) -> ImageArray:
    """Read an image as (H, W, channels) float32 in [0, 1].

    Parameters
    ----------
    path : PNG (8 or 16 bits), JPEG, BMP, TIFF, WebP or TGA, of at most 2^26 pixels
    channels : 1 grey, 3 RGB or 4 RGBA; the file's own channels are converted

    Raises
    ------
    FileFormatError : missing, empty, truncated, too large or not an image

    Convention
    ----------
    Row 0 is the top, as EXIF orients the picture. Values are k / 255, or k / 65535 of a 16-bit
    PNG. No colour management: the numbers are those in the file (sRGB as a rule). Grey from RGB is
    0.299 R + 0.587 G + 0.114 B.

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
    if channels not in _MODES:
        raise SettingsError(f"channels must be 1, 3 or 4, got {channels}.")
    with reading(name, "an image"):
        if png16.is_deep(data):
            deep = png16.decode(data, name).astype(np.float32)
            deep /= np.float32(65535.0)
            image = _with_channels(deep, channels)
            return (
                _turned(image, _orientation(lambda: _exif(png16.exif(data)))) if upright else image
            )
        if png16.is_png(data):
            png16.check_chunks(data, name)  # Pillow lets a cut end pass
        pixels = _decode_eight_bits(data, name, channels, upright)
        image = pixels.reshape(*pixels.shape[:2], channels).astype(np.float32)
        image /= np.float32(255.0)
        return image


def _decode_eight_bits(data: bytes, name: str, channels: int, upright: bool) -> np.ndarray:
    from PIL import Image, UnidentifiedImageError

    formats = (*_FORMATS, "TGA") if _is_tga(data, name) else _FORMATS
    try:
        _require_size(_webp_size(data), name)  # its decoder takes the memory when it is made
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # our own limit is below the one that is warned of
            with Image.open(io.BytesIO(data), formats=formats) as picture:
                _require_size(picture.size, name)
                if picture.mode in ("I", "F") or picture.mode.startswith("I;16"):
                    raise ValueError(f"pixel type {picture.mode} is not supported")
                orientation = _orientation(picture.getexif)
                mode = _MODES[channels]
                # `convert` copies even where there is nothing to do.
                pixels = np.asarray(picture if picture.mode == mode else picture.convert(mode))
    except (FileFormatError, MemoryError):
        raise
    # Decoders raise whatever they like on damaged data.
    except Exception as error:
        reason = "none of these" if isinstance(error, UnidentifiedImageError) else error
        raise FileFormatError(
            f"{name}: expected an image (PNG, JPEG, BMP, TIFF, WebP or TGA), but it cannot be "
            f"decoded ({reason}). Export or copy it again."
        ) from error
    return _turned(pixels, orientation) if upright else pixels


def may_have_alpha(data: bytes) -> bool:
    """Say by the head of an image file whether its pixels can be transparent."""
    if png16.is_png(data):
        return bool(data[25:26] and data[25] & 4) or b"tRNS" in data[: data.find(b"IDAT")]
    return data[:2] not in (b"\xff\xd8", b"BM")


def _require_size(size: tuple[int, int], name: str) -> None:
    """Refuse a picture by its header, before its pixels take any memory."""
    width, height = size
    if width * height > MOST_PIXELS:
        raise FileFormatError(
            f"{name}: has {width} x {height} pixels, more than the {MOST_PIXELS} that are read "
            "(8192 x 8192). Make it smaller."
        )


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


def _orientation(read: Callable[[], Mapping[int, Any]]) -> Any:
    """Return what EXIF says; a block that cannot be read turns nothing."""
    try:
        return read().get(_ORIENTATION, 1)
    except Exception:  # whatever its parser likes
        return 1


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


def _with_channels(image: ImageArray, channels: int) -> ImageArray:
    have = image.shape[2]
    grey, alpha = have <= 2, image[:, :, -1:] if have in (2, 4) else np.ones_like(image[:, :, :1])
    color = np.repeat(image[:, :, :1], 3, axis=2) if grey else image[:, :, :3]
    if channels == 1:
        weights = np.array([0.299, 0.587, 0.114], np.float32)
        return image[:, :, :1] if grey else (color @ weights)[:, :, None]
    return color if channels == 3 else np.concatenate([color, alpha], axis=2)


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
    from PIL import Image

    buffer = io.BytesIO()
    pixels = levels.astype(np.uint8)
    picture = Image.fromarray(pixels[:, :, 0] if pixels.shape[2] == 1 else pixels)
    if jpeg:
        picture.save(buffer, format="JPEG", quality=95, subsampling=0)
    else:
        picture.save(buffer, format="PNG", compress_level=1)
    return buffer.getvalue()
