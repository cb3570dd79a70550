"""Places on a surface where hairs start."""

import dataclasses

import numpy as np

from geomface.arrays import FloatArray, IndexArray
from geomface.mesh.normals import unit


@dataclasses.dataclass(frozen=True, eq=False)
class Roots:
    """Places on triangles.

    Parameters
    ----------
    places : (n, 3) mm
    normals : (n, 3) unit
    corners : (n, 3) vertices of the triangles
    weights : (n, 3) of the corners
    """

    places: FloatArray
    normals: FloatArray
    corners: IndexArray
    weights: FloatArray

    def __len__(self) -> int:
        return len(self.places)

    def values(self, field: FloatArray) -> FloatArray:
        """Return a field (V,) or (V, C) of the vertices at the roots."""
        weights = self.weights if field.ndim == 1 else self.weights[..., None]
        return (field[self.corners] * weights).sum(axis=1)


def scatter_roots(
    skin: FloatArray,
    normals: FloatArray,
    faces: IndexArray,
    density: FloatArray,
    spacing: float,
    rng: np.random.Generator,
) -> Roots:
    """Spread hairs evenly over a skin, as densely as it says.

    Parameters
    ----------
    skin, normals : (V, 3) mm and unit
    faces : (m, 3)
    density : (V,) in [0, 1]
    spacing : mm between neighbours where the density is 1
    """
    a, b, c = (skin[faces[:, k]] for k in range(3))
    area = 0.5 * np.linalg.norm(np.cross(b - a, c - a), axis=1)
    weight = np.cumsum(area * density[faces].max(axis=1))
    count = int(weight[-1] / spacing**2) if len(faces) else 0
    # Every hair has its own share of the whole, so that they neither crowd nor leave gaps.
    places = (np.arange(count) + rng.random(count)) / max(count, 1) * (weight[-1] if count else 0)
    face = np.minimum(np.searchsorted(weight, places), len(faces) - 1)
    u, v = rng.random((2, count))
    folded = u + v > 1
    u, v = np.where(folded, 1 - u, u), np.where(folded, 1 - v, v)
    corners, weights = faces[face], np.stack([1 - u - v, u, v], axis=1)
    within = (density[corners] * weights).sum(axis=1)
    kept = rng.random(count) * density[corners].max(axis=1) < within
    roots = Roots(np.zeros((0, 3)), np.zeros((0, 3)), corners[kept], weights[kept])
    return dataclasses.replace(
        roots, places=roots.values(skin), normals=unit(roots.values(normals))
    )
