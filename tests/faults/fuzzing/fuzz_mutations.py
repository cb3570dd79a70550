"""Spoil a good file: its bytes, its lines and numbers, or its structure kept whole otherwise.

A change of structure (a key of JSON, the shape of an array, the width in a PNG with its checksum
made anew) gets behind what notices damaged bytes at once; `fuzz_structures` makes those.
"""

import re
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
from fuzz_structures import STRUCTURES, structure_of

NUMBERS = (
    *("0", "-1", "1", "2", "255", "65536", "2147483647", "-2147483648", "4294967296"),
    *("9223372036854775807", "9" * 25, "-" + "9" * 400, "1e308", "-1e308", "1e-320", "1e400"),
    *("nan", "NaN", "inf", "-Infinity", "", "0x10", "1_000", "1,5", "٣", "1e", "--1", "null"),
)
"""What a number of a text becomes."""
TOKENS = (
    *(b"nan", b"-1", b"9" * 25, b"0", b"1e400", b"\n", b"/", b"{", b"[", b'"', b"null", b"#", b" "),
    *(b"\xff" * 3, b"\0" * 4, b"../../../etc/passwd", b"/etc/passwd", b"\\", b"\x1b[31m", b"(" * 9),
    *((2**power - 1).to_bytes(8, "little") for power in (16, 31, 32, 62, 63, 64)),
    *((2**power - 1).to_bytes(4, "big") for power in (16, 31, 32)),
)
"""What is written into bytes."""
_NUMBER = re.compile(rb"[-+]?\d+\.?\d*(?:[eE][-+]?\d+)?")
_REACHES = (40, 200, 1000, 10**9)
"""Headers are short and matter most."""

Change = Callable[[bytes, np.random.Generator], bytes]


def mutated(
    data: bytes, path: Path, rng: np.random.Generator, others: Mapping[str, bytes]
) -> tuple[str, bytes | None]:
    """Return what was done to a file, and its new content; None is no file at all.

    Parameters
    ----------
    data, path : the good file
    others : good files of other formats, by name
    """
    chance = rng.random()
    if chance < 0.01:
        return str(rng.choice(["missing", "folder", "pipe"])), None
    if chance < 0.02:
        return "empty", b""
    if chance < 0.04:
        name = sorted(others)[int(rng.integers(len(others)))]
        return f"content of {name}", others[name]
    kind = structure_of(data, path)
    done: list[str] = []
    for _ in range(int(rng.geometric(0.6))):
        if kind and rng.random() < 0.7:
            family, changes = kind, STRUCTURES[kind]
        elif _is_text(data) and rng.random() < 0.8:
            family, changes = "text", _TEXT
        else:
            family, changes = "bytes", _BYTES
        name = sorted(changes)[int(rng.integers(len(changes)))]
        try:
            data = changes[name](data, rng)
        except Exception:  # noqa: BLE001  the structure is gone already: change bytes instead
            family, name, data = "bytes", "flip", _flip(data, rng)
        kind = kind if family == kind else ""  # what is damaged has no parts to change
        done.append(f"{family} {name}")
    return ", ".join(done), data


def _is_text(data: bytes) -> bool:
    head = data[:400]
    return bool(head) and sum(byte < 9 or byte > 126 for byte in head) * 20 < len(head)


def _place(data: bytes | bytearray, rng: np.random.Generator) -> int:
    reach = min(len(data), int(rng.choice(_REACHES)))
    return int(rng.integers(0, max(reach, 1)))


def _flip(data: bytes, rng: np.random.Generator) -> bytes:
    content = bytearray(data or b"\0")
    for _ in range(int(rng.integers(1, 4))):
        content[_place(content, rng)] ^= 1 << int(rng.integers(8))
    return bytes(content)


def _set_byte(data: bytes, rng: np.random.Generator) -> bytes:
    content = bytearray(data or b"\0")
    content[_place(content, rng)] = int(rng.choice([0, 1, 127, 128, 255, int(rng.integers(256))]))
    return bytes(content)


def _cut(data: bytes, rng: np.random.Generator) -> bytes:
    return data[: int(rng.integers(0, max(len(data), 1)))]


def _remove(data: bytes, rng: np.random.Generator) -> bytes:
    start = _place(data, rng)
    return data[:start] + data[start + int(rng.choice([1, 2, 4, 8, 20, 200])) :]


def _insert(data: bytes, rng: np.random.Generator) -> bytes:
    start, token = _place(data, rng), TOKENS[int(rng.integers(len(TOKENS)))]
    return data[:start] + token + data[start:]


