"""Soft targets: up to a few classes a picture, each with its share."""

import dataclasses

import torch

from geomface.errors import SettingsError

EMPTY = -1
"""The class of a slot that holds none, and of a picture of whom nobody knows who it shows."""


@dataclasses.dataclass(frozen=True, eq=False)
class SoftTargets:
    """Classes and masses of B pictures in K slots each; never a row as long as there are classes.

    Parameters
    ----------
    classes : (B, K) int64, no class twice in a row, -1 in empty slots
    masses : (B, K) floating, at least 0, 0 in empty slots; a row sums to 1, or to 0 where nobody
        knows who a picture shows (the loss leaves it out)

    Raises
    ------
    SettingsError : other shapes or types; on the CPU, where looking does not wait for a device,
        also other values

    Example
    -------
    >>> import torch
    >>> from geomface.recognition import SoftTargets
    >>> len(SoftTargets(torch.tensor([[3, 5], [4, -1]]), torch.tensor([[0.25, 0.75], [1.0, 0.0]])))
    2
    """

    classes: torch.Tensor
    masses: torch.Tensor

    def __post_init__(self) -> None:
        classes, masses = self.classes, self.masses
        if classes.ndim != 2 or classes.shape != masses.shape or classes.dtype != torch.int64:
            raise SettingsError(
                "soft targets: expected classes (B, K) int64 and masses of the same shape, got "
                f"{tuple(classes.shape)} {classes.dtype} and {tuple(masses.shape)}."
            )
        if not masses.is_floating_point():
            raise SettingsError(f"soft targets: expected floating masses, got {masses.dtype}.")
        if classes.device.type == "cpu":
            _check_values(classes, masses)

    def __len__(self) -> int:
        return len(self.classes)

    def to(self, device: torch.device | str) -> "SoftTargets":
        """Return the targets on a device."""
        return SoftTargets(self.classes.to(device), self.masses.to(device))


def one_hot(labels: torch.Tensor) -> SoftTargets:
    """Return the targets of pictures of one class each.

    Parameters
    ----------
    labels : (B,) int64, -1 for unknown

    Example
    -------
    >>> import torch
    >>> from geomface.recognition import one_hot
    >>> one_hot(torch.tensor([3, -1])).masses.tolist()
    [[1.0], [0.0]]
    """
    masses = (labels != EMPTY).to(torch.get_default_dtype())
    return SoftTargets(labels[:, None], masses[:, None])


def mix(first: torch.Tensor, second: torch.Tensor, ratio: torch.Tensor | float) -> SoftTargets:
    """Return the targets of pictures of people mixed from two: ratio first + (1 - ratio) second.

    Parameters
    ----------
    first, second : (B,) int64
    ratio : (B,) or a number, in [0, 1]

    Source
    ------
    Qiu et al. 2021, SynFace, Eq. 2.

    Example
    -------
    >>> import torch
    >>> from geomface.recognition import mix
    >>> mix(torch.tensor([3]), torch.tensor([5]), 0.25).masses.tolist()
    [[0.25, 0.75]]
    """
    return blend(ratio, one_hot(first), one_hot(second))


def blend(ratio: torch.Tensor | float, first: SoftTargets, second: SoftTargets) -> SoftTargets:
    """Return ratio first + (1 - ratio) second, as pictures are blended in domain mixup.

    A class of both has one slot; the other one of the two becomes empty.

    Parameters
    ----------
    ratio : (B,) or a number, in [0, 1]
    first, second : of as many pictures

    Source
    ------
    Qiu et al. 2021, SynFace, Eq. 3.

    Example
    -------
    >>> import torch
    >>> from geomface.recognition import blend, one_hot
    >>> one, other = one_hot(torch.tensor([3])), one_hot(torch.tensor([5]))
    >>> blend(0.25, one, other).masses.tolist()
    [[0.25, 0.75]]
    """
    if len(first) != len(second):
        raise SettingsError(
            f"soft targets: expected as many rows to blend, got {len(first)} and {len(second)}."
        )
    share = torch.as_tensor(ratio, dtype=first.masses.dtype, device=first.masses.device)
    if share.device.type == "cpu" and not bool(((share >= 0) & (share <= 1)).all()):
        raise SettingsError(f"ratio: expected 0 to 1, got {share.tolist()}.")
    if share.ndim:
        share = share[:, None]
    classes = torch.cat([first.classes, second.classes], dim=1)
    masses = torch.cat([share * first.masses, (1.0 - share) * second.masses], dim=1)
    return _merged(classes, masses)


def _merged(classes: torch.Tensor, masses: torch.Tensor) -> SoftTargets:
    """Give every class the sum of its masses in its first slot, and empty the others."""
    alike = (classes[:, :, None] == classes[:, None, :]) & (classes != EMPTY)[:, :, None]
    earlier = torch.ones_like(alike).tril(-1)
    repeated = (alike & earlier).any(dim=2)
    summed = (alike * masses[:, None, :]).sum(dim=2)
    held = (classes != EMPTY) & ~repeated
    return SoftTargets(torch.where(held, classes, EMPTY), torch.where(held, summed, 0.0))


def _check_values(classes: torch.Tensor, masses: torch.Tensor) -> None:
    total = masses.sum(dim=1)
    whole = ((total - 1.0).abs() < 1e-4) | (total == 0)
    if not bool(whole.all()) or not bool((masses >= 0).all()):
        row = int((~whole | ~(masses >= 0).all(dim=1)).nonzero()[0])
        raise SettingsError(
            "soft targets: expected masses of at least 0 that sum to 1 in every row, or to 0 where "
            f"nobody knows who it is, got {masses[row].tolist()} in row {row}."
        )
    if bool((classes < EMPTY).any()) or bool(((classes == EMPTY) & (masses != 0)).any()):
        raise SettingsError(
            "soft targets: expected classes from 0, and -1 with mass 0 in empty slots, got "
            f"{int(classes.min())} as the least. Number the people from 0."
        )
    same = (classes[:, :, None] == classes[:, None, :]) & (classes != EMPTY)[:, :, None]
    if bool((same.sum(dim=(1, 2)) > (classes != EMPTY).sum(dim=1)).any()):
        raise SettingsError(
            "soft targets: expected no class twice in a row. Make them with `mix` or `blend`, "
            "which add up the masses of one class."
        )
