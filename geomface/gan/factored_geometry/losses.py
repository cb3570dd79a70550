"""The losses that keep factors apart and images smooth."""

import torch
import torch.nn.functional as F

from geomface.learning.distributed import current_ranks


def feature_loss(features: torch.Tensor, pairs: torch.Tensor) -> torch.Tensor:
    """Return how differently a classifier sees faces that share a code.

    F = mean over pairs of 1 - cos(f_1, f_2), in [0, 2]; 0 where there are no pairs

    Parameters
    ----------
    features : (N, D) of generated faces, before the classes
    pairs : (P, 2) int64, rows of faces that share the code

    Source
    ------
    Abrevaya et al. 2019, equations 9 and 10, whose 2 / N times the sum over N / 2 pairs is a mean.
    """
    ranks = current_ranks()
    first, second = features[pairs[:, 0]], features[pairs[:, 1]]
    gaps = 1.0 - F.cosine_similarity(first, second, dim=1)
    count = ranks.mean(torch.tensor(float(len(pairs)), device=features.device))
    return gaps.sum() / count.clamp(min=1.0 / ranks.count)


def total_variation(images: torch.Tensor) -> torch.Tensor:
    """Return the anisotropic total variation, mean over images.

    TV = sum over pixels and channels of |x_(i+1,j) - x_(i,j)| + |x_(i,j+1) - x_(i,j)|

    Parameters
    ----------
    images : (N, C, H, W); the weight of 1e-4 is meant for the sum over images in [-1, 1]

    Source
    ------
    Abrevaya et al. 2019, equation 11.
    """
    down = (images[:, :, 1:] - images[:, :, :-1]).abs().sum()
    across = (images[:, :, :, 1:] - images[:, :, :, :-1]).abs().sum()
    return (down + across) / len(images)
