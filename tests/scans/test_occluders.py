"""Hats, hair, strands and scarves over simulated faces."""

import numpy as np
import pytest

import geomface
from geomface.errors import SettingsError
from geomface.scans.occluders import OCCLUDERS, cover_surface
from geomface.scans.simulate import ScanSettings, simulate_scan

SMALL = ScanSettings(vertices=1500)


@pytest.fixture(scope="module")
def model() -> geomface.MorphableModel:
    return geomface.load_builtin_face()


@pytest.mark.parametrize("kind", OCCLUDERS)
def test_each_kind_covers_its_place_and_nothing_else(
    model: geomface.MorphableModel, kind: str, rng: np.random.Generator
) -> None:
    assert model.template.landmarks is not None
    positions = model.mesh.vertices
    marks = model.template.landmarks.positions(positions)
    skin = np.full(positions.shape, 0.6)
    cover = cover_surface(positions, skin, marks, [kind], rng)
    share = cover.covered.mean()
    assert 0.002 < share < 0.6
    assert (cover.lift[~cover.covered] == 0).all() and (cover.lift[cover.covered] > 0).all()
    assert cover.lift.max() <= 9.0
    np.testing.assert_array_equal(cover.colors[~cover.covered], 0.6)
    assert np.abs(cover.colors[cover.covered] - 0.6).max() > 0.05
    assert 0 <= cover.colors.min() and cover.colors.max() <= 1
    covered = positions[cover.covered, 1]
    if kind == "scarf":
        assert covered.max() < marks[33, 1]
    else:
        assert covered.min() > marks[57, 1] - 5


def test_a_covered_scan_shows_the_same_person(model: geomface.MorphableModel) -> None:
    plain, hat = (
        simulate_scan(
            model,
            rng=np.random.default_rng([3, 1]),
            settings=ScanSettings(vertices=1500, occluders=kinds),
        )
        for kinds in ((), ("hat",))
    )
    for name in ("identity", "expression", "albedo_code", "albedo"):
        np.testing.assert_array_equal(plain.truth[name], hat.truth[name])
    assert (plain.truth["covered"] == 0).all()
    covered = hat.truth["covered"]
    assert covered.shape == (len(hat.mesh.vertices),) and 0.05 < (covered > 0.5).mean() < 0.7
    assert 0 <= covered.min() and covered.max() <= 1
    assert hat.truth["seen"].sum() < plain.truth["seen"].sum()


def test_the_code_paints_the_face(model: geomface.MorphableModel) -> None:
    truth = simulate_scan(model, rng=np.random.default_rng(0), settings=SMALL).truth
    painted = geomface.faces.albedo.albedo_colors(model, truth["albedo_code"])
    np.testing.assert_allclose(painted, truth["albedo"], atol=1e-6)


def test_unknown_kinds_and_angles_are_refused() -> None:
    with pytest.raises(SettingsError, match="occluders: expected any of hat, hair"):
        ScanSettings(occluders=("veil",))
    with pytest.raises(SettingsError, match="pod_pitch_degrees: expected -60 to 60"):
        ScanSettings(pod_pitch_degrees=90)
