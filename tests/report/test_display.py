"""What a notebook shows: a frame of its own, the mesh in it, a picture where there is no script."""

import dataclasses
import html
import io
import re

import numpy as np
import pytest
from PIL import Image
from test_viewer import data_of, square, unpack

import geomface
from geomface.errors import MeshError, SettingsError, TopologyMismatchError
from geomface.mesh import Mesh
from geomface.rendering import heat_colors
from geomface.report import display
from geomface.report.display import Display, ShownFace, show
from geomface.report.display_colors import color_plane, one_uv_a_vertex, vertex_colors_from
from geomface.statistics import TextureModel


@pytest.fixture(scope="module")
def face() -> geomface.MorphableModel:
    return geomface.load_builtin_face()


def frame_of(shown: Display) -> str:
    """Return the document inside the frame."""
    frame = re.fullmatch(
        r'<iframe srcdoc="([^"]*)" sandbox="allow-scripts" .*', shown._repr_html_()
    )
    assert frame is not None
    return html.unescape(frame[1])


def test_model_shows_its_people(face: geomface.MorphableModel) -> None:
    shown = show(face, people=2)
    page = frame_of(shown)
    assert page == shown.document()
    data = data_of(page)
    assert [shape["name"] for shape in data["shapes"]] == ["mean face", "person 1", "person 2"]
    assert all(len(shape["eyes"]) == 2 for shape in data["shapes"])
    assert len(data["mouth"]) > 10
    first, second = (unpack(shape["positions"], "<i2") for shape in data["shapes"][:2])
    assert len(first) == 3 * len(face.mesh.vertices) and not np.array_equal(first, second)
    assert shown.document() == show(face, people=2).document(), "always the same people"
    assert repr(shown) == "Display('builtin': mean face, person 1, person 2)"


def test_page_is_alone_and_offline(face: geomface.MorphableModel) -> None:
    page = show(face.template).document()
    assert "http" not in page and page.count("<script>") == 1
    assert 'data-mode="checker"] { display: none' in page, "no map, no checker"


def test_picture_stands_in(face: geomface.MorphableModel) -> None:
    for shown in (show(face, people=0), show(face.mesh)):
        with Image.open(io.BytesIO(shown._repr_png_())) as picture:
            pixels = np.asarray(picture.convert("RGB"))
        assert pixels.shape[1] > 2.5 * pixels.shape[0]
        assert 0.1 < (pixels < 250).any(axis=2).mean() < 0.9


def test_morphable_model(face: geomface.MorphableModel) -> None:
    rng, ink = np.random.default_rng(0), np.full(face.mesh.vertices.shape, 0.4)
    shapes = np.stack([face.vertices(face.sample_identity(rng)) for _ in range(6)])
    model = geomface.MorphableModel(face.template, geomface.fit_pca(shapes, components=4))
    data = data_of(show(model, people=1).document())
    assert [shape["name"] for shape in data["shapes"]] == ["mean face", "person 1"]
    assert all(len(shape["eyes"]) == 2 for shape in data["shapes"])
    painted = show(dataclasses.replace(face, texture=TextureModel(ink, 0.1 * ink[..., None])))
    assert np.allclose(painted.faces[0].mesh.colors, 0.4), "its own colours, no lent skin"


def test_colors_of_a_line_and_a_plane_come_back() -> None:
    mesh = square(30)
    share = mesh.vertices / mesh.vertices.max(axis=0)
    first = np.stack([share[:, 0], share[:, 1], 0.5 * share[:, 0]], axis=1)
    for colors in ([first], [first, 0.3 + 0.5 * first[:, ::-1]], [np.full_like(first, 0.4)]):
        uv, textures = color_plane(colors)
        flat = mesh.replace(uv=uv, uv_faces=mesh.faces)
        assert uv.min() >= 0 and uv.max() <= 1
        for color, texture in zip(colors, textures, strict=True):
            np.testing.assert_allclose(vertex_colors_from(flat, texture), color, atol=1e-5)


def test_heat_and_skin_are_close(face: geomface.MorphableModel) -> None:
    from geomface.faces.albedo import albedo_colors

    error = np.linspace(0, 3, len(face.mesh.vertices))
    for colors, worst in (
        (heat_colors(error, 3.0), 0.08),
        (albedo_colors(face, np.zeros(16)), 0.025),
    ):
        uv, (texture,) = color_plane([colors])
        flat = face.mesh.replace(uv=uv, uv_faces=face.mesh.faces)
        assert np.abs(vertex_colors_from(flat, texture) - colors).max() < worst


def test_seams_are_cut_and_textures_shrunk() -> None:
    mesh = square(3)
    seam = mesh.replace(
        uv=np.concatenate([0.4 * mesh.uv, 0.6 + 0.4 * mesh.uv]),
        uv_faces=np.concatenate([mesh.faces[:4], mesh.faces[4:] + 9]),
        texture=np.full((1500, 700, 3), 0.5, np.float32),
    )
    flat = one_uv_a_vertex([seam])
    assert flat.has_map and len(flat.mesh.vertices) > 9
    np.testing.assert_array_equal(seam.vertices[seam.faces], flat.mesh.vertices[flat.mesh.faces])
    np.testing.assert_array_equal(seam.uv[seam.uv_faces], flat.mesh.uv[flat.mesh.uv_faces])
    np.testing.assert_array_equal(flat.source[flat.place_of(np.arange(9))], np.arange(9))
    assert flat.textures[0].shape == (1024, 478, 3)
    assert '[data-mode="checker"] {' not in show(seam).document()


def test_given_colors_replace_the_texture() -> None:
    mesh = square().replace(texture=np.zeros((4, 4, 3), np.float32))
    ink = np.tile([1.0, 0.0, 0.0], (len(mesh.vertices), 1))
    shown = show(mesh, colors=ink)
    assert shown.faces[0].mesh.texture is None
    np.testing.assert_allclose(one_uv_a_vertex([shown.faces[0].mesh]).textures[0][0, 0], [1, 0, 0])


def test_refusals(face: geomface.MorphableModel, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(MeshError, match="expected a Mesh, Template or MorphableModel, got a list"):
        show([1, 2])  # type: ignore[arg-type]
    with pytest.raises(SettingsError, match="people: expected 0 or more, got -1"):
        show(face, people=-1)
    with pytest.raises(SettingsError, match="a model has colours of its own"):
        show(face, colors=np.zeros((3, 3)))
    with pytest.raises(MeshError):
        show(face.mesh, colors=np.zeros((3, 3)))
    with pytest.raises(TopologyMismatchError):
        small: Mesh = square(3)
        Display((ShownFace("a", square(4)), ShownFace("b", small))).document()
    monkeypatch.setattr(display, "LARGEST_TRIANGLES", 10)
    with pytest.raises(MeshError, match="expected at most 10 triangles"):
        show(square(5)).document()
