"""Parameters of a picture: turns, light, camera, grids."""

import dataclasses

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from geomface.errors import SettingsError
from geomface.faces.builtin import load_builtin_face
from geomface.rendering.differentiable import look_rotation, sh_basis
from geomface.rendering.differentiable.spherical_harmonics import LAMBERT
from geomface.statistics import MorphableModel
from geomface.synthesis import (
    BackgroundSettings,
    CameraSettings,
    Constant,
    Empirical,
    ExpressionSettings,
    FaceImageSettings,
    LightSettings,
    PhotoSettings,
    PoseSettings,
    Uniform,
    draw_parameters,
    draw_person,
)
from geomface.synthesis.grids import grid_point, grid_size, parse_factors
from geomface.synthesis.lights import harmonics, light_coefficients, room_light
from geomface.synthesis.parameters import FaceParameters, head_rotation

ANGLES = st.floats(-90, 90)


@pytest.fixture(scope="module")
def model() -> MorphableModel:
    return load_builtin_face()


def parameters(model: MorphableModel, sample: int = 0, **change: object) -> FaceParameters:
    images = dataclasses.replace(FaceImageSettings(identities=3, samples=1, seed=9), **change)
    person = draw_person(images.identity, len(model.shape), images.seed, 1)
    return draw_parameters(images, model, person, sample)


@given(ANGLES, ANGLES, ANGLES)
def test_rotation_is_that_of_the_renderer(yaw: float, pitch: float, roll: float) -> None:
    angles = (torch.tensor([angle], dtype=torch.float64) for angle in (yaw, pitch, roll))
    expected = look_rotation(*angles)[0].numpy()
    np.testing.assert_allclose(head_rotation(yaw, pitch, roll), expected, atol=1e-14)


@settings(max_examples=50)
@given(ANGLES, ANGLES, st.floats(0, 0.8), st.floats(0.1, 2), st.floats(-0.3, 0.3))
def test_light_shows_its_intensity_to_a_surface_that_faces_it(
    azimuth: float, elevation: float, share: float, intensity: float, warmth: float
) -> None:
    direction, shading = room_light(azimuth, elevation, share, intensity, warmth)
    basis = harmonics(direction)
    np.testing.assert_allclose(basis, sh_basis(torch.tensor(direction)[:, None])[:, 0], atol=1e-12)
    light = light_coefficients(direction, shading)
    found = np.einsum("k,k,kc->c", LAMBERT, basis, light)
    np.testing.assert_allclose(found, shading.sum(axis=0), atol=1e-12)
    assert found[1] == pytest.approx(intensity)
    away = np.einsum("k,k,kc->c", LAMBERT, harmonics(-direction), light)
    assert (away < found + 1e-12).all()


def test_light_stays_in_the_room_when_the_head_turns(model: MorphableModel) -> None:
    def towards(yaw: float) -> np.ndarray:
        found = parameters(
            model,
            pose=PoseSettings(Constant(yaw), Constant(0), Constant(0)),
            light=LightSettings(azimuth=Constant(50), elevation=Constant(0), share=Constant(0.5)),
        )
        main = found.light[[3, 1, 2], 1]
        return found.rotation @ main / np.linalg.norm(main)

    for yaw in (0.0, 40.0, -70.0):
        right, down, ahead = towards(yaw)
        assert right == pytest.approx(np.sin(np.radians(50)))
        assert down == pytest.approx(0, abs=1e-9) and ahead < 0


def test_pictures_do_not_depend_on_preset_size_outputs_or_count(model: MorphableModel) -> None:
    first = parameters(model)
    for change in (
        {"preset": "photo"},
        {"size": 64},
        {"outputs": ("depth",)},
        {"identities": 50},
        {"photo": PhotoSettings(hair=0)},
    ):
        again = parameters(model, **change)
        for field in dataclasses.fields(FaceParameters):
            if field.name != "person":
                before, now = getattr(first, field.name), getattr(again, field.name)
                np.testing.assert_array_equal(before, now, err_msg=field.name)
        np.testing.assert_array_equal(first.person.coefficients, again.person.coefficients)


def test_one_factor_does_not_move_the_others(model: MorphableModel) -> None:
    first = parameters(model)
    turned = parameters(model, pose=PoseSettings(yaw=Uniform(40, 50)))
    assert turned.yaw >= 40 and first.yaw != turned.yaw
    for name in ("expression", "distance", "scale", "gaze", "background"):
        np.testing.assert_array_equal(getattr(first, name), getattr(turned, name))


def test_a_grid_covers_all_combinations_and_holds_the_rest(model: MorphableModel) -> None:
    factors = parse_factors(["yaw=-60:60:30", "light_azimuth=-45,45", "jawOpen=0,1"])
    assert factors["yaw"] == (-60, -30, 0, 30, 60) and grid_size(factors) == 20
    points = [tuple(grid_point(factors, k).values()) for k in range(20)]
    assert len(set(points)) == 20 and points[0] == (-60, -45, 0) and points[1] == (-60, -45, 1)
    drawn = [parameters(model, sample, factors=factors) for sample in range(20)]
    jaw = model.blendshapes.names.index("jawOpen")
    for item, (yaw, _, opened) in zip(drawn, points, strict=True):
        assert item.yaw == yaw and item.expression[jaw] == opened
        assert item.pitch == drawn[0].pitch and item.distance == drawn[0].distance
    loose = [parameters(model, sample, factors=factors, others="random") for sample in range(3)]
    assert len({item.pitch for item in loose}) == 3


