"""People: mixing, similarity, and independence of the size of the set."""

import dataclasses

import numpy as np
import pytest

from geomface.errors import SettingsError
from geomface.faces.albedo_code import ALBEDO_SIZE
from geomface.synthesis import (
    Constant,
    Empirical,
    Gaussian,
    IdentitySettings,
    Uniform,
    draw_person,
    identity_at_cosine,
    identity_at_distance,
    stream,
)
from geomface.synthesis.identities import is_mixed

MODES = 40


def cosine(a: np.ndarray, b: np.ndarray) -> float:
    return float(a @ b / np.linalg.norm(a) / np.linalg.norm(b))


@pytest.mark.parametrize("wanted", [-1.0, -0.3, 0.0, 0.5, 0.9, 1.0])
def test_cosine_is_exact_and_keeps_the_length(wanted: float) -> None:
    base = stream(0, "base").standard_normal(MODES)
    found = identity_at_cosine(base, wanted, stream(1, "aside"))
    assert cosine(base, found) == pytest.approx(wanted, abs=1e-12)
    assert np.linalg.norm(found) == pytest.approx(np.linalg.norm(base), rel=1e-12)


def test_distance_is_exact() -> None:
    base = stream(0, "base").standard_normal(MODES)
    found = identity_at_distance(base, 2.5, stream(1, "aside"))
    assert np.linalg.norm(found - base) == pytest.approx(2.5, rel=1e-12)


def test_similarity_settings_relate_everybody_to_the_base() -> None:
    near = IdentitySettings(base=1, cosine=Constant(0.7))
    people = [draw_person(near, MODES, 5, index) for index in range(4)]
    for person in people:
        wanted = 1.0 if person.index == 1 else 0.7
        assert cosine(person.coefficients, people[1].coefficients) == pytest.approx(wanted)
    apart = IdentitySettings(base=0, distance=Constant(3.0))
    people = [draw_person(apart, MODES, 5, index) for index in range(3)]
    for person in people[1:]:
        gap = person.coefficients - people[0].coefficients
        assert np.linalg.norm(gap) == pytest.approx(3.0)


def test_mixes_are_weighted_means_of_earlier_unmixed_people() -> None:
    settings = IdentitySettings(mix_share=0.6, mix_weight=Uniform(0.1, 0.9))
    people = [draw_person(settings, MODES, 7, index) for index in range(60)]
    mixed = [person for person in people if person.parents]
    assert 25 < len(mixed) < 47 and not people[0].parents and not people[1].parents
    for person in mixed:
        first, second = (people[parent] for parent in person.parents)
        weight, other = person.parent_weights
        assert first.index < person.index > second.index and first.index != second.index
        assert not is_mixed(settings, 7, first.index) and not is_mixed(settings, 7, second.index)
        assert weight + other == pytest.approx(1.0) and 0.1 <= weight <= 0.9
        np.testing.assert_allclose(
            person.coefficients, weight * first.coefficients + other * second.coefficients
        )
        np.testing.assert_allclose(person.albedo, weight * first.albedo + other * second.albedo)


def test_coefficients_follow_their_distribution() -> None:
    settings = IdentitySettings(coefficients=Gaussian(0.5, 2.0))
    values = np.stack([draw_person(settings, MODES, 0, k).coefficients for k in range(400)])
    assert values.mean() == pytest.approx(0.5, abs=6 * 2 / np.sqrt(values.size))
    assert values.std() == pytest.approx(2.0, rel=0.03)
    correlation = np.corrcoef(values.T) - np.eye(MODES)
    assert np.abs(correlation).max() < 5 / np.sqrt(400)


def test_rows_give_whole_people_and_few_modes_still_have_a_skin() -> None:
    rows = Empirical(((1.0, 2.0, 3.0), (4.0, 5.0, 6.0)))
    person = draw_person(IdentitySettings(coefficients=rows), 3, 0, 0)
    assert tuple(person.coefficients) in rows.values and person.albedo.shape == (ALBEDO_SIZE,)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"mix_share": 0.95}, "mix_share: expected 0 to 0.9"),
        ({"mix_weight": Uniform(0, 2)}, "mix_weight: expected 0 to 1"),
        ({"base": -1}, "base: expected 0 or more"),
        ({"cosine": Constant(1.5)}, "cosine: expected -1 to 1"),
        ({"distance": Uniform(-1, 1)}, "distance: expected at least 0"),
        ({"cosine": Constant(0.5), "distance": Constant(1)}, "give one of them"),
        ({"cosine": Constant(0.5), "mix_share": 0.5}, "give one of them"),
    ],
)
def test_bad_settings_are_refused(change: dict, sentence: str) -> None:
    with pytest.raises(SettingsError, match=sentence):
        dataclasses.replace(IdentitySettings(), **change)


def test_a_base_without_direction_is_refused() -> None:
    with pytest.raises(SettingsError, match="not the mean face"):
        identity_at_cosine(np.zeros(4), 0.5, stream(0, "aside"))
    with pytest.raises(SettingsError, match="one identity mode"):
        identity_at_cosine(np.ones(1), 0.5, stream(0, "aside"))
