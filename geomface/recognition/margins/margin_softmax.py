"""Softmax with a margin for soft targets, on cosines of descriptors to the centres of classes."""

import dataclasses
from typing import Any, Literal

import torch
import torch.nn.functional as F
from torch import nn

from geomface.errors import SettingsError
from geomface.learning.distributed import current_ranks
from geomface.ranges import COUNT, NOT_NEGATIVE, POSITIVE, require_number, require_numbers
from geomface.recognition.margins.margin_cosine import margin_cosine
from geomface.recognition.margins.soft_targets import SoftTargets


@dataclasses.dataclass(frozen=True)
class MarginSettings:
    """A margin softmax.

    Example
    -------
    >>> from geomface.recognition import MarginSettings
    >>> MarginSettings(m2=0.3, scale=16.0).m3
    0.0
    """

    m1: float = 1.0
    """Factor of the angle to the own class; above 1 in SphereFace."""
    m2: float = 0.5
    """Radians added to the angle to the own class; above 0 in ArcFace."""
    m3: float = 0.0
    """Taken off the cosine to the own class; above 0 in CosFace."""
    scale: float = 30.0
    """Of the logits; small sets learn more easily with about 16 and a margin of 0.3."""
    mode: Literal["mass_scaled", "full"] = "mass_scaled"
    """How soft targets take their margin: each in proportion to its mass, or each the whole."""
    warm_up: int = 0
    """Steps over which the margin grows from nothing."""

    def __post_init__(self) -> None:
        if not self.m1:
            raise SettingsError(
                f"m1: expected 1 or more, got {self.m1}: no angle would count. The paper's (0, m2, "
                "0) is meant as (1, m2, 0), and its (0, 0, m3) as (1, 0, m3)."
            )
        require_numbers(
            self, m1="[1, 8]", m2="[0, 3]", m3="[0, 2]", scale=POSITIVE, warm_up=NOT_NEGATIVE
        )
        if self.mode not in ("mass_scaled", "full"):
            raise SettingsError(f"mode: expected mass_scaled or full, got {self.mode!r}.")


def arcface(margin: float = 0.5, scale: float = 30.0, warm_up: int = 0) -> MarginSettings:
    """Return the settings of ArcFace: a margin of the angle (Deng et al. 2019).

    Example
    -------
    >>> from geomface.recognition import arcface
    >>> arcface(0.3).m2
    0.3
    """
    return MarginSettings(m2=margin, scale=scale, warm_up=warm_up)


def cosface(margin: float = 0.35, scale: float = 30.0, warm_up: int = 0) -> MarginSettings:
    """Return the settings of CosFace: a margin of the cosine (Wang et al. 2018).

    Example
    -------
    >>> from geomface.recognition import cosface
    >>> cosface().m3
    0.35
    """
    return MarginSettings(m2=0.0, m3=margin, scale=scale, warm_up=warm_up)


def sphereface(margin: float = 1.35, scale: float = 30.0, warm_up: int = 0) -> MarginSettings:
    """Return the settings of SphereFace: a factor of the angle (Liu et al. 2017).

    Example
    -------
    >>> from geomface.recognition import sphereface
    >>> sphereface().m1
    1.35
    """
    return MarginSettings(m1=margin, m2=0.0, scale=scale, warm_up=warm_up)


def margin_strength(settings: MarginSettings, step: int) -> float:
    """Return the share of the margin at a step, counted from 0: it grows evenly to 1.

    Example
    -------
    >>> from geomface.recognition import arcface, margin_strength
    >>> margin_strength(arcface(warm_up=100), 25)
    0.25
    """
    return 1.0 if step >= settings.warm_up else step / settings.warm_up


