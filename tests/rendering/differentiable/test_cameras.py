"""Cameras against their formulas, and the same camera in the numbers of other libraries."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from geomface.errors import MeshError, SettingsError
from geomface.rendering.camera import view_rotation
from geomface.rendering.differentiable import (
    CONVENTIONS,
    PerspectiveCamera,
    WeakPerspectiveCamera,
    from_convention,
    look_at_face,
    look_rotation,
    to_convention,
)

HEIGHT, WIDTH = 48, 64


def random_camera(seed: int, weak: bool, batch: int = 2):
    generator = torch.Generator().manual_seed(seed)
    draw = lambda *shape: torch.rand(*shape, generator=generator, dtype=torch.float64)  # noqa: E731
    rotation = look_rotation(*(90 * (draw(batch) - 0.5) for _ in range(3)))
    translation = torch.cat([20 * draw(batch, 2), 500 + 100 * draw(batch, 1)], 1)
    principal = 32 + 4 * draw(batch, 2)
    if weak:
        return WeakPerspectiveCamera(0.2 + draw(batch), principal, rotation, translation)
    return PerspectiveCamera(200 + 50 * draw(batch, 2), principal, rotation, translation)


def points(seed: int, batch: int = 2, count: int = 7) -> torch.Tensor:
    generator = torch.Generator().manual_seed(seed)
    return 100 * torch.randn(batch, count, 3, generator=generator, dtype=torch.float64)


def test_the_face_is_seen_from_the_front():
    camera = look_at_face(HEIGHT, WIDTH, distance=1000, field_of_view=20, dtype=torch.float64)
    axes = torch.tensor([[[0.0, 0, 0], [10, 0, 0], [0, 10, 0], [0, 0, 10]]], dtype=torch.float64)
    centre, left, up, out = camera.project(axes)[0]
    assert torch.allclose(
        centre, torch.tensor([WIDTH / 2, HEIGHT / 2, 1000.0], dtype=torch.float64)
    )
    assert left[0] > centre[0], "the subject's left is on the right of the picture"
    assert left[1] == centre[1]
    assert up[1] < centre[1], "up is up: rows count downwards"
    assert out[2] == 990, "the nose is nearer"
    # The field of view spans the height of the picture.
    edge = 1000 * math.tan(math.radians(10))
    border = camera.project(torch.tensor([[[0.0, edge, 0.0]]], dtype=torch.float64))[0, 0]
    assert abs(float(border[1])) < 1e-9


@settings(max_examples=25, deadline=None)
@given(st.floats(-180, 180), st.floats(-90, 90))
def test_turns_agree_with_the_studio_camera(yaw, pitch):
    angles = [torch.tensor([value], dtype=torch.float64) for value in (yaw, pitch, 0.0)]
    flip = np.diag([1.0, -1.0, -1.0])
    assert (
        np.abs(look_rotation(*angles)[0].numpy() - flip @ view_rotation(yaw, pitch)).max() < 1e-12
    )


def test_roll_turns_the_picture_counterclockwise():
    camera = look_at_face(HEIGHT, WIDTH, roll=90.0, dtype=torch.float64)
    x, y, _ = camera.project(torch.tensor([[[10.0, 0, 0]]], dtype=torch.float64))[0, 0]
    assert abs(float(x) - WIDTH / 2) < 1e-9
    assert y < HEIGHT / 2, "what was on the right is now above"


def test_a_distant_pinhole_is_a_weak_perspective():
    options = {"yaw": 20.0, "distance": 1e7, "field_of_view": 1e-3, "dtype": torch.float64}
    strong = look_at_face(HEIGHT, WIDTH, **options).project(points(0))
    weak = look_at_face(HEIGHT, WIDTH, weak=True, **options).project(points(0))
    assert (strong - weak).abs().max() < 0.01


def test_one_camera_of_a_batch_is_the_same_alone():
    yaws = torch.linspace(-70, 70, 11)
    together = look_at_face(HEIGHT, WIDTH, yaw=yaws, distance=torch.linspace(500, 900, 11))
    for k, yaw in enumerate(yaws):
        alone = look_at_face(HEIGHT, WIDTH, yaw=yaw, distance=torch.linspace(500, 900, 11)[k])
        assert torch.equal(together.rotation[k], alone.rotation[0])
        assert torch.equal(
            together.project(points(1, 1).float())[k], alone.project(points(1, 1).float())[0]
        )


@pytest.mark.parametrize("weak", [False, True])
@pytest.mark.parametrize("convention", CONVENTIONS)
@settings(max_examples=10, deadline=None)
@given(seed=st.integers(0, 1000))
def test_conventions_there_and_back(convention, weak, seed):
    camera = random_camera(seed, weak)
    back = from_convention(to_convention(camera, convention, HEIGHT, WIDTH), HEIGHT, WIDTH)
    assert type(back) is type(camera)
    assert (back.project(points(seed)) - camera.project(points(seed))).abs().max() < 1e-8


@pytest.mark.parametrize("weak", [False, True])
def test_opencv_projects_to_pixel_centres_at_integers(weak):
    camera = random_camera(3, weak)
    foreign = to_convention(camera, "opencv", HEIGHT, WIDTH)
    seen = points(3) @ foreign.rotation.transpose(1, 2) + foreign.translation[:, None]
    if weak:
        seen = torch.cat([seen[..., :2], torch.ones_like(seen[..., :1])], -1)
    image = seen @ foreign.intrinsics.transpose(1, 2)
    image = image[..., :2] / image[..., 2:]
    assert (image + 0.5 - camera.project(points(3))[..., :2]).abs().max() < 1e-9


@pytest.mark.parametrize("weak", [False, True])
def test_opengl_clips_to_the_cube_with_rows_from_the_bottom(weak):
    camera = random_camera(4, weak)
    foreign = to_convention(camera, "opengl", HEIGHT, WIDTH, near=100.0, far=2000.0)
    ones = torch.ones_like(points(4)[..., :1])
    clip = torch.cat([points(4), ones], -1) @ (foreign.projection @ foreign.view).transpose(1, 2)
    ndc = clip[..., :3] / clip[..., 3:]
    expected = camera.project(points(4))
    assert (WIDTH * (ndc[..., 0] + 1) / 2 - expected[..., 0]).abs().max() < 1e-9
    assert (HEIGHT * (1 - ndc[..., 1]) / 2 - expected[..., 1]).abs().max() < 1e-9
    # Depth grows from -1 at the near plane to 1 at the far one.
    order = expected[0, :, 2].argsort()
    assert (ndc[0, order, 2].diff() > 0).all()
    assert ((ndc[..., 2] > -1) & (ndc[..., 2] < 1)).all()


@pytest.mark.parametrize("weak", [False, True])
def test_pytorch3d_has_x_to_the_left_and_the_short_side_from_minus_one(weak):
    camera = random_camera(5, weak)
    foreign = to_convention(camera, "pytorch3d", HEIGHT, WIDTH)
    seen = points(5) @ foreign.R + foreign.T[:, None]
    plane = seen[..., :2] if weak else seen[..., :2] / seen[..., 2:]
    ndc = foreign.focal_length[:, None] * plane + foreign.principal_point[:, None]
    expected = camera.project(points(5))
    assert foreign.parallel == weak
    half = min(HEIGHT, WIDTH) / 2
    assert (WIDTH / 2 - half * ndc[..., 0] - expected[..., 0]).abs().max() < 1e-9
    assert (HEIGHT / 2 - half * ndc[..., 1] - expected[..., 1]).abs().max() < 1e-9
    assert (seen[..., 2] - expected[..., 2]).abs().max() < 1e-9


@pytest.mark.parametrize("weak", [False, True])
def test_projection_is_differentiable_in_every_number(weak):
    camera = random_camera(6, weak)
    fields = [
        getattr(camera, name).clone().requires_grad_()
        for name in ("scale" if weak else "focal", "principal", "rotation", "translation")
    ]
    build = type(camera)
    assert torch.autograd.gradcheck(
        lambda p, *numbers: build(*numbers).project(p), (points(6).requires_grad_(), *fields)
    )


@pytest.mark.parametrize("weak", [False, True])
def test_the_eye_is_where_points_come_from(weak):
    camera = random_camera(7, weak)
    image = torch.tensor([0, 1, 1])
    here = points(7)[image, :1].reshape(3, 3)
    towards = camera.towards_eye(here.T.contiguous(), image).T
    # A point moved towards the eye stays on its pixel and comes nearer.
    before = torch.stack([camera.project(here[None])[i, k] for k, i in enumerate(image)])
    moved = here + 0.3 * towards
    after = torch.stack([camera.project(moved[None])[i, k] for k, i in enumerate(image)])
    assert (before - after)[:, :2].abs().max() < 1e-9
    assert (after[:, 2] < before[:, 2]).all()


def test_bad_cameras_are_refused_with_a_sentence():
    with pytest.raises(SettingsError, match=r"opencv.*'blender'"):
        to_convention(random_camera(0, False), "blender", HEIGHT, WIDTH)
    with pytest.raises(SettingsError, match="expected an OpenCVCamera"):
        from_convention("camera", HEIGHT, WIDTH)  # type: ignore[arg-type]
    with pytest.raises(SettingsError, match="field of view"):
        look_at_face(HEIGHT, WIDTH, field_of_view=180.0)
    with pytest.raises(SettingsError, match="positive distance"):
        look_at_face(HEIGHT, WIDTH, distance=-1.0)
    camera = random_camera(0, False)
    with pytest.raises(SettingsError, match=r"rotation: expected shape"):
        PerspectiveCamera(camera.focal, camera.principal, camera.rotation[0], camera.translation)
    with pytest.raises(SettingsError, match="floating-point"):
        PerspectiveCamera([[1.0, 1.0]], camera.principal, camera.rotation, camera.translation)  # type: ignore[arg-type]
    with pytest.raises(SettingsError, match="empty batch"):
        WeakPerspectiveCamera(torch.zeros(0), camera.principal, camera.rotation, camera.translation)
    with pytest.raises(MeshError, match="batch of 1 or 2"):
        PerspectiveCamera(
            camera.focal, camera.principal.repeat(2, 1)[:3], camera.rotation, camera.translation
        )


def test_numbers_that_a_camera_cannot_hold_are_refused():
    foreign = to_convention(random_camera(0, False), "opencv", HEIGHT, WIDTH)
    foreign.intrinsics[:, 0, 1] = 3.0
    with pytest.raises(SettingsError, match="skew"):
        from_convention(foreign, HEIGHT, WIDTH)
    weak = to_convention(random_camera(0, True), "pytorch3d", HEIGHT, WIDTH)
    weak.focal_length[:, 0] *= 2
    with pytest.raises(SettingsError, match="one scale"):
        from_convention(weak, HEIGHT, WIDTH)
