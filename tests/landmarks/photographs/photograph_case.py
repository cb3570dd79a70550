"""The task of the detector for photographs on pictures of noise, for the kit of all trainings."""

import dataclasses

import numpy as np
from drawn_rows import DrawnRows

from geomface.landmarks.photographs.training.recipe import photograph_recipe
from geomface.landmarks.photographs.training.sets import PictureRows
from geomface.landmarks.photographs.training.task import PhotographTask
from geomface.learning import ComputeSettings

SIZE = 160


def noise(count: int, seed: int, around: PictureRows | None = None) -> PictureRows:
    """Pictures without meaning; faces if there is something around them."""
    rng = np.random.default_rng(seed)
    rows = {"pictures": rng.integers(0, 256, (count, SIZE, SIZE), np.uint8)}
    if around is not None:
        rows["points"] = rng.uniform(40, 120, (count, 68, 2)).astype(np.float32)
    return PictureRows(DrawnRows(**rows), around)  # type: ignore[arg-type]


def photographs() -> PhotographTask:
    """A task of a few steps."""
    settings = dataclasses.replace(
        photograph_recipe("tiny"), batch=4, fields=2, empty=2, compute=ComputeSettings("cpu")
    )
    empty = noise(6, 1)
    return PhotographTask(settings, noise(10, 2, empty), empty, noise(3, 3, empty))
