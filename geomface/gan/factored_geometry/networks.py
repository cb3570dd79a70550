"""The generator of geometry images, and the discriminator with a branch for each factor."""

import dataclasses
import math
from collections.abc import Mapping, Sequence

import torch
from torch import nn

from geomface.gan.factored_geometry.codes import Factor
from geomface.gan.factored_geometry.settings import NetworkSettings

SLOPE = 0.2
SHARED = 2
"""Blocks of the discriminator that all branches share."""


@dataclasses.dataclass(frozen=True, eq=False)
class Heads:
    """What the discriminator says of N images.

    Parameters
    ----------
    score : (N,) how real they look
    features : {factor: (N, F)} what its classifier looks at
    logits : {factor: (N, K)} of its classes
    """

    score: torch.Tensor | None
    features: Mapping[str, torch.Tensor]
    logits: Mapping[str, torch.Tensor]


class GeometryGenerator(nn.Module):
    """Codes to geometry images by transposed convolutions with batch norm.

    x = tanh(2 s net(z)), s the deviation of the training images, so that the net's own numbers are
    near 1 although one range for all images leaves most of [-1, 1] empty

    Parameters
    ----------
    settings : sizes
    latent : length of a code
    deviation : s, of the training images in [-1, 1]

    Source
    ------
    Abrevaya et al. 2019, section 4.2; Radford, Metz, Chintala 2016 (DCGAN), whose initial weights
    these are. The factor 2 s is ours.
    """

    def __init__(self, settings: NetworkSettings, latent: int, deviation: float) -> None:
        super().__init__()
        self.scale = 2.0 * deviation
        wide = settings.generator_width << (settings.halvings - 1)
        layers: list[nn.Module] = [nn.ConvTranspose2d(latent, wide, 4, 1, 0, bias=False)]
        for step in range(settings.halvings):
            width = wide >> step
            layers += [nn.BatchNorm2d(width), nn.ReLU()]
            last = step + 1 == settings.halvings
            layers.append(nn.ConvTranspose2d(width, 3 if last else width // 2, 4, 2, 1, bias=last))
        self.layers = nn.Sequential(*layers)
        for layer in self.layers:
            if isinstance(layer, nn.ConvTranspose2d):
                nn.init.normal_(layer.weight, 0.0, 0.02)
                if layer.bias is not None:
                    nn.init.zeros_(layer.bias)

    def forward(self, codes: torch.Tensor) -> torch.Tensor:
        """Return images (N, 3, S, S) in [-1, 1] of codes (N, D)."""
        grown = self.layers(codes[:, :, None, None])
        return torch.tanh(self.scale * grown.to(codes.dtype))


class FactoredDiscriminator(nn.Module):
    """Images to a score, and to features and classes of each factor.

    Two blocks are shared, then every branch has its own down to 4 x 4. No norm, so that penalties
    on the gradient mean what they say.

    Parameters
    ----------
    settings : sizes
    factors : those with a classifier get a branch

    Source
    ------
    Abrevaya et al. 2019, section 4.2. Departures: He et al. 2015's initial weights, since DCGAN's
    leave a discriminator without norms at chance for minutes; images of deviation 1.
    """

    def __init__(self, settings: NetworkSettings, factors: Sequence[Factor]) -> None:
        super().__init__()
        width, shared = settings.discriminator_width, min(SHARED, settings.halvings - 1)
        self.shared = _blocks(3, width, 0, shared)
        names = [factor.name for factor in factors if factor.classified]
        self.branches = nn.ModuleDict(
            {
                name: _branch(settings, shared, features)
                for name, features in [
                    ("score", None),
                    *((f"factor_{n}", settings.features) for n in names),
                ]
            }
        )
        flat = width << (settings.halvings - 1) << 4
        self.score = nn.Linear(flat, 1)
        classes = {factor.name: len(factor.classes) for factor in factors}
        self.classes = nn.ModuleDict(
            {f"factor_{n}": nn.Linear(settings.features or flat, classes[n]) for n in names}
        )
        for layer in self.modules():
            if isinstance(layer, nn.Conv2d | nn.Linear):
                nn.init.kaiming_normal_(layer.weight, SLOPE)
                nn.init.zeros_(layer.bias)  # type: ignore[arg-type]

    def forward(
        self, images: torch.Tensor, factors: Sequence[str] = (), *, score: bool = True
    ) -> Heads:
        """Judge images (N, 3, S, S), standardised to deviation 1.

        Parameters
        ----------
        images : standardised
        factors : whose features and classes are wanted
        score : whether the score is
        """
        shared = self.shared(images)
        scores = None
        if score:
            scores = self.score(self.branches["score"](shared)).squeeze(1).to(images.dtype)
        features = {n: self.branches[f"factor_{n}"](shared).to(images.dtype) for n in factors}
        logits = {
            n: self.classes[f"factor_{n}"](item).to(images.dtype) for n, item in features.items()
        }
        return Heads(scores, features, logits)


def _blocks(channels: int, width: int, first: int, last: int) -> nn.Sequential:
    layers: list[nn.Module] = []
    for step in range(first, last):
        layers += [nn.Conv2d(channels, width << step, 4, 2, 1), nn.LeakyReLU(SLOPE)]
        channels = width << step
    return nn.Sequential(*layers)


def _branch(settings: NetworkSettings, shared: int, features: int | None) -> nn.Sequential:
    width, deep = settings.discriminator_width, settings.halvings
    layers = [*_blocks(width << (shared - 1), width, shared, deep), nn.Flatten()]
    if features is not None:
        flat = width << (deep - 1) << 4
        layers += [nn.Linear(flat, features), nn.LeakyReLU(SLOPE)]
    return nn.Sequential(*layers)


def image_deviation(images: torch.Tensor) -> float:
    """Return the deviation of training images from 0, sqrt(mean x^2), at least 1e-6."""
    return max(math.sqrt(float(images.float().square().mean())), 1e-6)
