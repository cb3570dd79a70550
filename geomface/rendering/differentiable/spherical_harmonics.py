"""Second-order spherical-harmonics light: nine coefficients a colour channel."""

import dataclasses
import math

import torch

from geomface.errors import SettingsError
from geomface.rendering.differentiable.checks import TensorFields, require_tensor
from geomface.rendering.differentiable.compiled.spherical_harmonics import CompiledHarmonics
from geomface.rendering.differentiable.fragments import Fragments

_C0 = math.sqrt(1 / (4 * math.pi))
_C1 = math.sqrt(3 / (4 * math.pi))
_C2 = math.sqrt(15 / (4 * math.pi))
_CONSTANTS = (_C0, _C1, _C1, _C1, _C2, _C2, _C2 / math.sqrt(12), _C2, _C2 / 2)
LAMBERT = (1.0, *[2 / 3] * 3, *[1 / 4] * 5)
"""What the clamped cosine of a Lambert surface leaves of each coefficient, divided by pi."""


@dataclasses.dataclass(frozen=True, eq=False)
class SphericalHarmonicsLight(TensorFields):
    """Light from far away: radiance L(d) = sum_k L_k Y_k(d) from the direction d.

    A white Lambert surface with normal n then shows sum_k A_k L_k Y_k(n) with A = 1, 2/3 and 1/4
    for the orders 0, 1 and 2 (`LAMBERT`): a light of radiance 1 all around gives shading 1.

    Parameters
    ----------
    coefficients : (B, 9, 3) for red, green and blue, or batch 1 for all images

    Convention
    ----------
    The frame is the world (x to the subject's left, y up, z out of the face). Y is the real
    orthonormal basis without the Condon-Shortley sign, in the order 1, y, z, x, xy, yz, 3 z^2 - 1,
    xz, x^2 - y^2 (see `sh_basis`). Shading is not clipped at zero.

    Source
    ------
    Ramamoorthi and Hanrahan 2001, "An efficient representation for irradiance environment maps",
    equations 8 to 11, divided by pi.

    Example
    -------
    >>> import torch
    >>> import geomface as gf
    >>> coefficients = torch.zeros(1, 9, 3)
    >>> coefficients[0, 0] = 2.6  # from all around
    >>> coefficients[0, 2] = 0.8  # and from the front
    >>> light = gf.SphericalHarmonicsLight(coefficients)
    >>> light.batch
    1
    """

    coefficients: torch.Tensor

    def __post_init__(self) -> None:
        require_tensor(self.coefficients, (None, 9, 3), "spherical harmonics: coefficients")


def sh_basis(directions: torch.Tensor) -> torch.Tensor:
    """Return (9, N), the basis at unit directions (3, N).

    Y = c0, c1 y, c1 z, c1 x, c2 xy, c2 yz, c2 / sqrt(12) (3 z^2 - 1), c2 xz, c2 / 2 (x^2 - y^2)
    with c0 = sqrt(1 / 4 pi), c1 = sqrt(3 / 4 pi), c2 = sqrt(15 / 4 pi).
    """
    constants = torch.tensor(_CONSTANTS, dtype=directions.dtype, device=directions.device)
    return constants[:, None] * _polynomials(directions)


def _polynomials(directions: torch.Tensor) -> torch.Tensor:
    x, y, z = directions
    one = torch.ones_like(x)
    return torch.stack([one, y, z, x, x * y, y * z, 3 * z * z - 1, x * z, x * x - y * y])


