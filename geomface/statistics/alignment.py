"""Generalised Procrustes analysis: registered meshes brought into one common pose."""

import dataclasses

import numpy as np

from geomface.arrays import FloatArray, frozen, require_finite, require_shape
from geomface.errors import MeshError
from geomface.mesh.similarity import Similarity, fit_similarity


@dataclasses.dataclass(frozen=True, eq=False)
class AlignmentResult:
    """Meshes in a common pose.

    Parameters
    ----------
    aligned : (N, V, 3) float64
    mean : (V, 3) float64, mean of `aligned`
    transforms : the N similarities that took the input meshes to `aligned`
    iterations : rounds of the alternation
    converged : whether the mean stopped moving
    """

    aligned: FloatArray
    mean: FloatArray
    transforms: tuple[Similarity, ...]
    iterations: int
    converged: bool


def _size(vertices: FloatArray, weights: FloatArray) -> float:
    """Weighted root mean square distance from the weighted centre."""
    centred = vertices - weights @ vertices
    return float(np.sqrt(weights @ (centred * centred).sum(axis=1)))


def align_meshes(
    vertices: FloatArray,
    *,
    reference: FloatArray | None = None,
    scale: bool = True,
    weights: FloatArray | None = None,
    tolerance: float = 1e-7,
    limit: int = 50,
) -> AlignmentResult:
    """Align meshes of one topology to their own mean.

    min over T_n of sum_n sum_v w_v |T_n(v_nv) - m_v|^2, m the mean of the T_n(v_n), alternating
    between the transforms and the mean.

    Parameters
    ----------
    vertices : (N, V, 3) float64
    reference : (V, 3) float64 whose pose (and size, when `scale`) the mean takes, default the
        first mesh (with the meshes' mean size)
    scale : True removes size as well (similarities), False keeps it (rigid motions)
    weights : (V,) float64 >= 0, default 1; give vertices that must not steer the pose zero
    tolerance : stop when the mean moves less than this share of its size

    Raises
    ------
    MeshError : wrong shapes, NaN, no mesh.

    Source
    ------
    Gower 1975. The scale is fixed by giving the mean the size of the reference, since the
    unconstrained problem shrinks to a point.

    Example
    -------
    >>> import numpy as np
    >>> import geomface as gf
    >>> face, rng = gf.load_builtin_face(), np.random.default_rng(1)
    >>> moved = np.stack([face.sample(rng).vertices + 10 * rng.random(3) for _ in range(4)])
    >>> aligned = gf.align_meshes(moved, scale=False).aligned
    >>> bool(np.ptp(aligned.mean(axis=1), axis=0).max() < 1e-6)  # all centred alike
    True
    """
    vertices = np.asarray(vertices, dtype=np.float64)
    require_shape(vertices, (None, None, 3), "meshes")
    require_finite(vertices, "meshes")
    if len(vertices) == 0:
        raise MeshError("alignment needs at least one mesh, got none.")
    points = vertices.shape[1]
    w = np.ones(points) if weights is None else require_shape(weights, (points,), "weights")
    share = w / w.sum()
    pose = vertices[0] if reference is None else require_shape(reference, (points, 3), "reference")
    if reference is None:
        size = float(np.mean([_size(mesh, share) for mesh in vertices]))
    else:
        size = _size(pose, share)
    mean, transforms = pose, [Similarity()] * len(vertices)
    aligned = np.empty_like(vertices)  # the only copy: sets are large
    converged, iterations = False, 0
    while not converged and iterations < limit:
        iterations += 1
        transforms = [fit_similarity(mesh, mean, w, scale=scale) for mesh in vertices]
        for place, move, mesh in zip(aligned, transforms, vertices, strict=True):
            place[:] = move.apply(mesh)
        found = aligned.mean(axis=0)
        # The mean is put back into the pose and size of the reference, so nothing drifts.
        back = fit_similarity(found, pose, w, scale=False)
        if scale:
            resize = Similarity(size / _size(found, share))
            back = fit_similarity(resize.apply(found), pose, w, scale=False).compose(resize)
        transforms = [back.compose(move) for move in transforms]
        for place in aligned:
            place[:] = back.apply(place)
        found = back.apply(found)
        moved = float(np.sqrt(share @ ((found - mean) ** 2).sum(axis=1)))
        mean = found
        converged = moved <= tolerance * size
    return AlignmentResult(frozen(aligned), frozen(mean), tuple(transforms), iterations, converged)
