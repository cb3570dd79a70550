"""The basis by quadrature, the shading by integrals over the hemisphere, the converters."""

import math

import numpy as np
import pytest
import torch

from geomface.errors import SettingsError
from geomface.rendering.differentiable import (
    SphericalHarmonicsLight,
    look_rotation,
    sh_basis,
    sh_from_convention,
    sh_from_deca,
    sh_from_kaolin,
    sh_to_deca,
    sh_to_kaolin,
)
from geomface.rendering.differentiable.fragments import Fragments, fragments_of
from geomface.rendering.differentiable.spherical_harmonics import sh_shading

BOTH = pytest.mark.parametrize("compiled", [False, True])


def sphere_rule(count: int = 60) -> tuple[torch.Tensor, torch.Tensor]:
    """Directions (3, n) and weights (n,): Gauss-Legendre in y, even steps around it."""
    heights, weights = np.polynomial.legendre.leggauss(count)
    angles = 2 * np.pi * (np.arange(2 * count) + 0.5) / (2 * count)
    y, a = np.meshgrid(heights, angles, indexing="ij")
    ring = np.sqrt(1 - y**2)
    directions = np.stack([ring * np.sin(a), y, ring * np.cos(a)]).reshape(3, -1)
    return torch.tensor(directions), torch.tensor(np.repeat(weights, 2 * count) * np.pi / count)


def pixels(counts: tuple[int, ...], compiled: bool) -> Fragments:
    """Fragments with so many covered pixels an image."""
    ids = torch.full((len(counts), 1, max(counts)), -1, dtype=torch.int32)
    for image, count in enumerate(counts):
        ids[image, 0, :count] = 0
    return fragments_of(ids, torch.tensor([[0, 1, 2]]), torch.float64, compiled=compiled)


def random_normals(count: int, seed: int = 0) -> torch.Tensor:
    vectors = torch.randn(3, count, generator=torch.Generator().manual_seed(seed)).double()
    return vectors / vectors.norm(dim=0)


