"""Random fields, visibility, holes, blobs, lumps, clumps and wrong landmarks."""

import numpy as np
import pytest

from geomface.mesh.topology import boundary_edges, connected_components
from geomface.scans.damage import flying_clumps, holes, lumps, measured_landmarks, missing_blobs
from geomface.scans.fields import random_displacement, random_field, weighted_quantile
from geomface.scans.visibility import front_faces, pod_directions, seen_vertices


def plane(rows, columns, z=0.0):
    y, x = np.mgrid[0:rows, 0:columns].astype(float)
    vertices = np.stack([x, y, np.full_like(x, z)], axis=-1).reshape(-1, 3)
    index = np.arange(rows * columns).reshape(rows, columns)
    a, b, c, d = index[:-1, :-1], index[:-1, 1:], index[1:, 1:], index[1:, :-1]
    faces = np.concatenate(
        [np.stack([a, b, c], -1).reshape(-1, 3), np.stack([a, c, d], -1).reshape(-1, 3)]
    )
    return vertices, faces


def test_field_has_unit_variance_and_its_wavelength(rng):
    points = rng.uniform(0, 1000, (20000, 3))
    values = np.concatenate([random_field(points, 50.0, rng) for _ in range(4)])
    assert abs(values.mean()) < 0.1 and values.std() == pytest.approx(1.0, abs=0.1)
    line = np.zeros((2000, 3))
    line[:, 0] = np.arange(2000.0)
    waves = random_field(line, 50.0, rng)
    crossings = np.count_nonzero(np.diff(np.sign(waves)))
    assert 25 < crossings < 130  # a plane wave of 50 mm along x would cross 80 times


def test_displacement_has_the_wanted_size(rng):
    points = rng.uniform(-80, 80, (500, 3))
    moved = random_displacement(points, 90.0, 1.2, rng, count=400)
    assert np.sqrt((moved[:400] ** 2).sum(axis=1).mean()) == pytest.approx(1.2)
    assert np.abs(random_displacement(points, 90.0, 0.0, rng, count=400)).max() == 0


def test_weighted_quantile_counts_weights():
    values = np.array([3.0, 1.0, 2.0])
    assert weighted_quantile(values, np.array([1.0, 8.0, 1.0]), 0.5) == 1.0
    assert weighted_quantile(values, np.array([8.0, 1.0, 1.0]), 0.5) == 3.0


def test_a_plane_hides_the_plane_behind_it():
    front, faces = plane(20, 20)
    back, _ = plane(40, 40, z=-30.0)
    _, back_faces = plane(40, 40)
    vertices = np.vstack([front, back])
    both = np.vstack([faces, back_faces + len(front)])
    forward, backward = np.array([[0.0, 0.0, 1.0]]), np.array([[0.0, 0.0, -1.0]])
    cosine = seen_vertices(vertices, both, forward)
    np.testing.assert_allclose(cosine[: len(front)], 1.0)
    covered = ((back[:, :2] > 0.5) & (back[:, :2] < 18.5)).all(axis=1)
    assert (cosine[len(front) :][covered] == 0).all()
    assert (cosine[len(front) :][(back[:, :2] > 20).any(axis=1)] == 1).all()
    assert (seen_vertices(vertices, both, backward) == 0).all()  # everything faces away
    faces_in_front = front_faces(vertices, both, forward)
    assert faces_in_front[: len(faces)].all()
    corners = vertices[both[len(faces) :]][..., :2]
    hidden = ((corners > 0.5) & (corners < 18.5)).all(axis=(1, 2))
    assert not faces_in_front[len(faces) :][hidden].any()


def test_steep_surface_hides_nothing_of_itself():
    vertices, faces = plane(30, 30)
    tilted = vertices.copy()
    tilted[:, 2] = 4.0 * vertices[:, 0]  # 76 degrees from the pod's plane
    cosine = seen_vertices(tilted, faces, np.array([[0.0, 0.0, 1.0]]))
    np.testing.assert_allclose(cosine, 1 / np.sqrt(17), atol=1e-9)


def test_pods_stand_where_their_angles_say():
    directions = pod_directions(np.array([0.0, 90.0, 0.0]), np.array([0.0, 0.0, 90.0]))
    np.testing.assert_allclose(directions, [[0, 0, 1], [1, 0, 0], [0, 1, 0]], atol=1e-12)
    vertices, faces = plane(5, 5)
    best = seen_vertices(vertices, faces, pod_directions(np.array([-60.0, 30.0]), np.zeros(2)))
    np.testing.assert_allclose(best, np.cos(np.radians(30)))


def test_blobs_cover_the_wanted_share(rng):
    vertices, _ = plane(100, 100)
    region = vertices[:, 0] < 50
    for fraction in (0.1, 0.3):
        gone = missing_blobs(
            vertices, np.ones(len(vertices)), region, fraction, rng, wavelength=40.0
        )
        assert gone[region].mean() == pytest.approx(fraction, abs=0.01)
    assert not missing_blobs(
        vertices, np.ones(len(vertices)), region, 0.0, rng, wavelength=40.0
    ).any()
    gone = holes(vertices, region, rng, count=3, radius=(4.0, 5.0))
    assert 3 * 30 > gone.sum() / 3 > 30  # three disks of 4 to 5 mm, some cut at the border
    assert not holes(vertices, region, rng, count=0, radius=(4.0, 5.0)).any()


def test_lumps_lift_a_share_of_the_surface(rng):
    vertices, _ = plane(150, 150)
    normals = np.tile([0.0, 0.0, 1.0], (len(vertices), 1))
    everywhere = np.ones(len(vertices), bool)
    lift = lumps(vertices, normals, np.ones(len(vertices)), everywhere, 0.1, rng)
    assert 0.1 <= (lift[:, 2] > 1).mean() < 0.17
    assert 6 < lift[:, 2].max() and (lift[:, :2] == 0).all()


def test_clumps_are_closed_and_float_in_front(rng):
    vertices, _ = plane(50, 50)
    normals = np.tile([0.0, 0.0, 1.0], (len(vertices), 1))
    points, faces = flying_clumps(vertices, normals, np.arange(len(vertices)), 500, rng)
    assert len(points) == 3 * 162
    assert connected_components(faces, len(points))[0] == 3
    assert len(boundary_edges(faces)) == 0
    assert points[:, 2].min() > 0
    volume = np.linalg.det(points[faces] - points.mean(axis=0)).sum() / 6
    assert volume > 0
    assert len(flying_clumps(vertices, normals, np.arange(3), 10, rng)[0]) == 0


def test_landmarks_are_spoilt_as_asked(rng):
    points = rng.uniform(-80, 80, (68, 3))
    landmarks, wrong = measured_landmarks(
        points, rng, scheme="multi-pie-68", noise=0.0, wrong=5, wrong_distance=20.0, missing=3,
        name="test",
    )  # fmt: skip
    distance = np.linalg.norm(landmarks.points - points, axis=1)
    assert np.isnan(distance).sum() == 3 and len(wrong) == 5
    np.testing.assert_allclose(distance[wrong], 20.0)
    assert (np.delete(distance, wrong)[~np.isnan(np.delete(distance, wrong))] == 0).all()
