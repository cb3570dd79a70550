"""What each place of a face is for the skin: lip, brow, beard zone, socket, freckle."""

import dataclasses

import numpy as np
from scipy.interpolate import CubicSpline
from scipy.spatial import KDTree

from geomface.arrays import BoolArray, FloatArray, IndexArray

_FRECKLES = 420
_PATTERN_SEED = 68


@dataclasses.dataclass(frozen=True, eq=False)
class SkinFields:
    """Fields at P places of a face, most of them in [0, 1].

    Parameters
    ----------
    lip, mouth_line : (P,) the red of the lips; the dark line between them
    brow_distance, brow_taper, brow_grain : (P,) distance to the brow's middle in half widths; how
        full the brow is along its length; the streaks of its hair
    lash : (P,) the line of the lashes
    moustache, jaw : (P,) the two beard zones
    cheek, nose, flush : (P,) where redness gathers
    socket : (P,) lids and shadows under the eyes
    freckle : (P,) fixed spots on cheeks and nose
    mottle : (P, 2) two patterns without a name, zero mean, of 20 to 60 mm
    """

    lip: FloatArray
    mouth_line: FloatArray
    brow_distance: FloatArray
    brow_taper: FloatArray
    brow_grain: FloatArray
    lash: FloatArray
    moustache: FloatArray
    jaw: FloatArray
    cheek: FloatArray
    nose: FloatArray
    flush: FloatArray
    socket: FloatArray
    freckle: FloatArray
    mottle: FloatArray


def skin_fields(points: FloatArray, landmarks: FloatArray) -> SkinFields:
    """Return the fields at places on or near a neutral face.

    Parameters
    ----------
    points : (P, 3) float64, places on the template, in its unit
    landmarks : (68, 3) float64, multi-pie-68, same unit

    Convention
    ----------
    All lengths are measured in a face whose outer corners of the eyes lie 90 mm apart, so the
    template may be of any size. x to the subject's left, y up, z out of the face.
    """
    scale = 90.0 / np.linalg.norm(landmarks[45] - landmarks[36])
    origin = landmarks[27]
    p = (points - origin) * scale
    marks = (landmarks - origin) * scale
    lip, mouth_line = _lips(p, marks)
    distance, taper, grain = _brows(p, marks)
    socket, lash = _eyes(p, marks)
    moustache, jaw = _beard(p, marks)
    cheeks = [0.46 * marks[a] + 0.32 * marks[b] + 0.22 * marks[c] for a, b, c in _CHEEKS]
    clear = (1 - lip) * (1 - socket)
    cheek = _any([_bump(p, place, (13, 10, 18)) for place in cheeks])
    nose = _any(
        [_bump(p, marks[30], (9, 8, 12)), *(_bump(p, marks[k], (6, 6, 9)) for k in (31, 35))]
    )
    chin = _bump(p, marks[8] + [0, 10, 4], (16, 10, 20))
    flush = np.clip(_any([cheek, nose, 0.7 * chin]), 0, 1)
    return SkinFields(
        lip=lip,
        mouth_line=mouth_line,
        brow_distance=distance,
        brow_taper=taper,
        brow_grain=grain,
        lash=lash,
        moustache=moustache * (1 - lip),
        jaw=jaw * (1 - lip),
        cheek=cheek * clear,
        nose=nose,
        flush=flush,
        socket=socket,
        freckle=_freckles(p, marks) * clear,
        mottle=_mottle(p),
    )


# Lower lid's outer part, corner of the mouth, jaw contour near the ear: right, then left.
_CHEEKS = ((41, 48, 2), (46, 54, 14))


def _bump(p: FloatArray, center: FloatArray, radius: tuple[float, ...] | float) -> FloatArray:
    return np.exp(-0.5 * (((p - center) / np.asarray(radius)) ** 2).sum(axis=1))


def _any(parts: list[FloatArray]) -> FloatArray:
    """Return the smooth union of fields in [0, 1]."""
    return 1.0 - np.prod([1.0 - part for part in parts], axis=0)


def _closed_curve(marks: FloatArray, count: int = 600) -> FloatArray:
    ring = np.vstack([marks, marks[:1]])
    at = np.concatenate([[0], np.cumsum(np.linalg.norm(np.diff(ring, axis=0), axis=1))])
    return CubicSpline(at, ring, bc_type="periodic")(np.linspace(0, at[-1], count, endpoint=False))


