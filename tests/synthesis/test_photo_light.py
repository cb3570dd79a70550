"""Light of photographs: rigs, and what shadows, hollows, lids and skin do to a picture."""

import dataclasses
from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest

from geomface.errors import SettingsError
from geomface.synthesis import (
    BackgroundSettings,
    Constant,
    FaceImageSettings,
    FaceSampler,
    Gaussian,
    LightSettings,
    PhotoSettings,
    PoseSettings,
    stream,
)
from geomface.synthesis.lights import light_coefficients, room_light
from geomface.synthesis.parameters import head_rotation
from geomface.synthesis.photo.developing import develop
from geomface.synthesis.photo.light_rig import RIGS, SKY, draw_rig, picture_rig, room_rig

STILL = PhotoSettings(
    detail=0.0,
    hair=0.0,
    beard=0.0,
    glasses=0.0,
    occluders=0.0,
    blur=Constant(0),
    noise=Constant(0),
    jitter=0.0,
    film=0.0,
    coarse=0.0,
    sharpening=Constant(0),
    jpeg=0.0,
)
SET = FaceImageSettings(
    identities=4,
    size=96,
    seed=3,
    preset="photo",
    outputs=("rgb", "alpha", "region"),
    pose=PoseSettings(Constant(0), Constant(0), Constant(0)),
    background=BackgroundSettings("grey", Constant(0.5)),
)


def _pictures(**photo: Any) -> tuple[np.ndarray, Mapping[str, np.ndarray]]:
    still = dataclasses.replace(STILL, **photo)
    batch = FaceSampler(dataclasses.replace(SET, photo=still)).batch([(k, 0) for k in range(4)])
    return batch.images["rgb"].mean(axis=3), batch.images


def test_a_room_is_the_light_of_the_plain_preset() -> None:
    direction, shading = room_light(30.0, 20.0, 0.6, 1.1, 0.1)
    rotation = head_rotation(25.0, -10.0, 5.0)
    towards = np.einsum("ij,i->j", rotation, direction * [1.0, -1.0, -1.0])
    rig = room_rig(light_coefficients(towards, shading), rotation)
    np.testing.assert_allclose(rig.lamps[0].direction, direction, atol=1e-9)
    np.testing.assert_allclose(rig.lamps[0].color, shading[1], rtol=1e-9)
    np.testing.assert_allclose(rig.sky, np.tile(shading[0], (len(SKY), 1)), rtol=1e-9)


@pytest.mark.parametrize(
    "light", [LightSettings(intensity=Constant(0)), LightSettings(share=Constant(0))]
)
def test_light_without_a_lamp_can_be_drawn(light: LightSettings) -> None:
    settings = dataclasses.replace(SET, size=32, light=light, photo=STILL)
    sampler = FaceSampler(settings)
    item = sampler.parameters(0, 0)
    lamp = room_rig(item.light, item.rotation).lamps[0]
    assert np.linalg.norm(lamp.direction) == pytest.approx(1)
    np.testing.assert_allclose(lamp.color, 0, atol=1e-9)
    assert np.isfinite(sampler.batch([(0, 0)]).images["rgb"]).all()


@pytest.mark.parametrize("kind", RIGS)
def test_rigs_have_lamps_and_a_sky(kind: str) -> None:
    for number in range(20):
        rig = draw_rig(kind, stream(0, "rig", number))
        assert rig.kind == kind and 1 <= len(rig.lamps) <= 3
        for lamp in rig.lamps:
            assert np.linalg.norm(lamp.direction) == pytest.approx(1)
            assert (lamp.color > 0).all() and lamp.size > 0
        assert (rig.sky > 0).all()
        ahead = rig.lamps[0].direction[2]
        assert ahead > 0, "the face itself is lit from the front"


def test_main_lights_stand_near_the_camera() -> None:
    rigs = [draw_rig("mixed", stream(1, "rig", number)) for number in range(400)]
    assert {rig.kind for rig in rigs} == set(RIGS)
    angles = np.degrees(np.arccos([rig.lamps[0].direction[2] for rig in rigs]))
    assert np.median(angles) < 45 and np.percentile(angles, 90) > 60


def test_numbers_of_the_light_are_obeyed() -> None:
    given = dataclasses.replace(SET, light=LightSettings(azimuth=Constant(50)))
    for settings, kinds in ((given, {"room"}), (SET, set(RIGS))):
        sampler = FaceSampler(settings)
        item = sampler.parameters(0, 0)
        assert picture_rig(settings, item, stream(0, "rig")).kind in kinds
    grid = dataclasses.replace(SET, factors={"light_azimuth": (-60.0, 60.0)})
    pictures = FaceSampler(grid).batch([(0, 0), (0, 1)]).images["rgb"].mean(axis=3)
    left, right = (
        pictures[:, 30:70, 30:46].mean(axis=(1, 2)),
        pictures[:, 30:70, 50:66].mean(axis=(1, 2)),
    )
    assert left[0] > right[0] and left[1] < right[1]
    with pytest.raises(SettingsError, match="light_rig: expected one of auto"):
        PhotoSettings(light_rig="sun")  # type: ignore[arg-type]


def test_parts_of_the_light_can_be_left_out() -> None:
    whole, images = _pictures(light_rig="overhead")
    face = images["alpha"] == 1
    for off in ("shadows", "occlusion"):
        flat, _ = _pictures(light_rig="overhead", **{off: False})
        dark, light = (pictures[face].std() / pictures[face].mean() for pictures in (whole, flat))
        assert dark > 1.02 * light, off
    open_eyes, _ = _pictures(light_rig="overhead", lids=0.0)
    eyes = images["region"] == images["region"].max()
    assert (whole[eyes] <= open_eyes[eyes] + 1e-6).all()
    assert whole[eyes].mean() < 0.95 * open_eyes[eyes].mean()
    # Pixels at the edge of the lids show both.
    assert (whole == open_eyes)[~eyes & face].mean() > 0.98


def test_red_light_spreads_farther_under_the_skin() -> None:
    _, through = _pictures(light_rig="key")
    _, wooden = _pictures(light_rig="key", subsurface=0.0)
    change = through["rgb"] / np.maximum(wooden["rgb"], 1e-3)
    face = (through["alpha"] == 1) & (wooden["rgb"].mean(axis=3) < 0.15)
    red, blue = change[face][:, 0], change[face][:, 2]
    assert red.mean() > 1.02 * blue.mean()


def test_numbers_drawn_beyond_all_measure_are_clipped() -> None:
    wild = Gaussian(0.0, 1e30)
    settings = dataclasses.replace(PhotoSettings(), blur=wild, noise=wild, sharpening=wild)
    picture = np.full((32, 32, 3), 0.5, np.float32)
    for seed in range(8):
        developed = develop(picture, settings, stream(seed, "develop"))
        assert developed.min() >= 0 and developed.max() <= 1
