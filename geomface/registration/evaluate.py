"""Dense correspondence error against a known truth."""

import dataclasses

import numpy as np

from geomface.arrays import BoolArray, FloatArray, IndexArray, require_shape
from geomface.mesh.normals import vertex_normals


@dataclasses.dataclass(frozen=True)
class CorrespondenceError:
    """Distances between fitted and true vertices, unit of the vertices.

    mean and p95 of the whole distance; normal_mean and tangential_mean of its two parts;
    seen_mean and unseen_mean over vertices that the scan shows and does not show (NaN if none).
    """

    mean: float
    p95: float
    normal_mean: float
    tangential_mean: float
    seen_mean: float
    unseen_mean: float


def correspondence_error(
    fitted: FloatArray,
    truth: FloatArray,
    faces: IndexArray,
    *,
    region: IndexArray | None = None,
    seen: BoolArray | None = None,
) -> CorrespondenceError:
    """Compare vertex by vertex: |fitted_v - true_v|, split along the true normal.

    Parameters
    ----------
    fitted, truth : (V, 3) float64
    faces : (F, 3) int64
    region : (n,) int64 vertices to judge, default all
    seen : (V,) bool, vertices that the scan shows, default all

    Convention
    ----------
    No re-alignment and no nearest points: both hide sliding.
    """
    truth = require_shape(truth, (None, 3), "truth")
    fitted = require_shape(fitted, truth.shape, "fitted")
    error = fitted - truth
    normals = vertex_normals(np.ascontiguousarray(truth), faces)
    along = np.abs(np.einsum("vc,vc->v", error, normals))
    length = np.linalg.norm(error, axis=1)
    across = np.sqrt(np.maximum(length**2 - along**2, 0.0))
    seen = np.ones(len(truth), bool) if seen is None else seen
    chosen = np.zeros(len(truth), bool)
    chosen[np.arange(len(truth)) if region is None else region] = True

    def mean(values: FloatArray) -> float:
        return float(values.mean()) if len(values) else float("nan")

    return CorrespondenceError(
        mean(length[chosen]),
        float(np.percentile(length[chosen], 95)),
        mean(along[chosen]),
        mean(across[chosen]),
        mean(length[chosen & seen]),
        mean(length[chosen & ~seen]),
    )
