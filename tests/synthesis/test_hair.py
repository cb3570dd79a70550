"""Hair: every cut grows where it should and lies on the head; strands are drawn as light says."""

import dataclasses

import numpy as np
import pytest

from geomface.datasets.labelled_pictures import CameraNumbers
from geomface.faces.builtin import load_builtin_face
from geomface.faces.traits import traits_of
from geomface.synthesis import FaceImageSettings, FaceSampler, PhotoSettings, stream
from geomface.synthesis.photo.haircuts import CUTS, HairStyle, draw_hair
from geomface.synthesis.photo.head import HeadSurface
from geomface.synthesis.photo.strands import Strands, draw_strands, over_picture, strand_canvas
from geomface.synthesis.scene import FaceScene

CAMERA = CameraNumbers(
    False, 100.0, np.array([16.0, 16.0]), np.diag([1.0, -1.0, -1.0]), np.array([0.0, 0.0, 500.0])
)
LIGHT = np.zeros((9, 3))
LIGHT[0] = 3.0


@pytest.fixture(scope="module")
def surface() -> HeadSurface:
    return HeadSurface(FaceScene(load_builtin_face()))


def style_of(cut: str) -> HairStyle:
    """A person's style whose cut is replaced, drawn from the ranges of that cut."""
    traits = dataclasses.replace(traits_of(np.zeros(0)), baldness=0.0)
    style = draw_hair(traits, stream(3, "style"))
    kind = CUTS[cut]
    middle = {
        name: float(np.mean(getattr(kind, name)))
        for name in ("length", "sides", "lift", "gravity", "volume", "curl", "clear", "end")
    }
    fringe = -1.0 if kind.fringe is None else float(np.mean(kind.fringe))
    return dataclasses.replace(style, cut=cut, fringe=fringe, crown=np.inf, **middle)


@pytest.mark.parametrize("cut", CUTS)
def test_cuts_start_on_the_skin_and_stay_out_of_the_head(cut: str, surface: HeadSurface) -> None:
    face = load_builtin_face().mesh.vertices
    marks = surface.scene.landmarks(face)
    body = surface.body.body(face, marks, stream(1, "body"))
    growth, _, (hair,) = surface.hair(face, body, style_of(cut), stream(1, "hair"))
    assert np.isfinite(hair.points).all() and len(hair.points) > 1000
    skin = surface.hairy(np.vstack([face, body.skull]))[growth > -0.02]
    roots = hair.points[:300, 0].astype(np.float64)
    nearest = np.linalg.norm(roots[:, None] - skin[None], axis=2).min(axis=1)
    assert np.quantile(nearest, 0.95) < 12.0, "roots lie among the skin where hair grows"
    width = np.linalg.norm(marks[16] - marks[0])
    middle = body.skull.mean(axis=0) + [0, 0, 0.2 * width]
    deep = np.linalg.norm((hair.points - middle) / width, axis=2) < 0.3
    assert deep.mean() < 0.01, "no hair runs through the head"
    nose_and_mouth = marks[27:36].mean(axis=0)
    before = np.abs(hair.points[..., 0] - nose_and_mouth[0]) < 0.12 * width
    before &= np.abs(hair.points[..., 1] - nose_and_mouth[1]) < 0.2 * width
    before &= hair.points[..., 2] > nose_and_mouth[2] - 0.3 * width
    assert before.mean() < 0.002, "the middle of the face is free"


def test_bald_crowns_have_hair_at_the_sides_only() -> None:
    bald = draw_hair(dataclasses.replace(traits_of(np.zeros(0)), baldness=0.9), stream(1, "x"))
    full = draw_hair(dataclasses.replace(traits_of(np.zeros(0)), baldness=0.0), stream(1, "x"))
    assert bald.crown < 0.5 and np.isinf(full.crown) and bald.recede > full.recede


def line(z: float, gloss: float = 0.0) -> Strands:
    """One thick grey hair from left to right through the middle of a picture, z before 500 mm."""
    points = np.zeros((1, 5, 3), np.float32)
    points[0, :, 0] = np.linspace(-60, 60, 5)
    points[0, :, 2] = z
    ones = np.ones((1, 3), np.float32)
    return Strands(
        points, ones * [0, 0, 1], 0.25 * ones, ones[:, 0], 20 * ones[:, 0], gloss
    )  # fmt: skip


def test_strands_hide_what_is_behind_and_only_that() -> None:
    picture = np.full((32, 32, 3), 0.8, np.float32)
    depth = np.full((32, 32), 500.0, np.float32)
    for z, seen in ((30.0, True), (-30.0, False)):
        canvas = strand_canvas(depth)
        draw_strands(canvas, line(z), CAMERA, LIGHT)
        drawn, cover = over_picture(canvas, picture)
        assert (cover[16, 16] == 1) == seen and cover[2, 2] == 0
        assert (drawn[2, 2] == picture[2, 2]).all()
        assert (drawn[16, 16, 0] < 0.75) == seen
    canvas = strand_canvas(depth)
    draw_strands(canvas, line(-30.0), CAMERA, LIGHT, moved=np.array([[0.0, 0.0, 60.0]]))
    assert canvas.drawn.any(), "roots that moved carry their hairs"


def test_hair_hides_landmarks() -> None:
    """Landmarks keep their places; those under hair are told as hidden."""
    settings = FaceImageSettings(identities=8, size=96, preset="photo", seed=3)
    bare = PhotoSettings(hair=0.0, occluders=0.0, glasses=0.0)
    one = FaceSampler(dataclasses.replace(settings, photo=bare))
    other = FaceSampler(dataclasses.replace(settings, photo=dataclasses.replace(bare, hair=1.0)))
    pictures = [(k, 0) for k in range(8)]
    without, with_hair = one.batch(pictures), other.batch(pictures)
    np.testing.assert_array_equal(without.landmarks, with_hair.landmarks)
    assert not (with_hair.landmarks_visible & ~without.landmarks_visible).any()
    assert with_hair.landmarks_visible.sum() < without.landmarks_visible.sum()
