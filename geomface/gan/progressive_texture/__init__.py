"""A progressive GAN for facial textures and geometry images that learns from corrupted scans.

Shamai, Slossberg, Kimmel: Synthesizing facial photometries and corresponding geometries using
generative adversarial networks, 2018.
"""

from geomface.gan.progressive_texture.comparison import SetComparison, compare_sets
from geomface.gan.progressive_texture.evaluation import measure_distances, measure_red_circles
from geomface.gan.progressive_texture.joint import JointModel, fit_joint_model, textured_faces
from geomface.gan.progressive_texture.networks import (
    GrowingDiscriminator,
    GrowingGenerator,
    GrowingNetworkSettings,
)
from geomface.gan.progressive_texture.sampling import (
    TrainedGenerator,
    load_generator,
    sample_images,
)
from geomface.gan.progressive_texture.settings import (
    ARMS,
    RECIPES,
    SYSTEM,
    TextureGanSettings,
    recipe,
)
from geomface.gan.progressive_texture.shapes import ShapesSettings, draw_shapes
from geomface.gan.progressive_texture.task import TextureGan
from geomface.gan.progressive_texture.training import shapes_set, train_texture_gan

__all__ = [
    "ARMS",
    "RECIPES",
    "SYSTEM",
    "GrowingDiscriminator",
    "GrowingGenerator",
    "GrowingNetworkSettings",
    "JointModel",
    "SetComparison",
    "ShapesSettings",
    "TextureGan",
    "TextureGanSettings",
    "TrainedGenerator",
    "compare_sets",
    "draw_shapes",
    "fit_joint_model",
    "load_generator",
    "measure_distances",
    "measure_red_circles",
    "recipe",
    "sample_images",
    "shapes_set",
    "textured_faces",
    "train_texture_gan",
]
