"""Glasses as thin tubes: two rims, a bridge, two temples."""

import dataclasses

import numpy as np

from geomface.arrays import FloatArray, IndexArray

_SIDES = 6
_RIM = 28
_STEM = 5


@dataclasses.dataclass(frozen=True, eq=False)
class Frame:
    """The surface of glasses, fitted to anybody.

    Parameters
    ----------
    vertices : (G, 3) on the template's face, mm
    faces : (m, 3)
    """

    vertices: FloatArray
    faces: IndexArray

    def fitted(self, landmarks: FloatArray, rng: np.random.Generator) -> FloatArray:
        """Return the (G, 3) vertices of a random frame on somebody's landmarks (68, 3)."""
        return _tubes(
            landmarks,
            width=rng.uniform(0.36, 0.42),
            height=rng.uniform(0.24, 0.36),
            power=rng.uniform(2.0, 3.6),
            radius=rng.uniform(0.5, 1.5),
        )[0]


def glasses_surface(landmarks: FloatArray) -> Frame:
    """Return the frame on the template's landmarks (68, 3)."""
    return Frame(*_tubes(landmarks, width=0.39, height=0.3, power=2.5, radius=1.0))


def _tubes(
    landmarks: FloatArray, *, width: float, height: float, power: float, radius: float
) -> tuple[FloatArray, IndexArray]:
    """Return vertices and faces; sizes are shares of the distance of the pupils, radius mm."""
    right, left = landmarks[36:42].mean(axis=0), landmarks[42:48].mean(axis=0)
    apart = float(np.linalg.norm(left - right))
    ahead = float(landmarks[27, 2]) + 4.0
    angle = 2 * np.pi * np.arange(_RIM) / _RIM
    cosine, sine = np.cos(angle), np.sin(angle)
    x = np.sign(cosine) * np.abs(cosine) ** (2 / power) * width * apart
    y = np.sign(sine) * np.abs(sine) ** (2 / power) * height * apart
    paths: list[tuple[FloatArray, bool]] = []
    for eye in (right, left):
        # Rims bend around the face: the outer ends lie further back.
        outwards = np.maximum(np.sign(eye[0] - landmarks[27, 0]) * x, 0) / (width * apart)
        rim = np.stack([eye[0] + x, eye[1] - 0.05 * apart + y, ahead - 9.0 * outwards**2], axis=1)
        paths.append((rim, True))
    inner = np.array([[right[0] + width * apart, right[1] + 0.04 * apart, ahead]])
    other = np.array([[left[0] - width * apart, left[1] + 0.04 * apart, ahead]])
    share = np.linspace(0, 1, _STEM)[:, None]
    bridge = inner + share * (other - inner)
    bridge[:, 1:] += (0.06 * apart * np.sin(np.pi * share)) * [1.0, 0.5]
    paths.append((bridge, False))
    for eye, ear, side in ((right, landmarks[0], -1.0), (left, landmarks[16], 1.0)):
        start = np.array([eye[0] + side * width * apart, eye[1] + 0.08 * apart, ahead - 9.0])
        end = np.array([ear[0] + side * 5.0, eye[1] + 0.04 * apart, ear[2] - 12.0])
        stem = start + share * (end - start)
        stem[:, 0] += side * 4.0 * np.sin(np.pi * share[:, 0])
        paths.append((stem, False))
    vertices, faces, count = [], [], 0
    for path, closed in paths:
        tube, triangles = _tube(path, radius, closed)
        vertices.append(tube)
        faces.append(triangles + count)
        count += len(tube)
    return np.vstack(vertices), np.vstack(faces)


def _tube(path: FloatArray, radius: float, closed: bool) -> tuple[FloatArray, IndexArray]:
    """Return a tube around a path (n, 3)."""
    if closed:
        along = np.roll(path, -1, axis=0) - np.roll(path, 1, axis=0)
    else:
        along = np.gradient(path, axis=0)
    along = along / np.linalg.norm(along, axis=1)[:, None]
    # No tube runs along this direction, so the cross products never vanish.
    first = np.cross(along, [0.3, 0.2, 0.93] if closed else [0.1, 1.0, 0.15])
    first = first / np.linalg.norm(first, axis=1)[:, None]
    second = np.cross(along, first)
    turn = 2 * np.pi * np.arange(_SIDES) / _SIDES
    ring = np.cos(turn)[:, None] * first[:, None] + np.sin(turn)[:, None] * second[:, None]
    vertices = (path[:, None] + radius * ring).reshape(-1, 3)
    index = np.arange(len(path) * _SIDES).reshape(-1, _SIDES)
    start, end = (index, np.roll(index, -1, axis=0)) if closed else (index[:-1], index[1:])
    start_next, end_next = np.roll(start, -1, axis=1), np.roll(end, -1, axis=1)
    faces = np.vstack(
        [
            np.stack([start, start_next, end_next], axis=-1).reshape(-1, 3),
            np.stack([start, end_next, end], axis=-1).reshape(-1, 3),
        ]
    )
    return vertices, faces
