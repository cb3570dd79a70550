"""Meshes from a generator of geometry images."""

import dataclasses
from collections.abc import Iterator

import numpy as np

from geomface.arrays import FloatArray
from geomface.errors import SettingsError
from geomface.gan.progressive_texture.sampling import TrainedGenerator, sample_images
from geomface.geometry_image import PAPER_ALPHA, GeometryImageDecoder, GeometryImageEncoder
from geomface.mesh import Mesh, require_same_topology


def generated_vertices(
    generator: TrainedGenerator, template: Mesh, count: int, *, seed: int = 0
) -> Iterator[FloatArray]:
    """Yield vertices (V, 3) in mm: geometry image i as `sample_images` draws it, decoded.

    Parameters
    ----------
    generator : trained with `kind` geometry
    template : mesh with uv, mm, of the geometry images
    count : faces
    seed : of the latents

    Raises
    ------
    SettingsError : a generator of textures
    TopologyMismatchError : another template

    Source
    ------
    Shamai, Slossberg, Kimmel 2018, Sec. 8; the decoder is that of Abrevaya et al. 2019, Eq. 4.
    """
    config = generator.config
    if config.get("kind") != "geometry":
        raise SettingsError(
            f"geometry: expected a generator of geometry images, got one of {config.get('kind')}. "
            "Train one with '--kind geometry'."
        )
    require_same_topology(template, config["topology_id"])
    images = sample_images(generator, count, seed=seed)
    size = images.shape[-1]
    low, high = (np.asarray(config[name], np.float32) for name in ("low", "high"))
    mode = config.get("mode", "absolute")
    blank = GeometryImageEncoder(template, size).encode(template.vertices, mode=mode)
    decoder = GeometryImageDecoder(template, size, alpha=PAPER_ALPHA)
    for image in images.permute(0, 2, 3, 1).numpy():
        pixels = 0.5 * (image + 1.0) * (high - low) + low
        yield decoder.decode(dataclasses.replace(blank, pixels=pixels.astype(np.float32)))
