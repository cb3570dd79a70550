"""Fits to pictures: known truth, grey pictures, albedo, pictures of the result, bad input."""

import dataclasses

import numpy as np
import pytest
from picture_samples import draw_face, rotation_angle_degrees

from geomface.errors import GeomfaceError, LandmarkError, SettingsError
from geomface.faces.builtin import load_builtin_face
from geomface.fitting.rendering import PictureFitSettings, PictureFitter, fit_image
from geomface.fitting.rendering.albedo import extract_colors, vertex_texture
from geomface.fitting.rendering.picture import check_picture
from geomface.fitting.rendering.pixels import VisiblePixels
from geomface.fitting.rendering.residuals import Skin
from geomface.fitting.rendering.shading import to_linear, to_srgb
from geomface.fitting.rendering.sheet import fit_panels, fit_sheet, render_fit, render_turned
from geomface.fitting.rendering.unknowns import Unknowns
from geomface.mesh import LandmarkEmbedding
from geomface.mesh.similarity import fit_similarity
from geomface.rendering.camera import WeakPerspective
from geomface.statistics import TextureModel

QUICK = PictureFitSettings(
    face_sizes_px=(60.0, 120.0), steps=(6, 6), landmark_weights=(1.0, 1.0), most_pixels=2000,
    albedo_modes=60,
)  # fmt: skip


@pytest.fixture(scope="module")
def face():
    return load_builtin_face()


@pytest.fixture(scope="module")
def fitter(face):
    return PictureFitter(face, QUICK)


@pytest.fixture(scope="module")
def drawn(face):
    return draw_face(face, [11, 0], size=160)


@pytest.fixture(scope="module")
def fit(drawn, fitter):
    return fit_image(drawn.image, drawn.landmarks, fitter, focal_px=drawn.camera.focal)


def shape_error(face, found, true):
    region = face.template.regions["narrow_face"]
    move = fit_similarity(found[region], true[region], scale=True)
    return np.linalg.norm(move.apply(found[region]) - true[region], axis=1).mean()


def test_shapes_of_several_people_are_recovered(face, fitter) -> None:
    shares = []
    for person in range(11, 17):
        drawn = draw_face(face, [person, 0], size=160)
        fit = fit_image(drawn.image, drawn.landmarks, fitter, focal_px=drawn.camera.focal)
        error = shape_error(face, fitter.model.vertices(fit.shape), drawn.neutral)
        shares.append(error / shape_error(face, face.mesh.vertices, drawn.neutral))
    assert np.mean(shares) < 0.35 and max(shares) < 0.5


def test_pose_and_picture_are_recovered(drawn, fit) -> None:
    assert rotation_angle_degrees(fit.camera.rotation, drawn.camera.rotation) < 1.5
    assert fit.residual["median"] < 0.02
    assert len(fit.history) == 2 and fit.history[0].pixels > 200
    assert fit.light.shape == (9, 3) and fit.albedo.shape == (60,)


def test_light_is_recovered_up_to_the_skin(face, drawn, fit) -> None:
    """The product of light and albedo shows, so each channel's light has a free factor."""
    factor = (drawn.light * fit.light).sum(axis=0) / (fit.light**2).sum(axis=0)
    assert np.linalg.norm(fit.light * factor - drawn.light) < 0.1 * np.linalg.norm(drawn.light)


def test_rendering_again_shows_the_picture(drawn, fit) -> None:
    again = render_fit(fit)
    inside = again["alpha"] > 0.99
    difference = np.abs(again["rgb"] - drawn.image)[inside].mean(axis=1)
    assert np.median(difference) < 0.02


def test_a_grey_picture_with_missing_landmarks_and_a_weak_camera(face, drawn) -> None:
    settings = dataclasses.replace(QUICK, camera="weak-perspective")
    grey = drawn.image @ np.array([0.299, 0.587, 0.114])
    landmarks = drawn.landmarks.copy()
    landmarks[[2, 9, 20]] = np.nan
    found = fit_image(grey, landmarks, face, settings)
    assert rotation_angle_degrees(found.camera.rotation, drawn.camera.rotation) < 6.0
    assert found.residual["median"] < 0.03
    np.testing.assert_array_equal(found.light[:, 0], found.light[:, 2])
    assert any("procedural skin" in note for note in found.notes)
    assert any("missing" in note for note in found.notes)


