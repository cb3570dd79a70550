"""Skull, ears, neck and shoulders around a face mask: surfaces to look at, never to measure on."""

import dataclasses

import numpy as np

from geomface.arrays import FloatArray, IndexArray
from geomface.mesh import Mesh
from geomface.mesh.normals import vertex_normals
from geomface.mesh.topology import boundary_loops, loop_length
from geomface.synthesis.photo.clothes import (
    Clothes,
    clothes_colors,
    clothes_faces,
    collar_and_tie,
    draw_clothes,
)

RINGS = 11
_NECK_SIDES, _NECK_ROWS = 30, 7
_EAR_SIDES, _EAR_ROWS = 14, 7
# Height below the chin, radius to the side, radius to the front, shift to the back; head widths.
TORSO = np.array(
    [
        [-0.24, 0.45, 0.43, 0.05],
        [-0.36, 0.58, 0.48, 0.06],
        [-0.47, 0.86, 0.54, 0.08],
        [-0.60, 1.15, 0.59, 0.09],
        [-0.76, 1.36, 0.62, 0.08],
        [-1.05, 1.48, 0.68, 0.06],
        [-2.20, 1.48, 0.76, 0.02],
    ]
)


@dataclasses.dataclass(frozen=True, eq=False)
class Body:
    """The surfaces around one face, as rows of one list of vertices.

    Parameters
    ----------
    skull : (RINGS n, 3), ring after ring from the rim of the mask to the back of the head
    rest : (m, 3) ears, neck, torso, collar and tie
    clothes : what is worn
    """

    skull: FloatArray
    rest: FloatArray
    clothes: Clothes


