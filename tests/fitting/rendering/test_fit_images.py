"""Several pictures of one person: one is as before, more are nearer, lists that do not match."""

import dataclasses

import numpy as np
import pytest

from geomface.errors import LandmarkError, SettingsError
from geomface.faces.builtin import load_builtin_face
from geomface.fitting.rendering import PictureFitSettings, PictureFitter, fit_image, fit_images
from geomface.fitting.rendering.energy import PictureEnergy
from geomface.fitting.rendering.joint import JointEnergy, shared_start
from geomface.fitting.rendering.picture import picture_level
from geomface.fitting.rendering.picture_fitter import open_view
from geomface.mesh.similarity import fit_similarity
from geomface.synthesis import FaceImageSettings, FaceSampler, IdentitySettings

QUICK = PictureFitSettings(
    face_sizes_px=(60.0,),
    steps=(4,),
    landmark_weights=(1.0,),
    most_pixels=500,
    albedo_modes=6,
    extract_albedo=False,
)


@pytest.fixture(scope="module")
def fitter():
    return PictureFitter(load_builtin_face(), QUICK)


@pytest.fixture(scope="module")
def drawn():
    # The truth that a fit of the model can reach: faces without what no mode has.
    people = IdentitySettings(relief=0.0)
    settings = FaceImageSettings(identities=1, samples=3, size=96, seed=12, identity=people)
    sampler = FaceSampler(settings)
    batch = sampler.batch([(0, k) for k in range(3)])
    rng = np.random.default_rng(0)
    landmarks = batch.landmarks + rng.standard_normal(batch.landmarks.shape)
    rest = dataclasses.replace(
        batch.parameters[0], expression=np.zeros_like(batch.parameters[0].expression)
    )
    return list(batch.images["rgb"]), list(landmarks), sampler.vertices(rest)


def error_of(fitter, vertices, truth):
    region = fitter.model.template.regions["narrow_face"]
    move = fit_similarity(vertices[region], truth[region], scale=True)
    return float(np.linalg.norm(move.apply(vertices[region]) - truth[region], axis=1).mean())


def test_more_pictures_tell_more(fitter, drawn) -> None:
    images, landmarks, truth = drawn
    alone = [fit_image(*pair, fitter) for pair in zip(images, landmarks, strict=True)]
    person = fit_images(images, landmarks, fitter, names=["a", "b", "c"])
    single = [error_of(fitter, fitter.model.vertices(fit.shape), truth) for fit in alone]
    assert error_of(fitter, person.mesh.vertices, truth) < 0.85 * np.mean(single)
    assert [fit.mesh.name for fit in person.pictures] == ["a", "b", "c"]
    for fit, own in zip(person.pictures, alone, strict=True):
        np.testing.assert_array_equal(fit.shape, person.shape)
        np.testing.assert_array_equal(fit.albedo, person.albedo)
        assert fit.landmark_px["median"] < 2.0 * own.landmark_px["median"]
    expressions = np.stack([fit.expression for fit in person.pictures])
    assert np.ptp(expressions, axis=0).max() > 0.01
    assert person.mesh.colors.shape == person.mesh.vertices.shape


def test_one_picture_is_a_person_too(fitter, drawn) -> None:
    images, landmarks, _ = drawn
    alone = fit_image(images[0], landmarks[0], fitter)
    person = fit_images(images[:1], landmarks[:1], fitter)
    np.testing.assert_array_equal(person.shape, alone.shape)
    np.testing.assert_array_equal(person.pictures[0].mesh.vertices, alone.mesh.vertices)


def test_joint_steps_lower_the_energy_and_keep_what_is_shared(fitter, drawn) -> None:
    images, landmarks, _ = drawn
    views = [
        open_view(fitter, *pair, focal_px=None, sigma_px=2.0, confidence=None, name="picture")
        for pair in zip((images[0][..., 1], images[1]), landmarks[:2], strict=True)
    ]  # a grey one and one in colour
    shapes = views[0].scene.face.shape_count
    at = shared_start(tuple(view.first for view in views), shapes)
    parts = []
    for view, one in zip(views, at, strict=True):
        level = picture_level(view.picture, 2.0)
        places = view.scene.fragments(level, one).selection(300)
        parts.append(PictureEnergy(view.scene, level, places, 0.05, 0.3, 1.0))
    energy = JointEnergy(tuple(parts))
    moved = energy.step(at, ("light", "albedo"))
    assert energy.energy(moved) < energy.energy(at)
    for before, after in zip(at, moved, strict=True):
        np.testing.assert_array_equal(before.face, after.face)
    moved = energy.step(moved, ("camera", "face", "albedo", "light"))
    np.testing.assert_array_equal(moved[0].face[:shapes], moved[1].face[:shapes])
    np.testing.assert_array_equal(moved[0].albedo, moved[1].albedo)
    assert not np.array_equal(moved[0].camera.rotation, at[0].camera.rotation)


