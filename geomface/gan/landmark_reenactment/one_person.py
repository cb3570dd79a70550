"""Frames that are moved into each other although they show different people: mistakes found."""

import numpy as np
import torch

from geomface.arrays import BoolArray, FloatArray
from geomface.gan.landmark_reenactment.data import FaceFrames
from geomface.gan.landmark_reenactment.seen import CropEmbedder
from geomface.learning.data import network_values
from geomface.recognition.embedder.face_embedder import FaceEmbedder

LEAST_COSINE = 0.7
"""Between the means of the two halves of a group below which they seem to be two people."""
_LOOKED_AT = 12
_BATCH = 32
_ROUNDS = 5


@torch.no_grad()
def mixed_groups(
    frames: FaceFrames, embedder: FaceEmbedder, least: float = LEAST_COSINE
) -> tuple[str, ...]:
    """Return a sentence for each group of frames that seems to show different people.

    The descriptors of up to 12 frames of a group are parted into the two halves that lie furthest
    apart (2-means from the first principal direction); their means are compared.

    Parameters
    ----------
    frames : groups of two frames or more are looked at
    embedder : tells who it is
    least : cosine of the means from which both halves are one person

    Convention
    ----------
    With the embedder that ships, 50 people who do not exist have 0.80 and more over their poses and
    expressions, pairs of them 0.64 and less. Real people may look more alike: of two in one group
    most are found, not all.
    """
    look = CropEmbedder(embedder).eval()
    known = np.isfinite(frames.points).all(axis=(1, 2))
    notes = []
    for group in np.unique(frames.groups):
        rows = np.flatnonzero((frames.groups == group) & known)
        if len(rows) < 2:
            continue
        order = rows[np.argsort(frames.moments[rows])]
        spread = np.linspace(0, len(order) - 1, min(len(order), _LOOKED_AT)).round().astype(int)
        chosen = order[spread]
        cosine, second = _halves(_descriptors(look, frames, chosen))
        if cosine < least:
            one, two = (frames.names[chosen[np.flatnonzero(half)[0]]] for half in (~second, second))
            notes.append(
                f"{one} and {two} of one group seem to show different people (cosine of their "
                f"descriptors {cosine:.2f}, expected {least:g} or more). If they do, put them into "
                "folders of their own: faces would be moved into each other."
            )
    return tuple(notes)


def _descriptors(look: CropEmbedder, frames: FaceFrames, rows: np.ndarray) -> FloatArray:
    parts = []
    for start in range(0, len(rows), _BATCH):
        some = rows[start : start + _BATCH]
        images, points = network_values(frames.images[some]), network_values(frames.points[some])
        parts.append(look(images, points).numpy())
    return np.concatenate(parts)


def _halves(descriptors: FloatArray) -> tuple[float, BoolArray]:
    """Return the cosine of the means of two halves, and which rows are of the second."""
    around = descriptors - descriptors.mean(axis=0)
    first = np.linalg.svd(around, full_matrices=False)[2][0]
    second = around @ first > 0
    for _ in range(_ROUNDS):
        if second.all() or not second.any():
            return 1.0, second
        means = np.stack([descriptors[half].mean(axis=0) for half in (~second, second)])
        means /= np.linalg.norm(means, axis=1, keepdims=True)
        near = descriptors @ means.T
        second = near[:, 1] > near[:, 0]
    return float(means[0] @ means[1]), second
