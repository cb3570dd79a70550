"""How the embedder is made: which pictures are drawn, how it is trained, how often looked at."""

import dataclasses
from typing import Literal

from geomface.errors import SettingsError
from geomface.learning import ComputeSettings, LoopSettings
from geomface.learning.optimizers import OptimizerSettings, Schedule
from geomface.ranges import COUNT, NOT_NEGATIVE, POSITIVE, SEED, SHARE, require_numbers

Recipe = Literal["tiny", "cpu", "full"]


@dataclasses.dataclass(frozen=True)
class PictureDrawing:
    """Which people are drawn, and how many pictures of each."""

    people: int = 2400
    """People to train on."""
    samples: int = 8
    """Pictures of each of them."""
    held_out: int = 60
    """People of the next seed, of whom the training sees nothing; its error is measured on them."""
    people_per_file: int = 100
    """People whose pictures lie in one file."""
    seed: int = 0
    """Seed of people and pictures."""

    def __post_init__(self) -> None:
        require_numbers(
            self,
            people=COUNT,
            samples=COUNT,
            held_out=NOT_NEGATIVE,
            people_per_file=COUNT,
            seed=SEED,
        )


@dataclasses.dataclass(frozen=True)
class IdentitySettings:
    """All that an embedder is made of."""

    drawing: PictureDrawing = PictureDrawing()
    """What the network sees."""
    people: int = 64
    """People a step."""
    samples: int = 4
    """Pictures of each of them a step."""
    temperature: float = 0.1
    """What cosines are divided by in the loss."""
    grey: float = 0.2
    """Share of pictures shown without colour, so that shape counts as well."""
    steps: int = 800
    """Steps that the learning rate counts by."""
    optimizer: OptimizerSettings = OptimizerSettings(
        "adamw",
        lr=2e-3,
        weight_decay=1e-3,
        clip=5.0,
        schedule=Schedule("cosine", warm_up=0.05, floor=1e-3),
    )
    """AdamW; the rate rises at first and falls as a cosine."""
    seed: int = 0
    """Seed of weights, order and augmentation."""
    loop: LoopSettings = LoopSettings(
        steps=800, log_every=20, sample_every=400, checkpoint_every=100, evaluate_every=100
    )
    """How long, how often."""
    compute: ComputeSettings = ComputeSettings()
    """Where and how it is computed."""

    def __post_init__(self) -> None:
        require_numbers(
            self,
            people=COUNT,
            samples=COUNT,
            temperature=POSITIVE,
            grey=SHARE,
            steps=COUNT,
            seed=SEED,
        )


def identity_recipe(name: Recipe) -> IdentitySettings:
    """Return the settings of a recipe: tiny takes seconds, cpu some minutes, full twenty."""
    if name == "full":
        return IdentitySettings()
    if name == "cpu":
        return IdentitySettings(
            PictureDrawing(people=600, held_out=40),
            people=32,
            steps=400,
            loop=LoopSettings(400, 20, 200, 100, evaluate_every=100),
        )
    if name == "tiny":
        return IdentitySettings(
            PictureDrawing(people=8, samples=4, held_out=4, people_per_file=4),
            people=4,
            samples=2,
            steps=6,
            loop=LoopSettings(6, 2, 3, 2, evaluate_every=3),
        )
    raise SettingsError(f"recipe: expected tiny, cpu or full, got {name!r}.")
