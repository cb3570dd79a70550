"""Renders of people who do not exist become photographs that keep who it is.

Gecer, Bhattarai, Kittler, Kim: Semi-supervised Adversarial Learning to Generate Photorealistic Face
Images of New Identities from 3D Morphable Model, 2018.
"""

from typing import TYPE_CHECKING

from geomface.lazy import attach

if TYPE_CHECKING:
    from geomface.gan.render_to_photo.networks import Autoencoder as Autoencoder
    from geomface.gan.render_to_photo.networks import Translator as Translator
    from geomface.gan.render_to_photo.settings import SYSTEM as SYSTEM
    from geomface.gan.render_to_photo.settings import LossWeights as LossWeights
    from geomface.gan.render_to_photo.settings import NetworkSettings as NetworkSettings
    from geomface.gan.render_to_photo.settings import TranslationSettings as TranslationSettings
else:
    __getattr__, __dir__, __all__ = attach(__name__, __file__)
