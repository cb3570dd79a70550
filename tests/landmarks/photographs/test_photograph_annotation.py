"""The hand annotation: four points that lie where a face has them, and how well they repeat."""

import itertools
import json

import numpy as np
import pytest
from annotation import FILE, annotated_points, load_annotation, load_photographs

RECORD = json.loads(FILE.read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def annotation():
    return load_annotation()


def test_the_photographs_are_those_that_the_rule_draws(annotation):
    rng = np.random.default_rng(15)
    drawn = {(row, int(picture)) for row in range(19) for picture in rng.choice(10, 2, False)}
    rest = [pair for pair in itertools.product(range(19), range(10)) if pair not in drawn]
    drawn |= {rest[index] for index in rng.choice(len(rest), 2, replace=False)}
    pairs = list(zip(annotation.rows.tolist(), annotation.pictures.tolist(), strict=True))
    assert pairs == sorted(drawn)
    assert len(pairs) == 40


def test_points_are_where_a_face_has_them(annotation):
    points, distance = annotation.points, annotation.eye_distances
    assert (points > 0).all() and (points < RECORD["image_size"]).all()
    right_eye, left_eye, right_corner, left_corner = np.moveaxis(points, 1, 0)
    assert (left_eye[:, 0] > right_eye[:, 0]).all()
    assert (left_corner[:, 0] > right_corner[:, 0]).all()
    assert (distance > 30).all() and (distance < 40).all()
    down = (right_corner + left_corner - right_eye - left_eye)[:, 1] / 2 / distance
    assert (down > 0.7).all() and (down < 1.2).all()  # the least where a head is bowed
    mouth = np.linalg.norm(left_corner - right_corner, axis=1) / distance
    assert (mouth > 0.6).all() and (mouth < 1.4).all()


def test_eyes_and_mouth_corners_are_parallel(annotation):
    sides = annotation.points[:, 1::2] - annotation.points[:, ::2]
    angles = np.degrees(np.arctan2(sides[..., 1], sides[..., 0]))
    assert np.abs(angles[:, 0] - angles[:, 1]).max() < 10


def test_repeatability_is_as_stated_and_below_two_percent(annotation):
    first, second, third = np.moveaxis(annotation.passes, 1, 0)
    scale = 100 / annotation.eye_distances[:, None]

    def apart(one, other):
        return (np.linalg.norm(one - other, axis=-1) * scale).mean()

    pairs = np.mean([apart(first, second), apart(first, third), apart(second, third)])
    stated = RECORD["repeatability"]
    assert stated["blind_passes_percent"] == pytest.approx(apart(second, third), abs=0.01)
    assert stated["all_pairs_percent"] == pytest.approx(pairs, abs=0.01)
    assert stated["mean_of_three_percent"] == pytest.approx(pairs / np.sqrt(3), abs=0.01)
    assert stated["blind_passes_percent"] < 2 and stated["mean_of_three_percent"] < 1
    np.testing.assert_allclose(annotation.points, annotation.passes.mean(axis=1), atol=0.006)


def test_no_pass_is_shifted_to_one_side(annotation):
    shifts = annotation.passes.mean(axis=(0, 2)) - annotation.points.mean(axis=(0, 1))
    assert np.abs(shifts).max() < 0.01 * annotation.eye_distances.mean()


def test_all_kinds_of_photographs_are_there(annotation):
    assert all(flag.sum() >= 3 for flag in annotation.flags.values())
    assert {"left", "right", "no"} == set(annotation.turned)
    assert (annotation.flags["glasses"] >= annotation.flags["glare"]).all()


def test_landmarks_come_to_the_annotated_points(annotation):
    landmarks = np.zeros((40, 68, 2))
    ring = np.array([[-3.0, 0], [-1, -1], [1, -1], [3, 0], [1, 1], [-1, 1]])
    landmarks[:, 36:42] = annotation.points[:, :1] + ring
    landmarks[:, 42:48] = annotation.points[:, 1:2] + ring
    landmarks[:, [48, 54]] = annotation.points[:, 2:]
    np.testing.assert_allclose(annotation.errors(annotated_points(landmarks)), 0, atol=1e-12)


def test_the_photographs_are_grey_and_their_subjects_the_stated_ones(annotation, shared_data):
    pictures = load_photographs(shared_data, annotation)
    assert pictures.shape == (40, *RECORD["image_size"][::-1]) and pictures.dtype == np.uint8
    with np.load(shared_data / "orl" / "orl_dev.npz") as orl:
        stated = [photograph["subject"] for photograph in RECORD["photographs"]]
        np.testing.assert_array_equal(orl["subjects"][annotation.rows], stated)


def test_mouth_corners_lie_on_the_dark_line_between_the_lips(annotation, shared_data):
    """Another photograph, or rows for columns, would put them onto skin."""
    pictures = load_photographs(shared_data, annotation).astype(float)
    inwards = np.array([2.0, -2.0])[:, None] * [1, 0]
    corners = (annotation.points[:, 2:] + inwards).reshape(-1, 2)
    which = np.repeat(np.arange(40), 2)
    rows = np.array([corners[:, 1] + down for down in range(-6, 7)]).astype(int).clip(0, 111)
    columns = pictures[which, rows, corners[:, 0].astype(int)]
    assert abs(columns.mean(axis=1).argmin() - 6) <= 1
