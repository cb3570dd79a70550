"""The embedder's task on pictures of noise, for the kit of all trainings."""

import dataclasses

import numpy as np
from drawn_rows import DrawnRows

from geomface.learning import ComputeSettings
from geomface.recognition import identity_recipe
from geomface.recognition.frontal_training.dataset import IdentitySet
from geomface.recognition.frontal_training.task import IdentityTask


def noise(people: int, seed: int) -> IdentitySet:
    """Three pictures of each person, alike but for noise."""
    rng = np.random.default_rng(seed)
    faces = rng.integers(0, 200, (people, 1, 3, 64, 64))
    pictures = faces + rng.integers(0, 56, (people, 3, 3, 64, 64))
    rows = DrawnRows(
        pictures=pictures.reshape(-1, 3, 64, 64).astype(np.uint8),
        masks=rng.integers(0, 256, (3 * people, 64, 64), np.uint8),
        identities=np.repeat(np.arange(people), 3),
    )
    return IdentitySet(rows)  # type: ignore[arg-type]


def embedder() -> IdentityTask:
    """A task of a few steps."""
    settings = dataclasses.replace(identity_recipe("tiny"), compute=ComputeSettings("cpu"))
    return IdentityTask(settings, noise(6, 1), noise(3, 2))
