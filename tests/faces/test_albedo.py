"""The procedural albedo: plausible, local, and tied to the shape by a known correlation."""

import dataclasses
from pathlib import Path

import numpy as np
import pytest

from geomface.errors import LandmarkError, SettingsError
from geomface.faces.albedo import AlbedoModel, albedo_colors, albedo_model
from geomface.faces.albedo_code import (
    ALBEDO_PARAMETERS,
    ALBEDO_SIZE,
    IDENTITY_CORRELATION,
    SPOTS,
    TOLD,
    code_values,
    draw_code,
    identity_rotation,
    sample_albedo_code,
)
from geomface.faces.albedo_hair import brow_cover
from geomface.faces.albedo_kernel import colors_of_lab
from geomface.faces.builtin import load_builtin_face
from geomface.faces.color import srgb_to_lab
from geomface.faces.ict import load_ict
from geomface.mesh import LandmarkEmbedding, Template
from geomface.statistics import MorphableModel


@pytest.fixture(scope="module")
def face() -> MorphableModel:
    return load_builtin_face()


@pytest.fixture(scope="module")
def skin(face: MorphableModel) -> AlbedoModel:
    return albedo_model(face)


def code(**values: float) -> np.ndarray:
    result = np.zeros(ALBEDO_SIZE)
    for name, value in values.items():
        result[ALBEDO_PARAMETERS.index(name)] = value
    return result


def test_lab_reference_colors() -> None:
    """White, black and the sRGB red primary."""
    lab = np.array([[100.0, 0, 0], [0, 0, 0], [53.2408, 80.0925, 67.2032]], np.float32)
    np.testing.assert_allclose(colors_of_lab(lab), [[1, 1, 1], [0, 0, 0], [1, 0, 0]], atol=2e-3)


def test_lab_and_srgb_are_inverse() -> None:
    colors = np.random.default_rng(1).random((500, 3))
    back = colors_of_lab(srgb_to_lab(colors).astype(np.float32))
    np.testing.assert_allclose(back, colors, atol=1e-4)
    outside = np.array([[60.0, 120, 90], [120, 0, 0], [-5, 0, 0]], np.float32)
    assert colors_of_lab(outside).min() == 0 and colors_of_lab(outside).max() == 1


def test_colors_are_skin_over_the_whole_range(skin: AlbedoModel) -> None:
    rng = np.random.default_rng(3)
    means = []
    for _ in range(60):
        colors = skin.colors(rng.standard_normal(ALBEDO_SIZE))
        assert colors.dtype == np.float32
        assert colors.min() >= 0 and colors.max() <= 1 and np.isfinite(colors).all()
        red, green, blue = means_of = colors.mean(axis=0)
        assert red > green > blue, "skin is reddish yellow"
        means.append(means_of)
    light = np.array(means).mean(axis=1)
    assert light.min() < 0.40 and light.max() > 0.6


def test_tone_lightens_everywhere(skin: AlbedoModel) -> None:
    steps = [skin.colors(code(tone=t)).mean(axis=1) for t in (-2.5, -1, 0, 1, 2.5)]
    bare = np.ones(len(skin.fields.lip), bool)
    bare[skin.fields.hair.brow_rows] = False
    for darker, lighter in zip(steps[:-1], steps[1:], strict=True):
        assert (lighter[bare] > darker[bare]).all()


def zone(skin: AlbedoModel, field: str) -> np.ndarray:
    """Return (P,) how much each place belongs to a field."""
    fields = skin.fields
    if field in fields.spots:
        return np.asarray(fields.spots[field].shape.sum(axis=1))
    return fields.folds[field] if field in fields.folds else getattr(fields, field)


@pytest.mark.parametrize(
    ("name", "field", "channel", "sign"),
    [
        ("cheekRedness", "cheek", 1, -1),
        ("noseRedness", "nose", 1, -1),
        ("lipRedness", "lip", 1, -1),
        ("crowsFeet", "crowsFeet", 0, -1),
        ("nasolabial", "nasolabial", 0, -1),
        ("socketDarkness", "socket", 0, -1),
        ("freckles", "freckle", 0, -1),
    ],
)
def test_a_parameter_moves_its_own_zone(
    skin: AlbedoModel, name: str, field: str, channel: int, sign: int
) -> None:
    old = {"age": 1.0} if field in skin.fields.folds else {}
    change = skin.colors(code(**{name: 2.0}, **old)) - skin.colors(code(**old))
    weight = zone(skin, field)
    inside, outside = weight > 0.3, weight < 0.02
    assert inside.sum() > 10 and outside.sum() > 1000
    assert (sign * change[inside, channel]).mean() > 0.02
    assert np.abs(change[outside]).mean() < 0.25 * np.abs(change[inside]).mean()


