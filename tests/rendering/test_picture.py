"""Pictures: where things land, how light falls, what colours win."""

import numpy as np
import pytest

from geomface.errors import MeshError, SettingsError
from geomface.mesh import Mesh
from geomface.rendering import (
    Frame,
    Studio,
    color_bar,
    contact_sheet,
    frame_of,
    heat_colors,
    render_mesh,
    turntable,
    view_rotation,
)


def sphere(count: int = 40, radius: float = 50.0) -> Mesh:
    """A closed latitude and longitude sphere, counter-clockwise from outside."""
    polar = np.linspace(0, np.pi, count + 1)
    around = np.linspace(0, 2 * np.pi, 2 * count, endpoint=False)
    p, a = np.meshgrid(polar, around, indexing="ij")
    vertices = radius * np.stack([np.sin(p) * np.sin(a), np.cos(p), np.sin(p) * np.cos(a)], -1)
    index = np.arange(p.size).reshape(p.shape)
    right = np.roll(index, -1, axis=1)
    quads = np.stack([index[:-1], index[1:], right[1:], right[:-1]], -1).reshape(-1, 4)
    return Mesh(vertices.reshape(-1, 3), quads=quads, name="sphere")


def unit_square(**fields: object) -> Mesh:
    vertices = np.array([[-1, -1, 0], [1, -1, 0], [1, 1, 0], [-1, 1, 0]], float)
    return Mesh(vertices, np.array([[0, 1, 2], [0, 2, 3]]), **fields)  # type: ignore[arg-type]


WHOLE = Frame(np.zeros(3), 2.0)


def test_a_picture_has_the_promised_form():
    picture = render_mesh(sphere(), size=96)
    assert picture.shape == (96, 96, 3)
    assert picture.dtype == np.float32
    assert 0 <= picture.min() and picture.max() <= 1
    covered = (picture < 0.999).any(axis=-1)
    # The frame leaves 6 % free on each side, so the disc has a diameter of 88 %.
    assert abs(covered.mean() - np.pi / 4 * 0.88**2) < 0.02
    assert np.array_equal(picture, render_mesh(sphere(), size=96))


def test_vertex_colours_land_where_the_convention_says():
    colors = np.array([[1, 0, 0], [0, 1, 0], [0, 0, 1], [1, 1, 0]], float)
    picture = render_mesh(unit_square(), size=64, frame=WHOLE, colors=colors, shading=False)
    assert np.allclose(picture[-1, 0], colors[0], atol=0.03)  # low x and y: bottom left
    assert np.allclose(picture[0, -1], colors[2], atol=0.03)
    along_diagonal = picture[63 - np.arange(64), np.arange(64), 2]
    assert np.allclose(along_diagonal, (np.arange(64) + 0.5) / 64, atol=0.01)


def test_texture_wins_over_vertex_colours_and_is_not_flipped():
    texture = np.zeros((8, 8, 3), np.float32)
    texture[0, 0] = [1, 0, 0]  # top left of the picture, u = 0, v = 1
    uv = np.array([[0, 0], [1, 0], [1, 1], [0, 1]], float)
    mesh = unit_square(
        uv=uv,
        uv_faces=np.array([[0, 1, 2], [0, 2, 3]]),
        texture=texture,
        colors=np.ones((4, 3)),
    )
    picture = render_mesh(mesh, size=64, frame=WHOLE, shading=False)
    assert np.allclose(picture[0, 0], [1, 0, 0], atol=0.02)
    assert picture[32:].max() == 0
    painted = render_mesh(mesh, size=16, frame=WHOLE, shading=False, colors=np.ones((4, 3)))
    assert (painted == 1).all()


def test_a_linear_texture_is_read_exactly_between_texel_centres():
    size = 16
    ramp = np.zeros((size, size, 3), np.float32)
    ramp[..., 0] = (np.arange(size) + 0.5) / size
    uv = np.array([[0, 0], [1, 0], [1, 1], [0, 1]], float)
    mesh = unit_square(uv=uv, uv_faces=np.array([[0, 1, 2], [0, 2, 3]]), texture=ramp)
    picture = render_mesh(mesh, size=64, frame=WHOLE, shading=False)
    x = (np.arange(64) + 0.5) / 64
    assert np.abs(picture[20, 4:-4, 0] - x[4:-4]).max() < 1e-6


def test_a_fine_texture_is_averaged_instead_of_aliased():
    checker = np.indices((512, 512)).sum(axis=0) % 2
    uv = np.array([[0, 0], [1, 0], [1, 1], [0, 1]], float)
    mesh = unit_square(
        uv=uv,
        uv_faces=np.array([[0, 1, 2], [0, 2, 3]]),
        texture=np.repeat(checker[..., None], 3, axis=-1).astype(np.float32),
    )
    picture = render_mesh(mesh, size=32, frame=WHOLE, shading=False)
    assert np.abs(picture - 0.5).max() < 0.05


