"""The linear face model and the reader of ICT-FaceKit."""

import dataclasses
from pathlib import Path

import numpy as np
import pytest

from geomface.errors import FileFormatError, MeshError, SettingsError
from geomface.faces.face_model import FaceModel
from geomface.faces.ict import load_ict
from geomface.mesh import Mesh, Template

NAMES = ("jawOpen", "mouthSmileLeft", "mouthSmileRight", "jawLeft", "jawRight")


@pytest.fixture
def model(rng: np.random.Generator) -> FaceModel:
    quads = np.array([[0, 1, 2, 3], [3, 2, 4, 5]])
    mesh = Mesh(rng.standard_normal((6, 3)), quads=quads)
    return FaceModel(
        Template(mesh),
        identity_modes=rng.standard_normal((4, 6, 3)),
        expression_modes=rng.standard_normal((5, 6, 3)),
        expression_names=NAMES,
        name="toy",
    )


def test_shape_is_linear(model: FaceModel, rng: np.random.Generator) -> None:
    alpha, weights = rng.standard_normal(4), rng.uniform(size=5)
    expected = model.mesh.vertices.copy()
    for value, mode in zip(alpha, model.identity_modes, strict=True):
        expected += value * mode
    for value, mode in zip(weights, model.expression_modes, strict=True):
        expected += value * mode
    np.testing.assert_allclose(model.shape(alpha, weights), expected, atol=1e-12)
    np.testing.assert_array_equal(model.shape(), model.mesh.vertices)


def test_fewer_identity_coefficients_count_as_zero(model: FaceModel) -> None:
    np.testing.assert_array_equal(model.shape([1.5]), model.shape([1.5, 0, 0, 0]))


def test_expression_by_name(model: FaceModel) -> None:
    named = model.shape(None, {"jawOpen": 0.5, "jawLeft": 1})
    np.testing.assert_array_equal(named, model.shape(None, [0.5, 0, 0, 1, 0]))


def test_modes_are_read_only(model: FaceModel) -> None:
    with pytest.raises(ValueError, match="read-only"):
        model.identity_modes[0, 0, 0] = 1.0
    model.shape()[0] = 0.0  # a shape is the caller's own copy
    assert model.mesh.vertices[0].any()


@pytest.mark.parametrize(
    ("identity", "expression", "message"),
    [
        (np.zeros(5), None, "at most 4 identity"),
        (np.zeros((1, 4)), None, "as one row"),
        ([np.nan], None, "NaN"),
        (None, np.zeros(4), "exactly 5 expression"),
        (None, {"jawopen": 1.0}, "no expression is called 'jawopen'"),
        (None, {"jawOpen": np.inf}, "NaN or infinity"),
    ],
)
def test_bad_coefficients(model: FaceModel, identity, expression, message: str) -> None:
    with pytest.raises(SettingsError, match=message):
        model.shape(identity, expression)


@pytest.mark.parametrize(
    ("changes", "error", "message"),
    [
        ({"identity_modes": np.zeros((2, 5, 3))}, MeshError, "identity_modes"),
        ({"expression_modes": np.full((5, 6, 3), np.nan)}, MeshError, "NaN"),
        ({"expression_names": NAMES[:4]}, SettingsError, "expected 5 expression_names"),
        ({"expression_names": ("jawOpen",) * 5}, SettingsError, "twice"),
        ({"identity_names": ("size",)}, SettingsError, "expected 4 identity_names"),
    ],
)
def test_bad_models(model: FaceModel, changes: dict, error: type, message: str) -> None:
    with pytest.raises(error, match=message):
        dataclasses.replace(model, **changes)


def test_identity_is_standard_normal(model: FaceModel, rng: np.random.Generator) -> None:
    drawn = np.stack([model.sample_identity(rng) for _ in range(3000)])
    assert np.abs(drawn.mean(axis=0)).max() < 0.08
    assert np.abs(drawn.std(axis=0) - 1).max() < 0.06


def test_sampled_expressions_are_sparse_and_even_sided(model: FaceModel) -> None:
    rng = np.random.default_rng(5)
    neutral = 0
    for _ in range(300):
        weights = dict(zip(NAMES, model.sample_expression(rng), strict=True))
        assert all(0 <= value <= 0.9 for value in weights.values())
        left, right = weights["mouthSmileLeft"], weights["mouthSmileRight"]
        assert (left > 0) == (right > 0) and abs(left - right) <= 0.15 * max(left, right) + 1e-12
        assert sum(weights[name] > 0 for name in ("jawOpen", "jawLeft", "jawRight")) <= 1
        neutral += not any(weights.values())
    assert 30 < neutral < 100
    again = model.sample_expression(np.random.default_rng(1))
    np.testing.assert_array_equal(again, model.sample_expression(np.random.default_rng(1)))


def test_ict_in_millimetres(shared_data: Path) -> None:
    model = load_ict(shared_data / "ict" / "ict_face.npz")
    assert (model.identity_count, model.expression_count) == (100, 53)
    assert 130 < np.ptp(model.mesh.vertices[:, 0]) < 200
    with np.load(shared_data / "ict" / "ict_face.npz") as archive:
        vertices, mode = 10 * archive["vertices_cm"], 10 * archive["identity_cm"][3]
        uv, quads_uv, quads = archive["uv"], archive["quads_uv"], archive["quads"]
    np.testing.assert_allclose(model.shape([0, 0, 0, 2.0]), vertices + 2 * mode, atol=1e-4)
    assert model.mesh.uv is not None and model.mesh.uv_faces is not None
    corner_uv = {
        (quad, int(v)): uv[t]
        for quad in (0, 17, 4000)
        for v, t in zip(quads[quad], quads_uv[quad], strict=True)
    }
    for (quad, vertex), expected in corner_uv.items():
        for triangle in (2 * quad, 2 * quad + 1):
            for corner in np.flatnonzero(model.mesh.faces[triangle] == vertex):
                found = model.mesh.uv[model.mesh.uv_faces[triangle, corner]]
                np.testing.assert_allclose(found, expected)
    assert model.template.landmarks is not None and len(model.template.landmarks) == 68
    assert len(model.template.regions["face_core"]) == 6706


def test_ict_bad_files(tmp_path: Path) -> None:
    with pytest.raises(FileFormatError, match="no such file"):
        load_ict(tmp_path / "none.npz")
    text = tmp_path / "text.npz"
    text.write_text("not an archive")
    with pytest.raises(FileFormatError, match="expected a numpy npz"):
        load_ict(text)
    np.savez(tmp_path / "half.npz", vertices_cm=np.zeros((3, 3)))
    with pytest.raises(FileFormatError, match="identity_cm"):
        load_ict(tmp_path / "half.npz")
