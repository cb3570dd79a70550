"""How far landmarks in an image are off, judged by the face's size and what no face explains."""

import numpy as np

from geomface.arrays import FloatArray, require_reals, require_within
from geomface.errors import SettingsError
from geomface.fitting.image_fitter import Hypothesis
from geomface.fitting.settings import ImageFitSettings
from geomface.mesh.multi_pie import JAW
from geomface.rendering.camera import CAMERA_COUNT

_WORTH = 20.0
"""Coordinates that what is expected before counts as many as."""
_LEAST_MM = 0.7
_LARGEST_MM = 8.0
_LEAST_CONFIDENCE = 0.05


def relative_sigma(confidence: FloatArray | None, count: int) -> FloatArray:
    """Return (count,) standard deviations of landmarks relative to a usual one.

    g_l = m / max(p_l, 0.05), m the median of the confidences

    Parameters
    ----------
    confidence : (count,) in [0, 1], NaN where missing; None: all are alike

    Raises
    ------
    SettingsError : another length, numbers beyond [0, 1], or half of them 0
    """
    if confidence is None:
        return np.ones(count)
    name = "landmarks: confidence"
    confidence = require_reals(confidence, (count,), name, SettingsError)
    require_within(confidence, 0.0, 1.0, name, SettingsError, missing=True)
    missing = np.isnan(confidence)
    usual = 0.0 if missing.all() else float(np.median(confidence[~missing]))
    if usual <= 0:
        raise SettingsError(
            f"{name}: expected most of them above 0, got {(confidence > 0).sum()} of {count}. "
            "Leave it out, or sigma_px says how exact they are."
        )
    return usual / np.maximum(np.where(missing, usual, confidence), _LEAST_CONFIDENCE)


def expected_sigma(settings: ImageFitSettings, pixels_per_mm: float) -> float:
    """Return the standard deviation of a landmark before anything was fitted, pixels."""
    return settings.sigma_mm * pixels_per_mm


def estimate_sigma(
    fit: Hypothesis,
    points: FloatArray,
    relative: FloatArray,
    settings: ImageFitSettings,
    pixels_per_mm: float,
    *,
    slide: bool,
) -> float:
    """Return the standard deviation of a usual landmark after a fit, pixels.

    s^2 = v - m^2,   v = (n_0 v_0 + sum_l w_l |gap_l|^2 / g_l^2) / (n_0 + 2 sum_l w_l - k)

    with k the number of unknowns that the landmarks determine, v_0 = s_0^2 + m^2 what is expected,
    counted as n_0 = 20 coordinates, and m what the model cannot reach.

    Parameters
    ----------
    fit : with the standard deviations so far
    points : (L, 2) pixels, NaN where missing
    relative : (L,) standard deviations g relative to a usual one
    slide : the jaw slid along the contour: its gaps say nothing

    Source
    ------
    MacKay 1992, "Bayesian interpolation": noise from the effective number of parameters.
    """
    measured = fit.points
    if measured is None:
        return expected_sigma(settings, pixels_per_mm)
    used = np.array(np.isfinite(points).all(axis=1))
    if slide:
        used[JAW] = False
    placed = fit.camera.project(measured.face.points(fit.coefficients))
    gaps = ((placed - points)[used] ** 2).sum(axis=1) / relative[used] ** 2
    weights = fit.weights[used]
    inverse = np.linalg.inv(measured.information(fit.camera, fit.coefficients))
    inside = (fit.coefficients > measured.face.lower) & (fit.coefficients < measured.face.upper)
    shares = 1.0 - measured.face.precision * np.diag(inverse)[CAMERA_COUNT:]
    # What all landmarks determine is shared out evenly among those that are looked at.
    determined = CAMERA_COUNT + float(shares[inside].clip(0.0, 1.0).sum())
    determined *= float(weights.sum() / max(fit.weights.sum(), 1e-9))
    beyond = (settings.model_sigma_mm * pixels_per_mm) ** 2
    before = expected_sigma(settings, pixels_per_mm) ** 2 + beyond
    freedom = _WORTH + max(2.0 * float(weights.sum()) - determined, 0.0)
    variance = (_WORTH * before + float(weights @ gaps)) / freedom - beyond
    least, most = _LEAST_MM * pixels_per_mm, _LARGEST_MM * pixels_per_mm
    return float(np.sqrt(np.clip(variance, least**2, most**2)))
