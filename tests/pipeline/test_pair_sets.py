"""Sets for lists of pairs: LFW's layout, poses as fitted, read by the evaluation as they are."""

import json
from pathlib import Path

import numpy as np
import pytest

from geomface.cli.main import main
from geomface.errors import SettingsError
from geomface.faces.builtin import load_builtin_face
from geomface.pipeline import open_job, read_status, verify_outputs
from geomface.recognition import load_pair_list
from geomface.recognition.protocols.drawn_pairs import DrawnPairsSettings, draw_pair_list

LIST = "2\t1\nAnna\t1\t2\nAnna\t1\tBen_C.\t3\nBen_C.\t3\t4\nCem\t1\tAnna\t2\n"
SMALL = ["--size", "48", "--preset", "plain"]


def rows_of(out: Path) -> dict[str, dict]:
    rows = [json.loads(line) for line in (out / "manifest.jsonl").read_text().splitlines()]
    return {row["key"]: row for row in rows}


@pytest.fixture
def pairs(tmp_path: Path) -> Path:
    path = tmp_path / "list.txt"
    path.write_text(LIST)
    return path


def test_a_list_becomes_pictures_in_its_layout_that_are_evaluated_as_they_are(
    pairs: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    model = load_builtin_face()
    fit = tmp_path / "fits" / "Anna" / "Anna_0002"
    fit.mkdir(parents=True)
    weights = dict.fromkeys(model.blendshapes.names, 0.0) | {model.blendshapes.names[3]: 0.5}
    record = {"shape": [0.0] * len(model.shape), "expression": weights}
    record |= {"light": np.full((9, 3), 0.5).tolist(), "topology_id": model.mesh.topology_id}
    record |= {"camera": {"degrees": {"yaw": 31.0, "pitch": 2.0, "roll": -4.0}}}
    (fit / "fit.json").write_text(json.dumps(record))
    words = ["synth", "pairs", "--pairs", str(pairs), *SMALL]
    out, mixed = tmp_path / "out", tmp_path / "mixed"
    assert main([*words, "--fits", str(tmp_path / "fits"), "--out", str(out)]) == 0
    assert "4 of 5 pictures have no fit" in capsys.readouterr().err
    faces = out / "faces"
    assert sorted(path.relative_to(faces).as_posix() for path in faces.rglob("*.png")) == [
        "Anna/Anna_0001.png",
        "Anna/Anna_0002.png",
        "Ben_C./Ben_C._0003.png",
        "Ben_C./Ben_C._0004.png",
        "Cem/Cem_0001.png",
    ]
    assert (out / "pairs.txt").read_text() == LIST
    rows = rows_of(out)
    shown = rows["Anna/Anna_0002"]["parameters"]
    assert shown["yaw"] == 31.0 and list(shown["expression"].values()) == [0.5]
    assert [row["as_fitted"] for row in rows.values()] == [False, True, False, False, False]
    assert shown["identity"] == rows["Anna/Anna_0001"]["parameters"]["identity"]
    assert main([*words, "--out", str(mixed), "--mix", "0.6", "--workers", "2"]) == 0
    other = rows_of(mixed)
    for name, row in other.items():
        assert row["parameters"]["mixed_at"] == [0.6, 0.4] and row["parents"] == []
        if name != "Anna/Anna_0002":
            assert row["parameters"]["yaw"] == rows[name]["parameters"]["yaw"]
            assert row["parameters"]["identity"] != rows[name]["parameters"]["identity"]
    assert open_job(out).head["as_fitted"] == 1
    assert read_status(out).exit_code == 0 and not any(verify_outputs(out).values())
    measure = ["recognise", "evaluate", str(out / "faces"), "--pairs", str(out / "pairs.txt")]
    capsys.readouterr()
    assert main([*measure, "--out", str(tmp_path / "told"), "--draws", "20", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["pictures"] == 5 and "equal_error" in json.dumps(told["verification"])


def test_a_drawn_list_has_folds_of_different_people_and_no_pair_twice(tmp_path: Path) -> None:
    settings = DrawnPairsSettings(people=12, samples=3, folds=3, pairs=6)
    path = tmp_path / "pairs.txt"
    path.write_text(text := draw_pair_list(settings, 5))
    assert text == draw_pair_list(settings, 5) != draw_pair_list(settings, 6)
    found = load_pair_list(path)
    assert found.same.sum() == 18 == (~found.same).sum() and found.folds is not None
    assert len(set(zip(found.first, found.second, strict=True))) == 36
    folds: dict[str, set[int]] = {}
    for names, fold in zip(found.people, found.folds.tolist(), strict=True):
        for name in names:
            folds.setdefault(name, set()).add(fold)
    assert all(len(where) == 1 for where in folds.values())
    with pytest.raises(SettingsError, match="at most 6 of either kind"):
        DrawnPairsSettings(people=8, samples=3, folds=4, pairs=7)


def test_lists_and_fits_that_do_not_fit_are_one_sentence(
    pairs: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    flat, wrong = tmp_path / "flat.txt", tmp_path / "wrong.txt"
    flat.write_text("a.png b.png 1\na.png c.png 0\n")
    wrong.write_text("a/1.png a/2.png 0\na/1.png b/1.png 1\n")
    for words, sentence in (
        (["--pairs", str(flat)], "expected names like PERSON/PICTURE, got a"),
        (["--pairs", str(wrong)], "their folders say otherwise"),
        (["--pairs", str(pairs), "--fits", str(tmp_path)], "expected results of"),
        (["--pairs", str(pairs), "--mix", "2"], "--mix: expected 0 to 1"),
        (["--people", "8"], "Draw more people"),
    ):
        assert main(["synth", "pairs", *words, *SMALL, "--out", str(tmp_path / "out")]) == 1
        error = capsys.readouterr().err
        assert sentence in error and error.count("\n") == 1
    plan = ["synth", "pairs", "--pairs", str(pairs), *SMALL, "--out", str(tmp_path / "out")]
    assert main([*plan, "--dry-run"]) == 0 and not (tmp_path / "out").exists()
