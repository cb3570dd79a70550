"""Identity descriptors: points of the unit sphere, near for one person and far for two."""

import functools
from collections.abc import Iterable
from itertools import islice
from typing import TYPE_CHECKING

import numpy as np
import torch

from geomface.arrays import FloatArray, ImageArray, require_shape
from geomface.errors import SettingsError
from geomface.mesh import Mesh, Template
from geomface.recognition.embedder.framing import FACE_SHARE, frame_pictures
from geomface.recognition.embedder.network import DESCRIPTOR_SIZE
from geomface.recognition.embedder.weights import load_embedder
from geomface.recognition.frontal_training.old_view import FrontalView, faces_of

if TYPE_CHECKING:
    from geomface.recognition.embedder.network import IdentityNetwork

BATCH = 128
"""Pictures at a time."""


def describe_faces(
    faces: Iterable[Mesh] | np.ndarray,
    template: Template,
    *,
    textures: np.ndarray | None = None,
    network: "IdentityNetwork | None" = None,
) -> FloatArray:
    """Return the identity descriptors of faces: a frontal picture of each, then the embedder.

    Parameters
    ----------
    faces : meshes of the template's topology with their texture or vertex colours, drawn a few at
        a time, so an iterator may yield many; or vertices (N, V, 3)
    template : with the 68 landmarks, which frame the picture
    textures : (N, H, W, 3) float32 in [0, 1] in the template's uv, for faces given as vertices
    network : the embedder, default the one that ships with geomface

    Returns
    -------
    (N, 128) float64 of length 1; compare them by their cosine or Euclidean distance

    Raises
    ------
    LandmarkError, TopologyMismatchError, MeshError : as `FrontalView`
    SettingsError : textures beside meshes, which have their own; no uv to read them at
    FileFormatError : the embedder's file is missing or damaged

    Convention
    ----------
    Colour and shape both tell who somebody is: compare textured faces with textured ones.

    Source
    ------
    Shamai, Slossberg, Kimmel 2018, Sec. 10: 128 numbers of a frontal render. Their descriptor is
    OpenFace's; this embedder knows our own synthetic people only.
    """
    if isinstance(faces, np.ndarray):
        if textures is not None and template.mesh.uv is None:
            raise SettingsError(
                f"{template.mesh.name}: textures need a template with uv, got one without. Unwrap "
                "it first."
            )
        faces = faces_of(faces, template, textures)
    elif textures is not None:
        raise SettingsError(
            "describe_faces: expected textures beside vertices only, got them beside meshes. Put "
            "each into its mesh."
        )
    pictures = FrontalView(template).pictures(faces)
    return _described(iter(lambda: list(islice(pictures, BATCH)), []), network)


def describe_pictures(
    pictures: ImageArray,
    *,
    face_share: float = FACE_SHARE,
    network: "IdentityNetwork | None" = None,
) -> FloatArray:
    """Return the identity descriptors of frontal pictures.

    Parameters
    ----------
    pictures : (N, H, W, 3) float32 in [0, 1]; the largest square in the middle is looked at
    face_share : height of the mean face, forehead to chin, as a share of the pictures' shorter
        side, 0.68 in synthetic faces by default; they are cut or framed in black to the
        embedder's share
    network : the embedder, default the one that ships with geomface

    Returns
    -------
    (N, 128) float64 of length 1

    Raises
    ------
    SettingsError : another shape, values beyond [0, 1], NaN, a share out of (0, 4]
    """
    images = require_shape(pictures, (None, None, None, 3), "pictures to describe", SettingsError)
    if not 0 < face_share <= 4:
        raise SettingsError(
            f"face_share: expected more than 0 and at most 4 heights, got {face_share}."
        )
    if 0 in images.shape[1:3]:
        raise SettingsError(f"pictures to describe: expected pixels, got shape {images.shape}.")
    parts = (images[start : start + BATCH] for start in range(0, len(images), BATCH))
    return _described((frame_pictures(_checked(part), face_share) for part in parts), network)


@functools.cache
def shipped_embedder() -> "IdentityNetwork":
    """Return the embedder that ships with geomface, read once."""
    return load_embedder()


def _described(
    batches: Iterable[list[ImageArray] | ImageArray], network: "IdentityNetwork | None"
) -> FloatArray:
    network = shipped_embedder() if network is None else network
    found = [np.empty((0, DESCRIPTOR_SIZE))]
    with torch.inference_mode():
        for batch in batches:
            images = torch.from_numpy(np.ascontiguousarray(batch, np.float32))
            seen = network((2.0 * images - 1.0).permute(0, 3, 1, 2))
            found.append(seen.double().numpy())
    return np.concatenate(found)


def _checked(images: np.ndarray) -> ImageArray:
    low, high = float(images.min()), float(images.max())
    if not (low >= -1e-4 and high <= 1.0 + 1e-4):
        raise SettingsError(
            f"pictures to describe: expected values in [0, 1], got {low:g} to {high:g}. Divide "
            "8-bit values by 255."
        )
    return images.astype(np.float32)
