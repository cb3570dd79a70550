"""A GAN of geometry images in which the person and the expression are separate knobs.

Abrevaya, Boukhayma, Wuhrer, Boyer: A Generative 3D Facial Model by Adversarial Training, 2019.
"""

from typing import TYPE_CHECKING

from geomface.lazy import attach

if TYPE_CHECKING:
    from geomface.gan.factored_geometry.codes import Codes as Codes
    from geomface.gan.factored_geometry.codes import Factor as Factor
    from geomface.gan.factored_geometry.codes import LatentSpec as LatentSpec
    from geomface.gan.factored_geometry.codes import draw_codes as draw_codes
    from geomface.gan.factored_geometry.codes import stack_codes as stack_codes
    from geomface.gan.factored_geometry.editing import edit_faces as edit_faces
    from geomface.gan.factored_geometry.editing import interpolation_row as interpolation_row
    from geomface.gan.factored_geometry.editing import transfer_expression as transfer_expression
    from geomface.gan.factored_geometry.encoder import CodeEncoder as CodeEncoder
    from geomface.gan.factored_geometry.encoder import train_encoder as train_encoder
    from geomface.gan.factored_geometry.fitting import PAPER_FIT as PAPER_FIT
    from geomface.gan.factored_geometry.fitting import UNGUIDED_FIT as UNGUIDED_FIT
    from geomface.gan.factored_geometry.fitting import FactoredFit as FactoredFit
    from geomface.gan.factored_geometry.fitting import FitEnergy as FitEnergy
    from geomface.gan.factored_geometry.fitting import FitSettings as FitSettings
    from geomface.gan.factored_geometry.fitting import fit_faces as fit_faces
    from geomface.gan.factored_geometry.linear import as_morphable as as_morphable
    from geomface.gan.factored_geometry.model import FactoredModel as FactoredModel
    from geomface.gan.factored_geometry.model import load_factored as load_factored
    from geomface.gan.factored_geometry.model_file import save_encoder as save_encoder
    from geomface.gan.factored_geometry.model_file import save_factored as save_factored
    from geomface.gan.factored_geometry.morph_targets import morph_targets_of as morph_targets_of
    from geomface.gan.factored_geometry.morph_targets import (
        save_morph_targets as save_morph_targets,
    )
    from geomface.gan.factored_geometry.networks import (
        FactoredDiscriminator as FactoredDiscriminator,
    )
    from geomface.gan.factored_geometry.networks import GeometryGenerator as GeometryGenerator
    from geomface.gan.factored_geometry.recipes import ARMS as ARMS
    from geomface.gan.factored_geometry.recipes import RECIPES as RECIPES
    from geomface.gan.factored_geometry.recipes import recipe as recipe
    from geomface.gan.factored_geometry.settings import SYSTEM as SYSTEM
    from geomface.gan.factored_geometry.settings import FactoredSettings as FactoredSettings
    from geomface.gan.factored_geometry.settings import LossWeights as LossWeights
    from geomface.gan.factored_geometry.settings import NetworkSettings as NetworkSettings
    from geomface.gan.factored_geometry.task import FactoredGeometryGan as FactoredGeometryGan
    from geomface.gan.factored_geometry.task import train_factored as train_factored
    from geomface.gan.factored_geometry.task import training_images as training_images
else:
    __getattr__, __dir__, __all__ = attach(__name__, __file__)
