"""Readers that do what none may, each in its way, for the test of the harness."""

import ctypes
import pickle  # noqa: TID251  (that it is seen to be loaded)
import sys
from pathlib import Path

from fuzz_reader import Reader, one_file

from geomface.errors import GeomfaceError

_GOOD = "good"


def _crash() -> None:
    ctypes.string_at(0)


def _hang() -> None:
    while True:
        pass


def _fill() -> None:
    bytearray(3 * 2**30)


def _bare() -> None:
    raise KeyError("x")


def _away() -> None:
    Path("/etc/passwd").read_bytes()


def _load() -> None:
    pickle.loads(b"cposixpath\njoin\n.")  # noqa: S301


def _refuse() -> None:
    raise GeomfaceError("no")


def _trap(name: str) -> Reader:
    def read(path: Path) -> None:
        if path.read_text() != _GOOD:
            globals()[f"_{name}"]()

    return one_file(name, lambda path: path.write_text(_GOOD), read)


TRAPS = tuple(map(_trap, ("crash", "hang", "fill", "bare", "away", "load", "refuse")))


if __name__ == "__main__":
    from fuzz_worker import main

    sys.exit(main(lambda names: TRAPS, lambda *given: ("trap", b"spoiled"), 1.0))
