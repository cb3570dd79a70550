"""From lit surface to picture: silhouettes blended, background behind, colours encoded."""

import torch

from geomface.rendering.differentiable.color import linear_to_srgb
from geomface.rendering.differentiable.fragments import Fragments, each_image, put_pixels
from geomface.rendering.differentiable.render_pass import RenderPass
from geomface.rendering.differentiable.silhouette import blend_silhouettes
from geomface.rendering.differentiable.silhouette_edges import (
    SilhouetteCrossings,
    silhouette_crossings,
)


def composite(state: RenderPass, color: bool) -> tuple[torch.Tensor | None, torch.Tensor]:
    """Return rgb (B, H, W, 3), or None unless `color`, and alpha (B, H, W).

    Only pixels that are covered or touched by a silhouette are worked on; all others are the
    background as it was given.
    """
    fragments = state.fragments
    batch, height, width = fragments.face_ids.shape
    crossings = None
    beside = fragments.pixel[:0]
    if state.settings.antialias == "analytic":
        crossings = silhouette_crossings(
            fragments.face_ids,
            state.xyz_pixels.detach(),
            state.topology.faces,
            state.topology.neighbours,
            state.camera.perspective,
        )
        beside = _uncovered(crossings, fragments)
    pixels = torch.cat([fragments.pixel, beside])
    covered = fragments.x.new_ones(len(fragments.pixel))
    values = torch.cat([covered, covered.new_zeros(len(beside))])[None]
    counts = torch.bincount(
        torch.div(beside, height * width, rounding_mode="floor"), minlength=batch
    ).tolist()
    if color:
        behind = state.background_at(beside, counts)
        values = torch.cat([torch.cat([state.radiance, behind], dim=1), values])
    if crossings is not None:
        values = blend_silhouettes(values, crossings, pixels, state.xyz_pixels, height, width)
    size = fragments.face_ids.numel()
    alpha = put_pixels(values[-1:], pixels, None, size, compiled=fragments.compiled)
    alpha = alpha.reshape(batch, height, width)
    if not color:
        return None, alpha
    rgb = values[:3]
    if state.settings.color_space == "srgb":
        split = len(fragments.pixel)
        inner = each_image(linear_to_srgb, rgb[:, :split], fragments.counts)
        rgb = torch.cat([inner, each_image(linear_to_srgb, rgb[:, split:], counts)], dim=1)
    picture = put_pixels(rgb, pixels, state.backdrop(), size, compiled=fragments.compiled)
    return picture.reshape(batch, height, width, 3), alpha


def _uncovered(crossings: SilhouetteCrossings, fragments: Fragments) -> torch.Tensor:
    """Return the background pixels beside a silhouette, each once, in order."""
    touched = torch.zeros(fragments.face_ids.numel(), dtype=torch.bool, device=crossings.far.device)
    touched[crossings.far] = True
    touched &= fragments.face_ids.reshape(-1) < 0
    return torch.nonzero(touched)[:, 0]
