"""Identity mixup: shape and skin are mixed picture by picture, all else stays, labels say it."""

import dataclasses
from pathlib import Path

import numpy as np
import pytest

from geomface.datasets.photographs import load_photographs
from geomface.errors import OutputError, SettingsError
from geomface.pipeline import FaceSetSettings, generate_faces
from geomface.synthesis import (
    FaceImageSettings,
    FaceSampler,
    IdentitySettings,
    MixupSettings,
    draw_identity_mixes,
)
from geomface.synthesis.mixed_sampler import MixedSampler
from geomface.synthesis.mixup_ratios import parse_ratios
from geomface.synthesis.people import People
from geomface.synthesis.writing import manifest_row

UNMIXED = FaceImageSettings(identities=4, samples=6, size=32, seed=3)


def mixed_at(mixup: MixupSettings, label: str = "soft") -> FaceImageSettings:
    return dataclasses.replace(UNMIXED, identity=IdentitySettings(mixup=mixup, mixup_label=label))


@pytest.fixture(scope="module")
def unmixed() -> FaceSampler:
    return FaceSampler(UNMIXED)


@pytest.fixture(scope="module")
def mixed() -> FaceSampler:
    return FaceSampler(mixed_at(MixupSettings()))


def test_shape_and_skin_are_weighted_means_and_all_else_stays(
    unmixed: FaceSampler, mixed: FaceSampler
) -> None:
    for identity in range(4):
        mixes = draw_identity_mixes(identity, 4, 6, seed=3)
        for sample in range(6):
            plain, item = unmixed.parameters(identity, sample), mixed.parameters(identity, sample)
            other = unmixed.people.person(int(mixes.partners[sample]))
            share = mixes.ratios[sample]
            for name in ("coefficients", "albedo"):
                mine, theirs = getattr(plain.person, name), getattr(other, name)
                expected = share * mine + (1 - share) * theirs
                np.testing.assert_allclose(getattr(item.person, name), expected, atol=1e-12)
            for field in dataclasses.fields(item):
                if field.name != "person":
                    one, two = getattr(plain, field.name), getattr(item, field.name)
                    assert np.array_equal(one, two), field.name
            if share < 1:
                assert item.person.parents == (identity, other.index)
                assert item.person.parent_weights == (share, 1 - share)


def test_pictures_are_drawn_of_the_mix_in_any_order(
    unmixed: FaceSampler, mixed: FaceSampler
) -> None:
    chosen = [(0, 0), (2, 3), (0, 1)]
    batch = mixed.batch(chosen)
    alone = FaceSampler(mixed.settings).batch([(2, 3)])
    np.testing.assert_array_equal(batch.images["rgb"][1], alone.images["rgb"][0])
    bare = unmixed.batch(chosen)
    different = [bool((a != b).any()) for a, b in zip(batch.landmarks, bare.landmarks, strict=True)]
    assert different == [bool(item.person.parents) for item in batch.parameters]
    assert any(different)


def test_a_share_of_one_is_the_unmixed_set(unmixed: FaceSampler) -> None:
    whole = FaceSampler(mixed_at(MixupSettings(1.0, 1.0)))
    same, bare = whole.batch([(1, 2)]), unmixed.batch([(1, 2)])
    np.testing.assert_array_equal(same.images["rgb"], bare.images["rgb"])
    assert same.parameters[0].person.parents == ()


def test_labels_are_soft_or_the_person_and_the_truth_is_kept() -> None:
    for label in ("soft", "person"):
        sampler = FaceSampler(mixed_at(MixupSettings(0.6, 0.6), label))
        row = manifest_row(sampler.batch([(1, 0)]), 0, sampler.expression_names(1), {})
        partner = int(draw_identity_mixes(1, 4, 1, seed=3).partners[0])
        truth = ([1, partner], pytest.approx([0.6, 0.4]))
        given = ([], []) if label == "person" else truth
        assert (row["parents"], row["parent_weights"]) == given and row["identity"] == 1
        hidden = row["parameters"].get("mixed_of"), row["parameters"].get("mixed_at")
        assert hidden == (truth if label == "person" else (None, None))


def test_who_is_shown_needs_no_face_model() -> None:
    settings = dataclasses.replace(mixed_at(MixupSettings(0.0, 0.9)), identities=10, samples=18)
    people = People(settings, 30, None)
    partners = [people.shown(7, sample).parents[1] for sample in range(18)]
    others = [other for other in range(10) if other != 7]
    assert sorted(partners[:9]) == sorted(partners[9:]) == others


@pytest.mark.parametrize(
    ("text", "ratios"),
    [("0.8", (0.8, 0.8, 0.05)), ("0.6:1", (0.6, 1.0, 0.05)), ("0:1:0.25", (0.0, 1.0, 0.25))],
)
def test_ratios_are_read(text: str, ratios: tuple[float, float, float]) -> None:
    assert parse_ratios(text) == MixupSettings(*ratios)


@pytest.mark.parametrize("text", ["", "a:1", "0:1:0.1:2", "0:2:1", "1:0:0.1", "0:1:0.3"])
def test_bad_ratios_are_one_sentence(text: str) -> None:
    with pytest.raises(SettingsError):
        parse_ratios(text)


def test_what_cannot_be_mixed_is_refused() -> None:
    with pytest.raises(SettingsError, match="both mix people"):
        IdentitySettings(mix_share=0.2, mixup=MixupSettings())
    with pytest.raises(SettingsError, match="a set of one"):
        dataclasses.replace(mixed_at(MixupSettings()), identities=1)
    with pytest.raises(SettingsError, match="cannot be mixed"):
        MixedSampler(mixed_at(MixupSettings()), [None, None])  # type: ignore[list-item]


def test_a_set_has_soft_classes_for_any_number_of_workers_and_does_not_grow(tmp_path: Path) -> None:
    images = dataclasses.replace(mixed_at(MixupSettings(0.5, 0.5)), identities=3, samples=2)
    settings = FaceSetSettings(images, tmp_path / "one", part_pictures=3)
    one = generate_faces(settings)
    two = generate_faces(dataclasses.replace(settings, out=tmp_path / "two", workers=2))
    assert one.figures["sha256"] == two.figures["sha256"]
    photographs = load_photographs(tmp_path / "one")
    assert [(item.person, item.parent_weights) for item in photographs] == [
        (str(person), (0.5, 0.5)) for person in (0, 0, 1, 1, 2, 2)
    ]
    more = dataclasses.replace(settings, images=dataclasses.replace(images, identities=4))
    with pytest.raises(OutputError, match="mixed among"):
        generate_faces(more)