def test_the_same_bytes_twice(drawn, fitter, fit) -> None:
    again = fit_image(drawn.image, drawn.landmarks, fitter, focal_px=drawn.camera.focal)
    np.testing.assert_array_equal(again.mesh.vertices, fit.mesh.vertices)
    np.testing.assert_array_equal(again.light, fit.light)


def test_pictures_of_all_kinds_are_read_alike(drawn) -> None:
    eight = np.round(255 * drawn.image).astype(np.uint8)
    np.testing.assert_allclose(check_picture(eight), eight / 255.0, atol=1e-12)
    grey = drawn.image[..., 1]
    three = np.repeat(grey[..., None], 3, axis=2)
    for picture in (grey, grey[..., None], three):
        np.testing.assert_array_equal(check_picture(picture), grey[..., None].astype(np.float64))


def test_panels_and_sheet(drawn, fit) -> None:
    panels = fit_panels(drawn.image, fit, height=120)
    names = ["photograph", "fit", "model", "shading", "albedo", "difference", "turned"]
    assert list(panels) == names
    for panel in panels.values():
        assert panel.shape == panels["fit"].shape and panel.dtype == np.float32
        assert panel.min() >= 0 and panel.max() <= 1
    assert np.abs(panels["fit"] - panels["photograph"]).mean() < 0.02
    assert np.abs(panels["turned"] - panels["photograph"]).mean() > 0.05
    assert fit_sheet(drawn.image, fit, height=80).ndim == 3


def test_turned_faces_have_eyes_and_a_closed_mouth(fit) -> None:
    turned = render_turned(fit, 0.0, (160, 160))
    bare = render_turned(
        dataclasses.replace(fit, eyes=np.zeros((0, 4)), mouth=np.zeros(0, int)), 0.0, (160, 160)
    )
    filled = (turned["alpha"] > 0.99) & (bare["alpha"] < 0.01)
    assert filled.sum() > 30
    whites = turned["rgb"][filled].min(axis=1)
    assert (whites > 0.5).mean() > 0.2 and (whites < 0.3).mean() > 0.05


def test_extracted_albedo_shows_what_no_model_knows(drawn, fitter, fit) -> None:
    """A dark patch on a cheek leaves the light alone and shows in the albedo."""
    place = drawn.landmarks[[36, 48]].mean(axis=0)
    row, column = np.mgrid[: drawn.image.shape[0], : drawn.image.shape[1]] + 0.5
    patch = np.hypot(column - place[0], row - place[1]) < 5
    marked = np.where(patch[..., None], 0.3 * drawn.image, drawn.image)
    found = fit_image(marked, drawn.landmarks, fitter, focal_px=drawn.camera.focal)
    pixels = found.camera.project(found.mesh.vertices)
    inside = np.hypot(*(pixels - place).T) < 3
    assert inside.sum() > 5
    assert found.mesh.colors is not None and fit.mesh.colors is not None
    ours, before = found.mesh.colors[inside].mean(), fit.mesh.colors[inside].mean()
    assert ours < 0.7 * before
    assert found.model_colors[inside].mean() > 0.85 * before


def test_extraction_gives_hidden_skin_the_colour_of_its_mirror_twin() -> None:
    """A strip of which the left half is seen, twice as bright as the model."""
    x = np.tile(np.arange(-8.0, 9.0), 3)
    index = np.arange(51).reshape(3, 17)
    a, b, c, d = index[:-1, :-1], index[:-1, 1:], index[1:, 1:], index[1:, :-1]
    faces = np.concatenate(
        [np.stack([a, b, c], -1).reshape(-1, 3), np.stack([a, c, d], -1).reshape(-1, 3)]
    )
    mirror = index[:, ::-1].ravel()
    skin = Skin(np.full((51, 3), 0.4), np.zeros((51, 3, 1)), np.eye(3))
    light = np.zeros((9, 3))
    light[0] = np.sqrt(4 * np.pi)
    rest = WeakPerspective(np.eye(3), 1.0, np.zeros(2), np.zeros(3))
    at = Unknowns(rest, np.zeros(0), np.zeros(1), light)
    seen = faces[(x[faces] <= -2).all(axis=1)]
    pixels = VisiblePixels(np.zeros((len(seen), 2)), seen, np.full((len(seen), 3), 1 / 3))
    bright = np.full((len(seen), 3), to_srgb(2 * to_linear(np.array(0.4))[0])[0])
    up = np.tile([0.0, 0.0, 1.0], (51, 1))
    colors = extract_colors(skin, at, up, faces, mirror, pixels, bright)
    np.testing.assert_allclose(colors[x <= -3], bright[0, 0], atol=0.02)
    np.testing.assert_allclose(colors[x >= 4], bright[0, 0], atol=0.06)
    alone = extract_colors(skin, at, up, faces, None, pixels, bright)
    assert (alone[x >= 4] <= colors[x >= 4] + 1e-6).all()


