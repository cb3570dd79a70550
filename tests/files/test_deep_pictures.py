"""TIFF of 16 bits and of floats, the first frame of a GIF, pictures of a size that Pillow fears."""

import struct
import zlib

import numpy as np
import pytest
from PIL import Image

from geomface.errors import FileFormatError
from geomface.files import load_image
from geomface.files.images import FOREIGN_SUFFIXES, IMAGE_SUFFIXES, decode_image

WHOLE, FLOATS = 1, 3


def tiff(levels: np.ndarray, kind: int = WHOLE, *, white_is_zero: bool = False) -> bytes:
    """Return the bytes of an uncompressed TIFF of (H, W, channels), by the specification."""
    height, width, channels = levels.shape
    body = levels.astype(levels.dtype.newbyteorder("<")).tobytes()
    color = 2 if channels >= 3 else int(not white_is_zero)
    rows = [
        (256, "I", [width]),
        (257, "I", [height]),
        (258, "H", [8 * levels.dtype.itemsize] * channels),
        (259, "H", [1]),
        (262, "H", [color]),
        (273, "I", [8]),
        (277, "H", [channels]),
        (278, "I", [height]),
        (279, "I", [len(body)]),
        *([(338, "H", [2])] if channels == 4 else []),
        (339, "H", [kind] * channels),
    ]
    at = 8 + len(body) + len(body) % 2
    far, table = b"", struct.pack("<H", len(rows))
    for tag, letter, values in rows:
        packed = struct.pack(f"<{len(values)}{letter}", *values)
        if len(packed) > 4:
            place = at + 2 + 12 * len(rows) + 4 + len(far)
            far, packed = far + packed, struct.pack("<I", place)
        number = {"H": 3, "I": 4}[letter]
        table += struct.pack("<HHI", tag, number, len(values)) + packed.ljust(4, b"\0")
    return (b"II*\0" + struct.pack("<I", at) + body).ljust(at, b"\0") + table + b"\0\0\0\0" + far


@pytest.mark.parametrize("white_is_zero", [False, True])
def test_grey_of_sixteen_bits_keeps_every_level(white_is_zero):
    levels = np.arange(2**16).reshape(256, 256, 1).astype(np.uint16)
    data = tiff(levels, white_is_zero=white_is_zero)
    image = decode_image(data, "a.tif", 1)
    assert image.dtype == np.float32
    wanted = 65535 - levels.astype(int) if white_is_zero else levels
    np.testing.assert_array_equal(np.rint(image * 65535.0), wanted)
    colour = decode_image(data, "a.tif", 4)
    np.testing.assert_array_equal(colour[..., :3], np.repeat(image, 3, axis=2))
    assert (colour[..., 3] == 1).all()


@pytest.mark.parametrize("channels", [3, 4])
def test_colour_of_sixteen_bits_keeps_the_upper_eight(channels):
    levels = np.random.default_rng(0).integers(0, 2**16, (7, 5, channels)).astype(np.uint16)
    image = decode_image(tiff(levels), "a.tif", channels)
    np.testing.assert_allclose(image, levels / 65535.0, atol=1 / 255)


def test_floats_are_read_where_their_range_is_known():
    values = np.random.default_rng(0).random((7, 5, 1)).astype(np.float32)
    values[0, 0], values[0, 1] = 0.0, 1.0
    np.testing.assert_array_equal(decode_image(tiff(values, FLOATS), "a.tif", 1), values)
    for bad, told in ((255 * values, "got 0 to 255"), (values - 0.5, "got -0.5 to 0.5")):
        with pytest.raises(FileFormatError, match=rf"a.tif: expected floats in \[0, 1\].*{told}"):
            decode_image(tiff(bad, FLOATS), "a.tif")
    values[3, 3] = np.nan
    with pytest.raises(FileFormatError, match="got nan to nan"):
        decode_image(tiff(values, FLOATS), "a.tif")


def test_other_numbers_are_named():
    signed = np.full((3, 4, 1), -5, np.int16)
    with pytest.raises(FileFormatError, match="without sign, got whole numbers of -5 to -5"):
        decode_image(tiff(signed, 2), "a.tif")
    with pytest.raises(FileFormatError, match="a TIFF of other numbers than 8 or 16 bits"):
        decode_image(tiff(np.zeros((3, 4, 3), np.float32), FLOATS), "a.tif")


def test_the_first_frame_of_a_gif(tmp_path):
    first, second = (np.full((6, 8, 3), level, np.uint8) for level in (200, 20))
    first[:3] = (255, 0, 0)
    frames = [Image.fromarray(item) for item in (first, second)]
    frames[0].save(tmp_path / "a.gif", save_all=True, append_images=frames[1:])
    np.testing.assert_array_equal(load_image(tmp_path / "a.gif") * 255.0, first)
    assert ".gif" in IMAGE_SUFFIXES and not set(IMAGE_SUFFIXES) & set(FOREIGN_SUFFIXES)


def test_a_picture_of_billions_of_pixels_is_refused_in_our_words():
    def chunk(kind: bytes, body: bytes) -> bytes:
        return (
            struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
        )

    header = struct.pack(">IIBBBBB", 50_000, 50_000, 8, 2, 0, 0, 0)
    png = (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + chunk(b"IDAT", zlib.compress(b""))
        + chunk(b"IEND", b"")
    )
    with pytest.raises(FileFormatError, match=r"more than the 67108864 pixels .*Make it") as caught:
        decode_image(png, "big.png")
    assert "bomb" not in str(caught.value)
