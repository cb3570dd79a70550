"""One reader under test: how a good file of it is made, and what reads it."""

import dataclasses
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

TESTS = Path(__file__).resolve().parents[2]
MADE = "made"
"""Folder, in that of a reader, of what it writes while it reads; emptied after each input."""


@dataclasses.dataclass(frozen=True)
class Reader:
    """A reader, and files that it reads.

    Parameters
    ----------
    name : of the reader, and of the folder of its files
    write : fills that folder with good files
    read : reads them, all that is in them: what is opened only when it is asked for, too
    spoil : patterns of the files to spoil
    weight : how many inputs it gets; 4 is usual, less what takes long to read
    slow : its files take a training or a rendering to make
    """

    name: str
    write: Callable[[Path], Any]
    read: Callable[[Path], Any]
    spoil: tuple[str, ...] = ("**/*",)
    weight: int = 4
    slow: bool = False

    def files(self, folder: Path) -> list[Path]:
        """Return the files to spoil, in a fixed order."""
        found = {path for pattern in self.spoil for path in folder.glob(pattern)}
        return sorted(
            path for path in found if path.is_file() and MADE not in path.relative_to(folder).parts
        )

    def tidy(self, folder: Path) -> None:
        """Remove what reading left."""
        shutil.rmtree(folder / MADE, ignore_errors=True)


def one_file(name: str, write: Callable[[Path], Any], read: Callable[[Path], Any]) -> Reader:
    """Return the reader of a single file of this name."""
    return Reader(
        name, lambda folder: write(folder / name), lambda folder: read(folder / name), (name,)
    )


def schedule(readers: Sequence[Reader]) -> list[Reader]:
    """Return an order in which each comes as often as its weight says, spread over the whole."""
    places = [
        ((turn + 0.5) / reader.weight, index)
        for index, reader in enumerate(readers)
        for turn in range(reader.weight)
    ]
    return [readers[index] for _, index in sorted(places)]


def write_samples(folder: Path, readers: Sequence[Reader]) -> None:
    """Write the good files of each reader, where they are not there yet."""
    for reader in readers:
        place = folder / reader.name
        if not place.is_dir():
            place.mkdir(parents=True)
            reader.write(place)
