"""Generalised Procrustes: poses are undone, nothing drifts, weights steer."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from geomface.errors import MeshError
from geomface.mesh.similarity import Similarity
from geomface.statistics import align_meshes


def random_pose(rng, scale):
    return Similarity(
        float(rng.uniform(0.5, 2)) if scale else 1.0,
        Rotation.random(random_state=int(rng.integers(1 << 31))).as_matrix(),
        rng.standard_normal(3) * 50,
    )


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 10**6), scale=st.booleans())
def test_copies_of_one_shape_coincide(seed, scale):
    rng = np.random.default_rng(seed)
    shape = rng.standard_normal((12, 3)) * 30
    meshes = np.stack([random_pose(rng, scale).apply(shape) for _ in range(4)])
    result = align_meshes(meshes, reference=shape, scale=scale)
    assert result.converged
    np.testing.assert_allclose(result.aligned, np.tile(shape, (4, 1, 1)), atol=1e-8)
    np.testing.assert_allclose(result.mean, shape, atol=1e-8)
    for move, mesh, aligned in zip(result.transforms, meshes, result.aligned, strict=True):
        np.testing.assert_allclose(move.apply(mesh), aligned, atol=1e-9)
        assert np.linalg.det(move.rotation) == pytest.approx(1)


def test_alignment_lowers_the_spread_and_keeps_the_size(rng):
    shape = rng.standard_normal((40, 3)) * 30
    meshes = np.stack(
        [random_pose(rng, True).apply(shape + rng.standard_normal((40, 3))) for _ in range(6)]
    )
    result = align_meshes(meshes, reference=shape)
    assert result.converged
    spread = np.sqrt(((result.aligned - result.mean) ** 2).sum(axis=2).mean())
    assert spread < np.sqrt(3) * 1.05
    assert np.linalg.norm(result.mean - result.mean.mean(axis=0)) == pytest.approx(
        np.linalg.norm(shape - shape.mean(axis=0))
    )
    rigid = align_meshes(meshes, scale=False)
    assert {move.scale for move in rigid.transforms} == {1.0}


def test_weightless_vertices_do_not_steer(rng):
    shape = rng.standard_normal((20, 3)) * 30
    meshes = np.stack([shape, shape, shape])
    meshes[:, 10:] += rng.standard_normal((3, 10, 3)) * 40
    weights = np.repeat([1.0, 0.0], 10)
    result = align_meshes(meshes, reference=shape, weights=weights)
    np.testing.assert_allclose(result.aligned, meshes, atol=1e-8)


def test_bad_input_is_refused():
    with pytest.raises(MeshError, match="got none"):
        align_meshes(np.zeros((0, 5, 3)))
    with pytest.raises(MeshError, match="NaN"):
        align_meshes(np.full((2, 5, 3), np.nan))
    with pytest.raises(MeshError, match="reference"):
        align_meshes(np.random.default_rng(0).random((2, 5, 3)), reference=np.zeros((4, 3)))
