"""Bad model files: each one sentence that names the file, typed, nothing written."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import foreign_model_files as foreign
import h5py
import numpy as np
import pytest
import scipy.io
from foreign_model_files import COUNT, FACES, MEAN
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from model_file_samples import small_model

from geomface.errors import FileFormatError, GeomfaceError
from geomface.model_files import SOURCES, load_model, read_ict, save_model


def refusal(path: Path, source: str = "auto") -> str:
    """Return the sentence with which a file is refused."""
    before = sorted(path.parent.iterdir())
    with pytest.raises(FileFormatError) as caught:
        load_model(path, source)
    text = str(caught.value)
    assert path.name in text and text.endswith((".", ")")) and "\n" not in text
    assert sorted(path.parent.iterdir()) == before
    return text


@pytest.mark.parametrize("source", ["auto", *SOURCES])
def test_nothing_empty_and_other_files(tmp_path: Path, source: str) -> None:
    assert "no such" in refusal(tmp_path / "nothing.bin", source)
    (tmp_path / "empty.bin").touch()
    assert "empty" in refusal(tmp_path / "empty.bin", source)
    (tmp_path / "letter.txt").write_text("Dear reader, this is no model." * 20)
    refusal(tmp_path / "letter.txt", source)
    np.savez(tmp_path / "other.npz", a=np.zeros(3))
    refusal(tmp_path / "other.npz", source)
    scipy.io.savemat(tmp_path / "other.mat", {"a": np.zeros(3)})
    refusal(tmp_path / "other.mat", source)
    with h5py.File(tmp_path / "other.h5", "w") as file:
        file["a"] = np.zeros(3)
    refusal(tmp_path / "other.h5", source)
    foreign.write_pickle(tmp_path / "other.pkl", {"a": np.zeros(3)})
    refusal(tmp_path / "other.pkl", source)
    foreign.write_pickle(tmp_path / "list.pkl", [1, 2])
    refusal(tmp_path / "list.pkl", source)


@pytest.mark.parametrize("name", ["shapeMU", "shapePC", "shapeEV", "tl", "texPC", "texEV"])
def test_bfm2009_fields(tmp_path: Path, rng: np.random.Generator, name: str) -> None:
    path = tmp_path / "m.mat"
    foreign.write_bfm2009(path, rng, **{name: None})
    assert f"{name} missing" in refusal(path, "bfm2009")


@pytest.mark.parametrize(
    ("changes", "word"),
    [
        ({"tl": FACES.astype(float)}, "1..30"),
        ({"tl": FACES + 1.5}, "whole numbers"),
        ({"tl": FACES[:, :2] + 1}, "shape"),
        ({"shapePC": np.ones((7, 4))}, "shape"),
        ({"shapeEV": np.ones((3, 1))}, "3 deviations"),
        ({"shapeEV": -np.ones((4, 1))}, "negative"),
        ({"shapeMU": np.zeros((7, 1))}, "3 numbers a vertex"),
        ({"shapeMU": np.full((3 * COUNT, 1), np.nan)}, "NaN"),
        ({"shapePC": "text"}, "numbers"),
        ({"segbin": np.ones((3, 4))}, "segbin"),
        ({"texMU": np.zeros((6, 1))}, "model basis"),
        ({"expPC": np.ones((3 * COUNT, 2))}, "expEV"),
        ({"geomface": "not json"}, "record"),
        ({"geomface": json.dumps({"kind": "geomface-morphable-model", "schema": 9})}, "schema 9"),
    ],
)
def test_bfm2009_contents(
    tmp_path: Path, rng: np.random.Generator, changes: dict[str, Any], word: str
) -> None:
    path = tmp_path / "m.mat"
    foreign.write_bfm2009(path, rng, **changes)
    assert word in refusal(path)


def test_matlab_7_3(tmp_path: Path) -> None:
    path = tmp_path / "m.mat"
    path.write_bytes(b"MATLAB 7.3 MAT-file, Platform: GLNXA64".ljust(512) + b"\x89HDF\r\n")
    assert "-v7" in refusal(path)


@pytest.mark.parametrize("name", ["mean", "components", "eigenvalues", "trilist"])
def test_lsfm_fields(tmp_path: Path, rng: np.random.Generator, name: str) -> None:
    path = tmp_path / "m.mat"
    foreign.write_lsfm(path, rng, **{name: None})
    assert f"{name} missing" in refusal(path, "lsfm")


def test_lsfm_contents(tmp_path: Path, rng: np.random.Generator) -> None:
    path = tmp_path / "m.mat"
    foreign.write_lsfm(path, rng, eigenvalues=np.array([4.0, 3.0, 2.0, -1.0]))
    assert "negative" in refusal(path)
    foreign.write_lsfm(path, rng, trilist=FACES + 1)
    assert "0..29" in refusal(path)


@pytest.mark.parametrize(
    "name",
    [
        *("model/mean", "model/pcaBasis", "model/pcaVariance"),
        *("representer", "representer/cells", "version/minorVersion"),
    ],
)
def test_statismo_fields(tmp_path: Path, rng: np.random.Generator, name: str) -> None:
    path = tmp_path / "m.h5"
    foreign.write_statismo(path, rng)
    with h5py.File(path, "r+") as file:
        del file[name]
    assert name in refusal(path)


@pytest.mark.parametrize("version", [(0, 7), (0, 10), (2, 0)])
def test_statismo_versions(
    tmp_path: Path, rng: np.random.Generator, version: tuple[int, int]
) -> None:
    path = tmp_path / "m.h5"
    foreign.write_statismo(path, rng, version=version)
    assert f"version {version[0]}.{version[1]} is unknown" in refusal(path)


def test_statismo_contents(tmp_path: Path, rng: np.random.Generator) -> None:
    path = tmp_path / "m.h5"
    foreign.write_statismo(path, rng, kind="VOLUME_MESH")
    assert "VOLUME_MESH" in refusal(path)

    def changed(name: str, value: Any) -> str:
        foreign.write_statismo(path, rng)
        with h5py.File(path, "r+") as file:
            if name in file:
                del file[name]
            file[name] = value
        return refusal(path)

    assert "negative" in changed("model/pcaVariance", -np.ones(4))
    assert "deviations" in changed("model/pcaVariance", np.ones(3))
    assert "0..29" in changed("representer/cells", FACES.T + 1)
    assert "numbers" in changed("model/mean", "text")
    assert "landmarks" in changed("metadata/landmarks/json", "[{]")
    assert "3 coordinates" in changed(
        "metadata/landmarks/json", json.dumps([{"id": "a", "coordinates": [1, 2]}])
    )


@pytest.mark.parametrize("name", ["v_template", "shapedirs", "f"])
def test_flame_fields(tmp_path: Path, rng: np.random.Generator, name: str) -> None:
    fields = foreign.flame_fields(rng)
    fields.pop(name)
    foreign.write_pickle(tmp_path / "m.pkl", fields)
    assert f"{name} missing" in refusal(tmp_path / "m.pkl")


class Runs:
    """Would write a file when unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> Any:
        return (open, (str(self.path), "w"))


