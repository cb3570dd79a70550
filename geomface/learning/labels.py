"""Learning from labels: missing ones, classes of unequal size, and a memory of classes."""

import torch
import torch.nn.functional as F

from geomface.learning.distributed import current_ranks


def label_loss(
    logits: torch.Tensor, labels: torch.Tensor, weights: torch.Tensor | None = None
) -> torch.Tensor:
    """Return the cross-entropy of the labelled rows.

    L = sum over labelled i of w_(l_i) (-log softmax(z_i)_(l_i)) / n, n labelled rows in the whole
    batch of all processes; 0, with zeros as gradients, where there are none

    Parameters
    ----------
    logits : (B, K)
    labels : (B,) int64, -1 for unknown
    weights : (K,) of the classes, such as `class_weights`

    Example
    -------
    >>> label_loss(torch.zeros(3, 2), torch.tensor([0, -1, 1])).item()
    0.6931471824645996
    """
    known = labels >= 0
    losses = F.cross_entropy(logits, labels.clamp(min=0), weight=weights, reduction="none")
    ranks = current_ranks()
    count = ranks.mean(known.sum().to(logits.dtype)).clamp(min=1.0 / ranks.count)
    return torch.where(known, losses, 0.0).sum() / count


def class_weights(labels: torch.Tensor, classes: int) -> torch.Tensor:
    """Return (K,) weights N / (K n_c), under which every class counts alike; 0 for empty ones.

    Their mean over the labelled samples is 1.

    Source
    ------
    King & Zeng 2001, as Abrevaya et al. 2019 use it.
    """
    counts = torch.bincount(labels[labels >= 0], minlength=classes).to(torch.get_default_dtype())
    weights = counts.sum() / (classes * counts.clamp(min=1.0))
    return torch.where(counts > 0, weights, 0.0)


class SetMemory(torch.nn.Module):
    """A running centroid of the embeddings of each class, which a loss pulls embeddings to.

    Parameters
    ----------
    classes : how many
    size : of an embedding
    momentum : what a centroid keeps of itself when it meets an embedding
    variance_power : 1, or 2 as the released code has it

    Source
    ------
    Gecer et al. 2018, Sec. 3.3 and their code: a centroid starts at 0 and carries no gradient.
    """

    centroids: torch.Tensor

    def __init__(
        self, classes: int, size: int, momentum: float = 0.95, *, variance_power: int = 1
    ) -> None:
        super().__init__()
        self.momentum, self.variance_power = momentum, variance_power
        self.register_buffer("centroids", torch.zeros(classes, size))

    @torch.no_grad()
    def update(self, embeddings: torch.Tensor, labels: torch.Tensor) -> None:
        """Move centroids: c_l <- c_l + (1 - momentum) sum over the batch's rows of l of (f - c_l).

        Parameters
        ----------
        embeddings : (B, D) of this process's shard
        labels : (B,) int64, classes from 0, -1 for unknown
        """
        ranks = current_ranks()
        embeddings, labels = ranks.gather(embeddings.detach()), ranks.gather(labels)
        rows, known = labels.clamp(min=0), (labels >= 0)[:, None]
        found = embeddings.to(self.centroids.dtype)
        steps = (1.0 - self.momentum) * (found - self.centroids[rows])
        self.centroids.index_add_(0, rows, torch.where(known, steps, 0.0))

    def loss(self, embeddings: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
        """Return how far embeddings are from their own centroids, against the others.

        L = mean over m of [1 + d_(m,l_m) / 2 s^2 + log(sum over j != l_m of exp(-d_mj / 2 s^2)
        + 1e-8)]_+,  d_mj = |f_m - c_j|^2,  s^2 = sum over m of d_(m,l_m) / (M - 1)

        over the M rows whose class is known; 0, with zeros as gradients, where none is. With a
        variance power p, s^2 is (s^2)^p.

        Parameters
        ----------
        embeddings : (B, D) of this process's shard
        labels : (B,) int64, -1 for unknown

        Source
        ------
        Gecer et al. 2018, Eq. 7, with exp(-...): the sign in print would push embeddings away from
        their own class. The hinge and 1e-8 are the code's, which also squares s^2 once more.
        """
        ranks = current_ranks()
        embeddings, labels = ranks.gather(embeddings), ranks.gather(labels)
        known, own_class = labels >= 0, labels.clamp(min=0)[:, None]
        # |f|^2 - 2 f c + |c|^2 needs no row of D numbers for each pair, as f - c would.
        centroids = self.centroids.to(embeddings.dtype, copy=True)
        squares = embeddings.square().sum(1, keepdim=True) + centroids.square().sum(1)
        distances = (squares - 2.0 * embeddings @ centroids.T).clamp(min=0.0)
        own = distances.gather(1, own_class)[:, 0]
        rows = known.sum()
        variance = torch.where(known, own, 0.0).sum() / (rows - 1).clamp(min=1)
        double_variance = 2.0 * variance**self.variance_power + 1e-12
        others = torch.exp(-distances / double_variance)
        others = others.scatter(1, own_class, 0.0).sum(dim=1)
        losses = F.relu(1.0 + own / double_variance + torch.log(others + 1e-8))
        return torch.where(known, losses, 0.0).sum() / rows.clamp(min=1)
