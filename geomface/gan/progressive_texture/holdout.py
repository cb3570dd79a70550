"""Which images of a set training never sees: decided by their names alone."""

import hashlib

import numpy as np

from geomface.datasets import ImageSet
from geomface.learning.errors import DatasetError


def is_held_out(name: str, share: float) -> bool:
    """Say whether an image of this name is held out: the same on every machine and in every set.

    Adding or removing other images never moves one from one side to the other.

    Parameters
    ----------
    name : of the file below its folder, with forward slashes
    share : of all names, in [0, 1)
    """
    number = int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], "big")
    return number < share * 2**64


def split_set(data: ImageSet, share: float) -> tuple[ImageSet, ImageSet | None]:
    """Return the images to train on and those held out, None when there are none.

    Images without names go by their place in the set.

    Raises
    ------
    DatasetError : nothing is left to train on
    """
    names = data.names or tuple(map(str, range(len(data.images))))
    out = np.array([is_held_out(name, share) for name in names], bool)
    if not out.any():
        return data, None
    if out.all():
        raise DatasetError(
            f"training set: expected something left to train on, but a held-out share of {share} "
            f"takes all of its {len(out)} images. Lower it."
        )
    return data.subset(~out), data.subset(out)
