"""The binary archive of the cereal library, as eos writes it."""

import dataclasses
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from geomface.errors import FileFormatError

_LONGEST_NAME = 1 << 16


@dataclasses.dataclass(frozen=True)
class Pca:
    """A PcaModel of eos: float32 arrays as stored, triangles (F, 3) int32."""

    mean: np.ndarray
    basis: np.ndarray
    eigenvalues: np.ndarray
    triangles: np.ndarray


Blendshapes = list[tuple[str, np.ndarray]]


class Archive:
    """The cereal binary archive that eos writes: little endian, no padding, no types.

    An Eigen matrix is int32 rows, int32 columns and float32 numbers column by column; a vector is
    a uint64 count and its items; a text a uint64 count and its bytes; an optional one byte, 1 for
    nothing, and the value; a variant an int32 index and the value.
    """

    def __init__(self, path: Path, data: bytes) -> None:
        self.path, self.data, self.at = path, data, 0

    def take(self, size: int) -> bytes:
        """Return the next bytes, or say that the file ends too early."""
        if size < 0 or self.at + size > len(self.data):
            raise FileFormatError(
                f"{self.path}: expected an archive of eos (*.bin), it is truncated or of another "
                f"layout (at byte {self.at} of {len(self.data)} it announces {size} more). Copy it "
                "again."
            )
        self.at += size
        return self.data[self.at - size : self.at]

    def number(self, code: str) -> int:
        """Return one integer of a `struct` code."""
        return struct.unpack("<" + code, self.take(struct.calcsize("<" + code)))[0]

    def matrix(self) -> np.ndarray:
        """Return a float32 matrix (rows, columns)."""
        rows, count = self.number("i"), self.number("i")
        raw = self.take(4 * rows * count if rows >= 0 and count >= 0 else -1)
        return np.frombuffer(raw, "<f4").reshape(rows, count, order="F")

    def rows(self, dtype: str, width: int) -> np.ndarray:
        """Return (n, width) of a vector of arrays."""
        size = np.dtype(dtype).itemsize * width
        raw = self.take(self.number("Q") * size)
        return np.frombuffer(raw, dtype).reshape(-1, width)

    def text(self) -> str:
        """Return a text."""
        size = self.number("Q")
        return self.take(size if size <= _LONGEST_NAME else -1).decode("utf-8", "replace")

    def optional(self, read: Callable[[], Any]) -> Any:
        """Return what `read` returns, or None where nothing was stored."""
        return None if self.number("B") else read()

    def pca(self) -> Pca:
        """Return a PcaModel: mean, orthonormal basis, eigenvalues, triangles."""
        return Pca(self.matrix(), self.matrix(), self.matrix(), self.rows("<i4", 3))

    def blendshapes(self) -> Blendshapes:
        """Return named displacements."""
        return [(self.text(), self.matrix()) for _ in range(self.number("Q"))]

    def expression(self) -> "Pca | Blendshapes":
        """Return the expression model: a PcaModel or blendshapes."""
        index = self.number("i")
        if index not in (0, 1):
            raise FileFormatError(f"{self.path}: an expression model of kind {index} is unknown.")
        return self.pca() if index == 0 else self.blendshapes()

    def landmarks(self) -> dict[str, int]:
        """Return {name: vertex}."""
        return {self.text(): self.number("i") for _ in range(self.number("Q"))}
