"""How a detector is made: what is drawn, how the network is trained, how often looked at."""

import dataclasses
import math
from collections.abc import Collection
from typing import Literal

from geomface.errors import SettingsError
from geomface.learning import ComputeSettings, LoopSettings
from geomface.learning.optimizers import OptimizerSettings, Schedule
from geomface.ranges import COUNT, NOT_NEGATIVE, POSITIVE, SEED, require_numbers

Recipe = Literal["tiny", "cpu", "full", "refine"]


@dataclasses.dataclass(frozen=True)
class ViewDrawing:
    """Which people are drawn, and how many views of each."""

    models: tuple[str, ...] = ("builtin", "ict", "anny")
    """Whose people, all alike: a model that is named twice gives twice as many."""
    people: int = 15_500
    """People to train on."""
    views: int = 4
    """Views of each of them."""
    held_out: int = 250
    """People of whom the training sees nothing; its error is measured on them."""
    people_per_file: int = 250
    """People whose views lie in one file."""
    seed: int = 0
    """Seed of people, dress, damage and views."""

    def __post_init__(self) -> None:
        require_numbers(
            self,
            people=COUNT,
            views=COUNT,
            held_out=NOT_NEGATIVE,
            people_per_file=COUNT,
            seed=SEED,
        )


@dataclasses.dataclass(frozen=True)
class DenseDrawing:
    """A dense shape model of one face model."""

    model: str
    """Whose people."""
    people: int
    """Random people that it is learned from."""
    points: int
    """Points of the skin."""
    modes: int
    """Modes that are kept."""
    seed: int
    """Seed of the people."""

    def __post_init__(self) -> None:
        require_numbers(self, people=COUNT, points=COUNT, modes=COUNT, seed=SEED)


@dataclasses.dataclass(frozen=True)
class ShapeDrawing:
    """The shape models that stand in the detector's file beside the network."""

    models: tuple[str, ...] = ("builtin", "ict")
    """Whose people the landmark shape model knows, equally many of each."""
    people: int = 3000
    """Random people that the landmark shape model is learned from."""
    modes: int = 40
    """Modes that are kept."""
    seed: int = 0
    """Seed of the people."""
    dense: tuple[DenseDrawing, ...] = (
        DenseDrawing("ict", 7000, 1800, 160, seed=7),
        DenseDrawing("builtin", 2000, 800, 70, seed=8),
    )
    """Dense shape models, the likeliest first."""

    def __post_init__(self) -> None:
        require_numbers(self, people=COUNT, modes=COUNT, seed=SEED)


@dataclasses.dataclass(frozen=True)
class Round:
    """Some steps during which the learning rate falls."""

    steps: int
    """Steps of the round."""
    lr: float
    """Rate at its begin."""
    end: float = 0.0
    """Rate at its end; it falls as a cosine."""

    def __post_init__(self) -> None:
        require_numbers(self, steps=COUNT, lr=POSITIVE, end=NOT_NEGATIVE)


@dataclasses.dataclass(frozen=True)
class RoundSchedule(Schedule):
    """Rounds one after the other, as factors of the largest rate."""

    rounds: tuple[Round, ...] = ()

    def rate(self, share: float) -> float:
        """Return the factor at a share of all steps, in [0, 1]."""
        step = share * sum(turn.steps for turn in self.rounds)
        turn, *later = self.rounds
        while later and step >= turn.steps:
            step -= turn.steps
            turn, *later = later
        fall = 0.5 * (1.0 + math.cos(math.pi * min(step / turn.steps, 1.0)))
        return (turn.end + (turn.lr - turn.end) * fall) / max(turn.lr for turn in self.rounds)


