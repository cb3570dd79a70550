"""Trainings for the kit: every adversarial loss, and the inside of a fade.

Case "fade-began" is the factory "resume_cases:fade-began".
"""

import dataclasses
import functools

import torch

from geomface.datasets import ImageSet
from geomface.gan.progressive_texture.dcgan import DcganSettings
from geomface.gan.progressive_texture.networks import GrowingNetworkSettings
from geomface.gan.progressive_texture.schedule import GrowthSettings
from geomface.gan.progressive_texture.settings import RateSettings, TextureGanSettings
from geomface.gan.progressive_texture.task import TextureGan
from geomface.learning import LOSS_KINDS, AdversarialSettings, LoopSettings, LossKind

_LOOP = LoopSettings(20, log_every=4, sample_every=20, checkpoint_every=10)
_DCGAN = TextureGanSettings(
    DcganSettings(size=16, generator_width=4, discriminator_width=4, latent=8),
    GrowthSettings(16, 1, 0, 160, ((4, 8),)),
    loop=_LOOP,
)
# 4 px for 16 images, then fades of 96 images, 12 steps: steps 5 and 10 lie inside the first.
_FADE = TextureGanSettings(
    GrowingNetworkSettings(size=16, channel_base=64, channel_max=8, latent=8),
    GrowthSettings(4, 16, 96, 400, ((4, 8),)),
    loop=_LOOP,
)


def _dcgan(kind: LossKind) -> TextureGanSettings:
    r1 = 1.0 if kind in ("hinge", "non-saturating") else 0.0
    return dataclasses.replace(
        _DCGAN,
        adversarial=AdversarialSettings(loss=kind, r1_weight=r1, r1_every=3),
        optimizer=RateSettings(1e-3, 0.5),
    )


CASES: dict[str, TextureGanSettings] = {
    "dcgan-lr-decay": dataclasses.replace(
        _dcgan("hinge"),
        networks=dataclasses.replace(_DCGAN.networks, deviation=True),
        optimizer=RateSettings(1e-3, lr_decay=0.8),
    ),
    **{f"dcgan-{kind}": _dcgan(kind) for kind in LOSS_KINDS},
    **{
        f"fade-{kind}": dataclasses.replace(
            _FADE, adversarial=AdversarialSettings(loss=kind, r1_weight=1.0)
        )
        for kind in ("wgan-gp", "began")
    },
}


class AnyPrecision(ImageSet):
    """A set in torch's default precision, which the kit doubles to compare processes."""

    def batch(self, indices: torch.Tensor) -> dict[str, torch.Tensor]:
        """As every set's."""
        rows = super().batch(indices)
        return {name: item.to(torch.get_default_dtype()) for name, item in rows.items()}


def build_data(settings: TextureGanSettings) -> ImageSet:
    """Twelve random images with holes."""
    generator = torch.Generator().manual_seed(0)
    size = settings.networks.size
    images = torch.randint(256, (12, 3, size, size), generator=generator).to(torch.uint8)
    masks = torch.rand(12, 1, size, size, generator=generator) > 0.1
    return AnyPrecision(images, masks, mirror=True)


def build_task(name: str) -> TextureGan:
    """Return the task of a case."""
    return TextureGan(CASES[name], build_data(CASES[name]))


globals().update({name: functools.partial(build_task, name) for name in CASES})
