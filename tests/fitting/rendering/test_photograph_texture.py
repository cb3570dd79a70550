"""The photograph on the texture: rendering it shows the photograph, and the mask says where."""

import dataclasses

import numpy as np
import pytest
import torch
from picture_samples import draw_face

from geomface.errors import MeshError
from geomface.faces.builtin import load_builtin_face
from geomface.fitting.rendering import PictureFitSettings, PictureFitter, fit_image
from geomface.fitting.rendering.photograph_texture import bake_photograph
from geomface.geometry_image.readout import read_bilinear
from geomface.geometry_image.sampling import sample_texels, vertex_uv
from geomface.parametrization import unwrap
from geomface.rendering.differentiable import Renderer, RenderSettings, SphericalHarmonicsLight
from geomface.rendering.differentiable.camera_conventions import from_fit
from geomface.statistics import TextureModel

QUICK = PictureFitSettings(
    face_sizes_px=(60.0,), steps=(8,), landmark_weights=(1.0,), most_pixels=1500,
    albedo_modes=20,
)  # fmt: skip


@pytest.fixture(scope="module")
def face():
    return load_builtin_face()


@pytest.fixture(scope="module")
def drawn(face):
    """A picture with small dark marks that no model knows."""
    found = draw_face(face, [11, 4], size=192, yaw=30.0)
    row, column = np.mgrid[:192, :192]
    marks = (row % 12 < 3) & (column % 12 < 3)
    return dataclasses.replace(found, image=np.where(marks[..., None], 0.6, 1.0) * found.image)


@pytest.fixture(scope="module")
def fit(face, drawn):
    fitter = PictureFitter(face, QUICK)
    return fit_image(drawn.image, drawn.landmarks, fitter, focal_px=drawn.camera.focal)


@pytest.fixture(scope="module")
def baked(face, drawn, fit):
    return bake_photograph(drawn.image, fit, face, 256)


def shown_again(mesh, fit):
    height, width = fit.image_size
    renderer = Renderer(mesh, RenderSettings(height=height, width=width))
    return renderer.render(
        torch.tensor(mesh.vertices[None]),
        from_fit(fit.camera),
        texture=torch.tensor(np.asarray(mesh.texture, np.float64)[None]),
        light=SphericalHarmonicsLight(torch.tensor(fit.light[None])),
        outputs=("rgb", "face_id"),
    )


def test_the_texture_in_the_light_of_the_fit_is_the_photograph(drawn, fit, baked) -> None:
    again = shown_again(baked.mesh, fit)
    ids = again["face_id"][0].numpy()
    whole = (fit.seen[fit.mesh.faces] > 0.9).all(axis=1)
    places = (ids >= 0) & whole[ids]
    assert places.sum() > 3000
    difference = np.abs(again["rgb"][0].numpy() - drawn.image)[places].mean(axis=1)
    assert np.median(difference) < 0.015
    # The marks are there, which the colours of the vertices are too coarse for.
    dark = drawn.image[places].mean(axis=1)
    assert np.corrcoef(again["rgb"][0].numpy()[places].mean(axis=1), dark)[0, 1] > 0.95


def test_the_mask_is_where_the_picture_shows_the_face(face, fit, baked) -> None:
    assert baked.mask.shape == (256, 256) and baked.texture.shape == (256, 256, 3)
    assert 0.3 < baked.kept_fraction < 0.95
    assert np.isfinite(baked.texture).all() and baked.texture.max() <= 1
    uv = vertex_uv(baked.mesh)
    at_vertices = read_bilinear(baked.mask[..., None].astype(np.float64), uv)[:, 0]
    away = fit.mesh.vertices @ fit.camera.rotation[2] < -60
    assert at_vertices[(fit.seen > 0.95)].mean() > 0.9
    assert at_vertices[(fit.seen == 0)].mean() < 0.1
    assert not away.any() or at_vertices[away].mean() < 0.5


def test_what_is_not_seen_has_the_colours_of_the_fit(fit, baked) -> None:
    sampling = sample_texels(baked.mesh, 256)
    skin = sampling.matrix @ np.asarray(fit.mesh.colors, np.float64)
    hidden = ~baked.mask[sampling.mask]
    np.testing.assert_allclose(baked.texture[sampling.mask][hidden], skin[hidden], atol=1e-4)


def test_a_model_with_a_texture_completes_by_it(face, drawn, fit, baked) -> None:
    """Stripes of the model's texture show where the photograph does not."""
    flat = unwrap(face.template)
    size = 256
    stripes = 0.5 + 0.2 * (np.arange(size) // 4 % 2)[:, None, None] * np.ones((1, size, 3))
    model = dataclasses.replace(
        face,
        template=dataclasses.replace(face.template, mesh=flat.mesh),
        texture=TextureModel(stripes, 0.01 * stripes[..., None]),
    )
    plain = dataclasses.replace(fit, albedo=np.zeros(1))
    found = bake_photograph(drawn.image, plain, model, size)
    np.testing.assert_array_equal(found.mask, baked.mask)
    covered = sample_texels(baked.mesh, size).mask
    hidden, bright = covered & ~found.mask, stripes[..., 0] > 0.6
    one, other = (found.texture[hidden & part].mean() for part in (bright, ~bright))
    assert one > other + 0.05
    seen = baked.mask
    difference = np.abs(found.texture - baked.texture)
    assert np.median(difference[seen]) < 0.02 < np.median(difference[covered & ~seen])


def test_grey_photographs_keep_the_hue_of_the_fit(face, drawn) -> None:
    grey = drawn.image @ np.array([0.299, 0.587, 0.114])
    fit = fit_image(grey, drawn.landmarks, PictureFitter(face, QUICK))
    found = bake_photograph(grey, fit, face, 128)
    colors = found.texture[found.mask]
    assert (colors[:, 0] > colors[:, 2]).mean() > 0.95


def test_pictures_and_models_of_other_fits_are_refused(face, drawn, fit) -> None:
    with pytest.raises(MeshError, match="192 x 100 pixels for a fit of 192 x 192"):
        bake_photograph(drawn.image[:100], fit, face)
