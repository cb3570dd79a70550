"""Generalization: how well a model describes faces that it was not made of."""

import dataclasses
from collections.abc import Sequence

import numpy as np

from geomface.arrays import FloatArray, IndexArray, require_finite, require_shape
from geomface.errors import MeshError, SettingsError
from geomface.mesh.similarity import fit_similarity
from geomface.statistics.alignment import align_meshes
from geomface.statistics.evaluation.curve import (
    Curve,
    Interval,
    chosen_components,
    mean_curve,
    shape_part,
)
from geomface.statistics.evaluation.distance import (
    require_distance,
    surface_measure,
    vertex_distance,
)
from geomface.statistics.evaluation.folds import Projection, fold_members, project_left_out
from geomface.statistics.linear_model import LinearModel, flat_columns
from geomface.statistics.morphable import MorphableModel


@dataclasses.dataclass(frozen=True, eq=False)
class _Pose:
    """Meshes in the frame of a model, and how much larger they are there."""

    vertices: FloatArray
    scales: FloatArray


def _require_meshes(vertices: np.ndarray, least: int, kind: str) -> FloatArray:
    vertices = np.asarray(vertices, np.float64)
    require_shape(vertices, (None, None, 3), kind)
    if len(vertices) < least:
        raise MeshError(f"{kind}: expected at least {least}, got {len(vertices)}.")
    require_finite(vertices, kind)
    return vertices


def _require_align(align: str | None) -> None:
    if align not in (None, "rigid", "similarity"):
        raise SettingsError(f"align: expected 'rigid', 'similarity' or None, got {align!r}.")


def _pose(vertices: FloatArray, mean: FloatArray, align: str | None) -> _Pose:
    """Bring meshes to the pose of a mean shape by Procrustes, or leave them where they are."""
    if align is None:
        return _Pose(vertices, np.ones(len(vertices)))
    moves = [fit_similarity(mesh, mean, scale=align == "similarity") for mesh in vertices]
    moved = [move.apply(mesh) for move, mesh in zip(moves, vertices, strict=True)]
    return _Pose(np.stack(moved), np.array([move.scale for move in moves]))