def test_flame_contents(tmp_path: Path, rng: np.random.Generator) -> None:
    path = tmp_path / "m.pkl"
    for name, value, word in (
        ("shapedirs", np.zeros((COUNT, 3)), "shapedirs"),
        ("shapedirs", "text", "numbers"),
        ("f", FACES + 1, "0..29"),
        ("v_template", np.full((COUNT, 3), np.inf), "NaN or infinity"),
        ("v_template", {"y": MEAN}, "x missing"),
        ("extra", Runs(tmp_path / "ran"), "io.open"),
    ):
        foreign.write_pickle(path, foreign.flame_fields(rng) | {name: value})
        assert word in refusal(path)
    assert not (tmp_path / "ran").exists()


def test_flame_npz_with_objects_is_no_way_in(tmp_path: Path, rng: np.random.Generator) -> None:
    fields = foreign.flame_fields(rng)
    fields["f"] = np.array([Runs(tmp_path / "ran")], object)
    np.savez(
        tmp_path / "m.npz", **{name: fields[name] for name in ("v_template", "shapedirs", "f")}
    )
    refusal(tmp_path / "m.npz")
    assert not (tmp_path / "ran").exists()


def test_eos_versions_and_contents(tmp_path: Path, rng: np.random.Generator) -> None:
    path = tmp_path / "m.bin"
    for version in (0, 5):
        data, _ = foreign.eos_model(rng, version=version)
        path.write_bytes(data)
        assert f"version {version}" in refusal(path, "eos")
    data, _ = foreign.eos_model(rng)
    path.write_bytes(data + b"\0")
    assert "left behind" in refusal(path)
    for cut in range(4, len(data), 97):
        path.write_bytes(data[:cut])
        assert "truncated" in refusal(path, "eos")
    data, _ = foreign.eos_model(rng, expression=b"\x00\x07\x00\x00\x00")
    path.write_bytes(data)
    assert "kind 7" in refusal(path)
    shapes = foreign.eos_blendshapes({"smile": np.ones((4, 3))})
    data, _ = foreign.eos_model(rng, expression=b"\x00\x01\x00\x00\x00" + shapes)
    path.write_bytes(data)
    assert "blendshape" in refusal(path)


