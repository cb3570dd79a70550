"""Sampling: every texel centre once, exactly; the gutter takes the nearest texel."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from geomface.errors import MeshError, SettingsError
from geomface.geometry_image import dilate, sample_texels
from geomface.geometry_image.sampling import vertex_uv
from geomface.mesh import Mesh


def centres(mask: np.ndarray) -> np.ndarray:
    """(n, 2) uv of the covered texels' centres."""
    rows, columns = np.nonzero(mask)
    size = len(mask)
    return np.stack([(columns + 0.5) / size, 1 - (rows + 0.5) / size], axis=1)


@settings(max_examples=15, deadline=None)
@given(st.integers(2, 90), st.floats(-2, 2), st.floats(-2, 2))
def test_linear_functions_of_uv_are_reproduced_at_texel_centres(patch, size, a, b):
    sampling = sample_texels(patch, size)
    values = sampling.matrix @ (1 + a * patch.uv[:, 0] + b * patch.uv[:, 1])
    where = centres(sampling.mask)
    assert np.abs(values - (1 + a * where[:, 0] + b * where[:, 1])).max() < 1e-12


def test_rows_sum_to_one_and_hold_three_weights(patch):
    sampling = sample_texels(patch, 64)
    matrix = sampling.matrix
    assert matrix.shape == (sampling.mask.sum(), len(patch.vertices))
    assert (np.diff(matrix.indptr) == 3).all()
    assert np.abs(matrix.sum(axis=1) - 1).max() < 1e-14
    assert sampling.weights.min() > -1e-6
    assert np.array_equal(patch.faces[sampling.faces], sampling.corners)


def test_vertices_and_edges_on_texel_centres_are_covered_once():
    """A grid with all vertices on texel centres: the case in which a lax rule loses texels."""
    size = 16
    axis = (np.arange(size) + 0.5) / size
    uv = np.stack(np.meshgrid(axis, axis), axis=-1).reshape(-1, 2)
    index = np.arange(size * size).reshape(size, size)
    quads = np.stack([index[:-1, :-1], index[:-1, 1:], index[1:, 1:], index[1:, :-1]], axis=-1)
    mesh = Mesh(np.pad(uv, ((0, 0), (0, 1))), quads=quads.reshape(-1, 4))
    mesh = mesh.replace(uv=uv, uv_faces=mesh.faces)
    sampling = sample_texels(mesh, size)
    # Right and lower rim lie on edges that are neither top nor left.
    assert sampling.mask[: size - 1, : size - 1].all()
    assert sampling.mask.sum() == (size - 1) ** 2
    assert np.abs(sampling.matrix @ uv - centres(sampling.mask)).max() < 1e-12
    alone = sum(
        sample_texels(mesh.replace(quads=None, faces=face[None], uv_faces=face[None]), size).mask
        for face in mesh.faces
        if _holds_a_centre(uv[face], size)
    )
    assert np.array_equal(alone, sampling.mask.astype(int))


def _holds_a_centre(corners: np.ndarray, size: int) -> bool:
    """Half of the grid's triangles own no texel: all their centres are on foreign edges."""
    try:
        mesh = Mesh(np.pad(corners, ((0, 0), (0, 1))), np.array([[0, 1, 2]]))
        sample_texels(mesh.replace(uv=corners, uv_faces=mesh.faces), size)
    except MeshError:
        return False
    return True


def test_the_hole_and_nothing_else_is_outside(patch):
    size = 100
    mask = sample_texels(patch, size).mask
    outside = centres(~mask)
    assert 0.01 < (~mask).mean() < 0.06
    assert (np.abs(outside - [0.5, 0.3]) < [0.17, 0.12]).all()


def test_a_seam_uses_uv_faces_and_vertices_of_its_own():
    vertices = np.array([[0, 0, 0], [1, 0, 0], [1, 1, 0], [0, 1, 0]], float)
    faces = np.array([[0, 1, 2], [0, 2, 3]])
    uv = np.array([[0, 0], [0.4, 0], [0.4, 1], [0.6, 0], [1, 1], [0.6, 1]], float)
    mesh = Mesh(vertices, faces, uv=uv, uv_faces=np.array([[0, 1, 2], [3, 4, 5]]))
    sampling = sample_texels(mesh, 40)
    assert not sampling.mask[:, 17:23].any()
    left = centres(sampling.mask)[:, 0] < 0.5
    assert (sampling.faces[left] == 0).all() and (sampling.faces[~left] == 1).all()
    assert np.allclose(vertex_uv(mesh), [[0.6, 0], [0.4, 0], [1, 1], [0.6, 1]])


def test_slivers_keep_their_texels_inside_them():
    """A fan of triangles thinner than the rounding of uv must not extrapolate."""
    fan = np.linspace(0, 1e-7, 30)
    uv = np.concatenate([[[0.0, 0.0], [1.0, 0.0]], np.stack([1 + 0 * fan, fan], 1), [[1.0, 1.0]]])
    count = len(uv)
    faces = np.array([[0, i, i + 1] for i in range(1, count - 1)])
    vertices = np.random.default_rng(0).uniform(-1, 1, (count, 3))
    sampling = sample_texels(Mesh(vertices, faces, uv=uv, uv_faces=faces), 64)
    assert np.abs(sampling.matrix @ vertices).max() <= 1.02
    assert sampling.weights.min() > -0.01


def test_the_gutter_copies_the_nearest_texel(rng):
    mask = np.zeros((20, 24), bool)
    mask[5:12, 6:15] = True
    image = rng.uniform(size=(20, 24, 3))
    filled = dilate(image, mask)
    assert np.array_equal(filled[mask], image[mask])
    assert np.array_equal(filled[5:12, 0], image[5:12, 6])
    assert np.array_equal(filled[19, 8], image[11, 8])
    assert np.array_equal(filled[0, 0], image[5, 6])
    narrow = dilate(np.where(mask[..., None], image, -1), mask, 2)
    assert np.array_equal(narrow[5:12, 4], image[5:12, 6]) and (narrow[5:12, 3] == -1).all()
    assert np.array_equal(dilate(image, mask, 0), image)
    stack = dilate(np.stack([image, 2 * image]), mask)
    assert np.array_equal(stack[1], 2 * filled)


@pytest.mark.parametrize("size", [0, 1, 10**6])
def test_a_size_out_of_range_is_refused(patch, size):
    with pytest.raises(SettingsError, match="texels"):
        sample_texels(patch, size)


def test_bad_meshes_are_refused(patch):
    with pytest.raises(MeshError, match="uv"):
        sample_texels(patch.replace(uv=None, uv_faces=None), 16)
    with pytest.raises(MeshError, match=r"\[0, 1\]"):
        sample_texels(patch.replace(uv=patch.uv * 2), 16)
    with pytest.raises(MeshError, match="no texel centre"):
        sample_texels(patch.replace(uv=patch.uv * 1e-4), 16)
    with pytest.raises(MeshError, match="mask"):
        dilate(np.zeros((4, 5, 3)), np.ones((5, 4), bool))
    with pytest.raises(MeshError, match="valid"):
        dilate(np.zeros((4, 5, 3)), np.zeros((4, 5), bool))
    with pytest.raises(SettingsError, match="steps"):
        dilate(np.zeros((4, 5, 3)), np.ones((4, 5), bool), -1)
