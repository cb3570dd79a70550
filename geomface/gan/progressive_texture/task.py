"""One training step of the texture GAN: discriminator, generator, moving average."""

import functools
from typing import Any

import torch

from geomface.datasets import ImageSet
from geomface.errors import SettingsError
from geomface.gan.progressive_texture.dcgan import (
    DcganAutoencoder,
    DcganDiscriminator,
    DcganGenerator,
    DcganSettings,
)
from geomface.gan.progressive_texture.networks import (
    GrowingAutoencoder,
    GrowingDiscriminator,
    GrowingGenerator,
    GrowingNetworkSettings,
)
from geomface.gan.progressive_texture.schedule import Growth
from geomface.gan.progressive_texture.settings import TextureGanSettings
from geomface.learning.adversarial import discriminator_loss, generator_loss, next_began_k
from geomface.learning.device import autocast, check_compute, place_images, place_network
from geomface.learning.distributed import ALONE, Ranks
from geomface.learning.ema import make_ema, update_ema
from geomface.learning.masking import MaskedDiscriminator, fade_with_mask, halve_with_mask, hide
from geomface.learning.metrics_log import Metrics
from geomface.learning.penalties import drift_penalty, gradient_penalty, r1_penalty
from geomface.learning.randomness import batch_indices, seeded_initialisation, stream_generator
from geomface.learning.state import TrainingState

SHOWN = 36
"""Images on a sample sheet."""


