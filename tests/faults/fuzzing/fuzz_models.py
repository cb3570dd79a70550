"""Readers of face models of every tool, with good files of each."""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from fuzz_reader import TESTS, Reader, one_file

from geomface.files import (
    load_tensors,
    read_header,
    read_json,
    save_tensors,
    write_json,
)
from geomface.files.numpy_files import read_archive, read_array
from geomface.files.reading import read_bytes
from geomface.files.settings import settings_from_json
from geomface.geometry_image.files import load_geometry_image, save_geometry_image
from geomface.geometry_image.image import GeometryImage
from geomface.geometry_image.quantize import ValueRange, quantize
from geomface.model_files import load_model, save_model
from geomface.pipeline import FaceSetSettings, PipelineSettings, TextureSetSettings
from geomface.report.collection import read_truth
from geomface.synthesis import FaceImageSettings, parse_distribution

sys.path += [str(TESTS / "model_files")]

import foreign_model_files as foreign  # noqa: E402
from model_file_samples import small_model  # noqa: E402


def _rng() -> np.random.Generator:
    return np.random.default_rng(5)


def _flame_npz(path: Path) -> None:
    fields = foreign.flame_fields(_rng())
    kept = {k: v for k, v in fields.items() if isinstance(v, np.ndarray)}
    np.savez(path, **kept)


def _eos(path: Path) -> None:
    marks = {"nose": 3, "chin": 7}
    path.write_bytes(foreign.eos_model(_rng(), landmarks=marks)[0])


def _used(model: Any) -> Any:
    """Draw a face: what a file says is used, not only kept."""
    if model.expression is not None:
        model.expression.basis.sum()
    return model.shape.mean + model.shape.basis[..., 0] if len(model.shape) else model.shape.mean


def _load(path: Path) -> Any:
    return _used(load_model(path))


def own_model(path: Path) -> None:
    save_model(path, small_model(_rng()))


def _obj_set(folder: Path) -> None:
    save_model(folder / "set", small_model(_rng()))


_FOREIGN: dict[str, Callable[[Path], Any]] = {
    "bfm.mat": lambda path: foreign.write_bfm2009(path, _rng()),
    "lsfm.mat": lambda path: foreign.write_lsfm(path, _rng()),
    "bfm.h5": lambda path: foreign.write_bfm2017(path, _rng()),
    "statismo.h5": lambda path: foreign.write_statismo(path, _rng()),
    "flame.pkl": lambda path: foreign.write_pickle(path, foreign.flame_fields(_rng())),
    "text_flame.pkl": lambda path: foreign.write_pickle(path, foreign.flame_fields(_rng()), 0),
    "newest_flame.pkl": lambda path: foreign.write_pickle(path, foreign.flame_fields(_rng()), 5),
    "flame.npz": _flame_npz,
    "eos.bin": _eos,
}


def model_readers() -> list[Reader]:
    """Return the readers of face models."""
    suffixes = (".safetensors", ".mat", ".npz", ".h5", ".glb")
    found = [one_file(f"model{suffix}", own_model, _load) for suffix in suffixes]
    found += [one_file(name, write, _load) for name, write in _FOREIGN.items()]
    return [
        *found,
        Reader("model.obj_set", _obj_set, lambda folder: _load(folder / "set")),
        Reader(
            "ict",
            lambda folder: foreign.write_ict(folder / "FaceXModel", _rng()),
            lambda folder: _load(folder),
        ),
    ]


def _geometry_image(path: Path) -> None:
    values = np.random.default_rng(0).random((8, 8, 3)).astype(np.float32)
    limits = None
    if path.suffix == ".png":
        limits = ValueRange(np.zeros(3), np.ones(3))
        values = quantize(values, limits, 8)
    mask = np.ones((8, 8), bool)
    image = GeometryImage(values, mask, "absolute", "abc", (0.0,), limits=limits)
    save_geometry_image(path, image)


def _tensors(path: Path) -> None:
    save_tensors(path, {"a": np.arange(9.0)}, kind="k", schema=1, config={"b": [1, "c"]})


def _truth(path: Path) -> None:
    np.savez(path, vertices=np.zeros((9, 3)), seen=np.ones(9, bool), albedo=np.ones((9, 3)))


def _settings(kind: type, value: Any) -> tuple[Callable[[Path], None], Callable[[Path], Any]]:
    def read(path: Path) -> Any:
        return settings_from_json(kind, read_json(path), f"{path}: settings")

    return lambda path: write_json(path, value), read


def record_readers() -> list[Reader]:
    """Return the readers of arrays, of records and of settings."""
    scans = PipelineSettings(Path("scans"), Path("out"))
    faces = FaceSetSettings(FaceImageSettings(), Path("out"))
    textures = TextureSetSettings(Path("out"), 3)
    return [
        one_file("image.safetensors", _geometry_image, load_geometry_image),
        one_file("geometry_image.png", _geometry_image, load_geometry_image),
        one_file("tensors.safetensors", _tensors, lambda p: load_tensors(p, kind="k", schema=1)),
        one_file("header.safetensors", _tensors, read_header),
        one_file("record.json", lambda p: write_json(p, {"a": [1, {"b": None}]}), read_json),
        one_file("array.npy", lambda p: np.save(p, np.arange(6.0).reshape(2, 3)), _array),
        one_file("archive.npz", _truth, lambda path: read_archive(path, "arrays")),
        one_file("truth.npz", _truth, lambda path: read_truth(path, 9)),
        one_file(
            "empirical.npy",
            lambda path: np.save(path, np.arange(9.0)),
            lambda path: parse_distribution(f"empirical({path})"),
        ),
        one_file("scans_settings.json", *_settings(PipelineSettings, scans)),
        one_file("faces_settings.json", *_settings(FaceSetSettings, faces)),
        one_file("textures_settings.json", *_settings(TextureSetSettings, textures)),
    ]


def _array(path: Path) -> np.ndarray:
    return read_array(read_bytes(path, "an array"), str(path))