@pytest.mark.parametrize("count", [1, 2, 3])
def test_what_is_shared_has_one_prior(fitter, drawn, count) -> None:
    """Of pictures that tell nothing one step goes to the most probable face, however many."""
    images, landmarks, _ = drawn
    view = open_view(
        fitter, images[0], landmarks[0], focal_px=None, sigma_px=2.0, confidence=None, name="a"
    )
    face, first = view.scene.face, view.first
    shapes, level = face.shape_count, picture_level(view.picture, 2.0)
    nothing = PictureEnergy(view.scene, level, np.zeros(0, np.int64), 1.0, 0.0, 1e-9)
    start = np.where(np.arange(len(first.face)) < shapes, 0.5, 0.0)
    at = dataclasses.replace(first, face=start, albedo=np.full_like(first.albedo, 0.5))
    energy = JointEnergy((nothing,) * count)
    expected = 0.5 * 0.25 * (face.precision[:shapes].sum() + len(at.albedo))
    expected += 0.5 * face.slope[:shapes].sum()
    assert energy.energy((at,) * count) == pytest.approx(expected, rel=1e-4)
    moved = energy.step((at,) * count, ("face", "albedo"))
    mode = np.clip(-face.slope / face.precision, face.lower, face.upper)[:shapes]
    np.testing.assert_allclose(moved[-1].face[:shapes], mode, atol=1e-4)
    np.testing.assert_allclose(moved[-1].albedo, 0.0, atol=1e-4)


def test_at_rest_the_size_term_holds_the_face_against_its_energy(fitter, drawn) -> None:
    """Along the scale E falls towards smaller faces by the number of determined coefficients."""
    images, landmarks, _ = drawn
    view = open_view(
        fitter, images[0], landmarks[0], focal_px=None, sigma_px=1.0, confidence=None, name="a"
    )
    face, level = view.scene.face, picture_level(view.picture, 2.0)
    energy = JointEnergy((PictureEnergy(view.scene, level, np.zeros(0, np.int64), 1.0, 0.0, 1.0),))
    at = (view.first,)
    for _ in range(60):
        at = energy.step(at, ("camera", "face"))
    camera = at[0].blocks["camera"]
    away = np.zeros(len(at[0]))
    away[camera] = at[0].camera.log_scale_columns()
    away /= away @ away  # a step by which the logarithm of the scale grows by one
    rise = (
        energy.energy((at[0].moved(1e-4 * away),)) - energy.energy((at[0].moved(-1e-4 * away),))
    ) / 2e-4
    matrix, prior = energy.parts[0].equations(at[0])[0], view.scene.prior.equations(at[0])[0]
    free = np.ones(len(at[0]), bool)
    free[at[0].blocks["face"]] = (at[0].face > face.lower) & (at[0].face < face.upper)
    free = np.flatnonzero(free)
    shares = np.diag(np.linalg.inv(matrix[np.ix_(free, free)]) @ (matrix - prior)[free][:, free])
    shapes = np.isin(free, camera.stop + np.arange(face.shape_count))
    mimic = at[0].face[face.shape_count :]
    price = (face.precision * at[0].face + face.slope)[face.shape_count :] @ mimic
    count = shares[shapes].clip(0, 1).sum() + price
    assert count > 5
    assert rise == pytest.approx(-count, rel=0.05)


def test_lists_that_do_not_match(fitter, drawn) -> None:
    images, landmarks, _ = drawn
    with pytest.raises(SettingsError, match="one entry for each of 3 pictures"):
        fit_images(images, landmarks[:2], fitter)
    with pytest.raises(SettingsError, match="at least one"):
        fit_images([], [], fitter)
    with pytest.raises(SettingsError, match="another name for every picture, got a more than"):
        fit_images(images, landmarks, fitter, names=["a", "b", "a"])
    with pytest.raises(LandmarkError, match="b: landmarks"):
        fit_images(images[:2], [landmarks[0], landmarks[1][:5]], fitter, names=["a", "b"])


@pytest.mark.parametrize(
    ("given", "match"),
    [
        ({"images": None}, "images: expected a list"),
        ({"images": {"a": 0}}, "images: expected a list"),
        ({"landmarks": 3}, "landmarks: expected a list"),
        ({"names": "a"}, "names: expected a list"),
        ({"focal_px": 500.0}, "focal_px: expected a list"),
        ({"focal_px": ["long"]}, "focal_px: expected a positive number, got 'long'"),
        ({"focal_px": [np.inf]}, "focal_px: expected a positive number, got inf"),
        ({"sigma_px": "fine"}, "sigma_px"),
        ({"sigma_px": [1.0, [2.0]]}, "sigma_px.*rows of different lengths"),
        ({"confidence": 0.5}, "confidence: expected a list"),
        ({"confidence": [[1.0, [2.0]]]}, "confidence.*rows of different lengths"),
        ({"confidence": [np.full(68, np.inf)]}, r"confidence: expected values in \[0, 1\]"),
        ({"confidence": [["x"] * 68]}, "confidence: expected numbers"),
        ({"settings": 3, "model": None}, "settings: expected a PictureFitSettings, got a int"),
    ],
)
def test_things_of_a_wrong_kind(fitter, drawn, given, match) -> None:
    images, landmarks, _ = drawn
    given = {"images": images[:1], "landmarks": landmarks[:1], "model": fitter} | given
    if given["model"] is None:
        given["model"] = fitter.model
    with pytest.raises(SettingsError, match=match):
        fit_images(**given)


def test_ragged_landmarks(fitter, drawn) -> None:
    images, landmarks, _ = drawn
    with pytest.raises(LandmarkError, match=r"\(68, 2\), got rows of different lengths"):
        fit_images(images[:1], [[[1.0, 2.0], [3.0]]], fitter)
    with pytest.raises(LandmarkError, match="points: expected numbers"):
        fit_images(images[:1], [landmarks[0].astype(str)], fitter)
