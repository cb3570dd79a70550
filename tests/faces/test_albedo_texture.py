"""The albedo as an image on the unit square."""

import dataclasses

import numpy as np
import pytest

from geomface.errors import MeshError, SettingsError
from geomface.faces.albedo import albedo_colors
from geomface.faces.albedo_code import ALBEDO_SIZE
from geomface.faces.albedo_texture import AlbedoTexture, albedo_texture
from geomface.faces.builtin import load_builtin_face
from geomface.mesh import Template

SIZE = 256


@pytest.fixture(scope="module")
def flat() -> Template:
    """The built-in face with uv from the front: enough of a chart for the visible skin."""
    template = load_builtin_face().template
    vertices = template.mesh.vertices
    low, high = vertices[:, :2].min(axis=0), vertices[:, :2].max(axis=0)
    uv = 0.02 + 0.96 * (vertices[:, :2] - low) / (high - low)
    mesh = template.mesh.replace(uv=uv, uv_faces=template.mesh.faces)
    return dataclasses.replace(template, mesh=mesh)


def test_texture_shows_the_vertex_colors(flat: Template) -> None:
    code = np.zeros(ALBEDO_SIZE)
    painter = AlbedoTexture(flat, SIZE)
    image = painter.image(code)
    assert image.shape == (SIZE, SIZE, 3) and image.dtype == np.float32
    assert 0.5 < painter.covered.mean() < 0.95
    assert flat.mesh.uv is not None
    picked = np.concatenate([flat.regions[name] for name in ("forehead", "chin", "brows")])
    u, v = flat.mesh.uv[picked].T
    rows, columns = ((1 - v) * SIZE).astype(int), (u * SIZE).astype(int)
    difference = np.abs(image[rows, columns] - albedo_colors(flat, code)[picked])
    # Texels lie closer than vertices, so they show finer grain.
    assert np.median(difference) < 0.012 and np.quantile(difference, 0.95) < 0.06


def test_outside_takes_the_nearest_color(flat: Template) -> None:
    painter = AlbedoTexture(flat, 64)
    image = painter.image(np.zeros(ALBEDO_SIZE))
    inside = image[painter.covered]
    assert image[0, 0].min() > 0.1
    assert (np.abs(inside - image[0, 0]).max(axis=1) < 1e-6).any()


def test_bad_input(flat: Template) -> None:
    with pytest.raises(SettingsError, match="expected a size"):
        albedo_texture(flat, np.zeros(ALBEDO_SIZE), 4)
    with pytest.raises(MeshError, match="Unwrap it first"):
        albedo_texture(load_builtin_face(), np.zeros(ALBEDO_SIZE), 64)
