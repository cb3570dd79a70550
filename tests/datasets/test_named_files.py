"""Sets whose own records are damaged, or name files that are not theirs."""

import io
import tarfile
from types import SimpleNamespace

import numpy as np
import pytest

from geomface.datasets.labelled_pictures import SyntheticFaces
from geomface.datasets.manifest import read_rows
from geomface.errors import FileFormatError
from geomface.files import save_image
from geomface.learning.data import picture_folder, picture_shards


def test_a_manifest_names_no_file_outside_of_its_set(tmp_path):
    (tmp_path / "set").mkdir()
    save_image(tmp_path / "secret.png", np.ones((2, 2, 3)))
    save_image(tmp_path / "set" / "own.png", np.zeros((2, 2, 3)))
    size = (tmp_path / "secret.png").stat().st_size
    faces = SyntheticFaces(tmp_path / "set", {}, ())
    for where in ("../secret.png", str(tmp_path / "secret.png"), ["../secret.png", 0, size]):
        record = SimpleNamespace(key="a", files={"rgb": where})
        with pytest.raises(FileFormatError, match=r"secret.png', which is not in this folder"):
            faces.image(record)  # type: ignore[arg-type]
    own = SimpleNamespace(key="a", files={"rgb": "own.png"})
    assert faces.image(own).max() == 0  # type: ignore[arg-type]
    with pytest.raises(FileFormatError, match="cannot be read"):
        faces.image(SimpleNamespace(key="a", files={"rgb": ["own.png", -1, 9]}))  # type: ignore[arg-type]


@pytest.mark.parametrize("line", [b"[" * 100_000, b"{", b"[]", b"9" * 5000])
def test_damaged_lines_of_a_manifest(tmp_path, line):
    (tmp_path / "m.jsonl").write_bytes(line + b"\n")
    with pytest.raises(FileFormatError, match=r"m\.jsonl"):
        list(read_rows(tmp_path / "m.jsonl", lambda row: row["key"], "Write it again."))


@pytest.mark.parametrize("label", [b"[" * 100_000, b"[1]", b"null", b'{"label": [1]}', b"\xff"])
def test_damaged_labels_in_a_shard(tmp_path, label):
    with tarfile.open(tmp_path / "s.tar", "w") as archive:
        item = tarfile.TarInfo("a.json")
        item.size = len(label)
        archive.addfile(item, io.BytesIO(label))
    with pytest.raises(FileFormatError, match=r"s\.tar: expected a tar of pictures"):
        picture_shards([tmp_path / "s.tar"])


def test_hidden_files_are_no_pictures_of_a_folder(tmp_path):
    (tmp_path / "a").mkdir()
    save_image(tmp_path / "a" / "x.png", np.zeros((2, 2, 3)))
    (tmp_path / "a" / "._x.png").write_bytes(b"\0\5\x16\7" * 30)
    assert picture_folder(tmp_path).names == ("a/x.png",)
