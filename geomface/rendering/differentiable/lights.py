"""Lights of the differentiable renderer, and what a surface shows under them."""

import dataclasses
from collections.abc import Sequence

import torch

from geomface.errors import SettingsError
from geomface.rendering.differentiable.cameras import Camera
from geomface.rendering.differentiable.checks import TensorFields, per_pixel
from geomface.rendering.differentiable.fragments import Fragments
from geomface.rendering.differentiable.normals import unit
from geomface.rendering.differentiable.spherical_harmonics import (
    SphericalHarmonicsLight,
    sh_shading,
)


@dataclasses.dataclass(frozen=True, eq=False)
class DirectionalLight(TensorFields):
    """Phong light from far away.

    shading = ambient + diffuse max(0, n . l), highlight = specular max(0, r . e)^shininess where
    n . l > 0, with r = 2 (n . l) n - l and e the direction to the eye.

    Parameters
    ----------
    direction : (B, 3), towards the light, any length, in world axes
    ambient, diffuse, specular : (B, 3) colours; no specular means no highlight
    shininess : (B,) exponent of the highlight

    Convention
    ----------
    The frame is the world. Any field may have batch 1. Shading multiplies the albedo, the
    highlight is added.
    """

    direction: torch.Tensor
    ambient: torch.Tensor
    diffuse: torch.Tensor
    specular: torch.Tensor | None = None
    shininess: torch.Tensor | None = None

    def __post_init__(self) -> None:
        _check(self, "directional light", "direction")


@dataclasses.dataclass(frozen=True, eq=False)
class PointLight(TensorFields):
    """Phong light at a place, without falloff; else as `DirectionalLight`.

    Parameters
    ----------
    position : (B, 3), world, millimetres
    ambient, diffuse, specular : (B, 3) colours; no specular means no highlight
    shininess : (B,) exponent of the highlight
    """

    position: torch.Tensor
    ambient: torch.Tensor
    diffuse: torch.Tensor
    specular: torch.Tensor | None = None
    shininess: torch.Tensor | None = None

    def __post_init__(self) -> None:
        _check(self, "point light", "position")


Light = SphericalHarmonicsLight | DirectionalLight | PointLight
"""Any light; several of them add."""


def as_lights(light: Light | Sequence[Light] | None, like: torch.Tensor) -> tuple[Light, ...]:
    """Return the lights as a tuple with the dtype and device of a tensor.

    Raises
    ------
    SettingsError : something that is no light.
    """
    if light is None:
        return ()
    lights = tuple(light) if isinstance(light, Sequence) else (light,)
    for item in lights:
        if not isinstance(item, Light):
            raise SettingsError(
                "light: expected a SphericalHarmonicsLight, DirectionalLight or PointLight, got a "
                f"{type(item).__name__}."
            )
    return tuple(item.to(like) for item in lights)


def needs_positions(lights: Sequence[Light]) -> bool:
    """Say whether `illuminate` reads the world positions of the pixels."""
    return any(
        isinstance(light, PointLight)
        or (isinstance(light, DirectionalLight) and light.specular is not None)
        for light in lights
    )


def illuminate(
    lights: Sequence[Light],
    normals: torch.Tensor,
    positions: torch.Tensor | None,
    camera: Camera,
    fragments: Fragments,
) -> tuple[torch.Tensor, torch.Tensor | None]:
    """Return the shading (3, N) and the highlight (3, N) or None under all lights together.

    Parameters
    ----------
    lights : at least one
    normals : (3, N) unit, world
    positions : (3, N) world, or None when `needs_positions` says no
    camera : where the eye is
    fragments : the covered pixels
    """
    shading, highlight = None, None
    for light in lights:
        if isinstance(light, SphericalHarmonicsLight):
            diffuse, shine = sh_shading(light, normals, fragments), None
        else:
            diffuse, shine = _phong(light, normals, positions, camera, fragments)
        shading = diffuse if shading is None else shading + diffuse
        if shine is not None:
            highlight = shine if highlight is None else highlight + shine
    if shading is None:
        shading = torch.ones_like(normals)
    return shading, highlight


def _phong(
    light: DirectionalLight | PointLight,
    normals: torch.Tensor,
    positions: torch.Tensor | None,
    camera: Camera,
    fragments: Fragments,
) -> tuple[torch.Tensor, torch.Tensor | None]:
    image = fragments.image
    if isinstance(light, DirectionalLight):
        towards = unit(light.direction.T).T
        towards = per_pixel(towards, image)
    else:
        if positions is None:
            raise SettingsError("point light: expected the positions of the pixels.")
        towards = per_pixel(light.position, image) - positions
        towards = unit(towards, compiled=fragments.compiled)
    cosine = _dot(normals, towards)
    lit = cosine.clamp(min=0.0)
    shading = per_pixel(light.ambient, image) + per_pixel(light.diffuse, image) * lit
    if light.specular is None or light.shininess is None or positions is None:
        return shading.expand_as(normals), None
    eye = unit(camera.towards_eye(positions, image), compiled=fragments.compiled)
    mirrored = 2 * cosine * normals - towards
    aligned = (_dot(mirrored, eye) * (cosine > 0)).clamp(min=0.0)
    exponent = light.shininess
    parts = aligned.split(fragments.counts)
    power = torch.cat(
        [part ** exponent[0 if len(exponent) == 1 else k] for k, part in enumerate(parts)]
    )
    return shading.expand_as(normals), per_pixel(light.specular, image) * power


def _dot(u: torch.Tensor, v: torch.Tensor) -> torch.Tensor:
    return u[0] * v[0] + u[1] * v[1] + u[2] * v[2]


def _check(light: DirectionalLight | PointLight, name: str, place: str) -> None:
    if (light.specular is None) != (light.shininess is None):
        raise SettingsError(f"{name}: specular and shininess belong together, got one of them.")
    shapes: dict[str, tuple[int | None, ...]] = {
        field: (None, 3) for field in (place, "ambient", "diffuse")
    }
    if light.specular is not None:
        shapes |= {"specular": (None, 3), "shininess": (None,)}
    light.require(name, **shapes)
