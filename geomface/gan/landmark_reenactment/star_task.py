"""Attributes in place of landmarks: the second experiment of the triple consistency."""

import dataclasses

import numpy as np
import torch
import torch.nn.functional as F

from geomface.gan.landmark_reenactment.star_networks import StarDiscriminator, StarGenerator
from geomface.learning import (
    AdversarialSettings,
    Dataset,
    Metrics,
    OptimizerSettings,
    Phase,
    PhasedTask,
    Schedule,
    Stream,
    chain,
    d_loss,
    take_routes,
)
from geomface.learning.device import ComputeSettings
from geomface.learning.loop import LoopSettings
from geomface.ranges import COUNT, NOT_NEGATIVE, POSITIVE, SEED, require_numbers

_GAME = AdversarialSettings("wgan-gp", drift_weight=0.0)


@dataclasses.dataclass(frozen=True)
class StarSettings:
    """Settings of one training, of the paper's width by default."""

    size: int = 64
    """Pixels a side, a power of two."""
    width: int = 64
    """Channels of the first layers."""
    blocks: int = 6
    """Residual blocks of the generator."""
    classification: float = 1.0
    """Weight of the class."""
    reconstruction: float = 10.0
    """Weight of |G(G(I; c); s) - I|."""
    triple: float = 10.0
    """Weight of |G(G(I; c); n) - G(I; n)|; 0 is StarGAN."""
    batch: int = 16
    """Pictures a step."""
    lr: float = 1e-4
    """Adam's rate; it falls linearly over the second half."""
    every: int = 5
    """Steps of the discriminator for one of the generator."""
    loop: LoopSettings = LoopSettings(200_000, 200, 5000, 5000)
    """How long, how often."""
    compute: ComputeSettings = ComputeSettings()
    """Device and precision."""
    seed: int = 0
    """Of weights, orders and all that is drawn."""

    def __post_init__(self) -> None:
        require_numbers(
            self,
            size="[16, inf)",
            width=COUNT,
            blocks=COUNT,
            classification=NOT_NEGATIVE,
            reconstruction=NOT_NEGATIVE,
            triple=NOT_NEGATIVE,
            batch=COUNT,
            lr=POSITIVE,
            every=COUNT,
            seed=SEED,
        )


class AttributeChange(PhasedTask):
    """StarGAN with the triple consistency: a generator of attributes and its discriminator.

    D: E[D(G(I; c))] - E[D(I)] + 10 GP + CE(D_cls(I), s)
    G: -E[D(G(I; c))] + CE(D_cls(G(I; c)), c)
       + 10 |G(G(I; c); s) - I| + 10 |G(G(I; c); n) - G(I; n)|

    Parameters
    ----------
    settings : see `StarSettings`
    data : rows of `images` and `labels` from 0
    classes : how many labels there are

    Source
    ------
    Choi et al. 2018; Sanchez & Valstar 2018, Sec. 5.1. c and n are drawn for each picture, where
    the released code permutes the labels of the batch.
    """

    def __init__(self, settings: StarSettings, data: Dataset, classes: int) -> None:
        self.settings, self.data, self.classes = settings, data, classes
        adam = OptimizerSettings(
            "adam", settings.lr, 0.5, 0.999, schedule=Schedule("linear", begin=0.5)
        )
        super().__init__(
            seed=settings.seed,
            build=lambda: {
                "generator": StarGenerator(classes, settings.width, settings.blocks),
                "discriminator": StarDiscriminator(classes, settings.size, settings.width),
            },
            streams=[Stream("faces", data, settings.batch, prefetch=True)],
            generators=("targets", "mix"),
            phases=(
                Phase("discriminator", ("discriminator",), lambda: None, self._judge_loss, adam),
                Phase(
                    "generator",
                    ("generator",),
                    lambda: None,
                    self._loss,
                    adam,
                    every=settings.every,
                    offset=settings.every - 1,
                ),
            ),
            horizon=settings.loop.steps,
            compute=settings.compute,
            eager=("discriminator",),
            config={"settings": settings, "classes": classes},
        )

    def _targets(self) -> tuple[torch.Tensor, torch.Tensor]:
        drawn = self.draws("targets", self.settings.batch).integers(self.classes, 2)
        return drawn[:, 0], drawn[:, 1]

    def _judge_loss(self, _: None) -> tuple[torch.Tensor, Metrics]:
        batch, judge = self.batch("faces"), self.networks["discriminator"]
        with torch.no_grad():
            made = self.networks["generator"](batch["images"], self._targets()[0])
        mix = self.draws("mix", self.settings.batch).uniform()
        game, metrics = d_loss(_GAME, lambda x: judge(x)[0], batch["images"], made, mix=mix)
        known = F.cross_entropy(judge(batch["images"])[1], batch["labels"])
        return game + self.settings.classification * known, {**metrics, "class/real": known}

    def _loss(self, _: None) -> tuple[torch.Tensor, Metrics]:
        use, batch = self.settings, self.batch("faces")
        target, following = self._targets()
        routes = take_routes(
            self.networks["generator"],
            batch["images"],
            target,
            own=batch["labels"] if use.reconstruction else None,
            following=following if use.triple else None,
        )
        scores, logits = self.networks["discriminator"](routes.made)
        metrics = {"class/made": F.cross_entropy(logits, target)}
        loss = -scores.mean() + use.classification * metrics["class/made"]
        if use.reconstruction:
            metrics["self_consistency"] = routes.self_loss()
            loss = loss + use.reconstruction * metrics["self_consistency"]
        if use.triple:
            metrics["triple_consistency"] = routes.triple_loss()
            loss = loss + use.triple * metrics["triple_consistency"]
        return loss, metrics

    @torch.no_grad()
    def samples(self) -> torch.Tensor:
        """One sheet: pictures, then every class in one step, then each made of the one before."""
        rows = torch.from_numpy(np.linspace(0, len(self.data) - 1, 6).round().astype(np.int64))
        images = self._place(self.data.batch(rows)["images"])
        classes = [torch.full((len(images),), k, device=images.device) for k in range(self.classes)]
        generator = self.networks["generator"]
        once = [generator(images, label) for label in classes]
        shown = [images, *once, *chain(generator, images, classes)]
        return torch.cat([torch.cat(list(row), dim=2) for row in shown], dim=1)[None]


@torch.no_grad()
def attribute_accuracy(
    generator: StarGenerator, classifier: torch.nn.Module, images: torch.Tensor, *, seed: int = 0
) -> dict[str, float]:
    """Return how often a classifier sees the class asked for, after one step and after two.

    Parameters
    ----------
    classifier : pictures to logits (N, K), which the training does not know
    images : (N, 3, S, S) in [-1, 1]
    seed : of the classes; the second differs from the first
    """
    drawn = torch.Generator().manual_seed(seed)
    shape = (len(images),)
    first = torch.randint(generator.classes, shape, generator=drawn)
    second = torch.randint(1, generator.classes, shape, generator=drawn)
    second = (first + second) % generator.classes
    right = {"first": 0.0, "second": 0.0}
    for x, a, b in zip(images.split(64), first.split(64), second.split(64), strict=True):
        for name, made, wanted in zip(right, chain(generator, x, [a, b]), (a, b), strict=True):
            right[name] += float((classifier(made).argmax(dim=1) == wanted).sum())
    return {name: value / len(images) for name, value in right.items()}
