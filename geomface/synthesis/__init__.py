"""Labelled synthetic face images: distributions, parameters, pictures, readers.

Pictures on disk are made by `geomface.pipeline.face_images.generate_faces`.
"""

from geomface.synthesis.distribution_text import format_distribution, parse_distribution
from geomface.synthesis.distributions import (
    Constant,
    Distribution,
    DistributionError,
    Empirical,
    Gaussian,
    Mixture,
    Uniform,
    draw,
    draw_many,
    mean_of,
    variance_of,
)
from geomface.synthesis.grids import FACTORS
from geomface.synthesis.identities import (
    Person,
    draw_person,
    identity_at_cosine,
    identity_at_distance,
    mix_identities,
)
from geomface.synthesis.manifest import FaceRecord, SyntheticFaces, load_synthetic
from geomface.synthesis.parameters import FaceParameters, draw_parameters
from geomface.synthesis.sampler import FaceBatch, FaceSampler
from geomface.synthesis.settings import (
    BackgroundSettings,
    CameraSettings,
    ExpressionSettings,
    FaceImageSettings,
    IdentitySettings,
    LightSettings,
    PhotoSettings,
    PoseSettings,
)
from geomface.synthesis.streams import stream

__all__ = [
    "FACTORS",
    "BackgroundSettings",
    "CameraSettings",
    "Constant",
    "Distribution",
    "DistributionError",
    "Empirical",
    "ExpressionSettings",
    "FaceBatch",
    "FaceImageSettings",
    "FaceParameters",
    "FaceRecord",
    "FaceSampler",
    "Gaussian",
    "IdentitySettings",
    "LightSettings",
    "Mixture",
    "Person",
    "PhotoSettings",
    "PoseSettings",
    "SyntheticFaces",
    "Uniform",
    "draw",
    "draw_many",
    "draw_parameters",
    "draw_person",
    "format_distribution",
    "identity_at_cosine",
    "identity_at_distance",
    "load_synthetic",
    "mean_of",
    "mix_identities",
    "parse_distribution",
    "stream",
    "variance_of",
]
