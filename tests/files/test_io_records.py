"""Atomic outputs, JSON records and tensors."""

import dataclasses
import enum
import json
import os
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from geomface.errors import FileFormatError, OutputError
from geomface.files import (
    atomic_path,
    is_temporary,
    load_tensors,
    read_header,
    read_json,
    save_tensors,
    write_json,
)


def test_a_block_that_succeeds_replaces_the_file(tmp_path):
    (tmp_path / "a.txt").write_text("old")
    with atomic_path(tmp_path / "a.txt") as temporary:
        assert temporary.parent == tmp_path and temporary.suffix == ".txt"
        assert is_temporary(temporary) and not is_temporary(tmp_path / "a.txt")
        temporary.write_text("new")
        assert (tmp_path / "a.txt").read_text() == "old"
    assert [item.name for item in tmp_path.iterdir()] == ["a.txt"]
    assert (tmp_path / "a.txt").read_text() == "new"


@pytest.mark.parametrize("error", [ValueError("x"), KeyboardInterrupt(), SystemExit(1)])
def test_a_block_that_fails_leaves_nothing(tmp_path, error):
    (tmp_path / "a.txt").write_text("old")
    with pytest.raises(type(error)):
        with atomic_path(tmp_path / "a.txt") as temporary:
            temporary.write_text("half")
            raise error
    assert [item.name for item in tmp_path.iterdir()] == ["a.txt"]
    assert (tmp_path / "a.txt").read_text() == "old"


def test_errors_about_the_output_and_about_inputs(tmp_path):
    with pytest.raises(OutputError, match=r"a\.txt: cannot be written \(No space left"):
        with atomic_path(tmp_path / "a.txt"):
            raise OSError(28, "No space left on device")
    with pytest.raises(FileNotFoundError, match="input"):
        with atomic_path(tmp_path / "a.txt"):
            (tmp_path / "input").read_bytes()
    with pytest.raises(OutputError, match="nothing was written"):
        with atomic_path(tmp_path / "a.txt"):
            pass
    assert not list(tmp_path.iterdir())


def test_a_name_that_no_file_can_have(tmp_path):
    with pytest.raises(OutputError):
        with atomic_path(tmp_path / "a\0b"):
            pass


class Color(enum.Enum):
    RED = "red"


@dataclasses.dataclass(frozen=True)
class Report:
    path: Path
    values: np.ndarray
    best: np.float32
    color: Color = Color.RED


def test_what_a_record_may_hold(tmp_path):
    report = Report(Path("x/y"), np.array([[1.0, np.nan], [np.inf, 0.1]]), np.float32(0.5))
    record = {"report": report, 3: (True, None, np.int64(7)), "set": {"b", "a"}, "ü": "é"}
    write_json(tmp_path / "r.json", record)
    again = read_json(tmp_path / "r.json")
    values = [[1.0, None], [None, 0.1]]
    expected = {"path": "x/y", "values": values, "best": 0.5, "color": "red"}
    assert again == {"report": expected, "3": [True, None, 7], "set": ["a", "b"], "ü": "é"}
    with pytest.raises(OutputError, match="JSON cannot hold a complex"):
        write_json(tmp_path / "r.json", {"a": 1j})
    assert read_json(tmp_path / "r.json") == again


def test_a_file_name_that_is_not_utf8_comes_back(tmp_path):
    path = Path(os.fsdecode(b"Andr\xe9")) / "\u6797\u2013\n"
    write_json(tmp_path / "r.json", {"scan": path})
    (tmp_path / "r.json").read_bytes().decode("utf-8")
    assert Path(read_json(tmp_path / "r.json")["scan"]) == path


@settings(max_examples=30, deadline=None)
@given(
    arrays=st.dictionaries(
        st.text(st.characters(codec="ascii", categories=("L", "N")), min_size=1, max_size=8),
        hnp.arrays(
            st.sampled_from(["f8", "f4", "f2", "i8", "i4", "u1", "bool", ">f8"]),
            hnp.array_shapes(min_dims=0, max_dims=4, min_side=0, max_side=4),
        ),
        max_size=4,
    )
)
def test_tensors_return_bit_for_bit(tmp_path_factory, arrays):
    path = tmp_path_factory.mktemp("tensors") / "a.safetensors"
    config = {"size": 64, "range": (0.5, 2)}
    save_tensors(path, arrays, kind="k", schema=2, topology_id="ab", units="mm", config=config)
    again, header = load_tensors(path, kind="k", schema=(1, 2))
    assert set(again) == set(arrays)
    for name, array in arrays.items():
        assert again[name].shape == array.shape
        assert again[name].dtype == array.dtype.newbyteorder("=")
        assert again[name].tobytes() == array.astype(again[name].dtype).tobytes()
    expected = {"kind": "k", "schema": 2, "topology_id": "ab", "units": "mm"}
    assert header == expected | {"config": {"size": 64, "range": [0.5, 2]}}
    assert read_header(path) == header
    first = path.read_bytes()
    save_tensors(path, arrays, kind="k", schema=2, topology_id="ab", units="mm", config=config)
    assert path.read_bytes() == first


def test_transposed_and_scalar_arrays(tmp_path):
    matrix = np.arange(6.0).reshape(2, 3)
    arrays = {"t": matrix.T, "s": np.float64(3.5), "r": matrix[::-1, ::2]}
    save_tensors(tmp_path / "a.safetensors", arrays, kind="k", schema=1)
    again, _ = load_tensors(tmp_path / "a.safetensors", kind="k", schema=1)
    for name, array in arrays.items():
        np.testing.assert_array_equal(again[name], array)


def test_kind_and_schema_are_named_in_the_refusal(tmp_path):
    path = tmp_path / "a.safetensors"
    save_tensors(path, {"a": np.ones(2)}, kind="point-model", schema=3)
    with pytest.raises(FileFormatError, match=r"kind 'geometry-image', got kind 'point-model'"):
        load_tensors(path, kind="geometry-image", schema=3)
    with pytest.raises(FileFormatError, match=r"has schema 3, .* reads schema 1 or 2"):
        load_tensors(path, kind="point-model", schema=(1, 2))


def test_safetensors_of_another_program(tmp_path):
    from safetensors.numpy import save_file

    save_file({"a": np.ones(2)}, tmp_path / "a.safetensors")
    with pytest.raises(FileFormatError, match="no geomface header"):
        load_tensors(tmp_path / "a.safetensors", kind="k", schema=1)
    for header in (
        '{"kind": "k"}',
        '{"kind": 1, "schema": 1}',
        '{"kind": "k", "schema": true}',
        "[",
    ):
        save_file({"a": np.ones(2)}, tmp_path / "a.safetensors", {"geomface": header})
        with pytest.raises(FileFormatError, match="no geomface header"):
            load_tensors(tmp_path / "a.safetensors", kind="k", schema=1)


def test_types_that_safetensors_cannot_hold(tmp_path):
    for array in (np.array(["a"]), np.array([1j]), np.array([None])):
        with pytest.raises(OutputError, match="cannot hold"):
            save_tensors(tmp_path / "a.safetensors", {"a": array}, kind="k", schema=1)
    assert not list(tmp_path.iterdir())


def test_nothing_runs_code_when_read(tmp_path):
    text = json.dumps({"__class__": "os.system", "args": ["true"]})
    (tmp_path / "a.json").write_text(text)
    assert read_json(tmp_path / "a.json") == json.loads(text)
