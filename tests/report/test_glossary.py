"""Every figure that a report shows leads to what it means, and the page of all is up to date."""

import json
import re
from pathlib import Path

import pytest
from report_folder import make_folder

from geomface.report import write_report
from geomface.report.glossary import explanations, figures, glossary_page, linked, meaning
from geomface.report.page import Section, build_page, table, tiles

ROOT = Path(__file__).resolve().parents[2]
NO_FIGURES = {"scan", "note", "name", "state", "why", "region", "figure", "value", "settings"}
"""Headers of columns that hold words."""


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> str:
    folder = make_folder(tmp_path_factory.mktemp("report"))
    return write_report(folder).path.read_text(encoding="utf-8")


def test_every_figure_of_a_report_leads_to_its_meaning(page: str) -> None:
    headers = re.findall(r"<th(?: [^>]*)?>(.*?)</th>", page)
    captions = re.findall(r'<div class="tile"><b>.*?</b><span>(.*?)</span>', page)
    rows = re.findall(r'<tr><td class="text">(.*?)</td>', page.split("<h3>Figures</h3>")[1])
    figures_table = rows[: next(n for n, row in enumerate(rows) if "<a" not in row)]
    assert len(headers) > 10 and len(captions) > 3 and len(figures_table) > 3
    for shown in headers + captions:
        assert "<a " in shown or shown in NO_FIGURES, shown


def test_links_meet_their_targets_once(page: str) -> None:
    wanted = set(re.findall(r'href="#(figure-\w+)"', page))
    assert len(wanted) > 15
    for anchor in wanted:
        assert page.count(f'id="{anchor}"') == 1


def test_figures_of_records_are_explained(page: str) -> None:
    """What a registration's record holds, by name, but for names, places and lists."""
    record = {"converged", "iterations", "kept_fraction", "residual_mm", "landmark_mm", "flips"}
    record |= {"rim_crossings", "confidence_mean", "texture_seen", "geometry_image_rms_mm"}
    assert record | {"distortion", "model_distance", "upright", "motion_mm"} <= set(figures())


def test_every_entry_says_what_is_good_and_bad_once() -> None:
    text = (ROOT / "geomface/report/static/glossary.json").read_text(encoding="utf-8")
    entries = json.loads(text)
    assert len({entry["key"] for entry in entries}) == len(entries) == len(figures())
    labels = [label for entry in entries for label in entry["labels"]]
    assert len(labels) == len(set(labels)), "one meaning a label"
    assert all(entry[part].strip() for entry in entries for part in ("means", "good", "bad"))


def test_the_page_of_the_documentation_is_up_to_date() -> None:
    written = (ROOT / "docs/glossary.md").read_text(encoding="utf-8")
    assert written == glossary_page(), "run: python tools/documentation/write_glossary.py"


def test_pages_without_figures_have_no_explanations() -> None:
    parts = [table(["name", "a & b"], [["x", "y"]]), tiles([("1", "unknown")])]
    assert linked("a & b") == "a &amp; b" and explanations("".join(parts)) == ""
    assert "What the figures mean" not in build_page("t", "l", [Section("s", "s", parts)])
    assert 'href="#figure-loss"' in meaning(["loss"])
