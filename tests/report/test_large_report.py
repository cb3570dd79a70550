"""The report of very many scans: pictures of some, the worst named, a table by pages."""

import dataclasses
import json
import os
import re
from pathlib import Path

import pytest
from report_folder import OFFSET_MM, make_folder

from geomface.batch.records import read_record, record_path, write_record
from geomface.datasets import layout
from geomface.files.records import read_json, write_json
from geomface.report import write_report
from geomface.report.collection import MOST_WHOLE, SHOWN, WORST, evenly, read_collection
from geomface.report.page import PAGE, paged_table, table

COUNT = 300
BAD = {f"more{index:05d}": 5.0 + index for index in (17, 123, 256)}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of three scans whose outputs stand for those of hundreds more; three fit badly."""
    out = make_folder(tmp_path_factory.mktemp("large"))
    records, head = out / layout.RECORDS, read_json(out / layout.RUN_FILE)
    for index in range(COUNT):
        name, like = f"more{index:05d}", f"scan{index % 3:03d}"
        place = out / layout.ITEMS / name
        place.mkdir()
        for path in (out / layout.ITEMS / like).iterdir():
            os.link(path, place / path.name)
        scans = out.parent / "scans"
        for path in sorted(scans.glob(f"{like}.*")):
            os.link(path, scans / path.name.replace(like, name))
        record = read_record(record_path(records, like, 1))
        residual = {"median": BAD.get(name, 0.2 + index / 1e4), "p95": 1.0}
        figures = dict(record.figures) | {"residual_mm": residual}
        write_record(records, dataclasses.replace(record, name=name, figures=figures))
        head["scans"].append(name)
    write_json(out / layout.RUN_FILE, head)
    return out


@pytest.fixture(scope="module")
def page(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> str:
    result = write_report(folder, tmp_path_factory.mktemp("page") / "page.html")
    assert len(result.errors) == MOST_WHOLE
    for figures in result.errors.values():
        assert figures["mean"] == pytest.approx(OFFSET_MM, abs=1e-6)
    return result.path.read_text(encoding="utf-8")


def test_the_worst_are_the_worst_and_the_shown_are_spread(folder: Path) -> None:
    collection = read_collection(folder)
    names = [result.name for result in collection.results]
    shown = [result.name for result in collection.shown]
    worst = [result.name for result in collection.worst]
    assert len(names) == COUNT + 3 and len(shown) == SHOWN and len(worst) == WORST
    assert shown[0] == names[0] and shown[-1] == names[-1] and not set(shown) & set(worst)
    assert worst[:3] == sorted(BAD, key=lambda name: -BAD[name])
    least = min(result.residual for result in collection.worst)
    rest = [one for one in collection.results if one.name not in {*shown, *worst}]
    assert max(result.residual for result in rest) <= least
    assert evenly(names, 10_000) == names and evenly(names[:1], 5) == names[:1]


def test_a_page_of_many_scans_shows_some_and_lists_all(page: str) -> None:
    rows = _rows(page)
    assert [row[0] for row in rows][:3] == ["scan000", "scan001", "scan002"]
    assert len(rows) == COUNT + 3 and {len(row) for row in rows} == {6}
    assert {row[0]: row[1] for row in rows if float(row[1]) > 1} == {
        name: f"{residual:.2f}" for name, residual in BAD.items()
    }
    assert page.count("overlay</figcaption>") == SHOWN + WORST
    assert f"{COUNT + 3} of {COUNT + 4}" in page and "The worst fits" in page
    assert f"distances to the truth of {MOST_WHOLE}" in page
    assert f"And {COUNT + 3 - 200} more, in the records." in page
    static = page.split('class="paged"')[1].split("</table>")[0]
    assert static.count("<tr") == 1 + PAGE + 1, "header, a page, the mean"


def test_another_thousand_scans_cost_no_more_than_their_rows(page: str) -> None:
    rows = _rows(page)
    cost = len(json.dumps(rows, ensure_ascii=False, separators=(",", ":"))) / len(rows)
    assert cost < 50, "bytes a scan"


def _rows(page: str) -> list[list[str]]:
    block = re.search(r'class="paged".*?<script type="application/json">(.*?)</script>', page, re.S)
    assert block is not None
    return json.loads(block[1])


def test_a_table_of_pages_starts_as_the_table_of_its_first_rows() -> None:
    rows = [[f"</script><b>{index}", f"{index}"] for index in range(3 * PAGE)]
    text = paged_table(["name", "value"], rows, total=["mean", "7"])
    assert table(["name", "value"], rows[:PAGE], total=["mean", "7"]) in text
    assert text.count("</script>") == 1 and _rows(text) == rows
