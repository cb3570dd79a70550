"""Fits to landmarks in space: truth, calibration, missing and wrong points, units, bad input."""

import dataclasses

import numpy as np
import pytest
from fitting_samples import rotation_error, small_model

from geomface.errors import LandmarkError, SettingsError
from geomface.fitting import LandmarkFitSettings, fit_landmarks_3d
from geomface.mesh import Landmarks, Similarity
from geomface.mesh.rotation import rotation_matrix

SETTINGS = LandmarkFitSettings(model_sigma_mm=0.0)


def measured(model, rng, *, noise=0.3, scale=1.1, expression=True):
    shape = rng.normal(size=len(model.shape))
    weights = rng.uniform(0.2, 0.8, len(model.expression)) if expression else None
    pose = Similarity(scale, rotation_matrix(0.4 * rng.normal(size=3)), 30 * rng.normal(size=3))
    vertices = pose.apply(model.vertices(shape, weights))
    points = model.template.landmarks.positions(vertices)
    points = points + noise * rng.normal(size=points.shape)
    return Landmarks(points, "thirty"), vertices, pose, shape, weights


def test_exact_landmarks_of_the_model_give_it_back(rng):
    model = small_model(rng)
    landmarks, vertices, pose, shape, weights = measured(model, rng, noise=0.0)
    sharp = dataclasses.replace(landmarks, sigma_mm=np.full(30, 1e-3))
    fit = fit_landmarks_3d(model, sharp, settings=SETTINGS)
    assert fit.converged
    assert np.abs(fit.mesh.vertices - vertices).max() < 0.02
    assert fit.similarity.scale == pytest.approx(pose.scale, rel=1e-3)
    assert rotation_error(fit.similarity.rotation, pose.rotation) < 0.05
    np.testing.assert_allclose(fit.shape, shape, atol=0.05)
    np.testing.assert_allclose(fit.expression, weights, atol=0.05)
    np.testing.assert_allclose(
        fit.similarity.apply(model.vertices(fit.shape, fit.expression)), fit.mesh.vertices
    )


def test_noise_is_shared_as_the_posterior_says(rng):
    """Coefficients lie within their own error bars: the mean squared z-score is near 1."""
    model = small_model(rng, expressions=0)
    scores = []
    for _ in range(60):
        shape = rng.normal(size=5)
        points = model.template.landmarks.positions(model.vertices(shape))
        points = points + 2.0 * rng.normal(size=points.shape)
        fit = fit_landmarks_3d(
            model, Landmarks(points, "thirty", np.full(30, 2.0)), settings=SETTINGS
        )
        gap = fit.shape - shape
        scores.append(gap @ np.linalg.solve(fit.covariance, gap) / 5)
    assert 0.7 < np.mean(scores) < 1.4


def test_landmarks_count_by_their_sigma(rng):
    model = small_model(rng)
    landmarks, vertices, *_ = measured(model, rng)
    points = landmarks.points.copy()
    points[:6] += 8.0 * rng.normal(size=(6, 3))
    sigma = np.full(30, 0.3)
    honest = sigma.copy()
    honest[:6] = 8.0
    plain = dataclasses.replace(SETTINGS, robust_scale=1e6)
    errors = [
        np.linalg.norm(
            fit_landmarks_3d(model, Landmarks(points, "thirty", each), settings=plain).mesh.vertices
            - vertices,
            axis=1,
        ).mean()
        for each in (sigma, honest)
    ]
    assert errors[1] < 0.5 * errors[0]


def test_wrong_and_missing_landmarks_are_left_behind(rng):
    model = small_model(rng)
    landmarks, vertices, *_ = measured(model, rng)
    points = landmarks.points.copy()
    points[[2, 9, 17]] += 40.0
    points[[5, 6, 25, 26]] = np.nan
    fit = fit_landmarks_3d(model, Landmarks(points, "thirty"), settings=SETTINGS)
    assert fit.converged and "4 of 30" in fit.notes[0]
    assert np.linalg.norm(fit.mesh.vertices - vertices, axis=1).mean() < 1.5
    assert fit.weights[[2, 9, 17]].max() < 0.1
    assert (fit.weights[[5, 6, 25, 26]] == 0).all()


def test_the_unit_of_the_landmarks_is_the_unit_of_the_result(rng):
    model = small_model(rng)
    landmarks, *_ = measured(model, rng)
    one = fit_landmarks_3d(model, landmarks)
    in_metres = Landmarks(landmarks.points / 1000, "thirty", unit="m")
    other = fit_landmarks_3d(model, in_metres)
    np.testing.assert_allclose(1000 * other.mesh.vertices, one.mesh.vertices, atol=1e-6)
    assert other.mesh.unit == "m"
    assert other.residual_mm["max"] == pytest.approx(one.residual_mm["max"])


def test_a_unit_that_the_size_contradicts_is_not_believed(rng):
    model = small_model(rng)
    landmarks, *_ = measured(model, rng)
    right = fit_landmarks_3d(model, landmarks)
    metres = fit_landmarks_3d(model, Landmarks(landmarks.points / 1000, "thirty"))  # says mm
    assert metres.mesh.unit == "m" and any("taken for one in metres" in n for n in metres.notes)
    assert metres.residual_mm["max"] == pytest.approx(right.residual_mm["max"])


def test_scale_and_box_can_be_held(rng):
    model = small_model(rng)
    landmarks, *_ = measured(model, rng, scale=1.0)
    fixed = fit_landmarks_3d(model, landmarks, settings=LandmarkFitSettings(fit_scale=False))
    assert ((fixed.expression >= 0) & (fixed.expression <= 1)).all()
    assert fixed.similarity.scale == 1.0
    gaussian = small_model(np.random.default_rng(20240229), kind="gaussian")
    points = gaussian.template.landmarks.positions(gaussian.vertices(None, [-1.0, 0.5, -2.0]))
    free = fit_landmarks_3d(gaussian, Landmarks(points, "thirty"))
    np.testing.assert_allclose(free.expression, [-1.0, 0.5, -2.0], atol=0.2)
    boxed = fit_landmarks_3d(
        dataclasses.replace(
            gaussian, expression=dataclasses.replace(gaussian.expression, kind="blendshapes")
        ),
        Landmarks(points, "thirty"),
    )
    assert ((boxed.expression >= 0) & (boxed.expression <= 1)).all()


def test_bad_landmarks_are_named(rng):
    model = small_model(rng)
    points = measured(model, rng)[0].points
    with pytest.raises(LandmarkError, match="scheme"):
        fit_landmarks_3d(model, Landmarks(points, "multi-pie-68"))
    few = points.copy()
    few[3:] = np.nan
    with pytest.raises(LandmarkError, match="at least 4"):
        fit_landmarks_3d(model, Landmarks(few, "thirty"))
    with pytest.raises(LandmarkError, match="all 30 landmarks are missing"):
        fit_landmarks_3d(model, Landmarks(np.full((30, 3), np.nan), "thirty"))
    with pytest.raises(LandmarkError, match="one line"):
        fit_landmarks_3d(model, Landmarks(np.outer(np.arange(30.0), [1, 2, 3]), "thirty"))
    with pytest.raises(LandmarkError, match="mirror image"):
        fit_landmarks_3d(model, Landmarks(points * [-1, 1, 1], "thirty"))
    with pytest.raises(LandmarkError, match="positive standard"):
        fit_landmarks_3d(model, Landmarks(points, "thirty", np.zeros(30)))
    with pytest.raises(SettingsError, match="robust_scale"):
        LandmarkFitSettings(robust_scale=0.0)
