"""How exact landmarks are: found from the landmarks themselves, at any size of the picture."""

import numpy as np
import pytest

from geomface.errors import SettingsError
from geomface.faces.builtin import load_builtin_face
from geomface.fitting import ImageFitter, WeakPerspective, fit_landmarks_2d
from geomface.mesh import fit_similarity
from geomface.rendering.camera import view_rotation

SIZE = (300, 300)


@pytest.fixture(scope="module")
def fitter():
    return ImageFitter(load_builtin_face())


def draw(fitter, seed, noise_mm):
    """A face seen at one pixel a millimetre, and a detector that errs alike in all pictures."""
    face = fitter.model
    rng = np.random.default_rng(seed)
    vertices = face.vertices(face.sample_identity(rng), face.sample_expression(rng))
    rotation = view_rotation(rng.uniform(-30, 30), rng.uniform(-10, 10))
    centre = face.mesh.vertices.mean(axis=0)
    camera = WeakPerspective(rotation, 1.0, np.array([150.0, 150.0]), centre)
    points = camera.project(face.template.landmarks.positions(vertices))
    bias = np.random.default_rng(0).standard_normal(points.shape)
    noise = rng.standard_normal(points.shape)
    return vertices, points + noise_mm * np.sqrt(0.5) * (bias + noise)


def error_of(fitter, fit, vertices):
    region = fitter.model.template.regions["narrow_face"]
    move = fit_similarity(fit.mesh.vertices[region], vertices[region])
    gaps = move.apply(fit.mesh.vertices[region]) - vertices[region]
    return float(np.linalg.norm(gaps, axis=1).mean())


def test_noise_is_found(fitter) -> None:
    found, errors = {}, {}
    for noise in (1.0, 2.0, 4.0):
        drawn = [draw(fitter, seed, noise) for seed in range(5)]
        fits = [fit_landmarks_2d(fitter, points, SIZE) for _, points in drawn]
        found[noise] = np.mean([fit.sigma_px for fit in fits])
        fixed = [fit_landmarks_2d(fitter, points, SIZE, sigma_px=1.0) for _, points in drawn]
        errors[noise] = [
            np.mean([error_of(fitter, fit, item[0]) for fit, item in zip(which, drawn)])  # noqa: B905
            for which in (fits, fixed)
        ]
    for noise, sigma in found.items():
        assert 0.6 * noise < sigma < 1.2 * noise, (noise, sigma)
    assert errors[4.0][0] < 0.9 * errors[4.0][1]
    assert errors[1.0][0] < 1.05 * errors[1.0][1]


def test_noise_follows_the_size_of_the_picture(fitter) -> None:
    _, points = draw(fitter, 3, 2.0)
    small = fit_landmarks_2d(fitter, points, SIZE)
    large = fit_landmarks_2d(fitter, 5.0 * points, (1500, 1500))
    assert large.sigma_px == pytest.approx(5.0 * small.sigma_px, rel=1e-3)
    np.testing.assert_allclose(large.shape, small.shape, atol=1e-2)
    said = fit_landmarks_2d(fitter, points, SIZE, sigma_px=3.0)
    assert said.sigma_px == 3.0


def test_confidence_tells_which_landmarks_to_believe(fitter) -> None:
    errors = []
    for seed in range(4):
        vertices, points = draw(fitter, seed, 0.7)
        rng = np.random.default_rng([seed, 1])
        unsure = rng.random(68) < 0.5
        points = points + 5.0 * unsure[:, None] * rng.standard_normal(points.shape)
        told = fit_landmarks_2d(fitter, points, SIZE, confidence=np.where(unsure, 0.1, 0.9))
        untold = fit_landmarks_2d(fitter, points, SIZE)
        errors.append([error_of(fitter, fit, vertices) for fit in (told, untold)])
    assert np.mean(errors, axis=0)[0] < 0.93 * np.mean(errors, axis=0)[1]
    even = fit_landmarks_2d(fitter, points, SIZE, confidence=np.full(68, 0.4))
    np.testing.assert_allclose(even.shape, untold.shape)
    some = np.r_[np.nan, np.full(67, 0.4)]
    np.testing.assert_allclose(
        fit_landmarks_2d(fitter, points, SIZE, confidence=some).shape, untold.shape
    )
    assert fit_landmarks_2d(fitter, points, SIZE, sigma_px=np.array(3.0)).sigma_px == 3.0
    wrongs = (
        np.ones(67), np.full(68, 2.0), np.full(68, -0.1), np.zeros(68), np.full(68, np.nan),
        np.repeat([0.0, 1.0], [40, 28]), np.full(68, np.inf), np.ones(68, complex), ["x"] * 68,
    )  # fmt: skip
    for wrong in wrongs:
        with pytest.raises(SettingsError, match="confidence"):
            fit_landmarks_2d(fitter, points, SIZE, confidence=wrong)
