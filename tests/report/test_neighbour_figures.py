"""Figures about nearest neighbours: the curves are the distances, the sheet holds every pair."""

import dataclasses

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from geomface.errors import SettingsError
from geomface.metrics import NoveltyResult, nearest_distances, novelty
from geomface.report.model_figures import figure_image
from geomface.report.neighbour_figures import neighbour_sheet, novelty_figure


@pytest.fixture
def result(rng: np.random.Generator) -> NoveltyResult:
    return novelty(*(rng.standard_normal((count, 20)) for count in (70, 50, 30)))


def test_curves_are_the_shares_of_the_distances(result) -> None:
    figure = novelty_figure(result, unit="L2")
    left, right = figure.axes
    curves = {line.get_label(): line.get_xydata() for line in right.lines}
    for name, values in (
        ("held out to training", result.test_to_train),
        ("held out to generated", result.test_to_generated),
    ):
        for x, share in curves[name]:
            assert share == pytest.approx(np.mean(values <= x))
        assert len(curves[name]) == 30
    # The histogram holds all distances: both areas are 1.
    areas = [
        sum(patch.get_height() * patch.get_width() for patch in bars.patches)
        for bars in left.containers
    ]
    np.testing.assert_allclose(areas, [1, 1])
    shown = [text.get_text() for text in left.get_legend().get_texts()]
    assert shown == ["generated to training", "held out to training"]
    assert left.get_xlabel() == right.get_xlabel() == "L2"
    assert (figure_image(figure) < 0.9).any()


def test_copies_are_drawn_at_zero(rng) -> None:
    train = rng.standard_normal((20, 8))
    copied = novelty(train[:9], train, rng.standard_normal((20, 8)))
    bars = novelty_figure(copied).axes[0].containers[0].patches
    assert bars[0].get_x() == 0 and bars[0].get_height() > 0
    assert all(bar.get_height() == 0 for bar in bars[1:])


def test_distances_that_cannot_be_drawn(result) -> None:
    for values in (np.array([]), np.array([1.0, np.inf])):
        spoilt = dataclasses.replace(result, test_to_generated=values)
        with pytest.raises(SettingsError, match="finite distances held out to generated"):
            novelty_figure(spoilt)


@settings(max_examples=30, deadline=None)
@given(
    count=st.integers(1, 12),
    columns=st.integers(1, 6),
    gap=st.integers(0, 3),
    seed=st.integers(0, 9),
)
def test_every_pair_is_on_the_sheet_nearest_first(count, columns, gap, seed) -> None:
    rng = np.random.default_rng(seed)
    descriptors = rng.standard_normal((count, 3)), rng.standard_normal((7, 3))
    distances, nearest = nearest_distances(*descriptors)
    pictures = rng.random((count, 4, 5, 3)).astype(np.float32)
    known = rng.random((7, 4, 5, 3)).astype(np.float32)
    sheet = neighbour_sheet(pictures, known[nearest], distances=distances, columns=columns, gap=gap)
    columns = min(columns, count)
    rows = -(-count // columns)
    assert sheet.shape == (rows * (8 + gap) + gap, columns * (5 + gap) + gap, 3)
    for place, index in enumerate(np.argsort(distances, kind="stable")):
        top, left = gap + place // columns * (8 + gap), gap + place % columns * (5 + gap)
        np.testing.assert_array_equal(sheet[top : top + 4, left : left + 5], pictures[index])
        below = sheet[top + 4 : top + 8, left : left + 5]
        np.testing.assert_array_equal(below, known[nearest[index]])
    white = (sheet == 1).all(axis=2).sum()
    assert white >= sheet[..., 0].size - 40 * count


def test_sheets_that_cannot_be_drawn(rng) -> None:
    pictures = rng.random((3, 4, 4, 3)).astype(np.float32)
    refusals = [
        (lambda: neighbour_sheet(pictures, pictures[:2]), "pictures of neighbours"),
        (lambda: neighbour_sheet(pictures[:0], pictures[:0]), "got 0 pictures"),
        (lambda: neighbour_sheet(pictures, pictures, columns=0), "0 columns"),
        (lambda: neighbour_sheet(pictures, pictures, distances=np.ones(2)), "distances"),
        (lambda: neighbour_sheet(pictures[0], pictures[0]), "pictures: expected an array"),
    ]
    for call, match in refusals:
        with pytest.raises(SettingsError, match=match):
            call()
