"""Directions of sex, age and the like among the modes of a model."""

import numpy as np
import pytest

from geomface.faces import load_builtin_face, load_ict
from geomface.faces.albedo_code import TOLD
from geomface.statistics import MorphableModel
from geomface.synthesis import Empirical, IdentitySettings, draw_person
from geomface.synthesis.trait_axes import TraitAxes, trait_axes


@pytest.fixture(scope="module")
def face() -> MorphableModel:
    return load_builtin_face()


@pytest.fixture(scope="module")
def axes(face: MorphableModel) -> TraitAxes:
    return trait_axes(face)


def test_named_modes_are_their_own_axes(face: MorphableModel, axes: TraitAxes) -> None:
    np.testing.assert_array_equal(axes.told, np.eye(len(TOLD), len(face.shape)))
    widened = [face.shape.names[k] for k in np.abs(axes.wider).argmax(axis=1)]
    assert widened[:4] == ["sexDimorphism", "adiposity", "aging", "width"]


def test_spread_is_taken_back_and_bounded(axes: TraitAxes) -> None:
    rng = np.random.default_rng(1)
    for _ in range(20):
        drawn = rng.standard_normal(axes.wider.shape[1])
        spread = axes.spread(drawn, 1.6)
        np.testing.assert_allclose(axes.tell(spread, 1.6), axes.told @ drawn, atol=1e-9)
        along, before = axes.wider @ spread, axes.wider @ drawn
        assert (np.sign(along) == np.sign(before)).all() and np.abs(along).max() < 3.5
        np.testing.assert_allclose(spread - axes.wider.T @ along, drawn - axes.wider.T @ before)
    assert np.abs(axes.wider @ axes.spread(9 * axes.wider[0], 2.0)).max() < 3.5


def test_people_of_rows_are_taken_as_they_are(face: MorphableModel, axes: TraitAxes) -> None:
    row = tuple(np.linspace(-2, 2, len(face.shape)))
    settings = IdentitySettings(coefficients=Empirical((row, row)))
    person = draw_person(settings, len(face.shape), 0, 0, axes)
    assert tuple(person.coefficients) == row


def test_a_model_without_names_widens_along_its_widening_direction(shared_data) -> None:
    ict = load_ict(shared_data / "ict" / "ict_face.npz")
    axes = trait_axes(ict)
    count = len(TOLD)
    np.testing.assert_allclose(axes.told @ axes.told.T, np.eye(count), atol=1e-12)
    np.testing.assert_allclose(axes.wider @ axes.wider.T, np.eye(len(axes.wider)), atol=1e-12)
    marks = ict.template.landmarks
    assert marks is not None
    wide, narrow = (marks.positions(ict.vertices(s * axes.wider[3])) for s in (2.0, -2.0))
    change = np.linalg.norm(wide[16] - wide[0]) - np.linalg.norm(narrow[16] - narrow[0])
    assert change > 4.0
