"""Kernels that photographs share: blur, means over neighbours, light that is asked for."""

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter1d

from geomface.datasets.picture_files import decode_output, encode_output
from geomface.faces.builtin import load_builtin_face
from geomface.mesh.normals import vertex_normals
from geomface.rendering.shadow_maps import light_visibility, thinned_faces
from geomface.synthesis.photo.blurring import blurred
from geomface.synthesis.photo.light_rig import SKY, SKY_SIZE, LightRig, draw_rig
from geomface.synthesis.photo.neighbours import grown, neighbours_of, spread
from geomface.synthesis.photo.vertex_light import vertex_light
from geomface.synthesis.streams import stream

MESH = load_builtin_face().mesh
COUNT = len(MESH.vertices)
NORMALS = vertex_normals(MESH.vertices, MESH.faces).astype(np.float32)
CENTRE = MESH.vertices.mean(axis=0)


@pytest.mark.parametrize("shape", [(20, 31, 3), (5, 40), (1, 1, 3)])
@pytest.mark.parametrize("widths", [(0.9, 0.9), (0.0, 2.5), (4.0, 0.0), (0.0, 0.0)])
def test_blur_is_that_of_gaussians(shape: tuple[int, ...], widths: tuple[float, float]) -> None:
    picture = np.random.default_rng(0).random(shape, np.float32)
    expected = picture
    for axis, width in enumerate(widths):
        if width:
            expected = gaussian_filter1d(expected, width, axis, mode="nearest", truncate=3.0)
    np.testing.assert_allclose(blurred(picture, *widths), expected, atol=1e-6)


def test_neighbours_are_those_of_the_faces() -> None:
    table = neighbours_of(MESH.faces, COUNT)
    values = MESH.vertices.astype(np.float32)
    edges = np.vstack([MESH.faces[:, pair] for pair in ([0, 1], [1, 2], [2, 0])])
    edges = np.vstack([edges, edges[:, ::-1]])
    expected = values.astype(np.float64)
    for _ in range(2):
        total, weight = expected.copy(), np.ones(COUNT)
        np.add.at(total, edges[:, 0], expected[edges[:, 1]])
        np.add.at(weight, edges[:, 0], 1.0)
        expected = total / weight[:, None]
    np.testing.assert_allclose(spread(values, table, np.ones(COUNT, bool)), expected, atol=1e-3)
    some = np.zeros(COUNT, bool)
    some[[100, 4000]] = True
    wide = some
    for _ in range(2):
        near = wide[MESH.faces].any(axis=1)
        wide = wide.copy()
        wide[MESH.faces[near]] = True
    np.testing.assert_array_equal(grown(some, table, 2), wide)
    # Two rings around them are all that their own means need.
    found = spread(values, table, grown(some, table, 2))
    np.testing.assert_allclose(found[some], expected[some], atol=1e-3)


def test_lights_from_both_sides_are_those_from_either() -> None:
    faces, half = thinned_faces(MESH.faces), SKY[: SKY_SIZE // 2]
    both = light_visibility(MESH.vertices, NORMALS, faces, half, CENTRE, 190.0, 72, both_ways=True)
    fore, back = (
        light_visibility(MESH.vertices, NORMALS, faces, sign * half, CENTRE, 190.0, 72)
        for sign in (1, -1)
    )
    expected = np.where(half @ NORMALS.T >= 0, fore, back)
    # The map of the other side is the same one, seen from behind: texels at edges may differ.
    assert np.abs(both - expected).mean() < 1e-3
    assert both.min() == 0 and both.max() == 1


def test_a_sky_is_even_and_opposite() -> None:
    np.testing.assert_allclose(np.linalg.norm(SKY, axis=1), 1)
    np.testing.assert_array_equal(SKY[SKY_SIZE // 2 :], -SKY[: SKY_SIZE // 2])
    np.testing.assert_allclose(SKY.T @ SKY, SKY_SIZE / 3 * np.eye(3), atol=1e-12)
    to_all = np.clip(NORMALS @ SKY.T, 0, None).sum(axis=1) * 4 / SKY_SIZE
    assert np.abs(to_all - 1).max() < 0.06, "an open sky lights all sides alike"


@pytest.mark.parametrize("kind", ["lamps", "window"])
def test_light_is_that_of_all_where_it_is_asked_for(kind: str) -> None:
    rig: LightRig = draw_rig(kind, stream(0, "rig", 3))
    table, casters = neighbours_of(MESH.faces, COUNT), thinned_faces(MESH.faces).astype(np.int32)
    albedo = np.full((COUNT, 3), 0.4, np.float32)
    some = np.zeros(COUNT, bool)
    some[500:700] = True
    given = MESH.vertices, NORMALS, table, casters, albedo, rig, np.diag([1.0, -1.0, -1.0])
    whole, part = (
        vertex_light(*given, (CENTRE, 190.0), asked=asked)
        for asked in (None, grown(some, table, 2))
    )
    np.testing.assert_array_equal(part.ambient[some], whole.ambient[some])
    np.testing.assert_array_equal(part.seen[some], whole.seen[some])
    assert np.ptp(whole.seen[some]) > 0.2


def test_noisy_pictures_are_packed_without_loss() -> None:
    image = np.random.default_rng(0).random((40, 50, 3), np.float32)
    plain, noisy = (encode_output("rgb", image, "png", noisy=noise) for noise in (False, True))
    first, second = (decode_output("rgb", data, "it") for data in (plain, noisy))
    np.testing.assert_array_equal(first, second)
    assert len(noisy) <= 1.01 * len(plain)
