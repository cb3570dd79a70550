"""Training data that is drawn at random: some items a file, kept, and gone on with."""

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from geomface.errors import FileFormatError
from geomface.files.reading import require_file
from geomface.files.records import plain
from geomface.files.tensors import read_header, save_tensors
from geomface.learning.errors import DatasetError
from geomface.learning.fingerprint import Fingerprint, fingerprint_files

SCHEMA = 1
_WHAT = "rows that were drawn for a training"
_REMEDY = "Remove it: it is drawn again."


class DrawnSet:
    """Rows of arrays in several files, read from the disk when they are asked for.

    Parameters
    ----------
    paths : the files, in order; each holds the same arrays with any number of rows

    Raises
    ------
    FileFormatError : a file that is missing or damaged, or of other arrays than the first
    """

    def __init__(self, paths: list[Path]) -> None:
        self.paths = paths
        self._files = [_opened(path) for path in paths]
        self.names = sorted(self._files[0].keys())
        heads = [_heads(path, file) for path, file in zip(paths, self._files, strict=True)]
        for path, head in zip(paths, heads, strict=True):
            rows = {shape[0] for _, shape in head.values() if shape}
            alike = {name: (kind, shape[1:]) for name, (kind, shape) in head.items()}
            first = {name: (kind, shape[1:]) for name, (kind, shape) in heads[0].items()}
            if len(rows) != 1 or alike != first or not all(shape for _, shape in head.values()):
                raise FileFormatError(
                    f"{path}: expected rows of {', '.join(self.names)} as in {paths[0].name}, got "
                    f"others. {_REMEDY}"
                )
        self._ends = np.cumsum([head[self.names[0]][1][0] for head in heads])

    def __len__(self) -> int:
        return int(self._ends[-1])

    def fingerprint(self) -> Fingerprint:
        """Return a hash for each file."""
        return fingerprint_files(self.paths, self.paths[0].parent)

    def column(self, name: str) -> np.ndarray:
        """Return one array of all rows."""
        return np.concatenate([file.get_tensor(name) for file in self._files])

    def rows(self, indices: np.ndarray) -> dict[str, np.ndarray]:
        """Return {name: (B, ...)} of the rows that are named by their numbers."""
        numbers = np.searchsorted(self._ends, indices, side="right")
        starts = np.concatenate([[0], self._ends])[numbers]
        return {
            name: np.stack(
                [
                    self._files[number].get_slice(name)[int(row)]
                    for number, row in zip(numbers, indices - starts, strict=True)
                ]
            )
            for name in self.names
        }


def _opened(path: Path) -> Any:
    from safetensors import SafetensorError, safe_open

    require_file(path, _WHAT)
    try:
        return safe_open(str(path), "numpy")
    except (SafetensorError, OSError) as error:
        raise FileFormatError(
            f"{path}: expected {_WHAT}, it cannot be read ({error}). {_REMEDY}"
        ) from error


def _heads(path: Path, file: Any) -> dict[str, tuple[str, list[int]]]:
    """Return {array: (type, shape)} of a file."""
    slices = {name: file.get_slice(name) for name in file.keys()}  # noqa: SIM118 is no mapping
    if not slices:
        raise FileFormatError(f"{path}: expected {_WHAT}, got none. {_REMEDY}")
    return {name: (part.get_dtype(), part.get_shape()) for name, part in slices.items()}


def draw_files(
    folder: Path,
    draw: Callable[[int], Mapping[str, np.ndarray]],
    files: int,
    *,
    kind: str,
    config: Any,
    on_progress: Callable[[int, int], None] | None = None,
) -> list[Path]:
    """Draw what a folder lacks, and return its files.

    Parameters
    ----------
    folder : where the files lie, as 00000.safetensors and so on
    draw : the number of a file to its arrays (rows, ...); depends on nothing else, so that a set
        is the same whether it was drawn at once or gone on with
    files : how many
    kind : of the files
    config : all that `draw` depends on but the number; files that were drawn otherwise are refused
    on_progress : called with (files done, files)

    Raises
    ------
    DatasetError : a file of the folder was drawn with other settings
    """
    folder.mkdir(parents=True, exist_ok=True)
    config = json.loads(json.dumps(plain(config)))
    paths = [folder / f"{index:05d}.safetensors" for index in range(files)]
    for index, path in enumerate(paths):
        if not path.exists():
            save_tensors(path, draw(index), kind=kind, schema=SCHEMA, units=None, config=config)
        else:
            _check(path, kind, config)
        if on_progress is not None:
            on_progress(index + 1, files)
    return paths


def _check(path: Path, kind: str, config: Any) -> None:
    header = read_header(path)
    if (header["kind"], header["schema"], header["config"]) != (kind, SCHEMA, config):
        raise DatasetError(
            f"{path}: expected {kind!r} drawn with {json.dumps(config)}, got {header['kind']!r} "
            f"with {json.dumps(header['config'])}. Train into another folder, or remove this one."
        )
