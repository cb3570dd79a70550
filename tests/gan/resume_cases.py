"""The trainings that are killed and resumed: every adversarial loss, and the inside of a fade."""

import dataclasses

import torch

from geomface.datasets import ImageSet
from geomface.gan.progressive_texture.dcgan import DcganSettings
from geomface.gan.progressive_texture.networks import GrowingNetworkSettings
from geomface.gan.progressive_texture.schedule import GrowthSettings
from geomface.gan.progressive_texture.settings import RateSettings, TextureGanSettings
from geomface.learning import LOSS_KINDS, AdversarialSettings, LoopSettings, LossKind

# Lines every 4 steps: the window of steps 9 to 12 is open when step 10 is saved.
_LOOP = LoopSettings(20, log_every=4, sample_every=20, checkpoint_every=10)
_DCGAN = TextureGanSettings(
    DcganSettings(size=16, generator_width=4, discriminator_width=4, latent=8),
    GrowthSettings(16, 1, 0, 160, ((4, 8),)),
    loop=_LOOP,
)
# 4 px for 16 images, then fades of 96 images, 12 steps: step 10 and step 13 lie inside the first.
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
        for kind in LOSS_KINDS
    },
}


def build_data(settings: TextureGanSettings) -> ImageSet:
    """Twelve random images with holes."""
    generator = torch.Generator().manual_seed(0)
    size = settings.networks.size
    images = torch.randint(256, (12, 3, size, size), generator=generator).to(torch.uint8)
    masks = torch.rand(12, 1, size, size, generator=generator) > 0.1
    return ImageSet(images, masks, mirror=True)
