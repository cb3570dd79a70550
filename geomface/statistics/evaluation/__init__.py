"""What a statistical model is worth: compactness, generalization, specificity, outliers."""

from geomface.statistics.evaluation.compactness import Compactness, compactness
from geomface.statistics.evaluation.curve import Curve, Interval
from geomface.statistics.evaluation.distance import SurfaceDistance, vertex_distance
from geomface.statistics.evaluation.generalization import generalization, generalization_to
from geomface.statistics.evaluation.outliers import OutlierReport, mahalanobis_outliers
from geomface.statistics.evaluation.specificity import specificity

__all__ = [
    "Compactness",
    "Curve",
    "Interval",
    "OutlierReport",
    "SurfaceDistance",
    "compactness",
    "generalization",
    "generalization_to",
    "mahalanobis_outliers",
    "specificity",
    "vertex_distance",
]
