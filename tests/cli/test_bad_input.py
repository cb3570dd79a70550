"""What a user can get wrong: one sentence, exit code 1, nothing half-written."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

import geomface
from geomface.cli.main import main
from geomface.mesh import Landmarks, Mesh

SPHERE_RINGS = 8


def grid_mesh(count: int = 12, size: float = 150.0) -> Mesh:
    axis = np.linspace(-size / 2, size / 2, count)
    x, y = np.meshgrid(axis, axis)
    index = np.arange(count * count).reshape(count, count)
    quads = np.stack(
        [part.ravel() for part in (index[:-1, :-1], index[:-1, 1:], index[1:, 1:], index[1:, :-1])],
        axis=1,
    )
    z = 60 * np.exp(-(x**2 + y**2) / 4000)
    return Mesh(np.stack([x.ravel(), y.ravel(), z.ravel()], axis=1), quads=quads)


def octahedron() -> Mesh:
    corners = 80.0 * np.array(
        [[1, 0, 0], [-1, 0, 0], [0, 1, 0], [0, -1, 0], [0, 0, 1], [0, 0, -1]], float
    )
    faces = [[0, 2, 4], [2, 1, 4], [1, 3, 4], [3, 0, 4], [2, 0, 5], [1, 2, 5], [3, 1, 5], [0, 3, 5]]
    return Mesh(corners, np.array(faces))


@pytest.fixture(scope="module")
def ground(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of good and bad files."""
    folder = tmp_path_factory.mktemp("ground")
    good = grid_mesh()
    geomface.save_mesh(folder / "good.ply", good)
    geomface.save_mesh(folder / "good.obj", good)
    geomface.save_mesh(folder / "closed.obj", octahedron())
    (folder / "empty.ply").write_bytes(b"")
    (folder / "empty.obj").write_bytes(b"")
    (folder / "empty.glb").write_bytes(b"")
    (folder / "empty.stl").write_bytes(b"")
    (folder / "empty.off").write_bytes(b"")
    raw = (folder / "good.ply").read_bytes()
    (folder / "cut.ply").write_bytes(raw[: len(raw) // 2])
    (folder / "letter.ply").write_text("Dear reader, this is not a mesh.\n")
    (folder / "letter.obj").write_text("Dear reader, this is not a mesh.\n")
    (folder / "nan.obj").write_text("v nan 0 0\nv 1 0 0\nv 0 1 0\nf 1 2 3\n")
    (folder / "range.obj").write_text("v 0 0 0\nv 1 0 0\nv 0 1 0\nf 1 2 9\n")
    (folder / "points.obj").write_text("v 0 0 0\nv 1 0 0\nv 0 1 0\n")
    two = Mesh(
        np.concatenate([good.vertices, good.vertices + [400, 0, 0]]),
        np.concatenate([good.faces, good.faces + len(good.vertices)]),
    )
    geomface.save_mesh(folder / "two.obj", two)
    points = Landmarks(np.zeros((68, 3)))
    geomface.save_landmarks(folder / "zeros.landmarks.json", points)
    write = {
        "five.json": {"scheme": "multi-pie-68", "unit": "mm", "points": [[0, 0, 0]] * 5},
        "other.json": {"scheme": "mine", "unit": "mm", "points": [[0, 0, 0]] * 68},
        "none.json": {"scheme": "multi-pie-68", "unit": "mm", "points": [None] * 68},
        "words.json": {"scheme": "multi-pie-68", "unit": "mm", "points": [["a", "b", "c"]] * 68},
        "far.landmarks.json": {"scheme": "multi-pie-68", "vertices": [10**6] * 68},
        "regions.json": {"eyes": [0, 1, 2]},
    }
    for name, record in write.items():
        (folder / name).write_text(json.dumps(record))
    (folder / "broken.json").write_text('{"scheme": "multi-pie-68", "points": [')
    (folder / "broken.safetensors").write_bytes(b"12345678not safetensors")
    (folder / "file-not-folder").write_text("x")
    (folder / "no-scans").mkdir()
    return folder


CASES = [
    # (what is wrong, command line, words that the sentence must hold)
    (
        "scan missing",
        "register --scan nowhere.ply --out {o}/m.ply",
        ("nowhere.ply", "no such file"),
    ),
    *[
        (
            f"empty {end}",
            f"register --scan empty.{end} --out {{o}}/m.ply",
            (f"empty.{end}", "empty"),
        )
        for end in ("ply", "obj", "glb", "stl", "off")
    ],
    ("truncated", "register --scan cut.ply --out {o}/m.ply", ("cut.ply", "truncated")),
    ("text as ply", "register --scan letter.ply --out {o}/m.ply", ("letter.ply", "expected")),
    ("text as obj", "register --scan letter.obj --out {o}/m.ply", ("letter.obj", "expected")),
    ("NaN", "register --scan nan.obj --out {o}/m.ply", ("nan.obj", "NaN")),
    ("index", "register --scan range.obj --out {o}/m.ply", ("range.obj", "9")),
    ("no faces", "register --scan points.obj --out {o}/m.ply", ("points.obj", "no faces")),
    ("unknown format", "register --scan scan.xyz --out {o}/m.ply", ("scan.xyz", "expected")),
    ("closed template", "unwrap --template closed.obj --out {o}/u.obj", ("closed.obj", "boundary")),
    ("two components", "unwrap --template two.obj --out {o}/u.obj", ("two.obj", "expected")),
    (
        "too few landmarks",
        "register --scan good.ply --landmarks five.json --out {o}/m.ply",
        ("five.json", "68", "5"),
    ),
    (
        "another scheme",
        "register --scan good.ply --landmarks other.json --out {o}/m.ply",
        ("other.json", "mine", "multi-pie-68"),
    ),
    (
        "all missing",
        "register --scan good.ply --landmarks none.json --out {o}/m.ply",
        ("none.json",),
    ),
    (
        "not numbers",
        "register --scan good.ply --landmarks words.json --out {o}/m.ply",
        ("words.json", "numbers"),
    ),
    (
        "broken JSON",
        "register --scan good.ply --landmarks broken.json --out {o}/m.ply",
        ("broken.json", "JSON"),
    ),
    (
        "landmarks out of range",
        "register --template good.obj --template-landmarks far.landmarks.json --scan good.ply"
        " --out {o}/m.ply",
        ("far.landmarks.json", "1000000"),
    ),
    (
        "contradiction",
        "register --scan good.ply --landmarks five.json --no-landmarks --out {o}/m.ply",
        ("--landmarks", "--no-landmarks"),
    ),
    ("ending", "register --scan good.ply --out {o}/m.docx", ("--out", ".docx", ".ply")),
    ("folder missing", "register --scan good.ply --out {o}/x/m.ply", ("--out", "does not exist")),
    ("out is a folder", "register --scan good.ply --out {o}", ("--out",)),
    ("input as output", "register --scan good.ply --out good.ply", ("overwritten",)),
    ("cuda", "register --scan good.ply --out {o}/m.ply --device cuda", ("--device cuda",)),
    ("region", "unwrap --share tail=0.1 --out {o}/u.obj", ("tail", "eyes")),
    ("share", "unwrap --share eyes --out {o}/u.obj", ("--share eyes", "eyes=0.1")),
    ("shares too large", "unwrap --share eyes=0.6 mouth=0.6 --out {o}/u.obj", ("1.2",)),
    ("no uv", "bake --template good.obj --mesh good.ply --scan good.ply --out {o}/t.png", ("uv",)),
    (
        "topology",
        "bake --mesh good.ply --scan good.ply --out {o}/t.png",
        ("good", "topology"),
    ),
    (
        "image",
        "geoimage decode --image broken.safetensors --out {o}/m.ply",
        ("broken.safetensors",),
    ),
    ("count", "synth scans --count 0 --out {o}/s", ("--count", "0")),
    ("folder is a file", "synth scans --out file-not-folder/s", ("file-not-folder",)),
    ("model kind", "synth scans --model good.obj --out {o}/s", ("good.obj", "face model")),
    ("no meshes", "model fit --meshes nothing*.ply --out {o}/m.safetensors", ("nothing*.ply",)),
    ("one mesh", "model fit --meshes good.ply --out {o}/m.safetensors", ("at least 2",)),
    (
        "mixed topologies",
        "model fit --meshes good.ply closed.obj --out {o}/m.safetensors",
        ("good", "closed", "topology"),
    ),
    ("model file", "model sample --model broken.safetensors --out {o}/s", ("broken.safetensors",)),
    ("no scans", "pipeline run --scans no-scans --out {o}/r", ("no-scans", "found none")),
    ("scans missing", "pipeline run --scans nowhere --out {o}/r", ("nowhere",)),
    ("not a run", "pipeline status no-scans", ("no-scans",)),
    ("not a result", "report no-scans", ("no-scans",)),
    ("render size", "render --mesh good.ply --size 2 --out {o}/p.png", ("--size", "2")),
    (
        "contradicting look",
        "render --mesh good.ply --plain --texture t.png --out {o}/p.png",
        ("--plain",),
    ),
]


@pytest.mark.parametrize(("line", "words"), [case[1:] for case in CASES], ids=[c[0] for c in CASES])
def test_one_sentence_and_nothing_written(
    line: str,
    words: tuple[str, ...],
    ground: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(ground)
    monkeypatch.delenv("GEOMFACE_DEBUG", raising=False)
    before = {path: path.read_bytes() for path in ground.rglob("*") if path.is_file()}
    assert main([*line.format(o=tmp_path).split(), "--quiet"]) == 1
    captured = capsys.readouterr()
    errors = captured.err.splitlines()
    assert len(errors) == 1 and errors[0].startswith("error: "), captured.err
    for word in words:
        assert word in errors[0], errors[0]
    assert errors[0].endswith((".", ")")), "a sentence"
    assert captured.out == ""
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []
    after = {path: path.read_bytes() for path in ground.rglob("*") if path.is_file()}
    assert after == before


def test_read_only_folder_is_refused_before_any_work(
    ground: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    import os

    real: Callable[..., bool] = os.access
    # Root may write everywhere, so the refusal of the system is acted out.
    monkeypatch.setattr(
        "geomface.cli.inputs.os.access",
        lambda path, mode: False if Path(path) == tmp_path else real(path, mode),
    )
    monkeypatch.chdir(ground)
    assert main(["register", "--scan", "good.ply", "--out", str(tmp_path / "m.ply")]) == 1
    assert "not writable" in capsys.readouterr().err
    assert main(["synth", "scans", "--out", str(tmp_path / "s")]) == 1
    assert "not writable" in capsys.readouterr().err


@pytest.mark.parametrize(
    "line",
    [
        "register --scan good.ply --no-landmarks --out {o}/m.ply --report {o}/r.json",
        "unwrap --template good.obj --share eyes=0.1 --regions regions.json --out {o}/u.obj",
        "synth scans --count 3 --out {o}/s",
        "render --mesh good.ply --out {o}/p.png",
        "model fit --meshes good.ply good.obj --out {o}/m.safetensors",
    ],
)
def test_dry_run_writes_nothing(
    line: str,
    ground: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(ground)
    words = line.format(o=tmp_path).split()
    assert main([*words, "--dry-run"]) == 0
    assert "would:" in capsys.readouterr().out
    assert main([*words, "--dry-run", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["dry_run"] is True
    assert list(tmp_path.iterdir()) == []


def test_landmarks_that_are_there_are_not_replaced(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    geomface.save_mesh(tmp_path / "scan.ply", grid_mesh())
    measured = tmp_path / "scan.landmarks.json"
    measured.write_text("measured")
    words = ["landmarks", "detect", "--scan", str(tmp_path / "scan.ply"), "--out", str(measured)]
    assert main(words) == 1
    assert "measured by hand" in capsys.readouterr().err and measured.read_text() == "measured"
    assert main([*words, "--force", "--dry-run"]) == 0


def test_a_fit_that_is_no_face_ends_with_a_picture(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    face = geomface.load_builtin_face()
    rings = np.linspace(0.0, np.pi, 60)[1:-1]
    around = np.linspace(0.0, 2 * np.pi, 90, endpoint=False)
    ring, turn = (part.ravel() for part in np.meshgrid(rings, around, indexing="ij"))
    ball = np.stack([np.sin(ring) * np.sin(turn), np.cos(ring), np.sin(ring) * np.cos(turn)], 1)
    index = np.arange(len(ball)).reshape(len(rings), -1)
    right = np.roll(index, -1, axis=1)
    quads = np.stack([index[:-1], index[1:], right[1:], right[:-1]], -1).reshape(-1, 4)
    geomface.save_mesh(tmp_path / "ball.ply", Mesh(100 * ball, quads=quads))
    marks = face.template.landmarks
    assert marks is not None
    geomface.save_landmarks(
        tmp_path / "ball.landmarks.json", Landmarks(marks.positions(face.mesh.vertices))
    )
    out, report = tmp_path / "fit.ply", tmp_path / "fit.json"
    words = ["register", "--scan", str(tmp_path / "ball.ply"), "--out", str(out), "--report"]
    assert main([*words, str(report)]) == 1
    told = capsys.readouterr().err
    assert "no likely face" in told and "Likely causes" in told and "fit.failed.png" in told
    assert (tmp_path / "fit.failed.png").is_file() and not out.exists()
    record = json.loads(report.read_text())
    assert "no likely face" in record["error"] and record["verification"]["reasons"]
    assert main(["model", "fit-scan", *words[1:], str(report)]) == 1
    assert "no likely face" in json.loads(report.read_text())["error"] and not out.exists()
