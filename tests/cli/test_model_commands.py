"""The model commands on real files: fit, measure, move to other tools and back, fit to data."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import geomface
from geomface.cli.main import main
from geomface.faces.albedo import albedo_model
from geomface.faces.albedo_code import sample_albedo_code
from geomface.files import load_image, save_image
from geomface.fitting import WeakPerspective
from geomface.fitting.rendering.sheet import render_face
from geomface.mesh.io.pixel_landmarks import (
    PixelLandmarks,
    load_pixel_landmarks,
    save_pixel_landmarks,
)
from geomface.rendering.camera import view_rotation
from geomface.statistics import read_morphable


def run(capsys: pytest.CaptureFixture[str], *words: object) -> dict[str, Any]:
    """Run a command that must succeed; return its JSON record."""
    assert main([*map(str, words), "--json", "--quiet"]) == 0, capsys.readouterr().err
    return json.loads(capsys.readouterr().out)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Twenty coloured faces, and a model of them."""
    place = tmp_path_factory.mktemp("model")
    face, rng = geomface.load_builtin_face(), np.random.default_rng(0)
    skin = albedo_model(face)
    for index in range(20):
        identity = face.sample_identity(rng)
        mesh = face.mesh.replace(
            vertices=face.vertices(identity), colors=skin.colors(sample_albedo_code(identity, rng))
        )
        geomface.save_mesh(place / f"p{index:02d}.ply", mesh)
    words = ["model", "fit", "--meshes", str(place / "p*.ply"), "--k", "12", "--joint", "--quiet"]
    assert main([*words, "--out", str(place / "m.safetensors")]) == 0
    return place


def test_fit_takes_colours_and_the_templates_landmarks(folder: Path) -> None:
    model = read_morphable(folder / "m.safetensors")
    assert len(model.shape) == 12 and model.texture is not None and not model.texture.is_image
    assert model.template.landmarks is not None and "face_core" in model.template.regions
    assert model.coupling is not None and np.linalg.norm(model.coupling, 2) <= 1 + 1e-9
    assert "20 registered meshes" in model.card["fitted to"]


