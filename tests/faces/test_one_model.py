"""One type of face model: how it draws people, the reader of ICT-FaceKit, and who takes it."""

import dataclasses
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import geomface
from geomface.errors import FileFormatError, MeshError, SettingsError
from geomface.faces import load_builtin_face, load_ict
from geomface.faces.albedo import albedo_colors
from geomface.faces.albedo_texture import albedo_texture
from geomface.fitting import (
    fit_landmarks_2d,
    fit_landmarks_3d,
    fit_scan,
    register_with_model,
    shape_prior,
)
from geomface.fitting.rendering import PictureFitter
from geomface.landmarks.training.scans import draw_training_scan
from geomface.landmarks.training.shape_models import learn_dense_model, learn_landmark_shape
from geomface.mesh import Landmarks, Mesh, Template
from geomface.model_files import load_model, save_model
from geomface.report.display import show
from geomface.report.model_figures import face_picture, sample_sheet, walk_sheet
from geomface.scans.settings import ScanSettings
from geomface.scans.simulate import simulate_scan
from geomface.statistics import ExpressionModel, LinearModel, MorphableModel, write_morphable
from geomface.statistics.evaluation import compactness, generalization_to, specificity
from geomface.synthesis import FaceImageSettings, FaceSampler

NAMES = ("jawOpen", "mouthSmileLeft", "mouthSmileRight", "jawLeft", "jawRight")


@pytest.fixture
def model(rng: np.random.Generator) -> MorphableModel:
    quads = np.array([[0, 1, 2, 3], [3, 2, 4, 5]])
    mesh = Mesh(rng.standard_normal((6, 3)), quads=quads)
    expression = ExpressionModel(
        np.zeros((6, 3)), rng.standard_normal((6, 3, 5)), names=NAMES, kind="blendshapes"
    )
    shape = LinearModel(mesh.vertices, rng.standard_normal((6, 3, 4)))
    return MorphableModel(Template(mesh), shape, expression, name="toy")


def test_vertices_are_linear(model: MorphableModel, rng: np.random.Generator) -> None:
    alpha, weights = rng.standard_normal(4), rng.uniform(size=5)
    expected = model.mesh.vertices.copy()
    for value, mode in zip(alpha, model.shape.modes, strict=True):
        expected += value * mode
    for value, mode in zip(weights, model.blendshapes.modes, strict=True):
        expected += value * mode
    np.testing.assert_allclose(model.vertices(alpha, weights), expected, atol=1e-12)
    np.testing.assert_array_equal(model.vertices(), model.mesh.vertices)
    np.testing.assert_array_equal(model.vertices([1.5], {}), model.vertices([1.5, 0, 0, 0]))
    named = model.vertices(None, {"jawOpen": 0.5, "jawLeft": 1})
    np.testing.assert_array_equal(named, model.vertices(None, [0.5, 0, 0, 1, 0]))
    model.vertices()[0] = 0.0  # a shape is the caller's own copy
    assert model.mesh.vertices[0].any()


@pytest.mark.parametrize(
    ("identity", "expression", "message"),
    [
        (np.zeros(5), None, "at most 4"),
        ([np.nan], None, "NaN"),
        (None, np.zeros(6), "at most 5"),
        (None, {"jawopen": 1.0}, "no expression is called 'jawopen'"),
        (None, {"jawOpen": np.inf}, "NaN or infinity"),
    ],
)
def test_bad_coefficients(model: MorphableModel, identity, expression, message: str) -> None:
    with pytest.raises(SettingsError, match=message):
        model.vertices(identity, expression)


def test_identity_is_standard_normal(model: MorphableModel, rng: np.random.Generator) -> None:
    drawn = np.stack([model.sample_identity(rng) for _ in range(3000)])
    assert np.abs(drawn.mean(axis=0)).max() < 0.08
    assert np.abs(drawn.std(axis=0) - 1).max() < 0.06


def test_sampled_expressions_are_sparse_and_even_sided(model: MorphableModel) -> None:
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


