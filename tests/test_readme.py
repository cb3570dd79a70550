"""The README's Python runs, its set-up lines are what .ci/run uses, its links lead somewhere."""

import re
import tomllib
from pathlib import Path

import pytest

import geomface

ROOT = Path(__file__).resolve().parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", README, re.DOTALL)


def test_python_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (code,) = blocks("python")
    lines = [line for line in code.splitlines() if line.strip()]
    assert len(lines) <= 12, "twelve lines of Python"
    monkeypatch.chdir(tmp_path)
    exec(compile(code, "README.md", "exec"), {})
    lost = re.search(r"lost ([\d.]+) mm", capsys.readouterr().out)
    assert lost is not None and float(lost[1]) < 0.2
    mesh = geomface.load_mesh(tmp_path / "face.glb")
    assert len(mesh.vertices) == len(geomface.load_builtin_face().mesh.vertices)
    assert mesh.texture is not None and mesh.texture.shape[:2] == (512, 512)


def test_python_of_the_factored_geometry_page_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    page = (ROOT / "docs/factored_geometry.md").read_text(encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    for code in re.findall(r"```python\n(.*?)```", page, re.DOTALL):
        exec(compile(code, "docs/factored_geometry.md", "exec"), {})
    error = re.search(r"([\d.]+) mm", capsys.readouterr().out)
    assert error is not None and float(error[1]) < 2.0
    assert (tmp_path / "practice" / "labels.csv").is_file() and (tmp_path / "smile.glb").is_file()


def test_setup_lines_are_those_of_ci() -> None:
    lines = "".join(blocks("bash")).splitlines()
    assert "pip install -c constraints.txt -e . && geomface demo" in lines
    assert 'pip install -c constraints.txt -e ".[test]" && pytest' in lines


def test_commands_exist() -> None:
    from geomface.cli.main import NOUNS

    for line in "".join(blocks("bash")).splitlines():
        if line.startswith("geomface "):
            assert line.split()[1] in NOUNS


def test_rooms_are_those_of_the_contract() -> None:
    listed = re.findall(r"`(\w+)`", README.split("## Rooms")[1].split("each may import")[0])
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]
    layers = settings["contracts"][0]["layers"][::-1]
    assert listed == [layer for layer in layers if (ROOT / "geomface" / layer).is_dir()]


@pytest.mark.parametrize(
    "page",
    [
        "README.md",
        "docs/cluster.md",
        "docs/commands.md",
        "docs/conventions.md",
        "docs/factored_geometry.md",
    ],
)
def test_links_and_pictures_are_there(page: str) -> None:
    text = (ROOT / page).read_text(encoding="utf-8")
    for target in re.findall(r"\]\(([^)#\s]+)\)", text):
        if not target.startswith("http"):
            assert (ROOT / page).parent.joinpath(target).exists(), target


def test_pictures_are_small() -> None:
    shown = re.findall(r"\]\((docs/images/readme_\w+\.jpg)\)", README)
    assert len(shown) == len(set(shown)) == 11, "one for each capability"
    for place in shown:
        assert (ROOT / place).stat().st_size <= 60_000, place


def test_commands_overwrite_nothing_that_was_measured() -> None:
    """No line writes a file that was given to an earlier one; models are those of the reader."""
    given: set[str] = set()
    for line in "".join(blocks("bash")).splitlines():
        options = dict(re.findall(r"--([\w-]+) (\S+\.\w+)", line))
        written = {options.get("out"), options.get("mask")} - {None}
        assert not written & given, line
        given |= set(options.values()) - written
        if re.match(r"geomface model (show|fit-scan|export|evaluate)", line):
            assert "--model my-result/" in line
