"""Which way among a model's modes people are older, heavier, wider, men: named modes, or found."""

import dataclasses
import functools

import numpy as np

from geomface.arrays import FloatArray
from geomface.faces.albedo import face_landmarks, landmark_places
from geomface.faces.albedo_code import TOLD
from geomface.faces.builtin import load_builtin_face
from geomface.statistics import MorphableModel
from geomface.threads import one_blas_thread

_PLACES = {
    "sexDimorphism": 1,
    "adiposity": 2,
    "noseLipBreadth": 3,
    "midfaceFlatness": 5,
    "aging": 7,
}
"""Modes of the built-in face that the albedo code is told of, and their places among the first."""
_WIDER = (
    "sexDimorphism", "adiposity", "aging", "width",
    "noseLipBreadth", "noseWidth", "noseProtrusion", "noseLength", "faceLength",
)  # fmt: skip
_MOST = 3.5
"""Standard deviations of the model that no spread goes beyond."""
_NOISE_MM = 1.5
"""How exactly a direction has to move the landmarks as a mode of the built-in face does."""


@dataclasses.dataclass(frozen=True, eq=False)
class TraitAxes:
    """Directions among the K identity modes of a model.

    Parameters
    ----------
    told : (n, K) orthonormal rows, n = 16 or K; what `sample_albedo_code` is told of a shape, in
        the order of the built-in face's modes
    wider : (w, K) orthonormal rows: sex, weight, age, width of the head, length of the face, nose
    """

    told: FloatArray
    wider: FloatArray

    def spread(self, coefficients: FloatArray, factor: float) -> FloatArray:
        """Return coefficients (K,) whose part t along `wider` is up to `factor` larger.

        a + W^T (m tanh(f t / m) - t),  t = W a,  m = 3.5; a itself where f is 1
        """
        if factor == 1:
            return coefficients
        along = np.einsum("wk,k->w", self.wider, coefficients)
        moved = _MOST * np.tanh(factor * along / _MOST) - along
        return coefficients + np.einsum("wk,w->k", self.wider, moved)

    def tell(self, coefficients: FloatArray, factor: float) -> FloatArray:
        """Return the (n,) numbers that the skin follows from, as if nothing had been spread."""
        if factor == 1:
            return np.einsum("nk,k->n", self.told, coefficients)
        along = np.einsum("wk,k->w", self.wider, coefficients)
        first = _MOST / factor * np.arctanh(np.clip(along / _MOST, -0.999, 0.999))
        plain = coefficients + np.einsum("wk,w->k", self.wider, first - along)
        return np.einsum("nk,k->n", self.told, plain)


def trait_axes(model: MorphableModel) -> TraitAxes:
    """Return the directions of a model: modes by name, else those that move the landmarks alike.

    d = argmin |A d - b|^2 / s^2 + |d|^2,  s = 1.5 mm, then length 1

    A are the model's modes at the 68 landmarks and b a mode of the built-in face there, both in
    faces whose outer corners of the eyes lie 90 mm apart.

    Raises
    ------
    LandmarkError : the template has no multi-pie-68 landmarks.
    """
    count = len(model.shape)
    wanted = list(dict.fromkeys([*_PLACES, *_WIDER]))
    # Threads would add in another order: people would differ in their last bits by the worker.
    with one_blas_thread():
        if all(name in model.shape.names for name in wanted):
            found = {name: np.eye(count)[model.shape.names.index(name)] for name in wanted}
        else:
            found = _by_landmarks(model, wanted)
        told = _completed({_PLACES[name]: found[name] for name in _PLACES}, min(len(TOLD), count))
        wider = np.stack([found[name] for name in _WIDER])[:count]
        return TraitAxes(told, _orthonormal(wider))


def _by_landmarks(model: MorphableModel, names: list[str]) -> dict[str, FloatArray]:
    own = _at_landmarks(model)
    goals = _builtin_modes()
    normal = own @ own.T + _NOISE_MM**2 * np.eye(len(own))
    found = {}
    for name in names:
        direction = np.linalg.solve(normal, own @ goals[name])
        length = float(np.linalg.norm(direction))
        found[name] = direction / length if length > 1e-9 else direction
    return found


def _at_landmarks(model: MorphableModel) -> FloatArray:
    """Return (K, 204) how the modes move the landmarks, mm, without moving all of them."""
    places = landmark_places(model.template)
    scale = 90.0 / float(np.linalg.norm(places[45] - places[36]))
    marks = face_landmarks(model.template)
    moves = np.stack([marks.positions(mode) for mode in model.shape.modes])
    moves = moves - moves.mean(axis=1, keepdims=True)
    return scale * moves.reshape(len(moves), -1)


@functools.cache
def _builtin_modes() -> dict[str, FloatArray]:
    face = load_builtin_face()
    return dict(zip(face.shape.names, _at_landmarks(face), strict=True))


def _completed(rows: dict[int, FloatArray], count: int) -> FloatArray:
    """Return (count, K) orthonormal rows: the given ones at their places, modes elsewhere."""
    kept = {place: row for place, row in rows.items() if place < count}
    order = [*kept, *(place for place in range(count) if place not in kept)]
    unit = np.eye(len(next(iter(rows.values()))))
    result = np.zeros((count, len(unit)))
    result[order] = _orthonormal(
        np.stack([kept[place] if place in kept else unit[place] for place in order])
    )
    return result


def _orthonormal(rows: FloatArray) -> FloatArray:
    """Return orthonormal rows, each as near to the given one as those before it allow."""
    q, _ = np.linalg.qr(rows.T)
    return q.T * np.where(np.einsum("nk,kn->n", rows, q) < 0, -1.0, 1.0)[:, None]
