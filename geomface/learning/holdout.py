"""Which samples of a set training never sees: decided by their names alone."""

import hashlib
from collections.abc import Sequence

import numpy as np

from geomface.learning.errors import DatasetError


def is_held_out(name: str, share: float) -> bool:
    """Say whether a sample of this name is held out: the same on every machine and in every set.

    Adding or removing other samples never moves one from one side to the other.

    Parameters
    ----------
    name : of the file below its folder, with forward slashes, or of a person
    share : of all names, in [0, 1)
    """
    number = int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], "big")
    return number < share * 2**64


def held_out(names: Sequence[str], share: float) -> np.ndarray:
    """Return (N,) bool, which of the names are held out.

    Raises
    ------
    DatasetError : nothing is left to train on
    """
    out = np.array([is_held_out(name, share) for name in names], bool)
    if len(out) and out.all():
        raise DatasetError(
            f"training set: expected something left to train on, but a held-out share of {share} "
            f"takes all of its {len(out)} images. Lower it."
        )
    return out
