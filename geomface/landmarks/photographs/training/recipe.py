"""How a detector for photographs is trained: batches, rates, how often it is looked at."""

import dataclasses
from typing import Literal

from geomface.errors import SettingsError
from geomface.learning import ComputeSettings, EmaSettings, LoopSettings
from geomface.learning.optimizers import OptimizerSettings, Schedule
from geomface.ranges import COUNT, POSITIVE, SHARE, require_numbers

Recipe = Literal["tiny", "short", "refine", "cpu", "full"]


@dataclasses.dataclass(frozen=True)
class PhotographTraining:
    """All that a detector for photographs is made of, but the faces."""

    batch: int = 28
    """Landmark windows a step, an eighth of them no faces."""
    fields: int = 16
    """Finder windows with a face a step."""
    empty: int = 8
    """Pictures without a face a step, for the finder and for the score."""
    no_faces: int = 3000
    """Pictures without a face that are drawn."""
    lr: float = 3e-3
    """Largest learning rate; it falls as a cosine."""
    steps: int = 4000
    """Steps that the learning rate counts by."""
    score_weight: float = 2.0
    """What the score's loss counts beside that of the landmarks."""
    average: float = 0.998
    """Decay of the averages of the weights, which are what is used in the end."""
    seed: int = 0
    """Seed of weights, order, drawing and augmentation."""
    loop: LoopSettings = LoopSettings(
        steps=4000, log_every=50, sample_every=1000, checkpoint_every=250, evaluate_every=1000
    )
    """How long, how often."""
    compute: ComputeSettings = ComputeSettings()
    """Where and how it is computed."""

    def __post_init__(self) -> None:
        require_numbers(
            self,
            batch=COUNT,
            fields=COUNT,
            empty=COUNT,
            no_faces=COUNT,
            lr=POSITIVE,
            steps=COUNT,
            score_weight=POSITIVE,
            average=SHARE,
        )

    @property
    def optimizer(self) -> OptimizerSettings:
        """AdamW with a short warm-up, its gradients clipped."""
        schedule = Schedule("cosine", warm_up=0.03)
        return OptimizerSettings(
            "adamw", lr=self.lr, weight_decay=1e-4, clip=5.0, schedule=schedule
        )

    @property
    def ema(self) -> EmaSettings:
        """Averages of the weights."""
        return EmaSettings(self.average, warm_up=True)


def photograph_recipe(name: Recipe) -> PhotographTraining:
    """Return the settings of a recipe.

    tiny takes seconds, short ten minutes (to compare sets of faces), refine five (from weights
    that are given), cpu half an hour, full some hours.
    """
    if name == "tiny":
        return PhotographTraining(
            batch=8,
            fields=4,
            empty=4,
            no_faces=8,
            steps=6,
            loop=LoopSettings(6, 2, 3, 2, evaluate_every=3),
        )
    steps = {"short": 2000, "refine": 1000, "cpu": 4000, "full": 40_000}.get(name)
    if steps is None:
        raise SettingsError(f"recipe: expected tiny, short, refine, cpu or full, got {name!r}.")
    loop = LoopSettings(steps, 50, 1000, 250, evaluate_every=1000)
    lr = 1.5e-3 if name == "refine" else PhotographTraining.lr
    return PhotographTraining(lr=lr, steps=steps, loop=loop)