def test_evaluate_measures_and_draws(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    record = run(
        capsys, "model", "evaluate", "--model", folder / "m.safetensors", "--meshes",
        folder / "p1*.ply", "--training", folder / "p*.ply", "--samples", 50,
        "--picture", tmp_path / "c.png", "--report", tmp_path / "r.json",
    )  # fmt: skip
    mean = record["generalization"]["mean"]
    assert (np.diff(mean) < 1e-9).all() and mean[-1] < 1.0
    assert len(record["specificity"]["mean"]) == 12 and min(record["specificity"]["mean"]) > 0
    assert (tmp_path / "c.png").stat().st_size > 10_000
    assert json.loads((tmp_path / "r.json").read_text())["compactness"]["mean"][-1] <= 1.0
    folds = run(
        capsys, "model", "evaluate", "--model", folder / "m.safetensors", "--meshes",
        folder / "p*.ply", "--folds", 5, "--samples", 0,
    )  # fmt: skip
    assert len(folds["generalization"]["components"]) == 15 and "specificity" not in folds


@pytest.mark.parametrize("name", ["m.h5", "m.mat", "m.npz", "blendshapes"])
def test_export_and_convert_back(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    model = read_morphable(folder / "m.safetensors")
    run(capsys, "model", "export", "--model", folder / "m.safetensors", "--out", tmp_path / name)
    words = ("--input", tmp_path / name, "--out", tmp_path / "again.safetensors")
    record = run(capsys, "model", "convert", *words)
    assert record["shape_modes"] == 12
    again = read_morphable(tmp_path / "again.safetensors")
    np.testing.assert_allclose(again.shape.mean, model.shape.mean, atol=1e-4)
    assert again.topology_id == model.topology_id


def test_show_says_what_a_model_holds(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["model", "show", "--model", str(folder / "m.safetensors"), "--modes", "1"]
    assert main([*words, "--out", str(tmp_path / "pictures"), "--quiet"]) == 0
    names = {path.name for path in (tmp_path / "pictures").iterdir()} - {".geomface.json"}
    assert names == {"spectrum.png", "samples.png", "walk_shape.png", "walk_texture.png"}
    assert main(["model", "show"]) == 0
    text = capsys.readouterr().out
    assert "7756 vertices" in text and "jawOpen" in text


def test_fits_to_a_scan_and_to_landmarks(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["synth", "scans", "--count", "1", "--seed", "4", "--vertices", "6000", "--quiet"]
    assert main([*words, "--out", str(tmp_path)]) == 0
    with np.load(tmp_path / "scan000.truth.npz") as stored:
        truth = stored["vertices"]
    core = geomface.load_builtin_face().template.regions["face_core"]
    errors = {}
    for name, given in {
        "fit-scan": ("--scan", tmp_path / "scan000.ply"),
        "fit-landmarks": ("--landmarks", tmp_path / "scan000.landmarks.json"),
    }.items():
        record = run(capsys, "model", name, *given, "--out", tmp_path / f"{name}.ply")
        assert record["converged"] and "jawOpen" in record["expression"]
        fitted = geomface.load_mesh(tmp_path / f"{name}.ply").vertices
        errors[name] = np.linalg.norm(fitted - truth, axis=1)[core].mean()
    assert errors["fit-scan"] < 2.0 and errors["fit-scan"] < errors["fit-landmarks"] < 5.0


@pytest.fixture(scope="module")
def photograph(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a rendered face p.png, its landmarks p.json, and others that do not fit."""
    place = tmp_path_factory.mktemp("photograph")
    face, size = geomface.load_builtin_face(), (120, 140)
    camera = WeakPerspective(
        view_rotation(20.0, 5.0), 0.5, np.array([70.0, 60.0]), face.mesh.vertices.mean(axis=0)
    )
    light = np.zeros((9, 3))
    light[[0, 2, 3]] = [[2.5], [1.0], [0.8]]
    skin = albedo_model(face).colors(np.zeros(16))
    drawn = render_face(face.mesh, skin, light, camera, size)
    save_image(place / "p.png", drawn["rgb"] + 0.4 * (1 - drawn["alpha"][..., None]))
    save_image(place / "bare.png", np.linspace(0.0, 1.0, 120)[:, None] * np.ones((1, 140)))
    assert face.template.landmarks is not None
    points = camera.project(face.template.landmarks.positions(face.mesh.vertices))
    save_pixel_landmarks(place / "p.json", PixelLandmarks(points, image_size=size))
    save_pixel_landmarks(place / "small.json", PixelLandmarks(points, image_size=(60, 70)))
    save_pixel_landmarks(place / "five.json", PixelLandmarks(points[:5], "five"))
    np.savetxt(place / "p.txt", points)
    return place


def test_fit_landmarks_of_a_picture(
    photograph: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ("model", "fit-landmarks", "--out", tmp_path / "y.ply", "--landmarks")
    found = run(capsys, *words, photograph / "p.json")
    again = run(capsys, *words, photograph / "p.txt", "--image-size", 140, 120)
    for record in (found, again):
        assert record["camera"]["kind"] == "weak-perspective"
        assert record["camera"]["degrees"]["yaw"] == pytest.approx(20.0, abs=2.0)
        assert record["residual_px"]["median"] < 0.5
    pinhole = run(capsys, *words, photograph / "p.json", "--camera", "perspective")
    assert pinhole["camera"]["kind"] == "perspective" and "focal length" in pinhole["notes"][0]


def test_fit_image_writes_mesh_record_and_pictures(
    photograph: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    record = run(
        capsys, "model", "fit-image", photograph / "p.png", "--landmarks", photograph / "p.json",
        "--out", tmp_path / "fit", "--camera", "weak-perspective",
    )  # fmt: skip
    assert record["camera"]["degrees"]["yaw"] == pytest.approx(20.0, abs=2.0)
    assert record["residual"]["median"] < 0.02 and np.shape(record["light"]) == (9, 3)
    mesh = geomface.load_mesh(tmp_path / "fit" / "face.ply")
    assert mesh.topology_id == record["topology_id"] and mesh.colors is not None
    names = {path.name for path in (tmp_path / "fit").iterdir()} - {".geomface.json"}
    textured = {"textured.glb", "texture.png", "mask.png"}
    assert names == {"face.ply", "fit.json", "fit.png", "turned.png"} | textured
    assert 0.05 < record["texture_seen"] < 0.95
    worn = geomface.load_mesh(tmp_path / "fit" / "textured.glb")
    assert worn.texture is not None and worn.texture.shape == (1024, 1024, 3)
    assert json.loads((tmp_path / "fit" / "fit.json").read_text())["shape"] == record["shape"]


def test_fit_image_renders_the_face_in_the_place_of_its_photograph(
    photograph: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ("--out", tmp_path / "fit", "--texture-size", 0, "--camera", "weak-perspective")
    words += ("--landmarks", photograph / "p.json", "--renders", tmp_path / "renders")
    run(capsys, "model", "fit-image", photograph / "p.png", *words)
    drawn = load_image(tmp_path / "renders" / "p.png", 4)
    shown, color, alpha = load_image(photograph / "p.png"), drawn[..., :3], drawn[..., 3]
    assert color.shape == shown.shape and not color[alpha == 0].any()
    inside = alpha == 1
    assert 0.1 < inside.mean() < 0.9
    off = np.abs(color - shown)[inside]
    assert np.median(off) < 0.05 < np.median(np.abs(np.roll(color, 20, 1) - shown)[inside])
    kept = load_pixel_landmarks(tmp_path / "renders" / "p.landmarks.json").points
    np.testing.assert_allclose(kept, load_pixel_landmarks(photograph / "p.json").points)


def test_fit_image_to_several_photographs_of_a_person(
    photograph: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "b").mkdir()
    for name in ("a", "b/a"):  # landmarks lie beside them
        (tmp_path / f"{name}.png").write_bytes((photograph / "p.png").read_bytes())
        (tmp_path / f"{name}.landmarks.json").write_bytes((photograph / "p.json").read_bytes())
    out = tmp_path / "fit"
    record = run(
        capsys, "model", "fit-image", tmp_path / "a.png", tmp_path / "b" / "a.png", "--out", out,
        "--camera", "weak-perspective", "--format", "obj", "--texture-size", "64",
    )  # fmt: skip
    assert list(record["pictures"]) == ["a", "b-a"]
    assert record["pictures"]["b-a"]["shape"] == record["shape"]
    assert record["pictures"]["a"]["camera"]["degrees"]["yaw"] == pytest.approx(20.0, abs=2.0)
    names = {path.relative_to(out).as_posix() for path in out.rglob("*.*")} - {".geomface.json"}
    meshes = {"face.obj", "pictures/a.obj", "pictures/b-a.obj"}
    textured = {
        f"pictures/{name}.{part}"
        for name in ("a", "b-a")
        for part in ("textured.obj", "texture.png", "mask.png")
    }
    assert meshes | textured | {"fit.json", "fit.png", "turned.png"} <= names


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("fit-image {d}/p.png --landmarks {d}/absent.json --out {o}/f", ("absent.json",)),
        ("fit-image {d}/absent.png --landmarks {d}/p.json --out {o}/f", ("absent.png",)),
        ("fit-image {d}/p.png --landmarks {d}/small.json --out {o}/f", ("70 x 60", "140 x 120")),
        ("fit-image {d}/bare.png --out {o}/f", ("bare.png", "no face was found")),
        ("fit-image {d}/p.png {d}/p.png --landmarks {d}/p.json --out {o}/f", ("each of 2",)),
        ("fit-image {d}/p.png {d}/../{d.name}/p.png --out {o}/f", ("different", "Leave one out")),
        ("fit-image {d}/p.png --landmarks {d}/five.json --out {o}/f", ("68", "five")),
        ("fit-image {d}/p.png --landmarks {d}/p.json --out {o}/f --format stl", ("stl",)),
        (
            "fit-image {d}/p.png --landmarks {d}/p.json --out {o}/f --renders {d}",
            ("another folder", "Name a new one"),
        ),
        ("fit-image {d}/p.png --landmarks {d}/p.json --out {o}/f --camera eye", ("eye",)),
        ("fit-landmarks --landmarks {d}/five.json --out {o}/y.ply", ("68", "five")),
        ("fit-landmarks --landmarks {d}/p.txt --out {o}/y.ply", ("belong to a picture",)),
        (
            "fit-landmarks --landmarks {d}/p.json --out {o}/y.ply --image-size 0 5",
            ("--image-size", "0"),
        ),
    ],
)
def test_bad_pictures_are_one_sentence(
    photograph: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    line: str,
    words: tuple[str, ...],
) -> None:
    test_bad_input_is_one_sentence(photograph, tmp_path, capsys, line, words)


def test_scans_are_simulated_from_any_model(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ("--model", folder / "m.safetensors", "--count", 1, "--vertices", 4000)
    record = run(capsys, "synth", "scans", *words, "--out", tmp_path)
    assert record["topology_id"] == read_morphable(folder / "m.safetensors").topology_id


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("fit --meshes {d}/p0*.ply --colors textures --out {o}/m.safetensors", ("textures",)),
        ("evaluate --meshes {d}/p0*.ply --folds many", ("--folds", "many")),
        ("evaluate --meshes {d}/p0*.ply --samples -1", ("--samples",)),
        ("convert --input {d}/absent.h5 --out {o}/m.safetensors", ("absent.h5",)),
        ("export --model {d}/m.safetensors --out {o}/m.xyz", (".xyz",)),
        ("sample --model {d}/m.safetensors --expressions --out {o}/s", ("no expressions",)),
        ("sample --format stl --out {o}/s", ("stl",)),
        ("show --modes 0", ("--modes",)),
        ("fit-landmarks --landmarks {d}/absent.json --out {o}/y.ply", ("absent.json",)),
    ],
)
def test_bad_input_is_one_sentence(
    folder: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    line: str,
    words: tuple[str, ...],
) -> None:
    assert main(["model", *line.format(d=folder, o=tmp_path).split(), "--quiet"]) == 1
    errors = capsys.readouterr().err.splitlines()
    assert len(errors) == 1 and errors[0].startswith("error: "), errors
    for word in words:
        assert word in errors[0]
    assert not any(path.is_file() for path in tmp_path.rglob("*"))
