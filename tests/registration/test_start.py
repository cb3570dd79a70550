"""Starting poses."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from geomface.errors import LandmarkError
from geomface.faces.builtin import load_builtin_face
from geomface.mesh import Landmarks, Similarity
from geomface.registration.start import similarity_from_landmarks


@pytest.fixture(scope="module")
def template():
    return load_builtin_face().template


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 10_000), wrong=st.integers(0, 10))
def test_wrong_landmarks_do_not_move_the_pose(template, seed, wrong):
    rng = np.random.default_rng(seed)
    points = template.landmarks.positions(template.mesh.vertices)
    true = Similarity(
        rng.uniform(0.2, 3), Rotation.random(random_state=seed).as_matrix(), [5, 6, 7]
    )
    measured = true.apply(points)
    direction = rng.normal(size=(wrong, 3))
    direction *= 30 * true.scale / np.linalg.norm(direction, axis=1, keepdims=True)
    measured[rng.choice(68, wrong, replace=False)] += direction
    found = similarity_from_landmarks(points, Landmarks(measured))
    miss = np.linalg.norm(found.apply(points) - true.apply(points), axis=1)
    assert miss.max() < 0.5 * true.scale
    assert np.linalg.det(found.rotation) == pytest.approx(1.0)


def test_missing_landmarks_are_left_out(template):
    points = template.landmarks.positions(template.mesh.vertices)
    measured = points.copy()
    measured[10:60] = np.nan
    found = similarity_from_landmarks(points, Landmarks(measured))
    np.testing.assert_allclose(found.apply(points), points, atol=1e-9)


@pytest.mark.parametrize(("kept", "words"), [(0, "all 68 landmarks are missing"), (3, "got 3")])
def test_too_few_landmarks_are_refused(template, kept, words):
    points = template.landmarks.positions(template.mesh.vertices).copy()
    measured = points.copy()
    measured[kept:] = np.nan
    with pytest.raises(LandmarkError, match=words):
        similarity_from_landmarks(points, Landmarks(measured))
