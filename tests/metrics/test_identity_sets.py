"""Measures of sets of people, on descriptors whose answers are known."""

import numpy as np
import pytest

from geomface.errors import SettingsError
from geomface.metrics import (
    identity_centres,
    intra_class_spread,
    leakage,
    scale_in_plane,
    score_statistics,
    separability,
    unit_rows,
)


def test_spread_is_one_less_the_cosine_to_the_centre() -> None:
    """Two pictures at an angle of 2 a have their centre at a from each."""
    angles = np.array([0.3, 0.1])
    rows, who = [], []
    for person, angle in enumerate(angles):
        for sign in (1, -1):
            rows.append([np.cos(angle), sign * np.sin(angle)])
            who.append(person)
    rows, who = np.array([*rows, [0.0, 1.0], [7.0, 1.0]]), np.array([*who, 5, -1])
    found = intra_class_spread(5.0 * rows, who)
    assert found.value == pytest.approx(np.mean(1 - np.cos(angles)))
    assert found.n == 2 and found.settings == {"pictures": 4}
    centres, names = identity_centres(rows[::-1], who[::-1])
    np.testing.assert_array_equal(names, [5, 1, 0])
    np.testing.assert_allclose(centres, [[0, 1], [1, 0], [1, 0]], atol=1e-12)


def test_separability_counts_who_is_far_from_every_earlier_one(rng: np.random.Generator) -> None:
    turned = np.radians([0, 90, 95, 180, 130, 0])
    centres = np.stack([np.cos(turned), np.sin(turned)], axis=1)
    found = separability(centres)
    # 130 is within 66.4 degrees of 90 and of 95, although 95 itself does not count.
    np.testing.assert_array_equal(found.separate, [True, True, False, True, False, False])
    assert found.count == 3 and found.share == 0.5
    many = rng.standard_normal((1500, 6))
    cosines = unit_rows(many) @ unit_rows(many).T
    plain = [not (cosines[k, :k] > 0.4).any() for k in range(len(many))]
    np.testing.assert_array_equal(separability(many).separate, plain)


def test_a_copy_of_a_training_picture_is_a_leak(rng: np.random.Generator) -> None:
    real, generated = rng.standard_normal((40, 64)), rng.standard_normal((1200, 64))
    generated[1100] = 3.0 * real[7]
    found = leakage(generated, real, identities=np.arange(40) // 2, threshold=0.8)
    assert found.largest == pytest.approx(1.0) and found.nearest[1100] == 7
    assert found.above == pytest.approx(1 / 1200)
    assert found.between_real[2] < 0.8
    pairs = unit_rows(real) @ unit_rows(real).T
    pairs[np.arange(40)[:, None] // 2 == np.arange(40) // 2] = -1
    assert found.between_real[2] == pytest.approx(pairs.max())


def test_histograms_are_densities_and_refused_pairs_are_none_of_them() -> None:
    same = np.arange(400) % 2 == 0
    scores = np.where(same, 0.8, 0.2) + 0.1 * np.sin(np.arange(400))
    scores[:2] = -np.inf
    found = score_statistics(scores, same, bins=30)
    for density in (found.genuine, found.impostor):
        assert density @ np.diff(found.edges) == pytest.approx(1.0)
    assert found.overlap == 0.0 and found.equal_error == 0.0
    assert found.genuine_mean == pytest.approx(scores[2:][same[2:]].mean())


def test_the_plane_keeps_the_distances_of_what_lies_in_one(rng: np.random.Generator) -> None:
    """A circle on the sphere, turned into many dimensions."""
    turned = rng.uniform(0, 2 * np.pi, 30)
    circle = np.stack([0.6 * np.cos(turned), 0.6 * np.sin(turned), np.full(30, 0.8)], axis=1)
    basis, _ = np.linalg.qr(rng.standard_normal((20, 3)))
    rows = circle @ basis.T
    places, share = scale_in_plane(4.0 * rows)
    assert share == pytest.approx(1.0)
    for ours, theirs in ((places, rows),):
        gaps = [np.linalg.norm(x[:, None] - x, axis=-1) for x in (ours, theirs)]
        np.testing.assert_allclose(*gaps, atol=1e-9)
    again, _ = scale_in_plane(-rows)
    np.testing.assert_allclose(np.abs(again), np.abs(places), atol=1e-9)
    assert scale_in_plane(np.ones((3, 4)))[1] == 1.0


def test_bad_sets_are_refused_in_one_sentence() -> None:
    rows, who = np.eye(4), np.array([0, 1, 2, 3])
    for call, match in [
        (lambda: intra_class_spread(rows, who), "someone with two pictures"),
        (lambda: intra_class_spread(rows, np.full(4, -1)), "someone who is known"),
        (lambda: identity_centres(rows, who[:3]), "identities: expected"),
        (lambda: separability(rows, most_alike=1.0), "a cosine in"),
        (lambda: separability(np.empty((0, 3))), "at least one"),
        (lambda: leakage(rows, np.eye(3)), "got 4 and 3"),
        (lambda: leakage(np.full((2, 2), np.nan), np.eye(2)), "NaN"),
        (lambda: score_statistics(np.ones(4), np.ones(4, bool)), "got 4 and 0"),
        (lambda: score_statistics(np.ones(4), who > 1, bins=0), "one or more bins"),
        (lambda: scale_in_plane(rows[:1]), "two or more"),
    ]:
        with pytest.raises(SettingsError, match=match):
            call()
