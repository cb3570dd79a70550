"""Settings from JSON: the frozen dataclass that `write_json` wrote comes back."""

import dataclasses
import functools
import sys
import types
import typing
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeVar

from geomface.errors import FileFormatError

Settings = TypeVar("Settings")


def settings_from_json(kind: type[Settings], data: Any, name: str = "settings") -> Settings:
    """Return the settings of which `write_json` made these data.

    Fields that the data leave out take their defaults. Of several dataclasses that a field may
    hold, the one with the fields of the data is taken.

    Parameters
    ----------
    kind : a dataclass, with fields of numbers, strings, paths, literals, tuples, mappings and
        other such dataclasses
    data : JSON's own types
    name : what messages call the value

    Raises
    ------
    FileFormatError : a field that this version does not know, one that is missing, or a value of
        another type; the sentence names the field, what was expected and what came
    SettingsError : a value that the dataclass refuses
    """
    return _value(kind, data, name)


def _value(kind: Any, data: Any, name: str) -> Any:
    if type(data) is kind and kind in (bool, int, float, str):  # most are
        return data
    origin, choices = typing.get_origin(kind), typing.get_args(kind)
    if dataclasses.is_dataclass(kind):
        return _dataclass(kind, data, name)
    if origin in (typing.Union, types.UnionType):
        return _one_of(choices, data, name)
    if origin is typing.Literal:
        _require(data in choices, f"one of {', '.join(map(str, choices))}", data, name)
        return data
    if origin is tuple:
        _require(isinstance(data, list | tuple), "a list", data, name)
        inner = choices[:1] * len(data) if choices[1:] == (Ellipsis,) else choices
        _require(len(data) == len(inner), f"{len(inner)} values", data, name)
        pairs = enumerate(zip(inner, data, strict=True))
        return tuple(_value(part, item, f"{name}[{place}]") for place, (part, item) in pairs)
    if isinstance(origin, type) and issubclass(origin, Mapping):
        _require(isinstance(data, Mapping), "an object", data, name)
        return {key: _value(choices[1], item, f"{name}.{key}") for key, item in data.items()}
    return _plain_value(kind, data, name)


def _dataclass(kind: Any, data: Any, name: str) -> Any:
    _require(isinstance(data, Mapping), "an object", data, name)
    hints, fields = _fields(kind)
    unknown = sorted(set(data) - set(fields))
    if unknown:
        raise FileFormatError(
            f"{name}: {', '.join(unknown)} is unknown to this version. Use the version that wrote "
            "it, or start anew with the settings of this one."
        )
    for field in fields.values():
        needed = field.default is field.default_factory is dataclasses.MISSING
        if needed and field.name not in data:
            raise FileFormatError(f"{name}: expected a value of {field.name}, got none.")
    return kind(**{key: _value(hints[key], item, f"{name}.{key}") for key, item in data.items()})


@functools.cache
def _fields(kind: type) -> tuple[dict[str, Any], dict[str, dataclasses.Field]]:
    """Return types and fields of a dataclass, which take longer to find than a record to read."""
    fields = {field.name: field for field in dataclasses.fields(kind) if field.init}
    return typing.get_type_hints(kind), fields


def _one_of(choices: tuple[Any, ...], data: Any, name: str) -> Any:
    """Take the first choice that the data fit; with one choice besides None its own message."""
    if data is None and type(None) in choices:
        return None
    some = [choice for choice in choices if choice is not type(None)]
    if len(some) == 1:
        return _value(some[0], data, name)
    for choice in some:
        try:
            return _value(choice, data, name)
        except FileFormatError:
            continue
    _require(False, " or ".join(map(_word, some)), data, name)


def _plain_value(kind: Any, data: Any, name: str) -> Any:
    if kind is Path:
        _require(isinstance(data, str), "a path", data, name)
        return Path(data)
    if kind is float:
        number = isinstance(data, int | float) and not isinstance(data, bool)
        # A whole number of JSON may have more digits than a float can count.
        number = number and (isinstance(data, float) or abs(data) <= sys.float_info.max)
        _require(number, "a number", data, name)
        return float(data)
    if kind in (bool, int, str):
        _require(type(data) is kind, _word(kind), data, name)
    return data


def _word(kind: Any) -> str:
    words = {bool: "true or false", int: "a whole number", float: "a number", str: "a text"}
    return words.get(kind, getattr(kind, "__name__", str(kind)))


def _require(fits: bool, expected: str, data: Any, name: str) -> None:
    if not fits:
        got = "null" if data is None else repr(data)
        got = got if len(got) <= 60 else f"{got[:57]}..."
        raise FileFormatError(f"{name}: expected {expected}, got {got}.")
