"""Labelled synthetic face images: distributions, parameters, pictures, readers.

Pictures on disk are made by `geomface.pipeline.generate_faces`, read by `geomface.datasets`.
"""

from typing import TYPE_CHECKING

from geomface.lazy import attach

if TYPE_CHECKING:
    from geomface.synthesis.distribution_text import format_distribution as format_distribution
    from geomface.synthesis.distribution_text import parse_distribution as parse_distribution
    from geomface.synthesis.distributions import Constant as Constant
    from geomface.synthesis.distributions import Distribution as Distribution
    from geomface.synthesis.distributions import DistributionError as DistributionError
    from geomface.synthesis.distributions import Empirical as Empirical
    from geomface.synthesis.distributions import Gaussian as Gaussian
    from geomface.synthesis.distributions import Mixture as Mixture
    from geomface.synthesis.distributions import Uniform as Uniform
    from geomface.synthesis.distributions import Vae as Vae
    from geomface.synthesis.drawing import draw as draw
    from geomface.synthesis.drawing import draw_many as draw_many
    from geomface.synthesis.drawing import mean_of as mean_of
    from geomface.synthesis.drawing import variance_of as variance_of
    from geomface.synthesis.expression_recipes import EXPRESSION_RECIPES as EXPRESSION_RECIPES
    from geomface.synthesis.expression_recipes import recipe_weights as recipe_weights
    from geomface.synthesis.factor_vae.factor_vae import FactorVaes as FactorVaes
    from geomface.synthesis.factor_vae.factor_vae import load_factor_vaes as load_factor_vaes
    from geomface.synthesis.factor_vae.factor_vae import save_factor_vaes as save_factor_vaes
    from geomface.synthesis.factor_vae.fitting import fit_factor_vaes as fit_factor_vaes
    from geomface.synthesis.factor_vae.settings import FactorVaeSettings as FactorVaeSettings
    from geomface.synthesis.factor_vae.settings import VaeSize as VaeSize
    from geomface.synthesis.factor_vae.settings import factor_vae_recipe as factor_vae_recipe
    from geomface.synthesis.grids import FACTORS as FACTORS
    from geomface.synthesis.identities import Person as Person
    from geomface.synthesis.identities import draw_person as draw_person
    from geomface.synthesis.identities import identity_at_cosine as identity_at_cosine
    from geomface.synthesis.identities import identity_at_distance as identity_at_distance
    from geomface.synthesis.identities import mix_identities as mix_identities
    from geomface.synthesis.identity_mixes import IdentityMixes as IdentityMixes
    from geomface.synthesis.identity_mixes import draw_identity_mixes as draw_identity_mixes
    from geomface.synthesis.labelled_faces import LabelledFacesSettings as LabelledFacesSettings
    from geomface.synthesis.labelled_faces import draw_labelled_faces as draw_labelled_faces
    from geomface.synthesis.mixup_ratios import MixupSettings as MixupSettings
    from geomface.synthesis.mixup_ratios import phi_grid as phi_grid
    from geomface.synthesis.parameters import FaceParameters as FaceParameters
    from geomface.synthesis.parameters import draw_parameters as draw_parameters
    from geomface.synthesis.sampler import FaceBatch as FaceBatch
    from geomface.synthesis.sampler import FaceSampler as FaceSampler
    from geomface.synthesis.set_sizes import LONG_TAILS as LONG_TAILS
    from geomface.synthesis.set_sizes import long_tail as long_tail
    from geomface.synthesis.settings import BackgroundSettings as BackgroundSettings
    from geomface.synthesis.settings import CameraSettings as CameraSettings
    from geomface.synthesis.settings import ExpressionSettings as ExpressionSettings
    from geomface.synthesis.settings import FaceImageSettings as FaceImageSettings
    from geomface.synthesis.settings import IdentitySettings as IdentitySettings
    from geomface.synthesis.settings import LightSettings as LightSettings
    from geomface.synthesis.settings import PhotoSettings as PhotoSettings
    from geomface.synthesis.settings import PoseSettings as PoseSettings
    from geomface.synthesis.streams import stream as stream
else:
    __getattr__, __dir__, __all__ = attach(__name__, __file__)
