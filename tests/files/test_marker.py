"""The marker of output folders: whose a folder is, and what counts as content."""

import json
from pathlib import Path

import pytest

from geomface.errors import OutputError
from geomface.files.lock import NAME as LOCK
from geomface.files.marker import MARKER, FolderKind, claim_folder, require_own_folder

WORDS = FolderKind("words", "a set of words", "'toy words'", "set.json")
OTHER = FolderKind("numbers", "a set of numbers", "'toy numbers'", "run.json")


def test_a_folder_is_marked_first_and_then_its_own(tmp_path: Path) -> None:
    out = claim_folder(tmp_path / "a" / "b", WORDS)
    assert [path.name for path in out.iterdir()] == [MARKER]
    before = (out / MARKER).read_bytes()
    (out / "word.txt").write_text("one")
    claim_folder(out, WORDS)
    assert (out / MARKER).read_bytes() == before
    with pytest.raises(OutputError, match="'toy numbers' wrote, but it holds a set of words"):
        claim_folder(out, OTHER)


def test_the_check_writes_nothing(tmp_path: Path) -> None:
    require_own_folder(tmp_path / "absent", WORDS)
    require_own_folder(tmp_path, WORDS)
    assert not list(tmp_path.iterdir())


def test_what_killed_runs_and_systems_leave_is_no_content(tmp_path: Path) -> None:
    (tmp_path / "items" / "deep").mkdir(parents=True)
    (tmp_path / ".set.deadbeef.part.json").touch()
    half = tmp_path / "items" / ".face.0a1b2c3d.part.folder"
    half.mkdir()
    (half / "face.png").touch()
    (tmp_path / LOCK).touch()
    (tmp_path / ".DS_Store").touch()
    claim_folder(tmp_path, WORDS)


@pytest.mark.parametrize("name", ["notes.txt", "deep/below/notes.txt", ".hidden"])
def test_files_of_anybody_are_content(tmp_path: Path, name: str) -> None:
    (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
    (tmp_path / name).write_text("mine")
    with pytest.raises(OutputError, match=f"expected an empty folder or one .* it holds {name}"):
        claim_folder(tmp_path, WORDS)
    assert not (tmp_path / MARKER).exists()


def test_a_link_is_content(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "items").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(OutputError, match="it holds items"):
        claim_folder(tmp_path / "out", WORDS)


@pytest.mark.parametrize(
    ("file", "content", "ours"),
    [
        ("set.json", json.dumps({"kind": "words"}), True),
        ("set.json", json.dumps({"kind": "letters"}), False),
        ("run.json", json.dumps({"system": "toy", "settings": {}}), False),
        ("set.json", '{"kind"', True),
        ("run.json", '{"kind"', False),
        ("set.json", "[1]", False),
    ],
)
def test_folders_from_before_there_were_markers(
    tmp_path: Path, file: str, content: str, ours: bool
) -> None:
    (tmp_path / file).write_text(content)
    (tmp_path / "word.txt").write_text("one")
    if ours:
        claim_folder(tmp_path, WORDS)
        assert json.loads((tmp_path / MARKER).read_text())["kind"] == "words"
    else:
        with pytest.raises(OutputError, match="Nothing was written"):
            claim_folder(tmp_path, WORDS)


def test_a_file_in_the_way(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(OutputError, match="expected a folder, got a file"):
        claim_folder(tmp_path / "file", WORDS)
    with pytest.raises(OutputError, match="cannot be made"):
        claim_folder(tmp_path / "file" / "below", WORDS)
