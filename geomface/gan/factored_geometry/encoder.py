"""A network that guesses the code of a face: where fits begin."""

import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Literal

import numpy as np
import torch
from torch import nn

from geomface.arrays import BoolArray, FloatArray
from geomface.errors import SettingsError
from geomface.geometry_image.sampling import nearest_valid
from geomface.learning.randomness import seeded_initialisation, stream_generator

if TYPE_CHECKING:
    from geomface.gan.factored_geometry.model import FactoredModel
    from geomface.geometry_image.frame import GeometryFrame

SLOPE = 0.2
WIDTH = 24
BATCH = 64
_LR = 2e-3
_MOST_HIDDEN = 0.6


class CodeEncoder(nn.Module):
    """Images of which a part may be hidden to codes: strided convolutions, then one linear layer.

    Parameters
    ----------
    size : pixels a side, a power of two
    latent : length of a code
    width : channels of the first layer, doubled at each halving
    """

    gain: torch.Tensor
    """1 / the deviation of the generator's images."""

    def __init__(self, size: int, latent: int, width: int = WIDTH) -> None:
        super().__init__()
        self.settings = {"size": size, "latent": latent, "width": width}
        self.register_buffer("gain", torch.ones(()))
        layers: list[nn.Module] = []
        channels = 4
        for step in range(size.bit_length() - 3):
            layers += [nn.Conv2d(channels, width << step, 4, 2, 1, bias=False)]
            channels = width << step
            layers += [nn.BatchNorm2d(channels), nn.LeakyReLU(SLOPE)]
        self.layers = nn.Sequential(*layers, nn.Flatten(), nn.Linear(channels * 16, latent))

    def forward(self, images: torch.Tensor, seen: torch.Tensor) -> torch.Tensor:
        """Return codes (N, D) of images (N, 3, S, S) in [-1, 1] seen where (N, 1, S, S) is 1."""
        return self.layers(torch.cat([images * seen * self.gain, seen], dim=1))


def train_encoder(
    model: "FactoredModel",
    *,
    steps: int = 2000,
    seed: int = 0,
    width: int = WIDTH,
    precision: Literal["float32", "bfloat16"] = "float32",
    on_progress: Callable[[int, int], None] | None = None,
) -> CodeEncoder:
    """Train an encoder on the generator's own samples.

    min mean |e(G(z) m, m) - z|^2 over z ~ N(0, I) and masks m, half of which hide nothing and half
    up to 60 % of the image in one piece.

    Parameters
    ----------
    model : a trained one
    steps : of Adam, 64 samples each, with a rate that falls along a cosine
    seed : of weights, codes and masks; the same seed gives the same encoder
    width : of its first layer
    precision : bfloat16 takes half of the time on processors that know it
    on_progress : called with steps done and their number

    Raises
    ------
    SettingsError : steps below 1
    """
    if steps < 1:
        raise SettingsError(f"encoder: expected 1 or more steps, got {steps}.")
    size, latent = model.frame.size, model.spec.size
    with seeded_initialisation(seed, "encoder"):
        encoder = CodeEncoder(size, latent, width)
    draws = stream_generator(seed, "encoder/samples")
    with torch.no_grad():
        images = model.generator(torch.randn(BATCH, latent, generator=draws))
        encoder.gain.fill_(1.0 / max(float(images.square().mean().sqrt()), 1e-6))
    optimizer = torch.optim.Adam(encoder.parameters(), lr=_LR)
    for step in range(steps):
        optimizer.param_groups[0]["lr"] = _LR * 0.5 * (1 + math.cos(math.pi * step / steps))
        codes = torch.randn(BATCH, latent, generator=draws)
        masks = draw_masks(BATCH, size, draws)
        with torch.autocast("cpu", torch.bfloat16, enabled=precision == "bfloat16"):
            with torch.no_grad():
                images = model.generator(codes)
            guess = encoder(images, masks)
        loss = (guess.float() - codes).square().mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        if on_progress is not None:
            on_progress(step + 1, steps)
    return encoder.eval().requires_grad_(False)


def draw_masks(count: int, size: int, draws: torch.Generator) -> torch.Tensor:
    """Draw masks (N, 1, S, S), 1 where a face is seen.

    Half of them show everything. The others hide the share of the texels, up to 60 %, that is
    nearest to a random point in or about the image: the nearer the point, the rounder the hole.
    """
    line = (torch.arange(size) + 0.5) * (2.0 / size) - 1.0
    points = 4.0 * torch.rand(count, 2, generator=draws) - 2.0
    distances = (line - points[:, :1]).square()[:, None, :]
    distances = distances + (line - points[:, 1:]).square()[:, :, None]
    shares = _MOST_HIDDEN * torch.rand(count, generator=draws)
    shares[::2] = 0.0
    ranked = distances.flatten(1).sort(dim=1).values
    nearest = ranked.gather(1, (shares * (size * size)).long()[:, None])
    return (distances >= nearest[:, :, None]).float()[:, None]


@torch.no_grad()
def encode_faces(
    model: "FactoredModel", vertices: FloatArray, visible: BoolArray, *, batch: int = 256
) -> torch.Tensor:
    """Return the encoder's codes (N, D) of faces (N, V, 3) of which some vertices are visible.

    Raises
    ------
    SettingsError : the model has no encoder
    """
    if model.encoder is None:
        raise SettingsError(
            'start: this model has no encoder yet. Train one (train_encoder), or start at "random".'
        )
    found = []
    for rows in np.array_split(np.arange(len(vertices)), -(-len(vertices) // batch)):
        images = torch.from_numpy(model.frame.to_images(vertices[rows]))
        seen = torch.from_numpy(visible_texels(model.frame, visible[rows]))
        found.append(model.encoder(images, seen))
    return torch.cat(found)


def visible_texels(frame: "GeometryFrame", visible: BoolArray) -> np.ndarray:
    """Return masks (N, 1, S, S) float32: 1 at texels whose three vertices are all visible.

    The gutter takes the nearest covered texel, as in images.
    """
    sampling = frame.encoder.sampling
    masks = np.zeros((len(visible), sampling.mask.size), np.float32)
    masks[:, sampling.texels] = visible[:, sampling.corners].all(axis=2)
    empty, sources = nearest_valid(sampling.mask)
    masks[:, empty] = masks[:, sources]
    return masks.reshape(-1, 1, *sampling.mask.shape)
