"""Features of images for distances: any function will do; one that needs no download."""

from collections.abc import Callable

import numpy as np
import torch
import torch.nn.functional as F

from geomface.arrays import FloatArray

FeatureFunction = Callable[[torch.Tensor], torch.Tensor]
"""From images (N, C, S, S) in [-1, 1] to features (N, D)."""


class RandomFeatures(torch.nn.Module):
    """A convolutional network with random weights, the same for the same seed.

    A weak but unbiased witness: it knows nothing of faces, and nothing of what the generator was
    trained to fool. Use trained features where there are some.

    Parameters
    ----------
    channels : of the images
    width : features returned
    seed : of the weights
    """

    def __init__(self, channels: int = 3, width: int = 128, seed: int = 0) -> None:
        super().__init__()
        generator = torch.Generator().manual_seed(seed)
        self.weights = torch.nn.ParameterList()
        sizes = (channels, 32, 64, width)
        for inputs, outputs in zip(sizes, sizes[1:], strict=False):
            weight = torch.randn(outputs, inputs, 3, 3, generator=generator)
            self.weights.append(
                torch.nn.Parameter(weight * (2 / (9 * inputs)) ** 0.5, requires_grad=False)
            )

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """(N, C, S, S) to (N, width): mean over the last layer's pixels."""
        for weight in self.weights:
            images = F.leaky_relu(F.conv2d(images, weight, stride=2, padding=1), 0.2)
        return images.mean(dim=(2, 3))


@torch.no_grad()
def extract_features(
    images: torch.Tensor, function: FeatureFunction, batch: int = 256
) -> FloatArray:
    """Return (N, D) float64 features of a set, `batch` images at a time."""
    parts = [function(images[at : at + batch]) for at in range(0, len(images), batch)]
    return torch.cat(parts).double().cpu().numpy().astype(np.float64)