def test_ict_folder(tmp_path: Path, rng: np.random.Generator) -> None:
    folder = tmp_path / "kit"
    foreign.write_ict(folder, rng)
    foreign.write_obj(folder / "identity003.obj", MEAN[:-1], FACES[:2])
    with pytest.raises(FileFormatError, match=r"identity003\.obj: expected 30 vertices"):
        load_model(folder)
    (folder / "identity003.obj").unlink()
    (folder / "jawOpen.obj").unlink()
    with pytest.raises(FileFormatError, match=r"jawOpen\.obj"):
        load_model(folder)
    for file in folder.glob("identity*"):
        file.unlink()
    with pytest.raises(FileFormatError, match=r"identity000\.obj"):
        read_ict(folder)
    (folder / "generic_neutral_mesh.obj").unlink()
    with pytest.raises(FileFormatError, match="got something else"):
        load_model(folder)
    with pytest.raises(FileFormatError, match="generic_neutral_mesh"):
        load_model(folder, "ict")


def test_blendshape_folder(tmp_path: Path, rng: np.random.Generator) -> None:
    folder = tmp_path / "set"
    save_model(folder, small_model(rng, expression="gaussian"))
    record = json.loads((folder / "model.json").read_text())

    def refused(changes: dict[str, Any]) -> str:
        (folder / "model.json").write_text(json.dumps(record | changes))
        with pytest.raises(FileFormatError) as caught:
            load_model(folder)
        return str(caught.value)

    assert "schema 2" in refused({"schema": 2})
    assert "'files'" in refused({"files": None})
    assert "no file name" in refused({"files": {"shape_000": "../shape_000.obj"}})
    assert "lacks 'shape'" in refused({"parts": {}})
    assert "missing" in refused({"expression_modes": 30})
    assert "topology" in refused({"topology_id": "0" * 16})
    assert "no such file" in refused({"files": record["files"] | {"expression_009": "x.obj"}})
    foreign.write_obj(folder / "shape_001.obj", MEAN[:-1], FACES[:3])
    assert "topology" in refused({})


def test_glb_of_others_and_changed(tmp_path: Path, rng: np.random.Generator) -> None:
    from geomface.mesh.io import save_mesh

    path = tmp_path / "m.glb"
    save_mesh(path, small_model(rng).mesh)
    assert "written by geomface" in refusal(path)
    save_model(path, small_model(rng))
    data = bytearray(path.read_bytes())
    data[-9] ^= 1
    path.write_bytes(data)
    assert "changed by another program" in refusal(path)


@pytest.fixture(scope="module")
def samples(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with one good file of every kind."""
    folder = tmp_path_factory.mktemp("samples")
    rng = np.random.default_rng(5)
    writers: dict[str, Callable[[Path], Any]] = {
        "bfm.mat": lambda path: foreign.write_bfm2009(path, rng),
        "lsfm.mat": lambda path: foreign.write_lsfm(path, rng),
        "bfm.h5": lambda path: foreign.write_bfm2017(path, rng),
        "flame.pkl": lambda path: foreign.write_pickle(path, foreign.flame_fields(rng)),
        "eos.bin": lambda path: path.write_bytes(foreign.eos_model(rng)[0]),
    }
    model = small_model(rng, expression="blendshapes", texture="vertex", landmarks=True)
    for suffix in ("safetensors", "h5", "mat", "npz", "glb"):
        writers[f"own.{suffix}"] = lambda path: save_model(path, model)
    for name, writer in writers.items():
        writer(folder / name)
    return folder


@pytest.mark.parametrize(
    "name",
    ["bfm.mat", "lsfm.mat", "bfm.h5", "flame.pkl", "eos.bin"]
    + [f"own.{suffix}" for suffix in ("safetensors", "h5", "mat", "npz", "glb")],
)
@given(
    cut=st.none() | st.floats(0, 1, exclude_max=True),
    changes=st.lists(st.tuples(st.floats(0, 1), st.integers(0, 255)), max_size=3),
    early=st.booleans(),
)
@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_damage_ends_in_a_sentence(
    tmp_path_factory: pytest.TempPathFactory,
    samples: Path,
    name: str,
    cut: float | None,
    changes: list[tuple[float, int]],
    early: bool,
) -> None:
    """A cut or changed file is refused with our own error, or still says something readable."""
    data = bytearray((samples / name).read_bytes())
    reach = min(len(data), 600) if early else len(data)
    for place, value in changes:
        data[int(place * (reach - 1))] = value
    if cut is not None:
        data = data[: int(cut * len(data))]
    path = tmp_path_factory.mktemp("damaged") / name
    path.write_bytes(data)
    try:
        load_model(path)
    except GeomfaceError as error:
        assert isinstance(error, FileFormatError) and name in str(error)
    else:
        assert cut is None or cut > 0.5
