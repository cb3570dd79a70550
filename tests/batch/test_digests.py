"""Hashes of inputs that are kept: believed for an untouched file alone."""

import os
import time
from pathlib import Path

import pytest

from geomface.batch import digests
from geomface.batch.digests import FileDigests, read_digests
from geomface.batch.keys import content_key, file_hash, key_maker
from geomface.errors import FileFormatError


@pytest.fixture
def scan(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A file that was written long enough ago."""
    monkeypatch.setattr(digests, "_SETTLED", -1)
    path = tmp_path / "scan.ply"
    path.write_bytes(b"first")
    return path


def _kept(path: Path, known: FileDigests) -> FileDigests:
    known.write(path)
    return read_digests(path)


def _reads(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """Count the files whose bytes are read from here on."""
    read: list[Path] = []

    def counted(path: Path) -> str:
        read.append(path)
        return file_hash(path)

    monkeypatch.setattr(digests, "file_hash", counted)
    return read


def test_an_untouched_file_is_read_once(scan: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    read, index = _reads(monkeypatch), scan.with_name("inputs.json")
    first = FileDigests()
    expected = file_hash(scan)
    assert first.of(scan) == expected and read == [scan]
    second = _kept(index, first)
    assert second.of(scan) == expected and read == [scan]
    before = index.stat().st_mtime_ns
    assert _kept(index, second).of(scan) == expected and read == [scan]
    assert index.stat().st_mtime_ns == before, "what is there already is not written again"


def test_new_bytes_are_noticed_under_the_old_size_and_date(scan: Path) -> None:
    known = FileDigests()
    known.of(scan)
    old, kept = scan.stat(), _kept(scan.with_name("inputs.json"), known)
    time.sleep(0.02)  # the clock of a file system ticks a few hundred times a second
    scan.write_bytes(b"other")
    os.utime(scan, ns=(old.st_atime_ns, old.st_mtime_ns))
    assert (scan.stat().st_size, scan.stat().st_mtime_ns) == (old.st_size, old.st_mtime_ns)
    assert kept.of(scan) == file_hash(scan)
    scan.with_name("moved").write_bytes(b"third")
    os.replace(scan.with_name("moved"), scan)
    assert kept.of(scan) == file_hash(scan)


def test_a_file_that_was_just_written_is_not_remembered(tmp_path: Path) -> None:
    path = tmp_path / "scan.ply"
    path.write_bytes(b"first")
    known = FileDigests()
    assert known.of(path) == file_hash(path) and not known.now


@pytest.mark.parametrize(
    "damage",
    [
        lambda text: "",
        lambda text: text[: len(text) // 2],
        lambda text: text.replace('"schema": 1', '"schema": 2'),
        lambda text: text.replace('"files"', '"other"'),
        lambda text: "[1, 2]",
        lambda text: text.replace('"files": {', '"files": {"x": 5, '),
        lambda text: text[:-8] + "zzz" + text[-5:],
    ],
)
def test_a_damaged_index_only_costs_the_reading(scan: Path, damage) -> None:
    known, index = FileDigests(), scan.with_name("inputs.json")
    known.of(scan)
    known.write(index)
    index.write_text(damage(index.read_text()))
    assert read_digests(index).before == {} and read_digests(index).of(scan) == file_hash(scan)
    assert read_digests(scan.with_name("absent")).before == {}
    with pytest.raises(FileFormatError, match="cannot be read"):
        known.of(scan.with_name("absent"))


def test_keys_of_many_items_are_those_of_one() -> None:
    key = key_maker("bake", 1, {"b": 1, "a": [1.5, None]})
    for inputs in ((), ("x",), ("x", 'y"z')):
        assert key(*inputs) == content_key("bake", 1, {"a": [1.5, None], "b": 1}, *inputs)
    # Keys are kept in records: they must not change with the way in which they are computed.
    assert content_key("bake", 1, {"size": 3}, "a") == "5839f5d7dc23aa71f186f78bdee70288"
