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
    from geomface.recognition.alignment.view import view_aligned as view_aligned
    from geomface.recognition.alignment.warp import align_face as align_face
    from geomface.recognition.embedder.describe import describe_faces as describe_faces
    from geomface.recognition.embedder.describe import describe_pictures as describe_pictures
    from geomface.recognition.embedder.embedder_module import EmbedderModule as EmbedderModule
    from geomface.recognition.embedder.face_embedder import FaceEmbedder as FaceEmbedder
    from geomface.recognition.embedder.face_embedder import load_embedder as load_embedder
    from geomface.recognition.embedder.face_embedder import save_embedder as save_embedder
    from geomface.recognition.embedder.whitening import Whitening as Whitening
    from geomface.recognition.embedder.whitening import fit_whitening as fit_whitening
    from geomface.recognition.frontal import FrontalView as FrontalView
    from geomface.recognition.generator.face_generator import FaceGenerator as FaceGenerator
    from geomface.recognition.generator.face_generator import RenderedFaces as RenderedFaces
    from geomface.recognition.generator.face_generator import TranslatedFaces as TranslatedFaces
    from geomface.recognition.generator.populations import Population as Population
    from geomface.recognition.generator.populations import collect_population as collect_population
    from geomface.recognition.generator.populations import load_factors as load_factors
    from geomface.recognition.generator.populations import save_population as save_population
    from geomface.recognition.margins.margin_softmax import MarginHead as MarginHead
    from geomface.recognition.margins.margin_softmax import MarginSettings as MarginSettings
    from geomface.recognition.margins.margin_softmax import arcface as arcface
    from geomface.recognition.margins.margin_softmax import cosface as cosface
    from geomface.recognition.margins.margin_softmax import margin_loss as margin_loss
    from geomface.recognition.margins.margin_softmax import margin_strength as margin_strength
    from geomface.recognition.margins.margin_softmax import sphereface as sphereface
    from geomface.recognition.margins.soft_targets import SoftTargets as SoftTargets
    from geomface.recognition.margins.soft_targets import blend as blend
    from geomface.recognition.margins.soft_targets import mix as mix
    from geomface.recognition.margins.soft_targets import one_hot as one_hot
    from geomface.recognition.mixup.domains import blend_domains as blend_domains
    from geomface.recognition.mixup.domains import domain_ratio as domain_ratio
    from geomface.recognition.networks.build import NETWORKS as NETWORKS
    from geomface.recognition.networks.build import build_network as build_network
    from geomface.recognition.networks.build import default_network as default_network
    from geomface.recognition.networks.embedder_network import EmbedderNetwork as EmbedderNetwork
    from geomface.recognition.networks.embedder_network import NetworkSettings as NetworkSettings
    from geomface.recognition.protocols.embeddings import Embeddings as Embeddings
    from geomface.recognition.protocols.embeddings import load_embeddings as load_embeddings
    from geomface.recognition.protocols.embeddings import save_embeddings as save_embeddings
    from geomface.recognition.protocols.identification import Identification as Identification
    from geomface.recognition.protocols.identification import identify as identify
    from geomface.recognition.protocols.pair_list import PairList as PairList
    from geomface.recognition.protocols.pair_list import load_pair_list as load_pair_list
    from geomface.recognition.protocols.picture_pairs import PicturePairs as PicturePairs
    from geomface.recognition.protocols.picture_pairs import all_pairs as all_pairs
    from geomface.recognition.protocols.picture_pairs import listed_pairs as listed_pairs
    from geomface.recognition.protocols.verification import (
        VerificationReport as VerificationReport,
    )
    from geomface.recognition.protocols.verification import verify as verify
    from geomface.recognition.training.statistics import adapt_statistics as adapt_statistics
    from geomface.synthesis.identity_mixes import IdentityMixes as IdentityMixes
    from geomface.synthesis.identity_mixes import draw_identity_mixes as draw_identity_mixes
    from geomface.synthesis.mixup_ratios import MixupSettings as MixupSettings
    from geomface.synthesis.mixup_ratios import phi_grid as phi_grid
else:
    __getattr__, __dir__, __all__ = attach(__name__, __file__)
