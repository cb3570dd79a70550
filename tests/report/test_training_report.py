"""The report of a training run: one file, with curves, pictures, settings and distances."""

import re
from pathlib import Path

import pytest

from geomface.cli.main import main
from geomface.errors import FileFormatError
from geomface.report.training import is_training_run, write_training_report


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("training") / "run"
    words = ["train", "progressive_texture", "--recipe", "tiny", "--steps", "20", "--quiet"]
    assert main([*words, "--out", str(out)]) == 0
    return out


def test_it_holds_everything_and_needs_nothing(run: Path, tmp_path: Path) -> None:
    assert is_training_run(run) and not is_training_run(tmp_path)
    out = tmp_path / "report.html"
    assert main(["report", str(run), "--out", str(out), "--quiet"]) == 0
    page = out.read_text()
    for word in ("How it went", "What it draws", "Settings", "20 steps", "generator_width"):
        assert word in page
    assert "loss: discriminator, generator" in page and "Distances" not in page
    assert page.count("data:image/png") >= 5
    assert not re.search(r"""(src|href)=["']?(https?:|//|file:)""", page)


def test_distances_are_shown_once_they_are_measured(run: Path, tmp_path: Path) -> None:
    words = ["evaluate", "progressive_texture", str(run), "--count", "40", "--quiet"]
    assert main(words) == 0
    write_training_report(run, tmp_path / "report.html", title="my <run>")
    page = (tmp_path / "report.html").read_text()
    assert "Distances" in page and "my &lt;run&gt;" in page and "on 40 images" in page


def test_other_folders_are_refused(run: Path, tmp_path: Path) -> None:
    with pytest.raises(FileFormatError, match="expected the run directory of a training"):
        write_training_report(tmp_path, tmp_path / "report.html")
    (tmp_path / "run.json").write_text((run / "run.json").read_text())
    with pytest.raises(FileFormatError, match="has logged none yet"):
        write_training_report(tmp_path, tmp_path / "report.html")
    (tmp_path / "run.json").write_text("7")
    assert not is_training_run(tmp_path)
    assert not (tmp_path / "report.html").exists()
