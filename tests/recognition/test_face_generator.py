"""Faces from five factors: the renderer's own pictures come back, each factor counts alone."""

import dataclasses
import types

import numpy as np
import pytest

from geomface.errors import SettingsError
from geomface.recognition import FaceGenerator, RenderedFaces, TranslatedFaces
from geomface.synthesis import FaceImageSettings, FaceSampler, PhotoSettings, mix_identities
from geomface.synthesis.parameters import FaceParameters

SETTINGS = FaceImageSettings(identities=3, samples=3, size=32, seed=1)


@pytest.fixture(scope="module")
def sampler() -> FaceSampler:
    return FaceSampler(SETTINGS)


def factors(item: FaceParameters) -> dict:
    return {
        "identity": item.person,
        "expression": item.expression,
        "light": item.light,
        "pose": np.array([item.yaw, item.pitch, item.roll]),
        "noise": item.sample,
    }


def test_a_pictures_own_factors_give_the_picture(sampler: FaceSampler) -> None:
    faces: FaceGenerator = RenderedFaces(sampler)
    item, other = sampler.parameters(1, 2), sampler.parameters(2, 0)
    own = faces.render(**factors(item))
    np.testing.assert_array_equal(own, sampler.batch([(1, 2)]).images["rgb"][0])
    for name, value in factors(other).items():
        assert (faces.render(**{**factors(item), name: value}) != own).any(), name
    mixed = mix_identities(item.person, other.person, 1.0, 1)
    np.testing.assert_array_equal(faces.render(**{**factors(item), "identity": mixed}), own)


def test_a_translator_comes_behind_the_renderer(sampler: FaceSampler) -> None:
    faces = RenderedFaces(sampler)
    chosen = factors(sampler.parameters(0, 0))
    darker = TranslatedFaces(faces, lambda picture: 0.5 * picture).render(**chosen)
    np.testing.assert_allclose(darker, 0.5 * faces.render(**chosen), atol=1e-7)
    with pytest.raises(SettingsError, match="translator"):
        TranslatedFaces(faces, lambda picture: picture[..., 0]).render(**chosen)


def test_factors_of_another_shape_and_light_that_would_not_count_are_refused(
    sampler: FaceSampler,
) -> None:
    chosen = factors(sampler.parameters(0, 0))
    for name, value in (("pose", np.zeros(2)), ("light", np.full((9, 3), np.nan))):
        with pytest.raises(SettingsError, match=name):
            RenderedFaces(sampler).render(**{**chosen, name: value})
    for changed in ({"preset": "photo", "photo": PhotoSettings()}, {"outputs": ("depth",)}):
        settings = dataclasses.replace(SETTINGS, **changed)
        with pytest.raises(SettingsError, match="generator"):
            RenderedFaces(types.SimpleNamespace(settings=settings))  # type: ignore[arg-type]
