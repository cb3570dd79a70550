"""Views and rays: what is seen at a pixel is where the ray through it lands."""

import numpy as np
import pytest

from geomface.errors import MeshError
from geomface.faces.builtin import load_builtin_face
from geomface.landmarks.shape_model import fit_landmark_shape
from geomface.landmarks.surface import ScanSurface
from geomface.landmarks.training.shape_models import learn_landmark_shape
from geomface.landmarks.training.views import draw_views
from geomface.landmarks.views import VIEW_SIZE, View, render_geometry
from geomface.mesh import Similarity
from geomface.mesh.multi_pie import mirror_order
from geomface.rendering.camera import view_rotation


@pytest.fixture(scope="module")
def face():
    return load_builtin_face()


def test_mirror_order_is_an_involution_that_swaps_sides(face):
    order = mirror_order()
    np.testing.assert_array_equal(order[order], np.arange(68))
    points = face.template.landmarks.positions(face.mesh.vertices)
    np.testing.assert_allclose(points[order] * [-1, 1, 1], points, atol=1e-6)


def test_rays_undo_the_projection(rng, face):
    surface = ScanSurface(face.mesh)
    view = View(view_rotation(25.0, -10.0), np.array([3.0, -2.0, 5.0]), 240.0)
    pixels = rng.uniform(30, 98, (200, 2))
    points, cosines = surface.cast(view, pixels)
    met = np.isfinite(points).all(axis=1)
    assert met.sum() > 100
    again, _ = view.project(points[met])
    np.testing.assert_allclose(again, pixels[met], atol=1e-6)
    assert (cosines[met] > 0).all() and (cosines[~met] == 0).all()


def test_the_picture_shows_normals_and_depth_of_what_the_ray_meets(face):
    surface = ScanSurface(face.mesh)
    view = View(view_rotation(-30.0, 5.0), np.zeros(3), 260.0)
    picture, face_ids = render_geometry(surface.vertices, surface.faces, surface.normals, view)
    rows, columns = np.nonzero(face_ids >= 0)
    points, _ = surface.cast(view, np.stack([columns + 0.5, rows + 0.5], axis=1))
    met = np.isfinite(points).all(axis=1)
    assert met.mean() > 0.99
    height = view.project(points[met])[1]
    shown = picture[3, rows[met], columns[met]] * 0.5 * view.extent
    assert np.median(np.abs(shown - height)) < 0.01
    lengths = np.linalg.norm(picture[:3, rows, columns], axis=0)
    np.testing.assert_allclose(lengths, 1.0, atol=1e-5)
    assert (picture[:, face_ids < 0] == 0).all()


def test_training_views_follow_the_seed_and_label_what_they_show(face):
    first, again = (draw_views([face], 2, np.random.default_rng(3), views=2) for _ in range(2))
    np.testing.assert_array_equal(first.pictures, again.pictures)
    np.testing.assert_array_equal(first.points, again.points)
    assert first.pictures.dtype == np.int8 and first.pictures.shape[1:] == (4, VIEW_SIZE, VIEW_SIZE)
    cell = np.floor(first.points).astype(int)
    for index in range(4):
        seen = first.visible[index]
        shown = first.pictures[index][:, cell[index][seen, 1], cell[index][seen, 0]]
        assert (np.abs(shown).sum(axis=0) > 0).all()


def test_the_shape_model_finds_the_pose_among_gross_errors(rng, face):
    model = learn_landmark_shape([face], 60, rng, components=20)
    person = face.vertices(face.sample_identity(rng))
    points = face.template.landmarks.positions(person)
    turn = view_rotation(70.0, 30.0)
    truth = Similarity(0.1, turn, np.array([5.0, 1.0, -2.0])).apply(points)
    given = truth + 0.05 * rng.standard_normal(truth.shape)
    wrong = rng.choice(68, 10, replace=False)
    given[wrong] += 4.0 * rng.standard_normal((10, 3))
    given[rng.choice(68, 5, replace=False)] = np.nan
    fit = fit_landmark_shape(model, given, np.full(68, 0.1))
    cosine = (np.trace(fit.similarity.rotation.T @ turn) - 1) / 2
    assert np.degrees(np.arccos(min(cosine, 1.0))) < 2.0
    assert fit.similarity.scale == pytest.approx(0.1, rel=0.06)
    right = np.setdiff1d(np.arange(68), wrong)
    assert np.median(np.linalg.norm(fit.expected - truth, axis=1)[right]) < 0.2
    with pytest.raises(MeshError, match="at least 6"):
        fit_landmark_shape(model, np.full((68, 3), np.nan), np.ones(68))