def _inside(p: FloatArray, curve: FloatArray) -> BoolArray:
    """Say which places lie inside a closed curve, seen from the front (even-odd rule)."""
    x, y = p[:, 0], p[:, 1]
    low, high = curve[:, :2].min(axis=0), curve[:, :2].max(axis=0)
    near = np.flatnonzero((x >= low[0]) & (x <= high[0]) & (y >= low[1]) & (y <= high[1]))
    result = np.zeros(len(p), bool)
    start, end = curve[:, :2], np.roll(curve[:, :2], -1, axis=0)
    for (ax, ay), (bx, by) in zip(start, end, strict=True):
        if ay != by:
            crossed = (ay > y[near]) != (by > y[near])
            result[near] ^= crossed & (x[near] < ax + (y[near] - ay) * (bx - ax) / (by - ay))
    return result


def _nearest(p: FloatArray, nodes: FloatArray) -> tuple[FloatArray, IndexArray]:
    """Return the distance to the nearest node (50 beyond 30) and the node."""
    away, nearest = KDTree(nodes).query(p, distance_upper_bound=30.0)
    return np.where(np.isfinite(away), away, 50.0), np.minimum(nearest, len(nodes) - 1)


def _signed_distance(p: FloatArray, curve: FloatArray) -> FloatArray:
    """Return the frontal distance to a closed curve, negative inside."""
    away, _ = _nearest(p[:, :2], curve[:, :2])
    return np.where(_inside(p, curve), -away, away)


def _step(values: FloatArray, width: float) -> FloatArray:
    """Return 1 far below zero, 0 far above, over about `width`."""
    return 1.0 / (1.0 + np.exp(np.clip(4.0 * values / width, -60, 60)))


def _lips(p: FloatArray, marks: FloatArray) -> tuple[FloatArray, FloatArray]:
    outer = _closed_curve(marks[48:60])
    near = _step(np.abs(p[:, 2] - marks[48:68, 2].mean()) - 28.0, 4.0)
    lip = _step(_signed_distance(p, outer) + 0.1, 1.6) * near
    contact = 0.5 * (marks[61:64] + marks[[67, 66, 65]])
    line = np.vstack([marks[60], contact, marks[64]])
    at = np.linspace(0, 4, 120)
    path = np.stack([np.interp(at, np.arange(5), line[:, k]) for k in range(3)], axis=1)
    away, _ = _nearest(p[:, :2], path[:, :2])
    depth = np.maximum(marks[62, 2] - 2.5 - p[:, 2], 0.0) / 6.0
    mouth_line = np.exp(-((away / 1.1) ** 2)) + np.clip(depth, 0, 1) * (away < 9)
    return lip, np.clip(mouth_line, 0, 1) * lip


