"""Scans of a folder, found with what belongs to them."""

import os
from pathlib import Path

import pytest

from geomface.datasets import find_scans
from geomface.datasets.scan_files import item_names, landmarks_beside
from geomface.errors import FileFormatError


def test_scans_are_found_with_what_belongs_to_them(tmp_path):
    for name in (
        "b.ply", "b.landmarks.json", "b.truth.npz", "a.obj", "a.obj.mtl", "a.jpg", "a.ljson",
        "a.pts", "c.stl", "c.ply", "notes.txt", ".hidden.ply",
    ):  # fmt: skip
        (tmp_path / name).touch()
    (tmp_path / "folder.ply").mkdir()
    scans = find_scans(tmp_path)
    assert [scan.name for scan in scans] == ["a", "b", "c-ply", "c-stl"]
    assert [path.name for path in scans[0].companions] == ["a.jpg", "a.obj.mtl"]
    assert scans[0].landmarks == tmp_path / "a.ljson"
    assert scans[1].landmarks == tmp_path / "b.landmarks.json"
    assert scans[2].landmarks is None


def test_landmark_files_of_other_programs_are_found(tmp_path):
    scan = tmp_path / "a.ply"
    assert landmarks_beside(scan) is None
    for name in ("a.txt", "a_picked_points.pp", "a.mrk.json", "a.landmarks.json"):
        (tmp_path / name).touch()
        assert landmarks_beside(scan) == tmp_path / name


def test_scans_never_share_a_name():
    def names(*files):
        return item_names([Path(os.fsdecode(file)) for file in files])

    assert names(b"b.ply", b"a.ply") == ["b", "a"]
    assert names(b"a.ply", b"a.off", b"a-ply.ply") == ["a.ply", "a-off", "a-ply-ply"]
    assert names(b"a.ply", b"a.off", b"a-ply.ply", b"a.ply.ply", b"a.ply.off")[0] == "a.ply"
    assert names(b"Andr\xe9.ply", b"Andr%E9.ply", b"100%.ply") == ["Andr%E9", "Andr%25E9", "100%"]
    assert names("Ren\u00e9 \u6797.ply".encode(), b"x\ny\x1b[2J.ply") == [
        "Ren\u00e9 \u6797",
        "x%0Ay%1B[2J",
    ]
    long = names(b"n" * 240 + b"1.ply", b"n" * 240 + b"2.ply")
    assert len(set(long)) == 2 and {len(name) for name in long} == {200}


def test_folders_without_scans_are_refused(tmp_path):
    with pytest.raises(FileFormatError, match="expected a folder of scans"):
        find_scans(tmp_path / "absent")
    (tmp_path / "a.txt").touch()
    with pytest.raises(FileFormatError, match="found none among 1 files"):
        find_scans(tmp_path)


def test_what_is_no_regular_file_is_named(tmp_path, caplog):
    (tmp_path / "a.ply").write_bytes(b"")
    os.mkfifo(tmp_path / "p.ply")
    (tmp_path / "gone.obj").symlink_to(tmp_path / "nowhere.obj")
    (tmp_path / "folder.ply").mkdir()
    assert [item.name for item in find_scans(tmp_path)] == ["a"]
    assert "p.ply is no regular file" in caplog.text and "gone.obj is no" in caplog.text
    assert "folder" not in caplog.text
