"""What true faces say, measured once for all generators that are held against them."""

import dataclasses
from collections.abc import Mapping

import numpy as np

from geomface.arrays import FloatArray, IndexArray
from geomface.datasets.labelled_faces import LabelledFaces
from geomface.errors import SettingsError, TopologyMismatchError
from geomface.gan.factored_geometry.embedding import Embedding
from geomface.geometry_image import GeometryFrame
from geomface.learning.errors import DatasetError
from geomface.mesh.laplacian import cotangent_laplacian
from geomface.metrics import SameThreshold, balanced_pairs, choose_threshold, pair_distances

_BLOCK = 256
THRESHOLD_PAIRS = 10_000


@dataclasses.dataclass(frozen=True, eq=False)
class TrueFaces:
    """Training faces, held-out faces and what embeddings say about the latter.

    Parameters
    ----------
    training : what generators were trained on
    held_out : labelled faces of people that none was trained on
    shown : (N, V, 3) float32, the held-out faces as images and their decoder show them
    embeddings : {factor: what tells its classes apart}
    embedded : {factor: (N, D)} of `shown`
    thresholds : {factor: from which distance on two are not the same}, the most accurate
    loosest : the same, the largest whose false acceptance is allowed
    centres : {factor: (K, D)} mean of each class, of factors whose classes training has too
    mean : (V, 3) mm, of the training faces
    seed : of the pairs that thresholds were chosen on
    """

    training: LabelledFaces
    held_out: LabelledFaces
    shown: np.ndarray
    embeddings: Mapping[str, Embedding]
    embedded: Mapping[str, FloatArray]
    thresholds: Mapping[str, SameThreshold]
    loosest: Mapping[str, SameThreshold]
    centres: Mapping[str, FloatArray]
    mean: FloatArray
    seed: int = 0

    def roughness(self, meshes: np.ndarray) -> FloatArray:
        """Return (N,) mm, the mean length of L (v - mean), L the cotangent Laplacian of the mean.

        Noise is rough: it is what total variation and the decoder's alpha work against.
        """
        laplacian = cotangent_laplacian(self.mean, self.training.template.mesh.faces).tocsr()
        moved = np.moveaxis(np.asarray(meshes, np.float64) - self.mean, 0, 1)
        bent = laplacian @ moved.reshape(len(self.mean), -1)
        lengths = np.linalg.norm(bent.reshape(len(self.mean), -1, 3), axis=2)
        return lengths.mean(axis=0)

    def nearest_class(self, factor: str, embedded: FloatArray) -> IndexArray:
        """Return (N,) the class of a factor whose mean is nearest to each description."""
        gaps = np.linalg.norm(embedded[:, None] - self.centres[factor], axis=2)
        return gaps.argmin(axis=1)


def measure_truth(
    training: LabelledFaces,
    held_out: LabelledFaces,
    embeddings: Mapping[str, Embedding],
    *,
    frame: GeometryFrame | None = None,
    alpha: float = 1.2,
    most_false: float = 0.1,
    seed: int = 0,
) -> TrueFaces:
    """Choose thresholds on held-out faces that went the way that generated ones go.

    Parameters
    ----------
    training : what generators were trained on
    held_out : other people's faces, with labels of the factors of `embeddings`
    embeddings : {factor: embedding}
    frame, alpha : images and decoder that the held-out faces go through; None leaves them as they
        are
    most_false : largest share of pairs of two classes that a threshold may call the same
    seed : of the pairs

    Raises
    ------
    TopologyMismatchError : sets of different vertex counts
    DatasetError : no held-out faces, or none with labels of a factor
    """
    if held_out.vertices.shape[1:] != training.vertices.shape[1:]:
        raise TopologyMismatchError(
            f"held-out faces: expected {training.vertices.shape[1]} vertices as in training, got "
            f"{held_out.vertices.shape[1]}."
        )
    if not len(held_out) or not len(training):
        raise DatasetError(
            f"evaluation: expected training and held-out faces, got {len(training)} and "
            f"{len(held_out)}. Hold a larger share out, or draw more people."
        )
    shown = _through(frame, held_out.vertices, alpha)
    embedded = {factor: embedding(shown) for factor, embedding in embeddings.items()}
    thresholds, loosest, centres = {}, {}, {}
    for factor, rows in embedded.items():
        labels = true_labels(held_out, factor)
        try:
            pairs, same = balanced_pairs(labels, count=THRESHOLD_PAIRS, seed=seed)
        except SettingsError as error:
            raise DatasetError(f"held-out faces, labels of {factor}: {error}") from error
        distances = pair_distances(rows, pairs)
        thresholds[factor] = choose_threshold(distances, same, most_false=most_false)
        loosest[factor] = choose_threshold(distances, same, most_false=most_false, loosest=True)
        classes = held_out.classes[factor]
        seen = np.bincount(labels[labels >= 0], minlength=len(classes)) > 0
        if classes == training.classes.get(factor) and seen.all():
            found = [rows[labels == label].mean(axis=0) for label in range(len(classes))]
            centres[factor] = np.stack(found)
    mean = training.vertices.mean(axis=0, dtype=np.float64)
    return TrueFaces(
        training, held_out, shown, embeddings, embedded, thresholds, loosest, centres, mean, seed
    )


def true_labels(faces: LabelledFaces, factor: str) -> IndexArray:
    """Return (N,) labels of a factor: the truth where the set was drawn, else what is known."""
    for labels in (faces.truth, faces.labels):
        if factor in labels:
            return labels[factor]
    known = ", ".join(faces.labels) or "none"
    raise DatasetError(f"expected labels of {factor}, the faces have those of {known}.")


def _through(frame: GeometryFrame | None, vertices: np.ndarray, alpha: float) -> np.ndarray:
    """Return faces as an image and its decoder show them, (N, V, 3) float32."""
    if frame is None:
        return np.asarray(vertices, np.float32)
    shown = np.empty(vertices.shape, np.float32)
    for start in range(0, len(vertices), _BLOCK):
        block = slice(start, start + _BLOCK)
        shown[block] = frame.to_vertices(frame.to_images(vertices[block]), alpha)
    return shown
