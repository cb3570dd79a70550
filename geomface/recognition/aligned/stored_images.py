"""Pictures of several files as one array, of which only what is asked for is read."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from geomface.arrays import IndexArray
from geomface.errors import FileFormatError


class StoredImages:
    """Pictures (N, 3, h, w) uint8 in numpy's files, mapped into memory one by one.

    Parameters
    ----------
    paths : the files, each (n, 3, h, w)
    places : (N, 2) int64, file and row of each picture
    size : h, w
    """

    dtype = np.dtype(np.uint8)

    def __init__(self, paths: Sequence[Path], places: IndexArray, size: tuple[int, int]) -> None:
        self.paths, self.places, self._size = tuple(paths), places, size
        self._files: dict[int, np.ndarray] = {}

    def __len__(self) -> int:
        return len(self.places)

    @property
    def shape(self) -> tuple[int, int, int, int]:
        """(N, 3, h, w)."""
        return (len(self), 3, *self._size)

    def __getitem__(self, rows: int | slice | np.ndarray) -> np.ndarray:
        """Return one picture, or those of a slice or of an array of numbers or bools."""
        places = self.places[rows]
        if places.ndim == 1:
            return np.array(self._file(int(places[0]))[places[1]])
        found = np.empty((len(places), 3, *self._size), np.uint8)
        for number in np.unique(places[:, 0]):
            chosen = places[:, 0] == number
            found[chosen] = self._file(int(number))[places[chosen, 1]]
        return found

    @classmethod
    def joined(cls, parts: "Sequence[StoredImages]") -> "StoredImages":
        """Return the pictures of several, of one size, one after the other; nothing is read."""
        offsets = np.cumsum([0, *(len(part.paths) for part in parts)])
        places = [
            part.places + [offset, 0] for part, offset in zip(parts, offsets[:-1], strict=True)
        ]
        paths = [path for part in parts for path in part.paths]
        return cls(paths, np.concatenate(places), parts[0]._size)

    def part(self, rows: np.ndarray) -> "StoredImages":
        """Return some of the pictures; nothing is read."""
        return StoredImages(self.paths, self.places[rows], self._size)

    def _file(self, number: int) -> np.ndarray:
        if number not in self._files:
            path = self.paths[number]
            try:
                stored = np.load(path, mmap_mode="r", allow_pickle=False)
            except (OSError, ValueError, EOFError) as error:
                raise FileFormatError(
                    f"{path}: expected aligned faces, it cannot be read ({error}). Align them "
                    "again."
                ) from error
            last = self.places[self.places[:, 0] == number, 1].max()
            if (
                stored.dtype != self.dtype
                or stored.shape[1:] != self.shape[1:]
                or (len(stored) <= last)
            ):
                raise FileFormatError(
                    f"{path}: expected uint8 pictures of shape {self.shape[1:]}, more than {last}, "
                    f"got {stored.dtype} of shape {stored.shape}. Align them again."
                )
            self._files[number] = stored
        return self._files[number]
