"""What people wear: hair that lies on the head, beards that go with the face, glasses that fit."""

import dataclasses

import numpy as np
import pytest

from geomface.datasets.labelled_pictures import CameraNumbers
from geomface.errors import SettingsError
from geomface.faces.albedo_fields import skin_fields
from geomface.faces.builtin import load_builtin_face
from geomface.faces.traits import traits_of
from geomface.mesh.normals import vertex_normals
from geomface.synthesis import Constant, FaceImageSettings, FaceSampler, PhotoSettings, stream
from geomface.synthesis.photo.beards import grow_beard
from geomface.synthesis.photo.clothes import KINDS as CLOTHES
from geomface.synthesis.photo.glasses import draw_frame, fitted_glasses, glasses_faces
from geomface.synthesis.photo.haircuts import CUTS, HairStyle, draw_hair
from geomface.synthesis.photo.head import HeadSurface
from geomface.synthesis.photo.headwear import KINDS, cloth_faces
from geomface.synthesis.photo.lenses import through_lenses
from geomface.synthesis.photo.occluders import occluded
from geomface.synthesis.photo.soft_shadows import soft_shadow
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
    growth, _, (hair,) = surface.hair(face, body, style_of(cut), None, stream(1, "hair"))
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
    out = (ones * [0, 0, 1]).astype(np.float32)
    roots = np.zeros((1, 3), np.int64), ones / 3
    return Strands(points, out, 0.25 * ones, ones[:, 0], 20 * ones[:, 0], gloss, *roots)


def test_strands_hide_what_is_behind_and_only_that() -> None:
    picture = np.full((32, 32, 3), 0.8, np.float32)
    depth = np.full((32, 32), 500.0, np.float32)
    for z, seen in ((30.0, True), (-30.0, False)):
        canvas = strand_canvas(depth)
        draw_strands(canvas, line(z), CAMERA, LIGHT)
        drawn, cover = over_picture(canvas, picture, CAMERA, LIGHT)
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


def test_beards_grow_where_traits_say_and_go_with_the_face(surface: HeadSurface) -> None:
    mesh = load_builtin_face().mesh
    marks = surface.scene.landmarks(mesh.vertices)
    fields = skin_fields(mesh.vertices, marks)
    normals = vertex_normals(mesh.vertices, mesh.faces)
    shaven = dataclasses.replace(
        traits_of(np.zeros(0)), moustache=0.0, chin_beard=0.0, jaw_beard=0.0, beard_length=12.0
    )
    told = {
        "moustache": dataclasses.replace(shaven, moustache=1.0),
        "full": dataclasses.replace(shaven, moustache=1.0, chin_beard=1.0, jaw_beard=1.0),
    }
    grown = {
        name: grow_beard(
            mesh.vertices, normals, mesh.faces, marks, fields, traits, stream(1, "beard")
        )
        for name, traits in {"none": shaven, **told}.items()
    }
    assert grown["none"] is None
    small, full = grown["moustache"], grown["full"]
    assert small is not None and full is not None
    mouth = marks[[51, 57]].mean(axis=0)[1]
    assert (
        (small.points[:, 0, 1] > mouth - 12).mean() > 0.95 > (full.points[:, 0, 1] > mouth).mean()
    )
    assert len(full.points) > 2 * len(small.points)
    length = np.linalg.norm(np.diff(full.points, axis=1), axis=2).sum(axis=1)
    assert 5 < np.median(length) < 13
    far = strand_canvas(np.zeros((32, 32), np.float32))
    near = strand_canvas(np.zeros((32, 32), np.float32))
    draw_strands(far, small, CAMERA, LIGHT)
    draw_strands(near, small, CAMERA, LIGHT, moved=np.zeros_like(mesh.vertices) + [8, 8, 0])
    shift = np.argwhere(near.drawn).mean(axis=0) - np.argwhere(far.drawn).mean(axis=0)
    samples = 2 * 100.0 * 8.0 / (500.0 - small.points[..., 2].mean())
    np.testing.assert_allclose(shift, [-samples, samples], atol=0.3)


