"""The generator that moves a face to landmarks, and the discriminator that judges patches."""

import torch
import torch.nn.functional as F
from torch import nn

from geomface.gan.landmark_reenactment.settings import NetworkSettings
from geomface.gan.landmark_reenactment.warps import look
from geomface.learning.instance_norm import LeakyInstanceNorm

_SLOPE = 0.2
_DEVIATION, _DRAWN_FOR = 0.02, 64
"""Of the first weights, and the width that it was chosen for."""
_MOST = 8
"""Times the discriminator's width, its most channels."""


class Generator(nn.Module):
    """A face I moved to landmarks s: G(I; H(s)) = (1 - M) C + M I.

    7 x 7, two halvings, residual blocks, two doublings, and two 7 x 7 heads: colours C (tanh) and a
    mask M (sigmoid) of what stays. Without the mask head, G = C; with a warp, I is the face as its
    landmarks move it.

    Parameters
    ----------
    settings : sizes; at the paper's 8,621,888 weights

    Convention
    ----------
    Pictures (N, 3, S, S) in [-1, 1]; conditions (N, C, S, S) in [0, 1], and two channels of the
    field with a warp.

    Source
    ------
    Sanchez & Valstar 2018, Sec. 3.2, and the released model; Johnson et al. 2016 for the blocks.
    """

    def __init__(self, settings: NetworkSettings) -> None:
        super().__init__()
        width, self.warp = settings.width, settings.warp
        self.face = nn.Conv2d(3, width, 7, 1, 3, bias=False)
        self.target = nn.Conv2d(settings.condition_channels, width, 7, 1, 3, bias=False)
        self.first = LeakyInstanceNorm(width, _SLOPE)
        self.down = nn.Sequential(
            *_scaled(nn.Conv2d(width, 2 * width, 4, 2, 1, bias=False)),
            *_scaled(nn.Conv2d(2 * width, 4 * width, 4, 2, 1, bias=False)),
        )
        self.blocks = nn.Sequential(*(_Residual(4 * width) for _ in range(settings.blocks)))
        self.up = nn.Sequential(
            *_scaled(nn.ConvTranspose2d(4 * width, 2 * width, 4, 2, 1, bias=False)),
            *_scaled(nn.ConvTranspose2d(2 * width, width, 4, 2, 1, bias=False)),
        )
        self.heads = _Heads(width, 4 if settings.mask_head else 3, 7, 1, 3, bias=False)
        _draw_weights(self, _DEVIATION)

    def forward(self, images: torch.Tensor, condition: torch.Tensor) -> torch.Tensor:
        """Return the faces at the landmarks of the condition."""
        return self.move(images, self.encode(condition))

    def encode(self, condition: torch.Tensor) -> torch.Tensor:
        """Return what the first layer makes of conditions, and their fields as they are."""
        if not self.warp:
            return self.target(condition)
        return torch.cat([self.target(condition[:, :-2]), condition[:, -2:]], dim=1)

    def move(self, images: torch.Tensor, encoded: torch.Tensor) -> torch.Tensor:
        """Return the faces at conditions that were encoded, once for several faces."""
        if self.warp:
            encoded, field = encoded[:, :-2], encoded[:, -2:]
            images = look(images, field)
        colors, mask = self.layers(images, encoded)
        return colors if mask is None else compose(colors, mask, images)

    def layers(
        self, images: torch.Tensor, encoded: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor | None]:
        """Return C (N, 3, S, S) and M (N, 1, S, S), or None without a mask head.

        A convolution of picture and condition together is the sum of two; that of the condition
        needs no gradient towards it, and serves all faces that it is shown with.
        """
        inner = self.first(self.face(images) + encoded)
        inner = self.up(self.blocks(self.down(inner)))
        drawn = self.heads(inner).to(images.dtype)
        mask = torch.sigmoid(drawn[:, 3:]) if drawn.shape[1] > 3 else None
        return torch.tanh(drawn[:, :3]), mask


class PatchDiscriminator(nn.Module):
    """Scores of the patches of a picture, real ones high.

    4 x 4 convolutions that halve 128 px to 4, and a 3 x 3 one to scores; 6,955,969 weights at the
    paper's sizes. It is told no landmarks.

    Parameters
    ----------
    settings : sizes

    Convention
    ----------
    Pictures (N, 3, S, S) in [-1, 1]; scores (N, 1, s, s), not bounded.

    Source
    ------
    Sanchez & Valstar 2018, Sec. 3.2, after Isola et al. 2017.
    """

    def __init__(self, settings: NetworkSettings) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        inputs = 3
        for level in range(settings.halvings):
            outputs = settings.discriminator_width * min(2**level, _MOST)
            layers += [nn.Conv2d(inputs, outputs, 4, 2, 1), nn.LeakyReLU(_SLOPE)]
            inputs = outputs
        self.layers = nn.Sequential(*layers, nn.Conv2d(inputs, 1, 3, 1, 1))
        # Scores as strong as at the paper's width: else a narrow one has nothing to say at first.
        _draw_weights(self, _DEVIATION * (_DRAWN_FOR / settings.discriminator_width) ** 0.5)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """Return the scores."""
        return self.layers(images).to(images.dtype)


def compose(colors: torch.Tensor, mask: torch.Tensor, images: torch.Tensor) -> torch.Tensor:
    """Return (1 - M) C + M I: where the mask is 1 the input stays, where it is 0 it is new.

    Source
    ------
    Sanchez & Valstar 2018, Eq. 2.
    """
    return colors + mask * (images - colors)


class _Residual(nn.Module):
    """y = x + N W2 lrelu(N W1 x), 3 x 3."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.Conv2d(channels, channels, 3, 1, 1),
            LeakyInstanceNorm(channels, _SLOPE, affine=False),
            nn.Conv2d(channels, channels, 3, 1, 1),
            LeakyInstanceNorm(channels, affine=False),
        )

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x + self.layers(x)


class _Heads(nn.Conv2d):
    """A convolution of few outputs, four pixels at once.

    Four outputs fill a quarter of a vector unit; one step of two pixels with the kernel in four
    places makes sixteen, in half of the time. Pictures have even sides.
    """

    def forward(self, input: torch.Tensor) -> torch.Tensor:
        places = [(left, 1 - left, top, 1 - top) for top in (0, 1) for left in (0, 1)]
        kernels = torch.stack([F.pad(self.weight, place) for place in places], dim=1).flatten(0, 1)
        if input.is_contiguous(memory_format=torch.channels_last):
            kernels = kernels.contiguous(memory_format=torch.channels_last)
        return F.pixel_shuffle(F.conv2d(input, kernels, stride=2, padding=self.padding), 2)


def _scaled(layer: nn.Conv2d | nn.ConvTranspose2d) -> tuple[nn.Module, ...]:
    return layer, LeakyInstanceNorm(layer.out_channels, _SLOPE)


def _draw_weights(network: nn.Module, deviation: float) -> None:
    for layer in network.modules():
        if isinstance(layer, nn.Conv2d | nn.ConvTranspose2d):
            nn.init.normal_(layer.weight, 0.0, deviation)
            if layer.bias is not None:
                nn.init.zeros_(layer.bias)
