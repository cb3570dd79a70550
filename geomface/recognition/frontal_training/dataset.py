"""Labelled pictures as the embedder is shown them: read from files, changed each time."""

import torch

from geomface.datasets.drawn import DrawnSet
from geomface.learning.fingerprint import Fingerprint
from geomface.learning.stream import Draws


class IdentitySet:
    """Pictures and who is in them as tensors; the rows of drawn files.

    Convention
    ----------
    "pictures" (B, 3, 64, 64) in [0, 1] on black, "masks" (B, 1, 64, 64), 1 where the face covers
    the whole pixel, "identities" (B,) int64.
    """

    def __init__(self, drawn: DrawnSet) -> None:
        self.drawn = drawn
        self.identities = torch.from_numpy(drawn.column("identities"))

    def __len__(self) -> int:
        return len(self.drawn)

    def batch(self, indices: torch.Tensor) -> dict[str, torch.Tensor]:
        """Return the pictures that are named by their numbers."""
        rows = self.drawn.rows(indices.numpy())
        pictures, masks = (
            torch.from_numpy(rows[name]).to(torch.get_default_dtype()) / 255.0
            for name in ("pictures", "masks")
        )
        return {
            "pictures": pictures,
            "masks": masks[:, None],
            "identities": self.identities[indices],
        }

    def fingerprint(self) -> Fingerprint:
        """Return a hash for each file."""
        return self.drawn.fingerprint()


def augment_pictures(
    batch: dict[str, torch.Tensor], draws: Draws, *, grey: float
) -> dict[str, torch.Tensor]:
    """Change pictures at random as a camera would, and bring them to [-1, 1].

    They are mirrored and get another exposure, background and noise; a share `grey` of them loses
    its colour.
    """
    mirrored = (draws.uniform() < 0.5)[:, None, None, None]
    pictures, cover = (
        torch.where(mirrored, batch[name].flip(3), batch[name]) for name in ("pictures", "masks")
    )
    exposure = 0.10 * draws.normal(1, 1, 1) + 0.03 * draws.normal(3, 1, 1)
    pictures = pictures * exposure.exp()
    plain = (draws.uniform() < grey)[:, None, None, None]
    pictures = torch.where(plain, pictures.mean(dim=1, keepdim=True), pictures)
    # Most pictures stay on black, as the renders of meshes are.
    behind = draws.uniform(3, 1, 1) * (draws.uniform(1, 1, 1) < 0.25)
    pictures = pictures + (1.0 - cover) * behind
    pictures = pictures + 0.02 * draws.uniform(1, 1, 1) * draws.normal(*pictures.shape[1:])
    return {"pictures": 2.0 * pictures.clamp(0.0, 1.0) - 1.0, "identities": batch["identities"]}
