"""What a pickle may say of an array, and the array it means; nothing is called or imported."""

import dataclasses
import re
from typing import Any

import numpy as np

_RECONSTRUCT = re.compile(r"numpy\.(_core|core)\.multiarray _reconstruct")
_SCALAR = re.compile(r"numpy\.(_core|core)\.multiarray scalar")
_FROM_BUFFER = re.compile(r"numpy\.(_core|core)\.numeric _frombuffer")
_COPY = re.compile(r"copy_?reg _reconstructor")
_SET = re.compile(r"(__builtin__|builtins) (frozen)?set")
_INERT = re.compile(
    r"numpy (ndarray|dtype)|_codecs encode|(__builtin__|builtins) (object|bytes)|chumpy\.ch Ch"
    r"|scipy\.sparse(\.\w+)? (csc|csr|coo)_(matrix|array)"
)
_ALLOWED = (_RECONSTRUCT, _SCALAR, _FROM_BUFFER, _COPY, _SET, _INERT)
_KINDS = "biuf"


@dataclasses.dataclass(frozen=True)
class Name:
    """A global that the pickle names: a text, never looked up."""

    text: str


@dataclasses.dataclass(eq=False)
class Thing:
    """An object that the pickle describes: the name of its class, and its state or array."""

    kind: str
    state: Any = None
    value: Any = None


class Refused(Exception):
    """The reason, put into a sentence with the path by `read_arrays`."""


def is_class(text: str) -> bool:
    """Say whether a name is of a class whose attributes hold arrays."""
    return text.startswith(("chumpy", "scipy.sparse"))


def allowed(text: str) -> Name:
    """Return a name that arrays need, or refuse it by name."""
    if "\r" in text:
        raise Refused(
            "its lines end in \\r\\n: it was copied as text, which damages a pickle; copy it "
            "again as binary data"
        )
    if not any(pattern.fullmatch(text) for pattern in _ALLOWED):
        raise Refused(f"this pickle names {text.replace(' ', '.')}, which is no part of an array")
    return Name(text)


def reduced(function: Any, arguments: Any) -> Any:
    """Return what a call of one of the allowed names would make, made here."""
    if not isinstance(function, Name) or not isinstance(arguments, tuple):
        raise Refused("it calls something that is no array")
    text = function.text
    if _RECONSTRUCT.fullmatch(text):
        return Thing("numpy ndarray")
    if text == "numpy dtype":
        code = arguments[0]
        dtype = np.dtype(code) if isinstance(code, str) else None
        if dtype is None or dtype.kind not in _KINDS:
            raise Refused(f"it holds an array of type {code!r}, not of numbers")
        return Thing("numpy dtype", value=dtype)
    if _SCALAR.fullmatch(text):
        return array_of(arguments[1], dtype_in(arguments[0]), (), "C")[()]
    if _FROM_BUFFER.fullmatch(text):
        raw, dtype, shape, order = arguments
        return array_of(raw, dtype_in(dtype), shape, order)
    if text == "_codecs encode":
        if len(arguments) != 2 or arguments[1] not in ("latin1", "latin-1"):
            raise Refused("it encodes text")
        return str(arguments[0]).encode("latin-1")
    if text.endswith(" bytes") and not arguments:
        return b""
    if _SET.fullmatch(text):
        return list(arguments[0]) if arguments else []
    if _COPY.fullmatch(text):
        if isinstance(arguments[0], Name) and is_class(arguments[0].text):
            return Thing(arguments[0].text)
        raise Refused("it makes an object that is no array")
    raise Refused(f"it calls {text.replace(' ', '.')}")


def dtype_in(value: Any) -> np.dtype:
    """Return the dtype that a pickle described before."""
    if isinstance(value, Thing) and isinstance(value.value, np.dtype):
        return value.value
    raise ValueError("an array without a type")


def dtype_of(dtype: Any, state: Any) -> np.dtype:
    """Return the dtype with the byte order of its state; structured ones are refused."""
    if not isinstance(dtype, np.dtype) or any(item is not None for item in state[2:5]):
        raise Refused("it holds a structured array")
    return dtype.newbyteorder(state[1]) if state[1] in "<>" else dtype


def array_of(raw: Any, dtype: np.dtype, shape: Any, order: str) -> np.ndarray:
    """Return the array of these bytes, in native byte order and C order."""
    if isinstance(raw, str):
        raw = raw.encode("latin-1")
    if not isinstance(raw, bytes | bytearray) or order not in ("C", "F"):
        raise Refused("it holds an array of objects")
    values = np.frombuffer(raw, dtype) if raw else np.zeros(0, dtype)
    return values.reshape(shape, order=order).astype(dtype.newbyteorder("="), order="C")
