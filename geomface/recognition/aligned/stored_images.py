"""Pictures of several files as one array, of which only what is asked for is read."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from geomface.arrays import IndexArray
from geomface.errors import FileFormatError
from geomface.files.numpy_files import array_head


class StoredImages:
    """Pictures (N, 3, h, w) uint8 in numpy's files, read one by one.

    Parameters
    ----------
    paths : the files, each (n, C, h, w)
    places : (N, 2) int64, file and row of each picture
    size : h, w
    channels : C, 1 for masks

    Notes
    -----
    No file stays open, and none is mapped: a set of half a million pictures has more files than a
    process may hold.
    """

    dtype = np.dtype(np.uint8)

    def __init__(
        self,
        paths: Sequence[Path],
        places: IndexArray,
        size: tuple[int, int],
        channels: int = 3,
    ) -> None:
        self.paths, self.places = tuple(paths), places
        self._size, self._channels = size, channels
        self._last = np.full(len(self.paths), -1, np.int64)
        np.maximum.at(self._last, places[:, 0], places[:, 1])
        self._starts: dict[int, int] = {}

    def __len__(self) -> int:
        return len(self.places)

    @property
    def shape(self) -> tuple[int, int, int, int]:
        """(N, C, h, w)."""
        return (len(self), self._channels, *self._size)

    def __getitem__(self, rows: int | slice | np.ndarray) -> np.ndarray:
        """Return one picture, or those of a slice or of an array of numbers or bools."""
        places = self.places[rows]
        if places.ndim == 1:
            return self._read(int(places[0]), places[1:])[0]
        found = np.empty((len(places), *self.shape[1:]), np.uint8)
        for number in np.unique(places[:, 0]):
            chosen = places[:, 0] == number
            found[chosen] = self._read(int(number), places[chosen, 1])
        return found

    @classmethod
    def joined(cls, parts: "Sequence[StoredImages]") -> "StoredImages":
        """Return the pictures of several, of one size, one after the other; nothing is read."""
        offsets = np.cumsum([0, *(len(part.paths) for part in parts)])
        places = [
            part.places + [offset, 0] for part, offset in zip(parts, offsets[:-1], strict=True)
        ]
        paths = [path for part in parts for path in part.paths]
        return cls(paths, np.concatenate(places), parts[0]._size, parts[0]._channels)

    def part(self, rows: np.ndarray) -> "StoredImages":
        """Return some of the pictures; nothing is read."""
        return StoredImages(self.paths, self.places[rows], self._size, self._channels)

    def require_files(self) -> None:
        """Refuse files that are missing or too short for their pictures; none is read.

        Raises
        ------
        FileFormatError : one is
        """
        for path, last in zip(self.paths, self._last, strict=True):
            try:
                size = path.stat().st_size
            except OSError as error:
                raise _unreadable(path, error) from error
            if size < (last + 1) * self._bytes:
                raise _unreadable(path, f"{size} bytes are too few for {last + 1} pictures")

    @property
    def _bytes(self) -> int:
        """Return the bytes of a picture."""
        return int(np.prod(self.shape[1:]))

    def _read(self, number: int, rows: IndexArray) -> np.ndarray:
        """Return pictures of one file."""
        path, start = self.paths[number], self._start(number)
        found = np.empty((len(rows), *self.shape[1:]), np.uint8)
        try:
            with open(path, "rb", buffering=0) as file:
                for picture, row in zip(found, rows, strict=True):
                    file.seek(start + int(row) * self._bytes)
                    if file.readinto(picture) != self._bytes:  # type: ignore[attr-defined]
                        raise EOFError(f"it ends before picture {row}")
        except (OSError, EOFError) as error:
            raise _unreadable(path, error) from error
        return found

    def _start(self, number: int) -> int:
        """Return the first byte of the pictures of a file, whose head is read once."""
        if number not in self._starts:
            path, last = self.paths[number], int(self._last[number])
            stored = array_head(path, "aligned faces")
            fits = (
                stored.dtype == self.dtype
                and len(stored.shape) == 4
                and stored.shape[1:] == self.shape[1:]
                and stored.rows_first
                and stored.shape[0] > last
            )
            if not fits:
                raise FileFormatError(
                    f"{path}: expected uint8 pictures of shape {self.shape[1:]}, more than {last}, "
                    f"got {stored.dtype} of shape {stored.shape}. Align them again."
                )
            self._starts[number] = stored.start
        return self._starts[number]


def _unreadable(path: Path, why: object) -> FileFormatError:
    return FileFormatError(
        f"{path}: expected aligned faces, it cannot be read ({why}). Align them again."
    )
