"""How well each assignment finds the geometry of unseen faces."""

import dataclasses
from collections.abc import Mapping
from types import MappingProxyType
from typing import Protocol

import numpy as np

from geomface.arrays import FloatArray, frozen
from geomface.errors import MeshError, SettingsError
from geomface.statistics.assignment.draw import fit_nearest, fit_random
from geomface.statistics.assignment.linear import (
    fit_least_squares,
    fit_maximum_likelihood,
    fit_mean,
)
from geomface.statistics.assignment.nonlinear import fit_nonlinear
from geomface.statistics.assignment.pairs import FacePairs, pair_faces

METHODS = (
    "random",
    "mean",
    "nearest",
    "maximum_likelihood",
    "least_squares",
    "nonlinear",
)


class GeometryPredictor(Protocol):
    """What every assignment can do."""

    def predict(self, textures: np.ndarray) -> FloatArray:
        """Return geometries (n, *geometry) of textures (n, *texture)."""
        ...


def fit_assignment(
    pairs: FacePairs,
    method: str,
    *,
    rng: np.random.Generator | None = None,
    ridge: float | str = 0.0,
) -> GeometryPredictor:
    """Fit the assignment of that name.

    Parameters
    ----------
    pairs : the training faces, see `pair_faces`
    method : one of `METHODS`
    rng : generator, for "random" only
    ridge : for "least_squares" only

    Raises
    ------
    SettingsError : an unknown method, or "random" without a generator.
    """
    if method == "random":
        if rng is None:
            raise SettingsError("random assignment: give rng, a numpy.random.Generator.")
        return fit_random(pairs, rng)
    if method == "least_squares":
        return fit_least_squares(pairs, ridge=ridge)
    fits = {
        "mean": fit_mean,
        "nearest": fit_nearest,
        "maximum_likelihood": fit_maximum_likelihood,
        "nonlinear": fit_nonlinear,
    }
    if method not in fits:
        raise SettingsError(f"assignment: expected one of {', '.join(METHODS)}, got {method!r}.")
    return fits[method](pairs)


def geometry_errors(predicted: np.ndarray, truth: np.ndarray) -> FloatArray:
    """Return (n,) mean distance of points for (n, ..., 3); of whole rows for coefficients (n, Q).

    Raises
    ------
    MeshError : shapes that differ.
    """
    predicted, truth = np.asarray(predicted), np.asarray(truth)
    if predicted.shape != truth.shape or truth.ndim < 2:
        raise MeshError(
            f"geometries: expected the same shape twice, got {predicted.shape} and {truth.shape}."
        )
    difference = predicted.astype(np.float64) - truth
    distances = np.sqrt(np.einsum("...c,...c->...", difference, difference))
    return distances.reshape(len(truth), -1).mean(axis=1)


@dataclasses.dataclass(frozen=True, eq=False)
class AssignmentComparison:
    """Errors of every assignment on faces that were not trained on.

    Parameters
    ----------
    errors : for each method (n,) float64, error of each test face: mean distance of vertices in
        the unit of the geometries, or distance of coefficients
    projection : (n,) float64, error that is left by the kept geometry components alone: no
        assignment can do better on average
    predictors : the fitted assignments by method
    train_count, texture_components, geometry_components : size of the training set and its PCA
    """

    errors: Mapping[str, FloatArray]
    projection: FloatArray
    predictors: Mapping[str, GeometryPredictor]
    train_count: int
    texture_components: int
    geometry_components: int

    def __post_init__(self) -> None:
        errors = {name: frozen(values, np.float64) for name, values in self.errors.items()}
        object.__setattr__(self, "errors", MappingProxyType(errors))
        object.__setattr__(self, "predictors", MappingProxyType(dict(self.predictors)))

    @property
    def mean_errors(self) -> dict[str, float]:
        """Mean error of each method over the test faces, in the order of `METHODS`."""
        return {name: float(values.mean()) for name, values in self.errors.items()}


def compare_assignments(
    train_textures: np.ndarray,
    train_geometries: np.ndarray,
    test_textures: np.ndarray,
    test_geometries: np.ndarray,
    rng: np.random.Generator,
    *,
    texture_components: int | None = None,
    geometry_components: int | None = None,
    ridge: float | str = 0.0,
    methods: tuple[str, ...] = METHODS,
) -> AssignmentComparison:
    """Fit every assignment to training faces and measure it on others.

    Parameters
    ----------
    train_textures, train_geometries, texture_components, geometry_components : as in `pair_faces`
    test_textures, test_geometries : other faces, of the same shapes
    rng : generator of the random assignment
    ridge : of least squares, see `fit_least_squares`
    methods : which of `METHODS` to fit

    Raises
    ------
    MeshError : arrays that do not fit each other, no test face, NaN or infinity.
    SettingsError : an unknown method, or a setting outside its range.

    Source
    ------
    Shamai et al. 2018, section 7.2.5 and figure 9.

    Example
    -------
    >>> import numpy as np
    >>> import geomface as gf
    >>> rng = np.random.default_rng(1)
    >>> textures = rng.standard_normal((60, 8))
    >>> shapes = (textures @ rng.standard_normal((8, 12))).reshape(60, 4, 3)
    >>> train, test = slice(0, 50), slice(50, 60)
    >>> found = gf.compare_assignments(
    ...     textures[train], shapes[train], textures[test], shapes[test], rng=rng)
    >>> bool(found.mean_errors["least_squares"] < 0.1 * found.mean_errors["mean"])
    True
    """
    pairs = pair_faces(
        train_textures,
        train_geometries,
        texture_components=texture_components,
        geometry_components=geometry_components,
    )
    if len(test_textures) != len(test_geometries) or not len(test_textures):
        raise MeshError(
            f"test faces: expected a geometry for every texture and at least one, got "
            f"{len(test_textures)} textures and {len(test_geometries)} geometries."
        )
    geometries = pairs.geometries
    truth = geometries.flatten(test_geometries).reshape(-1, *geometries.shape)
    predictors = {name: fit_assignment(pairs, name, rng=rng, ridge=ridge) for name in methods}
    return AssignmentComparison(
        errors={
            name: geometry_errors(predictor.predict(test_textures), truth)
            for name, predictor in predictors.items()
        },
        projection=geometry_errors(geometries.reconstruct(geometries.project(truth)), truth),
        predictors=predictors,
        train_count=len(pairs),
        texture_components=len(pairs.textures.variances),
        geometry_components=len(geometries.variances),
    )
