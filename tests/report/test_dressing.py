"""Faces dressed for pictures: eyes look out of the holes, the mouth is dark inside."""

import dataclasses

import numpy as np
import pytest

from geomface.faces.builtin import load_builtin_face
from geomface.faces.dressing import MOUTH_DEPTH, dressed, mouth_loop, sunken_eyes
from geomface.faces.eyes import eyes_of
from geomface.report.display_colors import vertex_colors_from


def test_eyes_are_added_behind_the_mesh_and_face_out() -> None:
    model = load_builtin_face()
    mesh, count = model.mesh, len(model.mesh.vertices)
    eyes = sunken_eyes(model, mesh.vertices)
    np.testing.assert_allclose(eyes_of(model, mesh.vertices) - eyes, [[0, 0, 0.4, 0]] * 2)
    both = dressed(mesh, np.full((count, 3), 0.5), eyes)
    np.testing.assert_array_equal(both.vertices[:count], mesh.vertices)
    np.testing.assert_array_equal(both.faces[: len(mesh.faces)], mesh.faces)
    extra = both.vertices[count:].reshape(len(eyes), -1, 3)
    for points, eye in zip(extra, eyes, strict=True):
        np.testing.assert_allclose(np.linalg.norm(points - eye[:3], axis=1), eye[3])
    corners = both.vertices[both.faces[len(mesh.faces) :]].reshape(len(eyes), -1, 3, 3)
    corners = corners - eyes[:, None, None, :3]
    volumes = np.einsum(
        "efi,efi->ef", corners[:, :, 0], np.cross(corners[:, :, 1], corners[:, :, 2])
    )
    assert volumes.min() > 0, "counter-clockwise from outside"
    assert len(sunken_eyes(None, mesh.vertices)) == 0
    bare = dressed(mesh, np.full((count, 3), 0.5), sunken_eyes(None, mesh.vertices))
    np.testing.assert_array_equal(bare.vertices, mesh.vertices)


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
    closed = dressed(template.mesh, colors, np.zeros((0, 4)), loop)
    fan = closed.faces[len(template.mesh.faces) :]
    throat = closed.vertices[-1]
    assert throat[2] == pytest.approx(rim[:, 2].mean() - MOUTH_DEPTH)
    corners = closed.vertices[fan]
    normals = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    assert normals[:, 2].sum() > 0


def test_a_template_without_mouth_region_has_no_loop() -> None:
    template = dataclasses.replace(load_builtin_face().template, regions={})
    assert len(mouth_loop(template)) == 0
