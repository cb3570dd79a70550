"""The energy of a picture: against the renderer, and its derivatives against finite differences."""

import dataclasses

import numpy as np
import pytest
import torch
from picture_samples import draw_face, draw_light

from geomface.faces.builtin import load_builtin_face
from geomface.fitting.image_terms import ImagePoints
from geomface.fitting.linear_face import linear_face
from geomface.fitting.rendering.albedo import procedural_texture, skin_of
from geomface.fitting.rendering.energy import PictureEnergy, Scene
from geomface.fitting.rendering.picture import independent_pixels, picture_level, pixel_sigma
from geomface.fitting.rendering.settings import PictureFitSettings
from geomface.fitting.rendering.shading import (
    VertexNormals,
    lambert_basis,
    lambert_gradient,
    to_linear,
    to_srgb,
)
from geomface.fitting.rendering.sheet import render_face
from geomface.fitting.rendering.unknowns import (
    Unknowns,
    UnknownsPrior,
    determined_count,
    free_covariance,
)
from geomface.rendering.camera import WeakPerspective
from geomface.rendering.differentiable import SphericalHarmonicsLight, sh_basis
from geomface.rendering.differentiable.color import linear_to_srgb, srgb_to_linear
from geomface.rendering.differentiable.normals import vertex_normals
from geomface.rendering.differentiable.spherical_harmonics import LAMBERT
from geomface.rendering.visibility import choose_backend


@pytest.fixture(scope="module")
def face():
    return load_builtin_face()


@pytest.fixture(scope="module")
def texture(face):
    return procedural_texture(face.template, 8)


def scene_of(face, texture, drawn, channels, camera=None):
    """A scene at some unknowns near the truth, and those unknowns."""
    rng = np.random.default_rng(8)
    linear = linear_face(face, 5.0)
    marks = linear.at(face.template.landmarks)
    points = ImagePoints(marks, drawn.landmarks, np.tile(np.eye(2), (68, 1, 1)), np.ones(68))
    settings = PictureFitSettings(most_pixels=400)
    prior = UnknownsPrior(linear, len(texture), channels, 2.0, 1.0, 0.1)
    scene = Scene(
        linear,
        skin_of(texture, channels),
        face.mesh.faces,
        np.ones(len(face.mesh.faces), bool),
        prior,
        points,
        choose_backend(),
        settings,
        np.full(len(face.mesh.vertices), 4.0),
    )
    coefficients = np.concatenate([drawn.identity, rng.uniform(0.05, 0.2, 38)])
    light = drawn.light if channels == 3 else drawn.light.mean(axis=1, keepdims=True)
    at = Unknowns(
        camera or drawn.camera, coefficients, rng.standard_normal(len(texture)) * 0.5, light
    )
    return scene, at


def weak_of(camera):
    scale = camera.focal / -camera.translation[2]
    shift = camera.middle + scale * camera.translation[:2] * [1, -1]
    return WeakPerspective(camera.rotation, scale, shift, camera.centre)


def numeric(function, at, direction, step=1e-5):
    return (function(at.moved(step * direction)) - function(at.moved(-step * direction))) / (
        2 * step
    )


@pytest.mark.parametrize("kind", ["perspective", "weak-perspective"])
@pytest.mark.parametrize("channels", [1, 3])
def test_columns_match_finite_differences(face, texture, kind, channels, rng) -> None:
    drawn = draw_face(face, [3, 1], size=96)
    camera = drawn.camera if kind == "perspective" else weak_of(drawn.camera)
    scene, at = scene_of(face, texture, drawn, channels, camera)
    picture = drawn.image.astype(np.float64)[..., :channels]
    level = picture_level(picture, 1.0)
    fragments = scene.fragments(level, at)
    pixels = scene.pixels(level, fragments, fragments.selection(150))
    columns = pixels.columns(at)
    for block in at.blocks.values():
        direction = np.zeros(len(at))
        direction[block] = rng.standard_normal(block.stop - block.start)
        slope = numeric(lambda u: pixels.residuals(u).ravel(), at, direction)
        np.testing.assert_allclose(columns @ direction, slope, atol=1e-6 * np.abs(slope).max())