class TextureGan:
    """The texture GAN as a task for the training loop.

    Parameters
    ----------
    settings : networks, schedule, loss, masking
    data : images of the networks' size and their masks
    config : further entries for the checkpoint, such as the range of geometry images
    ranks : this process among several that train together

    Source
    ------
    Shamai, Slossberg, Kimmel 2018, Sec. 6 and 7; Karras et al. 2018 for the growing.
    """

    def __init__(
        self,
        settings: TextureGanSettings,
        data: ImageSet,
        config: dict[str, Any] | None = None,
        ranks: Ranks = ALONE,
    ) -> None:
        if data.size != settings.networks.size:
            raise SettingsError(
                f"size: expected images of {settings.networks.size} pixels as the networks, got "
                f"{data.size}. Load them at that size."
            )
        self.ranks = ranks
        self.settings = settings
        self.data = data if settings.masking != "clean" else data.subset(data.complete())
        self.device = check_compute(settings.compute)
        own = {"networks": settings.networks, "seed": settings.seed, "held_out": settings.held_out}
        self.config: dict[str, Any] = own | (config or {})
        place = functools.partial(place_network, device=self.device, settings=settings.compute)
        with seeded_initialisation(settings.seed, "weights"):
            self.generator = place(build_generator(settings.networks))
            self.discriminator = place(MaskedDiscriminator(build_discriminator(settings)))
        self.average = make_ema(self.generator)
        self._latents = stream_generator(settings.seed, "latents")
        self._mix = stream_generator(settings.seed, "penalty")
        rates = settings.optimizer
        adam = functools.partial(
            torch.optim.Adam,
            lr=rates.lr,
            betas=(rates.beta1, rates.beta2),
            eps=1e-8,
            fused=True,
        )
        self._optimizers = {
            "generator": adam(self.generator.parameters()),
            "critic": adam(self.discriminator.parameters()),
        }
        self._scalars: dict[str, Any] = {
            "images": 0,
            "steps": 0,
            "level": 0,
            "alpha": 1.0,
            "k": 0.0,
        }

    @property
    def state(self) -> TrainingState:
        """All that the next step depends on."""
        return TrainingState(
            {"generator": self.generator, "critic": self.discriminator, "average": self.average},
            self._optimizers,
            {"latents": self._latents, "penalty": self._mix},
            self._scalars,
        )

    @property
    def growth(self) -> Growth:
        """Where the schedule stands."""
        return self.settings.growth.at(self._scalars["images"], self.settings.networks.top)

    def step(self) -> Metrics:
        """One step of the discriminator, one of the generator, one of the average."""
        growth = self.growth
        if growth.level != self._scalars["level"]:
            self._scalars["level"] = growth.level
            for optimizer in self._optimizers.values():
                optimizer.state.clear()  # moments of the smaller size mislead the larger one
        shown = self._scalars["images"] / self.settings.growth.total_images
        for optimizer in self._optimizers.values():
            for group in optimizer.param_groups:
                group["lr"] = self.settings.optimizer.rate(shown)
        real, mask, fake_mask = self._batch(growth)
        figures = self._step_discriminator(growth, real, mask, fake_mask)
        figures |= self._step_generator(growth, fake_mask)
        update_ema(self.average, self.generator, self.settings.optimizer.ema_decay)
        self._scalars["images"] += growth.batch
        self._scalars["steps"] += 1
        self._scalars["alpha"] = growth.alpha
        return figures | {"size": float(2**growth.level), "alpha": growth.alpha}

    @torch.no_grad()
    def samples(self) -> torch.Tensor:
        """Images of the averaged generator for latents that never change."""
        fixed = stream_generator(self.settings.seed, "samples")
        latents = torch.randn(SHOWN, self.settings.networks.latent, generator=fixed)
        growth = self.growth
        return self.average(latents.to(self.device), growth.level, growth.alpha).float()

    def evaluate(self) -> dict[str, float]:
        """Nothing: `geomface evaluate` measures a trained generator."""
        return {}

    def _batch(self, growth: Growth) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """Return reals, their masks and the fakes' masks at the schedule's size."""
        indices = batch_indices(
            self.settings.seed, len(self.data), self._scalars["images"], growth.batch
        )[self.ranks.shard(growth.batch)]
        real, mask = self.data.read(indices)
        place = functools.partial(place_images, device=self.device, settings=self.settings.compute)
        real, mask = place(real), place(mask)
        if self.settings.masking == "unmasked":
            mask = torch.ones_like(mask)
        for _ in range(self.settings.networks.top - growth.level):
            real, mask = halve_with_mask(real, mask)
        real, mask = fade_with_mask(real, mask, growth.alpha)
        if self.settings.masking == "reals-only":
            # The mask is multiplied into the reals and told to no one: what not to do.
            return hide(real, mask), torch.ones_like(mask), torch.ones_like(mask)
        return real, mask, mask

    def _fakes(self, growth: Growth) -> torch.Tensor:
        shape = (growth.batch, self.settings.networks.latent)
        latents = torch.randn(shape, generator=self._latents)[self.ranks.shard(growth.batch)]
        with autocast(self.device, self.settings.compute):
            return self.generator(latents.to(self.device), growth.level, growth.alpha).float()

    def _score(self, growth: Growth, mask: torch.Tensor, images: torch.Tensor) -> torch.Tensor:
        with autocast(self.device, self.settings.compute):
            return self.discriminator(images, mask, growth.level, growth.alpha).float()

    def _step_discriminator(
        self, growth: Growth, real: torch.Tensor, mask: torch.Tensor, fake_mask: torch.Tensor
    ) -> dict[str, torch.Tensor | float]:
        use = self.settings.adversarial
        self.discriminator.requires_grad_(True)
        with torch.no_grad():
            fake = self._fakes(growth)
        score = functools.partial(self._score, growth, mask)
        real_scores, fake_scores = score(real), self._score(growth, fake_mask, fake)
        loss = discriminator_loss(use.loss, real_scores, fake_scores, k=self._scalars["k"])
        figures: dict[str, torch.Tensor | float] = {
            "loss/discriminator": loss,
            "score/real": real_scores.mean(),
            "score/fake": fake_scores.mean(),
        }
        if use.loss == "wgan-gp":
            mix = torch.rand(growth.batch, generator=self._mix)[self.ranks.shard(growth.batch)]
            slope = gradient_penalty(score, real, fake, mix=mix, target=use.gradient_target)
            drift = drift_penalty(real_scores)
            loss = loss + use.gradient_weight * slope + use.drift_weight * drift
            figures |= {"penalty/gradient": slope, "penalty/drift": drift}
        elif use.r1_weight and use.loss != "began" and self._scalars["steps"] % use.r1_every == 0:
            slope = r1_penalty(score, real)
            loss = loss + use.r1_weight * use.r1_every * slope
            figures["penalty/r1"] = slope
        self._descend("critic", loss)
        if use.loss == "began":
            scores = {"real": real_scores.detach().mean(), "fake": fake_scores.detach().mean()}
            means = self.ranks.average_metrics(scores)
            self._scalars["k"] = next_began_k(
                self._scalars["k"],
                float(means["real"]),
                float(means["fake"]),
                gamma=use.began_gamma,
                rate=use.began_rate,
            )
            figures["balance/k"] = self._scalars["k"]
        return figures

    def _step_generator(self, growth: Growth, mask: torch.Tensor) -> dict[str, torch.Tensor]:
        self.discriminator.requires_grad_(False)
        scores = self._score(growth, mask, self._fakes(growth))
        loss = generator_loss(self.settings.adversarial.loss, scores)
        self._descend("generator", loss)
        return {"loss/generator": loss}

    def _descend(self, name: str, loss: torch.Tensor) -> None:
        optimizer = self._optimizers[name]
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        for group in optimizer.param_groups:
            self.ranks.average_gradients(group["params"])
        optimizer.step()


def build_generator(networks: DcganSettings | GrowingNetworkSettings) -> torch.nn.Module:
    """Return a new generator of the given sizes."""
    if isinstance(networks, DcganSettings):
        return DcganGenerator(networks)
    return GrowingGenerator(networks)


def build_discriminator(settings: TextureGanSettings) -> torch.nn.Module:
    """Return a new discriminator for images with a mask channel, as the loss needs it."""
    networks, began = settings.networks, settings.adversarial.loss == "began"
    if isinstance(networks, GrowingNetworkSettings):
        return (GrowingAutoencoder if began else GrowingDiscriminator)(networks, masked=True)
    return (DcganAutoencoder if began else DcganDiscriminator)(networks)