def test_yaw_turns_to_the_subjects_left_and_pitch_lifts_the_chin():
    assert (view_rotation(30, 0) @ [0, 0, 1])[0] > 0.4  # the nose moves to the picture's right
    assert (view_rotation(0, 30) @ [0, 0, 1])[1] > 0.4
    rotation = view_rotation(-50, 20)
    assert np.allclose(rotation @ rotation.T, np.eye(3)) and np.linalg.det(rotation) > 0
    mesh = sphere()
    nose = mesh.vertices[:, 2] > 45
    colors = np.where(nose[:, None], [1.0, 0, 0], [0.0, 0, 1])
    picture = render_mesh(mesh, size=96, yaw=40, colors=colors, shading=False)
    red = (picture[..., 0] > 0.5) & (picture[..., 2] < 0.5)
    assert np.nonzero(red)[1].mean() > 60


def test_the_key_light_comes_from_above_and_left():
    picture = render_mesh(sphere(), size=96).mean(axis=-1)
    assert picture[28, 28] > picture[28, 68] > picture[75, 75]
    assert picture[75, 75] > 0.1  # the shadow side keeps its form


def test_a_surface_seen_from_behind_is_darker():
    front = render_mesh(unit_square(), size=16, frame=WHOLE)[8, 8]
    back = render_mesh(unit_square(), size=16, frame=WHOLE, yaw=180)[8, 8]
    assert (back < 0.8 * front).all()
    brighter = render_mesh(
        unit_square(), size=16, frame=WHOLE, studio=Studio(ambient=0.5, key_strength=0.8)
    )
    assert (brighter[8, 8] >= front).all()


def test_edges_are_antialiased():
    mesh = unit_square()
    tilted = np.array([[-1, -1, 0], [1, -0.6, 0], [1, 1, 0], [-1, 1, 0]], float)
    picture = render_mesh(
        mesh, vertices=tilted, size=40, frame=WHOLE, colors=np.zeros((4, 3)), shading=False
    )
    assert {0.0, 0.5, 1.0} <= set(np.unique(picture[..., 0]).tolist())
    assert abs((1 - picture[..., 0]).mean() - 0.9) < 0.01


def test_one_frame_shows_sizes_in_proportion():
    small, large = sphere(radius=20), sphere(radius=40)
    frame = frame_of([small, large])
    areas = [
        (render_mesh(mesh, size=128, frame=frame) < 0.999).any(axis=-1).sum()
        for mesh in (small, large)
    ]
    assert areas[1] / areas[0] == pytest.approx(4, rel=0.03)
    tuple_frame = render_mesh(small, size=32, frame=(frame.centre, frame.extent))
    assert np.array_equal(tuple_frame, render_mesh(small, size=32, frame=frame))


def test_heat_colours_are_ordered_by_lightness_and_clamped():
    values = np.linspace(0, 2, 300)
    colors = heat_colors(values, 2.0)
    luminance = colors.astype(float) ** 2.2 @ [0.2126, 0.7152, 0.0722]
    assert (np.diff(luminance) > 0).all()
    assert np.array_equal(heat_colors(np.array([-1.0, 9.0, np.inf]), 2.0), colors[[0, -1, -1]])
    grey = heat_colors(np.array([np.nan]), 2.0)[0]
    assert np.ptp(grey) == 0
    assert np.array_equal(color_bar(300, 2)[:, 0], colors[::-1])
    with pytest.raises(SettingsError, match="positive"):
        heat_colors(values, 0.0)


def test_contact_sheet_keeps_pictures_and_writes_labels():
    images = [np.full((20, 60, 3), level, np.float32) for level in (0.2, 0.4, 0.6)]
    sheet = contact_sheet(images, 2, gap=4)
    assert sheet.shape == (2 * 24 + 4, 2 * 64 + 4, 3)
    assert (sheet[4:24, 4:64] == np.float32(0.2)).all()
    assert (sheet[28:48, 4:64] == np.float32(0.6)).all()
    labelled = contact_sheet(images, 2, ["one", "two", "three"], gap=4)
    below = labelled[24:46, 4:64]
    assert below.min() < 0.5 and (labelled[4:24, 4:64] == np.float32(0.2)).all()
    with pytest.raises(SettingsError, match="label"):
        contact_sheet(images, 2, ["one"])
    with pytest.raises(SettingsError, match="pictures"):
        contact_sheet([], 2)
    assert (contact_sheet(np.stack(images), 2, gap=4) == sheet).all()


def test_a_turntable_loops_through_one_frame():
    pictures = turntable(sphere(), 4, size=24)
    assert len(pictures) == 4
    assert np.array_equal(pictures[0], render_mesh(sphere(), size=24))
    with pytest.raises(SettingsError, match="frame"):
        turntable(sphere(), 0)


@pytest.mark.parametrize(
    ("options", "error", "words"),
    [
        ({"size": 0}, SettingsError, "size: expected 1 to 8192"),
        ({"size": 100_000}, SettingsError, "size: expected 1 to 8192"),
        ({"size": float("nan")}, SettingsError, "size: expected a whole number"),
        ({"colors": np.zeros((3, 3))}, MeshError, "shape"),
        ({"colors": np.full((4, 3), np.nan)}, MeshError, "NaN"),
        ({"vertices": np.zeros((5, 3))}, MeshError, "shape"),
        ({"vertices": np.full((4, 3), np.nan)}, MeshError, "NaN"),
        ({"frame": (np.zeros(3), -1.0)}, SettingsError, "positive"),
        ({"frame": (np.zeros(2), 1.0)}, MeshError, "shape"),
    ],
)
def test_bad_input_is_refused_with_a_sentence(options, error, words):
    with pytest.raises(error, match=words):
        render_mesh(unit_square(), **options)
