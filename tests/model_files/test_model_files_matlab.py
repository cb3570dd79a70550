"""The MATLAB reader against what scipy writes, and by hand where scipy cannot."""

import struct
from pathlib import Path

import numpy as np
import pytest
import scipy.io
import scipy.sparse
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from geomface.errors import FileFormatError, OutputError
from geomface.model_files.matlab import read_mat, variable_names, write_mat

KINDS = ["f8", "f4", "i1", "u1", "i2", "u2", "i4", "u4", "i8", "u8", "?"]


@given(
    values=st.lists(
        hnp.arrays(
            st.sampled_from(KINDS), hnp.array_shapes(min_dims=2, max_dims=3, min_side=0, max_side=5)
        ),
        min_size=1,
        max_size=3,
    ),
    compressed=st.booleans(),
)
@settings(
    max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_arrays_as_scipy_writes_them(
    tmp_path: Path, values: list[np.ndarray], compressed: bool
) -> None:
    path = tmp_path / "m.mat"
    wanted = {f"name_{k}": value for k, value in enumerate(values)}
    scipy.io.savemat(path, wanted, do_compression=compressed)
    found = read_mat(path, "a file")
    assert set(found) == set(wanted) == variable_names(path, "a file")
    for name, value in wanted.items():
        # MATLAB has no zero-sided array of other than two dimensions in scipy's writer.
        np.testing.assert_array_equal(found[name].reshape(value.shape), value)
        assert found[name].dtype == value.dtype


@given(text=st.text(st.characters(codec="latin-1", exclude_categories=["Cc"]), max_size=40))
@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_texts(tmp_path: Path, text: str) -> None:
    scipy.io.savemat(tmp_path / "m.mat", {"t": text})
    assert read_mat(tmp_path / "m.mat", "a file")["t"] == text


def test_what_no_model_needs_is_left_out(tmp_path: Path) -> None:
    path = tmp_path / "m.mat"
    cell = np.empty(2, object)
    cell[:] = [np.zeros(3), "a"]
    scipy.io.savemat(
        path,
        {
            "struct": {"a": 1},
            "cell": cell,
            "sparse": scipy.sparse.csc_matrix(np.eye(3)),
            "complex": np.array([1j]),
            "kept": np.arange(3.0),
        },
    )
    assert set(read_mat(path, "a file")) == {"kept"}
    assert "struct" in variable_names(path, "a file")


def test_numbers_stored_in_fewer_bytes_and_big_endian(tmp_path: Path) -> None:
    """MATLAB stores doubles that are whole as bytes; old machines wrote the high byte first."""
    for order, mark in (("<", b"IM"), (">", b"MI")):

        def element(kind: int, body: bytes, order: str = order) -> bytes:
            return struct.pack(f"{order}II", kind, len(body)) + body + b"\0" * (-len(body) % 8)

        name = struct.pack(f"{order}I", 2 << 16 | 1) + b"tl\0\0"  # a small element
        body = element(6, struct.pack(f"{order}II", 6, 0))
        body += element(5, struct.pack(f"{order}ii", 2, 3)) + name
        body += element(2, bytes([1, 2, 3, 4, 5, 6]))
        data = b"MATLAB 5.0 MAT-file".ljust(124) + struct.pack(f"{order}H", 0x0100) + mark
        (tmp_path / "m.mat").write_bytes(data + element(14, body))
        found = read_mat(tmp_path / "m.mat", "a file")["tl"]
        np.testing.assert_array_equal(found, [[1, 3, 5], [2, 4, 6]])
        assert found.dtype == np.float64


def test_written_files_hold_no_date(tmp_path: Path) -> None:
    write_mat(tmp_path / "m.mat", {"a": np.arange(6.0).reshape(2, 3)})
    assert (tmp_path / "m.mat").read_bytes()[:38] == b"MATLAB 5.0 MAT-file, written by geomfa"
    np.testing.assert_array_equal(
        scipy.io.loadmat(tmp_path / "m.mat")["a"], np.arange(6.0).reshape(2, 3)
    )


def test_what_the_format_cannot_hold(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def too_large(*_: object, **__: object) -> None:
        raise scipy.io.matlab.MatWriteError("Matrix too large to save with Matlab 5 format")

    monkeypatch.setattr(scipy.io, "savemat", too_large)
    with pytest.raises(OutputError, match="too large"):
        write_mat(tmp_path / "m.mat", {"a": np.zeros(3)})
    assert not list(tmp_path.iterdir())


@given(place=st.floats(0, 1), value=st.integers(0, 255), cut=st.floats(0.01, 1))
@settings(
    max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_damage_ends_in_a_sentence(tmp_path: Path, place: float, value: int, cut: float) -> None:
    path = tmp_path / "m.mat"
    scipy.io.savemat(path, {"a": np.eye(3), "text": "abc", "b": np.arange(5, dtype=np.int16)})
    data = bytearray(path.read_bytes())
    data[int(place * (len(data) - 1))] = value
    path.write_bytes(data[: max(1, int(cut * len(data)))])
    for reader in (read_mat, variable_names):
        try:
            reader(path, "a file")
        except FileFormatError as error:
            assert "m.mat" in str(error)
