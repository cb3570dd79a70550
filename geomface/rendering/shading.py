"""Lights of the studio pictures, and the kernel that colours covered pixels."""

import dataclasses
from typing import Any

import numba
import numpy as np


@dataclasses.dataclass(frozen=True)
class Studio:
    """A soft key light, a fill light from the other side, a sky and a little shine.

    light = ambient + sky * n_y + sum_i strength_i * max(0, (n . l_i + wrap_i) / (1 + wrap_i)),
    plus shine * max(0, n . h)^40 with h half way between the key light and the eye.

    Parameters
    ----------
    key, fill : directions towards the lights in camera axes (x right, y up, z to the eye)
    key_strength, fill_strength, ambient, sky, shine : brightness, 1 is white
    key_wrap, fill_wrap : how far the light reaches around the shape, 0 is a point light
    inside : factor on the colour of surfaces seen from behind
    """

    key: tuple[float, float, float] = (-0.50, 0.62, 0.60)
    key_strength: float = 0.80
    key_wrap: float = 0.15
    fill: tuple[float, float, float] = (0.85, 0.05, 0.52)
    fill_strength: float = 0.24
    fill_wrap: float = 0.30
    ambient: float = 0.22
    sky: float = 0.06
    shine: float = 0.07
    inside: float = 0.55

    def packed(self) -> np.ndarray:
        """Return the numbers in the order that the kernel reads them, (17,) float64."""
        key = np.array(self.key) / np.linalg.norm(self.key)
        fill = np.array(self.fill) / np.linalg.norm(self.fill)
        half = key + [0.0, 0.0, 1.0]
        half /= np.linalg.norm(half)
        rest = [self.key_strength, self.key_wrap, self.fill_strength, self.fill_wrap]
        rest += [self.ambient, self.sky, self.shine, self.inside]
        return np.concatenate([key, fill, half, rest])


@numba.njit(cache=True)
def sample_bilinear(image: Any, u: float, v: float, out: Any) -> None:
    """Read image (H, W, C) at uv (origin bottom-left) into out (C,), clamped at the border."""
    height, width = image.shape[0], image.shape[1]
    x = min(max(u * width - 0.5, 0.0), width - 1.0)
    y = min(max((1.0 - v) * height - 0.5, 0.0), height - 1.0)
    column, row = int(x), int(y)
    right, below = min(column + 1, width - 1), min(row + 1, height - 1)
    s, t = x - column, y - row
    for c in range(image.shape[2]):
        upper = image[row, column, c] * (1 - s) + image[row, right, c] * s
        lower = image[below, column, c] * (1 - s) + image[below, right, c] * s
        out[c] = upper * (1 - t) + lower * t


@numba.njit(cache=True)
def shade_pixels(
    face_ids: Any,
    xy: Any,
    faces: Any,
    normals: Any,
    colors: Any,
    texture: Any,
    uv: Any,
    uv_faces: Any,
    lights: Any,
    background: Any,
    samples: int,
) -> Any:
    """Colour a picture of face ids and average samples x samples of them to a pixel.

    face_ids (S H, S W); xy (V, 2) in sample units; normals (V, 3) in camera axes; colors (V, 3),
    used when texture has no pixels; uv (T, 2); lights from `Studio.packed`, all zero for none.
    """
    height, width = face_ids.shape[0] // samples, face_ids.shape[1] // samples
    picture = np.empty((height, width, 3), np.float32)
    textured = texture.size > 0
    lit = lights.any()
    color = np.empty(3)
    total = np.empty(3)
    for row in range(height):
        for column in range(width):
            total[:] = 0.0
            for k in range(samples * samples):
                sub_row = row * samples + k // samples
                sub_column = column * samples + k % samples
                f = face_ids[sub_row, sub_column]
                if f < 0:
                    for c in range(3):
                        total[c] += background[c]
                    continue
                i0, i1, i2 = faces[f, 0], faces[f, 1], faces[f, 2]
                ux, uy = xy[i1, 0] - xy[i0, 0], xy[i1, 1] - xy[i0, 1]
                vx, vy = xy[i2, 0] - xy[i0, 0], xy[i2, 1] - xy[i0, 1]
                px, py = sub_column + 0.5 - xy[i0, 0], sub_row + 0.5 - xy[i0, 1]
                area = ux * vy - uy * vx
                if area == 0.0:
                    w0, w1, w2 = 1.0 / 3.0, 1.0 / 3.0, 1.0 / 3.0
                else:
                    # Rounding may give a pixel to a sliver that it misses: never extrapolate.
                    w1 = max((px * vy - py * vx) / area, 0.0)
                    w2 = max((ux * py - uy * px) / area, 0.0)
                    w0 = max(1.0 - w1 - w2, 0.0)
                    whole = w0 + w1 + w2
                    w0, w1, w2 = w0 / whole, w1 / whole, w2 / whole
                if textured:
                    t0, t1, t2 = uv_faces[f, 0], uv_faces[f, 1], uv_faces[f, 2]
                    u = w0 * uv[t0, 0] + w1 * uv[t1, 0] + w2 * uv[t2, 0]
                    v = w0 * uv[t0, 1] + w1 * uv[t1, 1] + w2 * uv[t2, 1]
                    sample_bilinear(texture, u, v, color)
                else:
                    for c in range(3):
                        color[c] = w0 * colors[i0, c] + w1 * colors[i1, c] + w2 * colors[i2, c]
                if not lit:
                    for c in range(3):
                        total[c] += color[c]
                    continue
                nx = w0 * normals[i0, 0] + w1 * normals[i1, 0] + w2 * normals[i2, 0]
                ny = w0 * normals[i0, 1] + w1 * normals[i1, 1] + w2 * normals[i2, 1]
                nz = w0 * normals[i0, 2] + w1 * normals[i1, 2] + w2 * normals[i2, 2]
                length = np.sqrt(nx * nx + ny * ny + nz * nz)
                if length > 0.0:
                    nx, ny, nz = nx / length, ny / length, nz / length
                # y points down, so a positive area is a triangle seen from behind. The smooth
                # normal must agree: noise folds single triangles of a scan, and those stay bright.
                behind = area > 0.0 and nz < 0.0
                if behind:
                    nx, ny, nz = -nx, -ny, -nz
                key = nx * lights[0] + ny * lights[1] + nz * lights[2]
                fill = nx * lights[3] + ny * lights[4] + nz * lights[5]
                half = nx * lights[6] + ny * lights[7] + nz * lights[8]
                light = lights[13] + lights[14] * ny
                light += lights[9] * max((key + lights[10]) / (1.0 + lights[10]), 0.0)
                light += lights[11] * max((fill + lights[12]) / (1.0 + lights[12]), 0.0)
                shine = lights[15] * max(half, 0.0) ** 40
                if behind:
                    light *= lights[16]
                    shine = 0.0
                for c in range(3):
                    total[c] += min(max(color[c] * light + shine, 0.0), 1.0)
            for c in range(3):
                picture[row, column, c] = total[c] / (samples * samples)
    return picture
