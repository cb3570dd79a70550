"""The translators between renders and photographs, and the autoencoders that judge pictures."""

from collections.abc import Callable

import torch
from torch import nn

from geomface.gan.render_to_photo.settings import NetworkSettings, Norm

BLOCKS = 3
_DEVIATION, _DRAWN_FOR = 0.02, 32
"""Of the first weights, and the width that it was chosen for."""
_NORMS: dict[Norm, Callable[[int], nn.Module]] = {
    "none": lambda channels: nn.Identity(),
    "instance": nn.InstanceNorm2d,
    "batch": nn.BatchNorm2d,
}


class Translator(nn.Module):
    """Pictures of one world to pictures of another, by a shallow residual network.

    7 x 7, two halvings, three residual blocks, two doublings, 7 x 7, tanh; no biases. G has dropout
    after each block and leads its first layers past the others; G' has neither.

    Parameters
    ----------
    settings : sizes; at the paper's 1,101,600 weights for G and 1,078,464 for G'
    inverse : build G'

    Convention
    ----------
    Pictures (N, 3, S, S) in [-1, 1].

    Source
    ------
    Gecer et al. 2018, Sec. 4, and the released code; Johnson et al. 2016 for the blocks.
    """

    def __init__(self, settings: NetworkSettings, *, inverse: bool = False) -> None:
        super().__init__()
        width, norm = settings.width, _NORMS[settings.norm]
        self.drop = 0.0 if inverse else settings.dropout
        self.skips = settings.skips and not inverse
        twice = 2 if self.skips else 1
        self.first = nn.Sequential(_around(3, width, 7), norm(width), nn.ReLU())
        self.down1 = nn.Sequential(_halving(width, 2 * width), norm(2 * width), nn.ReLU())
        self.down2 = nn.Sequential(_halving(2 * width, 4 * width), norm(4 * width), nn.ReLU())
        self.blocks = nn.ModuleList(_Residual(4 * width, norm) for _ in range(BLOCKS))
        self.dropout = nn.Dropout(self.drop)
        self.up1 = nn.Sequential(_doubling(4 * width, 2 * width), norm(2 * width), nn.ReLU())
        self.up2 = nn.Sequential(_doubling(2 * twice * width, width), norm(width), nn.ReLU())
        self.last = _around(twice * width, 3, 7)
        for name, layer in self.named_modules():
            if isinstance(layer, nn.Conv2d | nn.ConvTranspose2d):
                # Signals as strong as at the paper's width: else a narrow G' says nothing.
                deviation = _DEVIATION * (_DRAWN_FOR / width) ** 0.5
                if settings.first_weights == "kept-strength":
                    deviation = _strong_deviation(name, layer)
                nn.init.normal_(layer.weight, 0.0, deviation)

    def forward(self, images: torch.Tensor, noise: torch.Tensor | None = None) -> torch.Tensor:
        """Return translated pictures.

        Parameters
        ----------
        images : to translate
        noise : (N, 3, 4 width, S / 4, S / 4) uniform in [0, 1), which decides what is dropped after
            each block; without it, torch does in training, and nothing is dropped in evaluation
        """
        first = self.first(images)
        half = self.down1(first)
        inner = self.down2(half)
        for number, block in enumerate(self.blocks):
            inner = block(inner)
            if not self.drop:
                continue
            if noise is None:
                inner = self.dropout(inner)
            else:
                kept = noise[:, number] >= self.drop
                inner = inner * kept.to(inner.dtype) / (1.0 - self.drop)
        inner = self.up1(inner)
        if self.skips:
            inner = torch.cat([inner, half], dim=1)
        inner = self.up2(inner)
        if self.skips:
            inner = torch.cat([inner, first], dim=1)
        return torch.tanh(self.last(inner).to(images.dtype))

    def noise_shape(self, size: int) -> tuple[int, int, int, int]:
        """Return the shape of the noise for one picture of a size."""
        channels = self.down2[0].out_channels
        return (BLOCKS, channels, size // 4, size // 4)  # type: ignore[return-value]


class Autoencoder(nn.Module):
    """A discriminator that draws pictures again through a narrow code; what is strange, it cannot.

    Parameters
    ----------
    settings : sizes; at the paper's 6,723,459 weights for 108 px and 4,011,651 for 64

    Convention
    ----------
    Pictures (N, 3, S, S) in [-1, 1]; what comes out is not bounded.

    Source
    ------
    Berthelot et al. 2017 (BEGAN), Fig. 1, as the released code of Gecer et al. 2018 has it. Sides
    that are odd are halved up; what is then too large is cut to the middle.
    """

    def __init__(self, settings: NetworkSettings) -> None:
        super().__init__()
        width, depth, self.side = settings.discriminator_width, len(settings.sides), settings.size
        self.inner = (width, settings.sides[-1], settings.sides[-1])
        layers: list[nn.Module] = [nn.Conv2d(3, width, 3, 1, 1), nn.ELU()]
        channels = width
        for level in range(1, depth + 1):
            for _ in range(2):
                layers += [nn.Conv2d(channels, level * width, 3, 1, 1), nn.ELU()]
                channels = level * width
            if level < depth:
                layers += [nn.Conv2d(channels, channels, 3, 2, 1), nn.ELU()]
        cells = settings.sides[-1] ** 2
        self.encoder = nn.Sequential(
            *layers, nn.Flatten(), nn.Linear(channels * cells, settings.code)
        )
        self.grow = nn.Linear(settings.code, width * cells)
        layers = []
        for level in range(depth):
            for _ in range(2):
                layers += [nn.Conv2d(width, width, 3, 1, 1), nn.ELU()]
            if level + 1 < depth:
                layers.append(nn.Upsample(scale_factor=2, mode="nearest"))
        self.decoder = nn.Sequential(*layers, nn.Conv2d(width, 3, 3, 1, 1))
        for layer in self.modules():
            if isinstance(layer, nn.Conv2d | nn.Linear):
                nn.init.xavier_uniform_(layer.weight)
                nn.init.zeros_(layer.bias)  # type: ignore[arg-type]

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """Return the pictures as the network draws them again."""
        grown = self.grow(self.encoder(images)).unflatten(1, self.inner)
        if images.is_contiguous(memory_format=torch.channels_last):
            grown = grown.contiguous(memory_format=torch.channels_last)
        drawn = self.decoder(grown)
        start = (drawn.shape[-1] - self.side) // 2
        middle = slice(start, start + self.side)
        return drawn[:, :, middle, middle].to(images.dtype)


class _Residual(nn.Module):
    """y = x + N W2 relu(N W1 x), 3 x 3, on mirrored rims."""

    def __init__(self, channels: int, norm: Callable[[int], nn.Module]) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            _around(channels, channels, 3),
            norm(channels),
            nn.ReLU(),
            _around(channels, channels, 3),
            norm(channels),
        )

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x + self.layers(x)


def _strong_deviation(name: str, layer: nn.Conv2d | nn.ConvTranspose2d) -> float:
    """Return a deviation that keeps the strength of signals through a layer and its ReLU.

    Blocks add little to what they are given, and the last layer stays clear of where tanh is flat.
    """
    cells = layer.kernel_size[0] * layer.kernel_size[1]
    reached = layer.in_channels * cells / (layer.stride[0] ** 2 if layer.transposed else 1)
    if name == "last":
        return 0.5 / reached**0.5
    factor = 0.3 if name.startswith("blocks") and name.endswith("layers.3") else 1.0
    return factor * (2.0 / reached) ** 0.5


def _around(inputs: int, outputs: int, side: int) -> nn.Module:
    return nn.Conv2d(inputs, outputs, side, 1, side // 2, bias=False, padding_mode="reflect")


def _halving(inputs: int, outputs: int) -> nn.Module:
    return nn.Conv2d(inputs, outputs, 3, 2, 1, bias=False)


def _doubling(inputs: int, outputs: int) -> nn.Module:
    return nn.ConvTranspose2d(inputs, outputs, 3, 2, 1, output_padding=1, bias=False)
