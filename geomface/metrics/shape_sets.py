"""Sets of meshes: how close to real ones, how well they describe them, how much they differ."""

import numpy as np

from geomface.arrays import FloatArray, IndexArray, require_finite, require_indices, require_shape
from geomface.errors import MeshError, SettingsError
from geomface.metrics.estimate import Estimate, mean_estimate, reach_of
from geomface.metrics.pairs import Pairs
from geomface.statistics.evaluation import vertex_distance
from geomface.statistics.evaluation.nearest import NearestShapes

BLOCK_BYTES = 256 << 20
_PAIRS = 256


def nearest_meshes(samples: FloatArray, training: FloatArray) -> tuple[FloatArray, IndexArray]:
    """Return the mean vertex distance of each mesh to its nearest of many, and which that is.

    min over n of sum_v |s_v - x_nv| / V, exactly

    Parameters
    ----------
    samples : (S, V, 3), mm
    training : (N, V, 3), mm, at least one; of any float type, a memory map too, since it is read
        block by block

    Returns
    -------
    (S,) distances in mm, (S,) int64

    Raises
    ------
    MeshError : meshes of different vertex counts, none, NaN or infinity
    """
    samples = require_shape(samples, (None, None, 3), "samples")
    training = require_shape(training, (None, samples.shape[1], 3), "training meshes")
    if not len(samples) or not len(training):
        raise MeshError(
            f"nearest meshes: expected samples and training meshes, got {len(samples)} and "
            f"{len(training)}."
        )
    require_finite(samples, "samples")
    center = np.asarray(training[:64], np.float64).mean(axis=0)
    distances, indices = np.full(len(samples), np.inf), np.zeros(len(samples), np.int64)
    rows = max(BLOCK_BYTES // (8 * center.size), 1)
    for start in range(0, len(training), rows):
        block = np.asarray(training[start : start + rows], np.float64)
        require_finite(block, "training meshes")
        search = NearestShapes(block, center)
        for first in range(0, len(samples), rows):
            part = slice(first, first + rows)
            found, far = search.query(
                search.arranged(samples[part] - center), within=distances[part]
            )
            nearer = far[:, 0] < distances[part]
            distances[part] = np.where(nearer, far[:, 0], distances[part])
            indices[part] = np.where(nearer, start + found[:, 0], indices[part])
    return distances, indices


def sample_specificity(
    samples: FloatArray, training: FloatArray, *, level: float = 0.95
) -> Estimate:
    """Measure how far generated meshes lie from the nearest training mesh, whatever made them.

    S = mean over samples of min_n sum_v |s_v - x_nv| / V

    Parameters
    ----------
    samples : (S, V, 3), mm, drawn independently
    training : (N, V, 3), mm, in the same frame
    level : of the t interval over samples, the training set being given

    Returns
    -------
    Estimate in mm

    Raises
    ------
    MeshError : as `nearest_meshes`

    Convention
    ----------
    Small is good only beside generalization and diversity: one training mesh repeated has 0. It
    falls as the training set grows; compare only with the same set, beside samples of the truth.

    Source
    ------
    Styner et al. 2003, section 2.3; Abrevaya et al. 2019, section 5.3, with 1,000 samples.
    """
    distances, _ = nearest_meshes(samples, training)
    return mean_estimate(
        distances, unit="mm", level=level, settings={"training_meshes": len(training)}
    )


def reconstruction_error(
    found: FloatArray, truth: FloatArray, *, level: float = 0.95, vertices: IndexArray | None = None
) -> Estimate:
    """Measure how well a generator describes faces that it was not trained on.

    G = mean over faces of sum_v |f_v - t_v| / V

    Parameters
    ----------
    found : (N, V, 3), mm, the generator's best fit to each face
    truth : (N, V, 3), mm
    level : of the t interval over faces
    vertices : (n,) int64, those that count; default all

    Returns
    -------
    Estimate in mm

    Raises
    ------
    MeshError : stacks of different shapes, no faces, NaN or infinity

    Source
    ------
    Generalization as in Abrevaya et al. 2019, section 5.3. For linear models fitted by projection
    and for cross-validation see `statistics.evaluation.generalization`.
    """
    truth = require_shape(truth, (None, None, 3), "true meshes")
    found = require_shape(found, truth.shape, "fitted meshes")
    if not len(truth):
        raise MeshError("reconstruction error: expected at least one face, got none.")
    for stack, name in ((found, "fitted meshes"), (truth, "true meshes")):
        require_finite(stack, name)
    chosen = slice(None) if vertices is None else np.asarray(vertices)
    gap = np.asarray(found[:, chosen], np.float64) - truth[:, chosen]
    counted = {"vertices": gap.shape[1]}
    return mean_estimate(vertex_distance(gap), unit="mm", level=level, settings=counted)


def diversity(
    vertices: FloatArray,
    pairs: Pairs,
    *,
    units: IndexArray | None = None,
    level: float = 0.95,
) -> Estimate:
    """Measure how far meshes lie apart: mean and deviation of the vertex distance over pairs.

    D = mean over pairs (a, b) of sum_v |x_av - x_bv| / V

    Parameters
    ----------
    vertices : (N, V, 3), mm; of any float type, a memory map too
    pairs : from `draw_pairs`, 10,000 of all or of one identity or expression
    units : (N,) int64, what was drawn independently: the person of each mesh, where there are
        several of one. Default: every mesh
    level : of the interval

    Returns
    -------
    Estimate in mm; `deviation` is that over the pairs

    Raises
    ------
    MeshError : no (N, V, 3), NaN or infinity
    SettingsError : pairs of other samples, units of another length

    Convention
    ----------
    Not "higher is better": noise is diverse. Read it beside the training set's.
    Pairs that share a unit are no independent witnesses. The squared standard error is
    sum r_p r_q / P^2 over all p and q with a unit in common, r the residuals, p = q among them.

    Source
    ------
    Abrevaya et al. 2019, section 5.3; the error of dyads: Aronow, Samii and Assenova 2015.
    """
    vertices = require_shape(vertices, (None, None, 3), "meshes")
    rows = np.asarray(pairs.rows)
    require_indices(rows, len(vertices), "pairs", SettingsError)
    who = np.arange(len(vertices)) if units is None else np.asarray(units)
    if who.shape != (len(vertices),):
        raise SettingsError(
            f"diversity: expected a unit for each of {len(vertices)} meshes, got shape {who.shape}."
        )
    distances = np.empty(len(rows))
    for start in range(0, len(rows), _PAIRS):
        part = slice(start, start + _PAIRS)
        first, second = (vertices[rows[part, side]] for side in (0, 1))
        distances[part] = vertex_distance(np.asarray(first, np.float64) - second)
    require_finite(distances, "diversity: distances of pairs", SettingsError)
    names, index = np.unique(who[rows], return_inverse=True)
    error = _dyadic_error(distances - distances.mean(), index.reshape(rows.shape), len(names))
    mean, spread = float(distances.mean()), float(distances.std(ddof=1)) if len(rows) > 1 else 0.0
    reach = reach_of(error, len(names) - 1, level)
    bounds = mean - reach, mean + reach
    settings = {"same": pairs.same, "meshes": len(vertices), "units": len(names)}
    return Estimate(mean, *bounds, len(rows), "mm", spread, error, level, pairs.seed, settings)


def _dyadic_error(residuals: FloatArray, units: IndexArray, count: int) -> float:
    """Return the standard error of a mean over pairs of `count` units."""
    between = units[:, 0] != units[:, 1]
    sums = np.bincount(units[:, 0], residuals, count)
    sums += np.bincount(units[between, 1], residuals[between], count)
    # Pairs of the same two units were counted at both.
    low, high = np.sort(units[between], axis=1).T
    _, both = np.unique(low * count + high, return_inverse=True)
    twice = np.bincount(both, residuals[between]) if between.any() else np.zeros(0)
    total = float((sums**2).sum() - (twice**2).sum()) * count / max(count - 1, 1)
    # Few units can make it negative; what is certain is that the pairs differ.
    return float(np.sqrt(max(total, float((residuals**2).sum())))) / len(residuals)