def test_textures_of_models(face, rng) -> None:
    vertex = TextureModel(np.full((7756, 3), 0.5), rng.normal(0, 0.01, (7756, 3, 2)))
    colored = dataclasses.replace(face, texture=vertex)
    assert vertex_texture(colored, 5) == (vertex, "")
    uv = np.clip((face.mesh.vertices[:, :2] + 150) / 300, 0, 1)
    mesh = face.mesh.replace(uv=uv, uv_faces=face.mesh.faces)
    ramp = np.tile(((np.arange(64) + 0.5) / 64)[None, :, None], (64, 1, 3))
    image = TextureModel(ramp, 0.1 * ramp[..., None])
    template = dataclasses.replace(face.template, mesh=mesh)
    read, note = vertex_texture(dataclasses.replace(face, template=template, texture=image), 5)
    np.testing.assert_allclose(read.mean[:, 0], uv[:, 0], atol=1e-6)
    assert read.basis.shape == (7756, 3, 1) and "vertices" in note


def bad(drawn, **changes):
    given = {"image": drawn.image, "landmarks": drawn.landmarks} | changes
    return given["image"], given["landmarks"]


@pytest.mark.parametrize(
    ("changes", "error", "words"),
    [
        (lambda d: {"image": d.image[..., :2]}, SettingsError, ("(H, W, 3)", "2)")),
        (lambda d: {"image": d.image * 255}, SettingsError, ("[0, 1]", "255")),
        (lambda d: {"image": np.where(d.image > 0.5, np.nan, d.image)}, SettingsError, ("NaN",)),
        (lambda d: {"image": np.full((160, 160), 0.5)}, SettingsError, ("flat",)),
        (lambda d: {"image": (d.image * 100).astype(np.int32)}, SettingsError, ("int32",)),
        (lambda d: {"landmarks": d.landmarks[:51]}, LandmarkError, ("68", "51")),
        (lambda d: {"landmarks": d.landmarks + 130}, LandmarkError, ("outside", "160 x 160")),
        (lambda d: {"landmarks": d.landmarks * [-1, 1] + [160, 0]}, LandmarkError, ("mirror",)),
        (lambda d: {"landmarks": np.full((68, 2), np.nan)}, LandmarkError, ("at least 6",)),
        (lambda d: {"landmarks": d.landmarks / 12}, LandmarkError, ("16 pixels",)),
    ],
)  # fmt: skip
def test_bad_input_is_one_typed_sentence(drawn, fitter, changes, error, words) -> None:
    with pytest.raises(error) as caught:
        fit_image(*bad(drawn, **changes(drawn)), fitter)
    for word in words:
        assert word in str(caught.value)


def test_models_that_cannot_be_fitted_say_why(face, drawn) -> None:
    bare = dataclasses.replace(face.template, landmarks=None)
    with pytest.raises(LandmarkError, match="no landmarks"):
        fit_image(drawn.image, drawn.landmarks, dataclasses.replace(face, template=bare))
    few = LandmarkEmbedding.on_vertices(np.arange(0, 7000, 700), scheme="ten")
    template = dataclasses.replace(face.template, landmarks=few)
    with pytest.raises(GeomfaceError, match="procedural skin cannot stand in"):
        fit_image(drawn.image, drawn.landmarks[:10], dataclasses.replace(face, template=template))


@pytest.mark.parametrize(
    ("changes", "word"),
    [
        ({"camera": "fisheye"}, "camera"),
        ({"steps": (1, 2, 3)}, "one number a size"),
        ({"face_sizes_px": (60.0, 5.0)}, "face_sizes_px"),
        ({"steps": (0, 2)}, "steps"),
        ({"least_sigma": 0.0}, "least_sigma"),
        ({"most_sigma": 0.001}, "most_sigma"),
    ],
)
def test_settings_are_checked(changes, word) -> None:
    with pytest.raises(SettingsError, match=word):
        dataclasses.replace(QUICK, **changes)
