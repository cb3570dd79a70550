"""Simulated scans: their truth holds, damage comes as asked, equal seeds give equal bytes."""

import dataclasses

import numpy as np
import pytest

from geomface.errors import LandmarkError, SettingsError
from geomface.faces.builtin import load_builtin_face
from geomface.mesh import LandmarkEmbedding
from geomface.mesh.closest import ClosestPointIndex
from geomface.mesh.io import load_landmarks, load_mesh
from geomface.mesh.normals import face_areas, vertex_normals
from geomface.mesh.topology import connected_components, edge_uses
from geomface.scans.settings import ScanSettings
from geomface.scans.simulate import save_simulated_scan, simulate_scan

QUICK = ScanSettings(vertices=4000)


@pytest.fixture(scope="module")
def model():
    return load_builtin_face()


@pytest.fixture(scope="module")
def scan(model):
    return simulate_scan(model, rng=np.random.default_rng(3), settings=QUICK)


def scan_with(model, seed=3, **changes):
    settings = dataclasses.replace(QUICK, **changes)
    return simulate_scan(model, rng=np.random.default_rng(seed), settings=settings)


def test_the_truth_lies_on_the_scan_where_it_was_seen(scan, model):
    truth = scan.truth
    assert truth["vertices"].shape == model.mesh.vertices.shape
    assert 0.6 < truth["seen"].mean() < 0.99
    distance = ClosestPointIndex(scan.mesh).query(truth["vertices"][truth["seen"]]).distances
    # Half a millimetre: the noise, and chords between scan vertices 5 mm apart.
    assert np.median(distance) < 0.5 and np.percentile(distance, 95) < 2.5
    hidden = ClosestPointIndex(scan.mesh).query(truth["vertices"][~truth["seen"]]).distances
    assert np.median(hidden) > 2 * np.median(distance)


def test_no_model_vertex_is_a_scan_vertex(model):
    scan = scan_with(model, noise_mm=(0.0, 0.0), surround=False, hole_count=0)
    surface = (scan.truth["vertices"], model.mesh.faces)
    points = scan.mesh.vertices
    assert ClosestPointIndex(surface).query(points).distances.max() < 1e-6
    from scipy.spatial import cKDTree

    nearest, _ = cKDTree(scan.truth["vertices"]).query(points)
    assert nearest.min() > 1e-4 and np.median(nearest) > 0.3


def test_pose_takes_the_model_to_the_scan(scan, model):
    truth = scan.truth
    np.testing.assert_allclose(truth["rotation"] @ truth["rotation"].T, np.eye(3), atol=1e-12)
    assert np.linalg.det(truth["rotation"]) == pytest.approx(1)
    back = (truth["vertices"] - truth["translation"]) @ truth["rotation"] / truth["scale"]
    person = model.vertices(truth["identity"], truth["expression"])
    moved = np.sqrt(((back - person) ** 2).sum(axis=1).mean())
    assert moved == pytest.approx(QUICK.deformation_mm, rel=1e-6)
    assert QUICK.scale[0] <= truth["scale"] <= QUICK.scale[1]
    np.testing.assert_allclose(
        model.template.landmarks.positions(truth["vertices"]), truth["landmarks"], atol=1e-9
    )


def test_the_mesh_looks_like_a_scan(scan):
    mesh = scan.mesh
    assert 0.85 * QUICK.vertices < len(mesh.vertices) <= QUICK.vertices
    _, uses, _ = edge_uses(mesh.faces)
    assert set(uses.tolist()) == {1, 2}
    assert connected_components(mesh.faces, len(mesh.vertices))[0] <= 6
    assert face_areas(mesh.vertices, mesh.faces).min() > 0
    assert mesh.colors is not None and 0.02 < mesh.colors.mean() < 0.98
    forward = vertex_normals(mesh.vertices, mesh.faces) @ scan.truth["rotation"][:, 2]
    assert (forward > 0).mean() > 0.75
    # Beyond the mask there is surface: head, neck and shoulders.
    index = ClosestPointIndex((scan.truth["vertices"], np.asarray(_faces())))
    assert (index.query(mesh.vertices).distances > 20).mean() > 0.1


def _faces():
    return load_builtin_face().mesh.faces


def test_colors_are_the_albedo(scan):
    seen = scan.truth["seen"]
    hits = ClosestPointIndex(scan.mesh).query(scan.truth["vertices"][seen])
    colors = np.einsum(
        "nk,nkc->nc", hits.barycentric, scan.mesh.colors[scan.mesh.faces[hits.faces]]
    )
    albedo = scan.truth["albedo"]
    assert albedo.min() >= 0 and albedo.max() <= 1 and albedo.std() > 0.01
    assert np.abs(colors - albedo[seen]).mean() < 0.03


