"""An embedder as a part of other networks: gradients go through it to the pictures."""

import copy

import torch
from torch import nn

from geomface.recognition.alignment.reference import Alignment
from geomface.recognition.alignment.view import view_aligned
from geomface.recognition.embedder.face_embedder import FaceEmbedder


class EmbedderModule(nn.Module):
    """What `FaceEmbedder.embed` gives, of pictures of any alignment, in one differentiable step.

    Parameters
    ----------
    embedder : its network is copied
    has : alignment of the pictures, which are brought to the embedder's

    Convention
    ----------
    Input (N, 3, height, width) in [-1, 1]; output (N, D) of length 1.
    """

    mean: torch.Tensor
    matrix: torch.Tensor

    def __init__(self, embedder: FaceEmbedder, has: Alignment) -> None:
        super().__init__()
        self.has, self.wanted = has, embedder.alignment
        self.network = copy.deepcopy(embedder.network).to(torch.get_default_dtype())
        self.whitened = embedder.whitening is not None
        if embedder.whitening is not None:
            for name in ("mean", "matrix"):
                values = torch.from_numpy(getattr(embedder.whitening, name))
                self.register_buffer(name, values.to(torch.get_default_dtype()))

    def forward(
        self,
        images: torch.Tensor,
        shift: torch.Tensor | None = None,
        mirrored: torch.Tensor | None = None,
    ) -> torch.Tensor:
        """Return descriptors; `shift` and `mirrored` as for `view_aligned`."""
        seen = view_aligned(images, self.has, self.wanted, shift=shift, mirrored=mirrored)
        found = self.network(seen).to(images.dtype)
        if self.whitened:
            found = nn.functional.normalize((found - self.mean) @ self.matrix.T, dim=1)
        return found
