"""Random numbers that depend on what they are for, never on who draws them or when."""

import hashlib

import numpy as np

from geomface.errors import SettingsError

_WORD = 2**64


def stream(seed: int, purpose: str, identity: int = 0, sample: int = 0) -> np.random.Generator:
    """Return the generator of one purpose of one picture.

    Two calls with the same four arguments give generators that draw the same numbers, on any
    machine, in any process and in any order; any difference gives an independent stream.

    Parameters
    ----------
    seed : of the whole set, 0 to 2^64 - 1
    purpose : what the numbers are for, such as "pose"
    identity, sample : which person, which picture of that person; 0 or more

    Raises
    ------
    SettingsError : a number out of range.

    Source
    ------
    Salmon et al. 2011, "Parallel random numbers: as easy as 1, 2, 3" (Philox): seed and purpose are
    the key, identity and sample the upper half of the counter, so no two streams overlap.
    """
    for name, value in (("seed", seed), ("identity", identity), ("sample", sample)):
        if not 0 <= value < _WORD:
            raise SettingsError(f"{name}: expected 0 to 2^64 - 1, got {value}.")
    digest = hashlib.sha256(purpose.encode()).digest()
    key = np.array([seed, int.from_bytes(digest[:8], "little")], np.uint64)
    counter = np.array([0, 0, identity, sample], np.uint64)
    return np.random.Generator(np.random.Philox(counter=counter, key=key))
