"""What a code says about somebody: spans, ties, and that more of a code does more."""

import dataclasses

import numpy as np
import pytest

from geomface.errors import SettingsError
from geomface.faces.albedo_code import ALBEDO_PARAMETERS, ALBEDO_SIZE, sample_albedo_code
from geomface.faces.builtin import load_builtin_face
from geomface.faces.traits import Traits, traits_of


@pytest.fixture(scope="module")
def people() -> list[Traits]:
    rng = np.random.default_rng(5)
    return [traits_of(rng.standard_normal(ALBEDO_SIZE)) for _ in range(1500)]


def each(people: list[Traits], name: str) -> np.ndarray:
    return np.array([getattr(person, name) for person in people])


def test_people_span_ages_sexes_and_complexions(people: list[Traits]) -> None:
    ages, men = each(people, "age"), each(people, "masculinity")
    assert 18 <= ages.min() < 19 and 79 < ages.max() <= 80 and 35 < np.median(ages) < 50
    assert 0.4 < (men > 0.5).mean() < 0.6 and ((men > 0.2) & (men < 0.8)).mean() < 0.5
    assert np.ptp(each(people, "melanin")) > 0.5 and np.ptp(each(people, "hair_melanin")) > 0.6
    for person in people:
        shares = dataclasses.asdict(person)
        for name in ("age", "weight", "beard_length"):
            shares.pop(name)
        assert all(0 <= value <= 1 for value in shares.values())
        assert all(0 <= value <= 1 for value in (*person.hair_color, *person.brow_color))
    styles = [person.beard_style for person in people]
    for style in ("stubble", "moustache", "goatee", "full"):
        assert 0.005 < np.mean([found == style for found in styles]) < 0.4


def test_fair_hair_comes_with_fair_skin(people: list[Traits]) -> None:
    hair, skin = each(people, "hair_melanin"), each(people, "melanin")
    fair = skin < np.median(skin)
    assert 0.03 < (hair < 0.35).mean() < 0.15 and 0.15 < (hair < 0.55).mean() < 0.4
    assert hair[fair].mean() < hair[~fair].mean() - 0.05
    assert hair[skin > 0.6].min() > 0.6


def test_age_and_sex_bring_what_goes_with_them(people: list[Traits]) -> None:
    ages, men = each(people, "age"), each(people, "masculinity")
    assert (
        each(people, "grey")[ages < 35].mean() < 0.1 < 0.8 < each(people, "grey")[ages > 68].mean()
    )
    bald = each(people, "baldness") > 0.5
    assert bald[(men > 0.5) & (ages > 60)].mean() > 0.3 > 0.02 > bald[men < 0.5].mean()
    assert not any(person.beard_style != "none" for person in people if person.masculinity < 0.5)
    assert each(people, "makeup")[men > 0.9].max() < 0.1


def test_the_shape_of_the_builtin_face_tells_of_age_and_sex() -> None:
    face, rng = load_builtin_face(), np.random.default_rng(2)
    shapes = [face.sample_identity(rng) for _ in range(400)]
    codes = np.stack([sample_albedo_code(shape, rng) for shape in shapes])
    for name, mode, sign in (
        ("masculinity", "sexDimorphism", 1),
        ("age", "aging", 1),
        ("weight", "adiposity", 1),
        ("tone", "noseLipBreadth", -1),
    ):
        coefficient = np.stack(shapes)[:, face.shape.names.index(mode)]
        told = np.corrcoef(coefficient, codes[:, ALBEDO_PARAMETERS.index(name)])[0, 1]
        assert sign * told > 0.5


def test_short_codes_are_the_mean_elsewhere() -> None:
    assert traits_of(np.zeros(0)) == traits_of(np.zeros(ALBEDO_SIZE))
    assert traits_of(np.array([3.0])).masculinity > 0.99


@pytest.mark.parametrize("code", [np.full(2, np.nan), np.zeros(ALBEDO_SIZE + 1), np.zeros((2, 2))])
def test_bad_codes_are_refused(code: np.ndarray) -> None:
    with pytest.raises(SettingsError, match="albedo code"):
        traits_of(code)
