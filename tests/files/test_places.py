"""Only regular files are opened, and what they announce is checked before it is allocated."""

import os
import socket
import sys

import pytest

from geomface.cli.main import main
from geomface.errors import FileFormatError, OutOfMemoryError, printable
from geomface.files import load_image, load_tensors, read_json
from geomface.files.places import file_inside
from geomface.files.reading import log, read_bytes, reading, require_plausible
from geomface.mesh.io import load_landmarks, load_mesh
from geomface.model_files.dispatch import load_model


def load_any_tensors(path):
    return load_tensors(path, kind="k", schema=1)


READERS = [
    (load_mesh, ".obj"),
    (load_mesh, ".ply"),
    (load_mesh, ".glb"),
    (load_landmarks, ".json"),
    (load_landmarks, ".pp"),
    (load_image, ".png"),
    (read_json, ".json"),
    (load_any_tensors, ".safetensors"),
    (load_model, ".mat"),
    (load_model, ".h5"),
    (load_model, ".npz"),
]


@pytest.mark.skipif(sys.platform == "win32", reason="no pipes with names here")
@pytest.mark.parametrize("read,suffix", READERS)
def test_pipes_sockets_and_devices_are_refused_unopened(tmp_path, read, suffix):
    pipe, device = tmp_path / f"pipe{suffix}", tmp_path / f"device{suffix}"
    os.mkfifo(pipe)
    device.symlink_to("/dev/zero")
    for path, kind in ((pipe, "a pipe"), (device, "a device")):
        with pytest.raises(FileFormatError, match=f"{path.name}: expected .* got {kind}"):
            read(path)


def test_a_socket_is_refused(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with socket.socket(socket.AF_UNIX) as server:
        server.bind("s")
        with pytest.raises(FileFormatError, match="got a socket"):
            read_bytes("s", "a mesh")


def test_files_inside_a_folder(tmp_path):
    root = tmp_path / "root"
    (root / "below").mkdir(parents=True)
    for place in (root / "a", root / "below" / "b", tmp_path / "c"):
        place.write_text("x")
    (root / "out").symlink_to(tmp_path / "c")
    (root / "in").symlink_to(root / "a")
    assert file_inside(root, root, "a") == root / "a"
    assert file_inside(root, root / "below", "../a") == root / "below" / "../a"
    assert file_inside(root, root, "in") == root / "in"
    for name in ("../c", "out", str(root / "a"), "below", "none", "a\0b", "x" * 5000, ""):
        assert file_inside(root, root, name) is None


def test_announced_sizes_are_measured_by_the_file():
    require_plausible(2**28, 10, "a")
    require_plausible(10**10, 10**8, "a")
    with pytest.raises(FileFormatError, match="a: announces 1e\\+10 bytes"):
        require_plausible(10**10, 10**7, "a")


@pytest.mark.parametrize(
    "name", ["a\x1b[31mb", "a\nb", "a\x9bb", "a\u202eb", "a\u2028b", "a\udc80b"]
)
def test_names_reach_no_terminal_unescaped(name, caplog, capsys):
    log.warning("%s: seen.", name)
    with pytest.raises(FileFormatError) as caught:
        load_mesh(f"{name}.ply")
    assert main(["render", "--mesh", f"{name}.ply", "--out", f"{name}.png"]) == 1
    said = capsys.readouterr().err.rstrip("\n").rpartition("\nerror: ")[2]
    for text in (caplog.messages[0], str(caught.value), said):
        assert text.isprintable() and name.encode("unicode_escape").decode() in text
    assert printable("über Ünïcode 顔.ply") == "über Ünïcode 顔.ply"


@pytest.mark.parametrize(
    "error,kind",
    [
        (MemoryError(), OutOfMemoryError),
        (RecursionError(), FileFormatError),
        (OverflowError("x"), FileFormatError),
        (EOFError(), FileFormatError),
    ],
)
def test_what_boundless_content_raises_is_a_sentence(error, kind):
    with pytest.raises(kind, match=r"^a\.obj: expected a mesh"):
        with reading("a.obj", "a mesh"):
            raise error
