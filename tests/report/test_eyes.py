"""Eyeballs follow the face, and look out of it."""

import dataclasses

import numpy as np
import pytest

from geomface.faces.builtin import load_builtin_face
from geomface.report.eyes import (
    MOUTH_DEPTH,
    SINK,
    eyeballs_of,
    mouth_loop,
    vertex_colors_from,
    with_eyes,
)


def test_eyeballs_move_with_the_lids() -> None:
    model = load_builtin_face()
    assert model.eyeballs is not None
    still = eyeballs_of(model, model.mesh.vertices)
    np.testing.assert_allclose(still[:, :3], model.eyeballs.centers - [0, 0, SINK], atol=1e-6)
    wide = eyeballs_of(model, model.mesh.vertices + [0.0, 0.0, 7.0])
    np.testing.assert_allclose(wide[:, :3] - still[:, :3], [[0, 0, 7.0]] * 2, atol=1e-9)
    np.testing.assert_allclose(wide[:, 3], model.eyeballs.radius)


def test_a_model_without_eyeballs_has_none() -> None:
    model = dataclasses.replace(load_builtin_face(), eyeballs=None)
    assert eyeballs_of(model, model.mesh.vertices).shape == (0, 4)


def test_with_eyes_adds_closed_spheres_behind_the_mesh() -> None:
    model = load_builtin_face()
    mesh = model.mesh
    eyes = eyeballs_of(model, mesh.vertices)
    count = len(mesh.vertices)
    both = with_eyes(mesh, np.full((count, 3), 0.5), eyes)
    np.testing.assert_array_equal(both.vertices[:count], mesh.vertices)
    np.testing.assert_array_equal(both.faces[: len(mesh.faces)], mesh.faces)
    extra = both.vertices[count:].reshape(len(eyes), -1, 3)
    for points, eye in zip(extra, eyes, strict=True):
        np.testing.assert_allclose(np.linalg.norm(points - eye[:3], axis=1), eye[3])
    # Signed volume is positive when the triangles are counter-clockwise from outside.
    corners = both.vertices[both.faces[len(mesh.faces) :]] - eyes[0, :3]
    half = corners[: len(corners) // 2]
    volume = np.einsum("ij,ij->", half[:, 0], np.cross(half[:, 1], half[:, 2])) / 6
    assert volume == pytest.approx(4 / 3 * np.pi * eyes[0, 3] ** 3, rel=0.02)


def test_vertex_colors_read_at_texel_centres(rng: np.random.Generator) -> None:
    texture = rng.random((4, 6, 3)).astype(np.float32)
    mesh = load_builtin_face().mesh
    row, column = rng.integers(0, 4, len(mesh.vertices)), rng.integers(0, 6, len(mesh.vertices))
    uv = np.stack([(column + 0.5) / 6, 1 - (row + 0.5) / 4], axis=1)
    mesh = mesh.replace(uv=uv, uv_faces=mesh.faces)
    np.testing.assert_allclose(vertex_colors_from(mesh, texture), texture[row, column], atol=1e-5)


def test_the_mouth_is_closed_by_a_fan_that_faces_out() -> None:
    template = load_builtin_face().template
    loop = mouth_loop(template)
    rim = template.mesh.vertices[loop]
    assert len(loop) > 10 and abs(rim[:, 0].mean()) < 1e-6
    assert np.ptp(rim[:, 0]) > 30, "the corners of the mouth"
    colors = np.zeros((len(template.mesh.vertices), 3))
    closed = with_eyes(template.mesh, colors, np.zeros((0, 4)), loop)
    fan = closed.faces[len(template.mesh.faces) :]
    throat = closed.vertices[-1]
    assert throat[2] == pytest.approx(rim[:, 2].mean() - MOUTH_DEPTH)
    corners = closed.vertices[fan]
    normals = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    assert normals[:, 2].sum() > 0


def test_a_template_without_mouth_region_has_no_loop() -> None:
    template = dataclasses.replace(load_builtin_face().template, regions={})
    assert len(mouth_loop(template)) == 0
