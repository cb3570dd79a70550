"""Registered meshes as one set: one unit, one handedness, no vertex astray, not all alike."""

from collections.abc import Sequence

import numpy as np

from geomface.arrays import FloatArray
from geomface.errors import MeshError
from geomface.mesh import Mesh, fit_similarity
from geomface.mesh.robust import geman_mcclure_weights
from geomface.mesh.units import (
    UNITS,
    canonical_unit,
    millimetres,
    registered_unit,
    scan_unit,
    typical_size,
)

_MIRROR = np.array([-1.0, 1.0, 1.0])
_CLEARLY = 0.5
# Alike to rounding, as a share of the size.
_EQUAL = 1e-7
# People differ less in size than these and than what the set itself shows.
_SIZE_RATIO = 1.5
_FAR = 4.0
_NAMED = 5
_AT_ONCE = 256


def one_set(
    meshes: Sequence[Mesh], reference: FloatArray | None = None
) -> tuple[FloatArray, tuple[str, ...]]:
    """Return registered meshes in millimetres, once nothing speaks against one model of them.

    Parameters
    ----------
    meshes : of one topology
    reference : (V, 3) mm, the template; without it the set itself tells what is usual

    Returns
    -------
    vertices : (N, V, 3) float64, mm
    notes : a sentence for each mesh that was converted, and for those of unusual size

    Raises
    ------
    MeshError : meshes in no unit, mirrored, with vertices far away, or all equal; names them.
    """
    names = [mesh.name for mesh in meshes]
    if reference is None:
        reference = _usual(meshes)
    found = [registered_unit(mesh, reference) for mesh in meshes]
    notes = [note for unit in found for note in unit.notes]
    vertices = np.stack(
        [mesh.vertices * unit.factor for mesh, unit in zip(meshes, found, strict=True)]
    )
    residuals = np.array([_residuals(shape, reference) for shape in vertices])
    mirrored = residuals[:, 1] < _CLEARLY * residuals[:, 0]
    if mirrored.any():
        raise MeshError(
            f"{_list(names, mirrored)}: mirror images of the other faces (or of the template); a "
            "model cannot hold both. Reflect them at x = 0, or register them again."
        )
    placed = np.stack([_onto(shape, reference)[0] for shape in vertices])
    # A few vertices or one shape at a time: a large set is held in few copies.
    middle = np.empty_like(reference)
    for start in range(0, len(middle), _AT_ONCE):
        middle[start : start + _AT_ONCE] = np.median(placed[:, start : start + _AT_ONCE], axis=0)
    reach = np.stack([np.linalg.norm(shape - middle, axis=1) for shape in placed])
    del placed
    farthest = reach.max(axis=1)
    usual = float(np.sort(farthest)[(len(farthest) - 1) // 2])
    astray = (farthest > typical_size(reference)) & (farthest > _FAR * usual)
    if astray.any():
        worst = int(farthest.argmax())
        raise MeshError(
            f"{_list(names, astray)}: vertices far from where the others have them (vertex "
            f"{int(reach[worst].argmax())} of {names[worst]} by {farthest[worst]:.4g} mm). "
            "Register it again, or leave it out."
        )
    sizes = np.array([typical_size(shape) for shape in vertices])
    ratio = sizes / np.median(sizes)
    if len(vertices) > 1 and max(farthest.max() / sizes[0], np.ptp(ratio)) < _EQUAL:
        raise MeshError(
            f"{len(names)} equal meshes: a model needs faces that differ. Check the list of files."
        )
    spread = np.exp(5.0 * 1.4826 * np.median(np.abs(np.log(ratio))))
    odd = np.maximum(ratio, 1.0 / ratio) > max(_SIZE_RATIO, spread)
    notes += [
        f"{names[place]}: {ratio[place]:.3g} times as large as the other faces. Check its unit."
        for place in np.flatnonzero(odd)
    ]
    return vertices, tuple(notes)


def _usual(meshes: Sequence[Mesh]) -> FloatArray:
    """Return the mesh of the middle size, in the unit that this tells, mm."""
    sizes = [millimetres(mesh.unit) * typical_size(mesh.vertices) for mesh in meshes]
    middle = meshes[int(np.argsort(sizes, kind="stable")[(len(sizes) - 1) // 2])]
    unit = scan_unit(middle)
    factor = unit.factor if unit.unit in UNITS else millimetres(canonical_unit(middle.unit))
    return middle.vertices * factor


def _onto(shape: FloatArray, reference: FloatArray) -> tuple[FloatArray, float]:
    """Move a shape onto the reference, at its size; vertices far off do not steer.

    Returns the shape and the median distance.
    """
    weights = None
    placed, miss = shape, np.zeros(len(shape))
    for _ in range(10):
        placed = fit_similarity(shape, reference, weights).apply(shape)
        miss = np.linalg.norm(placed - reference, axis=1)
        weights = geman_mcclure_weights(miss, 3.0 * max(float(np.median(miss)), 1e-9))
    return placed, float(np.median(miss))


def _residuals(shape: FloatArray, reference: FloatArray) -> tuple[float, float]:
    """Return the median miss as it is and reflected."""
    return _onto(shape, reference)[1], _onto(shape * _MIRROR, reference)[1]


def _list(names: Sequence[str], chosen: np.ndarray) -> str:
    found = [name for name, odd in zip(names, chosen, strict=True) if odd]
    more = f" and {len(found) - _NAMED} more" if len(found) > _NAMED else ""
    return ", ".join(found[:_NAMED]) + more
