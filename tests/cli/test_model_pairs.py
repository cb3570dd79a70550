"""`geomface model pairs` on faces whose geometry follows from their texture."""

import json
from pathlib import Path

import numpy as np
import pytest

from geomface.cli.main import main
from geomface.datasets import layout
from geomface.datasets.registered_faces import load_registered_faces
from geomface.files import load_image, save_image
from geomface.files.records import write_json
from geomface.mesh import Mesh, Template
from geomface.mesh.io import save_mesh
from geomface.mesh.io.templates import save_template

FACES, SIDE, PIXELS = 60, 9, 8


def wavy_patch() -> Mesh:
    """Return a curved patch of 81 vertices on the unit square, mm."""
    u, v = np.meshgrid(np.linspace(0, 1, SIDE), np.linspace(0, 1, SIDE), indexing="xy")
    points = np.stack([150 * u, 150 * v, 30 * np.sin(3 * u) * np.cos(2 * v)], axis=-1)
    corner = (np.arange(SIDE - 1)[:, None] * SIDE + np.arange(SIDE - 1)).ravel()
    lower = np.stack([corner, corner + 1, corner + SIDE + 1], axis=1)
    upper = np.stack([corner, corner + SIDE + 1, corner + SIDE], axis=1)
    uv = np.stack([u.ravel(), v.ravel()], axis=1)
    faces = np.concatenate([lower, upper])
    return Mesh(points.reshape(-1, 3), faces, uv=uv, uv_faces=faces, unit="mm")


def write_run(root: Path, *, each: int = 1) -> Path:
    """Write a run's folder: two latents of a subject move the vertices and, with holes, tint.

    All but the first of `each` faces of a subject wear an expression, which the texture is not
    told of.
    """
    rng, patch = np.random.default_rng(0), wavy_patch()
    (root / "template").mkdir(parents=True)
    save_template(root / layout.TEMPLATE_MESH, Template(patch))
    bends = rng.standard_normal((2, len(patch.vertices), 3))
    tints = 0.06 * rng.standard_normal((2, PIXELS, PIXELS, 3))
    for index in range(FACES):
        item = root / layout.ITEMS / f"scan{index:03d}"
        item.mkdir(parents=True)
        if index % each == 0:
            code = rng.standard_normal(2)
        scale = 0.001  # metres, to be read as millimetres
        points = patch.vertices + np.tensordot(code, bends, axes=1) + 50 * rng.standard_normal(3)
        if index % each:
            points[:, 2] += 5 * rng.standard_normal() * np.sin(patch.vertices[:, 1] / 20)
        save_mesh(item / layout.REGISTERED, patch.replace(vertices=scale * points, unit="m"))
        mask = rng.random((PIXELS, PIXELS)) > 0.1
        color = 0.5 + np.tensordot(code, tints, axes=1)
        picture = np.where(mask[..., None], color, rng.random(3)).clip(0, 1)
        save_image(item / layout.TEXTURE, picture.astype(np.float32))
        save_image(item / layout.MASK, mask)
        write_json(item / layout.ITEM_REPORT, {"unit_factor": 1000.0})
    return root


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_run(tmp_path_factory.mktemp("run"))


def test_reads_millimetres_and_masks(folder: Path) -> None:
    pairs = load_registered_faces(folder)
    assert len(pairs) == FACES and pairs.masks.dtype == bool
    assert pairs.vertices.shape == (FACES, SIDE * SIDE, 3)
    spread = np.ptp(pairs.vertices[..., 0], axis=1)
    assert (spread > 140).all() and (spread < 170).all()


def test_finds_the_relation_and_draws_it(folder: Path, tmp_path: Path) -> None:
    out = tmp_path / "pairs"
    words = ["model", "pairs", "--run", folder, "--out", out, "--modes", "2", "--faces", "2"]
    assert main([*map(str, words), "--quiet"]) == 0
    record = json.loads((out / "pairs.json").read_text())
    errors = record["mean_errors_mm"]
    assert record["training_faces"] == 45 and record["test_faces"] == 15
    # Colours of 8 bits are the only noise: the linear relation is found nearly exactly.
    assert errors["least_squares"] < 0.1 * errors["mean"]
    assert errors["least_squares"] < errors["nearest"] < errors["mean"] < errors["random"]
    assert min(record["correlations"]) > 0.99 and max(record["p_values"]) < 1e-6
    for name in ("correlation", "errors", "faces"):
        assert load_image(out / f"{name}.png").std() > 0.01


def test_textures_are_paired_with_neutral_geometry(tmp_path: Path) -> None:
    root = write_run(tmp_path / "run", each=3)
    rows = [
        f"scan{index:03d},person{index // 3},{'smile' if index % 3 else 'neutral'}\n"
        for index in range(FACES)
    ]
    table = tmp_path / "labels.csv"
    table.write_text("file,identity,expression\n" + "".join(rows))
    errors = {}
    words = ["model", "pairs", "--run", str(root), "--modes", "2", "--faces", "2", "--quiet"]
    for name, more in (("expressive", []), ("neutral", ["--labels", str(table)])):
        assert main([*words, *more, "--out", str(tmp_path / name)]) == 0
        errors[name] = json.loads((tmp_path / name / "pairs.json").read_text())["mean_errors_mm"]
    assert errors["neutral"]["least_squares"] < 0.1 * errors["neutral"]["mean"]
    assert errors["expressive"]["least_squares"] > 0.5 * errors["expressive"]["mean"]


def test_a_face_without_a_label_is_named(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    table = tmp_path / "labels.csv"
    table.write_text("file,identity,expression\nscan000,anna,neutral\n")
    words = ["model", "pairs", "--run", str(folder), "--labels", str(table)]
    assert main([*words, "--out", str(tmp_path / "x")]) == 1
    assert "59 of 60 have none, such as scan001" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (["--held-out", "1.5"], "number in (0, 1)"),
        (["--modes", "0"], "1 or more"),
        (["--held-out", "0.95"], "at least 10 faces"),
        (["--run", "nowhere"], "pipeline run"),
    ],
)
def test_bad_input_is_one_sentence(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], change: list[str], said: str
) -> None:
    words = ["model", "pairs", "--run", str(folder), "--out", str(tmp_path / "out"), "--quiet"]
    assert main([*words, *change]) == 1
    message = capsys.readouterr().err
    assert said in message and message.count("\n") <= 2
    assert not (tmp_path / "out").exists()