def test_landmarks_have_their_noise(model):
    scan = scan_with(model, landmark_noise_mm=1.0)
    error = scan.landmarks.points - scan.truth["landmarks"]
    assert 0.8 < error.std() < 1.2
    scan = scan_with(model, landmark_noise_mm=0.0, wrong_landmarks=5, missing_landmarks=7)
    error = np.linalg.norm(scan.landmarks.points - scan.truth["landmarks"], axis=1)
    assert np.isnan(error).sum() == 7
    np.testing.assert_allclose(error[scan.truth["wrong_landmarks"]], 20.0, atol=1e-9)
    assert np.count_nonzero(error > 1e-9) == 5


def test_missing_surface_and_outliers_come_as_asked(model):
    whole = scan_with(model, hole_count=0, dropout_fraction=0.0)
    missing = scan_with(model, hole_count=0, dropout_fraction=0.0, missing_fraction=0.3)
    lost = 1 - missing.truth["seen"].sum() / whole.truth["seen"].sum()
    assert 0.2 < lost < 0.42
    spoilt = scan_with(model, outlier_fraction=0.1)
    parts = connected_components(spoilt.mesh.faces, len(spoilt.mesh.vertices))[0]
    assert parts > connected_components(whole.mesh.faces, len(whole.mesh.vertices))[0]
    surface = ClosestPointIndex((spoilt.truth["vertices"], model.mesh.faces))
    near = ClosestPointIndex(spoilt.mesh).query(spoilt.truth["vertices"][spoilt.truth["seen"]])
    assert np.percentile(near.distances, 95) < 2.5
    far = surface.query(spoilt.mesh.vertices).distances
    assert (far > 3).mean() > 0.03


def test_residual_rotation_has_its_angle(model):
    rotation = scan_with(model, residual_pose_degrees=15.0).truth["residual_rotation"]
    assert np.degrees(np.arccos((np.trace(rotation) - 1) / 2)) == pytest.approx(15.0)
    assert np.linalg.det(rotation) == pytest.approx(1)


def test_equal_seeds_give_equal_bytes(model, tmp_path):
    paths = []
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
        paths.append(save_simulated_scan(tmp_path / folder, 7, scan_with(model)))
    assert [path.name for path in paths[0]] == [
        "scan007.ply", "scan007.landmarks.json", "scan007.truth.npz",
    ]  # fmt: skip
    for first, second in zip(*paths, strict=True):
        assert first.read_bytes() == second.read_bytes()
    other = scan_with(model, seed=4)
    assert other.mesh.vertices.shape != scan_with(model).mesh.vertices.shape or not np.array_equal(
        other.mesh.vertices, scan_with(model).mesh.vertices
    )


def test_files_hold_what_was_simulated(scan, tmp_path):
    mesh_path, landmark_path, truth_path = save_simulated_scan(tmp_path, 0, scan)
    mesh, landmarks = load_mesh(mesh_path), load_landmarks(landmark_path)
    np.testing.assert_allclose(mesh.vertices, scan.mesh.vertices, atol=1e-4)
    np.testing.assert_array_equal(mesh.faces, scan.mesh.faces)
    np.testing.assert_allclose(mesh.colors, scan.mesh.colors, atol=1 / 255)
    np.testing.assert_allclose(landmarks.points, scan.landmarks.points, atol=1e-3)
    assert landmarks.scheme == "multi-pie-68"
    with np.load(truth_path, allow_pickle=False) as truth:
        assert set(truth.files) == set(scan.truth)
        assert truth["vertices"].dtype == np.float32 and truth["seen"].dtype == bool
        np.testing.assert_allclose(truth["vertices"], scan.truth["vertices"], atol=1e-4)


def test_bad_settings_are_refused(model):
    for changes, words in (
        ({"missing_fraction": 1.5}, "missing_fraction"),
        ({"noise_mm": (0.4, 0.1)}, "noise_mm"),
        ({"scale": (0.0, 1.0)}, "scale"),
        ({"vertices": 10}, "vertices"),
        ({"landmark_noise_mm": -1.0}, "landmark_noise_mm"),
    ):
        with pytest.raises(SettingsError, match=words):
            dataclasses.replace(QUICK, **changes)
    with pytest.raises(LandmarkError, match="at most 68"):
        scan_with(model, wrong_landmarks=60, missing_landmarks=20)
    fewer = LandmarkEmbedding.on_vertices(np.arange(5), "five")
    template = dataclasses.replace(model.template, landmarks=fewer)
    with pytest.raises(LandmarkError, match="got 5"):
        scan_with(dataclasses.replace(model, template=template))
