"""Every public name has an example that runs as it stands in its docstring."""

import doctest
import re
from pathlib import Path

import pytest

import geomface

LONGEST = 10
"""Lines of code of an example."""


def example_of(name: str) -> str:
    """Return the section "Example" of a docstring."""
    found = re.search(r"\n *Example\n *-------\n(.*)", getattr(geomface, name).__doc__, re.DOTALL)
    return found[1] if found else ""


@pytest.mark.parametrize("name", geomface.__all__)
def test_example_runs(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    test = doctest.DocTestParser().get_doctest(example_of(name), {}, f"gf.{name}", None, None)
    lines = sum(len(example.source.splitlines()) for example in test.examples)
    assert 0 < lines <= LONGEST, f"an example of at most {LONGEST} lines in the docstring"
    assert name in "".join(example.source for example in test.examples)
    assert any(example.want for example in test.examples), "something to see"
    monkeypatch.chdir(tmp_path)
    said: list[str] = []
    flags = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE
    result = doctest.DocTestRunner(optionflags=flags).run(test, out=said.append)
    assert result.failed == 0, "".join(said)
