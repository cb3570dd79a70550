"""A texture from the GAN, its geometry from pairs of a pipeline's output, written as meshes."""

import dataclasses
from pathlib import Path
from typing import Literal

import numpy as np
import pytest
from make_texture_generator import save_generator

from geomface.cli.main import main
from geomface.errors import FileFormatError, MeshError, SettingsError
from geomface.faces.builtin import load_builtin_face
from geomface.files import load_image, save_image, write_json
from geomface.files.assets import asset_path
from geomface.files.tensors import save_tensors
from geomface.gan.progressive_texture import (
    fit_joint_model,
    load_generator,
    load_joint,
    sample_images,
    save_joint,
    textured_faces,
)
from geomface.gan.progressive_texture.joint import KIND, SCHEMA, LinearGeometry
from geomface.geometry_image import GeometryImageEncoder, save_geometry_image
from geomface.learning import DatasetError
from geomface.mesh import Mesh, Template
from geomface.mesh.io import load_mesh, save_mesh
from geomface.mesh.similarity import fit_similarity
from geomface.statistics import ExpressionModel, LinearModel, MorphableModel

WORLD = 12
"""Faces; the depth of each is 10 mm times its brightness."""


@pytest.fixture(scope="module")
def scans(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A pipeline's output: squares of 8 x 8 vertices, hidden texels and scans in centimetres."""
    root = tmp_path_factory.mktemp("pipeline")
    rows, columns = np.divmod(np.arange(64), 8)
    uv = np.stack([columns, rows], axis=1) / 7
    corner = (rows * 8 + columns)[(rows < 7) & (columns < 7)]
    quads = np.stack([corner, corner + 1, corner + 9, corner + 8], axis=1)
    faces = np.stack([quads[:, [0, 1, 2]], quads[:, [0, 2, 3]]], axis=1).reshape(-1, 3)
    flat = np.column_stack([100 * uv, 20 * np.sin(5 * uv[:, 0])])
    template = Mesh(flat, faces, uv=uv, uv_faces=faces)
    (root / "template").mkdir()
    save_mesh(root / "template" / "template.obj", template)
    rng = np.random.default_rng(0)
    for index in range(WORLD):
        item = root / "items" / f"scan{index:02d}"
        item.mkdir(parents=True)
        light = rng.uniform(0.2, 0.8)
        save_image(item / "registered.texture.png", np.full((16, 16, 3), light, np.float32))
        mask = np.ones((16, 16), np.float32)
        mask[: index % 4] = 0
        save_image(item / "mask.png", mask)
        deep = flat + np.array([0, 0, 10.0]) * light * np.cos(9 * uv[:, 1:])
        save_mesh(item / "registered.ply", template.replace(vertices=deep / 10 + index))
        write_json(item / "report.json", {"unit_factor": 10.0})
    return root


@pytest.fixture(scope="module")
def run(scans: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("run")
    words = ["train", "progressive_texture", "--recipe", "tiny", "--quiet", "--data", str(scans)]
    assert main([*words, "--steps", "16", "--out", str(out)]) == 0
    return out


@pytest.mark.parametrize("method", ["least_squares", "maximum_likelihood", "nearest"])
def test_a_known_texture_gets_its_geometry(scans: Path, method: str) -> None:
    joint = fit_joint_model(scans, 16, method=method)
    scores = joint.assignment.pairs.textures.rows  # type: ignore[attr-defined]
    truth = joint.assignment.pairs.geometries.rows  # type: ignore[attr-defined]
    found = joint.assignment.predict(scores).reshape(truth.shape)
    spread = np.abs(truth - truth.mean(axis=0)).max()
    assert spread > 1 and np.abs(found - truth).max() < 0.05 * spread
    size = np.ptp(joint.assignment.predict(scores)[..., 0], axis=1)
    assert np.allclose(size, 100, atol=2), "millimetres, whatever the scans' unit"


def test_faces_are_drawn_with_texture_and_uv(scans: Path, run: Path) -> None:
    generator = load_generator(run)
    joint = fit_joint_model(scans, 2**generator.level)
    faces = list(textured_faces(generator, joint, 3, seed=1))
    again = list(textured_faces(generator, joint, 2, seed=1))
    assert [face.name for face in faces] == ["face000", "face001", "face002"]
    for face, other in zip(faces, again, strict=False):
        assert face.texture is not None and face.texture.shape[:2] == (joint.size,) * 2
        # No texture here is like a scan's: the geometry stays within the scans' reach all the same.
        assert np.ptp(face.vertices[:, 2]) < 80
        assert face.uv is not None and np.allclose(face.vertices, other.vertices, atol=1e-3)
    with pytest.raises(SettingsError, match="expected pairs at the generator's"):
        next(textured_faces(generator, fit_joint_model(scans, joint.size // 2), 1))


def test_command_writes_every_format(scans: Path, run: Path, tmp_path: Path) -> None:
    words = ["sample", "progressive_texture", str(run), "--out", str(tmp_path), "--count", "2"]
    words += ["--pairs", str(scans), "--quiet", "--assignment", "nearest"]
    assert main([*words, "--format", "obj", "ply", "glb"]) == 0
    shapes = []
    for suffix in ("obj", "ply", "glb"):
        mesh = load_mesh(tmp_path / f"face001.{suffix}")
        assert mesh.uv is not None
        shapes.append(mesh.vertices)
        if suffix != "ply":
            assert mesh.texture is not None and mesh.texture.std() > 0
    assert all(np.allclose(item, shapes[0], atol=1e-3) for item in shapes)


def test_bad_pairs_are_sentences(
    scans: Path, run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(DatasetError, match="expected the output of a pipeline"):
        fit_joint_model(tmp_path, 16)
    shapes = ["train", "progressive_texture", "--recipe", "tiny", "--quiet", "--steps", "1"]
    assert main([*shapes, "--out", str(tmp_path / "shapes")]) == 0
    words = ["sample", "progressive_texture", str(tmp_path / "shapes"), "--pairs", str(scans)]
    assert main([*words, "--out", str(tmp_path / "s")]) == 1
    assert "expected a run trained on a folder of textures" in capsys.readouterr().err


def test_variety_is_what_textures_do_not_tell(scans: Path, run: Path) -> None:
    """The covariance of faces of one texture is that of the assignment's errors."""
    generator = load_generator(run)
    joint = fit_joint_model(scans, 2**generator.level, method="mean", modes=2)
    assert joint.variety is not None
    pairs = joint.assignment.pairs.geometries  # type: ignore[attr-defined]
    errors = np.asarray(pairs.rows).reshape(WORLD, -1, 3)
    errors = errors - errors.mean(axis=0)
    kept = (joint.variety**2).sum()
    assert kept == pytest.approx((errors**2).sum() / (WORLD - 1), rel=0.05)
    plain = list(textured_faces(generator, joint, 400, seed=1))
    varied = list(textured_faces(generator, joint, 400, seed=1, variety=1.0))
    moved = np.stack([b.vertices - a.vertices for a, b in zip(plain, varied, strict=True)])
    assert (moved.std(axis=0) ** 2).sum() == pytest.approx(kept, rel=0.25)
    double = list(textured_faces(generator, joint, 2, seed=1, variety=2.0))
    for index, face in enumerate(double):
        assert np.allclose(face.vertices, plain[index].vertices + 2 * moved[index])
    for wrong in (-1.0, float("nan"), float("inf")):
        with pytest.raises(SettingsError, match="variety: expected 0 or more"):
            next(textured_faces(generator, joint, 1, variety=wrong))
    with pytest.raises(SettingsError, match="expected 0 with a generator of geometry"):
        next(textured_faces(generator, joint, 1, variety=1.0, geometry=generator))
    nearest = fit_joint_model(scans, 2**generator.level, method="nearest")
    assert nearest.variety is None
    with pytest.raises(SettingsError, match="expected one of least_squares"):
        next(textured_faces(generator, nearest, 1, variety=1.0))


@pytest.mark.parametrize("half", [False, True])
def test_a_linear_joint_model_survives_the_disk(scans: Path, tmp_path: Path, half: bool) -> None:
    joint, path = fit_joint_model(scans, 16, modes=2), tmp_path / "joint.safetensors"
    assert len(joint.textures) == 2
    save_joint(path, joint, half=half)
    back = load_joint(path)
    scores = np.random.default_rng(1).standard_normal((5, 2))
    expected = joint.assignment.predict(scores)
    tolerance = 0.05 if half else 1e-4
    assert np.abs(back.assignment.predict(scores) - expected).max() < tolerance
    assert back.template.topology_id == joint.template.topology_id
    assert back.reach == pytest.approx(joint.reach) and back.size == joint.size
    assert np.allclose(back.textures.basis, joint.textures.basis, atol=1e-3 if half else 1e-7)
    assert back.variety is not None and joint.variety is not None
    assert np.allclose(back.variety, joint.variety, atol=0.01 if half else 1e-5)


def test_a_joint_model_of_neighbours_is_not_written(scans: Path, tmp_path: Path) -> None:
    joint = fit_joint_model(scans, 16, method="nearest")
    with pytest.raises(SettingsError, match="expected a linear assignment"):
        save_joint(tmp_path / "joint.safetensors", joint)
    assert not list(tmp_path.iterdir())


def test_the_averaged_generator_alone_draws_the_same(run: Path, tmp_path: Path) -> None:
    save_generator(tmp_path / "generator.safetensors", run)
    alone, whole = (load_generator(item) for item in (tmp_path / "generator.safetensors", run))
    drawn, expected = (sample_images(item, 4, seed=3) for item in (alone, whole))
    assert float((drawn - expected).abs().max()) < 0.02
    assert alone.config["kind"] == "texture" and "data" not in alone.config, (
        "no path of a machine leaves it"
    )


def test_a_drawn_expression_takes_the_place_of_that_of_the_pairs(scans: Path, run: Path) -> None:
    generator = load_generator(run)
    joint = fit_joint_model(scans, 2**generator.level, modes=2)
    square = joint.template
    rest, lift = np.zeros_like(square.vertices), np.zeros((*square.vertices.shape, 1))
    lift[:, 2] = 700.0
    model = MorphableModel(
        Template(square),
        LinearModel(square.vertices, lift[..., :0]),
        ExpressionModel(rest, lift, names=("lift",), kind="blendshapes"),
    )
    found = list(textured_faces(generator, joint, 12, seed=1, expressions=model))
    height = np.array([(face.vertices - square.vertices)[:, 2].mean() for face in found])
    # The pairs' own mean height is gone to one part in a million, what is drawn is in [0, 700].
    assert height.min() > -1e-3 and height.max() <= 700 and len(np.unique(height.round(3))) > 3
    told = joint.assignment.predict(np.zeros((1, 2)))[0]
    slopes = joint.assignment.predict(np.eye(2)) - told
    lifted = dataclasses.replace(joint, assignment=LinearGeometry(told + lift[..., 0], slopes))
    for one, other in zip(
        found, textured_faces(generator, lifted, 12, seed=1, expressions=model), strict=True
    ):
        np.testing.assert_allclose(one.vertices, other.vertices, atol=0.01)
    plain = next(textured_faces(generator, lifted, 1, seed=1))
    assert (plain.vertices - square.vertices)[:, 2].mean() > 600
    with pytest.raises(MeshError):
        next(textured_faces(generator, joint, 1, expressions=load_builtin_face()))


@pytest.mark.parametrize("mode", ["absolute", "displacement"])
def test_geometry_from_a_generator_of_geometry_images(
    scans: Path, run: Path, tmp_path: Path, mode: Literal["absolute", "displacement"]
) -> None:
    generator = load_generator(run)
    joint = fit_joint_model(scans, 2**generator.level, modes=2)
    encoder = GeometryImageEncoder(joint.template, 16)
    (tmp_path / "set").mkdir()
    for index in range(6):
        stretched = joint.template.vertices * [1.0 + 0.05 * index, 1.0, 1.0]
        path = tmp_path / "set" / f"face{index}.safetensors"
        save_geometry_image(path, encoder.encode(stretched, mode=mode))
    words = ["train", "progressive_texture", "--recipe", "tiny", "--kind", "geometry", "--quiet"]
    words += ["--data", str(tmp_path / "set"), "--steps", "16", "--mirror"]
    assert main([*words, "--out", str(tmp_path / "shape")]) == 0
    shape = load_generator(tmp_path / "shape")
    faces = list(textured_faces(generator, joint, 2, seed=4, geometry=shape))
    drawn = sample_images(shape, 2, seed=4).permute(0, 2, 3, 1).numpy()
    low, high = (np.asarray(shape.config[name]) for name in ("low", "high"))
    for face, image in zip(faces, drawn, strict=True):
        wanted = 0.5 * (image + 1) * (high - low) + low
        small = GeometryImageEncoder(joint.template, image.shape[0]).encode(
            face.vertices, mode=mode
        )
        covered = small.values[small.mask] - wanted[small.mask]
        # The decoder smooths the noise of sixteen steps, but follows what the image says.
        assert np.abs(covered.mean(axis=0)).max() < 0.05 * (high - low).max()
        assert face.texture is not None
    with pytest.raises(SettingsError, match="expected a generator of geometry images"):
        next(textured_faces(generator, joint, 1, geometry=generator))


def test_the_model_that_ships_draws_faces_of_the_builtin_face() -> None:
    generator, joint, face = load_generator(), load_joint(), load_builtin_face()
    assert joint.template.topology_id == face.mesh.topology_id
    people = list(textured_faces(generator, joint, 6, seed=2))
    points = np.stack([person.vertices for person in people])
    middle = points.mean(axis=0)
    spread = np.linalg.norm(points - middle, axis=2).mean()
    off = fit_similarity(middle, face.mesh.vertices, scale=False).apply(middle)
    off = np.linalg.norm(off - face.mesh.vertices, axis=1).mean()
    # People differ, but not more than people do, and their mean is a face.
    assert 0.5 < spread < 6.0 and off < 5.0
    for person in people:
        assert person.texture is not None
        red, green, blue = person.texture.reshape(-1, 3).mean(axis=0)
        assert red > green > blue, "skin is neither blue nor full of holes"
    folder = asset_path("progressive_texture")
    assert sum(path.stat().st_size for path in folder.glob("*.safetensors")) <= 6_000_000


def test_faces_at_once_from_the_command_line(tmp_path: Path) -> None:
    words = ["sample", "progressive_texture", "--out", str(tmp_path), "--count", "3", "--quiet"]
    assert main([*words, "--expressions"]) == 0
    assert len(list(tmp_path.glob("face*.glb"))) == 3
    assert load_image(tmp_path / "faces.png").std() > 0.05
    assert main([*words, "--geometry", str(tmp_path)]) == 1, "no run lies there"
    assert main([*words, "--assignment", "nearest"]) == 1, "never ignored in silence"


def test_a_joint_model_with_something_missing_is_one_sentence(tmp_path: Path) -> None:
    path = tmp_path / "joint.safetensors"
    save_tensors(path, {"texture/mean": np.zeros((4, 4, 3))}, kind=KIND, schema=SCHEMA)
    with pytest.raises(FileFormatError, match="expected a joint model with texture/basis"):
        load_joint(path)