def test_gradient_of_the_energy_matches_finite_differences(face, texture, rng) -> None:
    drawn = draw_face(face, [3, 2], size=96)
    scene, at = scene_of(face, texture, drawn, 3)
    level = picture_level(drawn.image.astype(np.float64), 1.0)
    fragments = scene.fragments(level, at)
    energy = PictureEnergy(scene, level, fragments.selection(300), 0.05, 0.3, 0.7)
    _, gradient = energy.equations(at)
    # The triangles that pixels see change in steps; a small one changes few of them.
    for block in at.blocks.values():
        direction = np.zeros(len(at))
        direction[block] = rng.standard_normal(block.stop - block.start)
        slope = numeric(energy.energy, at, direction, 1e-6)
        assert gradient @ direction == pytest.approx(slope, rel=2e-3)


def test_pixels_show_what_the_renderer_shows(face, texture) -> None:
    # From the front: the renderer blends where the nose hides a cheek.
    drawn = draw_face(face, [3, 3], size=96, yaw=5.0)
    scene, at = scene_of(face, texture, drawn, 3)
    level = picture_level(np.zeros((96, 96, 3)), 1.0)
    fragments = scene.fragments(level, at)
    shown = scene.pixels(level, fragments, fragments.usable).residuals(at)
    mesh = face.mesh.replace(vertices=scene.face.points(at.face))
    colors = scene.skin.colors(at.albedo).astype(np.float32)
    drawn_again = render_face(mesh, colors, at.light, at.camera, (96, 96))["rgb"]
    np.testing.assert_allclose(shown, drawn_again.reshape(-1, 3)[fragments.usable], atol=2e-6)


def test_shading_is_that_of_the_renderer(rng) -> None:
    normals = rng.standard_normal((50, 3))
    normals /= np.linalg.norm(normals, axis=1, keepdims=True)
    light = draw_light(rng)
    basis = sh_basis(torch.tensor(normals.T)).numpy().T * LAMBERT
    np.testing.assert_allclose(lambert_basis(normals), basis, atol=1e-12)
    assert SphericalHarmonicsLight(torch.tensor(light[None])).batch == 1
    step = rng.standard_normal((50, 3))
    slope = (lambert_basis(normals + 1e-6 * step) - lambert_basis(normals - 1e-6 * step)) / 2e-6
    along = np.einsum("ncd,nd->nc", lambert_gradient(normals, light), step)
    np.testing.assert_allclose(slope @ light, along, atol=1e-8)


def test_srgb_curves_and_slopes() -> None:
    values = np.linspace(-0.1, 1.3, 200)
    for ours, theirs in ((to_linear, srgb_to_linear), (to_srgb, linear_to_srgb)):
        found, slope = ours(values)
        np.testing.assert_allclose(found, theirs(torch.tensor(values)).numpy(), atol=1e-12)
        inner = (ours(values + 1e-7)[0] - ours(values - 1e-7)[0]) / 2e-7
        np.testing.assert_allclose(slope, inner, rtol=2e-3)


def test_vertex_normals(face) -> None:
    found = VertexNormals(face.mesh.vertices, face.mesh.faces).normals
    tensors = torch.tensor(face.mesh.vertices[None]), torch.tensor(face.mesh.faces)
    np.testing.assert_allclose(found, vertex_normals(*tensors)[0].numpy(), atol=1e-9)