def test_only_blendshapes_are_simulated_with(model: MorphableModel) -> None:
    part = model.expression
    assert part is not None
    gaussian = dataclasses.replace(part, kind="gaussian", mean=np.ones((6, 3)))
    for other in (None, gaussian):
        bare = dataclasses.replace(model, expression=other)
        weights = bare.sample_expression(np.random.default_rng(1))
        assert len(weights) == len(bare.blendshapes) == len(bare.blendshapes.names) == 0
        np.testing.assert_array_equal(bare.vertices(None, weights), bare.mesh.vertices)
    nameless = dataclasses.replace(model, expression=dataclasses.replace(part, names=()))
    assert nameless.blendshapes.names == tuple(f"expression{k}" for k in range(5))


def test_modes_in_one_piece_stay_so_and_give_the_same_faces(
    model: MorphableModel, tmp_path: Path
) -> None:
    face = load_builtin_face()
    assert face.shape.modes.flags.c_contiguous and not face.shape.modes.flags.writeable
    write_morphable(tmp_path / "face.safetensors", face)
    again = geomface.load_model(tmp_path / "face.safetensors")
    assert again.shape.names == face.shape.names and len(again.shape.names) == len(again.shape)
    assert again.eyeballs is not None and face.eyeballs is not None
    np.testing.assert_array_equal(again.eyeballs.centers, face.eyeballs.centers)
    rng = np.random.default_rng(3)
    person = face.sample_identity(rng), face.sample_expression(rng)
    np.testing.assert_allclose(again.vertices(*person), face.vertices(*person), atol=1e-12)


def test_ict_in_millimetres(shared_data: Path) -> None:
    model = load_ict(shared_data / "ict" / "ict_face.npz")
    assert (len(model.shape), len(model.blendshapes)) == (100, 53)
    assert 130 < np.ptp(model.mesh.vertices[:, 0]) < 200
    with np.load(shared_data / "ict" / "ict_face.npz") as archive:
        vertices, mode = 10 * archive["vertices_cm"], 10 * archive["identity_cm"][3]
        uv, quads_uv, quads = archive["uv"], archive["quads_uv"], archive["quads"]
    np.testing.assert_allclose(model.vertices([0, 0, 0, 2.0]), vertices + 2 * mode, atol=1e-4)
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


