"""Settings to and from JSON: every settings class of the package, and what is refused by name."""

import dataclasses
import importlib
import json
import pkgutil
from collections.abc import Mapping
from pathlib import Path
from typing import Literal

import pytest

import geomface
from geomface.errors import FileFormatError, SettingsError
from geomface.files.records import plain
from geomface.files.settings import settings_from_json


@dataclasses.dataclass(frozen=True)
class Circle:
    radius: float = 1.0

    def __post_init__(self) -> None:
        if self.radius < 0:
            raise SettingsError(f"radius: expected 0 or more, got {self.radius}.")


@dataclasses.dataclass(frozen=True)
class Box:
    width: float
    height: float = 1.0


@dataclasses.dataclass(frozen=True)
class Drawing:
    out: Path
    count: int = 1
    kind: Literal["plain", "photo"] = "plain"
    shape: Circle | Box = Circle()
    parts: tuple[Circle | Box, ...] = ()
    span: tuple[float, float] = (0.0, 1.0)
    shares: Mapping[str, float] = dataclasses.field(default_factory=dict)
    title: str | None = None
    flag: bool = False


def through_json(settings: Drawing) -> Drawing:
    return settings_from_json(Drawing, json.loads(json.dumps(plain(settings))))


@pytest.mark.parametrize(
    "settings",
    [
        Drawing(Path("a/b")),
        Drawing(Path("x"), 3, "photo", Box(2.0), (Circle(3.0), Box(1.0, 4.0)), (2.0, 3.5)),
        Drawing(Path("x"), shares={"eyes": 0.1}, title="two words", flag=True),
    ],
)
def test_settings_come_back_equal(settings: Drawing) -> None:
    assert through_json(settings) == settings
    back = through_json(settings)
    assert [type(part) for part in back.parts] == [type(part) for part in settings.parts]


def test_all_settings_of_the_package_come_back_equal() -> None:
    tried = 0
    for module in pkgutil.walk_packages(geomface.__path__, "geomface."):
        if module.name.endswith("__main__"):
            continue
        for name, kind in vars(importlib.import_module(module.name)).items():
            here = getattr(kind, "__module__", "") == module.name and name.endswith("Settings")
            fields = dataclasses.fields(kind) if here and dataclasses.is_dataclass(kind) else ()
            if fields and all(
                not field.default is field.default_factory is dataclasses.MISSING
                for field in fields
            ):
                data = json.loads(json.dumps(plain(kind())))
                assert settings_from_json(kind, data) == kind(), f"{module.name}.{name}"
                tried += 1
    assert tried > 20


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        ({}, "settings: expected a value of out, got none"),
        ([], r"settings: expected an object, got \[\]"),
        ({"out": 3}, "settings.out: expected a path, got 3"),
        ({"out": "x", "colour": 1}, "settings: colour is unknown to this version"),
        ({"out": "x", "count": 1.5}, "settings.count: expected a whole number, got 1.5"),
        ({"out": "x", "count": True}, "settings.count: expected a whole number, got True"),
        ({"out": "x", "kind": "oil"}, "settings.kind: expected one of plain, photo, got 'oil'"),
        (
            {"out": "x", "shape": {"depth": 1}},
            "settings.shape: expected Circle or Box, got {'d",
        ),
        ({"out": "x", "span": [1]}, r"settings.span: expected 2 values, got \[1\]"),
        ({"out": "x", "span": [1, "a"]}, r"settings.span\[1\]: expected a number, got 'a'"),
        (
            {"out": "x", "shares": {"eyes": None}},
            "shares.eyes: expected a number, got null",
        ),
        ({"out": "x", "title": 5}, "settings.title: expected a text, got 5"),
        ({"out": "x", "flag": 1}, "settings.flag: expected true or false, got 1"),
    ],
)
def test_what_does_not_fit_is_named(data: object, sentence: str) -> None:
    with pytest.raises(FileFormatError, match=sentence):
        settings_from_json(Drawing, data)


def test_the_settings_own_refusal_is_told() -> None:
    with pytest.raises(SettingsError, match="radius: expected 0 or more, got -1"):
        settings_from_json(Circle, {"radius": -1})