class BodyTopology:
    """Faces of the body, the same for everybody.

    Parameters
    ----------
    mesh : the face mask
    """

    def __init__(self, mesh: Mesh) -> None:
        loops = boundary_loops(mesh.faces)
        self.rim: IndexArray = max(loops, key=lambda loop: loop_length(mesh.vertices, loop))
        self._mask_faces = mesh.faces
        count, size = len(mesh.vertices), len(self.rim)
        rows = np.vstack([self.rim, count + np.arange(RINGS * size).reshape(RINGS, size)])
        self.skull_faces = _strip(rows)
        ear, self._ear_faces = _ball(_EAR_ROWS, _EAR_SIDES)
        self._ear = ear
        # The hollow of an ear is darker, its rim is not; one side of each ball looks outwards.
        hollow = np.exp(-((np.abs(ear[:, 1] + 0.05) / 0.55) ** 4) - ((ear[:, 2] + 0.1) / 0.5) ** 4)
        shade = [1 - 0.5 * hollow * (side * ear[:, 0] > 0.2) for side in (-1.0, 1.0)]
        self._ear_shade = np.concatenate(shade)[:, None]
        self._neck_faces = _strip(np.arange(_NECK_ROWS * _NECK_SIDES).reshape(_NECK_ROWS, -1))
        rows = len(TORSO)
        self._torso_faces = _strip(np.arange(rows * _NECK_SIDES).reshape(rows, -1))

    @property
    def skin_count(self) -> int:
        """Vertices of `Body.rest` that are skin: ears and neck."""
        return 2 * len(self._ear) + _NECK_ROWS * _NECK_SIDES

    @property
    def rest_faces(self) -> IndexArray:
        """Faces of ears, neck, torso, collar and tie among the vertices of `Body.rest`."""
        size = len(self._ear)
        neck = 2 * size
        torso = neck + _NECK_ROWS * _NECK_SIDES
        return np.vstack(
            [
                self._ear_faces,
                self._ear_faces + size,
                self._neck_faces + neck,
                self._torso_faces + torso,
                clothes_faces() + torso + len(TORSO) * _NECK_SIDES,
            ]
        )

    def body(self, face: FloatArray, landmarks: FloatArray, rng: np.random.Generator) -> Body:
        """Return the body around a neutral face (V, 3)."""
        width = float(np.linalg.norm(landmarks[16] - landmarks[0]))
        thick = rng.uniform(0.86, 1.04)
        clothes = draw_clothes(rng)
        rest = [
            _ears(self._ear, landmarks, width),
            _neck(landmarks, width, thick),
            _torso(landmarks, width, thick),
            collar_and_tie(clothes, landmarks, thick),
        ]
        return Body(self._skull(face, landmarks, width), np.vstack(rest), clothes)

    def colors(
        self, skin: FloatArray, body: Body, landmarks: FloatArray, rng: np.random.Generator
    ) -> FloatArray:
        """Return the sRGB colours of skull and rest: skin that continues the rim, and clothes."""
        edge = skin[self.rim]
        middle = np.median(skin, axis=0)
        for _ in range(6):
            edge = (np.roll(edge, 1, axis=0) + edge + np.roll(edge, -1, axis=0)) / 3
        share = np.linspace(1.0, 0.0, RINGS)[:, None, None]
        skull = (share * edge + (1 - share) * middle).reshape(-1, 3)
        ears = np.clip(middle * [1.04, 0.95, 0.94], 0, 1) * self._ear_shade
        neck = np.tile(middle * 0.96, (_NECK_ROWS * _NECK_SIDES, 1))
        torso = self.skin_count + len(TORSO) * _NECK_SIDES
        worn = clothes_colors(
            body.clothes,
            body.rest[self.skin_count : torso],
            body.rest[torso:],
            middle,
            landmarks,
            rng,
        )
        return np.clip(np.vstack([skull, ears, neck, worn]), 0, 1)

    def _skull(self, face: FloatArray, landmarks: FloatArray, width: float) -> FloatArray:
        """Return Hermite curves from the rim, along the mask's own direction, to the back pole."""
        rim = face[self.rim]
        ahead = np.roll(rim, -1, axis=0) - np.roll(rim, 1, axis=0)
        out = np.cross(ahead, vertex_normals(face, self._mask_faces)[self.rim])
        for _ in range(12):
            out = np.roll(out, 1, axis=0) + 2 * out + np.roll(out, -1, axis=0)
            out /= np.linalg.norm(out, axis=1)[:, None]
        bridge = landmarks[27]
        middle = 0.5 * (landmarks[0, 0] + landmarks[16, 0])
        pole = np.array([middle, bridge[1] + 0.12 * width, bridge[2] - 1.3 * width])
        # Below the ears the surface turns under the jaw instead of going on downwards.
        low = np.clip((bridge[1] - 0.25 * width - rim[:, 1]) / (0.35 * width), 0, 1)[:, None]
        out = out + low * (np.array([0.0, 0.35, -1.6]) - 0.6 * out)
        out /= np.linalg.norm(out, axis=1)[:, None]
        inwards = pole - rim
        inwards[:, 2] = 0.0
        inwards /= np.maximum(np.linalg.norm(inwards, axis=1), 1e-9)[:, None]
        start = out * width * (1.25 - 0.75 * low)
        end = inwards * width * (1.35 - 0.4 * low)
        t = (np.arange(1, RINGS + 1) / RINGS)[:, None, None] * 0.995
        curve = (2 * t**3 - 3 * t**2 + 1) * rim + (t**3 - 2 * t**2 + t) * start
        curve = curve + (3 * t**2 - 2 * t**3) * pole + (t**3 - t**2) * end
        return curve.reshape(-1, 3)


def _ears(ball: FloatArray, landmarks: FloatArray, width: float) -> FloatArray:
    """Return two flattened balls beside the jaw's upper ends."""
    top = 0.5 * (landmarks[36, 1] + landmarks[45, 1]) + 0.06 * width
    base = landmarks[33, 1] - 0.06 * width
    ears = []
    for place, side in ((landmarks[0], -1.0), (landmarks[16], 1.0)):
        size = np.array([0.05, 0.5 * (top - base) / width, 0.13]) * width
        ear = ball * size
        # Wider above, standing off the head behind.
        ear[:, 2] *= 1.0 + 0.35 * ear[:, 1] / size[1]
        ear[:, 0] += side * -0.55 * ear[:, 2] * 0.8
        center = [place[0] + side * 0.03 * width, 0.5 * (top + base), place[2] - 0.2 * width]
        ears.append(np.array(center) + ear)
    return np.vstack(ears)


