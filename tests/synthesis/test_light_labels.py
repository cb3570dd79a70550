"""What the manifest says of the light of photographs."""

import dataclasses
import json

import numpy as np
import pytest

from geomface.datasets import load_synthetic
from geomface.pipeline import FaceSetSettings, generate_faces
from geomface.synthesis import FaceImageSettings, FaceSampler
from geomface.synthesis.lights import harmonics, light_coefficients, room_light
from geomface.synthesis.parameters import head_rotation
from geomface.synthesis.photo.light_labels import rig_harmonics
from geomface.synthesis.photo.light_rig import RIGS, SKY, Lamp, LightRig, draw_rig, room_rig
from geomface.synthesis.streams import stream

LAMBERT = np.array([1.0, *[2 / 3] * 3, *[1 / 4] * 5])


def test_a_room_gives_back_the_light_of_the_plain_preset() -> None:
    rotation = head_rotation(25.0, -10.0, 5.0)
    direction, shading = room_light(30.0, 20.0, 0.6, 1.1, 0.1)
    light = light_coefficients(rotation.T @ (direction * [1.0, -1.0, -1.0]), shading)
    found = rig_harmonics(room_rig(light, rotation), rotation)
    np.testing.assert_allclose(found[:4], light[:4], atol=1e-3)
    np.testing.assert_allclose(found[4:], light[4:], atol=0.12)  # the sky has 16 directions


@pytest.mark.parametrize("kind", RIGS)
def test_harmonics_shade_a_ball_as_lamps_and_sky_do(kind: str) -> None:
    """Against the sums of clamped cosines, of which nine harmonics keep all but a few percent."""
    rotation = head_rotation(-20.0, 10.0, 3.0)
    rig = draw_rig(kind, stream(3, "rig", 0))
    normals = np.random.default_rng(0).standard_normal((400, 3))
    normals /= np.linalg.norm(normals, axis=1, keepdims=True)
    seen = (normals @ rotation.T) * [1.0, -1.0, -1.0]  # camera axes, turned face to face
    true = np.clip(seen @ SKY.T, 0, None) @ rig.sky * 4.0 / len(SKY)
    for lamp in rig.lamps:
        true += np.clip(seen @ lamp.direction, 0, None)[:, None] * lamp.color
    basis = np.stack([harmonics(normal) for normal in normals])
    shaded = (basis * LAMBERT) @ rig_harmonics(rig, rotation)
    assert np.abs(shaded - true).mean() < 0.06 * true.max()
    assert np.corrcoef(shaded.ravel(), true.ravel())[0, 1] > 0.97


def test_the_manifest_holds_the_light_and_older_ones_are_read(tmp_path) -> None:
    settings = FaceImageSettings(identities=2, samples=1, size=32, preset="photo", seed=5)
    generate_faces(FaceSetSettings(settings, tmp_path / "photo"))
    sampler = FaceSampler(settings)
    for record in load_synthetic(tmp_path / "photo"):
        rig = record.parameters["rig"]
        item = sampler.parameters(record.identity, record.sample)
        assert rig == sampler.light_labels(item)
        lamps = tuple(
            Lamp(np.array(one["direction"]), np.array(one["color"]), one["size"])
            for one in rig["lamps"]
        )
        again = LightRig(rig["kind"], lamps, np.array(rig["sky"]))
        np.testing.assert_allclose(rig_harmonics(again, item.rotation), rig["harmonics"])
        assert rig["kind"] in RIGS and rig["exposure"] > 0 and 0.25 <= rig["gloss"] <= 1.2
    plain = dataclasses.replace(settings, preset="plain")
    generate_faces(FaceSetSettings(plain, tmp_path / "plain"))
    rows = (tmp_path / "plain" / "manifest.jsonl").read_text().splitlines()
    assert all("rig" not in json.loads(row)["parameters"] for row in rows)
    assert len(load_synthetic(tmp_path / "plain")) == 2
