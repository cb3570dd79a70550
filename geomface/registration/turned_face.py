"""Is a fitted face upside down? Its relief is held against the template's, upright and turned."""

from functools import cached_property

import numpy as np
from scipy.spatial import KDTree

from geomface.arrays import BoolArray, FloatArray, IndexArray
from geomface.mesh import LandmarkEmbedding

_REACH_MM = 12.0
"""So far around brows, eyes, nose and mouth the relief counts."""
_SHIFTS_MM = np.linspace(-30.0, 30.0, 9)
"""How far up or down a turned face may lie: a fit that starts upside down finds its own place."""
_NEAR_MM = 6.0
_FIRST_INNER = 17
_CERTAIN = 0.9999


class TurnedFace:
    """What a template's relief would be, were the face below it upside down.

    Parameters
    ----------
    rest : (V, 3) float64, mm, face looking along +z, y up
    visible : (V,) bool, vertices that a scanner can see
    landmarks : of the template, in the order of multi-pie-68
    """

    def __init__(self, rest: FloatArray, visible: BoolArray, landmarks: LandmarkEmbedding) -> None:
        inner = landmarks.positions(rest)[_FIRST_INNER:]
        self.weights = np.exp(-((KDTree(inner).query(rest)[0] / _REACH_MM) ** 2))
        self._rest, self._seen = rest, np.flatnonzero(visible)
        self._middle = inner.mean(axis=0)[:2]

    @cached_property
    def _places(self) -> list[tuple[IndexArray, BoolArray]]:
        """For each shift the (V,) vertex that lies under each one, and whether there is one."""
        tree = KDTree(self._rest[self._seen, :2])
        places = []
        for shift in _SHIFTS_MM:
            distances, nearest = tree.query(2.0 * self._middle - self._rest[:, :2] + [0.0, shift])
            places.append((self._seen[nearest], distances < _NEAR_MM))
        return places

    def upright(self, expected: FloatArray, found: FloatArray, weights: FloatArray) -> float:
        """Return how much more a relief is like an upright face than like a turned one.

        min over shifts of artanh c(h, r) - artanh c(h, r o turn): below 0 it is more like a turned
        one. c is the correlation over the inner face.

        Parameters
        ----------
        expected : (V,) r, the template's relief
        found : (V,) h, that of the fitted template
        weights : (V,) not negative, 0 for vertices that met no scan

        Source
        ------
        Fisher 1921: artanh c has a spread that does not depend on c.
        """
        least = np.inf
        for under, known in self._places:
            share = weights * self.weights * known
            if not share.any():
                continue
            both = [correlation(share, found, relief) for relief in (expected, expected[under])]
            up, down = np.arctanh(np.clip(both, -_CERTAIN, _CERTAIN))
            least = min(least, up - down)
        return float(least)


def correlation(weights: FloatArray, *values: FloatArray) -> float:
    """Return the weighted correlation of two fields (V,)."""
    first, second = (value - weights @ value / weights.sum() for value in values)
    spread = np.sqrt((weights @ first**2) * (weights @ second**2))
    return float((weights @ (first * second)) / max(spread, 1e-300))
