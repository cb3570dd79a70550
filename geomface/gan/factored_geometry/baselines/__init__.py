"""Models to hold the GAN against: linear, multilinear, an autoencoder; each a `FaceGenerator`."""

from typing import TYPE_CHECKING

from geomface.lazy import attach

if TYPE_CHECKING:
    from geomface.gan.factored_geometry.baselines.autoencoder import (
        AutoencoderFaces as AutoencoderFaces,
    )
    from geomface.gan.factored_geometry.baselines.autoencoder import (
        AutoencoderSettings as AutoencoderSettings,
    )
    from geomface.gan.factored_geometry.baselines.autoencoder import (
        train_autoencoder as train_autoencoder,
    )
    from geomface.gan.factored_geometry.baselines.linear import LinearFaces as LinearFaces
    from geomface.gan.factored_geometry.baselines.linear import (
        fit_linear_factors as fit_linear_factors,
    )
    from geomface.gan.factored_geometry.baselines.linear import fit_pca_faces as fit_pca_faces
    from geomface.gan.factored_geometry.baselines.linear import model_faces as model_faces
    from geomface.gan.factored_geometry.baselines.tensor import TensorFaces as TensorFaces
    from geomface.gan.factored_geometry.baselines.tensor import fit_tensor_faces as fit_tensor_faces
else:
    __getattr__, __dir__, __all__ = attach(__name__, __file__)
