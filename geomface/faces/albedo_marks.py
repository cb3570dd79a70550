"""What nobody shares: moles, birthmarks, age spots and freckles at places of one's own, patches.

A person cannot carry a list of places in a code of fixed length. So many spots have a place and a
direction each, and somebody has those into whose direction their code points; a mix of two people
has the spots of both where they are strong.
"""

import dataclasses

import numpy as np
from scipy import sparse
from scipy.spatial import KDTree

from geomface.arrays import FloatArray, ImageArray
from geomface.faces.albedo_code import PATCHES, SPOTS
from geomface.faces.albedo_geometry import any_of, around_head, bump

_SEED = 68
_LARGE, _MIDDLE = 6, 14
"""Patches of about 85 mm, and up to which number they are of about 45 mm; the others of 20 mm."""
_KINDS = {
    "freckle": (520, 0.7, 1.6),
    "mole": (200, 0.9, 2.3),
    "age": (160, 1.8, 5.0),
    "birth": (70, 5.0, 16.0),
}
# How many places there are on a face, radii in mm.


@dataclasses.dataclass(frozen=True, eq=False)
class Spots:
    """Spots of one kind.

    Parameters
    ----------
    shape : (P, n) how much of a place each spot covers
    direction : (n, SPOTS) unit
    strength : (n,) in [0.4, 1]
    """

    shape: sparse.csr_array
    direction: FloatArray
    strength: FloatArray

    def cover(self, codes: FloatArray, threshold: float, width: float) -> FloatArray:
        """Return (P,) how much of each place spots cover: those whose direction the code passes.

        Parameters
        ----------
        codes : (SPOTS,)
        threshold : the lower, the more spots; N(0, 1) over spots
        width : over which a spot goes from absent to full
        """
        drive = np.einsum("ns,s->n", self.direction, codes)
        shown = np.clip((drive - threshold) / width, 0.0, 1.0) * self.strength
        return np.minimum(self.shape @ shown.astype(np.float32), 1.0)


def spots_of(p: FloatArray, marks: FloatArray, spacing: float) -> dict[str, Spots]:
    """Return the spots of a face by kind.

    Parameters
    ----------
    p, marks : (P, 3), (68, 3) mm from the root of the nose
    spacing : of the places, mm: no spot is smaller
    """
    rng = np.random.default_rng(_SEED)
    _, flat = around_head(p)
    tree = KDTree(flat)
    low, high = float(marks[8, 1]) - 8.0, float(marks[19, 1]) + 45.0
    half = float(np.abs(around_head(marks[[0, 16]])[1][:, 0]).mean())
    freckled = any_of(
        [bump(p, 0.5 * (marks[29] + marks[k]), (26, 14, 32)) for k in (41, 46)]
        + [0.7 * bump(p, marks[29], (10, 10, 14)), 0.35 * bump(p, marks[27], (45, 40, 60))]
    )
    found = {}
    for kind, (count, small, large) in _KINDS.items():
        centers = np.stack([rng.uniform(-half, half, count), rng.uniform(low, high, count)], axis=1)
        radius = small * (large / small) ** rng.random(count) ** 1.5
        direction = rng.standard_normal((count, SPOTS))
        direction /= np.linalg.norm(direction, axis=1, keepdims=True)
        strength = rng.uniform(0.4, 1.0, count)
        stretch, turn = rng.uniform(1.0, 1.6, count), rng.uniform(0, np.pi, count)
        seen = np.maximum(radius, 0.55 * spacing)
        shape = _shape(flat, tree, centers, seen, stretch, turn)
        if kind == "freckle":
            shape = sparse.csr_array(sparse.diags_array(freckled.astype(np.float32)) @ shape)
        found[kind] = Spots(shape, direction, strength * radius / seen)
    return found


def _shape(
    flat: FloatArray,
    tree: KDTree,
    centers: FloatArray,
    radius: FloatArray,
    stretch: FloatArray,
    turn: FloatArray,
) -> sparse.csr_array:
    """Return (P, n) float32 ovals with soft rims."""
    rows, columns, values = [], [], []
    for k, near in enumerate(tree.query_ball_point(centers, 2.2 * radius * stretch)):
        away = flat[near] - centers[k]
        c, s = np.cos(turn[k]), np.sin(turn[k])
        along = (away[:, 0] * c + away[:, 1] * s) / stretch[k]
        across = away[:, 1] * c - away[:, 0] * s
        rows.append(np.asarray(near, np.int64))
        columns.append(np.full(len(near), k))
        values.append(np.exp(-(((along**2 + across**2) / radius[k] ** 2) ** 1.6)))
    table = (np.concatenate(values), (np.concatenate(rows), np.concatenate(columns)))
    return sparse.csr_array(table, shape=(len(flat), len(centers)), dtype=np.float32)


def patches_of(p: FloatArray, spacing: float) -> ImageArray:
    """Return (P, PATCHES) float32 patterns of zero mean and deviation 1, from large to small."""
    rng = np.random.default_rng(_SEED + 1)
    patterns = np.empty((len(p), PATCHES), np.float32)
    for k in range(PATCHES):
        low, high = (60, 110) if k < _LARGE else (32, 60) if k < _MIDDLE else (13, 30)
        patterns[:, k] = waves(p, rng, low, high, spacing)
    return patterns


def waves(
    p: FloatArray,
    rng: np.random.Generator,
    low: float,
    high: float,
    spacing: float,
    count: int = 12,
) -> FloatArray:
    """Return (P,) a sum of plane waves of `low` to `high` mm, standard deviation 1.

    Waves too short for the places to show, below three of their distances, are left out.
    """
    direction = rng.standard_normal((count, 3))
    direction /= np.linalg.norm(direction, axis=1, keepdims=True)
    length = rng.uniform(low, high, count)
    phase = rng.uniform(0, 2 * np.pi, count)
    kept = np.exp(-((2.0 * spacing / length) ** 4))
    # Wave after wave: the last bits of a matrix product depend on the number of places.
    total = np.zeros(len(p))
    for k in range(count):
        x, y, z = 2 * np.pi * direction[k] / length[k]
        total += kept[k] * np.cos(p[:, 0] * x + p[:, 1] * y + p[:, 2] * z + phase[k])
    return total * np.sqrt(2.0 / count)


def patch_colors(codes: FloatArray) -> FloatArray:
    """Return (PATCHES, 3) Lab amounts of the patterns for the codes (PATCHES,) of a person."""
    kinds = np.arange(PATCHES)
    size = np.where(kinds < _LARGE, 2.1, np.where(kinds < _MIDDLE, 1.1, 0.55))
    # In turns brown, pale and red.
    colors = np.array([[-1.0, 0.15, 0.15], [0.9, -0.25, 0.1], [-0.85, 0.38, 0.05]])
    return (codes * size)[:, None] * colors[kinds % 3]
