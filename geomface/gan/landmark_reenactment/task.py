"""The reenactment by landmarks as a task for the training loop."""

import dataclasses
import functools
from typing import cast

import numpy as np
import torch

from geomface.gan.landmark_reenactment.conditions import condition_map
from geomface.gan.landmark_reenactment.losses import (
    feature_loss,
    judge_loss,
    perceptual_loss,
    variation,
)
from geomface.gan.landmark_reenactment.networks import Generator, PatchDiscriminator
from geomface.gan.landmark_reenactment.seen import CropEmbedder
from geomface.gan.landmark_reenactment.settings import LossWeights, ReenactmentSettings
from geomface.gan.landmark_reenactment.stills import vary_triplets
from geomface.gan.landmark_reenactment.triplets import ReenactmentData, batch_order
from geomface.learning import Batch, DatasetError, Metrics, Phase, PhasedTask, Stream
from geomface.learning.consistency import Routes, chain, gap, take_routes
from geomface.recognition.embedder.face_embedder import FaceEmbedder

SHOWN = 6
"""Triplets on a sheet of samples."""


@dataclasses.dataclass(frozen=True, eq=False)
class Moved:
    """What one forward makes, for both players.

    Parameters
    ----------
    batch : the triplets
    routes : where one and two steps lead
    real, fake : scores of targets and of what was made
    """

    batch: Batch
    routes: Routes
    real: torch.Tensor
    fake: torch.Tensor


