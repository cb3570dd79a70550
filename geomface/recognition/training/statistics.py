"""Normalisations that know the pictures an embedder will be used on."""

import copy
import dataclasses

import numpy as np
import torch
from torch import nn

from geomface.learning.errors import DatasetError
from geomface.recognition.aligned.aligned_faces import AlignedFaces
from geomface.recognition.embedder.face_embedder import FaceEmbedder

_CHUNK = 256
ENOUGH = 16
"""Pictures from which their statistics do better than those of another kind of pictures."""


def adapt_statistics(embedder: FaceEmbedder, faces: AlignedFaces) -> FaceEmbedder:
    """Return an embedder whose normalisations have the statistics of some pictures.

    mu, v <- mean and variance of what each normalisation is given, over the pictures, while those
    before it normalise by the pictures' statistics, too

    Nobody's name counts: some dozens of pictures of the camera at hand will do. Light and contrast
    of another kind of pictures are thus taken off in every layer, where they were taken for
    differences between people. Weights stay, and so does a whitening: fit it anew.

    Parameters
    ----------
    embedder : is left as it is
    faces : of the embedder's alignment, two pictures or more; fewer than `ENOUGH` do harm

    Raises
    ------
    DatasetError : fewer than two pictures
    SettingsError : another alignment

    Source
    ------
    Li et al. 2016, Revisiting batch normalization for practical domain adaptation; Wu and Johnson
    2021, Rethinking "batch" in BatchNorm, Sec. 3, for statistics after a training.
    """
    if len(faces) < 2:
        raise DatasetError(
            f"statistics of pictures: expected two pictures or more, got {len(faces)}. Add some, "
            "or leave the embedder as it is."
        )
    network = copy.deepcopy(embedder.network).train()
    for layer in network.modules():
        if isinstance(layer, nn.modules.batchnorm._BatchNorm):
            layer.reset_running_stats()
            layer.momentum = None  # an even mean over the parts
        elif isinstance(layer, nn.modules.dropout._DropoutNd):
            layer.eval()
    device = next(network.parameters()).device
    with torch.no_grad():
        for part in np.array_split(np.arange(len(faces)), -(-len(faces) // _CHUNK)):
            network(faces.batch(torch.from_numpy(part))["images"].to(device))
    return dataclasses.replace(embedder, network=network.eval())