def test_lenses_mirror_dim_and_hide() -> None:
    settings = FaceImageSettings(identities=60, size=96, preset="photo", seed=3)
    plain = PhotoSettings(
        hair=0.0, occluders=0.0, glasses=0.0, noise=Constant(0), blur=Constant(0), jpeg=0.0
    )
    one = FaceSampler(dataclasses.replace(settings, photo=plain))
    other = FaceSampler(
        dataclasses.replace(settings, photo=dataclasses.replace(plain, glasses=1.0))
    )
    pictures = [(k, 0) for k in range(8)]
    bare, worn = one.batch(pictures), other.batch(pictures)
    np.testing.assert_array_equal(bare.landmarks, worn.landmarks)
    change = np.abs(bare.images["rgb"] - worn.images["rgb"]).mean(axis=3)
    eyes = bare.landmarks[:, 36:48].mean(axis=1).astype(int)
    chins = bare.landmarks[:, 8].astype(int)
    at_eyes = [change[k, y - 6 : y + 6, x - 20 : x + 20].mean() for k, (x, y) in enumerate(eyes)]
    at_chins = [change[k, y - 3 : y + 3, x - 3 : x + 3].mean() for k, (x, y) in enumerate(chins)]
    # Frames shade a little, so that the camera's exposure moves the rest of the face by a trifle.
    assert np.mean(at_eyes) > 0.02 > 0.012 > np.mean(at_chins)


def test_of_two_dark_lenses_none_uncovers_what_the_other_hides(surface: HeadSurface) -> None:
    marks = surface.scene.landmarks(load_builtin_face().mesh.vertices)
    style = dataclasses.replace(draw_frame(stream(0, "frame")), lens=(0.1, 0.1, 0.1))
    glasses = fitted_glasses(marks, style, stream(0, "fit"))
    cosine, sine = np.cos(1.4), np.sin(1.4)
    turned = np.array([[cosine, 0.0, -sine], [0.0, -1.0, 0.0], [-sine, 0.0, -cosine]])
    ahead = np.array([0.0, 0.0, 500.0]) - turned @ marks[27]
    camera = CameraNumbers(True, 0.5, np.array([32.0, 32.0]), turned, ahead)
    picture = np.full((64, 64, 3), 0.8, np.float32)

    def hidden(rims: np.ndarray) -> np.ndarray:
        some = dataclasses.replace(glasses, rims=rims)
        canvas = strand_canvas(np.zeros((64, 64), np.float32))
        return through_lenses(picture, canvas, some, camera, LIGHT, stream(0, "lens"))[1]

    first, second = hidden(glasses.rims[:1]), hidden(glasses.rims[1:])
    assert first.max() == 1 == second.max()
    np.testing.assert_array_equal(hidden(glasses.rims), np.maximum(first, second))
    np.testing.assert_array_equal(hidden(glasses.rims[::-1]), np.maximum(first, second))


def test_makes_of_glasses_share_one_topology(surface: HeadSurface) -> None:
    marks = surface.scene.landmarks(load_builtin_face().mesh.vertices)
    faces = glasses_faces(marks)
    eyes = np.stack([marks[36:42].mean(axis=0), marks[42:48].mean(axis=0)])
    for k in range(30):
        style = draw_frame(stream(k, "frame"))
        made = fitted_glasses(marks, style, stream(k, "fit"))
        assert made.vertices.shape == made.colors.shape and faces.max() == len(made.vertices) - 1
        assert np.isfinite(made.vertices).all()
        for rim, eye in zip(made.rims, eyes, strict=True):
            low, high = rim.min(axis=0), rim.max(axis=0)
            assert (low[:2] < eye[:2] + 1).all() and (eye[:2] - 1 < high[:2]).all()
            assert rim[:, 2].mean() > eye[2], "lenses lie before the eyes"


