"""A folder's copy on another file system: the same bytes, only what changed, never half."""

import json
from pathlib import Path

import fsspec
import pytest

from geomface.cli.main import main
from geomface.errors import FileFormatError, OutputError, SettingsError
from geomface.files.folder_copy import INDEX, copy_folder, fetch_folder


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("set.json", "parts/1/a.bin", "parts/2/a.bin", "records/1.json"):
        (tmp_path / "own" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "own" / name).write_bytes(name.encode() * 50)
    (tmp_path / "own/.running.json").write_text("{}")
    (tmp_path / "own/.a.x1.part.bin").write_text("half")
    return tmp_path / "own"


@pytest.fixture(params=["memory", "file"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    place = f"memory://{tmp_path.name}/copy" if request.param == "memory" else ""
    return place or f"file://{tmp_path}/elsewhere/copy"


def content(folder: Path) -> dict[str, bytes]:
    found = {p.relative_to(folder).as_posix(): p for p in folder.rglob("*") if p.is_file()}
    return {name: p.read_bytes() for name, p in found.items() if "running" not in name}


def test_what_comes_back_is_what_went(folder: Path, url: str, tmp_path: Path) -> None:
    assert copy_folder(folder, url) == 4
    assert fetch_folder(url, tmp_path / "back") == 4
    (folder / ".a.x1.part.bin").unlink()
    assert content(tmp_path / "back") == content(folder)
    assert copy_folder(tmp_path / "back", url) == 0, "times come back too"


def test_only_what_changed_is_sent_and_what_went_goes(folder: Path, url: str) -> None:
    copy_folder(folder, url)
    (folder / "parts/1/a.bin").write_bytes(b"new")
    (folder / "parts/2/a.bin").unlink()
    seen: list[str] = []
    assert copy_folder(folder, url, on_file=lambda done, total, name: seen.append(name)) == 1
    assert seen == ["parts/1/a.bin"]
    system, root = fsspec.url_to_fs(url)
    assert not system.exists(f"{root}/parts/2/a.bin")
    assert sorted(json.loads(system.cat_file(f"{root}/{INDEX}"))) == [
        "parts/1/a.bin",
        "records/1.json",
        "set.json",
    ]


def test_a_copy_that_is_cut_off_says_what_it_holds(
    folder: Path, url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    system, _ = fsspec.url_to_fs(url)
    put = type(system).put_file

    def full(self: object, local: str, place: str, **options: object) -> None:
        if place.endswith("records/1.json"):
            raise OSError(28, "No space left on device")
        put(self, local, place, **options)

    with monkeypatch.context() as broken:
        broken.setattr(type(system), "put_file", full)
        with pytest.raises(OutputError, match="cannot be written .*No space left"):
            copy_folder(folder, url)
    assert fetch_folder(url, tmp_path / "part") == 2
    assert copy_folder(folder, url) == 2
    assert fetch_folder(url, tmp_path / "back") == 4


def test_a_damaged_copy_brings_nothing(folder: Path, url: str, tmp_path: Path) -> None:
    copy_folder(folder, url)
    system, root = fsspec.url_to_fs(url)
    system.pipe_file(f"{root}/set.json", b"short")
    with pytest.raises(FileFormatError, match="set.json: expected 400 bytes, got 5"):
        fetch_folder(url, tmp_path / "back")
    system.pipe_file(f"{root}/{INDEX}", b'{"../../x": [1, 2]}')
    with pytest.raises(FileFormatError, match="lies outside"):
        fetch_folder(url, tmp_path / "back")
    assert sorted(p.name for p in tmp_path.iterdir() if "back" in p.name) == []


def test_without_a_copy_nothing_is_made(url: str, tmp_path: Path) -> None:
    assert fetch_folder(url, tmp_path / "back") == 0 and not (tmp_path / "back").exists()


@pytest.mark.parametrize(
    ("url", "said"), [("plain/folder", "expected a URL"), ("nowhere://x", "nowhere")]
)
def test_what_is_no_file_system_is_refused(url: str, said: str, folder: Path) -> None:
    with pytest.raises(SettingsError, match=said):
        copy_folder(folder, url)


def test_a_batch_goes_on_from_its_copy_on_another_machine(tmp_path: Path) -> None:
    """A set that grows: the second machine has nothing but the copy."""
    url = f"memory://{tmp_path.name}/faces"
    line = ["synth", "faces", "--samples", "1", "--size", "32", "--quiet", "--copy-to", url]
    assert main([*line, "--identities", "1", "--out", str(tmp_path / "first")]) == 0
    assert main([*line, "--identities", "2", "--out", str(tmp_path / "second")]) == 0
    assert main([*line[:-2], "--identities", "2", "--out", str(tmp_path / "alone")]) == 0
    fetch_folder(url, tmp_path / "back")
    for name in ("second", "back"):
        pictures = {k: v for k, v in content(tmp_path / name).items() if k.endswith(".png")}
        alone = {k: v for k, v in content(tmp_path / "alone").items() if k.endswith(".png")}
        assert pictures == alone and len(alone) > 0
