"""A text inside a PNG or JPEG: what belongs to a picture and must travel with it."""

import struct
import zlib

_NAME = b"geomface\0"
_PNG, _JPEG = b"\x89PNG\r\n\x1a\n", b"\xff\xd8"
_HEAD = len(_PNG) + 25  # IHDR, which must come first: 13 bytes of data and 12 around


def with_text(picture: bytes, text: str) -> bytes:
    """Return a PNG or JPEG file with a text (ASCII) in it; other programs may drop it.

    In a PNG it is a tEXt chunk named geomface, in a JPEG a comment of less than 64 KB.
    """
    body = _NAME + text.encode("ascii")
    if picture.startswith(_PNG):
        chunk = struct.pack(">I", len(body)) + b"tEXt" + body
        chunk += struct.pack(">I", zlib.crc32(b"tEXt" + body))
        return picture[:_HEAD] + chunk + picture[_HEAD:]
    # The head of JFIF must come first.
    at = 4 + int.from_bytes(picture[4:6], "big") if picture[2:4] == b"\xff\xe0" else len(_JPEG)
    comment = b"\xff\xfe" + struct.pack(">H", len(body) + 2) + body
    return picture[:at] + comment + picture[at:]


def text_of(picture: bytes) -> str | None:
    """Return the text that `with_text` put into a file, None where there is none."""
    at = len(_PNG)
    while picture.startswith(_PNG) and at + 12 <= len(picture):
        (length,) = struct.unpack(">I", picture[at : at + 4])
        body = picture[at + 8 : at + 8 + length]
        if picture[at + 4 : at + 8] == b"tEXt" and body.startswith(_NAME):
            return _text(body)
        at += 12 + length
    at = len(_JPEG)
    # Segments of a JPEG's head are FF, kind, length; its pixels begin with kind DA.
    while picture.startswith(_JPEG) and picture[at : at + 1] == b"\xff" and at + 4 <= len(picture):
        kind, length = picture[at + 1], int.from_bytes(picture[at + 2 : at + 4], "big")
        body = picture[at + 4 : at + 2 + length]
        if kind == 0xFE and body.startswith(_NAME):
            return _text(body)
        if kind == 0xDA or length < 2:
            break
        at += 2 + length
    return None


def _text(body: bytes) -> str:
    return body[len(_NAME) :].decode("ascii", "replace")