def margin_loss(
    cosines: torch.Tensor,
    targets: SoftTargets,
    settings: MarginSettings,
    strength: float = 1.0,
) -> torch.Tensor:
    """Return the margin softmax of a batch, a mean over the pictures with targets.

    z_j = s [c_j - w_j (c_j - phi(c_j))],  L = -sum_j t_j log softmax(z)_j

    with t the masses, w_j = r t_j ("mass_scaled") or r where t_j > 0 ("full"), r the strength

    Parameters
    ----------
    cosines : (B, C), those of `MarginHead`; computed in single precision or better
    targets : of the B pictures
    settings : see `MarginSettings`
    strength : r in [0, 1], see `margin_strength`; 0 is the plain cross-entropy

    Returns
    -------
    scalar; 0, with zeros as gradients, where no picture has a target

    Raises
    ------
    SettingsError : other shapes, classes beyond C, a strength out of [0, 1]

    Convention
    ----------
    No matrix of targets is made: of size (B, C) is the softmax, which the gradient needs. The loss
    cannot be differentiated twice.

    Source
    ------
    Qiu et al. 2021, SynFace, Eq. 1. Their code blends the logits of up to three heads, one for each
    class, with the masses as weights, which is this loss for "mass_scaled". The strength is the
    annealing of Liu et al. 2017, SphereFace.

    Example
    -------
    >>> import torch
    >>> from geomface.recognition import arcface, margin_loss, one_hot
    >>> cosines = torch.tensor([[0.9, 0.1], [0.2, 0.8]])
    >>> targets = one_hot(torch.tensor([0, 1]))
    >>> plain = margin_loss(cosines, targets, arcface(), strength=0.0)
    >>> bool(margin_loss(cosines, targets, arcface()) > plain)
    True
    """
    require_number("strength", strength, "[0, 1]")
    if cosines.ndim != 2 or len(cosines) != len(targets):
        raise SettingsError(
            f"margin loss: expected cosines ({len(targets)}, C), one row for each target, got "
            f"shape {tuple(cosines.shape)}."
        )
    classes = targets.classes
    if classes.device.type == "cpu" and classes.numel():
        highest = int(classes.max())
        if highest >= cosines.shape[1]:
            raise SettingsError(
                f"margin loss: expected classes of 0 to {cosines.shape[1] - 1}, got {highest}. "
                "Make the head for as many classes as there are people."
            )
    cosines = cosines.to(torch.promote_types(cosines.dtype, torch.float32))
    masses = targets.masses.to(cosines.dtype)
    losses = _MarginSoftmax.apply(cosines, classes, masses, settings, strength)
    ranks = current_ranks()
    known = (masses.sum(dim=1) > 0).sum().to(cosines.dtype)
    return losses.sum() / ranks.mean(known).clamp(min=1.0 / ranks.count)


class _MarginSoftmax(torch.autograd.Function):
    """L (B,) of cosines (B, C); slots are gathered and added back, empty ones as nothing."""

    @staticmethod
    def forward(
        ctx: Any,
        cosines: torch.Tensor,
        classes: torch.Tensor,
        masses: torch.Tensor,
        settings: MarginSettings,
        strength: float,
    ) -> torch.Tensor:
        places, scale = classes.clamp(min=0), settings.scale
        own = cosines.gather(1, places)
        phi, slope = margin_cosine(own, settings.m1, settings.m2, settings.m3)
        weights = strength * (masses if settings.mode == "mass_scaled" else (masses > 0).to(masses))
        logits = scale * cosines
        logits.scatter_add_(1, places, scale * weights * (phi - own))
        shares = torch.log_softmax(logits, dim=1)
        del logits
        own_shares = shares.gather(1, places)
        losses = -(masses * own_shares).sum(dim=1)
        # dz_j/dc_j = s (1 - w_j (1 - slope_j)).
        ctx.save_for_backward(shares.exp_(), places, masses, weights * (1.0 - slope))
        ctx.scale = scale
        return losses

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx: Any, toward: torch.Tensor) -> tuple[torch.Tensor | None, ...]:  # type: ignore[override]
        softmax, places, masses, bent = ctx.saved_tensors
        total = masses.sum(dim=1, keepdim=True)
        factor = ctx.scale * toward[:, None]
        gradient = softmax * (factor * total)
        missing = -masses * (1.0 - bent) - total * softmax.gather(1, places) * bent
        gradient.scatter_add_(1, places, factor * missing)
        return gradient, None, None, None, None


class MarginHead(nn.Module):
    """Cosines of descriptors to the centre of each class.

    c_ij = x_i . w_j / (|x_i| |w_j|)

    Parameters
    ----------
    classes : people to tell apart
    descriptor_size : numbers of a descriptor

    Convention
    ----------
    Computed in single precision also under autocast: the logits are thirty times the cosines.

    Example
    -------
    >>> import torch
    >>> from geomface.recognition import MarginHead
    >>> MarginHead(1000, 128)(torch.ones(4, 128)).shape
    torch.Size([4, 1000])
    """

    def __init__(self, classes: int, descriptor_size: int) -> None:
        super().__init__()
        require_number("classes", classes, "[2, inf)", whole=True)
        require_number("descriptor_size", descriptor_size, COUNT, whole=True)
        self.weight = nn.Parameter(torch.empty(classes, descriptor_size))
        nn.init.xavier_uniform_(self.weight)

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        """Return (B, classes) cosines of (B, descriptor_size), which may have any length."""
        with torch.autocast(features.device.type, enabled=False):
            features = F.normalize(features.to(self.weight.dtype), dim=1)
            return F.linear(features, F.normalize(self.weight, dim=1))
