"""Hairs as lines in space: lit along their length, drawn over a picture at twice its size."""

import dataclasses
import math

import numba
import numpy as np

from geomface.arrays import BoolArray, FloatArray, ImageArray, IndexArray
from geomface.datasets.labelled_pictures import CameraNumbers
from geomface.synthesis.photo import optics
from geomface.synthesis.photo.soft_shadows import soft_shadow

_FINE = 2
"""Samples a pixel along each side."""
_SHADE, _SHADE_FAR, _SHADE_SOFT = np.float32(0.3), 0.012, 0.014
"""How dark sRGB skin gets under much hair; how far and how softly, shares of the picture."""
_OVER = 0.6
"""mm, how much nearer than it is a hair is taken, or the skin that it lies on would hide it."""


@dataclasses.dataclass(frozen=True, eq=False)
class Strands:
    """The hairs of one person, each a line of K points that starts at its root.

    Parameters
    ----------
    points : (N, K, 3) float32, mm, on the neutral head
    outwards : (N, 3) float32 unit, away from the head at the root
    colors : (N, 3) float32, linear light
    depth : (N,) float32 in [0, 1], 0 for what lies deep under other hair, 1 on top
    width : (N,) float32, mm at the root; a drawn hair stands for a lock of thin ones
    gloss : strength of the highlights
    corners, weights : (N, 3) of the triangles that the roots lie on, where these move with the face
    """

    points: np.ndarray
    outwards: np.ndarray
    colors: np.ndarray
    depth: np.ndarray
    width: np.ndarray
    gloss: float
    corners: IndexArray | None = None
    weights: np.ndarray | None = None


@dataclasses.dataclass(frozen=True, eq=False)
class StrandCanvas:
    """A picture that hairs are drawn over.

    Parameters
    ----------
    depth : (2 size, 2 size) float32, mm, of the nearest thing so far
    color : (2 size, 2 size, 3) float32, linear light, where `drawn`
    drawn : (2 size, 2 size) bool, hair is the nearest thing
    solid : (size, size) bool, there is something for hair to lie on
    """

    depth: np.ndarray
    color: np.ndarray
    drawn: BoolArray
    solid: BoolArray


def strand_canvas(depth: np.ndarray) -> StrandCanvas:
    """Return the canvas over a picture whose surfaces lie at depths (size, size), 0 for none."""
    far = np.where(depth > 0, depth, np.inf).astype(np.float32)
    fine = np.repeat(np.repeat(far, _FINE, axis=0), _FINE, axis=1)
    # Colours are read where something is drawn alone.
    color, drawn = np.empty((*fine.shape, 3), np.float32), np.zeros(fine.shape, bool)
    return StrandCanvas(fine, color, drawn, depth > 0)


def draw_strands(
    canvas: StrandCanvas,
    strands: Strands,
    camera: CameraNumbers,
    light: FloatArray,
    *,
    moved: np.ndarray | None = None,
) -> None:
    """Draw hairs onto a canvas, nearest first wins.

    Diffuse light is that of the surface the hair lies on; the highlight runs across the hair:
    (1 - (t . h)^2)^(p / 2) with the hair's direction t and h half way between light and eye.

    Parameters
    ----------
    light : (9, 3) spherical harmonics
    moved : (V, 3) mm, how far an expression carries the vertices that roots lie on

    Source
    ------
    Kajiya and Kay 1989, "Rendering fur with three dimensional textures".
    """
    points = strands.points
    if moved is not None and strands.corners is not None and strands.weights is not None:
        carried = (moved.astype(np.float32)[strands.corners] * strands.weights[..., None]).sum(1)
        points = points + carried[:, None]
    towards = light[[3, 1, 2]].mean(axis=1)
    length = float(np.linalg.norm(towards))
    key = towards / max(length, 1e-6)
    half = key - camera.rotation[2]
    half /= max(float(np.linalg.norm(half)), 1e-6)
    _draw(
        points,
        strands.outwards,
        strands.colors,
        strands.depth,
        strands.width,
        strands.gloss * min(length, 1.5),
        camera.rotation.astype(np.float32),
        camera.translation.astype(np.float32),
        (_FINE * camera.principal).astype(np.float32),
        _FINE * float(camera.focal),
        camera.weak,
        light.astype(np.float32),
        key.astype(np.float32),
        half.astype(np.float32),
        canvas.depth,
        canvas.color,
        canvas.drawn,
    )


