"""Drawn shapes with their detector, and what is refused."""

import numpy as np
import pytest
from scipy import ndimage

from geomface.errors import SettingsError
from geomface.gan.progressive_texture.detect_shapes import (
    count_circles,
    measure_shapes,
    red_pixels,
)
from geomface.gan.progressive_texture.shapes import ShapesSet, ShapesSettings, draw_shapes


@pytest.fixture(scope="module")
def drawn() -> ShapesSet:
    return draw_shapes(ShapesSettings(count=300))


def test_detector_finds_drawn_red_circles_and_nothing_else(drawn: ShapesSet) -> None:
    # A red circle on a red shape is no circle to it; where none touches another it finds them all.
    for shapes, least in ((drawn, 0.75), (draw_shapes(ShapesSettings(300, apart=True)), 0.93)):
        pictures = shapes.pictures / np.float32(255)
        found = np.array([count_circles(mask) > 0 for mask in red_pixels(pictures)])
        assert not (found & ~shapes.damaged).any()
        assert found[shapes.damaged].mean() > least
        assert 0.5 < shapes.damaged.mean() < 0.7


def test_masks_hide_red_circles_and_little_else(drawn: ShapesSet) -> None:
    hidden = np.where(drawn.masks[..., None], drawn.pictures, 255) / np.float32(255)
    assert measure_shapes(hidden).red_circle < 0.05  # the rest of a red square may look round
    assert drawn.masks[~drawn.damaged].all()
    assert (~drawn.masks[drawn.damaged]).mean(axis=(1, 2)).max() < 0.3


def test_damage_is_independent_of_what_lies_below(drawn: ShapesSet) -> None:
    clean = draw_shapes(ShapesSettings(count=300, red_circle_share=0.0))
    assert (clean.pictures == drawn.pictures)[drawn.masks].all()
    covered = (clean.pictures.min(axis=3) < 100) & ~drawn.masks
    assert covered.any(axis=(1, 2))[drawn.damaged].mean() > 0.3
    apart = draw_shapes(ShapesSettings(count=300, apart=True))
    beside = apart.pictures[apart.damaged].min(axis=3) < 100
    rim = ndimage.binary_dilation(~apart.masks[apart.damaged], np.ones((1, 3, 3)))
    assert not (beside & rim & apart.masks[apart.damaged]).any()


def test_neither_redness_nor_roundness_tells_damage(drawn: ShapesSet) -> None:
    pictures = drawn.pictures / np.float32(255)
    clean, damaged = (measure_shapes(pictures[k]) for k in (~drawn.damaged, drawn.damaged))
    for name in ("red_squares", "green_circles"):
        assert getattr(clean, name) > 0.03 and getattr(damaged, name) > 0.03
    assert clean.hole_pictures == damaged.hole_pictures == 0


def test_pictures_depend_on_seed_and_index_only(drawn: ShapesSet) -> None:
    few = draw_shapes(ShapesSettings(count=5))
    assert (few.pictures == drawn.pictures[:5]).all()
    other = draw_shapes(ShapesSettings(count=5, seed=1))
    assert (few.pictures != other.pictures).any()


def test_detector_sees_holes() -> None:
    pictures = np.ones((4, 32, 32, 3), np.float32)
    pictures[0, 8:20, 8:20] = 0.5
    pictures[1, 3, 3] = 0.5
    shares = measure_shapes(pictures)
    assert shares.hole_pictures == 0.25
    assert shares.hole_area == pytest.approx(144 / (4 * 32 * 32))


def test_no_pictures_are_refused() -> None:
    with pytest.raises(SettingsError, match="count: expected 1 or more"):
        ShapesSettings(count=0)
