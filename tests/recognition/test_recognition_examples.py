"""The examples of geomface.recognition run as they stand in the docstrings."""

import doctest
import re
from pathlib import Path

import pytest

import geomface.recognition as recognition


def example_of(name: str) -> str:
    """Return the section "Example" of a docstring."""
    text = getattr(recognition, name).__doc__ or ""
    found = re.search(r"\n *Example\n *-------\n(.*)", text, re.DOTALL)
    return found[1] if found else ""


PUBLIC = [name for name in recognition.__all__ if callable(getattr(recognition, name))]
ROOMS = ("aligned", "alignment", "margins", "mixup", "networks", "protocols")


def test_every_name_of_these_rooms_has_an_example() -> None:
    rooms = tuple(f"geomface.recognition.{room}." for room in ROOMS)
    owned = [name for name in PUBLIC if getattr(recognition, name).__module__.startswith(rooms)]
    assert len(owned) > 30 and all(map(example_of, owned))


@pytest.mark.parametrize("name", [name for name in PUBLIC if example_of(name)])
def test_example_runs(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    own = {name: getattr(recognition, name)}
    test = doctest.DocTestParser().get_doctest(example_of(name), own, name, None, None)
    assert test.examples and name in "".join(one.source for one in test.examples)
    monkeypatch.chdir(tmp_path)
    said: list[str] = []
    result = doctest.DocTestRunner().run(test, out=said.append)
    assert result.failed == 0, "".join(said)
