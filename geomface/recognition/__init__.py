"""Who is in a picture: aligned faces, and descriptors by small embedders of our own."""

from typing import TYPE_CHECKING

from geomface.lazy import attach

if TYPE_CHECKING:
    from geomface.recognition.aligned.aligned_faces import AlignedFaces as AlignedFaces
    from geomface.recognition.aligned.aligned_faces import aligned_faces as aligned_faces
    from geomface.recognition.aligned.aligned_faces import load_aligned as load_aligned
    from geomface.recognition.alignment.five_points import five_points as five_points
    from geomface.recognition.alignment.reference import ALIGNMENTS as ALIGNMENTS
    from geomface.recognition.alignment.reference import Alignment as Alignment
    from geomface.recognition.alignment.reference import alignment_of as alignment_of
    from geomface.recognition.alignment.warp import align_face as align_face
    from geomface.recognition.embedder.describe import describe_faces as describe_faces
    from geomface.recognition.embedder.describe import describe_pictures as describe_pictures
    from geomface.recognition.embedder.framing import FACE_SHARE as FACE_SHARE
    from geomface.recognition.embedder.network import DESCRIPTOR_SIZE as DESCRIPTOR_SIZE
    from geomface.recognition.embedder.network import IdentityNetwork as IdentityNetwork
    from geomface.recognition.embedder.weights import load_embedder as load_embedder
    from geomface.recognition.embedder.weights import save_embedder as save_embedder
    from geomface.recognition.frontal import FrontalView as FrontalView
    from geomface.recognition.training.pictures import IdentityPictures as IdentityPictures
    from geomface.recognition.training.pictures import (
        draw_identity_pictures as draw_identity_pictures,
    )
    from geomface.recognition.training.recipe import IdentitySettings as IdentitySettings
    from geomface.recognition.training.recipe import identity_recipe as identity_recipe
else:
    __getattr__, __dir__, __all__ = attach(__name__, __file__)
