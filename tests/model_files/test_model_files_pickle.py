"""The restricted pickle reader: arrays come out, nothing runs."""

import collections
import io
import os
import pickle  # noqa: TID251  (the tests write the pickles that the library must read or refuse)
import pickletools
import struct
import sys
import types
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import scipy.sparse
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from geomface.errors import FileFormatError
from geomface.model_files.restricted_pickle import read_arrays

PROTOCOLS = range(pickle.HIGHEST_PROTOCOL + 1)


@pytest.fixture
def chumpy_array(monkeypatch: pytest.MonkeyPatch) -> Any:
    """A class that pickles as chumpy's arrays do: under its name, with its attributes."""
    module = types.ModuleType("chumpy.ch")

    class Ch:
        def __init__(self, x: np.ndarray) -> None:
            self.x = x
            self._dirty_vars = {"x"}
            self._itr = None
            self._depends_on_deps: dict = {}

    Ch.__module__, Ch.__qualname__ = "chumpy.ch", "Ch"
    module.Ch = Ch  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "chumpy", types.ModuleType("chumpy"))
    monkeypatch.setitem(sys.modules, "chumpy.ch", module)
    return Ch


@given(
    array=hnp.arrays(
        st.sampled_from(["<f8", ">f8", "<f4", "<i4", ">u2", "<i8", "u1", "?"]),
        hnp.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=4),
    ),
    protocol=st.sampled_from(PROTOCOLS),
    fortran=st.booleans(),
)
@settings(max_examples=150, deadline=None)
def test_arrays_of_every_protocol(array: np.ndarray, protocol: int, fortran: bool) -> None:
    given_array = np.asfortranarray(array) if fortran else array
    data = pickle.dumps({"a": given_array, "twice": [given_array, given_array]}, protocol)
    found = read_arrays("x.pkl", data)
    for value in (found["a"], *found["twice"]):
        np.testing.assert_array_equal(value, array)
        assert value.dtype == array.dtype.newbyteorder("=")


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_everything_a_face_model_holds(protocol: int, chumpy_array: Any) -> None:
    values = np.arange(6.0).reshape(2, 3)
    sparse = scipy.sparse.csc_matrix(np.eye(3))
    data = pickle.dumps(
        {
            "chumpy": chumpy_array(values),
            "sparse": sparse,
            "scalar": np.float64(2.5),
            "bytes": b"\x00\xff",
            "text": "linear",
            "numbers": [1, -2, 3.5, True, None, 2**70],
            "tuple": (1, (2, 3), ()),
        },
        protocol,
    )
    found = read_arrays("x.pkl", data)
    np.testing.assert_array_equal(found["chumpy"]["x"], values)
    np.testing.assert_array_equal(found["sparse"]["data"], sparse.data)
    assert found["scalar"] == 2.5 and found["bytes"] == b"\x00\xff" and found["text"] == "linear"
    assert found["numbers"] == [1, -2, 3.5, True, None, 2**70]
    assert found["tuple"] == [1, [2, 3], []]


def python2_array(array: np.ndarray) -> bytes:
    """The pickle that Python 2 and old numpy write of an array, protocol 2, opcode by opcode."""
    raw = array.astype("<f8").tobytes()
    return b"".join(
        [
            b"\x80\x02cnumpy.core.multiarray\n_reconstruct\nq\x01cnumpy\nndarray\nq\x02K\x00\x85q\x03",
            b"U\x01bq\x04\x87q\x05Rq\x06(K\x01",
            *(b"K" + bytes([side]) for side in array.shape),
            {1: b"\x85", 2: b"\x86", 3: b"\x87"}[array.ndim],
            b"q\x07cnumpy\ndtype\nq\x08U\x02f8q\tK\x00K\x01\x87q\nRq\x0b(K\x03U\x01<q\x0cNNNJ\xff\xff",
            b"\xff\xffJ\xff\xff\xff\xffK\x00tq\rb\x89T",
            struct.pack("<i", len(raw)),
            raw,
            b"q\x0etq\x0fb.",
        ]
    )


def test_arrays_of_python_2(rng: np.random.Generator) -> None:
    array = rng.standard_normal((4, 3))
    data = python2_array(array)
    original = pickle.loads(data, encoding="latin1")  # noqa: S301  (made two lines above)
    np.testing.assert_array_equal(original, array)
    np.testing.assert_array_equal(read_arrays("x.pkl", data), array)


class Runs:
    """Would make a file when unpickled."""

    def __init__(self, function: Any, *arguments: Any) -> None:
        self.call = (function, arguments)

    def __reduce__(self) -> Any:
        return self.call


