"""Sets of several kinds: long tails, one attribute that varies, what is worn picture by picture."""

import dataclasses

import numpy as np
import pytest

from geomface.errors import SettingsError
from geomface.synthesis import FaceImageSettings, FaceSampler, PhotoSettings, long_tail
from geomface.synthesis.parameters import FaceParameters
from geomface.synthesis.set_sizes import LONG_TAILS, parse_samples

BASE = FaceImageSettings(identities=2, samples=3, size=64, seed=5)


@pytest.mark.parametrize(("name", "spread"), [("ub1", 76.35), ("ub2", 43.52), ("balanced", 0.0)])
def test_long_tails_have_the_papers_spread_and_one_mean(name: str, spread: float) -> None:
    assert np.std(long_tail(name)) == pytest.approx(spread, abs=0.01)
    for mean in (1, 2, 10, 37):
        counts = long_tail(name, mean)
        assert sum(counts) == 5 * mean and min(counts) >= 1 and sorted(counts) == list(counts)
    assert long_tail(name, 100) == tuple(2 * count for count in LONG_TAILS[name])


def test_every_person_has_their_pictures_and_more_people_change_none() -> None:
    settings = dataclasses.replace(BASE, identities=7, samples=1, samples_of=(1, 4, 2))
    assert settings.pictures == 15
    pictures = [settings.picture(number) for number in range(15)]
    counts = [sum(identity == who for identity, _ in pictures) for who in range(7)]
    assert counts == [1, 4, 2, 1, 4, 2, 1] and pictures == sorted(set(pictures))
    more = dataclasses.replace(settings, identities=9)
    assert [more.picture(number) for number in range(15)] == pictures
    assert [BASE.picture(number) for number in (0, 2, 3, 5)] == [(0, 0), (0, 2), (1, 0), (1, 2)]


def test_texts_of_counts() -> None:
    assert parse_samples("2,2,6", None) == (2, 2, 6) and parse_samples("ub1", 100)[4] == 400
    for text, mean in (("", None), ("2,-1", None), ("ub3", 10), ("2,6", 10)):
        with pytest.raises(SettingsError):
            parse_samples(text, mean)
    with pytest.raises(SettingsError, match="give one"):
        dataclasses.replace(BASE, samples_of=(1, 2))
    with pytest.raises(SettingsError, match="samples_of"):
        dataclasses.replace(BASE, samples=1, samples_of=(0, 2))


def fixed(one: FaceParameters, other: FaceParameters) -> set[str]:
    """Which of pose, light, expression and noise two pictures share."""
    same = {
        "pose": one.yaw == other.yaw and one.pitch == other.pitch,
        "expression": np.array_equal(one.expression, other.expression)
        and np.array_equal(one.gaze, other.gaze),
        "light": one.light_stream == other.light_stream,
        "noise": one.stream == other.stream or one.scale == other.scale,
    }
    return {name for name, equal in same.items() if equal}


def test_one_attribute_varies_and_the_others_are_those_of_the_first_picture() -> None:
    every = FaceSampler(BASE)
    shown = [every.parameters(1, sample) for sample in range(3)]
    attributes = {"pose", "expression", "light"}
    assert not fixed(shown[0], shown[1])
    for vary in ("none", *attributes):
        sampler = FaceSampler(dataclasses.replace(BASE, vary=vary))
        item = sampler.parameters(1, 1)
        assert fixed(shown[0], item) == attributes - {vary}
        assert vary == "none" or vary in fixed(shown[1], item)
    with pytest.raises(SettingsError, match="vary"):
        dataclasses.replace(BASE, vary="age")


def test_what_is_worn_changes_with_the_picture_and_the_person_does_not() -> None:
    photo = PhotoSettings(hats=0.5, glasses=0.5)
    settings = dataclasses.replace(BASE, preset="photo", photo=photo)
    each = dataclasses.replace(settings, photo=dataclasses.replace(photo, wear="per-picture"))
    usual, changing = FaceSampler(settings), FaceSampler(each)
    chosen = [(0, 0), (0, 2)]
    one, two = usual.batch(chosen), changing.batch(chosen)
    # The first picture is the usual one.
    np.testing.assert_array_equal(one.images["rgb"][0], two.images["rgb"][0])
    np.testing.assert_array_equal(one.landmarks, two.landmarks)
    heads = list(changing._photo._heads.values())
    assert len(heads) == 2 and len(usual._photo._heads) == 1
    np.testing.assert_array_equal(heads[0].relief, heads[1].relief)
    np.testing.assert_array_equal(heads[0].body.skull, heads[1].body.skull)
    assert (heads[0].colors != heads[1].colors).any()
    alone = FaceSampler(each).batch([(0, 2)])
    np.testing.assert_array_equal(alone.images["rgb"][0], two.images["rgb"][1])


def test_haircuts_of_pictures() -> None:
    cut = PhotoSettings(hats=0.0, hair=1.0, haircut="per-picture")
    sampler = FaceSampler(dataclasses.replace(BASE, preset="photo", photo=cut))
    sampler.batch([(1, 0), (1, 1)])
    first, second = sampler._photo._heads.values()
    assert (first.hair != second.hair).any()
    np.testing.assert_array_equal(first.cloth, second.cloth)
    with pytest.raises(SettingsError, match="haircut"):
        PhotoSettings(haircut="never")
