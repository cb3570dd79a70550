"""The detector's task on views of noise, for the kit of all trainings."""

import dataclasses

import numpy as np
from drawn_rows import DrawnRows

from geomface.landmarks.training.dataset import ViewSet
from geomface.landmarks.training.recipe import detector_recipe
from geomface.landmarks.training.task import DetectorTask
from geomface.learning import ComputeSettings


def noise(count: int, seed: int) -> ViewSet:
    """Views without meaning, of which each rank's landmarks differ in weight."""
    rng = np.random.default_rng(seed)
    rows = DrawnRows(
        pictures=rng.integers(-127, 128, (count, 4, 128, 128), np.int8),
        points=rng.uniform(-10, 138, (count, 68, 2)).astype(np.float32),
        visible=rng.random((count, 68)) < rng.random((count, 1)),
    )
    return ViewSet(rows)  # type: ignore[arg-type]


def detector() -> DetectorTask:
    """A task of a few steps."""
    settings = dataclasses.replace(
        detector_recipe("tiny", ["builtin", "ict"]), compute=ComputeSettings("cpu")
    )
    return DetectorTask(settings, noise(10, 1), noise(3, 2))
