"""One reader and one writer for all model files."""

from pathlib import Path
from typing import Any

from geomface.errors import OutputError, SettingsError
from geomface.faces.builtin import load_builtin_face
from geomface.files.reading import read_bytes
from geomface.mesh.units import canonical_unit
from geomface.model_files.anny import read_anny
from geomface.model_files.bfm2009 import read_bfm2009, write_bfm2009
from geomface.model_files.eos import read_eos
from geomface.model_files.flame import read_flame
from geomface.model_files.gltf import read_gltf, write_gltf
from geomface.model_files.ict import read_ict
from geomface.model_files.lsfm import read_lsfm
from geomface.model_files.npz import read_npz, write_npz
from geomface.model_files.obj_set import read_obj_set, write_obj_set
from geomface.model_files.source import SOURCES, source_of
from geomface.model_files.statismo import read_statismo
from geomface.model_files.statismo_export import write_statismo
from geomface.statistics import MorphableModel, read_morphable, require_model, write_morphable

_WRITERS: dict[str, Any] = {
    "safetensors": write_morphable,
    "h5": write_statismo,
    "mat": write_bfm2009,
    "npz": write_npz,
    "obj": write_obj_set,
    "glb": write_gltf,
}
FORMATS = tuple(_WRITERS)
"""What `save_model` takes as a format, beside "auto"."""
_SUFFIXES = {
    ".safetensors": "safetensors",
    ".h5": "h5",
    ".hdf5": "h5",
    ".mat": "mat",
    ".npz": "npz",
    ".glb": "glb",
    "": "obj",
}


def load_model(
    path: Path | str | None, source: str = "auto", *, unit: str | None = None
) -> MorphableModel:
    """Read a face model of any known source, in our unit, scaling, index base and winding.

    Parameters
    ----------
    path : a file, or the folder of ICT-FaceKit or of a set of OBJ blendshapes; None is the
        built-in face
    source : one of `SOURCES`; "auto" looks into the file
    unit : of its numbers (um, mm, cm, inch, m, or the millimetres in one as a number), where the
        format's own or the size of the face misleads

    Returns
    -------
    MorphableModel : millimetres, one standard deviation a column; its card says what was converted

    Raises
    ------
    FileFormatError : missing, damaged, of an unknown version, fields missing, a pickle with more
        than arrays in it.
    SettingsError : an unknown source or unit.
    MissingBackendError : h5py is not installed.

    Example
    -------
    >>> import geomface as gf
    >>> gf.save_model("people.h5", gf.load_builtin_face().truncate(shape=5))  # statismo
    >>> len(gf.load_model("people.h5").shape)
    5
    """
    if source != "auto" and source not in SOURCES:
        raise SettingsError(f"source: expected auto or one of {', '.join(SOURCES)}, got {source}.")
    if unit is not None:
        unit = canonical_unit(unit, "unit", SettingsError)
    if path is None:
        return load_builtin_face()
    found = source_of(path) if source == "auto" else source
    if found == "geomface":
        return _read_own(Path(path))
    if found in ("statismo", "bfm2017", "bfm2019"):
        return read_statismo(path, unit=unit, source=found)
    readers: dict[str, Any] = {
        "anny": read_anny,
        "ict": read_ict,
        "bfm2009": read_bfm2009,
        "flame": read_flame,
        "lsfm": read_lsfm,
        "eos": read_eos,
    }
    return readers[found](path, unit=unit)


def _read_own(path: Path) -> MorphableModel:
    """Read what `save_model` wrote, in any of its formats."""
    if path.is_dir():
        return read_obj_set(path)
    head = read_bytes(path, "a model written by geomface")[:8]
    for mark, reader in (
        (b"glTF", read_gltf),
        (b"PK", read_npz),
        (b"\x89HDF", read_statismo),
        (b"MATLAB", read_bfm2009),
    ):
        if head.startswith(mark):
            return reader(path)
    return read_morphable(path)


def save_model(path: Path | str, model: MorphableModel, format: str = "auto") -> None:
    """Write a face model, whole or not at all.

    Parameters
    ----------
    path : the file, or the folder of an OBJ set
    model : the model
    format : "safetensors" (everything, bit for bit), "h5" (statismo 0.9), "mat" (BFM 2009), "npz",
        "obj" (a folder of blendshapes), "glb" (morph targets); "auto" goes by the suffix, a name
        without one is a folder

    Raises
    ------
    OutputError : an unknown suffix, or a place that cannot be written.
    SettingsError : an unknown format.
    MissingBackendError : h5py is not installed.

    Example
    -------
    >>> import geomface as gf
    >>> model = gf.load_builtin_face()
    >>> for name in ("model.safetensors", "model.mat", "model.npz", "model.glb"):
    ...     gf.save_model(name, model)
    >>> gf.load_model("model.npz").topology_id == model.topology_id
    True
    """
    require_model(model, "save_model")
    if format == "auto":
        found = _SUFFIXES.get(Path(path).suffix.lower())
        if found is None:
            raise OutputError(
                f"{path}: expected a model name ending in {', '.join(filter(None, _SUFFIXES))}, or "
                "a folder without an ending."
            )
        format = found
    if format not in _WRITERS:
        raise SettingsError(f"format: expected auto or one of {', '.join(FORMATS)}, got {format}.")
    _WRITERS[format](path, model)
