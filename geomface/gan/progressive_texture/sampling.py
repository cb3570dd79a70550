"""Drawing images from a trained generator."""

import dataclasses
from pathlib import Path
from typing import Any, cast

import numpy as np
import torch

from geomface.errors import SettingsError
from geomface.files.assets import asset_path
from geomface.files.reading import taking_apart
from geomface.files.settings import settings_from_json
from geomface.gan.progressive_texture.settings import SYSTEM, Networks
from geomface.gan.progressive_texture.task import build_generator
from geomface.learning.trained import load_trained
from geomface.mesh.uv_fingerprint import Fingerprint


@dataclasses.dataclass(frozen=True, eq=False)
class TrainedGenerator:
    """A generator that is ready to be sampled, with what its checkpoint tells.

    Parameters
    ----------
    network : the moving average of the trained one
    latent : length of a latent vector
    level, alpha : how far it has grown
    step : steps trained
    config : of the checkpoint, such as the range of geometry images
    """

    network: torch.nn.Module
    latent: int
    level: int
    alpha: float
    step: int
    config: dict[str, Any]

    @property
    def uv_fingerprint(self) -> Fingerprint | None:
        """Of the uv that its images are for, None where the training data did not say."""
        found = self.config.get("uv_fingerprint")
        return None if found is None else tuple(found)


def load_generator(run: Path | str | None = None) -> TrainedGenerator:
    """Read the averaged generator of a run's newest checkpoint, or of one file.

    Parameters
    ----------
    run : run directory, checkpoint or model file; None is the generator of textures that ships
        with the package

    Raises
    ------
    FileFormatError, CheckpointError : no such run, no checkpoint, or not one of this system

    Example
    -------
    >>> import geomface as gf
    >>> generator = gf.load_generator()  # the one that ships; a run: gf.load_generator("my-gan")
    >>> tuple(gf.sample_images(generator, 2, seed=5).shape)[:2]
    (2, 3)
    """
    if run is None:
        run = asset_path(f"{SYSTEM}/generator.safetensors")
    model = load_trained(run, system=SYSTEM)
    sizes = (model.config or {}).get("networks")
    networks = settings_from_json(cast(Any, Networks), sizes, f"{model.path}: networks")
    network = model.build("generator_ema", lambda: build_generator(networks))
    with taking_apart(model.path, "a generator with its level of growth"):
        level = int(model.scalars["level"]) or networks.top
        alpha = float(model.scalars.get("alpha", 1.0))
        if not (2 <= level <= networks.top and 0 <= alpha <= 1):
            raise ValueError(f"level {level}, share {alpha}")
    return TrainedGenerator(
        network.eval().requires_grad_(False),
        networks.latent,
        level,
        alpha,
        model.step,
        model.config,
    )


@torch.no_grad()
def sample_images(
    generator: TrainedGenerator, count: int, *, seed: int = 0, batch: int = 64
) -> torch.Tensor:
    """Draw images (count, 3, S, S) in [-1, 1].

    Image i depends on the seed and on i only, whatever `count` and `batch`.

    Parameters
    ----------
    generator : from `load_generator`
    count : images
    seed : of the latents
    batch : images at a time

    Raises
    ------
    SettingsError : count below 1

    Example
    -------
    >>> import geomface as gf
    >>> images = gf.sample_images(gf.load_generator(), 4, seed=5)  # (4, 3, H, W) in [-1, 1]
    >>> len(images), bool(images.abs().max() <= 1)
    (4, True)
    """
    if count < 1:
        raise SettingsError(f"count: expected 1 or more images, got {count}.")
    latents = np.stack(
        [
            np.random.default_rng([seed, index]).standard_normal(generator.latent, np.float32)
            for index in range(count)
        ]
    )
    parts = [
        generator.network(torch.from_numpy(part), generator.level, generator.alpha)
        for part in np.split(latents, range(batch, count, batch))
    ]
    return torch.cat(parts).clamp(-1, 1)
