"""What hair lies on and hangs beside: head, face, neck and shoulders as simple solids."""

import dataclasses

import numpy as np

from geomface.arrays import FloatArray
from geomface.synthesis.photo.body import TORSO


@dataclasses.dataclass(frozen=True, eq=False)
class Obstacles:
    """An ellipsoid over a cylinder for the head, and the rings of the torso.

    Parameters
    ----------
    width : of the head, mm
    centre, radii : (3,) mm, of the ellipsoid
    brow, chin : (3,) mm
    """

    width: float
    centre: FloatArray
    radii: FloatArray
    brow: FloatArray
    chin: FloatArray

    def outside(
        self, points: FloatArray, off: FloatArray, clear: FloatArray, hug: float
    ) -> FloatArray:
        """Return points (n, 3) moved out of the solids.

        Parameters
        ----------
        off : (n,) mm that hair stands off the head
        clear : (n,) widths of the head from the middle, nearer to which nothing hangs before the
            face
        hug : share of the way back to the head of what flies off it
        """
        p = points - self.centre
        radii = self.radii + off[:, None]
        q = p / radii
        # Below its middle the head goes on as a cylinder, past the ears.
        q[:, 1] = np.maximum(q[:, 1], 0)
        size = np.linalg.norm(q, axis=1)
        push = 1.0 / np.maximum(size, 1e-3)[:, None]
        push = np.where(push > 1.0, push, 1.0 + hug * (p[:, 1:2] > 0) * (push - 1.0))
        below = np.clip((self.chin[1] - points[:, 1]) / (0.25 * self.width), 0, 1)[:, None]
        push = push + below * (1.0 - push)
        moved = np.where(p[:, 1:2] > 0, p * push, p * np.hstack([push, push * 0 + 1, push]))
        moved = self._beside_the_face(moved + self.centre, clear)
        return self._over_the_shoulders(moved, off)

    def _beside_the_face(self, points: FloatArray, clear: FloatArray) -> FloatArray:
        low = np.clip((self.brow[1] + 0.4 * self.width - points[:, 1]) / (0.4 * self.width), 0, 1)
        ahead = points[:, 2] > self.centre[2]
        least = clear * self.width * low * ahead
        x = points[:, 0] - self.centre[0]
        side = np.where(x < 0, -1.0, 1.0)
        out = points.copy()
        out[:, 0] = self.centre[0] + side * np.maximum(np.abs(x), least)
        return out

    def _over_the_shoulders(self, points: FloatArray, off: FloatArray) -> FloatArray:
        height, side, front, back = TORSO.T * self.width
        # Rings run downwards, np.interp wants rising numbers.
        aside = np.abs(points[:, 0] - self.centre[0]) / self.width
        slope = 0.10 * self.width * np.clip(aside - 0.4, 0, None) ** 2
        y = points[:, 1] - self.chin[1] + slope
        rows = [np.interp(y, height[::-1], row[::-1]) for row in (side, front, back)]
        z0 = self.brow[2] - 0.8 * self.width - rows[2]
        x, z = points[:, 0] - self.centre[0], points[:, 2] - z0
        size = np.sqrt((x / rows[0]) ** 2 + (z / rows[1]) ** 2)
        inside = (y < height[0]) & (size < 1)
        push = np.where(inside, np.minimum(1.0 / np.maximum(size, 0.2), 2.0), 1.0)
        out = points.copy()
        out[:, 0] = self.centre[0] + x * push
        out[:, 2] = z0 + z * push + np.where(inside, np.sign(z) * (2.0 + 0.3 * off), 0)
        return out


def obstacles_of(skull: FloatArray, scalp: FloatArray, landmarks: FloatArray) -> Obstacles:
    """Return the solids of a person.

    Parameters
    ----------
    skull : (n, 3) back of the head, mm
    scalp : (m, 3) all skin that may be hairy
    landmarks : (68, 3)
    """
    width = float(np.linalg.norm(landmarks[16] - landmarks[0]))
    middle = 0.5 * (landmarks[0, 0] + landmarks[16, 0])
    top, back = float(scalp[:, 1].max()), float(skull[:, 2].min())
    front = float(landmarks[27, 2])
    y = landmarks[27, 1] + 0.1 * width
    centre = np.array([middle, y, 0.5 * (front + back)])
    high = scalp[scalp[:, 1] > y]
    side = float(np.quantile(np.abs(high[:, 0] - middle), 0.98))
    radii = np.array([side, top - y, 0.5 * (front - back)])
    return Obstacles(width, centre, radii, landmarks[17:27].mean(axis=0), landmarks[8])