@pytest.mark.parametrize("kind", KINDS)
def test_headwear_covers_the_head_and_leaves_the_face_free(kind: str, surface: HeadSurface) -> None:
    face = load_builtin_face().mesh.vertices
    marks = surface.scene.landmarks(face)
    body = surface.body.body(face, marks, stream(1, "body"))
    for seed in range(6):
        worn = surface.headwear(face, body, kind, stream(seed, "worn"))
        assert np.isfinite(worn.cloth).all() and (worn.lift > -4).all()
        assert len(worn.cloth) == cloth_faces().max() + 1 == len(worn.colors)
        assert worn.crown.min() >= 0 and worn.crown.max() <= 1
        assert worn.covered.any() == (kind != "scarf")
        _, shell, hairs = surface.hair(face, body, style_of("short"), worn, stream(1, "hair"))
        assert np.linalg.norm(shell[worn.lift > 0], axis=1).min(initial=9.0) > 1.0
        if kind == "headscarf":
            assert not hairs, "all hair is covered"
        camera = CameraNumbers(
            True, 1.0, np.zeros(2), np.diag([1.0, -1.0, -1.0]), np.array([0.0, 0.0, 900.0])
        )
        eyes_and_nose = camera.project(marks[27:48])
        middle = eyes_and_nose.mean(axis=0)
        before = worn.cloth[worn.cloth[:, 2] > marks[36, 2]]
        away = np.abs(camera.project(before) - middle)
        close = (away[:, 0] < 20) & (away[:, 1] < 12)
        assert not close.any(), "eyes and nose are seen from the front"


def test_switches_say_what_people_wear() -> None:
    """Shares of nought and one; everything off leaves the face as it was."""
    settings = FaceImageSettings(identities=12, size=64, preset="photo", seed=5)
    off = PhotoSettings(hair=0, occluders=0, glasses=0, beard=0, hats=0, scarves=0)
    pictures = [(k, 0) for k in range(6)]
    bare = FaceSampler(dataclasses.replace(settings, photo=off)).batch(pictures)
    for name in ("hair", "glasses", "beard", "hats", "scarves"):
        with_it = dataclasses.replace(off, **{name: 1.0})
        worn = FaceSampler(dataclasses.replace(settings, photo=with_it)).batch(pictures)
        np.testing.assert_array_equal(bare.landmarks, worn.landmarks)
        changed = [
            (a != b).any() for a, b in zip(bare.images["rgb"], worn.images["rgb"], strict=True)
        ]
        assert sum(changed) >= (1 if name == "beard" else 6), name
        with pytest.raises(SettingsError, match=f"{name}: expected 0 to 1"):
            dataclasses.replace(off, **{name: 1.5})


def test_clothes_share_one_topology_and_stay_below_the_face(surface: HeadSurface) -> None:
    face = load_builtin_face().mesh.vertices
    marks = surface.scene.landmarks(face)
    kinds = set()
    for seed in range(24):
        body = surface.body.body(face, marks, stream(seed, "clothes"))
        kinds.add(body.clothes.kind)
        assert len(body.rest) == surface.body.rest_faces.max() + 1 and np.isfinite(body.rest).all()
        worn = body.rest[surface.body.skin_count :]
        assert worn[:, 1].max() < marks[8, 1] + 5.0, "nothing rises over the chin"
        skin = np.full((len(face), 3), 0.5)
        colors = surface.body.colors(skin, body, marks, stream(seed, "colors"))
        assert len(colors) == len(body.skull) + len(body.rest)
        assert colors.min() >= 0 and colors.max() <= 1
    assert kinds == set(CLOTHES)


def test_shadows_do_not_come_back_on_the_other_side() -> None:
    cover = np.zeros((40, 40), np.float32)
    cover[30:, :10] = 1
    shade = soft_shadow(cover, -4, 6, 1.0)
    assert shade[:30].max() == 0 == shade[:, 20:].max()
    np.testing.assert_allclose(shade[38:, :3], 1, atol=0.02)
    assert (soft_shadow(cover, -100, -100, 1.0) == 0).all(), "farther than the picture is wide"


def test_things_in_front_cover_what_they_say() -> None:
    landmarks = FaceSampler(FaceImageSettings(size=96, seed=1)).batch([(0, 0)]).landmarks[0]
    picture = np.full((96, 96, 3), [0.8, 0.6, 0.5], np.float32)
    touched = 0
    for seed in range(40):
        drawn, cover = occluded(picture, landmarks, stream(seed, "occluder"))
        assert drawn.shape == picture.shape and np.isfinite(drawn).all()
        assert cover.min() >= 0 and cover.max() <= 1 and drawn.min() >= 0
        shade = drawn / picture
        # Beside the thing there is at most its shadow.
        assert (shade[cover == 0] <= 1 + 1e-6).all() and (shade[cover == 0] > 0.55).all()
        cell = landmarks.astype(int).clip(0, 95)
        touched += bool((cover[cell[:, 1], cell[:, 0]] > 0.5).any())
    assert touched > 20, "it touches the face more often than not"
