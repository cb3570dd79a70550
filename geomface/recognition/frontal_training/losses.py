"""What makes descriptors of one person near and of two people far."""

import torch


def contrastive_loss(
    descriptors: torch.Tensor, identities: torch.Tensor, temperature: float
) -> torch.Tensor:
    """Return the supervised contrastive loss of a batch.

    L = mean over i and p in P(i) of -log( e^(z_i . z_p / t) / sum_(a != i) e^(z_i . z_a / t) )

    with P(i) the other pictures of the person in picture i, each i weighing the same

    Parameters
    ----------
    descriptors : (B, D) of length 1
    identities : (B,), each at least twice
    temperature : t

    Source
    ------
    Khosla et al. 2020, Eq. 2.
    """
    itself = torch.eye(len(identities), dtype=torch.bool, device=descriptors.device)
    alike = (identities[:, None] == identities[None]) & ~itself
    logits = (descriptors @ descriptors.T / temperature).masked_fill(itself, -torch.inf)
    shares = torch.log_softmax(logits, dim=1).masked_fill(~alike, 0.0)
    return -(shares.sum(dim=1) / alike.sum(dim=1)).mean()
