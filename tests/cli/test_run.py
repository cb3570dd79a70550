"""Notes, progress, tables and records of a command."""

import dataclasses
import json
import logging
import sys
from pathlib import Path

import numpy as np
import pytest

from geomface.cli import run as run_module
from geomface.cli.options import CommonOptions
from geomface.cli.run import Run
from geomface.errors import MissingBackendError


@dataclasses.dataclass(frozen=True)
class Options:
    """Options of a command that does nothing."""

    path: Path = Path("a/b")
    sizes: tuple[int, ...] = (1, 2)
    common: CommonOptions = CommonOptions()


def make(**common: object) -> Run:
    return Run("geomface nothing", Options(common=CommonOptions(**common)))  # type: ignore[arg-type]


def test_notes_go_to_stderr_once_and_into_the_record(capsys: pytest.CaptureFixture[str]) -> None:
    run = make()
    run.add_notes(["metres: scaled by 1000", "metres: scaled by 1000", "two parts"])
    logging.getLogger("geomface").warning("texture %s is missing", "a.png")
    record = run.finish({})
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.splitlines() == [
        "note: metres: scaled by 1000",
        "note: two parts",
        "note: texture a.png is missing",
    ]
    assert record["notes"] == [line.removeprefix("note: ") for line in captured.err.splitlines()]


def test_only_the_running_command_hears_the_log(capsys: pytest.CaptureFixture[str]) -> None:
    first, second = make(), make()
    logging.getLogger("geomface").warning("once")
    assert first.notes == [] and second.notes == ["once"]


def test_record_is_json_with_settings_versions_and_figures(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = make(json=True)
    figures = {"values": np.arange(2), "bad": float("nan"), "path": Path("x")}
    record = run.finish(figures, tmp_path / "r.json")
    assert (
        json.loads(capsys.readouterr().out)
        == record
        == json.loads((tmp_path / "r.json").read_text())
    )
    assert record["settings"]["path"] == "a/b" and record["settings"]["sizes"] == [1, 2]
    assert record["values"] == [0, 1] and record["bad"] is None and record["path"] == "x"
    assert {"python", "numpy", "torch", "geomface"} <= set(record["versions"])


def test_quiet_says_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    run = make(quiet=True)
    run.note("a")
    run.say("b")
    run.warn("c")
    run.table(["d"], [["e"]])
    with run.progress("f", 2) as step:
        step(1, "g")
    run.finish({})
    captured = capsys.readouterr()
    assert (captured.out, captured.err) == ("", "")
    assert run.notes == ["a"]


def test_plain_progress_tells_time_left(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = iter([0.0, 4.0, 4.5, 12.0])
    monkeypatch.setattr(run_module.time, "perf_counter", lambda: next(clock, 99.0))
    step = run_module._plain_progress("fitting", 3)
    step(1, "a")
    step(2, "b")  # too soon after the last line
    step(3, "c")
    assert capsys.readouterr().err.splitlines() == [
        "fitting: 1/3, 8 s left  a",
        "fitting: 3/3, 12.0 s in all  c",
    ]


def test_progress_bar_on_a_terminal(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    run = make()
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True, raising=False)
    monkeypatch.setenv("TERM", "xterm")
    with run.progress("fitting", 3) as step:
        step(1, "scan001")
        step(3, "scan003", 3)
    assert capsys.readouterr().out == "", "the bar is not part of the result"


def test_table_aligns_numbers_to_the_right(capsys: pytest.CaptureFixture[str]) -> None:
    make().table(["scan", "mm"], [["a", "1.25"], ["long name", "10.50"]])
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split() == ["scan", "mm"]
    assert lines[2].endswith(" 1.25") and lines[3].endswith("10.50")
    assert len(lines[2]) == len(lines[3]) == len(lines[1])


def test_cuda_is_refused_where_nothing_runs_on_it() -> None:
    make(device="auto").require_cpu()
    with pytest.raises(MissingBackendError, match="--device cuda"):
        make(device="cuda").require_cpu()


def test_notes_survive_a_library_that_switches_loggers_off(
    capsys: pytest.CaptureFixture[str],
) -> None:
    logging.getLogger("geomface").disabled = True
    make()
    logging.getLogger("geomface").warning("heard")
    assert capsys.readouterr().err.splitlines() == ["note: heard"]


def test_a_stage_is_told_before_it_begins(capsys: pytest.CaptureFixture[str]) -> None:
    with make().stage("fit", "anna"):
        assert capsys.readouterr().err == "fit: 0/1  anna\n"
    assert capsys.readouterr().err.startswith("fit: 1/1, 0.0 s in all")