def _centred(vertices: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return flat rows (N, D) of mean 0 and their products (N, N)."""
    rows = vertices.reshape(len(vertices), -1)
    rows = rows - rows.mean(axis=0)
    return rows, rows @ rows.T


def generalization(
    vertices: FloatArray,
    *,
    folds: str | int = "leave-one-out",
    components: Sequence[int] | None = None,
    faces: IndexArray | None = None,
    distance: str = "vertex",
    align: str | None = None,
    interval: Interval | None = None,
    rng: np.random.Generator | None = None,
) -> Curve:
    """Measure by cross-validation how well a PCA describes faces it was not fitted to.

    G(k) = sum_n d(x_n, P_k x_n) / N, P_k the projection on the first k modes of the PCA fitted
    without the fold of x_n. All folds are tested, so every mesh counts exactly once.

    Parameters
    ----------
    vertices : (N, V, 3) float64, mm, N >= 3, aligned unless `align` is given
    folds : "leave-one-out", or a number of folds of as equal sizes as can be
    components : numbers k to judge, default 1 .. the largest that every fold can fit
    faces : (F, 3) int64, for the surface distance
    distance : "vertex", the mean distance of corresponding vertices, or "surface", the two-sided
        mean distance to the triangles (tens of milliseconds a mesh and k: choose few k)
    align : "rigid" or "similarity" aligns inside each fold: the training meshes to their own mean,
        then the left out to it; nothing of a mesh leaks into the pose of the mean it is judged by
    interval : how the confidence interval over the meshes is found
    rng : draws the folds and the bootstrap; not needed for leave-one-out with a t interval

    Returns
    -------
    Curve : in the unit of the meshes, also with align="similarity" (the scale is undone)

    Raises
    ------
    MeshError : fewer than three meshes, wrong shapes, NaN or infinity.
    SettingsError : folds, components, distance or align outside their range; no rng.

    Notes
    -----
    The interval treats the meshes as independent. Folds share most of their training meshes, so it
    is narrower than the spread over whole repetitions with new scans.

    Source
    ------
    Styner et al. 2003, section 2.3, with the vertex distance as a mean of lengths. One eigenproblem
    of N x N a fold instead of a new decomposition: see `folds.project_left_out`.
    """
    vertices = _require_meshes(vertices, 3, "meshes")
    _require_align(align)
    faces = require_distance(distance, faces, vertices.shape[1])
    members = fold_members(len(vertices), folds, rng)
    largest = len(vertices) - max(len(test) for test in members) - 1
    chosen = chosen_components(components, largest)
    if align is not None:
        # From the common pose the alternation of each fold needs two or three rounds.
        vertices = align_meshes(vertices, scale=False).aligned
    rows, gram = _centred(vertices)
    per_mesh = np.empty((len(chosen), len(vertices)))
    for test in members:
        pose = _Pose(vertices[test], np.ones(len(test)))
        if align is not None:
            everyone, pose = _align_fold(vertices, test, align)
            rows, gram = _centred(everyone)
        found = project_left_out(rows, gram, test, int(chosen[-1]) if len(chosen) else 0)
        measure = vertex_distance if distance == "vertex" else surface_measure(pose.vertices, faces)
        per_mesh[:, test] = found.errors(chosen, measure) / pose.scales
    return mean_curve(chosen, per_mesh, distance, "mm", interval or Interval(), rng)


def _align_fold(vertices: FloatArray, test: IndexArray, align: str) -> tuple[FloatArray, _Pose]:
    """Align the training meshes of a fold to their mean, then the left out to that mean."""
    train = np.setdiff1d(np.arange(len(vertices)), test)
    aligned = align_meshes(vertices[train], scale=align == "similarity")
    pose = _pose(vertices[test], aligned.mean, align)
    everyone = np.empty_like(vertices)
    everyone[train], everyone[test] = aligned.aligned, pose.vertices
    return everyone, pose


def generalization_to(
    model: LinearModel | MorphableModel,
    held_out: FloatArray,
    *,
    components: Sequence[int] | None = None,
    faces: IndexArray | None = None,
    distance: str = "vertex",
    align: str | None = None,
    interval: Interval | None = None,
    rng: np.random.Generator | None = None,
) -> Curve:
    """Measure how well a model describes given faces.

    G(k) = sum_n d(x_n, P_k x_n) / N, P_k the projection on the span of the first k columns around
    the mean; the columns need not be orthogonal (marginals and foreign models).

    Parameters
    ----------
    model : its shape is judged; the modes are taken in their order
    held_out : (N, V, 3) float64, mm, faces that the model was not fitted to
    components : numbers k to judge, default 1 .. K
    faces : (F, 3) int64 for the surface distance, default those of a MorphableModel
    distance, interval, rng : as in `generalization`
    align : "rigid" or "similarity" first brings each face to the pose of the model's mean

    Returns
    -------
    Curve : in the unit of the faces, also with align="similarity" (the scale is undone)

    Raises
    ------
    MeshError : no face, wrong shapes, NaN or infinity.
    SettingsError : components, distance or align outside their range.

    Source
    ------
    As `generalization`, with a fixed set instead of folds.

    Example
    -------
    >>> import numpy as np
    >>> import geomface as gf
    >>> face, rng = gf.load_builtin_face(), np.random.default_rng(1)
    >>> people = np.stack([face.sample(rng).vertices for _ in range(5)])
    >>> curve = gf.generalization_to(face, people, components=[0, len(face.shape)])
    >>> bool(curve.mean[0] > 1.0), bool(curve.mean[1] < 1e-6)  # mm, with no mode and with all
    (True, True)
    """
    shape, faces = shape_part(model, faces)
    held_out = _require_meshes(held_out, 1, "held-out meshes")
    require_shape(held_out, (None, *shape.mean.shape), "held-out meshes")
    _require_align(align)
    faces = require_distance(distance, faces, held_out.shape[1])
    chosen = chosen_components(components, len(shape))
    pose = _pose(held_out, shape.mean, align)
    residual = (pose.vertices - shape.mean).reshape(len(held_out), -1)
    directions = _nested_directions(shape, int(chosen[-1]) if len(chosen) else 0)
    found = Projection(residual, directions, residual @ directions.T)
    measure = vertex_distance if distance == "vertex" else surface_measure(pose.vertices, faces)
    per_mesh = found.errors(chosen, measure) / pose.scales
    return mean_curve(chosen, per_mesh, distance, "mm", interval or Interval(), rng)


def _nested_directions(shape: LinearModel, count: int) -> FloatArray:
    """Return (count, D) orthonormal rows, the first k of which span the first k columns.

    A column that depends on those before it adds nothing and becomes a row of zeros.
    """
    columns = flat_columns(shape.basis)[:, :count].astype(np.float64)
    directions, triangle = np.linalg.qr(columns / np.sqrt(shape.variances[:count]))
    # Columns of a marginal or a sum may depend on each other up to their own rounding.
    limit = float(np.finfo(shape.basis.dtype).eps ** (2 / 3))
    if directions.shape[1] == count and (np.abs(np.diag(triangle)) > limit).all():
        return directions.T
    # Where one depends, its direction is arbitrary and spoils the later ones: Gram and Schmidt
    # again, in the few coordinates of the triangle.
    turned = np.zeros_like(triangle)
    for k in range(count):
        rest = triangle[:, k].copy()
        for _ in range(2):
            rest -= turned @ (turned.T @ rest)
        length = float(np.linalg.norm(rest))
        if length > limit:
            turned[:, k] = rest / length
    return (directions @ turned).T
