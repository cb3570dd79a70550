"""Labelled faces drawn from a face model: analytic truth, determinism, independence."""

import dataclasses

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import geomface as gf
from geomface.errors import SettingsError
from geomface.statistics import ExpressionModel, MorphableModel
from geomface.statistics.muscle_groups import without_side
from geomface.synthesis import (
    EXPRESSION_RECIPES,
    LabelledFacesSettings,
    draw_labelled_faces,
    recipe_weights,
)

SMALL = LabelledFacesSettings(people=3, faces=5, labelled=1.0)
NOSES = dataclasses.replace(SMALL, region="nose")
"""The fewest vertices, for tests about numbers of faces."""


@pytest.fixture(scope="module")
def model() -> MorphableModel:
    return gf.load_builtin_face()


def coefficients(face: MorphableModel, vertices: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Read (N, K) shape and (N, X) expression coefficients back by least squares."""
    basis = np.concatenate([face.shape.modes, face.blendshapes.modes])
    basis = basis.reshape(len(basis), -1).T
    rest = (vertices - face.shape.mean).reshape(len(vertices), -1).T
    found = np.linalg.lstsq(basis, rest, rcond=None)[0].T
    return found[:, : len(face.shape)], found[:, len(face.shape) :]


def test_faces_are_the_models_own() -> None:
    """Coefficients read back from the vertices are people and recipes, and give the vertices."""
    face = gf.load_builtin_face()
    faces = draw_labelled_faces(face, SMALL)
    shape, weights = coefficients(face, faces.vertices.astype(np.float64))
    for row in range(len(faces)):
        expected = face.vertices(shape[row], weights[row])
        assert np.abs(faces.vertices[row] - expected).max() < 2e-5  # a float32 step at 150 mm
    people = shape.reshape(3, 5, -1)
    assert np.abs(people - people[:, :1]).max() < 2e-3
    # What the recipe of the label leaves is small and not negative; its strength is in range.
    recipes = recipe_weights(face)
    for label, row in zip(faces.labels["expression"], weights, strict=True):
        recipe = recipes[label]
        if recipe.any():
            strength = np.median(row[recipe > 0] / recipe[recipe > 0])
            assert 0.55 < strength < 1.3
            row = row - min(row[recipe > 0] / recipe[recipe > 0]) * recipe
        assert -2e-3 < row.min() and row.max() < 0.2


def test_people_are_normal(model: MorphableModel) -> None:
    few = dataclasses.replace(
        model, expression=model.blendshapes, shape=model.shape.truncate(5), name="five modes"
    )
    drawn = LabelledFacesSettings(
        people=400, faces=1, sigma=0.5, strength=(0.0, 0.0), region="nose"
    )
    faces = draw_labelled_faces(few, drawn)
    modes = few.shape.modes[:, np.sort(model.template.regions["nose"])]
    spread = faces.vertices.reshape(400, -1) - faces.vertices.reshape(400, -1).mean(axis=0)
    expected = 0.5**2 * (modes**2).sum()
    assert (spread**2).sum() / 400 == pytest.approx(expected, rel=0.15)


def test_draws_repeat_and_do_not_depend_on_the_other_faces(model: MorphableModel) -> None:
    faces = draw_labelled_faces(model, NOSES)
    again = draw_labelled_faces(model, NOSES)
    assert faces.vertices.tobytes() == again.vertices.tobytes() and faces.names == again.names
    more = draw_labelled_faces(model, dataclasses.replace(NOSES, people=5, faces=9))
    rows = [more.names.index(name) for name in faces.names]
    np.testing.assert_allclose(more.vertices[rows], faces.vertices, atol=2e-5)
    assert (more.truth["expression"][rows] == faces.truth["expression"]).all()
    other = draw_labelled_faces(model, dataclasses.replace(NOSES, seed=1))
    assert np.abs(other.vertices - faces.vertices).max() > 1


def test_mixtures_have_no_class(model: MorphableModel) -> None:
    wanted = dataclasses.replace(NOSES, people=30, faces=20, labelled=0.5, mixtures=0.25)
    faces = draw_labelled_faces(model, wanted)
    unknown = faces.truth["expression"] == -1
    assert 0.19 < unknown.mean() < 0.31
    assert (faces.labels["expression"][unknown] == -1).all()
    assert (faces.truth["identity"] == np.repeat(np.arange(30), 20)).all()
    plain = draw_labelled_faces(model, dataclasses.replace(wanted, mixtures=0.0))
    np.testing.assert_array_equal(plain.vertices[~unknown], faces.vertices[~unknown])
    assert (plain.truth["expression"] >= 0).all()


def test_share_of_labels_is_kept_class_by_class(model: MorphableModel) -> None:
    faces = draw_labelled_faces(
        model, dataclasses.replace(NOSES, people=50, faces=20, labelled=0.1)
    )
    labels, truth = faces.labels["expression"], faces.truth["expression"]
    known = labels >= 0
    assert (labels[known] == truth[known]).all()
    np.testing.assert_array_equal(
        np.bincount(labels[known], minlength=7), np.round(0.1 * np.bincount(truth))
    )
    assert (faces.labels["identity"] == faces.truth["identity"]).all()


def test_region_cuts_faces_and_gives_them_uv() -> None:
    face = gf.load_builtin_face()
    faces = draw_labelled_faces(face, dataclasses.replace(SMALL, region="face_core"))
    rows = np.sort(face.template.regions["face_core"])
    whole = draw_labelled_faces(face, SMALL)
    np.testing.assert_array_equal(faces.vertices, whole.vertices[:, rows])
    assert faces.template.mesh.uv is not None and whole.template.mesh.uv is not None
    assert faces.template.landmarks is not None


@pytest.mark.parametrize("ends", [("Left", "Right"), ("_L", "_R")])
def test_recipes_know_both_conventions(ends: tuple[str, str]) -> None:
    muscles = sorted({muscle for recipe in EXPRESSION_RECIPES.values() for muscle in recipe})
    single = ["jawOpen", "jawLeft"]
    names = [f"{muscle}{end}" for muscle in muscles if muscle not in single for end in ends]
    names += single
    face = gf.load_builtin_face()
    basis = np.ones((len(face.mesh.vertices), 3, len(names)))
    expression = ExpressionModel(0 * basis[..., 0], basis, names=tuple(names), kind="blendshapes")
    weights = recipe_weights(dataclasses.replace(face, expression=expression))
    assert weights.shape == (7, len(names))
    for row, recipe in zip(weights, EXPRESSION_RECIPES.values(), strict=True):
        got = {without_side(name): value for name, value in zip(names, row, strict=True) if value}
        assert got == dict(recipe)
        for muscle in recipe:
            sides = row[[without_side(name) == muscle for name in names]]
            assert (sides == recipe[muscle]).all() and len(sides) == (1 if muscle in single else 2)


def test_recipes_move_the_right_parts() -> None:
    """A smile lifts and widens the corners of the mouth, surprise opens it, by landmarks."""
    face = gf.load_builtin_face()
    marks = face.template.landmarks
    assert marks is not None
    rows = dict(zip(EXPRESSION_RECIPES, recipe_weights(face), strict=True))
    neutral = marks.positions(face.vertices(None, rows["neutral"]))
    happy = marks.positions(face.vertices(None, rows["happy"])) - neutral
    surprise = marks.positions(face.vertices(None, rows["surprise"])) - neutral
    sad = marks.positions(face.vertices(None, rows["sad"])) - neutral
    assert (happy[[48, 54], 1] > 1).all() and happy[54, 0] > 1 > -1 > happy[48, 0]
    assert (sad[[48, 54], 1] < -1).all()
    assert surprise[8, 1] < -3 and (surprise[17:27, 1] > 1).all()


def test_models_that_cannot(model: MorphableModel) -> None:
    neutral = dataclasses.replace(model, expression=None)
    with pytest.raises(SettingsError, match=r"builtin: .* browDown, .* missing"):
        draw_labelled_faces(neutral, SMALL)
    count = len(model.mesh.vertices)
    numbers = np.ones((count, 3, 2))
    gaussian = dataclasses.replace(model, expression=ExpressionModel(numbers[..., 0], numbers))
    with pytest.raises(SettingsError, match="named as in ARKit"):
        recipe_weights(gaussian)
    with pytest.raises(SettingsError, match=r"region: expected one of eyes, .* got 'tail'"):
        draw_labelled_faces(gf.load_builtin_face(), dataclasses.replace(SMALL, region="tail"))


@settings(max_examples=30, deadline=None)
@given(
    wrong=st.sampled_from(
        [
            {"people": 0},
            {"faces": -1},
            {"labelled": 1.1},
            {"mixtures": -0.1},
            {"strength": (0.5, 0.2)},
            {"strength": (-0.5, 0.2)},
            {"sigma": -1.0},
            {"seed": -1},
        ]
    )
)
def test_settings_out_of_range(wrong: dict) -> None:
    with pytest.raises(SettingsError, match=next(iter(wrong))):
        LabelledFacesSettings(**wrong)