def over_picture(
    canvas: StrandCanvas, picture: ImageArray, camera: CameraNumbers, light: FloatArray
) -> tuple[ImageArray, np.ndarray]:
    """Return the sRGB picture (size, size, 3) under its hairs, and their coverage (size, size).

    Hair takes light from the skin beside it: a soft shade, away from the main light.

    Parameters
    ----------
    light : (9, 3) spherical harmonics
    """
    picture = np.array(picture, np.float32)
    cover = np.zeros(picture.shape[:2], np.float32)
    if canvas.drawn.any():
        size = len(picture)
        towards = camera.rotation @ light[[3, 1, 2]].mean(axis=1)
        towards = towards[:2] / max(float(np.linalg.norm(towards)), 1e-6)
        shift = np.round(-_SHADE_FAR * size * towards).astype(int)
        share = np.zeros((size, size), np.float32)
        for row, column in np.ndindex(_FINE, _FINE):
            share += canvas.drawn[row::_FINE, column::_FINE]
        share /= _FINE * _FINE
        shade = soft_shadow(share, int(shift[0]), int(shift[1]), _SHADE_SOFT * size, truncate=2.0)
        picture *= (1 - _SHADE * shade * canvas.solid)[..., None]
    _resolve(canvas.color, canvas.drawn, picture, cover)
    return picture, cover


@numba.njit(cache=True, nogil=True, error_model="numpy")
def _draw(
    points: np.ndarray,
    outwards: np.ndarray,
    colors: np.ndarray,
    layer: np.ndarray,
    width: np.ndarray,
    gloss: float,
    rotation: np.ndarray,
    translation: np.ndarray,
    principal: np.ndarray,
    focal: float,
    weak: bool,
    light: np.ndarray,
    key: np.ndarray,
    half: np.ndarray,
    depth: np.ndarray,
    color: np.ndarray,
    drawn: np.ndarray,
) -> None:  # pragma: no cover - compiled
    count, steps = points.shape[0], points.shape[1]
    rows, columns = depth.shape
    xyz = np.empty((steps, 3), np.float32)
    rgb = np.empty((steps, 3), np.float32)
    shaded, seen = np.empty(steps, np.bool_), np.empty(steps, np.bool_)
    for n in range(count):
        for k in range(steps):
            px, py, pz = points[n, k, 0], points[n, k, 1], points[n, k, 2]
            z = rotation[2, 0] * px + rotation[2, 1] * py + rotation[2, 2] * pz + translation[2]
            scale = focal if weak else focal / max(z, np.float32(1.0))
            x = rotation[0, 0] * px + rotation[0, 1] * py + rotation[0, 2] * pz + translation[0]
            y = rotation[1, 0] * px + rotation[1, 1] * py + rotation[1, 2] * pz + translation[1]
            xyz[k, 0] = scale * x + principal[0]
            xyz[k, 1] = scale * y + principal[1]
            xyz[k, 2] = z
            shaded[k] = False
            seen[k] = _before(xyz[k, 0], xyz[k, 1], z, depth)
        for k in range(steps - 1):
            # What lies hidden at both ends and in its middle is: pieces are short.
            if not (seen[k] or seen[k + 1]):
                x, y = xyz[k, 0] + xyz[k + 1, 0], xyz[k, 1] + xyz[k + 1, 1]
                z = np.float32(0.5) * (xyz[k, 2] + xyz[k + 1, 2])
                if not _before(np.float32(0.5) * x, np.float32(0.5) * y, z, depth):
                    continue
            z = xyz[k, 2]
            share = np.float32((k + 0.5) / (steps - 1))
            size = width[n] * (focal if weak else focal / max(z, np.float32(1.0)))
            size *= np.float32(1.0) - np.float32(0.6) * share * share
            # Nothing is drawn thinner than a sample: of such hairs, as many are left out.
            if size < 1.0 and (n * 0.6180339887) % 1.0 > size:
                break
            for end in (k, k + 1):
                if not shaded[end]:
                    _shade(points, n, end, outwards, colors, layer, gloss, light, key, half, rgb)
                    shaded[end] = True
            _line(xyz, rgb, k, size, rows, columns, depth, color, drawn)


@numba.njit(cache=True, nogil=True, inline="always", error_model="numpy")
def _before(x: float, y: float, z: float, depth: np.ndarray) -> bool:  # pragma: no cover - compiled
    """Whether a point lies in the picture and before all that is drawn."""
    rows, columns = depth.shape
    if not (-1 < x < columns and -1 < y < rows):
        return False
    row, column = min(max(int(y), 0), rows - 1), min(max(int(x), 0), columns - 1)
    return z - _OVER < depth[row, column]


