"""Principal component analysis of registered meshes."""

import numpy as np

from geomface.arrays import FloatArray, require_finite, require_shape
from geomface.errors import MeshError
from geomface.statistics.decomposition import decompose_rows
from geomface.statistics.linear_model import LinearModel


def fit_pca(
    vertices: FloatArray,
    *,
    components: int | None = None,
    variance: float | None = None,
    method: str = "auto",
    divisor: str = "n-1",
) -> LinearModel:
    """Fit a linear model to aligned meshes of one topology.

    mean = sum_n v_n / N; the modes are the eigenvectors of
    sum_n (v_n - mean)(v_n - mean)^T / (N - 1), scaled by the root of their eigenvalues.

    Parameters
    ----------
    vertices : (N, V, 3) float64 or float32, mm, N >= 2, aligned (see `statistics.alignment`)
    components : keep at most so many modes
    variance : keep the fewest modes that hold this share of the variance, in (0, 1]
    method, divisor : see `decompose_rows`

    Raises
    ------
    MeshError : fewer than two meshes, wrong shape, NaN or infinity.
    SettingsError : components and variance together, or outside their range.

    Source
    ------
    Blanz and Vetter 1999, section 2, with one vertex one weight and the unbiased variance.

    Example
    -------
    >>> import numpy as np
    >>> import geomface as gf
    >>> face, rng = gf.load_builtin_face(), np.random.default_rng(1)
    >>> people = np.stack([face.sample(rng).vertices for _ in range(20)])
    >>> shape = gf.fit_pca(people, variance=0.9)
    >>> model = gf.MorphableModel(face.template, shape, name="mine")
    >>> bool(shape.explained[-1] >= 0.9), model.vertices([1.0]).shape == people[0].shape
    (True, True)
    """
    vertices = np.asarray(vertices)
    if vertices.dtype != np.float32:
        vertices = vertices.astype(np.float64, copy=False)
    require_shape(vertices, (None, None, 3), "meshes")
    count = len(vertices)
    if count < 2:
        raise MeshError(f"a model needs at least 2 meshes, got {count}. Register more scans.")
    require_finite(vertices, "meshes")
    found = decompose_rows(
        vertices.reshape(count, -1),
        components=components,
        variance=variance,
        method=method,
        divisor=divisor,
    )
    scale = np.sqrt(found.variances).astype(found.directions.dtype)
    basis = np.ascontiguousarray((found.directions * scale[:, None]).T)
    return LinearModel(
        mean=found.mean.reshape(vertices.shape[1:]),
        basis=basis.reshape(*vertices.shape[1:], len(scale)),
        noise_sigma=float(np.sqrt(found.noise_variance)),
        sample_count=count,
        total_variance=found.total_variance,
    )
