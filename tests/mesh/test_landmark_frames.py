"""Landmarks that are in LPS where their scan is in RAS, or the other way round."""

import dataclasses

import numpy as np
import pytest

from geomface import load_builtin_face, simulate_scan
from geomface.mesh import Landmarks
from geomface.mesh.landmark_frames import landmarks_in_frame
from geomface.registration.prepare import prepare_scan

HALF_TURN = np.array([-1.0, -1.0, 1.0])


@pytest.fixture(scope="module")
def scan():
    return simulate_scan(load_builtin_face(), rng=np.random.default_rng(3))


def test_landmarks_of_the_other_system_are_turned(scan):
    other = dataclasses.replace(scan.landmarks, points=scan.landmarks.points * HALF_TURN)
    turned, notes = landmarks_in_frame(other, scan.mesh)
    np.testing.assert_array_equal(turned.points, scan.landmarks.points)
    assert "LPS and RAS" in notes[0]
    right = prepare_scan(scan.mesh, load_builtin_face().template, scan.landmarks)
    found = prepare_scan(scan.mesh, load_builtin_face().template, other)
    corners = load_builtin_face().template.mesh.vertices[:4]
    np.testing.assert_allclose(found.start.apply(corners), right.start.apply(corners))
    assert notes[0] in found.notes


def test_landmarks_on_their_scan_stay(scan, rng):
    for noise_mm in (0.0, 3.0):
        points = scan.landmarks.points + rng.normal(0, noise_mm, scan.landmarks.points.shape)
        given = dataclasses.replace(scan.landmarks, points=points)
        assert landmarks_in_frame(given, scan.mesh) == (given, ())


def test_missing_and_far_landmarks_stay(scan):
    for points in (np.full((68, 3), np.nan), scan.landmarks.points + 1000.0):
        given = Landmarks(points)
        assert landmarks_in_frame(given, scan.mesh) == (given, ())