@numba.njit(cache=True, nogil=True, inline="always", error_model="numpy")
def _shade(
    points: np.ndarray,
    n: int,
    k: int,
    outwards: np.ndarray,
    colors: np.ndarray,
    layer: np.ndarray,
    gloss: float,
    light: np.ndarray,
    key: np.ndarray,
    half: np.ndarray,
    rgb: np.ndarray,
) -> None:  # pragma: no cover - compiled
    steps = points.shape[1]
    a, b = max(k - 1, 0), min(k + 1, steps - 1)
    tx = points[n, b, 0] - points[n, a, 0]
    ty = points[n, b, 1] - points[n, a, 1]
    tz = points[n, b, 2] - points[n, a, 2]
    size = math.sqrt(tx * tx + ty * ty + tz * tz) + 1e-6
    tx, ty, tz = tx / size, ty / size, tz / size
    nx, ny, nz = outwards[n, 0], outwards[n, 1], outwards[n, 2]
    # The side of a hair that looks away from the head.
    along = nx * tx + ny * ty + nz * tz
    nx, ny, nz = nx - 0.8 * along * tx, ny - 0.8 * along * ty, nz - 0.8 * along * tz
    size = math.sqrt(nx * nx + ny * ny + nz * nz) + 1e-6
    nx, ny, nz = nx / size, ny / size, nz / size
    share = k / (steps - 1)
    open_ = layer[n] * (0.45 + 0.55 * min(2.0 * share, 1.0))
    open_ = 0.22 + 0.78 * open_
    facing = nx * key[0] + ny * key[1] + nz * key[2]
    across = tx * half[0] + ty * half[1] + tz * half[2]
    sine = max(1.0 - across * across, 0.0)
    sine4 = sine * sine * sine * sine
    sine16 = sine4 * sine4 * sine4 * sine4
    shine = gloss * open_ * max(facing + 0.15, 0.0)
    white = shine * sine16 * sine16
    tinted = shine * sine4 * sine4
    c0, c1, c2 = 0.28209479, 0.48860251, 1.09254843
    y2 = 0.25 * c2
    for c in range(3):
        lit = c0 * light[0, c]
        lit += (2 / 3) * c1 * (ny * light[1, c] + nz * light[2, c] + nx * light[3, c])
        lit += y2 * (nx * ny * light[4, c] + ny * nz * light[5, c] + nx * nz * light[7, c])
        lit += y2 * (
            (3 * nz * nz - 1) * 0.28867513 * light[6, c] + 0.5 * (nx * nx - ny * ny) * light[8, c]
        )
        lit = max(lit, 0.02)
        rgb[k, c] = colors[n, c] * (lit * open_ + 2.2 * tinted) + 0.10 * white


@numba.njit(cache=True, nogil=True, inline="always", error_model="numpy")
def _line(
    xyz: np.ndarray,
    rgb: np.ndarray,
    k: int,
    size: float,
    rows: int,
    columns: int,
    depth: np.ndarray,
    color: np.ndarray,
    drawn: np.ndarray,
) -> None:  # pragma: no cover - compiled
    x0, y0, z0 = xyz[k, 0], xyz[k, 1], xyz[k, 2]
    dx, dy, dz = xyz[k + 1, 0] - x0, xyz[k + 1, 1] - y0, xyz[k + 1, 2] - z0
    if not (abs(dx) < 4 * columns and abs(dy) < 4 * rows):
        return
    steep = abs(dy) > abs(dx)
    major = abs(dy) if steep else abs(dx)
    minor = abs(dx) if steep else abs(dy)
    # A slanted line is wider along an axis than across itself.
    half = 0.5 * size * math.sqrt(major * major + minor * minor) / max(major, 1e-3)
    half = min(half, 2.0 * size)
    steps = int(major) + 1
    for step in range(steps):
        t = (step + 0.5) / steps
        x, y, z = x0 + t * dx, y0 + t * dy, z0 + t * dz - _OVER
        middle = x if steep else y
        first = int(math.floor(middle - half + 0.5))
        last = max(int(math.floor(middle + half + 0.5)), first + 1)
        other = int(math.floor(y if steep else x))
        for place in range(first, last):
            row, column = (other, place) if steep else (place, other)
            if row < 0 or row >= rows or column < 0 or column >= columns:
                continue
            if z < depth[row, column]:
                depth[row, column] = z
                drawn[row, column] = True
                for c in range(3):
                    color[row, column, c] = rgb[k, c] + t * (rgb[k + 1, c] - rgb[k, c])


@numba.njit(cache=True, nogil=True, error_model="numpy")
def _resolve(
    color: np.ndarray, drawn: np.ndarray, picture: np.ndarray, cover: np.ndarray
) -> None:  # pragma: no cover - compiled
    for row in range(picture.shape[0]):
        for column in range(picture.shape[1]):
            found = 0
            red = green = blue = 0.0
            for i in range(_FINE * row, _FINE * row + _FINE):
                for j in range(_FINE * column, _FINE * column + _FINE):
                    if drawn[i, j]:
                        found += 1
                        red += color[i, j, 0]
                        green += color[i, j, 1]
                        blue += color[i, j, 2]
            if not found:
                continue
            share = found / (_FINE * _FINE)
            cover[row, column] = share
            sums = (red, green, blue)
            for c in range(3):
                value = optics.decoded(max(picture[row, column, c], np.float32(0.0)))
                value = (1 - share) * value + sums[c] / (_FINE * _FINE)
                picture[row, column, c] = optics.encoded(np.float32(value))
