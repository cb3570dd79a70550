"""The baselines that recognition is measured against, on pictures whose answers are known."""

import numpy as np
import pytest
from baselines import (
    PATTERNS,
    chi_square_scores,
    eigenface_scores,
    pattern_histograms,
    standardized,
)

from geomface.recognition.protocols.picture_pairs import all_pairs


def drawn_people(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Six people of smooth noise in four pictures each, lit differently."""
    small = rng.standard_normal((6, 8, 8))
    faces = np.repeat(small, 4, axis=0) + 0.3 * rng.standard_normal((24, 8, 8))
    pictures = np.kron(faces, np.ones((1, 6, 6)))
    low, high = pictures.min(), pictures.max()
    return (pictures - low) / (high - low), np.repeat(np.arange(6), 4)


def test_baselines_tell_people_of_noise_apart(rng: np.random.Generator) -> None:
    pictures, people = drawn_people(rng)
    pairs = all_pairs([str(name) for name in people])
    eigen = eigenface_scores(pictures, people, pairs.rows, (4, 12))
    histograms = pattern_histograms(pictures, cell=16)
    assert histograms.shape == (24, 9, PATTERNS)
    np.testing.assert_allclose(histograms.sum(axis=2), 1.0)
    for scores in (*eigen, chi_square_scores(histograms, pairs.rows)):
        assert scores[pairs.same].mean() > scores[~pairs.same].mean() + scores.std()


def test_light_and_contrast_change_neither_pixels_nor_eigenfaces(rng: np.random.Generator) -> None:
    pictures, people = drawn_people(rng)
    rows = all_pairs([str(name) for name in people]).rows
    other = 0.1 + 0.6 * pictures
    np.testing.assert_allclose(standardized(other), standardized(pictures), atol=1e-12)
    np.testing.assert_allclose(
        eigenface_scores(other, people, rows, (6,)),
        eigenface_scores(pictures, people, rows, (6,)),
        atol=1e-6,
    )


def test_eigenfaces_of_a_pair_do_not_know_its_people(rng: np.random.Generator) -> None:
    pictures, people = drawn_people(rng)
    rows = np.array([[0, 5]])
    changed = pictures.copy()
    changed[1:4], changed[6:8] = rng.random((3, 48, 48)), rng.random((2, 48, 48))
    scores = [eigenface_scores(item, people, rows, (6,))[0, 0] for item in (pictures, changed)]
    assert scores[0] == pytest.approx(scores[1])


def test_chi_square_of_equal_histograms_is_0_and_of_disjoint_ones_2_a_cell() -> None:
    histograms = np.zeros((3, 2, PATTERNS))
    histograms[:2, :, 3] = histograms[2, :, 4] = 1.0
    np.testing.assert_allclose(chi_square_scores(histograms, np.array([[0, 1], [0, 2]])), [0, -4])
