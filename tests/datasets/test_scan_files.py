"""Scans of a folder, found with what belongs to them."""

import pytest

from geomface.datasets import find_scans
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


def test_folders_without_scans_are_refused(tmp_path):
    with pytest.raises(FileFormatError, match="expected a folder of scans"):
        find_scans(tmp_path / "absent")
    (tmp_path / "a.txt").touch()
    with pytest.raises(FileFormatError, match="found none among 1 files"):
        find_scans(tmp_path)