def sh_shading(
    light: SphericalHarmonicsLight, normals: torch.Tensor, fragments: Fragments
) -> torch.Tensor:
    """Return (3, N), what a white Lambert surface shows at unit normals (3, N)."""
    factors = torch.tensor(
        [a * c for a, c in zip(LAMBERT, _CONSTANTS, strict=True)],
        dtype=normals.dtype,
        device=normals.device,
    )
    scaled = light.coefficients * factors[:, None]
    if fragments.compiled:
        return CompiledHarmonics.apply(scaled, normals, fragments)
    parts = _polynomials(normals).split(fragments.counts, dim=1)
    # One product an image: its last bits depend on how many columns it has.
    rows = scaled.transpose(1, 2).expand(len(parts), -1, -1)
    return torch.cat(
        [row @ part.contiguous() for row, part in zip(rows, parts, strict=True)], dim=1
    )


def sh_from_deca(coefficients: torch.Tensor) -> SphericalHarmonicsLight:
    """Return the light that shades as DECA's `add_SHlight` does with coefficients (B, 9, 3).

    Its order is 1, x, y, z, xy, xz, yz, x^2 - y^2, 3 z^2 - 1. Its constants hold the factors
    2 pi / 3 and pi / 4 of the cosine, but 1 instead of pi for the constant term, so all but the
    first coefficient are pi times larger here.
    """
    require_tensor(coefficients, (None, 9, 3), "DECA light")
    scale = torch.full_like(coefficients[:1, :, :1], math.pi)
    scale[:, 0] = 1.0
    return SphericalHarmonicsLight((coefficients * scale)[:, [0, 2, 3, 1, 4, 6, 8, 5, 7]])


def sh_to_deca(light: SphericalHarmonicsLight) -> torch.Tensor:
    """Return the coefficients (B, 9, 3) with which DECA's `add_SHlight` shades alike."""
    scale = torch.full_like(light.coefficients[:1, :, :1], 1 / math.pi)
    scale[:, 0] = 1.0
    return (light.coefficients * scale)[:, [0, 3, 1, 2, 4, 7, 5, 8, 6]]


def sh_from_kaolin(coefficients: torch.Tensor) -> SphericalHarmonicsLight:
    """Return the light that shades as kaolin's `sh9_diffuse` does.

    kaolin's basis has our order with the Condon-Shortley sign (odd m negative), and its diffuse
    colour is albedo times irradiance, without 1 / pi: coefficients are pi times larger here.

    Parameters
    ----------
    coefficients : (9,) or (B, 9), one grey light, or (B, 9, 3)
    """
    if coefficients.ndim == 1:
        coefficients = coefficients[None]
    if coefficients.ndim == 2:
        coefficients = coefficients[..., None].expand(-1, -1, 3)
    require_tensor(coefficients, (None, 9, 3), "kaolin light")
    return SphericalHarmonicsLight(coefficients * math.pi * _kaolin_signs(coefficients))


def sh_to_kaolin(light: SphericalHarmonicsLight) -> torch.Tensor:
    """Return the coefficients (B, 9, 3) with which kaolin's `sh9_diffuse` shades alike.

    kaolin takes one channel a call: use `[..., channel]`.
    """
    return light.coefficients / math.pi * _kaolin_signs(light.coefficients)


def _kaolin_signs(like: torch.Tensor) -> torch.Tensor:
    signs = [1.0, -1.0, 1.0, -1.0, 1.0, -1.0, 1.0, -1.0, 1.0]
    return torch.tensor(signs, dtype=like.dtype, device=like.device)[:, None]


def sh_from_convention(coefficients: torch.Tensor, convention: str) -> SphericalHarmonicsLight:
    """Return the light of another library's coefficients.

    Parameters
    ----------
    coefficients : as that library holds them
    convention : "geomface", "deca" or "kaolin"

    Raises
    ------
    SettingsError : an unknown convention, or coefficients of the wrong shape.
    """
    readers = {
        "geomface": SphericalHarmonicsLight,
        "deca": sh_from_deca,
        "kaolin": sh_from_kaolin,
    }
    if convention not in readers:
        raise SettingsError(
            f"spherical harmonics: expected the convention {', '.join(readers)}, got "
            f"{convention!r}."
        )
    return readers[convention](coefficients)
