"""Commands on real files, one after the other, and what their records say."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import geomface
from geomface.cli.main import main


def run(capsys: pytest.CaptureFixture[str], *words: object) -> dict[str, Any]:
    """Run a command that must succeed; return its JSON record."""
    assert main([*map(str, words), "--json", "--quiet"]) == 0, capsys.readouterr().err
    record = json.loads(capsys.readouterr().out)
    assert record["seconds"] >= 0 and record["versions"]["geomface"] == geomface.__version__
    assert isinstance(record["settings"], dict) and isinstance(record["notes"], list)
    return record


@pytest.fixture(scope="module")
def scans(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("chain") / "scans"
    words = ["synth", "scans", "--count", "2", "--seed", "4", "--vertices", "6000", "--quiet"]
    assert main([*words, "--out", str(folder)]) == 0
    return folder


def test_synth_writes_what_the_seed_says(
    scans: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    names = {path.name for path in scans.iterdir()} - {".geomface.json"}
    assert names == {
        f"scan00{index}{end}"
        for index in range(2)
        for end in (".ply", ".landmarks.json", ".truth.npz")
    }
    words = ("synth", "scans", "--count", 1, "--seed", 4, "--vertices", 6000, "--out", tmp_path)
    run(capsys, *words)
    assert (tmp_path / "scan000.ply").read_bytes() == (scans / "scan000.ply").read_bytes()


def test_one_scan_through_every_step(
    scans: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    mesh, flat = tmp_path / "m.ply", tmp_path / "u.obj"
    record = run(
        capsys, "register", "--scan", scans / "scan000.ply", "--out", mesh,
        "--report", tmp_path / "r.json",
    )  # fmt: skip
    assert json.loads((tmp_path / "r.json").read_text()) == record
    assert record["settings"]["landmarks"] == str(scans / "scan000.landmarks.json")
    assert {"converged", "iterations", "kept_fraction", "flips"} <= set(record)
    assert set(record["residual_mm"]) == {"median", "p95"}
    face = geomface.load_builtin_face()
    assert record["topology_id"] == face.mesh.topology_id == geomface.load_mesh(mesh).topology_id
    truth = np.load(scans / "scan000.truth.npz")
    error = np.linalg.norm(geomface.load_mesh(mesh).vertices - truth["vertices"], axis=1)
    assert error[face.template.regions["face_core"]].mean() < 2.5

    record = run(
        capsys, "unwrap", "--out", flat, "--share", "eyes=0.1", "mouth=0.1",
        "--report", tmp_path / "u.json",
    )  # fmt: skip
    assert record["flips"] == 0
    assert record["share"]["eyes"] == pytest.approx(0.1, abs=0.01)
    assert {"l2_stretch", "linf_stretch", "mirror_error"} <= set(record)

    record = run(
        capsys, "bake", "--template", flat, "--mesh", mesh, "--scan", scans / "scan000.ply",
        "--size", 128, "--out", tmp_path / "t.png", "--mask", tmp_path / "v.png",
        "--textured-mesh", tmp_path / "t.glb",
    )  # fmt: skip
    assert 0.5 < record["kept_fraction"] <= 1
    textured = geomface.load_mesh(tmp_path / "t.glb")
    assert textured.texture is not None and textured.texture.shape[:2] == (128, 128)

    for name, bound in (("g.png", 0.05), ("g.safetensors", 0.03)):
        image, back = tmp_path / name, tmp_path / f"{name}.back.ply"
        run(
            capsys, "geoimage", "encode", "--template", flat, "--mesh", mesh, "--size", 192,
            "--out", image,
        )  # fmt: skip
        run(capsys, "geoimage", "decode", "--template", flat, "--image", image, "--out", back)
        lost = geomface.load_mesh(back).vertices - geomface.load_mesh(mesh).vertices
        assert np.sqrt((lost**2).sum(axis=1).mean()) < bound

    record = run(
        capsys, "render", "--mesh", mesh, "--compare", tmp_path / "g.png.back.ply", "--yaw", 0,
        "--size", 64, "--out", tmp_path / "p.png",
    )  # fmt: skip
    assert record["mean_mm"] < 0.05 and (tmp_path / "p.png").stat().st_size > 500


def test_uv_of_another_map_is_refused(
    scans: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """An image encoded on one uv map is not decoded on another."""
    face = tmp_path / "face.ply"
    geomface.save_mesh(face, geomface.load_builtin_face().mesh)
    run(capsys, "unwrap", "--weights", "uniform", "--out", tmp_path / "u.obj")
    kept = geomface.load_template(tmp_path / "u.obj")
    assert kept.landmarks is not None and "face_core" in kept.regions
    run(capsys, "geoimage", "encode", "--mesh", face, "--size", 64, "--out", tmp_path / "g.png")
    words = ["geoimage", "decode", "--template", tmp_path / "u.obj", "--image", tmp_path / "g.png"]
    assert main([*map(str, words), "--out", str(tmp_path / "m.ply")]) == 1
    assert "uv" in capsys.readouterr().err


def test_model_commands(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    face = geomface.load_builtin_face()
    rng = np.random.default_rng(0)
    for index in range(4):
        vertices = face.vertices(face.sample_identity(rng))
        geomface.save_mesh(tmp_path / f"p{index}.ply", face.mesh.replace(vertices=vertices))
    model = tmp_path / "m.safetensors"
    record = run(capsys, "model", "fit", "--meshes", tmp_path / "p*.ply", "--out", model)
    assert record["modes"] == 3 and record["explained"][-1] == pytest.approx(1)
    run(capsys, "model", "fit", "--meshes", tmp_path / "p*.ply", "--k", 1, "--out", model)
    record = run(
        capsys, "model", "project", "--model", model, "--mesh", tmp_path / "p0.ply",
        "--out", tmp_path / "q.ply", "--report", tmp_path / "q.json",
    )  # fmt: skip
    assert len(record["coefficients"]) == 1 and record["distance_mm"]["mean"] > 0
    run(
        capsys,
        "model",
        "sample",
        "--model",
        model,
        "--count",
        2,
        "--seed",
        1,
        "--out",
        tmp_path / "s",
    )
    first = geomface.load_mesh(tmp_path / "s" / "sample000.ply")
    assert first.topology_id == face.mesh.topology_id
    run(
        capsys,
        "model",
        "sample",
        "--model",
        model,
        "--count",
        1,
        "--seed",
        1,
        "--out",
        tmp_path / "t",
    )
    again = geomface.load_mesh(tmp_path / "t" / "sample000.ply")
    np.testing.assert_array_equal(first.vertices, again.vertices)


def test_demo_makes_the_report_and_then_has_nothing_to_do(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "demo"
    words = ["demo", "--out", str(out), "--count", "3", "--workers", "1"]
    assert main(words) == 0
    text = capsys.readouterr().out
    assert "scan002" in text and "mean" in text and str(out / "report.html") in text
    assert (out / "report.html").stat().st_size > 300_000
    for suffix in (".obj", ".ply", ".glb"):
        assert len(list((out / "result" / "model").glob(f"sample*{suffix}"))) == 8
    record = run(capsys, *words)
    assert record["done"] == 3 and record["step_seconds"]["simulate"] < 1
    assert {figures["mean"] < 2.5 for figures in record["errors"].values()} == {True}
    record = run(capsys, "pipeline", "status", out / "result")
    assert record["done"] == ["scan000", "scan001", "scan002"]
    assert run(capsys, "pipeline", "verify", out / "result")["changed"] == {}
    _spoil(out / "result" / "items" / "scan001" / "registered.ply")
    assert main(["pipeline", "verify", str(out / "result")]) == 1
    assert "scan001" in capsys.readouterr().out
    assert main(["report", str(out / "result"), "--out", str(tmp_path / "r.html"), "--quiet"]) == 0


def _spoil(path: Path) -> None:
    """Change the last bit of the first number behind the header: the mesh is still one."""
    data = bytearray(path.read_bytes())
    data[data.index(b"end_header\n") + len(b"end_header\n")] ^= 1
    path.write_bytes(bytes(data))


def test_pipeline_with_a_broken_scan_exits_3_and_resumes(
    scans: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder, out = tmp_path / "scans", tmp_path / "out"
    folder.mkdir()
    for path in scans.glob("scan000.*"):
        (folder / path.name).write_bytes(path.read_bytes())
    (folder / "empty.ply").write_bytes(b"")
    (folder / "empty.landmarks.json").write_bytes((scans / "scan000.landmarks.json").read_bytes())
    words = ["pipeline", "run", "--scans", str(folder), "--out", str(out), "--texture-size", "64"]
    assert main(words) == 3
    captured = capsys.readouterr()
    assert "failed: empty" in captured.err and "1 done, 1 failed" in captured.out
    assert main([*words, "--resume", "must"]) == 3
    assert "nothing to do" in capsys.readouterr().out
    assert main([*words, "--resume", "never"]) == 1
    assert "--resume never" in capsys.readouterr().err
    assert main(["pipeline", "retry", str(out), "--json", "--quiet"]) == 3
    record = json.loads(capsys.readouterr().out)
    assert record["did"] == 1 and "empty" in record["items"]["empty"]["message"]
    assert main(["pipeline", "status", str(out)]) == 3
    assert "empty.ply" in capsys.readouterr().out
