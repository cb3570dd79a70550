"""What makes descriptors of one person near and of two people far, also where people are mixed."""

import torch

from geomface.recognition.margins.soft_targets import SoftTargets


def shared_mass(targets: SoftTargets) -> torch.Tensor:
    """Return (B, B) how much of the same people two pictures hold.

    w_ij = sum over k, l of m_ik m_jl [c_ik = c_jl], 1 for two pictures of one person
    """
    classes, masses = targets.classes, targets.masses
    alike = (classes[:, None, :, None] == classes[None, :, None, :]) & (classes >= 0)[
        :, None, :, None
    ]
    return (masses[:, None, :, None] * masses[None, :, None, :] * alike).sum(dim=(2, 3))


def contrastive_loss(
    descriptors: torch.Tensor, targets: SoftTargets, temperature: float
) -> torch.Tensor:
    """Return the supervised contrastive loss of a batch.

    L = - sum_(i, j != i) w_ij log( e^(z_i . z_j / t) / sum_(a != i) e^(z_i . z_a / t) ) / sum w_ij

    with w_ij the mass that both share, `shared_mass`

    Parameters
    ----------
    descriptors : (B, D) of length 1
    targets : who is in each picture
    temperature : t

    Source
    ------
    Khosla et al. 2020, Eq. 2; the weights for mixed people are our own and are 0 and 1 without.
    """
    itself = torch.eye(len(descriptors), dtype=torch.bool, device=descriptors.device)
    weights = shared_mass(targets).masked_fill(itself, 0.0)
    logits = (descriptors @ descriptors.T / temperature).masked_fill(itself, -torch.inf)
    shares = torch.log_softmax(logits, dim=1).masked_fill(itself, 0.0)
    return -(weights * shares).sum() / weights.sum().clamp(min=torch.finfo(weights.dtype).tiny)
