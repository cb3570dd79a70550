"""The one check of numbers that people set: whole or finite, and within an interval.

Only the standard library is imported: the command line's help reads settings without numpy.
"""

import dataclasses
import functools
import math
import types
from collections.abc import Iterator, Mapping
from numbers import Integral, Real
from typing import Annotated, Any, Union, get_args, get_origin

from geomface.errors import GeomfaceError, SettingsError

ANY = "(-inf, inf)"
POSITIVE = "(0, inf)"
NOT_NEGATIVE = "[0, inf)"
COUNT = "[1, inf)"
SHARE = "[0, 1]"
BELOW_ONE = "[0, 1)"
SIDE = "[1, 8192]"
"""Pixels or texels a side: more would fill the memory."""
SEED = f"[0, {2**64 - 1}]"
"""What every generator of random numbers takes."""


def require_number(
    name: str,
    value: object,
    interval: str = ANY,
    *,
    whole: bool = False,
    error: type[GeomfaceError] = SettingsError,
) -> None:
    """Raise `error` unless a value is a number of an interval; NaN is in none.

    Parameters
    ----------
    name : what the message calls it
    interval : its ends between brackets, such as "[0, 1)": a round one leaves its end out
    whole : refuse fractions

    Example
    -------
    >>> require_number("share", 0.25, "[0, 1]")
    >>> try:
    ...     require_number("steps", 0.5, "[1, inf)", whole=True)
    ... except SettingsError as problem:
    ...     print(problem)
    steps: expected a whole number, 1 or more, got 0.5.
    """
    number = isinstance(value, Real) and not isinstance(value, bool)
    fits = number and (isinstance(value, Integral) or not whole)
    if not (fits and _within(value, interval)):
        got = value if number else repr(value)
        raise error(f"{name}: expected {_sentence(interval, whole and not fits)}, got {got}.")


def require_numbers(settings: Any, **intervals: str) -> None:
    """Raise `SettingsError` unless the numbers of a settings dataclass are what they should be.

    What the type of a field calls int must be whole, what it calls float finite, and a tuple as
    long as it says; all numbers of a field must lie in its interval.

    Parameters
    ----------
    settings : a dataclass
    intervals : of fields, as for `require_number`; others may hold any finite number
    """
    unknown = intervals.keys() - {field.name for field in dataclasses.fields(settings)}
    if unknown:
        raise TypeError(f"{type(settings).__name__} has no {', '.join(unknown)}.")
    for field in dataclasses.fields(settings):
        value = getattr(settings, field.name)
        interval = intervals.get(field.name, ANY)
        for name, number, whole in _numbers(field.name, value, field.type):
            require_number(name, number, interval, whole=whole)


def require_ordered(settings: Any, *names: str) -> None:
    """Raise `SettingsError` unless these pairs of a settings dataclass are low <= high."""
    for name in names:
        low, high = getattr(settings, name)
        if not low <= high:
            raise SettingsError(f"{name}: expected low <= high, got {low}, {high}.")


def _numbers(name: str, value: Any, kind: Any) -> Iterator[tuple[str, Any, bool]]:
    """Yield names and numbers that a value of this type holds, and whether they must be whole."""
    if kind is int or kind is float:
        yield name, value, kind is int
        return
    origin, parts = get_origin(kind), get_args(kind)
    if origin is Annotated:
        yield from _numbers(name, value, parts[0])
    elif origin in (Union, types.UnionType) and value is not None:
        present = [part for part in parts if part is not types.NoneType]
        if len(present) == 1:
            yield from _numbers(name, value, present[0])
    elif origin is tuple:
        several = parts[-1] is Ellipsis
        if not isinstance(value, tuple | list) or not (several or len(value) == len(parts)):
            wanted = "several" if several else len(parts)
            raise SettingsError(f"{name}: expected {wanted} values, got {value!r}.")
        parts = parts[:1] * len(value) if several else parts
        for item, part in zip(value, parts, strict=True):
            yield from _numbers(name, item, part)
    elif origin is not None and isinstance(value, Mapping) and len(parts) == 2:
        for key, item in value.items():
            yield from _numbers(f"{name} of {key!r}", item, parts[1])


@functools.cache
def _ends(interval: str) -> tuple[float, float]:
    low, high = interval[1:-1].split(",")
    return _end(low), _end(high)


def _end(text: str) -> float:
    return float(text) if "inf" in text or "." in text else int(text)


def _within(value: Any, interval: str) -> bool:
    low, high = _ends(interval)
    above = low <= value if interval[0] == "[" else low < value
    return above and (value <= high if interval[-1] == "]" else value < high)


def _sentence(interval: str, fraction: bool) -> str:
    """Return an interval in words: a positive number, 1 or more, 0 to 1, a number in [0, 1)."""
    low, high = _ends(interval)
    words = f"a number in {interval}"
    if interval == ANY:
        words = "a number"
    elif interval == POSITIVE:
        words = "a positive number"
    elif interval[0] == "[" and high == math.inf:
        words = f"{low} or more"
    elif interval[0] + interval[-1] == "[]":
        words = f"{low} to {high}"
    if not fraction:
        return words
    return (
        words.replace("number", "whole number") if "number" in words else f"a whole number, {words}"
    )
