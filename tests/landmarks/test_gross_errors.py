"""What rays do wrong does not decide a pose: gaps to the inside, landmarks far behind."""

import numpy as np
import pytest

from geomface.landmarks.shape_model import fit_landmark_shape
from geomface.landmarks.surface import ScanSurface
from geomface.landmarks.views import View
from geomface.landmarks.weights import load_detector
from geomface.mesh import Mesh
from geomface.mesh.rotation import rotation_about
from geomface.scans.damage import icosphere


@pytest.mark.parametrize("share", [0.1, 0.2])
def test_landmarks_far_behind_do_not_shrink_the_face(share: float) -> None:
    """Rays that pass through a gap at the lids or beside the chin end far behind, all alike."""
    model = load_detector().shape_model
    for seed in range(6):
        rng = np.random.default_rng(seed)
        person = model.reconstruct(rng.standard_normal(len(model)))
        turn, scale = rotation_about(np.array([0.0, 1.0, 0.0]), rng.uniform(-0.6, 0.6)), 0.55
        true = scale * person @ turn.T
        points = true + rng.normal(0, 0.5, person.shape)
        wrong = rng.choice(68, round(share * 68), replace=False)
        points[wrong] -= np.array([0.0, 0.0, 90.0])
        fit = fit_landmark_shape(model, points, rng.uniform(0.3, 2.0, 68))
        # The place of those far behind too, which the others and the model foretell.
        assert np.median(np.linalg.norm(fit.expected - true, axis=1)) < 2.5 * scale
        assert np.linalg.norm(fit.expected - true, axis=1)[wrong].mean() < 8.0 * scale


def test_a_ray_through_a_hole_meets_nothing() -> None:
    """The inside of the back of a head is no place for a landmark."""
    sphere, faces = icosphere(4)
    open_front = faces[(sphere[faces].mean(axis=1)[:, 2] < 0.95)]
    surface = ScanSurface(Mesh(100.0 * sphere, open_front))
    radius = 0.5 * float(np.ptp(surface.vertices[:, 0]))
    view = View(np.eye(3), np.zeros(3), 4.0 * radius)
    points, cosines = surface.cast(view, np.array([[64.0, 64.0], [64.0, 44.0], [2.0, 2.0]]))
    assert np.isnan(points[[0, 2]]).all() and cosines[0] == cosines[2] == 0
    assert points[1, 2] > 0 and cosines[1] > 0.5