def coefficients(batch: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(batch, 9, 3, generator=torch.Generator().manual_seed(seed)).double()


def test_the_basis_is_orthonormal():
    directions, weights = sphere_rule()
    basis = sh_basis(directions)
    gram = (basis * weights) @ basis.T
    assert (gram - torch.eye(9)).abs().max() < 1e-12


@BOTH
def test_shading_is_the_light_gathered_over_the_hemisphere(compiled):
    """Shading of n is 1/pi times the integral of L(d) max(0, n . d) over directions d."""
    directions, weights = sphere_rule(400)
    light = coefficients(1)
    radiance = light[0].T @ sh_basis(directions)
    normals = random_normals(12)
    cosine = (normals.T @ directions).clamp(min=0)
    expected = (radiance * weights) @ cosine.T / math.pi
    found = sh_shading(SphericalHarmonicsLight(light), normals, pixels((12,), compiled))
    assert (found - expected).abs().max() < 1e-4 * expected.abs().max()


@BOTH
def test_light_of_one_all_around_shades_one(compiled):
    light = torch.zeros(1, 9, 3, dtype=torch.float64)
    light[:, 0] = math.sqrt(4 * math.pi)
    found = sh_shading(SphericalHarmonicsLight(light), random_normals(5), pixels((5,), compiled))
    assert (found - 1).abs().max() < 1e-12


def test_turning_light_and_normals_together_changes_nothing():
    """The rotated radiance, projected anew, shades rotated normals as before."""
    directions, weights = sphere_rule()
    turn = look_rotation(*(torch.tensor([angle]).double() for angle in (40.0, 25.0, -70.0)))[0]
    light = coefficients(1)
    radiance = light[0].T @ sh_basis(turn.T @ directions)
    turned = ((radiance * weights) @ sh_basis(directions).T).T[None]
    normals, fragments = random_normals(9), pixels((9,), True)
    before = sh_shading(SphericalHarmonicsLight(light), normals, fragments)
    after = sh_shading(SphericalHarmonicsLight(turned), turn @ normals, fragments)
    assert (before - after).abs().max() < 1e-10
    # Orders do not mix: the energy of each stays.
    for order in (slice(0, 1), slice(1, 4), slice(4, 9)):
        assert torch.allclose(light[:, order].norm(dim=1), turned[:, order].norm(dim=1))


def test_the_light_from_above_lights_what_looks_up():
    light = torch.zeros(1, 9, 3, dtype=torch.float64)
    light[:, 1] = 1.0
    axes = torch.eye(3, dtype=torch.float64)
    x, y, z = sh_shading(SphericalHarmonicsLight(light), axes, pixels((3,), True))[0]
    assert y > 0.3
    assert x == z == 0


@BOTH
def test_gradients_are_exact_for_shared_and_single_lights(compiled):
    fragments = pixels((4, 0, 6), compiled)
    for batch in (1, 3):
        assert torch.autograd.gradcheck(
            lambda light, n: sh_shading(SphericalHarmonicsLight(light), n, fragments),
            (coefficients(batch).requires_grad_(), random_normals(10).requires_grad_()),
        )


def test_compiled_is_plain():
    light, normals = coefficients(2), random_normals(11)
    both = [
        sh_shading(SphericalHarmonicsLight(light), normals, pixels((5, 6), compiled))
        for compiled in (False, True)
    ]
    assert (both[0] - both[1]).abs().max() < 1e-13


def test_deca_coefficients_shade_as_there():
    """Against the formula in DECA's renderer: its order, its constants."""
    theirs, normals = coefficients(1, 5), random_normals(8, 5)
    x, y, z = normals
    pi = math.pi
    one, two = 1 / math.sqrt(4 * pi), 2 * pi / 3 * math.sqrt(3 / (4 * pi))
    three = pi / 4 * 3 * math.sqrt(5 / (12 * pi))
    constants = [one, two, two, two, three, three, three, three / 2]
    constants.append(pi / 4 / 2 * math.sqrt(5 / (4 * pi)))
    terms = [torch.ones_like(x), x, y, z, x * y, x * z, y * z, x**2 - y**2, 3 * z**2 - 1]
    expected = sum(
        c * term[None] * theirs[0, k][:, None]
        for k, (c, term) in enumerate(zip(constants, terms, strict=True))
    )
    light = sh_from_deca(theirs)
    assert (sh_shading(light, normals, pixels((8,), True)) - expected).abs().max() < 1e-12
    assert torch.allclose(sh_to_deca(light), theirs)
    assert torch.equal(sh_from_convention(theirs, "deca").coefficients, light.coefficients)


def test_kaolin_coefficients_shade_as_there():
    """Against the formulas of kaolin's sh9_irradiance: Condon-Shortley signs, pi, 2 pi/3, pi/4."""
    theirs, normals = coefficients(1, 6)[0, :, 0], random_normals(8, 6)
    x, y, z = normals
    bands = [
        0.28209479177 * torch.ones_like(x),
        -0.4886025119 * y,
        0.4886025119 * z,
        -0.4886025119 * x,
        1.0925484305920792 * x * y,
        -1.0925484305920792 * y * z,
        0.94617469575 * z * z - 0.31539156525,
        -1.0925484305920792 * x * z,
        0.5462742152960396 * (x * x - y * y),
    ]
    factors = [math.pi] + [2 * math.pi / 3] * 3 + [math.pi / 4] * 5
    expected = sum(f * band * c for f, band, c in zip(factors, bands, theirs, strict=True))
    light = sh_from_kaolin(theirs)
    found = sh_shading(light, normals, pixels((8,), True))
    assert (found - expected).abs().max() < 1e-8
    assert torch.allclose(sh_to_kaolin(light)[0, :, 1], theirs)
    assert torch.equal(sh_from_convention(theirs, "kaolin").coefficients, light.coefficients)


def test_bad_coefficients_are_refused_with_a_sentence():
    with pytest.raises(SettingsError, match=r"\(any, 9, 3\)"):
        SphericalHarmonicsLight(torch.zeros(1, 3, 9))
    with pytest.raises(SettingsError, match=r"deca.*'blender'"):
        sh_from_convention(torch.zeros(1, 9, 3), "blender")
