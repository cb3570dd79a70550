"""Arrays out of a pickle, without executing it.

A pickle is a program for a stack machine whose opcodes may call any function. This machine has no
opcode that calls anything: it takes the opcodes apart with `pickletools` (which only parses),
keeps names as names, and understands the few by which numpy, scipy.sparse and chumpy write an
array. Any other name ends the reading.
"""

import pickletools
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from geomface.errors import FileFormatError
from geomface.model_files.pickle_values import (
    Name,
    Refused,
    Thing,
    allowed,
    array_of,
    dtype_in,
    dtype_of,
    is_class,
    reduced,
)

_DEEPEST = 40
_MARK = object()


def read_arrays(path: Path | str, data: bytes) -> Any:
    """Return what a pickle holds: dicts, lists, numbers, texts and numpy arrays.

    Parameters
    ----------
    path : for messages
    data : the pickle, of any protocol; texts of Python 2 are taken as Latin-1

    Returns
    -------
    The object at the top. An array is an ndarray of bool, integer or floating type; an object of
    chumpy or scipy.sparse is the dict of its attributes.

    Raises
    ------
    FileFormatError : a global that is no part of an array (the message names it), an array of
        objects, persistent ids, extension codes, a truncated or damaged file.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about escapes in a damaged text
            top = _Machine(len(data)).run(data)
        if _size(top, {}, 0) > 2 * len(data):
            raise Refused("its lists, each holding another several times, are larger than itself")
        return _plain(top, 0, {})
    except Refused as error:
        raise FileFormatError(
            f"{path}: {error}. Only arrays are read from a pickle, nothing in it is run: give a "
            "pickle of plain arrays, or an npz."
        ) from error
    except (ValueError, TypeError, KeyError, IndexError, OverflowError, RecursionError) as error:
        raise FileFormatError(
            f"{path}: expected a pickle of arrays, it is damaged or truncated ({error}). Copy it "
            "again."
        ) from error


def _size(value: Any, done: dict[int, int], depth: int) -> int:
    """Return how many values there are when what is shared is counted as often as it is shown."""
    if depth > _DEEPEST:
        raise Refused("its objects are nested too deeply")
    if id(value) not in done:
        held = value.values() if isinstance(value, dict) else value
        inner = held if isinstance(value, dict | list | tuple) else ()
        inner = (value.state,) if isinstance(value, Thing) and value.value is None else inner
        done[id(value)] = 1 + sum(_size(item, done, depth + 1) for item in inner)
    return done[id(value)]


def _plain(value: Any, depth: int, done: dict[int, Any]) -> Any:
    """Replace what stands for an array by the array; what is shared is converted once."""
    if depth > _DEEPEST:
        raise Refused("its objects are nested too deeply")
    if id(value) in done:
        return done[id(value)]
    plain = value
    if isinstance(value, Thing) and value.value is not None:
        plain = value.value
    elif isinstance(value, Thing):
        if not isinstance(value.state, dict):
            raise Refused(f"it holds an incomplete {value.kind.replace(' ', '.')}")
        plain = _plain(value.state, depth + 1, done)
    elif isinstance(value, Name):
        raise Refused(f"it holds {value.text.replace(' ', '.')} itself")
    elif isinstance(value, dict):
        plain = {key: _plain(item, depth + 1, done) for key, item in value.items()}
    elif isinstance(value, list | tuple):
        plain = [_plain(item, depth + 1, done) for item in value]
    done[id(value)] = plain
    return plain


class _Machine:
    """The stack machine of pickle without the opcodes that call or import."""

    def __init__(self, size: int) -> None:
        self.stack: list[Any] = []
        self.memo: dict[int, Any] = {}
        # The bytes of an array lie in the file, so that all arrays together are no larger.
        self.budget = 2 * size

    def run(self, data: bytes) -> Any:
        for opcode, argument, _ in pickletools.genops(data):
            if opcode.name == "STOP":
                return self.stack.pop()
            self.step(opcode.name, argument)
        raise ValueError("no end")

    def step(self, name: str, argument: Any) -> None:
        if name in _LITERALS:
            self.stack.append(argument)
        elif name in _CONSTANTS:
            self.stack.append(_CONSTANTS[name]())
        elif name in ("PUT", "BINPUT", "LONG_BINPUT"):
            self.memo[argument] = self.stack[-1]
        elif name == "MEMOIZE":
            self.memo[len(self.memo)] = self.stack[-1]
        elif name in ("GET", "BINGET", "LONG_BINGET"):
            self.stack.append(self.memo[argument])
        elif name in _ACTIONS:
            _ACTIONS[name](self)
        elif name == "GLOBAL":
            self.stack.append(allowed(argument))
        elif name not in ("PROTO", "FRAME"):
            raise Refused(f"it uses {name}, which no array needs")

    def marked(self) -> list[Any]:
        """Pop everything above the last mark."""
        place = len(self.stack) - 1
        while self.stack[place] is not _MARK:
            place -= 1
            if place < 0:
                raise ValueError("no mark")
        items = self.stack[place + 1 :]
        del self.stack[place:]
        return items

    def take(self, count: int) -> list[Any]:
        """Pop the topmost `count` values, in the order they were pushed."""
        if len(self.stack) < count or any(item is _MARK for item in self.stack[-count:]):
            raise ValueError("too few values")
        items = self.stack[-count:]
        del self.stack[-count:]
        return items

    def collect(self, kind: Callable[[list[Any]], Any]) -> None:
        self.stack.append(kind(self.marked()))

    def tuple_of(self, count: int) -> None:
        self.stack.append(tuple(self.take(count)))

    def extend(self, items: list[Any]) -> None:
        if not isinstance(self.stack[-1], list):
            raise ValueError("a list was expected")
        self.stack[-1].extend(items)

    def update(self, pairs: list[Any]) -> None:
        if not isinstance(self.stack[-1], dict):
            raise ValueError("a dict was expected")
        self.stack[-1].update(_dict(pairs))

    def stack_global(self) -> None:
        module, attribute = self.take(2)
        self.stack.append(allowed(f"{module} {attribute}"))

    def reduce(self) -> None:
        function, arguments = self.take(2)
        self.stack.append(self.counted(reduced(function, arguments)))

    def counted(self, made: Any) -> Any:
        self.budget -= made.nbytes if isinstance(made, np.ndarray) else 0
        if self.budget < 0:
            raise Refused("its arrays are larger than itself")
        return made

    def new_object(self) -> None:
        kind, arguments = self.take(2)
        if not isinstance(kind, Name) or arguments != () or not is_class(kind.text):
            raise Refused("it makes an object that is no array")
        self.stack.append(Thing(kind.text))

    def build(self) -> None:
        (state,) = self.take(1)
        thing = self.stack[-1]
        if not isinstance(thing, Thing):
            raise ValueError("a state without an object")
        if thing.kind == "numpy dtype":
            thing.value = dtype_of(thing.value, state)
        elif thing.kind == "numpy ndarray":
            _, shape, dtype, fortran, raw = state
            order = "F" if fortran else "C"
            thing.value = self.counted(array_of(raw, dtype_in(dtype), shape, order))
        else:
            # A new-style object may give (dict, slots).
            thing.state = state[0] if isinstance(state, tuple) and len(state) == 2 else state


def _dict(pairs: list[Any]) -> dict[Any, Any]:
    if len(pairs) % 2 or not all(isinstance(key, str | int | bytes) for key in pairs[::2]):
        raise Refused("it holds a dict whose keys are no names")
    return dict(zip(pairs[::2], pairs[1::2], strict=True))


_LITERALS = frozenset(
    "INT BININT BININT1 BININT2 LONG LONG1 LONG4 FLOAT BINFLOAT STRING BINSTRING SHORT_BINSTRING "
    "UNICODE SHORT_BINUNICODE BINUNICODE BINUNICODE8 SHORT_BINBYTES BINBYTES BINBYTES8 "
    "BYTEARRAY8".split()
)
_CONSTANTS: dict[str, Callable[[], Any]] = {
    "NONE": lambda: None,
    "NEWTRUE": lambda: True,
    "NEWFALSE": lambda: False,
    "EMPTY_LIST": list,
    "EMPTY_DICT": dict,
    "EMPTY_TUPLE": tuple,
    "EMPTY_SET": list,
    "MARK": lambda: _MARK,
}
_ACTIONS: dict[str, Callable[[_Machine], Any]] = {
    "POP": lambda machine: machine.stack.pop(),
    "POP_MARK": lambda machine: machine.marked(),
    "DUP": lambda machine: machine.stack.append(machine.stack[-1]),
    "LIST": lambda machine: machine.collect(list),
    "DICT": lambda machine: machine.collect(_dict),
    "TUPLE": lambda machine: machine.collect(tuple),
    "FROZENSET": lambda machine: machine.collect(list),
    "TUPLE1": lambda machine: machine.tuple_of(1),
    "TUPLE2": lambda machine: machine.tuple_of(2),
    "TUPLE3": lambda machine: machine.tuple_of(3),
    "APPEND": lambda machine: machine.extend(machine.take(1)),
    "APPENDS": lambda machine: machine.extend(machine.marked()),
    "ADDITEMS": lambda machine: machine.extend(machine.marked()),
    "SETITEM": lambda machine: machine.update(machine.take(2)),
    "SETITEMS": lambda machine: machine.update(machine.marked()),
    "STACK_GLOBAL": _Machine.stack_global,
    "REDUCE": _Machine.reduce,
    "NEWOBJ": _Machine.new_object,
    "BUILD": _Machine.build,
}
