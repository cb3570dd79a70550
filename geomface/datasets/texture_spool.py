"""Textures of a set on the disk, to be read a block of places at a time."""

import tempfile
from collections.abc import Iterable
from pathlib import Path
from types import TracebackType
from typing import Self

import numpy as np

from geomface.arrays import BoolArray, ImageArray
from geomface.errors import MeshError, OutputError
from geomface.statistics.texture_blocks import TextureRows

_TOP = 65535
_CODE = np.dtype("<u2")


class TextureSpool:
    """A file without a name that holds textures and masks; it is gone when it is closed.

    A texture takes 7 bytes a texel: colours are kept as 16-bit codes, which hold every value of an
    8-bit and of a 16-bit picture exactly.

    Parameters
    ----------
    folder : on the disk that has the room
    """

    def __init__(self, folder: Path) -> None:
        try:
            self._file = tempfile.TemporaryFile(dir=folder)
        except OSError as error:
            raise OutputError(f"{folder}: no file can be made here ({error.strerror}).") from error
        self.count = 0
        self.shape: tuple[int, ...] = ()
        self._anybody = np.zeros(0, bool)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._file.close()

    def extend(self, textures: Iterable[tuple[str, ImageArray, BoolArray]]) -> None:
        """Append textures (name, (H, W, 3) in [0, 1], (H, W) what was seen).

        Raises
        ------
        MeshError : a texture of another size than the first.
        OutputError : the disk is full.
        """
        for name, texture, seen in textures:
            if not self.count:
                self.shape = texture.shape[:-1]
                self._anybody = np.zeros(seen.size, bool)
            if texture.shape[:-1] != self.shape:
                raise MeshError(
                    f"{name}: expected a texture of {self.shape[1]} x {self.shape[0]} texels as "
                    f"the first one, got {texture.shape[1]} x {texture.shape[0]}. One set needs "
                    "one size."
                )
            codes = np.floor(texture.astype(np.float32) * np.float32(_TOP) + np.float32(0.5))
            try:
                self._file.write(codes.astype(_CODE).tobytes())
                self._file.write(seen.astype(np.uint8).tobytes())
            except OSError as error:
                raise OutputError(f"{name}: no room on the disk ({error.strerror}).") from error
            self._anybody |= seen.ravel()
            self.count += 1

    def rows(self) -> TextureRows:
        """Return the textures for a fit; what nobody saw counts as seen, with the colours there."""
        self._file.flush()
        return TextureRows(self.count, len(self._anybody), self._read)

    def _read(self, start: int, stop: int) -> tuple[ImageArray, BoolArray]:
        places, width = len(self._anybody), stop - start
        colors = np.empty((self.count, width, 3), np.float32)
        seen = np.empty((self.count, width), bool)
        for index in range(self.count):
            base = index * places * (3 * _CODE.itemsize + 1)
            self._file.seek(base + start * 3 * _CODE.itemsize)
            codes = np.frombuffer(self._file.read(width * 3 * _CODE.itemsize), _CODE)
            np.divide(codes, np.float32(_TOP), out=colors[index].reshape(-1), dtype=np.float32)
            self._file.seek(base + places * 3 * _CODE.itemsize + start)
            seen[index] = np.frombuffer(self._file.read(width), np.uint8) > 0
        return colors, seen | ~self._anybody[start:stop]
