"""A morphable model as a folder of OBJ files, one a blendshape."""

import contextlib
import os
import re
import secrets
import shutil
from collections.abc import Iterator
from pathlib import Path

from geomface.errors import FileFormatError, OutputError
from geomface.files import read_json, write_json
from geomface.mesh.io import read_obj, write_obj
from geomface.model_files.parts import refusals
from geomface.model_files.template_record import (
    KIND,
    displacements,
    geometry_only,
    model_of,
    record_of,
)
from geomface.statistics import MorphableModel

MEAN, RECORD = "mean.obj", "model.json"
_UNSAFE = re.compile(r"[^A-Za-z0-9._-]+")


def write_obj_set(path: Path | str, model: MorphableModel) -> None:
    """Write a folder with mean.obj, shape_000.obj ..., expression_<name>.obj and model.json.

    Each file is a whole face: the mean plus one mode at one standard deviation, or one expression
    at weight 1. Numbers are written so that reading gives the same bits, in millimetres. uv and
    the mean texture come with mean.obj alone; modes of the texture are left out and this is
    logged.

    Parameters
    ----------
    path : the folder; it is made, or replaced when it is an earlier one of these

    Raises
    ------
    OutputError : the place cannot be written, or holds something else.
    """
    mean = model.instance(name=model.name)
    model = geometry_only(path, model)
    plain = mean.replace(uv=None, uv_faces=None, texture=None, colors=None)
    files: dict[str, str] = {}
    with _new_folder(Path(path)) as folder:
        write_obj(folder / MEAN, mean)
        for name, displacement in displacements(model).items():
            file = _file_name(name, set(files.values()))
            vertices = model.shape.mean + displacement
            write_obj(folder / file, plain.replace(vertices=vertices, name=name))
            files[name] = file
        write_json(folder / RECORD, record_of(model) | {"files": files})


def read_obj_set(path: Path | str) -> MorphableModel:
    """Read a folder written by `write_obj_set`.

    Raises
    ------
    FileFormatError : no record in it, a file missing or of another topology.
    """
    folder = Path(path)
    record = read_json(folder / RECORD, "the record of a set of blendshapes")
    files = record.get("files") if isinstance(record, dict) else None
    if not isinstance(files, dict):
        raise FileFormatError(
            f"{folder / RECORD}: expected the record of a set of blendshapes with 'files'."
        )
    with refusals(folder):
        mesh = read_obj(folder / MEAN, texture=False)
        found = {}
        for name, file in files.items():
            if not isinstance(file, str) or Path(file).name != file:
                raise FileFormatError(f"{folder / RECORD}: {file!r} is no file name.")
            face = read_obj(folder / file, texture=False)
            if face.topology_id != mesh.topology_id:
                raise FileFormatError(
                    f"{folder / file}: its topology {face.topology_id} is not that of {MEAN}, "
                    f"{mesh.topology_id}. Write the set again."
                )
            found[name] = face.vertices - mesh.vertices
        return model_of(folder, mesh.replace(colors=None), record, found)


def _file_name(name: str, taken: set[str]) -> str:
    """Return a file name that every file system takes and no other mode has, in any case."""
    stem = _UNSAFE.sub("_", name)[:80] or "_"
    if not stem.startswith(("shape_", "expression_")):
        stem = f"expression_{stem}"
    used = {item.lower() for item in taken}
    found, number = f"{stem}.obj", 1
    while found.lower() in used:
        found, number = f"{stem}_{number}.obj", number + 1
    return found


@contextlib.contextmanager
def _new_folder(path: Path) -> Iterator[Path]:
    """Yield a folder beside `path` that takes its place when the block succeeds.

    What lay at `path` is moved away first and comes back when the last step fails.
    """
    _require_replaceable(path)
    mark = secrets.token_hex(4)
    # Names that `is_temporary` knows, should the process be killed.
    made, old = (path.with_name(f".{path.name[:40]}.{mark}.part.{end}") for end in ("new", "old"))
    try:
        made.mkdir()
        yield made
        if path.exists():
            os.replace(path, old)
        os.replace(made, path)
    except OSError as error:
        if old.exists() and not path.exists():
            os.replace(old, path)
        raise OutputError(
            f"{path}: cannot be written ({error.strerror or error}). Choose another place; nothing "
            "was left behind."
        ) from error
    finally:
        shutil.rmtree(made, ignore_errors=True)
        shutil.rmtree(old, ignore_errors=True)


def _require_replaceable(path: Path) -> None:
    """Raise OutputError unless `path` is free, an empty folder or an earlier set."""
    if not path.parent.is_dir():
        raise OutputError(f"{path}: the folder {path.parent} does not exist. Create it first.")
    if not path.exists():
        return
    if path.is_dir() and not any(path.iterdir()):
        return
    try:
        record = read_json(path / RECORD)
    except FileFormatError:
        record = None
    if not (isinstance(record, dict) and record.get("kind") == KIND):
        raise OutputError(
            f"{path}: expected a new folder for the blendshapes, this one holds other things. "
            "Choose another name."
        )
