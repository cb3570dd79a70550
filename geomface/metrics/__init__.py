"""What generated faces are worth: distances between sets, novelty, people, decoupling.

Pure functions of arrays; the newer ones return an `Estimate`: value, interval, n, seed, settings.
"""

from typing import TYPE_CHECKING

from geomface.lazy import attach

if TYPE_CHECKING:
    from geomface.metrics.distinctness import between_over_within as between_over_within
    from geomface.metrics.embedding import AnnotationResult as AnnotationResult
    from geomface.metrics.embedding import annotate as annotate
    from geomface.metrics.embedding import embed_in_plane as embed_in_plane
    from geomface.metrics.embedding import scale_in_plane as scale_in_plane
    from geomface.metrics.estimate import Estimate as Estimate
    from geomface.metrics.estimate import mean_estimate as mean_estimate
    from geomface.metrics.face_frame import FramedFace as FramedFace
    from geomface.metrics.face_frame import frame_face as frame_face
    from geomface.metrics.face_sets import FaceSetComparison as FaceSetComparison
    from geomface.metrics.face_sets import FramedFaces as FramedFaces
    from geomface.metrics.face_sets import compare_face_sets as compare_face_sets
    from geomface.metrics.factors import SameThreshold as SameThreshold
    from geomface.metrics.factors import choose_threshold as choose_threshold
    from geomface.metrics.factors import decoupling as decoupling
    from geomface.metrics.factors import pair_distances as pair_distances
    from geomface.metrics.factors import unit_rows as unit_rows
    from geomface.metrics.features import RandomFeatures as RandomFeatures
    from geomface.metrics.features import extract_features as extract_features
    from geomface.metrics.folds import FoldAccuracy as FoldAccuracy
    from geomface.metrics.folds import fold_accuracy as fold_accuracy
    from geomface.metrics.frechet import frechet_distance as frechet_distance
    from geomface.metrics.frechet import kernel_distance as kernel_distance
    from geomface.metrics.gradient_features import gradient_histograms as gradient_histograms
    from geomface.metrics.identity import VerificationResult as VerificationResult
    from geomface.metrics.identity import identity_distance as identity_distance
    from geomface.metrics.identity import verify_identities as verify_identities
    from geomface.metrics.identity_sets import Leakage as Leakage
    from geomface.metrics.identity_sets import ScoreStatistics as ScoreStatistics
    from geomface.metrics.identity_sets import Separability as Separability
    from geomface.metrics.identity_sets import identity_centres as identity_centres
    from geomface.metrics.identity_sets import intra_class_spread as intra_class_spread
    from geomface.metrics.identity_sets import leakage as leakage
    from geomface.metrics.identity_sets import score_statistics as score_statistics
    from geomface.metrics.identity_sets import separability as separability
    from geomface.metrics.image_distances import ImageDistances as ImageDistances
    from geomface.metrics.image_distances import measure_distances as measure_distances
    from geomface.metrics.neighbours import NoveltyResult as NoveltyResult
    from geomface.metrics.neighbours import masked_nearest_distances as masked_nearest_distances
    from geomface.metrics.neighbours import nearest_distances as nearest_distances
    from geomface.metrics.neighbours import novelty as novelty
    from geomface.metrics.neighbours import novelty_of_distances as novelty_of_distances
    from geomface.metrics.paired import PairedVerification as PairedVerification
    from geomface.metrics.paired import compare_verification as compare_verification
    from geomface.metrics.pairs import Pairs as Pairs
    from geomface.metrics.pairs import balanced_pairs as balanced_pairs
    from geomface.metrics.pairs import draw_pairs as draw_pairs
    from geomface.metrics.photograph_statistics import contrast_bands as contrast_bands
    from geomface.metrics.photograph_statistics import face_statistics as face_statistics
    from geomface.metrics.pyramid import laplacian_pyramid as laplacian_pyramid
    from geomface.metrics.pyramid import rebuild_image as rebuild_image
    from geomface.metrics.readout import OracleReadout as OracleReadout
    from geomface.metrics.readout import Readout as Readout
    from geomface.metrics.shape_sets import diversity as diversity
    from geomface.metrics.shape_sets import nearest_meshes as nearest_meshes
    from geomface.metrics.shape_sets import reconstruction_error as reconstruction_error
    from geomface.metrics.shape_sets import sample_specificity as sample_specificity
    from geomface.metrics.telling_apart import TellingApart as TellingApart
    from geomface.metrics.telling_apart import tell_apart as tell_apart
    from geomface.metrics.verification import PairVerification as PairVerification
    from geomface.metrics.verification import verify_pairs as verify_pairs
    from geomface.metrics.wasserstein import (
        SlicedWassersteinResult as SlicedWassersteinResult,
    )
    from geomface.metrics.wasserstein import (
        SlicedWassersteinSettings as SlicedWassersteinSettings,
    )
    from geomface.metrics.wasserstein import sliced_wasserstein as sliced_wasserstein
else:
    __getattr__, __dir__, __all__ = attach(__name__, __file__)
