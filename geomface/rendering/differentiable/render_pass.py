"""One visibility pass, and everything that can be read from it, each computed once when needed."""

import dataclasses
from functools import cached_property

import torch

from geomface.errors import SettingsError
from geomface.rendering.differentiable.attributes import interpolate, interpolate_uv
from geomface.rendering.differentiable.barycentrics import Barycentrics, barycentric_weights
from geomface.rendering.differentiable.cameras import Camera
from geomface.rendering.differentiable.color import srgb_to_linear
from geomface.rendering.differentiable.fragments import Fragments, each_image
from geomface.rendering.differentiable.lights import Light, illuminate, needs_positions
from geomface.rendering.differentiable.normals import unit, vertex_normals
from geomface.rendering.differentiable.settings import RenderSettings
from geomface.rendering.differentiable.textures import sample_texture
from geomface.rendering.differentiable.topology import RenderTopology

GREY = 0.8
"""Albedo of a surface that is given none."""


@dataclasses.dataclass(frozen=True, eq=False)
class Appearance:
    """What the surface looks like: one of texture and colours, or neither.

    Parameters
    ----------
    texture : (B, H, W, 3) in [0, 1], or batch 1
    colors : (B, V, 3) in [0, 1], or batch 1
    lights : none shows the albedo as it is
    background : (B, 3), (B, H, W, 3) in [0, 1], or batch 1; None is black and leaves rgb
        premultiplied by alpha
    """

    texture: torch.Tensor | None = None
    colors: torch.Tensor | None = None
    lights: tuple[Light, ...] = ()
    background: torch.Tensor | None = None


@dataclasses.dataclass(frozen=True, eq=False)
class RenderPass:
    """The shared state of one render call; values are (C, N) at the covered pixels.

    Parameters
    ----------
    topology, settings, camera, appearance : as given
    vertices : (B, V, 3) or batch 1, world
    xyz_pixels : (B, V, 3), projected
    fragments : the covered pixels
    """

    topology: RenderTopology
    settings: RenderSettings
    camera: Camera
    appearance: Appearance
    vertices: torch.Tensor
    xyz_pixels: torch.Tensor
    fragments: Fragments

    @cached_property
    def barycentrics(self) -> Barycentrics:
        """Weights of the corners."""
        return barycentric_weights(self.xyz_pixels, self.fragments, self.camera.perspective)

    @cached_property
    def depth(self) -> torch.Tensor:
        """(1, N) view depth."""
        z = self.xyz_pixels[..., 2:]
        return interpolate(z, self.fragments, self.barycentrics.weights)

    @cached_property
    def position(self) -> torch.Tensor:
        """(3, N) world points."""
        return interpolate(self.vertices, self.fragments, self.barycentrics.weights)

    @cached_property
    def normals(self) -> torch.Tensor:
        """(3, N) unit outward normals."""
        compiled = self.fragments.compiled
        normals = vertex_normals(self.vertices, self.topology.faces, compiled=compiled)
        smooth = interpolate(normals, self.fragments, self.barycentrics.weights)
        return unit(smooth, compiled=compiled)

    @cached_property
    def uv(self) -> torch.Tensor:
        """(2, N) uv."""
        if self.topology.uv is None or self.topology.uv_faces is None:
            raise SettingsError(
                "render: expected a mesh with uv for a texture or the output 'uv', this one has "
                "none. Unwrap it first, or give colors per vertex."
            )
        uv = self.topology.uv.to(self.xyz_pixels.dtype)
        weights = self.barycentrics.weights
        return interpolate_uv(uv, self.topology.uv_faces, self.fragments, weights)

    @cached_property
    def albedo(self) -> torch.Tensor:
        """(3, N) colours without light, as given."""
        if self.appearance.texture is not None:
            return sample_texture(self.appearance.texture, self.uv, self.fragments)
        if self.appearance.colors is not None:
            return interpolate(self.appearance.colors, self.fragments, self.barycentrics.weights)
        return torch.full_like(self.barycentrics.weights[0], GREY).expand(3, -1)

    @cached_property
    def light(self) -> tuple[torch.Tensor, torch.Tensor | None]:
        """(3, N) shading and (3, N) highlight or None."""
        normals = self.normals
        if self.settings.two_sided:
            normals = normals * torch.where(self.barycentrics.outside, 1.0, -1.0).to(normals.dtype)
        lights = self.appearance.lights
        positions = self.position if needs_positions(lights) else None
        return illuminate(lights, normals, positions, self.camera, self.fragments)

    @cached_property
    def shading(self) -> torch.Tensor:
        """(3, N) what a white surface shows; 1 without lights."""
        if not self.appearance.lights:
            return torch.ones_like(self.barycentrics.weights[0]).expand(3, -1)
        return self.light[0]

    @cached_property
    def radiance(self) -> torch.Tensor:
        """(3, N) colours of the lit surface: linear light, or as given when nothing is decoded."""
        albedo = self._decoded(self.albedo, self.fragments.counts)
        if not self.appearance.lights:
            return albedo
        shading, highlight = self.light
        lit = albedo * shading
        return lit if highlight is None else lit + highlight

    def _decoded(self, values: torch.Tensor, counts: list[int]) -> torch.Tensor:
        if self.settings.color_space == "linear":
            return values
        return each_image(srgb_to_linear, values, counts)

    def backdrop(self) -> torch.Tensor | None:
        """Return the background (B H W, 3) as it was given, or None for black."""
        background = self.appearance.background
        if background is None:
            return None
        if background.ndim == 2:
            background = background[:, None, None]
        return background.expand(*self.fragments.face_ids.shape, 3).reshape(-1, 3)

    def background_at(self, pixels: torch.Tensor, counts: list[int]) -> torch.Tensor:
        """Return (3, n) the background to mix with at pixels (n,) in flattened pictures."""
        background = self.appearance.background
        if background is None:
            like = self.xyz_pixels
            return torch.zeros((3, len(pixels)), dtype=like.dtype, device=like.device)
        _, height, width = self.fragments.face_ids.shape
        if background.ndim == 4:
            place = pixels % (height * width) if len(background) == 1 else pixels
        else:
            shared = len(background) == 1
            image = torch.div(pixels, height * width, rounding_mode="floor")
            place = torch.zeros_like(pixels) if shared else image
        seen = background.reshape(-1, 3).index_select(0, place).T
        return self._decoded(seen.contiguous(), counts)

    def regions(self) -> torch.Tensor:
        """(1, N) int64 region of the corner with the largest weight."""
        first, second, third = self.barycentrics.weights.detach()
        a, b, c = self.fragments.corners
        vertex = torch.where(second > first, b, a)
        vertex = torch.where(third > torch.maximum(first, second), c, vertex)
        return self.topology.regions.index_select(0, vertex)[None]
