"""Shadows of parallel lights: known shapes, and the thinned triangles that throw them."""

import numpy as np
import pytest

from geomface.faces.builtin import load_builtin_face
from geomface.mesh.normals import vertex_normals
from geomface.rendering.shadow_maps import light_axes, light_visibility, thinned_faces


def _plate_over_ground() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """A ground of 41 x 41 vertices, 2 mm apart, and a plate of 40 mm a side, 20 mm above it."""
    place = np.linspace(-40, 40, 41)
    x, z = (axis.ravel() for axis in np.meshgrid(place, place))
    ground = np.stack([x, 0 * x, z], axis=1)
    plate = np.array([[-20, 20, -20], [20, 20, -20], [20, 20, 20], [-20, 20, 20]], float)
    count = len(ground)
    faces = np.array([[count, count + 1, count + 2], [count, count + 2, count + 3]])
    return np.vstack([ground, plate]), faces, ground


@pytest.mark.parametrize(("direction", "shift"), [((0, 1, 0), 0.0), ((1, 1, 0), -20.0)])
def test_a_plate_throws_its_shadow(direction: tuple[float, ...], shift: float) -> None:
    vertices, faces, ground = _plate_over_ground()
    normals = np.tile([0.0, 1.0, 0.0], (len(vertices), 1))
    seen = light_visibility(
        vertices, normals, faces, np.array([direction]), np.zeros(3), 80.0, 160
    )[0, : len(ground)]
    away = np.maximum(np.abs(ground[:, 0] - shift), np.abs(ground[:, 2]))
    assert (seen[away < 17] == 0).all() and (seen[away > 23] == 1).all()


def test_axes_are_rotations() -> None:
    axes = light_axes(np.random.default_rng(0).standard_normal((50, 3)))
    np.testing.assert_allclose(
        axes @ axes.transpose(0, 2, 1), np.tile(np.eye(3), (50, 1, 1)), atol=1e-6
    )
    np.testing.assert_allclose(np.linalg.det(axes), 1, atol=1e-6)


def test_thinned_faces_shade_like_all_of_them() -> None:
    mesh = load_builtin_face().mesh
    thin = thinned_faces(mesh.faces)
    assert len(thin) < 0.35 * len(mesh.faces)
    assert (np.sort(thin, axis=1)[:, :-1] < np.sort(thin, axis=1)[:, 1:]).all(), "no slivers"
    normals = vertex_normals(mesh.vertices, mesh.faces)
    lights = np.array([[0, 1, 1], [1, 0.3, 0.5], [0, 0, 1]], float)
    centre = mesh.vertices.mean(axis=0)
    whole, few = (
        light_visibility(mesh.vertices, normals, faces, lights, centre, 140.0)
        for faces in (mesh.faces, thin)
    )
    assert np.abs(whole - few).mean() < 0.03
