"""Pictures in memory: labels are the truth, presets are pairs, batches do not matter."""

import dataclasses
from pathlib import Path

import numpy as np
import pytest

from geomface.errors import LandmarkError, MeshError, SettingsError
from geomface.faces.builtin import load_builtin_face
from geomface.mesh import Template
from geomface.rendering.differentiable import OUTPUTS
from geomface.synthesis import (
    BackgroundSettings,
    CameraSettings,
    Constant,
    FaceImageSettings,
    FaceSampler,
    IdentitySettings,
    PhotoSettings,
    PoseSettings,
    Uniform,
    stream,
)
from geomface.synthesis.scene import EYES

ALL = FaceImageSettings(identities=3, samples=3, size=96, seed=11, outputs=OUTPUTS)
MODEL_ONLY = IdentitySettings(relief=0.0)
PICTURES = [(0, 0), (0, 2), (1, 1), (2, 0)]
LABELS = [name for name in OUTPUTS if name not in ("rgb", "landmarks")]


@pytest.fixture(scope="module")
def plain() -> FaceSampler:
    return FaceSampler(ALL)


@pytest.fixture(scope="module")
def photo() -> FaceSampler:
    busy = PhotoSettings(occluders=1.0, glasses=0.5)
    return FaceSampler(dataclasses.replace(ALL, preset="photo", photo=busy))


def test_landmarks_are_the_projection_of_the_truth(plain: FaceSampler) -> None:
    batch = plain.batch(PICTURES)
    embedding = plain.model.template.landmarks
    assert embedding is not None and batch.landmarks.shape == (4, 68, 2)
    for item, camera, marks in zip(batch.parameters, batch.cameras, batch.landmarks, strict=True):
        shape = plain.model.vertices(item.person.coefficients, item.expression)
        truth = embedding.positions(shape + plain.scene.relief.displacements(item.person.relief))
        np.testing.assert_allclose(camera.project(truth), marks, atol=1e-3)


def test_maps_agree_with_each_other_and_the_camera(plain: FaceSampler) -> None:
    batch = plain.batch(PICTURES)
    for k, camera in enumerate(batch.cameras):
        ids = batch.images["face_id"][k]
        covered = ids >= 0
        rows, columns = np.nonzero(covered)
        points = batch.images["position"][k][covered].astype(np.float64)
        centres = np.stack([columns, rows], axis=1) + 0.5
        np.testing.assert_allclose(camera.project(points), centres, atol=2e-3)
        depth = points @ camera.rotation[2] + camera.translation[2]
        np.testing.assert_allclose(batch.images["depth"][k][covered], depth, rtol=1e-5)
        normals = batch.images["normals"][k][covered]
        np.testing.assert_allclose(np.linalg.norm(normals, axis=1), 1, atol=1e-4)
        assert batch.images["alpha"][k][covered].mean() > 0.97
        assert not batch.images["rgb"][k][batch.images["alpha"][k] == 0].any(), "black behind"
        eyes = 1 + plain.region_names.index(EYES)
        assert ((batch.images["region"][k] == eyes) == (ids >= len(plain.model.mesh.faces))).all()
    assert set(batch.images) == set(OUTPUTS) - {"landmarks"}


def test_a_picture_does_not_depend_on_its_batch(plain: FaceSampler, photo: FaceSampler) -> None:
    for sampler in (plain, photo):
        together = sampler.batch(PICTURES)
        # Others first, so that nothing is left over from the same order.
        for k, picture in reversed(list(enumerate(PICTURES))):
            alone = FaceSampler(sampler.settings).batch([picture])
            for name in together.images:
                np.testing.assert_array_equal(together.images[name][k], alone.images[name][0])
            np.testing.assert_array_equal(together.landmarks[k], alone.landmarks[0])
            np.testing.assert_array_equal(together.landmarks_visible[k], alone.landmarks_visible[0])


def test_presets_are_exact_pairs(plain: FaceSampler, photo: FaceSampler) -> None:
    simple, messy = plain.batch(PICTURES), photo.batch(PICTURES)
    for name in LABELS:
        np.testing.assert_array_equal(simple.images[name], messy.images[name], err_msg=name)
    np.testing.assert_array_equal(simple.landmarks, messy.landmarks)
    # What hides a landmark in the photograph can only add to what the face itself hides.
    assert not (messy.landmarks_visible & ~simple.landmarks_visible).any()
    assert (messy.landmarks_visible.sum() < simple.landmarks_visible.sum()).all()
    for k in range(len(PICTURES)):
        inner = simple.images["alpha"][k] == 1
        one, other = simple.images["rgb"][k][inner], messy.images["rgb"][k][inner]
        assert np.abs(one - other).mean() > 0.02, "the photograph differs"
        outside = messy.images["rgb"][k][simple.images["alpha"][k] == 0]
        assert outside.std() > 0.02, "something lies behind"


def test_an_undisturbed_photograph_still_shows_the_plain_face() -> None:
    """Without hair, occluders, camera and shadows, brightness follows the plain picture's light."""
    calm = PhotoSettings(
        0.0,
        0.0,
        0.0,
        0.0,
        Constant(0),
        Constant(0),
        0.0,
        beard=0.0,
        hats=0.0,
        scarves=0.0,
        light_rig="room",
        shadows=False,
        occlusion=False,
        subsurface=0.0,
        lids=0.0,
        film=0.0,
        coarse=0.0,
        sharpening=Constant(0),
        jpeg=0.0,
    )
    settings = dataclasses.replace(ALL, outputs=("rgb", "alpha"), photo=calm)
    simple = FaceSampler(settings).batch(PICTURES)
    messy = FaceSampler(dataclasses.replace(settings, preset="photo")).batch(PICTURES)
    for k in range(len(PICTURES)):
        inner = simple.images["alpha"][k] == 1
        one, other = (batch.images["rgb"][k][inner].mean(axis=1) for batch in (simple, messy))
        assert np.corrcoef(one, other)[0, 1] > 0.9


