"""A report of a folder in which every figure is known beforehand."""

import dataclasses
import json
import re
from pathlib import Path

import numpy as np
import pytest
from report_folder import OFFSET_MM, SEEN_SHARE, make_folder

from geomface.datasets import layout
from geomface.errors import FileFormatError, OutputError
from geomface.files import write_json
from geomface.report import write_report
from geomface.report.collection import read_collection, read_truth


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_folder(tmp_path_factory.mktemp("report"))


@pytest.fixture(scope="module")
def page(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> str:
    path = tmp_path_factory.mktemp("page") / "page.html"
    steps: list[tuple[int, int]] = []
    result = write_report(
        folder,
        path,
        title="A <title>",
        on_progress=lambda done, total, what: steps.append((done, total)),
    )
    assert result.path == path and result.size == path.stat().st_size
    assert [done for done, _ in steps] == list(range(steps[-1][1] + 1))
    return path.read_text(encoding="utf-8")


def test_errors_are_the_known_ones(folder: Path) -> None:
    collection = read_collection(folder)
    assert [result.name for result in collection.results] == ["scan000", "scan001", "scan002"]
    for result in collection.results:
        figures = result.error_figures
        for key in ("mean", "p95", "seen"):
            assert figures[key] == pytest.approx(OFFSET_MM, abs=1e-6)
        assert result.truth is not None and result.truth.albedo is not None
        # The baked texture is one colour, so the error of the seen vertices is known.
        assert result.template.uv is not None
        seen = result.template.uv[:, 1] > 1 - SEEN_SHARE + 1 / 64
        expected = np.abs(result.truth.albedo - [0.8, 0.6, 0.5])[seen].mean()
        assert figures["albedo"] == pytest.approx(expected, abs=0.01)


def test_surface_distance_is_in_millimetres(folder: Path) -> None:
    result = read_collection(folder).results[0]
    assert result.surface_distances is not None and result.errors is not None
    assert result.truth is not None
    core = result.core
    # Nothing is farther from the surface than from its own place on it, up to the scan's noise.
    assert np.mean(result.surface_distances[core] <= result.errors[core] + 1.5) > 0.95


def test_errors_of_a_scan_in_metres_are_in_millimetres(folder: Path) -> None:
    result = read_collection(folder).results[0]
    figures = dict(result.record.figures) | {"unit_factor": 1000.0}
    metres = dataclasses.replace(result, record=dataclasses.replace(result.record, figures=figures))
    assert metres.error_figures["mean"] == pytest.approx(1000 * OFFSET_MM, rel=1e-6)


def test_page_is_self_contained(page: str) -> None:
    assert not re.search(r"""(src|href)=["'](?!data:|#)""", page)
    assert "http" not in re.sub(r"data:[^\"']+", "", page)
    assert len(page) < 15e6
    assert page.count("<script") == 2, "the viewer's data and its code"
    assert "A &lt;title&gt;" in page


def test_page_has_every_section(page: str) -> None:
    for anchor in (
        "overview",
        "faces",
        "registration",
        "template",
        "textures",
        "geometry-images",
        "model",
        "notes",
        "settings",
    ):
        assert f'<section id="{anchor}"' in page and f'href="#{anchor}"' in page


def test_page_tells_figures_and_failures(page: str) -> None:
    assert "3 of 4" in page
    assert f"{OFFSET_MM:.2f} mm" in page
    assert "broken.ply: expected a PLY mesh, but the file is empty. &lt;Export&gt;" in page
    assert "several parts: 2" in page
    assert f"{100 * SEEN_SHARE:.0f} % of the texels seen" in page
    assert page.count("<figure") >= 3 * 4 + 3 + 3 + 3


def test_viewer_holds_the_samples(page: str) -> None:
    block = re.search(r'<script type="application/json">(.*?)</script>', page, re.DOTALL)
    assert block is not None
    shapes = json.loads(block[1])["shapes"]
    assert [shape["name"] for shape in shapes] == ["new face 1", "new face 2"]
    assert all(len(shape["eyes"]) == 2 for shape in shapes)


def test_results_outlive_the_scans(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    result = write_report(folder, tmp_path / "r.html", scans=tmp_path / "elsewhere")
    text = result.path.read_text(encoding="utf-8")
    assert result.errors == {} and "distance to the truth" not in text
    assert "with its texture" not in text or "overlay</figcaption>" not in text


def test_refusals(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(FileFormatError, match="pipeline run"):
        write_report(tmp_path)
    with pytest.raises(OutputError, match="does not exist"):
        write_report(folder, tmp_path / "missing" / "r.html")
    settings = json.loads((folder / layout.RUN_FILE).read_text())
    write_json(tmp_path / layout.RUN_FILE, settings | {"scans": ["broken"]})
    with pytest.raises(FileFormatError, match="none is done"):
        write_report(tmp_path)


def test_truth_of_another_template_is_left_out(folder: Path, tmp_path: Path) -> None:
    path = folder.parent / "scans" / "scan000.truth.npz"
    assert read_truth(path, 17) is None
    damaged = tmp_path / "x.truth.npz"
    damaged.write_bytes(path.read_bytes()[:500])
    with pytest.raises(FileFormatError, match="truth of a simulated scan"):
        read_truth(damaged, 17)
