"""The coupling of shape and colour: known correlations come back, chance does not."""

import numpy as np
import pytest

from geomface.errors import SettingsError
from geomface.statistics.coupling import fit_coupling


def pairs(rng, count, correlations, size=6):
    turn = np.linalg.qr(rng.standard_normal((size, size)))[0]
    texture = rng.standard_normal((count, size))
    noise = rng.standard_normal((count, size))
    shape = (correlations * texture + np.sqrt(1 - correlations**2) * noise) @ turn.T
    return shape, texture, turn * correlations


def test_a_known_coupling_comes_back(rng):
    shape, texture, truth = pairs(rng, 4000, np.array([0.9, 0.7, 0.5, 0.3, 0.0, 0.0]))
    np.testing.assert_allclose(fit_coupling(shape, texture), truth, atol=0.06)


def test_unrelated_faces_are_not_coupled(rng):
    shape, texture = rng.standard_normal((60, 40)), rng.standard_normal((60, 30))
    found = fit_coupling(shape, texture)
    assert np.linalg.norm(shape[:, :14].T @ texture[:, :14] / 59, 2) > 0.8
    assert (found == 0).all()


def test_a_full_relation_stays_possible(rng):
    texture = rng.standard_normal((200, 3))
    assert np.linalg.norm(fit_coupling(1.2 * texture, texture), 2) <= 1.0 + 1e-9


def test_bad_input_is_refused(rng):
    with pytest.raises(SettingsError, match="at least 10"):
        fit_coupling(rng.standard_normal((9, 2)), rng.standard_normal((9, 2)))
    with pytest.raises(SettingsError, match="texture coefficients"):
        fit_coupling(rng.standard_normal((20, 2)), rng.standard_normal((19, 2)))
    with pytest.raises(SettingsError, match="NaN"):
        fit_coupling(np.full((20, 2), np.nan), rng.standard_normal((20, 2)))
