"""The growing generator and discriminator, 4 to 1024 pixels."""

import dataclasses
from collections.abc import Sequence
from typing import cast

import torch
import torch.nn.functional as F

from geomface.errors import SettingsError
from geomface.gan.progressive_texture.layers import (
    GAIN,
    EqualConv,
    EqualLinear,
    activate,
    append_deviation,
    pixel_norm,
    reconstruction_error,
)
from geomface.learning.masking import double, halve_with_mask
from geomface.ranges import COUNT, require_numbers


@dataclasses.dataclass(frozen=True)
class GrowingNetworkSettings:
    """Size of the growing networks."""

    size: int = 1024
    """Pixels a side when grown, a power of two from 8 to 1024."""
    channel_base: int = 8192
    """Channels at level s are min(base / 2^s, channel_max)."""
    channel_max: int = 512
    """Most channels of a layer."""
    latent: int = 512
    """Length of the latent vector."""

    def __post_init__(self) -> None:
        require_numbers(self, channel_base=COUNT, channel_max=COUNT, latent=COUNT)
        if self.size not in (8, 16, 32, 64, 128, 256, 512, 1024):
            raise SettingsError(f"size: expected a power of two from 8 to 1024, got {self.size}.")
        if self.channels(self.top) < 1:
            raise SettingsError(
                f"channel_base: expected at least {2 ** (self.top - 1)} for {self.size} px, got "
                f"{self.channel_base}."
            )

    @property
    def top(self) -> int:
        """Level of the full size: size = 2^top."""
        return self.size.bit_length() - 1

    def channels(self, level: int) -> int:
        """Channels of the second layer at 2^level pixels, nf(level - 1)."""
        return min(self.channel_base // 2 ** (level - 1), self.channel_max)


class GrowingGenerator(torch.nn.Module):
    """Latents to images; a level adds two convolutions at twice the size.

    Parameters
    ----------
    settings : sizes; at 1024 pixels 23,079,115 weights

    Source
    ------
    Karras et al. 2018, Table 2 and Sec. 2; layer order and gains as in the authors' code.
    """

    def __init__(self, settings: GrowingNetworkSettings) -> None:
        super().__init__()
        self.settings = settings
        width = settings.channels
        self.dense = EqualLinear(settings.latent, width(2) * 16, GAIN / 4, biases=width(2))
        self.first = EqualConv(width(2), width(2), 3)
        levels = range(3, settings.top + 1)
        self.blocks = torch.nn.ModuleList(
            torch.nn.ModuleList(
                [
                    EqualConv(width(level - 1), width(level), 3),
                    EqualConv(width(level), width(level), 3),
                ]
            )
            for level in levels
        )
        self.to_image = torch.nn.ModuleList(
            EqualConv(width(level), 3, 1, gain=1.0) for level in (2, *levels)
        )

    def forward(
        self, latents: torch.Tensor, level: int | None = None, alpha: float = 1.0
    ) -> torch.Tensor:
        """Return (N, 3, 2^level, 2^level) images, [-1, 1] up to the network's errors.

        Parameters
        ----------
        latents : (N, latent); their length does not matter
        level : default the full size
        alpha : share of the newest layers, 1 when they are faded in
        """
        level = self.settings.top if level is None else level
        x = self.dense(pixel_norm(latents)).reshape(len(latents), -1, 4, 4)
        x = pixel_norm(activate(x))
        x = pixel_norm(activate(self.first(x)))
        before = x
        for block in self.blocks[: level - 2]:
            before = x
            first, second = cast(Sequence[EqualConv], block)
            x = pixel_norm(activate(first.double(x)))
            x = pixel_norm(activate(second(x)))
        images = self.to_image[level - 2](x)
        if alpha >= 1.0 or level == 2:
            return images
        return torch.lerp(double(self.to_image[level - 3](before)), images, alpha)


class GrowingDiscriminator(torch.nn.Module):
    """Images, with their masks or without, to scores; the generator's mirror image.

    Parameters
    ----------
    settings : sizes; at 1024 pixels 23,087,249 weights without masks
    masked : whether a fourth channel holds the mask, which is then halved by minimum
    outputs : numbers an image; 1 is a score

    Source
    ------
    Karras et al. 2018, Table 2 and Sec. 2; Shamai, Slossberg, Kimmel 2018, Sec. 6 for the mask.
    """

    def __init__(
        self, settings: GrowingNetworkSettings, *, masked: bool = True, outputs: int = 1
    ) -> None:
        super().__init__()
        self.settings, self.masked, self.outputs = settings, masked, outputs
        width, top = settings.channels, settings.top
        self.from_image = torch.nn.ModuleList(
            EqualConv(4 if masked else 3, width(level), 1) for level in range(2, top + 1)
        )
        self.blocks = torch.nn.ModuleList(
            torch.nn.ModuleList(
                [
                    EqualConv(width(level), width(level), 3),
                    EqualConv(width(level), width(level - 1), 3),
                ]
            )
            for level in range(3, top + 1)
        )
        last = min(settings.channel_base, settings.channel_max)
        self.last = EqualConv(width(2) + 1, width(2), 3)
        self.dense = EqualLinear(width(2) * 16, last)
        self.score = EqualLinear(last, outputs, gain=1.0)

    def forward(
        self, images: torch.Tensor, level: int | None = None, alpha: float = 1.0
    ) -> torch.Tensor:
        """Return (N,) scores, or (N, outputs), of (N, 3 or 4, 2^level, 2^level) images.

        The other arguments are those of the generator.
        """
        level = self.settings.top if level is None else level
        x = activate(self.from_image[level - 2](images))
        for down in range(level, 2, -1):
            for layer in cast(Sequence[torch.nn.Module], self.blocks[down - 3]):
                x = activate(layer(x))
            x = F.avg_pool2d(x, 2)
            if down == level and alpha < 1.0:
                x = torch.lerp(activate(self.from_image[level - 3](self._halve(images))), x, alpha)
        x = activate(self.last(append_deviation(x)))
        scores = self.score(activate(self.dense(x.flatten(1))))
        return scores.squeeze(1) if self.outputs == 1 else scores

    def _halve(self, images: torch.Tensor) -> torch.Tensor:
        if not self.masked:
            return F.avg_pool2d(images, 2)
        return torch.cat(halve_with_mask(images[:, :-1], images[:, -1:]), dim=1)


class GrowingAutoencoder(torch.nn.Module):
    """A discriminator for BEGAN that grows: one that ends in a latent, and a generator.

    s = mean over pixels of |x - decode(encode(x))| m, both at the level and alpha of the schedule

    Parameters
    ----------
    settings : sizes, of the generator that it judges as well
    masked : whether a fourth channel holds the mask m

    Source
    ------
    Berthelot et al. 2017, Sec. 3, for the score. That encoder and decoder grow together is ours.
    """

    def __init__(self, settings: GrowingNetworkSettings, *, masked: bool = True) -> None:
        super().__init__()
        self.encoder = GrowingDiscriminator(settings, masked=masked, outputs=settings.latent)
        self.decoder = GrowingGenerator(settings)

    def forward(
        self, images: torch.Tensor, level: int | None = None, alpha: float = 1.0
    ) -> torch.Tensor:
        """Return (N,) errors of (N, 3 or 4, 2^level, 2^level) images; arguments as above."""
        code = self.encoder(images, level, alpha)
        return reconstruction_error(images, self.decoder(code, level, alpha))


def count_weights(network: torch.nn.Module) -> int:
    """Return how many numbers a network learns."""
    return sum(item.numel() for item in network.parameters())