def _overwrite(data: bytes, rng: np.random.Generator) -> bytes:
    start, token = _place(data, rng), TOKENS[int(rng.integers(len(TOKENS)))]
    return data[:start] + token + data[start + len(token) :]


def _splice(data: bytes, rng: np.random.Generator) -> bytes:
    start, source = _place(data, rng), int(rng.integers(0, max(len(data), 1)))
    piece = data[source : source + int(rng.choice([4, 16, 200, 2000]))]
    return data[:start] + piece + data[start + int(rng.choice([0, len(piece)])) :]


def _append(data: bytes, rng: np.random.Generator) -> bytes:
    return data + bytes(rng.integers(0, 256, int(rng.choice([1, 7, 64, 4096])), np.uint8))


def _zeros(data: bytes, rng: np.random.Generator) -> bytes:
    start, count = _place(data, rng), int(rng.choice([8, 64, 1024]))
    return data[:start] + b"\0" * len(data[start : start + count]) + data[start + count :]


_BYTES: dict[str, Change] = {
    "flip": _flip,
    "set": _set_byte,
    "cut": _cut,
    "remove": _remove,
    "insert": _insert,
    "overwrite": _overwrite,
    "splice": _splice,
    "append": _append,
    "zeros": _zeros,
}


def _lines(data: bytes, rng: np.random.Generator) -> bytes:
    """Remove, repeat, exchange, empty, halve or multiply lines."""
    lines = data.split(b"\n")
    one, other = (int(rng.integers(len(lines))) for _ in range(2))
    change = int(rng.integers(6))
    if change == 0:
        del lines[one]
    elif change == 1:
        lines.insert(other, lines[one])
    elif change == 2:
        lines[one], lines[other] = lines[other], lines[one]
    elif change == 3:
        lines[one] = b""
    elif change == 4:
        lines[one] = lines[one][: len(lines[one]) // 2]
    else:
        lines[one:one] = [lines[one]] * 50
    return b"\n".join(lines)


def _number(data: bytes, rng: np.random.Generator) -> bytes:
    found = list(_NUMBER.finditer(data, 0, max(int(rng.choice(_REACHES)), 40)))
    match = found[int(rng.integers(len(found)))]
    word = NUMBERS[int(rng.integers(len(NUMBERS)))].encode()
    return data[: match.start()] + word + data[match.end() :]


def _count(data: bytes, rng: np.random.Generator) -> bytes:
    """Change a whole number a little, as a wrong count in a header."""
    found = [match for match in _NUMBER.finditer(data[:2000]) if match[0].isdigit()]
    match = found[int(rng.integers(len(found)))]
    changed = int(match[0]) + int(rng.choice([-2, -1, 1, 2, 1000, 10**6, 10**9, 10**12]))
    return data[: match.start()] + str(changed).encode() + data[match.end() :]


def _word(data: bytes, rng: np.random.Generator) -> bytes:
    """Remove, repeat, or exchange a word for another of the file."""
    words = re.split(rb"(\s+)", data)
    one, other = (2 * int(rng.integers((len(words) + 1) // 2)) for _ in range(2))
    words[one] = (b"", words[one] + b" " + words[one], words[other])[int(rng.integers(3))]
    return b"".join(words)


def _encoding(data: bytes, rng: np.random.Generator) -> bytes:
    text = data.decode("latin-1")
    change = int(rng.integers(6))
    if change == 0:
        return text.encode("utf-16")
    if change == 1:
        return b"\xef\xbb\xbf" + data
    if change == 2:
        return data.replace(b"\n", b"\r\n")
    if change == 3:
        return data.replace(b"\n", b"\r")
    if change == 4:
        return data.replace(b" ", b"\xa0", 3)
    place = _place(data, rng)
    return data[:place] + "é".encode("latin-1") + data[place:]


def _separators(data: bytes, rng: np.random.Generator) -> bytes:
    pairs = ((b",", b";"), (b" ", b","), (b",", b"\t"), (b".", b","), (b"/", b"//"), (b'"', b"'"))
    old, new = pairs[int(rng.integers(len(pairs)))]
    return data.replace(old, new, int(rng.choice([1, 10**9])))


_TEXT: dict[str, Change] = {
    "lines": _lines,
    "number": _number,
    "numbers": lambda data, rng: _number(_number(data, rng), rng),
    "count": _count,
    "word": _word,
    "encoding": _encoding,
    "separators": _separators,
    "bytes": _flip,
}
