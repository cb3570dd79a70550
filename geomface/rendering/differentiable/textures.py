"""Reading a texture image at uv, differentiable in both."""

import torch

from geomface.errors import SettingsError
from geomface.rendering.differentiable.attributes import take_rows
from geomface.rendering.differentiable.compiled.textures import CompiledTexture
from geomface.rendering.differentiable.fragments import Fragments


def check_texture(texture: object) -> torch.Tensor:
    """Return a texture (B, H, W, 3), or raise what is wrong with it."""
    if not isinstance(texture, torch.Tensor) or texture.ndim != 4 or 0 in texture.shape:
        got = tuple(texture.shape) if isinstance(texture, torch.Tensor) else type(texture).__name__
        raise SettingsError(
            f"texture: expected a tensor of shape (batch, height, width, 3), got {got}."
        )
    if texture.shape[3] != 3:
        way = " Move the channels last." if texture.shape[1] == 3 else " Drop an alpha channel."
        raise SettingsError(
            f"texture: expected 3 channels in the last axis, got shape {tuple(texture.shape)}."
            + (way if 3 in texture.shape[1:2] or texture.shape[3] == 4 else "")
        )
    if not texture.is_floating_point():
        raise SettingsError(
            f"texture: expected floats in [0, 1], got {texture.dtype}. Divide bytes by 255."
        )
    return texture


def sample_texture(texture: torch.Tensor, uv: torch.Tensor, fragments: Fragments) -> torch.Tensor:
    """Return (C, N) bilinear reads of textures at uv.

    Equal to `grid_sample(align_corners=False, padding_mode="border")` at (2 u - 1, 1 - 2 v).

    Parameters
    ----------
    texture : (B, H, W, C), or (1, H, W, C) shared by all images
    uv : (2, N)
    fragments : the covered pixels, which read the texture of their image

    Convention
    ----------
    uv has its origin bottom-left, v up; row 0 of the texture is its top; the centre of texel (i, j)
    lies at u = (j + 0.5) / W, v = 1 - (i + 0.5) / H. Outside, the border texel is read.
    """
    if fragments.compiled:
        return CompiledTexture.apply(texture, uv, fragments)
    batch, height, width, channels = texture.shape
    x = (uv[0] * width - 0.5).clamp(0.0, width - 1.0)
    y = ((1.0 - uv[1]) * height - 0.5).clamp(0.0, height - 1.0)
    column = x.detach().floor().clamp_(max=max(width - 2, 0))
    row = y.detach().floor().clamp_(max=max(height - 2, 0))
    s, t = x - column, y - row
    first = row.long() * width + column.long()
    if batch > 1:
        first = first + fragments.image * (height * width)
    right = 1 if width > 1 else 0
    below = width if height > 1 else 0
    table = texture.permute(3, 0, 1, 2).reshape(channels, -1)
    places = torch.cat([first, first + right, first + below, first + below + right])
    a, b, c, d = take_rows(table, places).reshape(channels, 4, -1).unbind(1)
    upper = a + s * (b - a)
    lower = c + s * (d - c)
    return upper + t * (lower - upper)
