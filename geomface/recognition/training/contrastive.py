"""What makes descriptors of one person near and of two people far, also where people are mixed."""

import torch

from geomface.recognition.margins.soft_targets import SoftTargets


def partner_shares(targets: SoftTargets) -> torch.Tensor:
    """Return (B, B) how much each other picture is meant by the people in a picture.

    q_ij = sum over k of m_ik n_j(c_ik) / sum over a != i of n_a(c_ik),  q_ii = 0

    with n_j(c) the mass of person c in picture j. Each person in a picture gives his mass to
    those who share him, however many there are: of a blend of a person who is there four times
    with one who is there thirty times, both count as they are mixed. A row sums to 1, and to less
    where somebody in it is in no other picture.
    """
    classes, masses = targets.classes, targets.masses
    alike = (classes[:, None, :, None] == classes[None, :, None, :]) & (classes >= 0)[
        :, None, :, None
    ]
    held = (alike * masses[None, :, None, :]).sum(dim=3)  # (B, B, K): n_j(c_ik)
    itself = torch.eye(len(classes), dtype=torch.bool, device=classes.device)
    held = held.masked_fill(itself[:, :, None], 0.0)
    total = held.sum(dim=1, keepdim=True).clamp(min=torch.finfo(held.dtype).tiny)
    return (masses[:, None, :] * held / total).sum(dim=2)


def contrastive_loss(
    descriptors: torch.Tensor, targets: SoftTargets, temperature: float
) -> torch.Tensor:
    """Return the supervised contrastive loss of a batch.

    L = - sum_(i, j != i) q_ij log( e^(z_i . z_j / t) / sum_(a != i) e^(z_i . z_a / t) ) / sum q_ij

    with q_ij the shares of `partner_shares`

    Parameters
    ----------
    descriptors : (B, D) of length 1
    targets : who is in each picture
    temperature : t

    Source
    ------
    Khosla et al. 2020, Eq. 2, which this is for pictures of one person each; the shares of mixed
    people are our own.
    """
    itself = torch.eye(len(descriptors), dtype=torch.bool, device=descriptors.device)
    weights = partner_shares(targets)
    logits = (descriptors @ descriptors.T / temperature).masked_fill(itself, -torch.inf)
    shares = torch.log_softmax(logits, dim=1).masked_fill(itself, 0.0)
    return -(weights * shares).sum() / weights.sum().clamp(min=torch.finfo(weights.dtype).tiny)
