"""Identity descriptors of faces and frontal pictures, by a small embedder of our own."""

from typing import TYPE_CHECKING

from geomface.lazy import attach

if TYPE_CHECKING:
    from geomface.recognition.describe import describe_faces as describe_faces
    from geomface.recognition.describe import describe_pictures as describe_pictures
    from geomface.recognition.frontal import FrontalView as FrontalView
    from geomface.recognition.network import DESCRIPTOR_SIZE as DESCRIPTOR_SIZE
    from geomface.recognition.network import FACE_SHARE as FACE_SHARE
    from geomface.recognition.network import IdentityNetwork as IdentityNetwork
    from geomface.recognition.train import IdentityTraining as IdentityTraining
    from geomface.recognition.train import train_embedder as train_embedder
    from geomface.recognition.training_pictures import IdentityPictures as IdentityPictures
    from geomface.recognition.training_pictures import (
        draw_identity_pictures as draw_identity_pictures,
    )
    from geomface.recognition.weights import load_embedder as load_embedder
    from geomface.recognition.weights import save_embedder as save_embedder
else:
    __getattr__, __dir__, __all__ = attach(__name__, __file__)
