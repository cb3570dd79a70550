"""Distances between sets of images and of descriptors, and how new generated ones are."""

from geomface.metrics.embedding import AnnotationResult, annotate, embed_in_plane
from geomface.metrics.features import RandomFeatures, extract_features
from geomface.metrics.frechet import frechet_distance, kernel_distance
from geomface.metrics.identity import (
    VerificationResult,
    identity_distance,
    verify_identities,
)
from geomface.metrics.novelty import (
    NoveltyResult,
    masked_nearest_distances,
    nearest_distances,
    novelty,
    novelty_of_distances,
)
from geomface.metrics.pyramid import laplacian_pyramid, rebuild_image
from geomface.metrics.sliced_wasserstein import (
    SlicedWassersteinResult,
    SlicedWassersteinSettings,
    sliced_wasserstein,
)

__all__ = [
    "AnnotationResult",
    "NoveltyResult",
    "RandomFeatures",
    "SlicedWassersteinResult",
    "SlicedWassersteinSettings",
    "VerificationResult",
    "annotate",
    "embed_in_plane",
    "extract_features",
    "frechet_distance",
    "identity_distance",
    "kernel_distance",
    "laplacian_pyramid",
    "masked_nearest_distances",
    "nearest_distances",
    "novelty",
    "novelty_of_distances",
    "rebuild_image",
    "sliced_wasserstein",
    "verify_identities",
]
