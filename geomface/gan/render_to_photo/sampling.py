"""Photographs made of renders by a trained translator, and how good each of them is."""

import dataclasses
from collections.abc import Sequence
from pathlib import Path
from typing import Any, cast

import numpy as np
import torch

from geomface.arrays import FloatArray, ImageArray, require_shape
from geomface.errors import FileFormatError, SettingsError
from geomface.files.assets import asset_path
from geomface.files.settings import settings_from_json
from geomface.gan.render_to_photo.losses import picture_errors, reconstruction_errors
from geomface.gan.render_to_photo.networks import Autoencoder, Translator
from geomface.gan.render_to_photo.settings import SYSTEM, NetworkSettings
from geomface.learning.randomness import stream_generator
from geomface.learning.trained import load_trained
from geomface.recognition.alignment.reference import Alignment, alignment_of
from geomface.recognition.embedder.embedder_module import EmbedderModule
from geomface.recognition.embedder.face_embedder import FaceEmbedder

ASSET = "render_to_photo/translator.safetensors"
"""The translator that ships."""
USED = ("generator_ema", "inverse_ema", "photographs_discriminator_ema")
"""Networks that a translator is made of."""
_BATCH = 16


@dataclasses.dataclass(frozen=True, eq=False)
class TranslatedPictures:
    """Photographs of renders.

    Parameters
    ----------
    pictures : (N, S, S, 3) float32 in [0, 1]
    realism : (N,) how badly the judge of photographs draws them again, |y - D_R(y)|
    cycle : (N,) how far what they are led back to is from the render, |G'(y) - x|
    identity : (N,) cosine of the descriptors of photograph and render, where it was asked for
    """

    pictures: ImageArray
    realism: FloatArray
    cycle: FloatArray
    identity: FloatArray | None = None


@dataclasses.dataclass(frozen=True, eq=False)
class RenderTranslator:
    """A trained translator with what it takes to judge its pictures.

    Parameters
    ----------
    generator, inverse, judge : moving averages of G, G' and D_R
    alignment : of the pictures
    step : steps trained
    config : of the checkpoint
    """

    generator: Translator
    inverse: Translator
    judge: Autoencoder
    alignment: Alignment
    step: int
    config: dict[str, Any]

    @torch.no_grad()
    def translate(
        self,
        pictures: ImageArray,
        names: Sequence[str],
        *,
        seed: int = 0,
        embedder: FaceEmbedder | None = None,
    ) -> TranslatedPictures:
        """Return photographs of renders.

        What is dropped in a picture depends on the seed and its name only.

        Parameters
        ----------
        pictures : (N, S, S, 3) float32 in [0, 1], aligned as in the training
        names : of the pictures
        seed : of what is dropped
        embedder : tells whether photograph and render show the same person

        Raises
        ------
        SettingsError : pictures of another shape, or another number of names
        """
        size = self.alignment.height
        shape = (len(names), size, size, 3)
        images = require_shape(pictures, shape, "renders", SettingsError)
        who = None if embedder is None else EmbedderModule(embedder, self.alignment).eval()
        noise_shape = self.generator.noise_shape(size)
        parts: list[list[np.ndarray]] = []
        for start in range(0, len(names), _BATCH):
            part = torch.from_numpy(np.ascontiguousarray(images[start : start + _BATCH]))
            renders = (2.0 * part.float() - 1.0).permute(0, 3, 1, 2)
            noise = torch.stack(
                [
                    torch.rand(noise_shape, generator=stream_generator(seed, f"dropout/{name}"))
                    for name in names[start : start + _BATCH]
                ]
            )
            made = self.generator(renders, noise)
            realism = reconstruction_errors(self.judge, made)
            cycle = picture_errors(self.inverse(made), renders)
            shown = (0.5 * made + 0.5).clamp(0.0, 1.0).permute(0, 2, 3, 1)
            columns = [shown, realism.double(), cycle.double()]
            if who is not None:
                columns.append((who(made) * who(renders)).sum(1).double())
            parts.append([column.numpy() for column in columns])
        if not parts:
            return TranslatedPictures(np.empty(shape, np.float32), np.empty(0), np.empty(0))
        return TranslatedPictures(*map(np.concatenate, zip(*parts, strict=True)))


def load_translator(run: Path | str | None = None) -> RenderTranslator:
    """Read the averaged networks of a run's newest checkpoint, or of one file.

    Parameters
    ----------
    run : run directory, checkpoint or model file; None is the translator that ships

    Raises
    ------
    FileFormatError, CheckpointError : no such run, no checkpoint, not one of this system, or one
        with numbers that are not finite
    """
    model = load_trained(asset_path(ASSET) if run is None else run, system=SYSTEM)
    config = model.config if isinstance(model.config, dict) else {}
    sizes = settings_from_json(NetworkSettings, config.get("networks"), f"{model.path}: networks")
    alignment = alignment_of(str(config.get("alignment")))
    if (alignment.height, alignment.width) != (sizes.size, sizes.size):
        raise FileFormatError(
            f"{model.path}: expected pictures aligned to the {sizes.size} pixels of the networks, "
            f"got {alignment.id}. Export or copy it again."
        )
    generator, inverse, judge = map(
        model.build,
        USED,
        (
            lambda: Translator(sizes),
            lambda: Translator(sizes, inverse=True),
            lambda: Autoencoder(sizes),
        ),
    )
    for network in (generator, inverse, judge):
        network.eval().requires_grad_(False)
    return RenderTranslator(
        cast(Translator, generator),
        cast(Translator, inverse),
        cast(Autoencoder, judge),
        alignment,
        model.step,
        config,
    )
