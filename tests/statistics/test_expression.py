"""Expression models: differences to neutral, named weights, neutral replacement."""

import numpy as np
import pytest

from geomface.errors import MeshError, SettingsError
from geomface.statistics import ExpressionModel, fit_expressions, replace_neutral
from geomface.statistics.linear_model import flat_columns


def test_differences_give_mean_and_modes_whatever_the_people_look_like(rng):
    directions = np.linalg.qr(rng.standard_normal((30, 2)))[0]
    scores = rng.standard_normal((12, 2))
    scores = np.linalg.qr(scores - scores.mean(axis=0))[0] * np.sqrt(11) * [3.0, 1.0]
    offset = rng.standard_normal((10, 3))
    neutral = 50 * rng.standard_normal((12, 10, 3))
    expressive = neutral + offset + (scores @ directions.T).reshape(12, 10, 3)
    model = fit_expressions(expressive, neutral)
    np.testing.assert_allclose(model.mean, offset, atol=1e-10)
    np.testing.assert_allclose(model.variances, [9.0, 1.0], rtol=1e-8)
    cosines = (flat_columns(model.basis) / [3.0, 1.0]).T @ directions
    np.testing.assert_allclose(np.abs(cosines), np.eye(2), atol=1e-8)
    one = model.coefficients(expressive[4] - neutral[4])
    np.testing.assert_allclose(neutral[4] + model.displacement(one), expressive[4], atol=1e-7)
    assert model.kind == "gaussian"


def test_names_choose_blendshapes(rng):
    model = ExpressionModel(
        np.zeros((4, 3)), rng.standard_normal((4, 3, 2)), names=("a", "b"), kind="blendshapes"
    )
    np.testing.assert_array_equal(model.displacement({"b": 0.5}), 0.5 * model.basis[..., 1])
    np.testing.assert_array_equal(model.weights([0.3]), [0.3, 0.0])
    assert model.truncate(1).names == ("a",) and model.canonical() is model
    draws = np.stack([model.sample_weights(np.random.default_rng(i)) for i in range(50)])
    assert draws.min() >= 0 and draws.max() <= 0.9
    assert 0.6 < (draws.sum(axis=1) > 0).mean() < 0.95, "one draw in five is neutral"
    with pytest.raises(SettingsError, match="'c'"):
        model.weights({"c": 1.0})
    with pytest.raises(SettingsError, match="at most 2"):
        model.weights([0.1, 0.2, 0.3])
    with pytest.raises(SettingsError, match="2 names"):
        ExpressionModel(model.mean, model.basis, names=("a",))
    with pytest.raises(SettingsError, match="kind"):
        ExpressionModel(model.mean, model.basis, kind="muscles")


def test_every_example_gets_its_subjects_neutral_face(rng):
    faces = rng.standard_normal((5, 4, 3))
    subjects = ["ann", "bob", "ann", "bob", "ann"]
    neutral = [True, True, False, False, True]
    found = replace_neutral(faces, subjects, neutral)
    np.testing.assert_allclose(found[2], (faces[0] + faces[4]) / 2)
    np.testing.assert_allclose(found[0], found[2])
    np.testing.assert_array_equal(found[3], faces[1])
    with pytest.raises(MeshError, match="'bob' has none"):
        replace_neutral(faces, subjects, [True, False, False, False, True])
    with pytest.raises(MeshError, match="flag for each"):
        replace_neutral(faces, subjects[:2], neutral)


def test_pairs_of_different_length_are_refused(rng):
    with pytest.raises(MeshError, match="one neutral face"):
        fit_expressions(rng.standard_normal((3, 4, 3)), rng.standard_normal((2, 4, 3)))