def _brows(p: FloatArray, marks: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
    distance = np.full(len(p), 50.0)
    taper = np.zeros(len(p))
    grain = np.ones(len(p))
    for ids in (range(21, 16, -1), range(22, 27)):
        nodes = marks[list(ids)]
        at = np.linspace(0, 4, 240)
        path = CubicSpline(np.arange(5), nodes)(at)
        away, nearest = _nearest(p, path)
        along = at[nearest] / 4.0
        half = np.interp(along, [0, 0.15, 0.55, 1], [3.4, 4.1, 3.3, 1.6])
        # Past the ends the nearest node stays the last one: fade with the way beyond it.
        full = np.interp(along, [0, 0.12, 0.7, 1], [0.62, 1.0, 0.92, 0.2])
        closer = away / half < distance
        distance = np.where(closer, away / half, distance)
        taper = np.where(closer, full, taper)
        streak = np.sin(2.1 * np.sign(nodes[0, 0]) * p[:, 0] + 1.3 * p[:, 1] + 5 * along)
        grain = np.where(closer, 0.9 + 0.1 * streak, grain)
    return distance, taper, grain


def _eyes(p: FloatArray, marks: FloatArray) -> tuple[FloatArray, FloatArray]:
    sockets, lashes = [], []
    for ids in (range(36, 42), range(42, 48)):
        ring = marks[list(ids)]
        curve = _closed_curve(ring)
        center = ring.mean(axis=0)
        away, nearest = _nearest(p, curve)
        below = _bump(p, center + [-2.5 * np.sign(center[0]), -8.5, 2], (12, 5, 12))
        lid = _bump(p, center + [0, 4.5, 0], (14, 5.5, 14))
        sockets.append(np.clip(0.85 * below + 0.75 * lid + 0.35 * np.exp(-away / 3), 0, 1))
        upper = _step(center[1] - 1.0 - curve[nearest, 1], 3.0)
        lashes.append(np.exp(-((away / 0.85) ** 2)) * (0.35 + 0.65 * upper))
    return _any(sockets), np.clip(_any(lashes), 0, 1)


def _beard(p: FloatArray, marks: FloatArray) -> tuple[FloatArray, FloatArray]:
    lip_top = marks[[50, 51, 52]].mean(axis=0)
    base = marks[33]
    # The moustache: a band above the upper lip that droops beside the corners of the mouth.
    span = np.linalg.norm(marks[54, :2] - marks[48, :2])
    middle = np.array([0.5 * (base[0] + lip_top[0]), 0.36 * base[1] + 0.64 * lip_top[1], 0])
    x = (p[:, 0] - middle[0]) / span
    droop = middle[1] - 26.0 * np.maximum(np.abs(x) - 0.18, 0.0) ** 1.4
    band = np.exp(-(((p[:, 1] - droop) / 4.6) ** 4)) * _step(np.abs(x) - 0.60, 0.16)
    band *= _step(lip_top[2] - 26.0 - p[:, 2], 8.0)
    # The jaw: its contour, a row half-way to the mouth, and one under the chin.
    fine = np.linspace(-7, 7, 29)
    contour = np.stack([np.interp(fine, np.arange(-7, 8), marks[1:16, k]) for k in range(3)], 1)
    share = np.interp(np.abs(fine), [0, 3, 5, 7], [0.45, 0.45, 0.30, 0.0])
    goal = np.where(fine[:, None] < 0, marks[48], marks[54])
    goal = np.where(np.abs(fine[:, None]) < 1, marks[57], goal)
    sizes = np.interp(np.abs(fine), [0, 3, 5, 6, 7], [11, 11.5, 10, 7, 5.5])
    jaw = np.zeros(len(p))
    for nodes in (contour, contour + share[:, None] * (goal - contour), contour + [0, -11, -11]):
        for node, size in zip(nodes, sizes, strict=True):
            jaw = np.maximum(jaw, _bump(p, node, (size, size, size + 5)))
    corners = [_bump(p, marks[k] + [4 * np.sign(marks[k, 0]), -9, -2], (5, 9, 9)) for k in (48, 54)]
    below = np.clip((marks[48:60, 1].min() - 1.0 - p[:, 1]) / 5.0, 0, 1)
    patch = _bump(p, 0.5 * (marks[57] + marks[8]) + [0, 6, 0], (11, 8, 16)) * below
    jaw = _any([np.clip(1.35 * jaw, 0, 1), 0.9 * patch, *(0.8 * corner for corner in corners)])
    return band, np.clip(jaw, 0, 1)


def _freckles(p: FloatArray, marks: FloatArray) -> FloatArray:
    rng = np.random.default_rng(_PATTERN_SEED)
    width = float(marks[45, 0] - marks[36, 0])
    x = rng.uniform(-0.62, 0.62, _FRECKLES) * width
    y = rng.uniform(-0.42, 0.02, _FRECKLES) * width
    size = rng.uniform(0.7, 1.5, _FRECKLES)
    strength = rng.uniform(0.35, 1.0, _FRECKLES)
    field = np.zeros(len(p))
    front = p[:, 2] > marks[[1, 15], 2].mean()
    tree = KDTree(np.stack([x, y], axis=1))
    away, nearest = (np.asarray(found) for found in tree.query(p[:, :2], k=3))
    for k in range(3):
        spot = np.exp(-((away[:, k] / size[nearest[:, k]]) ** 2)) * strength[nearest[:, k]]
        field = np.maximum(field, spot)
    zone = _any(
        [_bump(p, 0.5 * (marks[29] + marks[k]), (26, 13, 30)) for k in (41, 46)]
        + [0.6 * _bump(p, marks[29], (9, 9, 14))]
    )
    return field * zone * front


def _mottle(p: FloatArray) -> FloatArray:
    """Return two fixed patterns, sums of plane waves of 20 to 60 mm, standard deviation 1."""
    rng = np.random.default_rng(_PATTERN_SEED + 1)
    patterns = np.zeros((len(p), 2))
    waves = 14
    for column in range(2):
        direction = rng.standard_normal((waves, 3))
        direction /= np.linalg.norm(direction, axis=1, keepdims=True)
        length = rng.uniform(20, 60, waves)
        phase = rng.uniform(0, 2 * np.pi, waves)
        wave = np.cos(p @ (2 * np.pi * direction / length[:, None]).T + phase)
        patterns[:, column] = wave.sum(axis=1) * np.sqrt(2.0 / waves)
    return patterns