def test_size_evidence_prefers_the_true_size() -> None:
    """Shapes up to scale, with a prior on their size: the plain mode is too small by far."""
    rng, count = np.random.default_rng(0), 40
    every = np.ones(count, bool)
    plain, corrected = [], []
    for _ in range(40):
        size = np.exp(0.05 * rng.standard_normal())
        seen = size * rng.standard_normal(count) + rng.normal(0, 1e-3, count)
        scales = np.exp(np.linspace(-0.4, 0.4, 401))
        energy = np.array([0.5 * (seen / s) @ (seen / s) for s in scales])
        energy += 0.5 * (np.log(scales) / 0.05) ** 2
        matrix = np.eye(count) * (1 + 1e6)
        number = determined_count(free_covariance(matrix, every), matrix - np.eye(count), every)
        plain.append(np.log(scales[np.argmin(energy)] / size))
        corrected.append(np.log(scales[np.argmin(energy + number * np.log(scales))] / size))
    assert number == pytest.approx(count, rel=1e-4)
    assert abs(np.mean(corrected)) < 0.02 < abs(np.mean(plain))


def test_log_scale_gradient(face) -> None:
    drawn = draw_face(face, [3, 4], size=64)
    for camera in (drawn.camera, weak_of(drawn.camera)):
        step = 1e-6 * np.eye(6)
        slopes = [
            (camera.moved(row).log_scale() - camera.moved(-row).log_scale()) / 2e-6 for row in step
        ]
        np.testing.assert_allclose(camera.log_scale_columns(), slopes, atol=1e-8)


def test_noise_is_measured(rng) -> None:
    size = (60, 80)
    white = rng.standard_normal((60 * 80, 1)) * 0.02
    places = np.arange(60 * 80)
    assert pixel_sigma(white, 0.001, 1.0) == pytest.approx(0.02, rel=0.05)
    assert pixel_sigma(white, 0.05, 1.0) == 0.05 and pixel_sigma(white, 0.001, 0.01) == 0.01
    assert independent_pixels(white, places, size, 0.02, 10) < 1.3
    coarse = rng.standard_normal((15, 20)).repeat(4, axis=0).repeat(4, axis=1).reshape(-1, 1)
    assert 8 < independent_pixels(coarse, places, size, 1.0, 10) < 24


def test_selection_is_stable(face, texture) -> None:
    drawn = draw_face(face, [3, 5], size=96)
    scene, at = scene_of(face, texture, drawn, 3)
    level = picture_level(drawn.image.astype(np.float64), 1.0)
    step = np.zeros(len(at))
    step[3] = 0.2
    one, two = (scene.fragments(level, u).selection(400) for u in (at, at.moved(step)))
    assert 350 < len(one) < 450 and 350 < len(two) < 450
    assert len(np.intersect1d(one, two)) > 0.8 * len(one)


def test_levels_keep_the_coordinates() -> None:
    row, column = np.mgrid[:40, :60] + 0.5
    picture = np.stack([column / 60, row / 40], axis=-1)
    for pixel in (0.5, 2.0, 3.3):
        level = picture_level(picture, pixel)
        rows, columns = (index.ravel() for index in np.mgrid[: level.size[0], : level.size[1]])
        centres = level.centres(rows, columns)
        inner = ((centres > 8) & (centres < [52, 32])).all(axis=1)
        wanted = centres / [60, 40]
        np.testing.assert_allclose(level.values.reshape(-1, 2)[inner], wanted[inner], atol=0.002)


def test_overexposed_pixels_do_not_count(face, texture) -> None:
    drawn = draw_face(face, [3, 6], size=96)
    scene, at = scene_of(face, texture, drawn, 3)
    picture = np.full((96, 96, 3), 0.5)
    everywhere = scene.fragments(picture_level(picture, 1.0), at).usable
    picture[:48, :, 1] = 1.0
    below = scene.fragments(picture_level(picture, 1.0), at).usable
    np.testing.assert_array_equal(below, everywhere[everywhere >= 48 * 96])


def test_trusted_triangles_only(face, texture) -> None:
    drawn = draw_face(face, [3, 6], size=96)
    scene, at = scene_of(face, texture, drawn, 3)
    level = picture_level(drawn.image.astype(np.float64), 1.0)
    everywhere = len(scene.fragments(level, at).usable)
    half = scene.face.mean[scene.faces].mean(axis=1)[:, 0] > 0
    part = dataclasses.replace(scene, trusted=half)
    assert 0.2 * everywhere < len(part.fragments(level, at).usable) < 0.8 * everywhere
