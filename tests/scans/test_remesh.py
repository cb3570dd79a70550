"""Refinement without cracks, new vertices and triangles on the same surface."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from geomface.mesh.normals import face_areas, face_normals
from geomface.mesh.topology import boundary_edges, edge_uses
from geomface.scans.remesh import refine, resample


def grid(rows: int, columns: int):
    """A flat grid of triangles, one unit a cell."""
    y, x = np.mgrid[0:rows, 0:columns]
    vertices = np.stack([x, y, np.zeros_like(x)], axis=-1).reshape(-1, 3).astype(float)
    index = np.arange(rows * columns).reshape(rows, columns)
    a, b, c, d = index[:-1, :-1], index[:-1, 1:], index[1:, 1:], index[1:, :-1]
    faces = np.concatenate(
        [np.stack([a, b, c], -1).reshape(-1, 3), np.stack([a, c, d], -1).reshape(-1, 3)]
    )
    return vertices, faces


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 10**6))
def test_refining_keeps_the_surface_and_leaves_no_crack(seed):
    rng = np.random.default_rng(seed)
    vertices, faces = grid(4, 5)
    limit = rng.uniform(0.2, 2.0, len(vertices))
    fine, fine_faces = refine(np.column_stack([vertices, limit]), faces, limit)
    np.testing.assert_array_equal(fine[: len(vertices), :3], vertices)
    assert face_areas(fine[:, :3], fine_faces).sum() == pytest.approx(12.0)
    assert (face_normals(fine[:, :3], fine_faces)[:, 2] > 0.999).all()
    edges, uses, _ = edge_uses(fine_faces)
    assert uses.max() == 2
    # A crack would show as a boundary edge inside the square.
    rim = fine[np.unique(boundary_edges(fine_faces)), :2]
    assert (np.isin(rim[:, 0], [0, 4]) | np.isin(rim[:, 1], [0, 3])).all()
    lengths = np.linalg.norm(fine[edges[:, 0], :3] - fine[edges[:, 1], :3], axis=1)
    # Attributes are interpolated with the positions, so the last column still is the limit.
    assert (lengths <= fine[edges, 3].mean(axis=1) + 1e-12).all()


def test_resampling_a_square_gives_a_disk_of_new_vertices(rng):
    vertices, faces = grid(60, 60)
    scan = resample(vertices, faces, np.ones(len(vertices)), 400, rng)
    points = np.einsum("nk,nkc->nc", scan.weights, vertices[scan.corners])
    assert 380 <= len(points) <= 400
    assert scan.claimed.all()
    np.testing.assert_allclose(scan.weights.sum(axis=1), 1)
    assert np.abs(points[:, 2]).max() == 0
    assert np.abs(points[:, None] - vertices[None, ::7]).sum(axis=2).min() > 1e-3
    edges, uses, _ = edge_uses(scan.faces)
    assert set(uses.tolist()) == {1, 2}
    assert len(points) - len(edges) + len(scan.faces) == 1  # a disk
    assert (face_normals(points, scan.faces)[:, 2] > 0).mean() > 0.99
    assert face_areas(points, scan.faces).sum() == pytest.approx(59**2, rel=0.03)


def test_lips_that_touch_are_not_joined(rng):
    upper, faces = grid(30, 30)
    lower = upper.copy()
    lower[:, 2] = -1e-6
    both = np.vstack([upper, lower])
    scan = resample(
        both, np.vstack([faces, faces + len(upper)]), np.ones(len(both)), 200, rng, smallest=10
    )
    sheet = scan.corners[:, 0] >= len(upper)
    assert 60 < sheet.sum() < 140
    assert (sheet[scan.faces].sum(axis=1) % 3 == 0).all()


def test_denser_where_asked_and_small_parts_left_out(rng):
    vertices, faces = grid(60, 60)
    density = np.where(vertices[:, 0] < 29.5, 4.0, 1.0)
    scan = resample(vertices, faces, density, 500, rng)
    left = (vertices[scan.corners[:, 0], 0] < 29.5).mean()
    assert 0.7 < left < 0.9
    island, island_faces = grid(5, 5)
    island[:, 2] = 50.0
    scan = resample(
        np.vstack([vertices, island]),
        np.vstack([faces, island_faces + len(vertices)]),
        np.ones(len(vertices) + 25),
        300,
        rng,
        smallest=30,
    )
    assert not scan.claimed[len(vertices) :].any()
    assert scan.claimed[: len(vertices)].all()
