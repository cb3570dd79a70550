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


@pytest.mark.parametrize(
    "name", ["all_pairs", "load_embedder", "load_face_embedder", "load_embeddings", "verify"]
)
def test_example_runs(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    test = doctest.DocTestParser().get_doctest(example_of(name), {}, name, None, None)
    assert test.examples and name in "".join(one.source for one in test.examples)
    monkeypatch.chdir(tmp_path)
    said: list[str] = []
    result = doctest.DocTestRunner().run(test, out=said.append)
    assert result.failed == 0, "".join(said)
