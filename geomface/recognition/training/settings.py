"""Settings and recipes of the training of an embedder."""

import dataclasses
from typing import Literal

from geomface.errors import SettingsError
from geomface.learning import ComputeSettings, LoopSettings, OptimizerSettings, Schedule
from geomface.ranges import COUNT, NOT_NEGATIVE, POSITIVE, SEED, require_number, require_numbers
from geomface.recognition.margins.margin_softmax import MarginSettings
from geomface.recognition.networks.embedder_network import NetworkSettings
from geomface.recognition.training.augmentation import PAPER, AugmentationSettings
from geomface.synthesis.mixup_ratios import MixupSettings

Recipe = Literal["tiny", "cpu", "paper"]
RECIPES: tuple[Recipe, ...] = ("tiny", "cpu", "paper")


@dataclasses.dataclass(frozen=True)
class ContrastiveSettings:
    """A second loss, by pairs within a batch: a softmax over many people alone learns slowly."""

    weight: float = 0.5
    """Of the loss; 0: batches are not balanced either."""
    temperature: float = 0.1
    """What cosines are divided by."""
    samples: int = 4
    """Pictures of each person in a batch."""

    def __post_init__(self) -> None:
        require_numbers(self, weight=NOT_NEGATIVE, temperature=POSITIVE, samples="[2, inf)")


@dataclasses.dataclass(frozen=True)
class RecognitionSettings:
    """All that an embedder is made of, beside its pictures."""

    network: NetworkSettings = NetworkSettings()
    """The network, and the size of its pictures."""
    margin: MarginSettings = MarginSettings(m2=0.3, scale=16.0, warm_up=1750)
    """The softmax over people."""
    contrastive: ContrastiveSettings = ContrastiveSettings()
    """The loss by pairs."""
    domain_mixup: MixupSettings | None = MixupSettings()
    """Mixes of synthetic and real pictures, where there are real ones; None: side by side."""
    synthetic_weight: float | None = None
    """Weight of the losses of the synthetic people where these have a softmax of their own beside
    that of the real ones, whose weight is 1; None: one softmax over all."""
    augmentation: AugmentationSettings = AugmentationSettings()
    """How pictures are changed."""
    batch: int = 128
    """Pictures a step."""
    steps: int = 3500
    """Steps that schedules count by."""
    held_out: float = 0.05
    """Share of the people on whom verification is measured, and who are not learned from."""
    optimizer: OptimizerSettings = OptimizerSettings(
        "sgd",
        lr=0.1,
        weight_decay=5e-4,
        schedule=Schedule("cosine", warm_up=0.03),
    )
    """Of network and head."""
    seed: int = 0
    """Seed of weights, order and augmentation."""
    loop: LoopSettings = LoopSettings(
        steps=3500, log_every=50, sample_every=1750, checkpoint_every=250, evaluate_every=250
    )
    """How long, how often."""
    compute: ComputeSettings = ComputeSettings()
    """Where and how it is computed."""

    def __post_init__(self) -> None:
        # What normalises over a batch knows nothing of one picture alone.
        require_numbers(self, batch="[2, inf)", steps=COUNT, held_out="[0, 1)", seed=SEED)
        if self.synthetic_weight is not None:
            require_number("synthetic_weight", self.synthetic_weight, NOT_NEGATIVE)
            if self.domain_mixup is not None:
                raise SettingsError(
                    "synthetic_weight: expected no domain mixup, since a blend of both kinds of "
                    "people belongs to neither softmax. Set domain_mixup to None."
                )
        if self.contrastive.weight and self.batch % self.contrastive.samples:
            raise SettingsError(
                f"batch: expected a multiple of the {self.contrastive.samples} pictures a person, "
                f"got {self.batch}."
            )


def recognition_recipe(name: Recipe) -> RecognitionSettings:
    """Return the settings of a recipe: tiny takes seconds, cpu some minutes, paper is the paper's.

    Source
    ------
    Qiu et al. 2021, Sec. 4.1 for paper: LResNet50E-IR at 112 x 96, ArcFace with s = 30 and m = 0.5,
    SGD of rate 0.1 with a batch of 512, divided by 10 at 24, 30 and 36 of 40 epochs; its steps
    are those of 500,000 pictures.
    """
    if name == "cpu":
        return RecognitionSettings()
    if name == "tiny":
        return RecognitionSettings(
            network=NetworkSettings("compact", 28, 24, descriptor_size=16),
            batch=8,
            steps=6,
            held_out=0.3,
            contrastive=ContrastiveSettings(samples=2),
            loop=LoopSettings(6, 2, 3, 2, evaluate_every=3),
        )
    if name == "paper":
        steps = 40 * (500_000 // 512)
        return RecognitionSettings(
            network=NetworkSettings("lresnet50e_ir", 112, 96, descriptor_size=512, dropout=0.5),
            margin=MarginSettings(m1=1.0, m2=0.5, m3=0.0, scale=30.0),
            contrastive=ContrastiveSettings(weight=0.0),
            augmentation=PAPER,
            batch=512,
            steps=steps,
            held_out=0.01,
            optimizer=OptimizerSettings(
                "sgd",
                lr=0.1,
                weight_decay=5e-4,
                schedule=Schedule("steps", milestones=(0.6, 0.75, 0.9)),
            ),
            loop=LoopSettings(
                steps, log_every=100, sample_every=5000, checkpoint_every=1000, evaluate_every=1000
            ),
        )
    raise SettingsError(f"recipe: expected {', '.join(RECIPES)}, got {name!r}.")
