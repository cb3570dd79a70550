"""Specificity: how close what a model makes up comes to real faces."""

from collections.abc import Sequence

import numpy as np

from geomface.arrays import FloatArray, IndexArray, require_finite, require_shape
from geomface.errors import MeshError, SettingsError
from geomface.mesh.closest import ClosestPointIndex
from geomface.statistics.evaluation.curve import (
    Curve,
    Interval,
    chosen_components,
    mean_curve,
    shape_part,
)
from geomface.statistics.evaluation.distance import SurfaceDistance, require_distance
from geomface.statistics.evaluation.nearest import NearestShapes
from geomface.statistics.linear_model import LinearModel, flat_columns
from geomface.statistics.morphable import MorphableModel

BLOCK_BYTES = 64 << 20


def specificity(
    model: LinearModel | MorphableModel,
    training: FloatArray,
    *,
    samples: int | FloatArray = 1000,
    components: Sequence[int] | None = None,
    faces: IndexArray | None = None,
    distance: str = "vertex",
    candidates: int = 5,
    interval: Interval | None = None,
    rng: np.random.Generator | None = None,
) -> Curve:
    """Measure how far random faces of a model lie from the nearest training face.

    S(k) = mean over samples of min_n d(mean + sum_{j <= k} z_j b_j, x_n), z ~ N(0, I), where the
    column b_j is one standard deviation of its mode.

    Parameters
    ----------
    model : its shape is judged
    training : (N, V, 3) float64, mm, faces in the frame of the model
    samples : number S of random faces, or (S, K) coefficients drawn by other means (a mixture)
    components : numbers k to judge, default 1 .. K
    faces : (F, 3) int64 for the surface distance, default those of a MorphableModel
    distance : "vertex", the mean distance of corresponding vertices (the nearest of all, exactly),
        or "surface", the two-sided mean distance to the triangles
    candidates : with "surface", the nearest is sought among so many nearest by vertex distance; N
        tries all, at tens of milliseconds each
    interval : how the confidence interval over the samples is found, given model and training
    rng : draws the samples, and the bootstrap

    Returns
    -------
    Curve : `per_mesh` holds a column a sample. The same coefficients serve every k, so differences
        along the curve carry little noise

    Raises
    ------
    MeshError : training meshes of another shape, none, NaN or infinity.
    SettingsError : samples, components, candidates or distance outside their range; no rng.

    Notes
    -----
    Small is good only beside `generalization`: a model of no variance is the most specific.
    Samples are made and searched in blocks of 64 MB; `nearest.NearestShapes` leaves out the
    training faces that cannot be the nearest.

    Source
    ------
    Styner et al. 2003, section 2.3.

    Example
    -------
    >>> import numpy as np
    >>> import geomface as gf
    >>> face, rng = gf.load_builtin_face(), np.random.default_rng(1)
    >>> people = np.stack([face.sample(rng).vertices for _ in range(5)])
    >>> curve = gf.specificity(face, people, samples=10, components=[0, 4], rng=rng)
    >>> curve.unit, len(curve.mean)
    ('mm', 2)
    """
    shape, faces = shape_part(model, faces)
    training = np.asarray(training, np.float64)
    require_shape(training, (None, *shape.mean.shape), "training meshes")
    if not len(training):
        raise MeshError("specificity: expected at least one training mesh, got none.")
    require_finite(training, "training meshes")
    faces = require_distance(distance, faces, training.shape[1])
    if candidates < 1:
        raise SettingsError(f"candidates: expected at least 1, got {candidates}.")
    coefficients = _coefficients(shape, samples, rng)
    chosen = chosen_components(components, len(shape))
    nearest = NearestShapes(training, shape.mean)
    surfaces = [SurfaceDistance(mesh, faces) for mesh in training] if len(faces) else []
    # In the order of the search, the samples of a block grow mode by mode.
    modes = nearest.arranged(shape.modes.astype(np.float64)).reshape(len(shape), -1)
    out = np.empty((len(chosen), len(coefficients)))
    rows = max(BLOCK_BYTES // (8 * shape.mean.size), 1)
    for begin in range(0, len(coefficients), rows):
        z = coefficients[begin : begin + rows]
        drawn = np.zeros((len(z), modes.shape[1]))
        used = 0
        for row, wanted in enumerate(chosen):
            drawn += z[:, used:wanted] @ modes[used:wanted]
            used = int(wanted)
            indices, distances = nearest.query(
                drawn.reshape(len(z), 3, -1), candidates if surfaces else 1
            )
            if surfaces:
                flat = z[:, :wanted] @ flat_columns(shape.basis)[:, :wanted].T
                made = shape.mean + flat.reshape(len(z), *shape.mean.shape)
                found = _nearest_surface(surfaces, made, indices, faces)
            else:
                found = distances[:, 0]
            out[row, begin : begin + rows] = found
    return mean_curve(chosen, out, distance, "mm", interval or Interval(), rng)


def _coefficients(
    shape: LinearModel, samples: int | FloatArray, rng: np.random.Generator | None
) -> FloatArray:
    """Return (S, K) coefficients, drawn or given."""
    if not isinstance(samples, int | np.integer):
        given = shape.require_coefficients(samples)
        require_shape(given, (None, len(shape)), "samples", SettingsError)
        if not len(given):
            raise SettingsError("samples: expected at least one row of coefficients, got none.")
        return given
    if samples < 1:
        raise SettingsError(f"samples: expected at least 1, got {samples}.")
    if rng is None:
        raise SettingsError("samples: they are drawn at random. Give rng, a numpy Generator.")
    return rng.standard_normal((int(samples), len(shape)))


def _nearest_surface(
    surfaces: list[SurfaceDistance], made: FloatArray, indices: IndexArray, faces: IndexArray
) -> FloatArray:
    """Return (M,) least surface distances of shapes (M, V, 3) to their candidates (M, c)."""
    found = np.empty(len(made))
    for row, (shape, candidates) in enumerate(zip(made, indices, strict=True)):
        own = ClosestPointIndex((shape, faces))
        found[row] = min(surfaces[n].between(own) for n in candidates)
    return found
