"""Faces brought into their aligned pictures: places, sharpness, and what is refused."""

import numpy as np
import pytest

from geomface.errors import LandmarkError, SettingsError
from geomface.learning.errors import DatasetError
from geomface.mesh.multi_pie import mirror_order
from geomface.recognition.alignment.five_points import MIRRORED, five_points
from geomface.recognition.alignment.reference import (
    ALIGNMENTS,
    Alignment,
    alignment_of,
    require_alignment,
)
from geomface.recognition.alignment.warp import align_face, similarity_2d, warp_picture

ALIGNMENT = Alignment(112, 96)


def moved(points: np.ndarray, scale: float, degrees: float, shift: tuple[float, float]):
    turn = scale * np.exp(1j * np.radians(degrees))
    z = (points[:, 0] + 1j * points[:, 1]) * turn + complex(*shift)
    return np.stack([z.real, z.imag], axis=1)


def pattern(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """A smooth colour picture in the pixels of the aligned one."""
    return 0.5 + 0.4 * np.stack(
        [np.sin(x / 9.0 + y / 31.0), np.cos(y / 8.0 - x / 40.0), np.sin((x + y) / 15.0)], axis=-1
    )


def drawn(scale: float, degrees: float, shift: tuple[float, float], size: int) -> np.ndarray:
    """The pattern in a picture where the aligned one is moved to."""
    side = np.arange(size) + 0.5
    x, y = np.meshgrid(side, side)
    z = (x + 1j * y - complex(*shift)) / (scale * np.exp(1j * np.radians(degrees)))
    return pattern(z.real, z.imag).astype(np.float32)


def test_the_five_points_are_middles_of_eyes_tip_and_corners(rng: np.random.Generator) -> None:
    face = rng.uniform(0, 100, (68, 2))
    points = five_points(face)
    assert np.allclose(points[0], face[36:42].mean(axis=0))
    assert np.allclose(points[1], face[42:48].mean(axis=0))
    assert np.array_equal(points[2:], face[[30, 48, 54]])
    assert np.array_equal(five_points(points), points)
    mirrored = face[mirror_order()] * [-1, 1] + [100, 0]
    assert np.allclose(five_points(mirrored), points[list(MIRRORED)] * [-1, 1] + [100, 0])


def test_sizes_are_the_standard_ones() -> None:
    expected = [[30.2946, 51.6963], [65.5318, 51.5014], [48.0252, 71.7366]]
    standard = ALIGNMENTS["112x96"].points
    assert np.allclose(standard[:3], expected)
    assert np.allclose(ALIGNMENTS["112x112"].points, standard + [8, 0])
    assert np.allclose(ALIGNMENTS["56x48"].points, standard / 2)
    # All of the standard picture fits into any other.
    assert np.allclose(Alignment(96, 96).points, (standard - [48, 56]) * 96 / 112 + 48)
    for alignment in ALIGNMENTS.values():
        assert alignment_of(alignment.id) == alignment == alignment_of(alignment.size)


@pytest.mark.parametrize("name", ["112", "112x", "x96", "five-points", "112x96x3", "8x8", "9999x1"])
def test_what_is_no_alignment_is_refused(name: str) -> None:
    with pytest.raises(SettingsError, match="expected"):
        alignment_of(name)


def test_another_alignment_is_refused_in_a_sentence() -> None:
    require_alignment("set", Alignment(56, 48), Alignment(56, 48))
    with pytest.raises(DatasetError, match=r"set: expected .*112x96, got .*56x48\..*--size 112x96"):
        require_alignment("set", Alignment(56, 48), ALIGNMENT)


def test_the_similarity_is_exact_and_never_mirrors(rng: np.random.Generator) -> None:
    source = rng.normal(size=(5, 2))
    target = moved(source, 1.7, 130.0, (3.0, -8.0))
    found = similarity_2d(source, target)
    assert np.allclose(source @ found[:, :2].T + found[:, 2], target)
    # Of noisy points it is the best: no small change comes nearer.
    target += rng.normal(size=(5, 2))
    found = similarity_2d(source, target)

    def miss(matrix: np.ndarray) -> float:
        return float(((source @ matrix[:, :2].T + matrix[:, 2] - target) ** 2).sum())

    a, b, x, y = found[0, 0], found[1, 0], *found[:, 2]
    for step in 1e-3 * np.concatenate([np.eye(4), -np.eye(4)]):
        p, q, r, s = np.array([a, b, x, y]) + step
        assert miss(np.array([[p, -q, r], [q, p, s]])) > miss(found)
    mirrored = similarity_2d(ALIGNMENT.points, ALIGNMENT.points * [-1, 1])
    assert np.linalg.det(mirrored[:, :2]) > 0


@pytest.mark.parametrize(
    ("scale", "degrees", "shift", "size"),
    [
        (1.0, 0.0, (0.0, 0.0), 130),
        (1.0, 0.0, (13.4, 7.7), 140),
        (1.3, 25.0, (90.0, 20.0), 250),
        (0.8, -90.0, (10.0, 110.0), 120),
        (1.0, 180.0, (110.0, 125.0), 130),
        (4.7, -12.0, (30.0, 140.0), 700),
    ],
)
def test_how_a_face_lies_in_its_picture_does_not_matter(
    scale: float, degrees: float, shift: tuple[float, float], size: int
) -> None:
    image = drawn(scale, degrees, shift, size)
    aligned = align_face(image, moved(ALIGNMENT.points, scale, degrees, shift), ALIGNMENT)
    truth = drawn(1.0, 0.0, (0.0, 0.0), 112)[:, :96]
    assert aligned.shape == (112, 96, 3) and aligned.dtype == np.float32
    assert np.abs(aligned - truth)[2:-2, 2:-2].max() < 0.012


def test_a_picture_that_is_aligned_stays_as_it_is(rng: np.random.Generator) -> None:
    image = rng.random((112, 96, 3)).astype(np.float32)
    assert np.allclose(align_face(image, ALIGNMENT.points, ALIGNMENT), image, atol=1e-6)


def test_points_land_on_their_places() -> None:
    """Bright spots at the five points of a turned face, found again by their weight."""
    points = moved(ALIGNMENT.points, 2.6, 17.0, (60.0, 15.0))
    side = np.arange(400) + 0.5
    x, y = np.meshgrid(side, side)
    for at, place in zip(points, ALIGNMENT.points, strict=True):
        spot = np.exp(-((x - at[0]) ** 2 + (y - at[1]) ** 2) / 32).astype(np.float32)
        seen = align_face(spot, points, ALIGNMENT)[..., 0].astype(float)
        rows, columns = np.mgrid[:112, :96] + 0.5
        center = np.array([(seen * columns).sum(), (seen * rows).sum()]) / seen.sum()
        assert np.abs(center - place).max() < 0.02


def test_large_pictures_shrink_without_aliasing() -> None:
    """Rings that get too fine for the small picture turn grey instead of becoming other rings."""
    side = np.arange(900) + 0.5
    x, y = np.meshgrid(side, side)
    fine = 0.5 + 0.5 * np.cos(2 * np.pi * x / 5.3) * np.cos(2 * np.pi * y / 6.1)
    points = moved(ALIGNMENT.points, 7.3, 9.0, (130.0, 20.0))
    aligned = align_face(fine.astype(np.float32), points, ALIGNMENT)
    assert np.abs(aligned - 0.5).max() < 0.02


def test_the_mirror_image_is_aligned_to_the_mirror_image(rng: np.random.Generator) -> None:
    image = rng.random((150, 170, 3)).astype(np.float32)
    points = moved(ALIGNMENT.points, 1.2, 14.0, (30.0, 3.0)) + rng.normal(size=(5, 2))
    order = list(MIRRORED)
    template = (ALIGNMENT.points * [-1, 1] + [96, 0])[order]
    there = warp_picture(image, similarity_2d(ALIGNMENT.points, points), 112, 96)
    flipped = np.ascontiguousarray(image[:, ::-1])
    back = similarity_2d(template, (points * [-1, 1] + [170, 0])[order])
    assert np.allclose(warp_picture(flipped, back, 112, 96), there[:, ::-1], atol=1e-5)
    # The places are symmetric to within a tenth of a pixel, so flips are good augmentation.
    assert np.abs(template - ALIGNMENT.points).max() < 0.4


def test_grey_stays_grey_and_kinds_of_numbers_agree(rng: np.random.Generator) -> None:
    levels = rng.integers(0, 256, (140, 120), dtype=np.uint8)
    points = moved(ALIGNMENT.points, 1.1, -8.0, (5.0, 10.0))
    grey = align_face(levels, points, ALIGNMENT)
    assert (grey == grey[..., :1]).all()
    for same in (levels[..., None], levels / np.float32(255), levels.astype(np.uint16) * 257):
        assert np.allclose(align_face(same, points, ALIGNMENT), grey, atol=1e-6)
    color = np.stack([levels, levels[::-1], levels[:, ::-1]], axis=2)
    assert np.allclose(align_face(color, points, ALIGNMENT)[..., 0], grey[..., 0])


def test_outside_of_the_picture_its_rim_goes_on() -> None:
    image = np.zeros((40, 40, 3), np.float32)
    image[:, 20:] = 1.0
    aligned = align_face(image, ALIGNMENT.points - [28.0, 36.0], ALIGNMENT)
    assert (aligned[:, :46] == 0.0).all() and (aligned[:, 50:] == 1.0).all()


@pytest.mark.parametrize(
    ("landmarks", "words"),
    [
        (np.zeros((67, 2)), "expected an array of shape"),
        (np.full((68, 2), 7.0), "within one pixel"),
        (np.where(np.arange(68)[:, None] == 30, np.nan, np.eye(68, 2) * 9), "missing"),
        (np.full((5, 2), np.nan), "missing"),
        ([["a", "b"]] * 68, "expected numbers"),
    ],
)
def test_landmarks_that_do_not_do_are_refused(landmarks: np.ndarray, words: str) -> None:
    with pytest.raises(LandmarkError, match=words):
        align_face(np.zeros((64, 64, 3)), landmarks, ALIGNMENT)


@pytest.mark.parametrize("image", [np.zeros((64, 64, 2)), np.full((64, 64), 255.0), np.zeros(9)])
def test_what_is_no_picture_is_refused(image: np.ndarray) -> None:
    with pytest.raises(LandmarkError, match="picture: expected"):
        align_face(image, ALIGNMENT.points, ALIGNMENT)
