"""Renders of people who do not exist become photographs that keep who it is.

Gecer, Bhattarai, Kittler, Kim: Semi-supervised Adversarial Learning to Generate Photorealistic Face
Images of New Identities from 3D Morphable Model, 2018.
"""

from typing import TYPE_CHECKING

from geomface.lazy import attach

if TYPE_CHECKING:
    from geomface.gan.render_to_photo.data import TranslationData as TranslationData
    from geomface.gan.render_to_photo.evaluation import TranslationReport as TranslationReport
    from geomface.gan.render_to_photo.evaluation import evaluate_translation as evaluate_translation
    from geomface.gan.render_to_photo.labels import ReadBack as ReadBack
    from geomface.gan.render_to_photo.labels import read_back as read_back
    from geomface.gan.render_to_photo.networks import Autoencoder as Autoencoder
    from geomface.gan.render_to_photo.networks import Translator as Translator
    from geomface.gan.render_to_photo.pair_distances import PeopleApart as PeopleApart
    from geomface.gan.render_to_photo.pair_distances import people_apart as people_apart
    from geomface.gan.render_to_photo.reading import FacePairs as FacePairs
    from geomface.gan.render_to_photo.reading import pair_faces as pair_faces
    from geomface.gan.render_to_photo.reading import read_streams as read_streams
    from geomface.gan.render_to_photo.recipes import ARMS as ARMS
    from geomface.gan.render_to_photo.recipes import RECIPES as RECIPES
    from geomface.gan.render_to_photo.recipes import VARIANTS as VARIANTS
    from geomface.gan.render_to_photo.recipes import recipe as recipe
    from geomface.gan.render_to_photo.sampling import RenderTranslator as RenderTranslator
    from geomface.gan.render_to_photo.sampling import TranslatedPictures as TranslatedPictures
    from geomface.gan.render_to_photo.sampling import load_translator as load_translator
    from geomface.gan.render_to_photo.settings import SYSTEM as SYSTEM
    from geomface.gan.render_to_photo.settings import LossWeights as LossWeights
    from geomface.gan.render_to_photo.settings import NetworkSettings as NetworkSettings
    from geomface.gan.render_to_photo.settings import TranslationSettings as TranslationSettings
    from geomface.gan.render_to_photo.task import RenderToPhoto as RenderToPhoto
    from geomface.gan.render_to_photo.task import require_data as require_data
    from geomface.gan.render_to_photo.truth import KnownRenders as KnownRenders
    from geomface.gan.render_to_photo.truth import known_renders as known_renders
else:
    __getattr__, __dir__, __all__ = attach(__name__, __file__)
