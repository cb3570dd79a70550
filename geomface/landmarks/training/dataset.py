"""Labelled views as the network is shown them: read from files, augmented each time."""

import functools

import torch

from geomface.datasets.drawn import DrawnSet
from geomface.landmarks.views import VIEW_SIZE
from geomface.learning.fingerprint import Fingerprint
from geomface.learning.stream import Draws
from geomface.mesh.multi_pie import mirror_order


class ViewSet:
    """Views and labels as tensors; the rows of drawn files.

    Convention
    ----------
    "views" (B, 4, 128, 128) in [-1, 1] as `render_geometry` gives them, "points" (B, 68, 2) pixels,
    "visible" (B, 68), 1 where the surface at the pixel is the landmark's.
    """

    def __init__(self, drawn: DrawnSet) -> None:
        self.drawn = drawn

    def __len__(self) -> int:
        return len(self.drawn)

    def batch(self, indices: torch.Tensor) -> dict[str, torch.Tensor]:
        """Return the views that are named by their numbers."""
        rows = self.drawn.rows(indices.numpy())
        views, points, visible = (
            torch.from_numpy(rows[name]).to(torch.get_default_dtype())
            for name in ("pictures", "points", "visible")
        )
        return {"views": views / 127.0, "points": points, "visible": visible}

    def fingerprint(self) -> Fingerprint:
        """Return a hash for each file."""
        return self.drawn.fingerprint()


@functools.cache
def _mirrored_order() -> torch.Tensor:
    return torch.from_numpy(mirror_order())


def augment_views(
    batch: dict[str, torch.Tensor], draws: Draws, *, noise: float
) -> dict[str, torch.Tensor]:
    """Mirror views at random, where landmarks change their names, and roughen their normals."""
    views, points, visible = batch["views"], batch["points"], batch["visible"]
    mirrored = draws.uniform() < 0.5
    flipped = views.flip(3) * torch.tensor([-1.0, 1.0, 1.0, 1.0]).reshape(1, 4, 1, 1)
    views = torch.where(mirrored[:, None, None, None], flipped, views)
    order = _mirrored_order()
    swapped = points[:, order] * torch.tensor([-1.0, 1.0]) + torch.tensor([float(VIEW_SIZE), 0.0])
    points = torch.where(mirrored[:, None, None], swapped, points)
    visible = torch.where(mirrored[:, None], visible[:, order], visible)
    covered = (views != 0).any(dim=1, keepdim=True)
    strength = noise * draws.uniform(1, 1, 1)
    rough = covered * strength * draws.normal(3, VIEW_SIZE, VIEW_SIZE)
    views = torch.cat([views[:, :3] + rough, views[:, 3:]], dim=1)
    return {"views": views, "points": points, "visible": visible}
