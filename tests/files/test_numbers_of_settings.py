"""No settings of the package take what is no number, no whole number, or out of all range."""

import dataclasses
import importlib
import inspect
import math
import pkgutil
import typing
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import geomface
from geomface.errors import GeomfaceError, SettingsError
from geomface.ranges import require_number, require_numbers
from geomface.synthesis.distributions import Mixture, Uniform

BAD = (math.nan, math.inf, -1)
ANY_SIGN = {
    "pod_yaw_degrees": "an angle",
    "pod_pitch_degrees": "an angle",
    "yaws": "angles",
    "yaw": "angles",
    "pitch": "an angle",
    "share": "a step back from an expression is one too",
    "value": "a distribution knows nothing of its use",
    "mean": "a distribution knows nothing of its use",
    "low": "a distribution knows nothing of its use",
    "high": "a distribution knows nothing of its use",
    "values": "a distribution knows nothing of its use",
    "factors": "the levels of angles",
}
INFINITE = {
    "free_error_mm": "leaves the free registration out",
    "landmark_tolerance": "no landmark is hidden",
}


def settings_classes() -> list[type]:
    """All frozen dataclasses that are settings or options, and those that these hold."""
    found: dict[type, None] = {}

    def hold(kind: Any) -> None:
        if inspect.isclass(kind) and dataclasses.is_dataclass(kind):
            if kind in found or not kind.__module__.startswith("geomface"):
                return
            found[kind] = None
            for field in dataclasses.fields(kind):
                hold(field.type)
        for part in typing.get_args(kind):
            hold(part)

    for module in pkgutil.walk_packages(geomface.__path__, "geomface."):
        if not module.name.endswith("__main__"):
            for name, kind in vars(importlib.import_module(module.name)).items():
                if name.endswith(("Settings", "Options")):
                    hold(kind)
    return list(found)


def number_of(kind: Any) -> type | None:
    """int or float, when a type holds such numbers."""
    if kind in (int, float):
        return kind
    kinds = [number_of(part) for part in typing.get_args(kind)]
    return next((kind for kind in kinds if kind), None)


def with_number(usual: Any, kind: Any, bad: float) -> Any:
    """A value as is usual for a field of this type, its first number replaced."""
    if isinstance(usual, tuple) and usual:
        return (with_number(usual[0], None, bad), *usual[1:])
    parts = typing.get_args(kind)
    origin = typing.get_origin(kind)
    if origin is Mapping or (inspect.isclass(origin) and issubclass(origin, Mapping)):
        return {"yaw": with_number((), parts[1], bad)}
    if origin is tuple:
        return (with_number(None, parts[0], bad),) * (1 if parts[-1] is ... else len(parts))
    held = [part for part in parts if typing.get_origin(part) is tuple]
    return with_number(None, held[0], bad) if held else bad


CHOSEN = {"SampleReenactmentOptions": {"frontal": True}}
"""Of options that ask for one of several."""


def example(kind: Any) -> Any:
    """Settings by default; what has none is a path, a word, a number or settings again."""
    if kind is Mixture:
        return Mixture((Uniform(0.0, 1.0),), (1.0,))
    needed: dict[str, Any] = dict(CHOSEN.get(kind.__name__, {}))
    for field in dataclasses.fields(kind):
        if field.default is field.default_factory is dataclasses.MISSING and field.init:
            needed[field.name] = filler(field.type)
    return kind(**needed)


def filler(kind: Any) -> Any:
    if inspect.isclass(kind) and dataclasses.is_dataclass(kind):
        return example(kind)
    if kind in (int, float, str, Path):
        return {int: 8, float: 1.0, str: "wide", Path: Path("x")}[kind]
    parts = typing.get_args(kind)
    if typing.get_origin(kind) is tuple:
        return (filler(parts[0]),)
    if typing.get_origin(kind) is typing.Literal:
        return parts[0]
    return filler(parts[0])


def trials() -> Iterator[tuple[str, Any, str, Any]]:
    for kind in settings_classes():
        usual = example(kind)
        for field in dataclasses.fields(kind):
            number = number_of(field.type)
            if number is None or not field.init:
                continue
            for bad in (*BAD, 0.5) if number is int else BAD:
                if field.name in ANY_SIGN and bad == -1:
                    continue
                if field.name in INFINITE and bad == math.inf:
                    continue
                value = with_number(getattr(usual, field.name), field.type, bad)
                yield kind.__qualname__, usual, field.name, value


def test_no_settings_take_what_is_no_number_or_out_of_range() -> None:
    taken, tried = [], 0
    for label, usual, name, value in trials():
        tried += 1
        try:
            dataclasses.replace(usual, **{name: value})
            taken.append(f"{label}.{name} = {value}")
        except GeomfaceError as error:
            if name not in str(error).replace("-", "_"):
                taken.append(f"{label}.{name} = {value}: {error}")
        except Exception as error:  # the test names all of them at once
            taken.append(f"{label}.{name} = {value}: {error!r}")
    assert not taken, f"{len(taken)} of {tried}:\n" + "\n".join(taken)
    assert tried > 900


@dataclasses.dataclass(frozen=True)
class Recipe:
    steps: int = 3
    pair: tuple[float, float] = (0.0, 1.0)
    most: float | None = None

    def __post_init__(self) -> None:
        require_numbers(self, steps="[1, 5]", pair="[0, inf)", most="(0, inf)")


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"steps": 2.0}, "steps: expected a whole number, 1 to 5, got 2.0."),
        ({"steps": True}, "steps: expected a whole number, 1 to 5, got True."),
        ({"steps": 6}, "steps: expected 1 to 5, got 6."),
        ({"pair": (1.0,)}, "pair: expected 2 values, got (1.0,)."),
        ({"pair": (1.0, math.nan)}, "pair: expected 0 or more, got nan."),
        ({"pair": 3.0}, "pair: expected 2 values, got 3.0."),
        ({"most": 0}, "most: expected a positive number, got 0."),
        ({"most": "3"}, "most: expected a positive number, got '3'."),
    ],
)
def test_the_sentence_says_what_was_expected(change: dict[str, Any], sentence: str) -> None:
    with pytest.raises(SettingsError) as caught:
        Recipe(**change)
    assert str(caught.value) == sentence


def test_ends_and_whole_numbers_of_numpy_are_taken() -> None:
    Recipe(np.int64(5), (0, np.float32(2.0)), None)
    require_number("share", 1, "[0, 1]")
    with pytest.raises(SettingsError, match=r"share: expected a number in \[0, 1\), got 1"):
        require_number("share", 1, "[0, 1)")