@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize(
    ("function", "name"),
    [(os.system, "system"), (eval, "eval"), (exec, "exec"), (open, "open"), (getattr, "getattr")],
)
def test_calls_are_refused_by_name(tmp_path: Path, protocol: int, function: Any, name: str) -> None:
    witness = tmp_path / "ran"
    argument = f"touch {witness}" if function is os.system else str(witness)
    data = pickle.dumps({"v_template": np.zeros((3, 3)), "x": Runs(function, argument)}, protocol)
    with pytest.raises(FileFormatError) as caught:
        read_arrays("model.pkl", data)
    text = str(caught.value)
    assert "model.pkl" in text and name in text and "nothing in it is run" in text
    assert not witness.exists()


@pytest.mark.parametrize(
    ("value", "word"),
    [
        (collections.OrderedDict(a=1), "OrderedDict"),
        (Path("/etc"), "pathlib"),
        (np.array([1, None], object), "O8"),
        (np.zeros(2, [("a", "f8"), ("b", "i4")]), "V12"),
        (np.array(["text"]), "U4"),
        (1 + 2j, "complex"),
        (np.random.default_rng(0), "random"),
        ({(1, 2): 3}, "names"),
        (np.ndarray, "ndarray itself"),
        (object, "object itself"),
    ],
)
def test_other_objects_are_refused(value: Any, word: str) -> None:
    with pytest.raises(FileFormatError, match=word):
        read_arrays("x.pkl", pickle.dumps({"a": value}, 2))


def test_calls_of_allowed_names_do_nothing_else() -> None:
    """The names that arrays need cannot be put to another use."""
    for body in (
        b"c_codecs\nencode\n(X\x01\x00\x00\x00aX\x05\x00\x00\x00rot13tR.",
        b"cnumpy\nndarray\n(K\x05tR.",
        b"cnumpy\ndtype\n(X\x01\x00\x00\x00OI0\nI1\ntR.",
        b"c__builtin__\nobject\n)R.",
        b"ccopy_reg\n_reconstructor\n(c__builtin__\nobject\nc__builtin__\nobject\nNtR.",
        b"c__builtin__\nset\n)\x81.",
        b"(i__builtin__\neval\n.",
        b"Pabc\n.",
        b"\x82\x01.",
        b"K\x01K\x02b.",
    ):
        with pytest.raises(FileFormatError):
            read_arrays("x.pkl", body)


def test_shared_lists_do_not_explode() -> None:
    shared = [1.0, 2.0]
    found = read_arrays("x.pkl", pickle.dumps([shared, shared], 2))
    assert found[0] is found[1]
    value: list = [1.0]
    for _ in range(35):
        value = [value, value]  # an array of it would have 2^35 numbers
    with pytest.raises(FileFormatError, match="larger than itself"):
        read_arrays("x.pkl", pickle.dumps(value, 2))
    for _ in range(10):
        value = [value]
    with pytest.raises(FileFormatError, match="deeply"):
        read_arrays("x.pkl", pickle.dumps(value, 2))


def test_one_buffer_cannot_become_many_arrays() -> None:
    raw = b"\0" * 80000
    once = (
        b"cnumpy._core.numeric\n_frombuffer\n(h\x00cnumpy\ndtype\n(U\x02f8K\x00K\x01tR"
        b"M\x10'\x85U\x01CtR0"
    )
    head = b"\x80\x02B" + struct.pack("<i", len(raw)) + raw + b"q\x000"
    assert read_arrays("x.pkl", head + once[:-1] + b".").shape == (10000,)
    with pytest.raises(FileFormatError, match="larger than itself"):
        read_arrays("x.pkl", head + 10 * once + b"N.")


@given(st.binary(max_size=200))
@settings(max_examples=300, deadline=None)
def test_any_bytes_end_in_a_sentence(data: bytes) -> None:
    try:
        read_arrays("x.pkl", data)
    except FileFormatError as error:
        assert str(error).startswith("x.pkl: ")


@given(cut=st.integers(0, 10**6), change=st.integers(0, 10**6), value=st.integers(0, 255))
@settings(max_examples=300, deadline=None)
def test_damage_ends_in_a_sentence(cut: int, change: int, value: int) -> None:
    data = bytearray(pickle.dumps({"a": np.eye(3), "b": scipy.sparse.csc_matrix(np.eye(2))}, 2))
    data[change % len(data)] = value
    for body in (bytes(data), bytes(data[: cut % len(data)])):
        try:
            read_arrays("x.pkl", body)
        except FileFormatError as error:
            assert str(error).startswith("x.pkl: ")


def test_opcodes_are_all_decided() -> None:
    """Every opcode of the running Python is either understood or ends in a refusal."""
    for opcode in pickletools.opcodes:
        body = io.BytesIO()
        body.write(opcode.code.encode("latin-1"))
        body.write(b"\x00" * 16 + b"\n\n.")
        with pytest.raises(FileFormatError):
            read_arrays("x.pkl", body.getvalue() if opcode.name != "STOP" else b".")
