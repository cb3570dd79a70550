"""Identity descriptors: points of the unit sphere, near for one person and far for two."""

import functools
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice, repeat

import numpy as np

from geomface.arrays import FloatArray
from geomface.errors import LandmarkError, SettingsError
from geomface.mesh import Mesh, Template
from geomface.recognition.alignment.warp import align_face
from geomface.recognition.embedder.face_embedder import FaceEmbedder, landmarks_of, load_embedder
from geomface.recognition.frontal import FrontalView, faces_of

_BATCH = 64
_SHARPER = 2
"""Pixels of a frontal picture a pixel of the aligned face, along its height."""


def describe_faces(
    faces: Iterable[Mesh] | np.ndarray,
    template: Template,
    *,
    textures: np.ndarray | None = None,
    embedder: FaceEmbedder | None = None,
) -> FloatArray:
    """Return the identity descriptors of faces: a frontal picture of each, then the embedder.

    Where the landmarks are in the picture is known, so none are sought.

    Parameters
    ----------
    faces : meshes of the template's topology with their texture or vertex colours, drawn a few at
        a time, so an iterator may yield many; or vertices (N, V, 3)
    template : with the 68 landmarks, which frame the picture and align the face
    textures : (N, H, W, 3) float32 in [0, 1] in the template's uv, for faces given as vertices
    embedder : default the one that ships with geomface

    Returns
    -------
    (N, D) float64 of length 1; compare them by their cosine or Euclidean distance

    Raises
    ------
    LandmarkError, TopologyMismatchError, MeshError : as `FrontalView`
    SettingsError : textures beside meshes, which have their own; no uv to read them at
    FileFormatError : the embedder's file is missing or damaged

    Convention
    ----------
    Colour and shape both tell who somebody is: compare textured faces with textured ones, and
    renders with renders: a photograph of the same person lies elsewhere.

    Source
    ------
    Shamai, Slossberg, Kimmel 2018, Sec. 10: 128 numbers of a frontal render. Their descriptor is
    OpenFace's; this embedder knows synthetic people only.
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
    embedder = shipped_embedder() if embedder is None else embedder
    view = FrontalView(template, _SHARPER * embedder.alignment.height)
    return _described(view.pictures(faces), embedder)


def describe_pictures(
    pictures: np.ndarray | Sequence[np.ndarray],
    landmarks: FloatArray | Sequence[FloatArray] | None = None,
    *,
    embedder: FaceEmbedder | None = None,
) -> FloatArray:
    """Return the identity descriptors of the faces in pictures.

    Parameters
    ----------
    pictures : (N, H, W, 3), or N pictures of any sizes, as `align_face` takes them
    landmarks : (N, 68, 2) pixels where they are known, as of synthetic pictures; None finds those
        of the main face of each
    embedder : default the one that ships with geomface

    Returns
    -------
    (N, D) float64 of length 1

    Raises
    ------
    LandmarkError : no picture or no face in it, not landmarks for each
    """
    if landmarks is not None and len(landmarks) != len(pictures):
        raise LandmarkError(
            f"pictures to describe: expected landmarks of {len(pictures)} pictures, got "
            f"{len(landmarks)}. Give None to have them found."
        )
    if isinstance(pictures, np.ndarray) and pictures.ndim == 3 and pictures.shape[-1] == 3:
        raise LandmarkError(
            f"pictures to describe: expected several, (N, H, W, 3), got one of {pictures.shape}. "
            "Give picture[None]."
        )
    embedder = shipped_embedder() if embedder is None else embedder
    return _described(
        zip(pictures, repeat(None) if landmarks is None else landmarks, strict=False), embedder
    )


@functools.cache
def shipped_embedder() -> FaceEmbedder:
    """Return the embedder that ships with geomface, read once."""
    return load_embedder()


def _described(
    faces: Iterator[tuple[np.ndarray, FloatArray | None]], embedder: FaceEmbedder
) -> FloatArray:
    """Return the descriptors of pictures and their landmarks, a few faces in memory at a time."""
    found = [np.empty((0, embedder.network.descriptor_size))]
    while part := list(islice(faces, _BATCH)):
        aligned = [
            align_face(
                picture, landmarks_of(picture) if points is None else points, embedder.alignment
            )
            for picture, points in part
        ]
        found.append(embedder.embed(np.stack(aligned)))
    return np.concatenate(found)