def test_expression_kinds(model: MorphableModel) -> None:
    still = parameters(model, expression=ExpressionSettings("neutral"))
    assert not still.expression.any()
    each = parameters(model, expression=ExpressionSettings("weights", weights=Uniform(0.1, 0.2)))
    assert (each.expression >= 0.1).all() and len(set(each.expression)) > 30
    rows = tuple(tuple(row) for row in np.eye(len(model.blendshapes)))
    one = parameters(model, expression=ExpressionSettings("weights", weights=Empirical(rows)))
    assert one.expression.sum() == 1 and one.expression.max() == 1


def test_people_smile_with_corners_up_and_cheeks_raised(model: MorphableModel) -> None:
    names, marks = model.blendshapes.names, model.template.landmarks
    assert marks is not None
    neutral = marks.positions(model.mesh.vertices)
    always = ExpressionSettings(smiles=1.0)
    apart = float(np.linalg.norm(neutral[42:48].mean(axis=0) - neutral[36:42].mean(axis=0)))
    raised = []
    for sample in range(30):
        drawn = parameters(model, sample, expression=always).expression
        same = parameters(model, sample, expression=ExpressionSettings(smiles=0.0)).expression
        shown = dict(zip(names, drawn, strict=True))
        assert drawn.max() <= 1 and shown["mouthSmileLeft"] > 0.3 < shown["mouthSmileRight"]
        assert shown["cheekSquintLeft"] > 0.1 and shown["mouthFrownLeft"] == 0
        brows = [k for k, name in enumerate(names) if name.startswith("brow")]
        np.testing.assert_array_equal(drawn[brows], same[brows])
        face = model.mesh.vertices + np.tensordot(drawn, model.blendshapes.modes, 1)
        moved = (marks.positions(face) - neutral)[[48, 54]] / apart
        assert moved[0, 0] < 0 < moved[1, 0]
        raised.append(moved[:, 1].mean())
    assert np.mean(raised) > 0.045
    many = [parameters(model, sample).expression for sample in range(200)]
    smile = names.index("mouthSmileLeft")
    assert 0.22 < np.mean([weights[smile] > 0.3 for weights in many]) < 0.42


def test_joint_poses_and_light_rows(model: MorphableModel) -> None:
    pose = parameters(model, pose=PoseSettings(joint=Empirical(((10.0, 20.0, 30.0),))))
    assert (pose.yaw, pose.pitch, pose.roll) == (10, 20, 30)
    row = tuple(float(k) for k in range(27))
    lit = parameters(model, light=LightSettings(coefficients=Empirical((row,))))
    np.testing.assert_array_equal(lit.light.ravel(), row)


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (lambda: FaceImageSettings(identities=0), "identities: expected 1 to"),
        (lambda: FaceImageSettings(samples=0), "samples: expected 1 to"),
        (lambda: FaceImageSettings(size=8), "size: expected 16 to 4096"),
        (lambda: FaceImageSettings(seed=-1), "seed: expected 0 to"),
        (lambda: FaceImageSettings(preset="film"), "preset: expected one of plain, photo"),
        (lambda: FaceImageSettings(outputs=()), "outputs: expected at least one"),
        (lambda: FaceImageSettings(outputs=("rgb", "heat")), "got 'heat'"),
        (lambda: FaceImageSettings(outputs=("rgb", "rgb")), "names one of them twice"),
        (lambda: FaceImageSettings(samples=3, factors={"yaw": (0, 1)}), "leave out samples"),
        (lambda: FaceImageSettings(factors={"yaw": ()}), "at least one level"),
        (lambda: LightSettings(share=Constant(0.9)), "light share: expected 0 to 0.8"),
        (lambda: LightSettings(intensity=Uniform(-1, 1)), "light intensity: expected at least 0"),
        (lambda: CameraSettings(distance=Constant(10)), "distance: expected at least 200"),
        (lambda: BackgroundSettings("forest"), "background: expected one of"),
        (lambda: ExpressionSettings("happy"), "expression: expected one of"),
        (lambda: ExpressionSettings(smiles=1.5), "smiles: expected 0 to 1"),
        (lambda: PhotoSettings(hair=2), "hair: expected 0 to 1"),
        (lambda: PhotoSettings(detail=-1), "detail: expected 0 to 10"),
        (lambda: parse_factors(["yaw"]), "expected name=first:last:step"),
        (lambda: parse_factors(["yaw=a,b"]), "expected name=first:last:step"),
        (lambda: parse_factors(["yaw=0:1:0"]), "expected name=first:last:step"),
        (lambda: parse_factors(["yaw=0:1:-1"]), "does not lead from 0 to 1"),
        (lambda: parse_factors(["yaw=0,nan"]), "expected name=first:last:step"),
        (lambda: parse_factors(["yaw=0", "yaw=1"]), "given twice"),
    ],
)
def test_bad_settings_are_refused(make, sentence: str) -> None:
    with pytest.raises(SettingsError, match=sentence):
        make()


def test_an_unknown_factor_is_refused_with_what_there_is(model: MorphableModel) -> None:
    with pytest.raises(SettingsError, match=r"grid factor 'smile'.*yaw.*jawOpen"):
        parameters(model, factors={"smile": (0.0, 1.0)})