def test_lips_brows_and_lashes_stand_out(face: MorphableModel, skin: AlbedoModel) -> None:
    colors = skin.colors(code())
    assert face.template.landmarks is not None
    marks = face.template.landmarks.vertices[:, 0]
    regions = face.template.regions
    cheek = colors[regions["cheeks"]].mean(axis=0)
    lips = colors[regions["lips"]].mean(axis=0)
    assert lips[0] / lips[1] > cheek[0] / cheek[1] + 0.1
    assert colors[marks[[18, 19, 20, 23, 24, 25]]].mean() < 0.75 * cheek.mean()
    assert skin.fields.lip[marks[[51, 57, 62, 66]]].min() > 0.3
    assert skin.fields.lip[marks[:48]].max() < 0.01


def test_fields_do_not_depend_on_the_unit(face: MorphableModel) -> None:
    mesh = face.mesh.replace(vertices=face.mesh.vertices / 10, unit="cm")
    small = Template(mesh, face.template.landmarks)
    np.testing.assert_allclose(
        albedo_colors(small, code(beard=1)), albedo_colors(face, code(beard=1)), atol=1e-5
    )


def test_works_on_another_template(shared_data: Path) -> None:
    ict = load_ict(shared_data / "ict" / "ict_face.npz")
    colors = albedo_colors(ict, code())
    assert colors.shape == (9409, 3)
    assert ict.template.landmarks is not None
    marks = ict.template.landmarks.vertices[:, 0]
    assert colors[marks[[19, 24]]].mean() < 0.85 * np.median(colors.mean(axis=1))
    assert colors[marks[57], 0] / colors[marks[57], 1] > colors[marks[8], 0] / colors[marks[8], 1]


def test_rotation_is_orthogonal_and_fixed() -> None:
    q = identity_rotation()
    np.testing.assert_allclose(q @ q.T, np.eye(len(TOLD)), atol=1e-12)
    np.testing.assert_array_equal(q, identity_rotation())


def test_code_correlates_with_identity_as_designed() -> None:
    """Whitened cross-covariance has the designed singular values: canonical correlations = rho."""
    rng = np.random.default_rng(11)
    count = 4000
    alpha = rng.standard_normal((count, 20))
    codes = np.stack([sample_albedo_code(row, rng) for row in alpha])
    assert np.abs(codes.mean(axis=0)).max() < 0.06
    assert np.abs(codes.std(axis=0) - 1).max() < 0.05
    told = alpha[:, : len(TOLD)] @ identity_rotation().T
    each = [np.corrcoef(told[:, k], codes[:, k])[0, 1] for k in range(len(TOLD))]
    np.testing.assert_allclose(each, IDENTITY_CORRELATION, atol=0.05)
    whitened = [
        np.linalg.svd(part - part.mean(axis=0), full_matrices=False)[0]
        for part in (alpha[:, : len(TOLD)], codes[:, : len(TOLD)])
    ]
    canonical = np.linalg.svd(whitened[0].T @ whitened[1], compute_uv=False)
    np.testing.assert_allclose(canonical, IDENTITY_CORRELATION, atol=0.05)


def test_bad_input(face: MorphableModel, skin: AlbedoModel, rng: np.random.Generator) -> None:
    with pytest.raises(SettingsError, match=f"at most {ALBEDO_SIZE} numbers"):
        skin.colors(np.zeros(ALBEDO_SIZE + 1))
    with pytest.raises(SettingsError, match="NaN"):
        skin.colors(np.full(ALBEDO_SIZE, np.nan))
    with pytest.raises(SettingsError, match="at least 16"):
        sample_albedo_code(np.zeros(15), rng)
    with pytest.raises(LandmarkError, match="no landmarks"):
        albedo_colors(Template(face.mesh), code())
    few = dataclasses.replace(
        face.template, landmarks=LandmarkEmbedding.on_vertices(np.arange(5), "five")
    )
    with pytest.raises(LandmarkError, match="'five'"):
        albedo_colors(few, code())


