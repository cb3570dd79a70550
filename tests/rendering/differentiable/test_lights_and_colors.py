"""Phong light against its formula, sRGB against its standard."""

import pytest
import torch

from geomface.errors import MeshError, SettingsError
from geomface.rendering.differentiable import (
    DirectionalLight,
    PointLight,
    SphericalHarmonicsLight,
    look_at_face,
)
from geomface.rendering.differentiable.color import linear_to_srgb, srgb_to_linear
from geomface.rendering.differentiable.fragments import fragments_of
from geomface.rendering.differentiable.lights import as_lights, illuminate, needs_positions

COLOR = torch.tensor([[0.2, 0.3, 0.4]], dtype=torch.float64)


def surface(count: int = 12):
    """Random unit normals and positions (3, n) of two images, and their camera."""
    generator = torch.Generator().manual_seed(4)
    normals = torch.randn(3, count, generator=generator, dtype=torch.float64)
    positions = 50 * torch.randn(3, count, generator=generator, dtype=torch.float64)
    ids = torch.full((2, 1, count), -1, dtype=torch.int32)
    ids[0, 0, :5] = 0
    ids[1, 0, 5:] = 0
    fragments = fragments_of(ids, torch.tensor([[0, 1, 2]]), torch.float64)
    camera = look_at_face(8, 8, yaw=torch.tensor([0.0, 50.0]), dtype=torch.float64)
    return normals / normals.norm(dim=0), positions, camera, fragments


@pytest.mark.parametrize("kind", ["directional", "point"])
def test_phong_is_its_formula(kind):
    normals, positions, camera, fragments = surface()
    place = torch.tensor([[100.0, 200.0, 300.0], [-300.0, 100.0, 50.0]], dtype=torch.float64)
    rest = (COLOR, 2 * COLOR, 3 * COLOR, torch.tensor([8.0, 20.0], dtype=torch.float64))
    light = DirectionalLight(place, *rest) if kind == "directional" else PointLight(place, *rest)
    assert needs_positions([light])
    shading, highlight = illuminate([light], normals, positions, camera, fragments)
    assert highlight is not None
    eyes = [
        -camera.rotation[k].T @ camera.translation[k if len(camera.translation) > 1 else 0]
        for k in range(2)
    ]
    for n in range(normals.shape[1]):
        image = int(fragments.image[n])
        normal, point = normals[:, n], positions[:, n]
        towards = place[image] if kind == "directional" else place[image] - point
        towards = towards / towards.norm()
        cosine = float(normal @ towards)
        expected = COLOR[0] + 2 * COLOR[0] * max(cosine, 0.0)
        assert (shading[:, n] - expected).abs().max() < 1e-12
        eye = eyes[image] - point
        mirrored = 2 * cosine * normal - towards
        aligned = max(float(mirrored @ (eye / eye.norm())), 0.0) if cosine > 0 else 0.0
        expected = 3 * COLOR[0] * aligned ** float(rest[3][image])
        assert (highlight[:, n] - expected).abs().max() < 1e-12


def test_lights_add_up():
    normals, positions, camera, fragments = surface()
    harmonics = SphericalHarmonicsLight(torch.ones(1, 9, 3, dtype=torch.float64))
    sun = DirectionalLight(torch.tensor([[0.0, 1, 1]]).double(), COLOR, COLOR)
    lamp = PointLight(torch.tensor([[0.0, 300, 300]]).double(), COLOR, COLOR)
    assert not needs_positions([harmonics, sun])
    together, none = illuminate([harmonics, sun, lamp], normals, positions, camera, fragments)
    parts = [
        illuminate([light], normals, positions, camera, fragments)[0]
        for light in (harmonics, sun, lamp)
    ]
    assert none is None
    assert torch.allclose(together, parts[0] + parts[1] + parts[2])


def test_phong_is_differentiable_in_the_light():
    normals, positions, camera, fragments = surface()
    exponent = torch.tensor([7.0], dtype=torch.float64, requires_grad=True)
    place = torch.tensor([[90.0, 150.0, 400.0]], dtype=torch.float64, requires_grad=True)
    color = COLOR.clone().requires_grad_()

    def both(place, color, exponent, normals, positions):
        light = PointLight(place, color, color, color, exponent)
        shading, highlight = illuminate([light], normals, positions, camera, fragments)
        return torch.cat([shading, highlight])

    assert torch.autograd.gradcheck(
        both, (place, color, exponent, normals.requires_grad_(), positions.requires_grad_())
    )


def test_bad_lights_are_refused_with_a_sentence():
    with pytest.raises(SettingsError, match="belong together"):
        DirectionalLight(COLOR, COLOR, COLOR, specular=COLOR)
    with pytest.raises(SettingsError, match="position: expected shape"):
        PointLight(COLOR[0], COLOR, COLOR)
    with pytest.raises(MeshError, match="batch of 1 or 2"):
        DirectionalLight(COLOR.repeat(2, 1), COLOR.repeat(3, 1), COLOR)
    with pytest.raises(SettingsError, match="got a str"):
        as_lights("sun", COLOR)  # type: ignore[arg-type]
    with pytest.raises(SettingsError, match="got a float"):
        as_lights([1.0], COLOR)  # type: ignore[list-item]


def test_srgb_values_of_the_standard():
    linear = torch.tensor([0.0, 0.0031308, 0.21404114, 0.5, 1.0], dtype=torch.float64)
    expected = torch.tensor([0.0, 0.04045, 0.5, 0.735356983, 1.0], dtype=torch.float64)
    assert (linear_to_srgb(linear) - expected).abs().max() < 1e-6


def test_srgb_there_and_back():
    values = torch.linspace(-0.2, 1.5, 400, dtype=torch.float64)
    assert (linear_to_srgb(srgb_to_linear(values)) - values).abs().max() < 1e-7


@pytest.mark.parametrize("function", [linear_to_srgb, srgb_to_linear])
def test_srgb_is_differentiable(function):
    values = torch.linspace(-0.2, 1.4, 37, dtype=torch.float64).requires_grad_()
    assert torch.autograd.gradcheck(function, (values,))
    assert torch.autograd.gradgradcheck(function, (values,))