def _neck(landmarks: FloatArray, width: float, thick: float) -> FloatArray:
    chin, bridge = landmarks[8], landmarks[27]
    middle = 0.5 * (landmarks[0, 0] + landmarks[16, 0])
    share = np.linspace(0, 1, _NECK_ROWS)
    height = chin[1] + width * (0.4 - 0.95 * share)
    flare = 1.0 + 0.2 * np.clip((share - 0.5) / 0.5, 0, 1) ** 2
    center_z = bridge[2] - width * (0.74 + 0.2 * share)
    return _rings(
        middle, height, center_z, 0.40 * thick * width * flare, 0.41 * thick * width * flare
    )


def _torso(landmarks: FloatArray, width: float, thick: float) -> FloatArray:
    chin, bridge = landmarks[8], landmarks[27]
    middle = 0.5 * (landmarks[0, 0] + landmarks[16, 0])
    height, side, front, back = TORSO.T * width
    center = bridge[2] - 0.8 * width - back
    scale = np.where(np.arange(len(side)) < 2, thick, 1.0)
    torso = _rings(middle, chin[1] + height, center, side * scale, front * scale)
    # Shoulders slope: what is far to the side lies lower.
    aside = np.abs(torso[:, 0] - middle) / width
    torso[:, 1] -= 0.10 * width * np.clip(aside - 0.4, 0, None) ** 2
    # Collars lie lower in front.
    torso[:, 1] -= 0.12 * np.clip(torso[:, 2] - (bridge[2] - 0.8 * width), 0, None)
    return torso


def _rings(
    x: float, height: FloatArray, z: FloatArray, side: FloatArray, front: FloatArray
) -> FloatArray:
    """Return ellipses around vertical axes, one a row, clockwise seen from above."""
    angle = 2 * np.pi * np.arange(_NECK_SIDES) / _NECK_SIDES
    rows = np.stack(
        [
            x + side[:, None] * np.sin(angle),
            np.repeat(height[:, None], _NECK_SIDES, axis=1),
            z[:, None] + front[:, None] * np.cos(angle),
        ],
        axis=2,
    )
    return rows.reshape(-1, 3)


def _ball(rows: int, sides: int) -> tuple[FloatArray, IndexArray]:
    """Return a unit ball of rings between two poles."""
    polar = np.pi * np.arange(1, rows + 1) / (rows + 1)
    angle = 2 * np.pi * np.arange(sides) / sides
    ring = np.stack(
        [
            np.sin(polar)[:, None] * np.sin(angle),
            np.repeat(np.cos(polar)[:, None], sides, axis=1),
            np.sin(polar)[:, None] * np.cos(angle),
        ],
        axis=2,
    )
    vertices = np.vstack([ring.reshape(-1, 3), [[0, 1, 0], [0, -1, 0]]])
    index = np.arange(rows * sides).reshape(rows, sides)
    first, last = index[0], index[-1]
    top, bottom = np.full(sides, rows * sides), np.full(sides, rows * sides + 1)
    caps = [
        np.stack([top, first, np.roll(first, -1)], axis=1),
        np.stack([bottom, np.roll(last, -1), last], axis=1),
    ]
    return vertices, np.vstack([_strip(index), *caps])


def _strip(rows: IndexArray) -> IndexArray:
    """Return the faces between closed rows of vertices; rows run counter-clockwise from above."""
    upper, lower = rows[:-1], rows[1:]
    upper_next, lower_next = np.roll(upper, -1, axis=1), np.roll(lower, -1, axis=1)
    first = np.stack([upper, lower, lower_next], axis=-1).reshape(-1, 3)
    second = np.stack([upper, lower_next, upper_next], axis=-1).reshape(-1, 3)
    return np.vstack([first, second])
