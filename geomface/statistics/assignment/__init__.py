"""Geometries for textures: random, nearest, maximum likelihood, least squares, not linear."""

from geomface.statistics.assignment.compare import (
    METHODS,
    AssignmentComparison,
    GeometryPredictor,
    compare_assignments,
    fit_assignment,
    geometry_errors,
)
from geomface.statistics.assignment.draw import (
    NearestAssignment,
    RandomAssignment,
    fit_nearest,
    fit_random,
)
from geomface.statistics.assignment.linear import (
    LinearAssignment,
    fit_least_squares,
    fit_maximum_likelihood,
    fit_mean,
)
from geomface.statistics.assignment.nonlinear import NonlinearAssignment, fit_nonlinear
from geomface.statistics.assignment.pairs import FacePairs, pair_faces

__all__ = [
    "METHODS",
    "AssignmentComparison",
    "FacePairs",
    "GeometryPredictor",
    "LinearAssignment",
    "NearestAssignment",
    "NonlinearAssignment",
    "RandomAssignment",
    "compare_assignments",
    "fit_assignment",
    "fit_least_squares",
    "fit_maximum_likelihood",
    "fit_mean",
    "fit_nearest",
    "fit_nonlinear",
    "fit_random",
    "geometry_errors",
    "pair_faces",
]
