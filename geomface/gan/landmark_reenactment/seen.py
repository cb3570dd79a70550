"""Who a crop shows: an embedder looks at it as aligned by its landmarks, differentiably."""

import torch
import torch.nn.functional as F
from torch import nn

from geomface.mesh.multi_pie import LEFT_EYE, RIGHT_EYE
from geomface.recognition.embedder.embedder_module import EmbedderModule
from geomface.recognition.embedder.face_embedder import FaceEmbedder


class CropEmbedder(nn.Module):
    """Descriptors of crops, for which five points tell where the face is.

    Parameters
    ----------
    embedder : its network is copied

    Convention
    ----------
    Input (N, 3, S, S) in [-1, 1] and landmarks (N, 68, 2) pixels, the first one's centre at (0, 0);
    output (N, D) of length 1.
    """

    places: torch.Tensor

    def __init__(self, embedder: FaceEmbedder) -> None:
        super().__init__()
        self.height, self.width = embedder.alignment.height, embedder.alignment.width
        self.embed = EmbedderModule(embedder, embedder.alignment)
        places = torch.from_numpy(embedder.alignment.points).to(torch.get_default_dtype())
        self.register_buffer("places", places - 0.5)

    def forward(self, images: torch.Tensor, points: torch.Tensor) -> torch.Tensor:
        """Return descriptors."""
        return self.embed(self.look(images, points))

    def look(self, images: torch.Tensor, points: torch.Tensor) -> torch.Tensor:
        """Return the aligned pictures (N, 3, height, width): a shift, a turn and one scale."""
        eyes = [points[:, part].mean(dim=1) for part in (RIGHT_EYE, LEFT_EYE)]
        five = torch.stack([*eyes, *(points[:, k] for k in (30, 48, 54))], dim=1)
        middle, goal = self.places.mean(dim=0), five.mean(dim=1)
        (zx, zy), (wx, wy) = (self.places - middle).T, (five - goal[:, None]).unbind(dim=2)
        # Points as complex numbers, a = sum conj(z) w / sum |z|^2; see `similarity_2d`.
        size = zx.square().sum() + zy.square().sum()
        real = (wx @ zx + wy @ zy) / size
        turned = (wy @ zx - wx @ zy) / size
        x, y = (
            torch.arange(count, dtype=points.dtype, device=points.device) - shift
            for count, shift in ((self.width, middle[0]), (self.height, middle[1]))
        )
        a, b = real[:, None, None], turned[:, None, None]
        across = a * x - b * y[:, None] + goal[:, :1, None]
        down = b * x + a * y[:, None] + goal[:, 1:, None]
        grid = (2.0 * torch.stack([across, down], dim=3) + 1.0) / images.shape[-1] - 1.0
        return F.grid_sample(
            images, grid.to(images.dtype), padding_mode="border", align_corners=False
        )
