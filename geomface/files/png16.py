"""PNG with 16 bits a channel, which Pillow reads and writes as 8 bits only, and of 8 bits quickly.

Source
------
PNG specification, third edition, W3C 2023: chunks (section 5), filters (section 9). Written with
filter 0, or 2 of 8 bits; interlaced files are refused.
"""

import struct
import zlib

import numpy as np

from geomface.errors import FileFormatError

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_CHANNELS = {0: 1, 2: 3, 4: 2, 6: 4}
_TYPES = {channels: kind for kind, channels in _CHANNELS.items()}
_MOST_BYTES = 2**28


def is_deep(data: bytes) -> bool:
    """Say whether `data` starts like a 16-bit PNG."""
    return data[:8] == _SIGNATURE and data[12:16] == b"IHDR" and data[24:25] == b"\x10"


def encode(levels: np.ndarray) -> bytes:
    """Return the PNG of (H, W, 1 to 4) uint16."""
    height, width, channels = levels.shape
    rows = np.zeros((height, 1 + 2 * width * channels), np.uint8)
    rows[:, 1:] = levels.astype(">u2").reshape(height, -1).view(np.uint8)
    return _file(levels.shape, 16, zlib.compress(rows.tobytes(), 4))


def encode_quickly(levels: np.ndarray) -> bytes:
    """Return the PNG of (H, W, 1 to 4) uint8, each row as what it adds to the row above.

    For pictures with the noise of a camera: looking for the best filter of each row takes twice the
    time, and the file is no smaller.
    """
    height, width, channels = levels.shape
    pixels = levels.reshape(height, -1)
    rows = np.full((height, 1 + width * channels), 2, np.uint8)
    rows[0, 1:] = pixels[0]
    np.subtract(pixels[1:], pixels[:-1], out=rows[1:, 1:])
    return _file(levels.shape, 8, zlib.compress(rows.tobytes(), 1))


def _file(shape: tuple[int, ...], bits: int, packed: bytes) -> bytes:
    """Return a PNG whose rows are packed already."""
    height, width, channels = shape
    header = struct.pack(">IIBBBBB", width, height, bits, _TYPES[channels], 0, 0, 0)
    parts = [(b"IHDR", header), (b"IDAT", packed), (b"IEND", b"")]
    return _SIGNATURE + b"".join(
        struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
        for kind, body in parts
    )


def decode(data: bytes, name: str) -> np.ndarray:
    """Return (H, W, channels) uint16.

    Raises
    ------
    FileFormatError : truncated, a wrong checksum, interlaced, or of an impossible size
    """
    header, packed = check_chunks(data, name)
    width, height, _, color, method, filtering, interlaced = struct.unpack(">IIBBBBB", header)
    if color not in _CHANNELS or method or filtering or interlaced:
        raise FileFormatError(
            f"{name}: expected a 16-bit grey or RGB PNG that is not interlaced. Save it again "
            "without interlacing."
        )
    channels = _CHANNELS[color]
    stride = 1 + 2 * width * channels
    if not 0 < width * height * 2 * channels <= _MOST_BYTES:
        raise FileFormatError(
            f"{name}: has {width} x {height} pixels of 16 bits in {channels} channels, expected 1 "
            f"to {_MOST_BYTES // (2 * channels)}. Make it smaller, or save it with 8 bits."
        )
    try:
        # Bounded, so that a small file cannot unpack to all of the memory.
        raw = zlib.decompressobj().decompress(packed, stride * height)
    except zlib.error as error:
        raise FileFormatError(f"{name}: damaged PNG ({error}). Copy it again.") from error
    if len(raw) != stride * height:
        raise FileFormatError(
            f"{name}: truncated PNG, expected {stride * height} bytes of pixels, got {len(raw)}."
        )
    rows = np.frombuffer(raw, np.uint8).reshape(height, stride)
    filters = rows[:, 0]
    if filters.max() > 4:
        raise FileFormatError(f"{name}: damaged PNG (filter {filters.max()}). Copy it again.")
    filters = filters.copy()
    pixels = rows[:, 1:].reshape(height, width, 2 * channels).copy()
    del rows, raw  # large pictures take this memory again below
    if (filters >= 3).any():
        _unfilter_by_diagonals(pixels, filters)
    elif filters.any():
        _unfilter_by_rows(pixels, filters)
    return pixels.reshape(height, -1).view(">u2").reshape(height, width, channels).astype(np.uint16)


