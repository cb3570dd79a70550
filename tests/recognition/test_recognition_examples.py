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
WITHOUT = {
    *("FaceEmbedder", "FaceGenerator", "FrontalView", "IdentityNetwork", "IdentityPictures"),
    *("IdentitySettings", "Population", "TranslatedFaces", "Whitening", "collect_population"),
    *("describe_faces", "describe_pictures", "draw_identity_pictures", "identity_recipe"),
    *("save_embedder", "save_face_embedder", "save_population"),
}
"""What has none yet; nothing new joins them."""


def test_what_is_new_has_an_example() -> None:
    assert {name for name in PUBLIC if not example_of(name)} <= WITHOUT


@pytest.mark.parametrize("name", [name for name in PUBLIC if example_of(name)])
def test_example_runs(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    own = {name: getattr(recognition, name)}
    test = doctest.DocTestParser().get_doctest(example_of(name), own, name, None, None)
    assert test.examples and name in "".join(one.source for one in test.examples)
    monkeypatch.chdir(tmp_path)
    said: list[str] = []
    result = doctest.DocTestRunner().run(test, out=said.append)
    assert result.failed == 0, "".join(said)
