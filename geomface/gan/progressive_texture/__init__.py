"""A progressive GAN for facial textures and geometry images that learns from corrupted scans.

Shamai, Slossberg, Kimmel: Synthesizing facial photometries and corresponding geometries using
generative adversarial networks, 2018.
"""

from typing import TYPE_CHECKING

from geomface.lazy import attach

if TYPE_CHECKING:
    from geomface.gan.progressive_texture.dcgan import DcganSettings as DcganSettings
    from geomface.gan.progressive_texture.detect_shapes import (
        measure_red_circles as measure_red_circles,
    )
    from geomface.gan.progressive_texture.evaluation import SetComparison as SetComparison
    from geomface.gan.progressive_texture.evaluation import compare_sets as compare_sets
    from geomface.gan.progressive_texture.evaluation import measure_distances as measure_distances
    from geomface.gan.progressive_texture.faces import textured_faces as textured_faces
    from geomface.gan.progressive_texture.joint import JointModel as JointModel
    from geomface.gan.progressive_texture.joint import fit_joint_model as fit_joint_model
    from geomface.gan.progressive_texture.joint import load_joint as load_joint
    from geomface.gan.progressive_texture.joint import save_joint as save_joint
    from geomface.gan.progressive_texture.networks import (
        GrowingDiscriminator as GrowingDiscriminator,
    )
    from geomface.gan.progressive_texture.networks import GrowingGenerator as GrowingGenerator
    from geomface.gan.progressive_texture.networks import (
        GrowingNetworkSettings as GrowingNetworkSettings,
    )
    from geomface.gan.progressive_texture.recipes import RECIPES as RECIPES
    from geomface.gan.progressive_texture.recipes import recipe as recipe
    from geomface.gan.progressive_texture.sampling import TrainedGenerator as TrainedGenerator
    from geomface.gan.progressive_texture.sampling import load_generator as load_generator
    from geomface.gan.progressive_texture.sampling import sample_images as sample_images
    from geomface.gan.progressive_texture.settings import MASKING as MASKING
    from geomface.gan.progressive_texture.settings import SYSTEM as SYSTEM
    from geomface.gan.progressive_texture.settings import TextureGanSettings as TextureGanSettings
    from geomface.gan.progressive_texture.shapes import ShapesSettings as ShapesSettings
    from geomface.gan.progressive_texture.shapes import draw_shapes as draw_shapes
    from geomface.gan.progressive_texture.shapes import shapes_set as shapes_set
    from geomface.gan.progressive_texture.task import TextureGan as TextureGan
    from geomface.gan.progressive_texture.task import train_texture_gan as train_texture_gan
else:
    __getattr__, __dir__, __all__ = attach(__name__, __file__)
