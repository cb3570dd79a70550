"""Texture models: holes carry no variance, complete images are reproduced."""

import numpy as np
import pytest

from geomface.errors import MeshError, SettingsError
from geomface.statistics import TextureModel, fit_texture_pca, seen_coefficients
from geomface.statistics.linear_model import flat_columns


def test_complete_images_are_reproduced(rng):
    images = rng.uniform(0.2, 0.8, (5, 8, 6, 3)).astype(np.float32)
    model = fit_texture_pca(images)
    assert len(model) == 4
    flat = flat_columns(model.basis) / np.sqrt(model.variances)
    np.testing.assert_allclose(flat.T @ flat, np.eye(4), atol=1e-5)
    for image in images:
        again = model.reconstruct(model.coefficients(image))
        np.testing.assert_allclose(again, image, atol=1e-5)
    assert again.dtype == np.float32
    expected = ((images - images.mean(axis=0)) ** 2).sum() / 4
    assert model.variances.sum() == pytest.approx(expected, rel=1e-5)


def test_hidden_texels_are_left_out(rng):
    images = np.full((4, 5, 5, 3), 0.5, dtype=np.float32)
    images[:, 0, 0] = np.array([0.1, 0.2, 0.3, 0.4], dtype=np.float32)[:, None]
    masks = np.ones((4, 5, 5), dtype=bool)
    images[2, 3, 3] = 1.0  # rubbish under a hole
    masks[2, 3, 3] = False
    masks[:, 4, 4] = False  # seen by none
    images[:, 4, 4] = 0.9
    model = fit_texture_pca(images, masks)
    assert len(model) == 1
    np.testing.assert_allclose(model.mean[0, 0], 0.25, atol=1e-6)
    np.testing.assert_allclose(model.mean[3, 3], 0.5, atol=1e-6)
    assert not model.valid[4, 4] and model.valid.sum() == 24
    assert model.mean[4, 4].max() < 0.51
    changed = np.abs(model.basis[..., 0]).sum(axis=2) > 1e-6
    assert changed[0, 0] and changed.sum() == 1


def test_holes_take_the_tone_of_their_own_image(rng):
    tone = rng.uniform(0.2, 0.8, 8).astype(np.float32)
    images = np.ones((8, 10, 10, 3), np.float32) * tone[:, None, None, None]
    masks = np.ones((8, 10, 10), dtype=bool)
    for index in range(8):
        masks[index, index, 2:5] = False
        images[index, index, 2:5] = 0.5
    full = fit_texture_pca(np.broadcast_to(images[:, 9:, 9:], images.shape))
    model = fit_texture_pca(images, masks)
    assert len(full) == 1
    np.testing.assert_allclose(model.mean, full.mean, atol=4e-3)
    np.testing.assert_allclose(np.abs(model.basis[..., 0]), np.abs(full.basis[..., 0]), rtol=0.05)


def test_samples_are_images_and_follow_the_seed(rng):
    model = fit_texture_pca(rng.random((6, 8, 8, 3)).astype(np.float32), components=3)
    sample = model.sample(np.random.default_rng(1))
    assert sample.dtype == np.float32 and sample.min() >= 0 and sample.max() <= 1
    np.testing.assert_array_equal(sample, model.sample(np.random.default_rng(1)))
    with pytest.raises(SettingsError, match="at most 3"):
        model.reconstruct(np.zeros(4))


def test_vertex_colours_make_the_same_model_as_an_image_of_one_row(rng):
    colors = rng.uniform(0.2, 0.8, (5, 9, 3)).astype(np.float32)
    masks = rng.random((5, 9)) > 0.1
    flat, image = fit_texture_pca(colors, masks), fit_texture_pca(colors[:, None], masks[:, None])
    np.testing.assert_allclose(flat.mean, image.mean[0])
    np.testing.assert_allclose(flat.basis, image.basis[0], atol=1e-6)
    assert not flat.is_image and image.is_image


def test_colours_a_vertex_make_a_model_with_a_marginal(rng):
    basis = rng.standard_normal((5, 3, 2))
    valid = np.array([True, True, False, True, True])
    model = TextureModel(rng.random((5, 3)), basis, valid=valid)
    part = model.marginal(np.array([4, 2]))
    assert not model.is_image and part.valid.tolist() == [True, False]
    np.testing.assert_array_equal(part.basis, basis[[4, 2]])
    image = TextureModel(rng.random((4, 5, 3)), rng.standard_normal((4, 5, 3, 2)))
    with pytest.raises(MeshError, match="texture image"):
        image.marginal(np.array([0]))
    with pytest.raises(MeshError, match="colours"):
        TextureModel(rng.random((4, 2)), rng.standard_normal((4, 2, 1)))


def test_bad_input_is_refused(rng):
    image = rng.random((1, 4, 4, 3)).astype(np.float32)
    with pytest.raises(MeshError, match="at least 2 textures"):
        fit_texture_pca(image)
    with pytest.raises(MeshError, match="no texel"):
        fit_texture_pca(np.tile(image, (2, 1, 1, 1)), np.zeros((2, 4, 4), dtype=bool))
    with pytest.raises(MeshError, match="texture masks"):
        fit_texture_pca(np.tile(image, (2, 1, 1, 1)), np.ones((2, 4, 5), dtype=bool))


def test_hidden_places_have_no_say_in_the_coefficients(rng):
    modes = 0.05 * rng.standard_normal((3, 8, 8, 3))
    images = (0.5 + np.tensordot(rng.standard_normal((30, 3)), modes, 1)).astype(np.float32)
    model = fit_texture_pca(images, components=3)
    everywhere = np.ones((8, 8), bool)
    full = seen_coefficients(model, images[0], everywhere, sigma=1e-4)
    np.testing.assert_allclose(full, model.coefficients(images[0]), atol=1e-3)
    half = everywhere & (np.arange(8) < 4)
    damaged = images[0].copy()
    damaged[~half] = np.nan
    found = seen_coefficients(model, damaged, half, sigma=1e-4)
    np.testing.assert_allclose(found, full, atol=1e-2)
    nothing = seen_coefficients(model, damaged, ~everywhere)
    np.testing.assert_allclose(nothing, 0.0)
    with pytest.raises(MeshError, match="places seen"):
        seen_coefficients(model, images[0], half[:4])
