"""A small DCGAN that trains in minutes on a CPU: the generator and its discriminators."""

import dataclasses

import torch

from geomface.errors import SettingsError
from geomface.gan.progressive_texture.layers import (
    activate,
    append_deviation,
    double_and_convolve,
    reconstruction_error,
)
from geomface.ranges import COUNT, require_numbers

HIDDEN = 128
"""Features of the discriminator's hidden layer."""


@dataclasses.dataclass(frozen=True)
class DcganSettings:
    """Size of the networks."""

    size: int = 32
    """Pixels a side: a power of two from 16."""
    generator_width: int = 24
    """Channels of the generator's last two layers but one; doubled at each further halving."""
    discriminator_width: int = 24
    """Channels of the discriminator's first layer; doubled at each halving."""
    latent: int = 64
    """Length of the latent vector."""
    deviation: bool = False
    """Let the discriminator see how much the images of a group differ: against little variety."""

    def __post_init__(self) -> None:
        require_numbers(self, generator_width=COUNT, discriminator_width=COUNT, latent=COUNT)
        if self.size < 16 or self.size & (self.size - 1):
            raise SettingsError(f"size: expected a power of two from 16, got {self.size}.")

    @property
    def top(self) -> int:
        """Level of the size: size = 2^top."""
        return self.size.bit_length() - 1


class DoublingConv(torch.nn.Conv2d):
    """A 3 x 3 convolution of an image whose pixels are first repeated 2 x 2."""

    def forward(self, input: torch.Tensor) -> torch.Tensor:
        """(N, C, H, W) to (N, D, 2H, 2W)."""
        return double_and_convolve(input, self.weight, self.bias)


class DcganGenerator(torch.nn.Module):
    """Latents to images by upsampling and convolutions with batch norm.

    4 x 4 pixels, doubled up to the full size, and a last convolution at the full size, without
    which edges can only lie where those of the half size do.

    Parameters
    ----------
    settings : sizes

    Source
    ------
    Radford, Metz, Chintala 2016 (DCGAN); nearest upsampling and 3 x 3 convolutions in place of
    transposed ones, whose checkerboard the exact detectors would trip over.
    """

    def __init__(self, settings: DcganSettings) -> None:
        super().__init__()
        widths = [settings.generator_width << step for step in range(settings.top - 2)][::-1]
        self.dense = torch.nn.Linear(settings.latent, widths[0] * 16, bias=False)
        layers: list[torch.nn.Module] = [torch.nn.BatchNorm2d(widths[0]), torch.nn.ReLU()]
        for wide, narrow in zip(widths, [*widths[1:], widths[-1]], strict=True):
            layers.append(DoublingConv(wide, narrow, 3, bias=False))
            layers += [torch.nn.BatchNorm2d(narrow), torch.nn.ReLU()]
        layers += [torch.nn.Conv2d(widths[-1], 3, 3, padding=1), torch.nn.Tanh()]
        self.layers = torch.nn.Sequential(*layers)

    def forward(
        self, latents: torch.Tensor, level: int | None = None, alpha: float = 1.0
    ) -> torch.Tensor:
        """Return (N, 3, H, W) images; a DCGAN does not grow and ignores level and alpha."""
        return self.layers(self.dense(latents).reshape(len(latents), -1, 4, 4))


class DcganDiscriminator(torch.nn.Module):
    """Images with their masks to scores, by strided convolutions without any norm.

    With the settings' `deviation`, its 4 x 4 numbers and the features enter a hidden layer.

    Parameters
    ----------
    settings : sizes
    channels : of the input; 4 with a mask

    Source
    ------
    Radford, Metz, Chintala 2016, without batch norm, which would mix reals' and fakes' holes.
    """

    def __init__(self, settings: DcganSettings, channels: int = 4) -> None:
        super().__init__()
        self.layers = _encoder(settings, channels)
        features = settings.discriminator_width << (settings.top - 3) << 4
        self.mixed = torch.nn.Linear(features + 16, HIDDEN) if settings.deviation else None
        self.score = torch.nn.Linear(HIDDEN if settings.deviation else features, 1)

    def forward(
        self, images: torch.Tensor, level: int | None = None, alpha: float = 1.0
    ) -> torch.Tensor:
        """Return (N,) scores of (N, channels, H, W) images."""
        features = self.layers(images)
        flat = features.flatten(1)
        if self.mixed is not None:
            spread = append_deviation(features)[:, -1].flatten(1)
            flat = activate(self.mixed(torch.cat([flat, spread], dim=1)))
        return self.score(flat).squeeze(1)


class DcganAutoencoder(torch.nn.Module):
    """A discriminator for BEGAN: scores are reconstruction errors.

    s = mean over pixels of |x - decode(encode(x))| m

    Parameters
    ----------
    settings : sizes
    channels : of the input; the first three are reconstructed, a fourth is the mask m

    Source
    ------
    Berthelot et al. 2017, Sec. 3. Hidden pixels count 0, which is our addition.
    """

    def __init__(self, settings: DcganSettings, channels: int = 4) -> None:
        super().__init__()
        wide = settings.discriminator_width << (settings.top - 3)
        self.encoder = _encoder(settings, channels)
        self.code = torch.nn.Linear(wide * 16, settings.latent)
        decoder: list[torch.nn.Module] = []
        for step in range(settings.top - 2):
            narrow = 3 if step == settings.top - 3 else wide >> (step + 1)
            decoder += [torch.nn.ConvTranspose2d(wide >> step, narrow, 4, 2, 1), torch.nn.ELU()]
        self.spread = torch.nn.Linear(settings.latent, wide * 16)
        self.decoder = torch.nn.Sequential(*decoder[:-1])

    def forward(
        self, images: torch.Tensor, level: int | None = None, alpha: float = 1.0
    ) -> torch.Tensor:
        """Return (N,) errors of (N, channels, H, W) images."""
        code = self.code(self.encoder(images).flatten(1))
        back = self.decoder(self.spread(code).reshape(len(images), -1, 4, 4))
        return reconstruction_error(images, back)


def _encoder(settings: DcganSettings, channels: int) -> torch.nn.Sequential:
    layers: list[torch.nn.Module] = []
    for step in range(settings.top - 2):
        outputs = settings.discriminator_width << step
        layers += [torch.nn.Conv2d(channels, outputs, 4, 2, 1), torch.nn.LeakyReLU(0.2)]
        channels = outputs
    return torch.nn.Sequential(*layers)