def exif(data: bytes) -> bytes:
    """Return the EXIF chunk of a PNG whose chunks are whole, empty when it has none."""
    position, kind = 8, b""
    while kind not in (b"eXIf", b"IEND", b"") or position == 8:
        length = int.from_bytes(data[position : position + 4], "big")
        kind = data[position + 4 : position + 8]
        body = data[position + 8 : position + 8 + length]
        position += 12 + length
    return body if kind == b"eXIf" else b""


def is_png(data: bytes) -> bool:
    """Say whether `data` starts like any PNG."""
    return data[:8] == _SIGNATURE


def check_chunks(data: bytes, name: str) -> tuple[bytes, bytes]:
    """Return the header and the joined compressed data of a PNG, checksums verified.

    Raises
    ------
    FileFormatError : truncated, or a checksum is wrong
    """
    header, packed, position, ended = b"", [], 8, False
    while not ended:
        length = int.from_bytes(data[position : position + 4], "big")
        kind = data[position + 4 : position + 8]
        body = data[position + 8 : position + 8 + length]
        check = data[position + 8 + length : position + 12 + length]
        if len(check) != 4:
            raise FileFormatError(f"{name}: truncated PNG. Copy or export it again.")
        if zlib.crc32(kind + body) != int.from_bytes(check, "big"):
            raise FileFormatError(f"{name}: damaged PNG (checksum of {kind!r}). Copy it again.")
        if kind == b"IHDR":
            header = body
        elif kind == b"IDAT":
            packed.append(body)
        ended = kind == b"IEND"
        position += 12 + length
    if len(header) != 13:
        raise FileFormatError(f"{name}: damaged PNG header. Copy or export it again.")
    return header, b"".join(packed)


def _unfilter_by_rows(pixels: np.ndarray, filters: np.ndarray) -> None:
    """Undo filters none, sub and up in place; bytes wrap at 256."""
    for row, kind in enumerate(filters):
        if kind == 1:
            pixels[row] = np.add.accumulate(pixels[row], axis=0, dtype=np.uint8)
        elif kind == 2 and row:
            pixels[row] += pixels[row - 1]


def _unfilter_by_diagonals(pixels: np.ndarray, filters: np.ndarray) -> None:
    """Undo any filters in place.

    A pixel needs its left, upper and upper left neighbours, so all pixels with the same
    row + column can be done at once.
    """
    height, width, depth = pixels.shape
    padded = np.zeros((height + 1, width + 1, depth), np.int16)
    padded[1:, 1:] = pixels
    for diagonal in range(height + width - 1):
        rows = np.arange(max(0, diagonal - width + 1), min(height, diagonal + 1))
        columns = diagonal - rows
        left, up = padded[rows + 1, columns], padded[rows, columns + 1]
        corner = padded[rows, columns]
        guess = left + up - corner
        to_left, to_up, to_corner = (abs(guess - near) for near in (left, up, corner))
        paeth = np.where(
            (to_left <= to_up) & (to_left <= to_corner),
            left,
            np.where(to_up <= to_corner, up, corner),
        )
        kind = filters[rows, None]
        predicted = np.select(
            [kind == 1, kind == 2, kind == 3, kind == 4], [left, up, (left + up) >> 1, paeth], 0
        )
        padded[rows + 1, columns + 1] = (padded[rows + 1, columns + 1] + predicted) & 255
    pixels[:] = padded[1:, 1:]
