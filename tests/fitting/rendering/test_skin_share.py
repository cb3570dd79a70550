"""What hides the skin in a picture: found by patches, marks on the skin are none."""

import dataclasses

import numpy as np
import pytest
from picture_samples import draw_face

from geomface.faces.builtin import load_builtin_face
from geomface.fitting.rendering import PictureFitSettings, PictureFitter, fit_image
from geomface.fitting.rendering.seen import not_hidden, painted_shares
from geomface.fitting.rendering.skin_share import skin_prior, skin_shares
from geomface.mesh.similarity import fit_similarity
from geomface.rendering.camera import WeakPerspective

SIZE = (40, 50)
EVERY = np.arange(40 * 50)
QUICK = PictureFitSettings(
    face_sizes_px=(60.0,), steps=(8,), landmark_weights=(1.0,), most_pixels=1500,
    albedo_modes=20,
)  # fmt: skip


@pytest.fixture(scope="module")
def face():
    return load_builtin_face()


def shares_of(residuals, prior=4.0):
    flat = residuals.reshape(len(EVERY), -1)
    return skin_shares(flat, np.full(len(EVERY), prior), EVERY, SIZE, 0.06, 1.0).reshape(SIZE)


@pytest.mark.parametrize("channels", [1, 3])
def test_a_patch_is_found_and_single_hairs_are_not(rng, channels) -> None:
    residuals = 0.03 * rng.standard_normal((*SIZE, channels))
    clean = shares_of(residuals)
    assert clean.min() > 0.95
    residuals[5:20, 5:20] += 0.3
    residuals[12, 12] = 0.0  # a pixel of a hand that has the colour of the face by chance
    residuals[30, 30:45] += 0.3  # a hair
    found = shares_of(residuals)
    assert found[8:17, 8:17].max() < 0.1
    assert found[27:, 25:].min() > 0.5
    assert found[:, 28:].min() > 0.5


def test_where_hair_is_likely_less_is_enough(rng) -> None:
    residuals = np.full((*SIZE, 3), 0.14)
    assert shares_of(residuals, prior=-1.0).max() < 0.5 < shares_of(residuals).min()


def test_prior_falls_towards_hair(face) -> None:
    prior, vertices = skin_prior(face.template), face.mesh.vertices
    marks = face.template.landmarks.positions(vertices)
    nearest = [int(np.linalg.norm(vertices - mark, axis=1).argmin()) for mark in marks]
    assert prior[nearest[30]] == 4.0  # the tip of the nose
    assert prior[nearest[8]] < 2.5  # the chin
    top = int(vertices[:, 1].argmax())
    assert prior[top] < 0
    mirrored = vertices * [-1, 1, 1]
    for place in nearest[:17]:
        twin = int(np.linalg.norm(mirrored - vertices[place], axis=1).argmin())
        assert prior[twin] == pytest.approx(prior[place], abs=0.5)
    bare = dataclasses.replace(face.template, landmarks=None)
    assert (skin_prior(bare) == 4.0).all()


def test_marks_inside_the_face_are_skin_and_what_reaches_in_is_not() -> None:
    shares = np.ones(SIZE, np.float32)
    shares[20:25, 20:25] = 0.0
    shares[:8, 10:20] = 0.0
    shares[36:, 40:42] = 0.0
    shown = painted_shares(shares.ravel(), EVERY, SIZE, 0.5)
    assert (shown[20:25, 20:25] == 1).all() and (shown[:8, 10:20] == 0).all()
    assert (shown[36:, 40:42] == 1).all()
    # A hole of the mesh is no way in.
    known = np.ones(SIZE, bool)
    known[22:30, 25:28] = False
    places = np.flatnonzero(known)
    shown = painted_shares(shares.ravel()[places], places, SIZE, 0.5)
    assert (shown[20:22, 20:25] == 1).all() and (shown[22:30, 25:28] == 0).all()


def test_what_shows_between_strands_is_not_the_face() -> None:
    shares = np.ones(SIZE, np.float32)
    shares[:, 38:42] = 0.0
    shown = painted_shares(shares.ravel(), EVERY, SIZE, 0.3)
    assert (shown[:, :38] == 1).all() and (shown[:, 38:] == 0).all()
    shares[:, :38] = 0.0  # nothing but the strip: then it is the face
    shown = painted_shares(shares.ravel(), EVERY, SIZE, 0.3)
    assert (shown[:, 42:] == 1).all()


def test_what_lies_behind_is_hidden() -> None:
    square = np.array([[0.0, 0, 0], [10, 0, 0], [10, 10, 0], [0, 10, 0]])
    vertices = np.concatenate([square - [0, 0, 20], square * [0.5, 1, 1]])
    faces = np.array([[0, 1, 2], [0, 2, 3], [4, 5, 6], [4, 6, 7]])
    camera = WeakPerspective(np.eye(3), 1.0, np.array([0.0, 10.0]), np.zeros(3))
    ids = np.where(np.arange(10) < 5, 2, 0)[None].repeat(10, axis=0)
    points = np.array([[2.0, 5, 0], [2.0, 5, -20], [8.0, 5, -20], [20.0, 5, 0]])
    seen = not_hidden(points, camera, ids, 1.0, vertices, faces)
    np.testing.assert_array_equal(seen, [True, False, True, False])


def test_a_hand_in_front_is_left_out_and_does_not_bend_the_face(face) -> None:
    drawn = draw_face(face, [11, 0], size=128)
    row, column = np.mgrid[:128, :128] + 0.5
    corner = drawn.landmarks[4]
    hand = (np.abs(column - corner[0]) < 22) & (np.abs(row - corner[1]) < 26)
    stripes = 0.5 + 0.25 * np.sin(0.5 * row)
    covered = np.where(hand[..., None], stripes[..., None] * [0.5, 0.6, 0.9], drawn.image)
    fitter = PictureFitter(face, QUICK)
    bare, fit = (
        fit_image(image, drawn.landmarks, fitter, focal_px=drawn.camera.focal)
        for image in (drawn.image, covered)
    )
    region = face.template.regions["narrow_face"]

    def error(found):
        shape = face.vertices(found.shape)[region]
        move = fit_similarity(shape, drawn.neutral[region], scale=True)
        return np.linalg.norm(move.apply(shape) - drawn.neutral[region], axis=1).mean()

    assert error(fit) < 1.1 * error(bare)
    flat = fit.camera.project(fit.mesh.vertices)
    outside = (np.abs(flat - corner) - [22, 26]).max(axis=1)
    under = (outside < -5) & (bare.seen > 0.5)
    assert under.sum() > 50 and fit.seen[under].mean() < 0.2
    away = (outside > 8) & (bare.seen > 0.5)
    assert away.sum() > 500 and fit.seen[away].mean() > 0.8