class LandmarkReenactment(PhasedTask):
    """A generator that moves faces to landmarks, and a discriminator of patches.

    G: -D(G(I; t)) + l_pix |G(I; t) - I_t| + l_self |G(G(I; t); s) - I|
       + l_triple |G(G(I; t); n) - G(I; n)| + l_id angle(I, G(I; t)) + l_pp L_pp + l_tv TV
    D: hinge of D(I_t) and D(G(I; t))

    Both step at once from one forward; what does not wait for each other is one batch.

    Parameters
    ----------
    settings : see `ReenactmentSettings`
    data : triplets, from `prepare_data`
    embedder : frozen; None leaves the loss of identity out
    features : pictures in [-1, 1] to maps, frozen, such as `load_vgg` gives; None leaves the
        perceptual loss out

    Raises
    ------
    DatasetError : pictures of another size than the networks'

    Source
    ------
    Sanchez & Valstar 2018, Sec. 3, with the right sign in Eq. 3.
    """

    def __init__(
        self,
        settings: ReenactmentSettings,
        data: ReenactmentData,
        embedder: FaceEmbedder | None = None,
        features: torch.nn.Module | None = None,
    ) -> None:
        require_size(settings, data)
        self.settings, self.data = settings, data
        weights, frames = settings.weights, data.shown.frames
        self._knows = embedder is not None and weights.identity > 0
        self._looks = features is not None and weights.perceptual > 0
        stream = Stream(
            "triplets",
            data.shown,
            settings.batch,
            order=batch_order(data, settings.unpaired, seed=settings.seed, name="triplets"),
            augment=functools.partial(vary_triplets, mirror=settings.mirror, margin=frames.margin),
            prefetch=True,
        )
        adam = settings.adam()
        super().__init__(
            seed=settings.seed,
            build=lambda: build_networks(
                settings, embedder if self._knows else None, features if self._looks else None
            ),
            streams=[stream],
            phases=(
                Phase("generator", ("generator",), self._move, self._loss, adam, group="move"),
                Phase(
                    "discriminator",
                    ("discriminator",),
                    self._move,
                    self._judge_loss,
                    adam,
                    group="move",
                ),
            ),
            ema={"generator": settings.ema},
            horizon=settings.horizon,
            compute=settings.compute,
            config={
                "networks": settings.networks,
                "margin": frames.margin,
                "embedder": None
                if embedder is None or not self._knows
                else {"network": embedder.network.settings, "alignment": embedder.alignment.id},
            },
        )

    def condition(self, points: torch.Tensor, source: torch.Tensor) -> torch.Tensor:
        """Return the condition of landmarks (N, 68, 2) of faces that have others, on the device."""
        return self._place(condition_map(points, self.settings.networks, source))

    def _move(self) -> Moved:
        """Make all that the losses are about."""
        nets, weights, batch = self.networks, self._weights_now(), self.batch("triplets")
        asked = {
            "target": ("source", "target", 1.0),
            "own": ("target", "source", weights.self_consistency),
            "following": ("target", "next", weights.triple_consistency),
        }
        if self.settings.networks.warp:
            asked["direct"] = ("source", "next", weights.triple_consistency)
        ways = {name: way for name, (*way, weight) in asked.items() if weight}
        there, here = (
            torch.cat([batch[f"{way[k]}_points"] for way in ways.values()]) for k in (1, 0)
        )
        condition, count = self.condition(there, here), len(batch["source"])
        generator = cast(Generator, nets["generator"])
        with self.autocast():
            encoded = dict(zip(ways, generator.encode(condition).split(count), strict=True))
            routes = take_routes(generator.move, batch["source"], encoded.pop("target"), **encoded)
            scores = nets["discriminator"](torch.cat([batch["target"], routes.made]))
        real, fake = scores.split(count)
        return Moved(batch, routes, real, fake)

    def _loss(self, moved: Moved) -> tuple[torch.Tensor, Metrics]:
        """Return what the generator minimises."""
        weights, batch, routes = self._weights_now(), moved.batch, moved.routes
        made, power = routes.made, self.settings.weights.power
        parts = {
            "adversarial": -moved.fake.mean(),
            "pixel": gap(made, batch["target"], power),
            "variation": variation(made),
        }
        if routes.returned is not None:
            parts["self_consistency"] = routes.self_loss(power)
        if routes.onward is not None:
            parts["triple_consistency"] = routes.triple_loss(power)
        if self._knows:
            parts["identity"] = self._identity_loss(batch, made)
        if self._looks:
            with self.autocast():
                found = self.networks["features"](made)
                with torch.no_grad():
                    wanted = self.networks["features"](batch["target"])
            parts["perceptual"] = perceptual_loss(found, wanted)
        loss = torch.stack([getattr(weights, k) * v for k, v in parts.items()]).sum()
        return loss, {k: v for k, v in parts.items() if k != "variation"}

    def _weights_now(self) -> LossWeights:
        """Return the weights at this step."""
        weights, factor = self.settings.weights, self.settings.consistency(self.share)
        return dataclasses.replace(
            weights,
            self_consistency=factor * weights.self_consistency,
            triple_consistency=factor * weights.triple_consistency,
        )

    def _judge_loss(self, moved: Moved) -> tuple[torch.Tensor, Metrics]:
        """Return what the discriminator minimises."""
        scores = {"score/real": moved.real.mean(), "score/fake": moved.fake.mean()}
        return judge_loss(self.settings.game, moved.real, moved.fake), scores

    def _identity_loss(self, batch: Batch, made: torch.Tensor) -> torch.Tensor:
        """Return the angle between who was given and who was made."""
        embed = cast(CropEmbedder, self.networks["embedder"])
        with self.autocast():
            with torch.no_grad():
                wanted = embed(batch["source"], batch["source_points"])
            found = embed(made, batch["target_points"])
        return feature_loss(found, wanted)

    @torch.no_grad()
    def samples(self) -> torch.Tensor:
        """One sheet: sources, targets, G(I; t), then G(I; n) in one step and in two."""
        data = self.data.held_out or self.data.shown
        rows = data.rows[_spread(len(data), SHOWN)]
        source, target, following = (self._frames(rows[:, k]) for k in range(3))
        made, onward, direct = self._moved(source, target[1], following[1])
        shown = [source[0], target[0], made, direct, onward]
        return torch.cat([torch.cat(list(row), dim=2) for row in shown], dim=1)[None]

    @torch.no_grad()
    def evaluate(self) -> dict[str, float]:
        """Return errors on people held out, after one step and after two, and their ratio."""
        if self.data.held_out is None:
            return {}
        data = self.data.held_out
        sums = [0.0, 0.0, 0.0]
        rows = data.rows[_spread(len(data), 16 * self.settings.batch)]
        for start in range(0, len(rows), self.settings.batch):
            part = rows[start : start + self.settings.batch]
            source, target, following = (self._frames(part[:, k]) for k in range(3))
            _, onward, direct = self._moved(source, target[1], following[1])
            pairs = ((direct, following[0]), (onward, following[0]), (onward, direct))
            for k, (one, two) in enumerate(pairs):
                sums[k] += float(gap(one, two)) * len(part)
        first, second, path = (value / len(rows) for value in sums)
        return {
            "held_out/first": first,
            "held_out/second": second,
            "held_out/ratio": second / max(first, 1e-12),
            "held_out/path": path,
        }

    def _moved(
        self,
        source: tuple[torch.Tensor, torch.Tensor],
        target: torch.Tensor,
        following: torch.Tensor,
    ) -> tuple[torch.Tensor, ...]:
        """Return G(I; t), G(G(I; t); n) and G(I; n)."""
        generator, (images, own) = self.networks["generator_ema"], source
        conditions = [self.condition(target, own), self.condition(following, target)]
        made, onward = chain(generator, images, conditions)
        return made, onward, generator(images, self.condition(following, own))

    def _frames(self, numbers: np.ndarray) -> tuple[torch.Tensor, torch.Tensor]:
        """Return pictures and landmarks of some frames."""
        images, points = self.data.shown.frames.look(numbers)
        return self._place(images), points.to(self.device)


def build_networks(
    settings: ReenactmentSettings,
    embedder: FaceEmbedder | None = None,
    features: torch.nn.Module | None = None,
) -> dict[str, torch.nn.Module]:
    """Return new networks by name."""
    built: dict[str, torch.nn.Module] = {
        "generator": Generator(settings.networks),
        "discriminator": PatchDiscriminator(settings.networks),
    }
    if embedder is not None:
        built["embedder"] = CropEmbedder(embedder)
    if features is not None:
        built["features"] = features
    return built


def require_size(settings: ReenactmentSettings, data: ReenactmentData) -> None:
    """Raise `DatasetError` unless pictures have the networks' size."""
    size, has = settings.networks.size, data.shown.frames.size
    if has != size:
        raise DatasetError(
            f"frames: expected crops of {size} pixels as the networks', got {has}. Crop them to "
            f"{size}, or give the networks that size."
        )


def _spread(count: int, wanted: int) -> np.ndarray:
    """Return numbers of samples from all over a set."""
    return np.linspace(0, count - 1, min(wanted, count)).round().astype(np.int64)
