"""Geometry images on disk: safetensors, or PNG with the rest in a text chunk."""

import base64
import binascii
import json
import zlib
from pathlib import Path
from typing import Any

import numpy as np

from geomface.errors import FileFormatError, GeomfaceError, OutputError
from geomface.files.atomic import write_bytes
from geomface.files.images import decode_image, encode_image
from geomface.files.picture_text import text_of, with_text
from geomface.files.reading import read_bytes, reading
from geomface.files.tensors import load_tensors, save_tensors
from geomface.geometry_image.image import GeometryImage
from geomface.geometry_image.quantize import ValueRange

KIND = "geometry-image"
SCHEMA = 1


def save_geometry_image(path: str | Path, image: GeometryImage) -> None:
    """Write a geometry image, whole or not at all.

    Parameters
    ----------
    path : *.safetensors, or *.png for a single image of 8 or 16 bits: its pixels are the codes,
        and mask, range and topology are in a text chunk named geomface
    image : what `GeometryImageEncoder.encode` gave

    Raises
    ------
    OutputError : a place that cannot be written, another suffix, a float image or a stack as PNG.
    """
    suffix = Path(path).suffix.lower()
    if suffix == ".safetensors":
        arrays = {"pixels": image.pixels, "mask": image.mask}
        if image.limits is not None:
            arrays |= {"low": image.limits.low, "high": image.limits.high}
        save_tensors(
            path,
            arrays,
            kind=KIND,
            schema=SCHEMA,
            topology_id=image.topology_id,
            units=image.unit,
            config=_settings(image),
        )
    elif suffix == ".png":
        write_bytes(path, _png(path, image))
    else:
        raise OutputError(
            f"{path}: expected a geometry image named *.safetensors or *.png. Rename it."
        )


def load_geometry_image(path: str | Path) -> GeometryImage:
    """Read a geometry image written by `save_geometry_image`.

    Raises
    ------
    FileFormatError : missing, truncated, another kind or schema, or a PNG without the text chunk.
    """
    suffix = Path(path).suffix.lower()
    if suffix == ".png":
        pixels, mask, record = _read_png(path)
        limits = record.get("limits")
    elif suffix == ".safetensors":
        arrays, record = load_tensors(path, kind=KIND, schema=SCHEMA)
        limits = None if "low" not in arrays else [arrays["low"], arrays.get("high")]
        pixels, mask = arrays.get("pixels"), arrays.get("mask")
    else:
        raise FileFormatError(f"{path}: expected a geometry image named *.safetensors or *.png.")
    try:
        settings = record["config"]
        reference = settings["reference_fingerprint"]
        return GeometryImage(
            pixels=pixels,  # type: ignore[arg-type]  # None is refused below
            mask=mask,  # type: ignore[arg-type]
            mode=settings["mode"],
            topology_id=str(record["topology_id"]),
            uv_fingerprint=tuple(map(float, settings["uv_fingerprint"])),
            reference_fingerprint=None if reference is None else tuple(map(float, reference)),
            unit=record["units"],
            limits=None if limits is None else ValueRange(*map(np.asarray, limits)),
        )
    except (KeyError, TypeError, ValueError, AttributeError, GeomfaceError) as error:
        raise FileFormatError(
            f"{path}: expected a geometry image, but its parts do not fit together ({error}). "
            "Write it again."
        ) from error


def _settings(image: GeometryImage) -> dict[str, Any]:
    return {
        "mode": image.mode,
        "uv_fingerprint": image.uv_fingerprint,
        "reference_fingerprint": image.reference_fingerprint,
    }


def _png(path: str | Path, image: GeometryImage) -> bytes:
    if image.limits is None or image.pixels.ndim != 3:
        what = "float pixels" if image.limits is None else "a stack of images"
        raise OutputError(
            f"{path}: a PNG holds one geometry image of 8 or 16 bits, this is {what}. Write "
            "*.safetensors, or encode with bits=16."
        )
    top = 2**image.bits - 1
    data = encode_image(image.pixels / np.float64(top), str(path), image.bits)
    record = {
        "kind": KIND,
        "schema": SCHEMA,
        "topology_id": image.topology_id,
        "units": image.unit,
        "config": _settings(image),
        "limits": [image.limits.low.tolist(), image.limits.high.tolist()],
        "mask": base64.b64encode(zlib.compress(np.packbits(image.mask).tobytes())).decode("ascii"),
    }
    return with_text(data, json.dumps(record, sort_keys=True))


def _read_png(path: str | Path) -> tuple[np.ndarray, np.ndarray, dict[str, Any]]:
    data = read_bytes(path, "a geometry image (PNG)")
    text = text_of(data)
    if text is None:
        raise FileFormatError(
            f"{path}: expected a geometry image, but this PNG has no text chunk named geomface. "
            "Give the file that geomface wrote; other programs drop the chunk when they save."
        )
    shown = decode_image(data, str(path))
    top = 65535 if data[24] == 16 else 255  # byte 24 is IHDR's bit depth
    pixels = np.floor(shown * np.float64(top) + 0.5).astype(np.uint16 if top > 255 else np.uint8)
    try:
        with reading(path, "a geometry image"):
            record = json.loads(text)
        if record["kind"] != KIND or record["schema"] != SCHEMA:
            raise ValueError(f"kind {record['kind']!r}, schema {record['schema']!r}")
        stored = base64.b64decode(record["mask"])
        # Bounded, so that a small text cannot unpack to all of the memory.
        raw = zlib.decompressobj().decompress(stored, pixels.shape[0] * pixels.shape[1])
        packed = np.frombuffer(raw, np.uint8)
        mask = np.unpackbits(packed, count=pixels.shape[0] * pixels.shape[1]).astype(bool)
        mask = mask.reshape(pixels.shape[:2])
    except (ValueError, KeyError, TypeError, binascii.Error, zlib.error) as error:
        raise FileFormatError(
            f"{path}: expected a geometry image of schema {SCHEMA}, but the text in it does not "
            f"say so ({error}). Write it again with this version."
        ) from error
    return pixels, mask, record