def test_identity_keeps_its_looks_over_samples(photo: FaceSampler) -> None:
    first, other = photo.parameters(0, 0), photo.parameters(0, 2)
    np.testing.assert_array_equal(first.person.coefficients, other.person.coefficients)
    np.testing.assert_array_equal(first.person.albedo, other.person.albedo)
    assert first.yaw != other.yaw


def test_batches_go_through_the_set(plain: FaceSampler) -> None:
    small = FaceSampler(dataclasses.replace(ALL, outputs=("alpha",), size=32))
    seen = [
        [(item.identity, item.sample) for item in batch.parameters] for batch in small.batches(4)
    ]
    assert [len(part) for part in seen] == [4, 4, 1]
    assert sum(seen, []) == [(k // 3, k % 3) for k in range(9)]
    rng = stream(0, "shuffle")
    rounds = [
        (item.identity, item.sample)
        for batch in small.batches(9, rng, rounds=2)
        for item in batch.parameters
    ]
    assert sorted(rounds[:9]) == sorted(rounds[9:]) == sum(seen, []) and rounds[:9] != rounds[9:]
    with pytest.raises(SettingsError, match="size of at least 1"):
        next(small.batches(0))
    with pytest.raises(SettingsError, match="at least one picture"):
        plain.render([])


def test_networks_get_their_own_layout(plain: FaceSampler) -> None:
    batch = plain.batch(PICTURES)
    pictures = batch.network_images()
    assert pictures.shape == (4, 3, 96, 96) and pictures.min() == -1 and pictures.max() <= 1
    np.testing.assert_allclose(
        pictures[1, 2].numpy(), 2 * batch.images["rgb"][1, :, :, 2] - 1, atol=1e-6
    )
    assert batch.network_images("alpha").shape == (4, 1, 96, 96)
    with pytest.raises(SettingsError, match="expected one of rgb, alpha, albedo, got 'depth'"):
        batch.network_images("depth")


def test_backgrounds_and_weak_cameras() -> None:
    settings = dataclasses.replace(
        ALL,
        outputs=("rgb", "alpha"),
        background=BackgroundSettings("grey", Constant(0.25)),
        camera=CameraSettings(weak=True),
    )
    sampler = FaceSampler(settings)
    batch = sampler.batch([(0, 0)])
    empty = batch.images["alpha"][0] == 0
    np.testing.assert_allclose(batch.images["rgb"][0][empty], 0.25, atol=1e-6)
    embedding = sampler.model.template.landmarks
    assert embedding is not None and batch.cameras[0].weak
    truth = embedding.positions(sampler.vertices(batch.parameters[0]))
    np.testing.assert_allclose(batch.cameras[0].project(truth), batch.landmarks[0], atol=1e-3)
    texture = dataclasses.replace(settings, background=BackgroundSettings("texture"))
    assert FaceSampler(texture).batch([(0, 0)]).images["rgb"][0][empty].std() > 0.01


def test_scale_and_offset_do_what_they_say() -> None:
    straight = PoseSettings(Constant(0), Constant(0), Constant(0))
    sizes, middles = [], []
    for scale, offset in ((0.5, 0.0), (0.8, 0.1)):
        camera = CameraSettings(Constant(scale), Constant(900), Constant(offset), Constant(0))
        settings = dataclasses.replace(
            ALL,
            outputs=("landmarks",),
            pose=straight,
            camera=camera,
            identity=IdentitySettings(Constant(0)),
        )
        marks = FaceSampler(settings).batch([(0, 0)]).landmarks[0]
        sizes.append(np.ptp(marks[:, 1]))
        middles.append(marks[27, 0] / 96)
    assert sizes[1] / sizes[0] == pytest.approx(1.6, rel=0.02)
    assert middles[1] - middles[0] == pytest.approx(0.1, abs=0.01)


def test_uv_of_a_model_without_uv(plain: FaceSampler) -> None:
    assert plain.model.mesh.uv is None
    uv = plain.batch([(0, 0)]).images["uv"][0]
    assert uv.min() >= 0 and uv.max() <= 1 and np.ptp(uv) > 0.5


def test_another_model_gives_pairs_too(shared_data: Path) -> None:
    """ICT has no eyeballs of its own, ears, and more modes."""
    from geomface.faces.ict import load_ict

    model = load_ict(shared_data / "ict" / "ict_face.npz")
    simple, messy = (
        FaceSampler(dataclasses.replace(ALL, preset=preset, identity=MODEL_ONLY), model).batch(
            PICTURES[:2]
        )
        for preset in ("plain", "photo")
    )
    for name in LABELS:
        np.testing.assert_array_equal(simple.images[name], messy.images[name], err_msg=name)
    embedding = model.template.landmarks
    assert embedding is not None
    for k, item in enumerate(messy.parameters):
        truth = embedding.positions(model.vertices(item.person.coefficients, item.expression))
        np.testing.assert_allclose(messy.cameras[k].project(truth), messy.landmarks[k], atol=1e-3)


def test_a_shape_beyond_all_faces_is_refused() -> None:
    wild = dataclasses.replace(ALL, identity=IdentitySettings(Uniform(1e300, 1.1e300)))
    with pytest.raises(MeshError, match="coefficients of a few sigma"):
        FaceSampler(wild).batch([(0, 0)])


def test_a_model_without_landmarks_is_refused() -> None:
    face = load_builtin_face()
    bare = dataclasses.replace(face, template=Template(face.mesh), name="bare")
    with pytest.raises(LandmarkError, match="68 landmarks"):
        FaceSampler(ALL, bare)