def test_ict_without_a_mode_that_moves_nothing(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    expression = rng.standard_normal((3, 6, 3))
    expression[1] = 0.0
    np.savez(
        tmp_path / "ict.npz",
        vertices_cm=rng.standard_normal((6, 3)),
        quads=[[0, 1, 2, 3], [3, 2, 4, 5]],
        identity_cm=rng.standard_normal((2, 6, 3)),
        expression_cm=expression,
        expression_names=["jawOpen", "nothing", "jawLeft"],
        landmarks68=np.arange(68) % 6,
    )
    model = load_ict(tmp_path / "ict.npz")
    assert model.blendshapes.names == ("jawOpen", "jawLeft")
    assert "nothing" in model.card["left_out"]


def test_ict_bad_files(tmp_path: Path) -> None:
    with pytest.raises(FileFormatError, match="no such file"):
        load_ict(tmp_path / "none.npz")
    text = tmp_path / "text.npz"
    text.write_text("not an archive")
    with pytest.raises(FileFormatError, match="expected the ICT-FaceKit npz, it cannot be read"):
        load_ict(text)
    np.savez(tmp_path / "half.npz", vertices_cm=np.zeros((3, 3)))
    with pytest.raises(FileFormatError, match="identity_cm"):
        load_ict(tmp_path / "half.npz")


def _marks() -> Landmarks:
    face = load_builtin_face()
    assert face.template.landmarks is not None
    return Landmarks(face.template.landmarks.positions(face.mesh.vertices))


def _with_uv(model: Any) -> Any:
    """The model on a template with a flat map; anything else as it is."""
    if not isinstance(model, MorphableModel):
        return model
    low, high = model.mesh.vertices.min(axis=0), model.mesh.vertices.max(axis=0)
    uv = ((model.mesh.vertices - low) / (high - low))[:, :2]
    mesh = model.mesh.replace(uv=uv, uv_faces=model.mesh.faces)
    return dataclasses.replace(model, template=dataclasses.replace(model.template, mesh=mesh))


def _pixels() -> np.ndarray:
    """The landmarks of the mean face, seen from the front in a picture of 200 pixels."""
    marks = _marks().points
    return 100 + (marks[:, :2] - marks[:, :2].mean(axis=0)) * [1.0, -1.0]


def _people() -> np.ndarray:
    face, rng = load_builtin_face(), np.random.default_rng(0)
    return np.stack([face.vertices(face.sample_identity(rng)) for _ in range(3)])


def _scan() -> Mesh:
    return load_builtin_face().mesh


VERBS: dict[str, Callable[[Any, Path], Any]] = {
    "fit_scan": lambda model, _: fit_scan(model, _scan(), _marks()),
    "register_with_model": lambda model, _: register_with_model(model, _scan(), _marks()),
    "fit_landmarks_3d": lambda model, _: fit_landmarks_3d(model, _marks()),
    "fit_landmarks_2d": lambda model, _: fit_landmarks_2d(model, _pixels(), (200, 200)),
    "fit_image": lambda model, _: PictureFitter(model),  # fitting/rendering has whole fits
    "shape_prior": lambda model, _: shape_prior(model),
    "simulate_scan": lambda model, _: simulate_scan(
        model, rng=np.random.default_rng(0), settings=ScanSettings(vertices=2000)
    ),
    "FaceSampler": lambda model, _: FaceSampler(FaceImageSettings(size=32), model).batch([(0, 0)]),
    "albedo_colors": lambda model, _: albedo_colors(model, np.zeros(16)),
    "albedo_texture": lambda model, _: albedo_texture(_with_uv(model), np.zeros(16), 16),
    "learn_landmark_shape": lambda model, _: learn_landmark_shape(
        [model], 4, np.random.default_rng(0), components=2
    ),
    "learn_dense_model": lambda model, _: learn_dense_model(
        model, 4, np.random.default_rng(0), skin_points=20, components=2
    ),
    "draw_training_scan": lambda model, _: draw_training_scan(model, np.random.default_rng(0)),
    "write_morphable": lambda model, folder: write_morphable(folder / "model.safetensors", model),
    "save_model": lambda model, folder: save_model(folder / "model.glb", model),
    "show": lambda model, _: show(model, people=1).document(),
    "face_picture": lambda model, _: face_picture(model, _scan(), size=32),
    "walk_sheet": lambda model, _: walk_sheet(model, modes=1, size=32),
    "sample_sheet": lambda model, _: sample_sheet(model, count=1, size=32),
    "compactness": lambda model, _: compactness(model),
    "generalization_to": lambda model, _: generalization_to(model, _people(), components=[2]),
    "specificity": lambda model, _: specificity(
        model, _people(), samples=4, components=[2], rng=np.random.default_rng(0)
    ),
}


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_takes_the_one_model_or_says_what_it_wants(verb: str, tmp_path: Path) -> None:
    VERBS[verb](load_builtin_face(), tmp_path)
    if verb != "show":  # which shows a mesh too
        with pytest.raises(MeshError, match="expected a MorphableModel, got a Mesh"):
            VERBS[verb](_scan(), tmp_path)


def test_no_file_is_the_built_in_face() -> None:
    assert load_model(None).name == "builtin"


@pytest.mark.parametrize(
    "verb",
    [
        lambda value: geomface.register(value, load_builtin_face().mesh),
        lambda value: geomface.register(load_builtin_face().template, value),
        geomface.unwrap,
        geomface.render_mesh,
        geomface.detect_landmarks,
        lambda value: geomface.save_mesh("never.ply", value),
        lambda value: geomface.save_template("never.obj", value),
    ],
)
@pytest.mark.parametrize("value", [load_builtin_face(), "face.obj", None], ids=repr)
def test_verbs_of_meshes_refuse_a_model_by_name(
    verb: Callable[[Any], Any], value: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(MeshError, match=f"expected a .*got a {type(value).__name__}"):
        verb(value)
    assert not list(tmp_path.iterdir())


def test_a_name_of_two_expressions_is_refused(model: MorphableModel) -> None:
    twice = dataclasses.replace(model.blendshapes, names=("jawOpen", "jawOpen", *NAMES[2:]))
    with pytest.raises(SettingsError, match="names 2 expressions"):
        twice.weights({"jawOpen": 1.0})
    assert twice.weights({"jawLeft": 1.0})[3] == 1.0
