"""The texture GAN as a task for the training loop: one step of discriminator and generator."""

import functools
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, cast

import torch

from geomface.datasets import ImageSet, split_set
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
from geomface.gan.progressive_texture.settings import SYSTEM, Networks, TextureGanSettings
from geomface.learning import (
    BeganBalance,
    EmaSettings,
    MaskedDiscriminator,
    Metrics,
    Phase,
    PhasedTask,
    Resume,
    Stream,
    TrainingResult,
    batch_indices,
    d_loss,
    fade_with_mask,
    frozen,
    g_loss,
    halve_with_mask,
    hide,
    run_training,
)

SHOWN = 36
"""Images on a sample sheet."""


class TextureGan(PhasedTask):
    """The texture GAN.

    A step shows a batch of images under their masks at the schedule's size. The discriminator
    judges them and as many fakes under the same masks, then the generator is judged by it.

    Parameters
    ----------
    settings : networks, schedule, loss, masking
    data : images of the networks' size and their masks
    config : further entries for the checkpoint, such as the range of geometry images

    Source
    ------
    Shamai, Slossberg, Kimmel 2018, Sec. 6 and 7; Karras et al. 2018 for the growing.
    """

    def __init__(
        self, settings: TextureGanSettings, data: ImageSet, config: dict[str, Any] | None = None
    ) -> None:
        networks = settings.networks
        if data.size != networks.size:
            raise SettingsError(
                f"size: expected images of {networks.size} pixels as the networks, got "
                f"{data.size}. Load them at that size."
            )
        self.settings = settings
        self.data = data if settings.masking != "clean" else data.subset(data.complete())
        # In the order of the first version, which knew one stream and gave it no name.
        order = functools.partial(batch_indices, settings.seed, len(self.data))
        batch = settings.growth.batch(networks.size)
        adam = settings.optimizer.adam()
        own = {"networks": networks, "seed": settings.seed, "held_out": settings.held_out}
        super().__init__(
            seed=settings.seed,
            build=functools.partial(build_networks, settings),
            phases=(
                Phase(
                    "discriminator", ("discriminator",), self._detached_fakes, self._d_loss, adam
                ),
                Phase("generator", ("generator",), self._fakes, self._g_loss, adam),
            ),
            streams=(Stream("images", self.data, batch, order=order),),
            generators=("latents", "penalty"),
            ema={"generator": EmaSettings(settings.optimizer.ema_decay)},
            compute=settings.compute,
            eager=("discriminator",),
            config=own | (config or {}),
        )
        self.scalars |= {"level": 0, "alpha": 1.0}
        self._share = 0.0

    @property
    def growth(self) -> Growth:
        """Where the schedule stands."""
        return self.settings.growth.at(self.scalars["shown"]["images"], self.settings.networks.top)

    @property
    def share(self) -> float:
        """Share of all images that were shown before this step."""
        return self._share

    def step(self) -> Metrics:
        """Show a batch at the schedule's size to the discriminator, then train the generator."""
        self._growth = growth = self.growth
        if growth.level != self.scalars["level"]:
            self.scalars["level"] = growth.level
            self.reset_optimizers()  # moments of the smaller size mislead the larger one
        self._share = self.scalars["shown"]["images"] / self.settings.growth.total_images
        self._real, self._mask = self._reduce(**self.batch("images", growth.batch))
        metrics = super().step()
        self.scalars["alpha"] = growth.alpha
        return {**metrics, "size": float(2**growth.level), "alpha": growth.alpha}

    @torch.no_grad()
    def samples(self) -> torch.Tensor:
        """Images of the averaged generator for latents that never change."""
        latents = self.fixed("samples", SHOWN).normal(self.settings.networks.latent)
        growth = self.growth
        return self.networks["generator_ema"](latents, growth.level, growth.alpha).float()

    def _reduce(
        self, images: torch.Tensor, masks: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Return images and masks at the schedule's size, the masks as they are to be used."""
        if self.settings.masking == "unmasked":
            masks = torch.ones_like(masks)
        for _ in range(self.settings.networks.top - self._growth.level):
            images, masks = halve_with_mask(images, masks)
        images, masks = fade_with_mask(images, masks, self._growth.alpha)
        if self.settings.masking == "reals-only":
            # The mask is multiplied into the reals and told to no one: what not to do.
            return hide(images, masks), torch.ones_like(masks)
        return images, masks

    def _fakes(self) -> torch.Tensor:
        growth = self._growth
        latents = self.draws("latents", growth.batch).normal(self.settings.networks.latent)
        with self.autocast():
            return self.networks["generator"](latents, growth.level, growth.alpha).to(
                self._mask.dtype
            )

    @torch.no_grad()
    def _detached_fakes(self) -> torch.Tensor:
        return self._fakes()

    def _score(self, network: Callable[..., torch.Tensor], images: torch.Tensor) -> torch.Tensor:
        with self.autocast():
            return network(images, self._mask, self._growth.level, self._growth.alpha).to(
                images.dtype
            )

    def _d_loss(self, fake: torch.Tensor) -> tuple[torch.Tensor, Metrics]:
        use = self.settings.adversarial
        mix = None
        if use.loss == "wgan-gp":
            mix = self.draws("penalty", self._growth.batch).uniform()
        return d_loss(
            use,
            functools.partial(self._score, self.networks["discriminator"]),
            self._real,
            fake,
            mix=mix,
            step=self.steps,
            balance=cast(BeganBalance | None, self.networks.get("balance")),
        )

    def _g_loss(self, fake: torch.Tensor) -> torch.Tensor:
        score = functools.partial(self._score, frozen(self.networks["discriminator"]))
        return g_loss(self.settings.adversarial, score, fake)


def train_texture_gan(
    settings: TextureGanSettings,
    data: ImageSet,
    out: Path | str,
    *,
    resume: Resume = "auto",
    init_from: Path | str | None = None,
    config: dict[str, Any] | None = None,
    record: Mapping[str, Any] | None = None,
    on_log: Callable[[dict[str, float]], None] | None = None,
    on_progress: Callable[[int, int], None] | None = None,
) -> TrainingResult:
    """Train a texture GAN into a run directory, or go on with one.

    Parameters
    ----------
    settings : from `recipe`, or your own
    data : images and masks of the networks' size; the settings' held-out share of them is set aside
    out : the run directory
    resume : "never", "auto" or "must"
    init_from : checkpoint whose networks a new run begins with
    config : further entries for the checkpoints, such as the range of geometry images
    record : further entries for run.json, such as versions
    on_log, on_progress : as for `learning.loop.train`

    Returns
    -------
    How it ended, and the checkpoint.

    Raises
    ------
    GeomfaceError : bad data, settings or data that differ on resume, NaN, a full disk; nothing is
        lost
    """
    data, _ = split_set(data, settings.held_out)
    return run_training(
        lambda: TextureGan(settings, data, config),
        out,
        settings,
        system=SYSTEM,
        inputs={"kind": "geometry" if data.coordinates else "texture", "mirror": data.mirror},
        resume=resume,
        init_from=init_from,
        record=record,
        on_log=on_log,
        on_progress=on_progress,
    )


def build_generator(networks: Networks) -> torch.nn.Module:
    """Return a new generator of the given sizes."""
    if isinstance(networks, DcganSettings):
        return DcganGenerator(networks)
    return GrowingGenerator(networks)


def build_networks(settings: TextureGanSettings) -> dict[str, torch.nn.Module]:
    """Return new networks by name: what the loss needs, for images with a mask channel."""
    networks, use = settings.networks, settings.adversarial
    began = use.loss == "began"
    found: dict[str, torch.nn.Module] = {"generator": build_generator(networks)}
    if isinstance(networks, GrowingNetworkSettings):
        judge = (GrowingAutoencoder if began else GrowingDiscriminator)(networks, masked=True)
    else:
        judge = (DcganAutoencoder if began else DcganDiscriminator)(networks)
    found["discriminator"] = MaskedDiscriminator(judge)
    if began:
        found["balance"] = BeganBalance(use.began_gamma, use.began_rate)
    return found
