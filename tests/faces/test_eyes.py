"""Where eyes lie, where they look, what colour they have."""

import dataclasses

import numpy as np

from geomface.faces.builtin import load_builtin_face
from geomface.faces.eyes import (
    IRIS,
    LEFT,
    PUPIL,
    RIGHT,
    eye_behind_lids,
    eye_colors,
    eye_faces,
    eye_surface,
    eye_vertices,
    eyes_of,
)
from geomface.mesh import Template


def test_eyes_of_a_model_move_with_the_lids() -> None:
    model = load_builtin_face()
    assert model.eyeballs is not None
    still = eyes_of(model, model.mesh.vertices)
    np.testing.assert_allclose(still[:, :3], model.eyeballs.centers)
    wide = eyes_of(model, model.mesh.vertices + [0.0, 0.0, 7.0])
    np.testing.assert_allclose(wide - still, [[0, 0, 7.0, 0]] * 2, atol=1e-9)


def test_eyes_without_eyeballs_touch_the_lids_from_behind() -> None:
    model = load_builtin_face()
    bare = dataclasses.replace(model, eyeballs=None)
    eyes = eyes_of(bare, model.mesh.vertices)
    np.testing.assert_array_equal(eyes, eyes_of(model.template, model.mesh.vertices))
    assert eyes[0, 0] > 20 and eyes[1, 0] < -20, "the subject's left eye first"
    own = eyes_of(model, model.mesh.vertices)
    np.testing.assert_allclose(eyes, own, atol=4.0)
    assert model.template.landmarks is not None
    marks = model.template.landmarks.positions(model.mesh.vertices)
    for lids, eye in zip((marks[LEFT], marks[RIGHT]), eyes, strict=True):
        edges = lids[[1, 2, 4, 5]]
        depth = edges[:, 2].mean() - eye[2]
        aside = ((edges - eye[:3])[:, :2] ** 2).sum(axis=1).mean()
        np.testing.assert_allclose(np.hypot(depth, 0) - 0.04 * eye[3], np.sqrt(eye[3] ** 2 - aside))
        deeper = eye_behind_lids(lids, gap=0.04 * eye[3] + 1.0)
        np.testing.assert_allclose(eye - deeper, [0, 0, 1, 0], atol=1e-12)
    assert len(eyes_of(Template(model.mesh), model.mesh.vertices)) == 0


def test_eyes_look_where_they_are_told() -> None:
    surface = eye_surface()
    eyes = np.array([[30.0, 0.0, 0.0, 12.0], [-30.0, 0.0, 0.0, 11.0]])
    ahead, aside = (eye_vertices(surface, eyes, np.array(g)) for g in ((0.0, 0.0), (20.0, 10.0)))
    half = len(surface.directions)
    np.testing.assert_allclose(ahead[[0, half]], eyes[:, :3] + [[0, 0, 12], [0, 0, 11]])
    yaw, pitch = np.radians([20.0, 10.0])
    looks = [np.sin(yaw) * np.cos(pitch), np.sin(pitch), np.cos(yaw) * np.cos(pitch)]
    np.testing.assert_allclose(aside[0], eyes[0, :3] + 12 * np.array(looks))
    faces = eye_faces(surface, 2, 5) - 5
    assert faces.min() == 0 and faces.max() == 2 * half - 1
    np.testing.assert_array_equal(faces[len(faces) // 2 :] - half, surface.faces)


def test_pupil_and_iris_end_between_the_rings() -> None:
    surface = eye_surface()
    angle = np.arccos(np.clip(surface.directions[:, 2], -1, 1))
    np.testing.assert_array_equal(surface.part == 0, angle < PUPIL)
    assert (angle[surface.part < 3] < IRIS).all() and (angle[surface.part == 4] > IRIS).all()


def test_dark_skin_has_dark_eyes() -> None:
    surface = eye_surface()
    iris = np.tile(surface.part == 2, 2)
    dark, light = (
        np.stack([eye_colors(surface, skin, np.random.default_rng(k)) for k in range(20)])
        for skin in (0.2, 0.7)
    )
    assert dark[:, iris].mean() < 0.3 < light[:, iris].mean()
    white = np.tile(surface.part == 4, 2)
    assert np.abs(dark[:, white].mean() - light[:, white].mean()) < 1e-12