@dataclasses.dataclass(frozen=True)
class DetectorSettings:
    """All that a detector is made of."""

    drawing: ViewDrawing = ViewDrawing()
    """What the network sees."""
    shapes: ShapeDrawing = ShapeDrawing()
    """What is known of faces beside the network."""
    start: Literal["random", "shipped"] = "random"
    """What the network begins with: random weights, or those of the detector that ships."""
    batch: int = 32
    """Views a step."""
    rounds: tuple[Round, ...] = (Round(1060, 2e-3, 1e-3), Round(1490, 1e-3), Round(1490, 6e-4))
    """Steps and learning rates."""
    weight_decay: float = 1e-4
    """Of AdamW."""
    hidden_weight: float = 0.25
    """What a landmark counts whose surface is hidden or missing in the view."""
    noise: float = 0.12
    """Largest standard deviation of what is added to the normals of a view."""
    seed: int = 0
    """Seed of weights, order and augmentation."""
    loop: LoopSettings = LoopSettings(
        steps=4040, log_every=20, sample_every=500, checkpoint_every=250, evaluate_every=250
    )
    """How long, how often."""
    compute: ComputeSettings = ComputeSettings()
    """Where and how it is computed."""

    def __post_init__(self) -> None:
        require_numbers(
            self,
            batch=COUNT,
            weight_decay=NOT_NEGATIVE,
            hidden_weight=NOT_NEGATIVE,
            noise=NOT_NEGATIVE,
            seed=SEED,
        )

    @property
    def steps(self) -> int:
        """Steps of all rounds, which the learning rate counts by."""
        return sum(turn.steps for turn in self.rounds)

    @property
    def optimizer(self) -> OptimizerSettings:
        """AdamW by rounds, its gradients clipped to a norm of 5."""
        return OptimizerSettings(
            "adamw",
            lr=max(turn.lr for turn in self.rounds),
            weight_decay=self.weight_decay,
            clip=5.0,
            schedule=RoundSchedule(rounds=self.rounds),
        )


def detector_recipe(name: Recipe, models: Collection[str]) -> DetectorSettings:
    """Return the settings of a recipe.

    tiny takes seconds, cpu some minutes, full two hours; refine goes on from the detector that
    ships, half an hour.

    Parameters
    ----------
    name : of the recipe
    models : names of the face models at hand; the others of the recipe are left out
    """
    settings = _recipe(name)
    drawing, shapes = settings.drawing, settings.shapes

    def at_hand(names: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(name for name in names if name in models)

    dense = tuple(item for item in shapes.dense if item.model in models)
    return dataclasses.replace(
        settings,
        drawing=dataclasses.replace(drawing, models=at_hand(drawing.models)),
        shapes=dataclasses.replace(shapes, models=at_hand(shapes.models), dense=dense),
    )


def _recipe(name: Recipe) -> DetectorSettings:
    if name == "full":
        return DetectorSettings()
    if name == "refine":
        return DetectorSettings(
            ViewDrawing(people=4200, held_out=150, people_per_file=150),
            start="shipped",
            rounds=(Round(1800, 7e-4),),
            loop=LoopSettings(1800, 20, 450, 150, evaluate_every=300),
        )
    if name == "cpu":
        dense = (
            DenseDrawing("ict", 800, 800, 80, seed=7),
            DenseDrawing("builtin", 800, 800, 70, seed=8),
        )
        return DetectorSettings(
            ViewDrawing(people=600, held_out=50, people_per_file=50),
            ShapeDrawing(people=800, dense=dense),
            rounds=(Round(500, 2e-3),),
            loop=LoopSettings(500, 20, 250, 100, evaluate_every=100),
        )
    if name == "tiny":
        dense = (
            DenseDrawing("ict", 60, 100, 20, seed=7),
            DenseDrawing("builtin", 60, 100, 20, seed=8),
        )
        return DetectorSettings(
            ViewDrawing(people=6, views=2, held_out=2, people_per_file=2),
            ShapeDrawing(people=60, modes=20, dense=dense),
            batch=4,
            rounds=(Round(2, 2e-3, 1e-3), Round(4, 1e-3)),
            loop=LoopSettings(6, 2, 3, 2, evaluate_every=3),
        )
    raise SettingsError(f"recipe: expected tiny, cpu, full or refine, got {name!r}.")