def test_men_of_a_beard_code_wear_it_and_women_do_not(skin: AlbedoModel) -> None:
    grown = {"beard": 2.0, "beardLength": 1.0}
    man, bearded = (skin.colors(code(masculinity=1.5, **more)) for more in ({}, grown))
    woman, other = (skin.colors(code(masculinity=-1.5, **more)) for more in ({}, grown))
    zone = skin.fields.hair.jaw > 0.8
    assert (man - bearded)[zone].mean() > 0.2
    np.testing.assert_allclose(woman, other, atol=1e-6)


def test_brows_move_and_grow_by_code(skin: AlbedoModel) -> None:
    hair = skin.fields.hair
    height = hair.height[hair.brow_rows]

    def brow(**values: float) -> tuple[float, float]:
        cover = brow_cover(hair, code_values(code(**values)), 0.5)
        return float((cover * height).sum() / cover.sum()), float(cover.sum())

    assert brow(browHeight=1.5)[0] - brow(browHeight=-1.5)[0] > 2.5
    for name in ("browWidth", "browDensity"):
        assert brow(**{name: 2.0})[1] > 1.4 * brow(**{name: -2.0})[1]


def test_noses_have_nostrils_and_lids_a_crease_of_their_own(
    face: MorphableModel, skin: AlbedoModel
) -> None:
    marks = face.template.landmarks
    assert marks is not None
    places = marks.positions(face.mesh.vertices)
    light = srgb_to_lab(skin.colors(np.zeros(0)))[:, 0]
    for side in (32, 34):
        # An opening of some millimetres beside the base of the nose, on the side that looks down.
        near = np.linalg.norm(face.mesh.vertices - places[side], axis=1) < 8
        darkest = face.mesh.vertices[near][np.argmin(light[near])]
        assert light[near].min() < 45 < np.median(light[near]) - 10
        assert np.sign(darkest[0]) == np.sign(places[side, 0])
        assert places[side, 1] < darkest[1] < places[30, 1] - 5
    table = skin.fields.openings["lid_height"]
    high, low, none = (
        srgb_to_lab(skin.colors(code(**kind)))[:, 0] - light
        for kind in ({"lidCreaseHeight": 2.0}, {"lidCreaseHeight": -1.5}, {"lidCrease": -4.0})
    )
    assert high[np.abs(table - 7.4) < 0.6].mean() < -1.5 < low[np.abs(table - 7.4) < 0.6].mean()
    assert none[np.abs(table - 4.2) < 0.6].mean() > 3.0


def test_what_follows_a_code_does_not_depend_on_its_length() -> None:
    drawn = np.random.default_rng(3)
    first = draw_code(drawn)
    plain = np.random.default_rng(3)
    np.testing.assert_array_equal(first[:75], plain.standard_normal(75))
    assert drawn.random() == plain.random() and np.ptp(first[75:]) > 0


def test_no_two_people_share_their_spots(skin: AlbedoModel) -> None:
    """Moles lie at fixed places of a person, elsewhere for others, and a mix inherits some."""
    rng = np.random.default_rng(4)
    moles = skin.fields.spots["mole"]
    covers = [moles.cover(rng.standard_normal(SPOTS), 1.9, 0.25) > 0.1 for _ in range(40)]
    shown = [np.flatnonzero(cover) for cover in covers if cover.any()]
    assert len(shown) > 20
    shared = [
        len(np.intersect1d(a, b)) / min(len(a), len(b))
        for a, b in zip(shown[:-1], shown[1:], strict=True)
    ]
    assert np.mean(shared) < 0.1


def test_people_differ_in_more_than_their_tone(skin: AlbedoModel) -> None:
    rng = np.random.default_rng(8)
    colors = np.stack([skin.colors(rng.standard_normal(ALBEDO_SIZE)) for _ in range(200)])
    for rows, least in ((colors, 5.0), (colors - colors.mean(axis=1, keepdims=True), 8.0)):
        rows = rows.reshape(len(rows), -1).astype(np.float64)
        rows = rows - rows.mean(axis=0)
        values = np.linalg.eigvalsh(rows @ rows.T)
        assert values.sum() ** 2 / (values**2).sum() > least
