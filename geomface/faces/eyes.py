"""The eyes of a face that has none: where they lie, their surface, their colours, where they look.

One eye for labelled pictures, reports and training scans.
"""

import dataclasses
import functools

import numpy as np

from geomface.arrays import FloatArray, IndexArray
from geomface.mesh import Template
from geomface.statistics import MorphableModel

LEFT, RIGHT = slice(42, 48), slice(36, 42)
"""Landmarks of the lids of the subject's left and right eye, of the 68."""
PUPIL, IRIS = 0.18, 0.51
"""Half angles of pupil and iris on the eyeball, radians: between the rings of the surface. An iris
is 11.7 mm wide (Rüfer et al. 2005, white-to-white distance) on a ball of 24 mm."""

_RADIUS = 0.44  # of an eyeball, as a share of the distance between the corners of the eye
_GAP = 0.04  # between lids and eyeball, as a share of its radius
_SEGMENTS = 28
# Degrees from the optical axis; colours change between the two rings of a pair.
_RINGS = (9.0, 10.5, 18.0, 27.7, 30.7, 34.5, 45.0, 60.0, 78.0)
_PUPIL, _INNER, _IRIS, _LIMBUS, _SCLERA = range(5)
_PART = (_PUPIL, _INNER, _IRIS, _LIMBUS, _SCLERA, _SCLERA, _SCLERA, _SCLERA, _SCLERA)
_IRIS_COLORS = np.array(
    [
        (0.23, 0.13, 0.07),
        (0.33, 0.20, 0.10),
        (0.42, 0.31, 0.16),
        (0.34, 0.38, 0.25),
        (0.36, 0.46, 0.55),
        (0.46, 0.50, 0.52),
    ]
)
# sRGB, from brown over hazel and green to blue and grey.


@dataclasses.dataclass(frozen=True, eq=False)
class EyeSurface:
    """The front of one eyeball, as unit vectors about the optical axis +z.

    Parameters
    ----------
    directions : (n, 3) unit
    faces : (m, 3), counter-clockwise from outside
    part : (n,) pupil, inner and outer iris, limbus or sclera
    """

    directions: FloatArray
    faces: IndexArray
    part: IndexArray


@functools.cache
def eye_surface() -> EyeSurface:
    """Return the cap of rings that every eye is drawn with."""
    angle = 2 * np.pi * np.arange(_SEGMENTS) / _SEGMENTS
    polar = np.radians(_RINGS)[:, None]
    rings = np.stack(
        [
            np.sin(polar) * np.cos(angle),
            np.sin(polar) * np.sin(angle),
            np.broadcast_to(np.cos(polar), (len(_RINGS), _SEGMENTS)),
        ],
        axis=2,
    )
    directions = np.vstack([[[0.0, 0.0, 1.0]], rings.reshape(-1, 3)])
    index = 1 + np.arange(len(_RINGS) * _SEGMENTS).reshape(len(_RINGS), _SEGMENTS)
    after = np.roll(index, -1, axis=1)
    hub = np.zeros(_SEGMENTS, np.int64)
    faces = [np.stack([hub, index[0], after[0]], axis=1)]
    for inner, outer in zip(range(len(_RINGS) - 1), range(1, len(_RINGS)), strict=True):
        a, b, c, d = index[inner], index[outer], after[outer], after[inner]
        faces += [np.stack([a, b, c], axis=1), np.stack([a, c, d], axis=1)]
    part = np.concatenate([[_PUPIL], np.repeat(_PART, _SEGMENTS)])
    return EyeSurface(directions, np.vstack(faces), part)


def eyes_of(source: MorphableModel | Template, vertices: FloatArray) -> FloatArray:
    """Return where the eyes of a face lie: those of the model moved with its lids, else spheres
    that touch the lids from behind.

    Parameters
    ----------
    source : the model or the template of the face
    vertices : (V, 3) on its topology, in its pose

    Returns
    -------
    (2, 4) float64: x, y, z, radius, the subject's left eye first; (0, 4) without eyeballs and
    without the 68 landmarks
    """
    if isinstance(source, MorphableModel):
        eyeballs = source.eyeballs_of(vertices)
        if eyeballs is not None and len(eyeballs.centers) == 2:
            return np.column_stack([eyeballs.centers, np.full(2, eyeballs.radius)])
        source = source.template
    if source.landmarks is None or len(source.landmarks) != 68:
        return np.zeros((0, 4))
    marks = source.landmarks.positions(vertices)
    return np.stack([eye_behind_lids(marks[LEFT]), eye_behind_lids(marks[RIGHT])])


def eye_behind_lids(
    lids: FloatArray, *, size: float = _RADIUS, gap: float | None = None
) -> FloatArray:
    """Return a sphere (x, y, z, radius) that just stays behind the landmarks of the lids.

    Parameters
    ----------
    lids : (6, 3) the landmarks of one eye
    size : radius as a share of the distance between the corners of the eye
    gap : how far behind the lids it lies more than it must, default 4 % of the radius
    """
    radius = size * float(np.linalg.norm(lids[3] - lids[0]))
    edges = lids[[1, 2, 4, 5]]
    center = edges.mean(axis=0)
    aside = float(((edges - center)[:, :2] ** 2).sum(axis=1).mean())
    center[2] -= np.sqrt(max(radius**2 - aside, 0.0)) + (_GAP * radius if gap is None else gap)
    return np.array([*center, radius])


def eye_vertices(surface: EyeSurface, eyes: FloatArray, gaze: FloatArray) -> FloatArray:
    """Return the (E n, 3) vertices of eyes (E, 4), looking `gaze` (2,) degrees left and up."""
    yaw, pitch = np.radians(gaze)
    x, y, z = surface.directions.T
    y, z = y * np.cos(pitch) + z * np.sin(pitch), z * np.cos(pitch) - y * np.sin(pitch)
    x, z = x * np.cos(yaw) + z * np.sin(yaw), z * np.cos(yaw) - x * np.sin(yaw)
    turned = np.stack([x, y, z], axis=1)
    return np.vstack([eye[:3] + eye[3] * turned for eye in eyes])


def eye_faces(surface: EyeSurface, count: int, first: int) -> IndexArray:
    """Return the triangles of `count` eyes whose vertices begin at number `first`."""
    starts = first + len(surface.directions) * np.arange(count)
    return (starts[:, None, None] + surface.faces).reshape(-1, 3)


def eye_colors(surface: EyeSurface, skin: float, rng: np.random.Generator) -> FloatArray:
    """Draw the (2 n, 3) sRGB colours of a person's eyes.

    Parameters
    ----------
    skin : brightness of the skin in [0, 1]; light eyes go with light skin
    """
    lightest = float(np.clip((skin - 0.3) / 0.25, 0.15, 1.0)) * (len(_IRIS_COLORS) - 1)
    place = lightest * rng.random() ** 1.5
    grid = np.arange(len(_IRIS_COLORS))
    iris = np.array([np.interp(place, grid, channel) for channel in _IRIS_COLORS.T])
    white = np.array([0.76, 0.73, 0.70]) + rng.normal(0, 0.02)
    colors = _painted(surface, iris, white)
    fibres = rng.normal(0, 0.05, len(colors)) * np.isin(surface.part, (_INNER, _IRIS))
    colors = np.clip(colors * (1 + 2 * fibres[:, None]), 0, 1)
    return np.vstack([colors, colors])


def plain_eye_colors(surface: EyeSurface) -> FloatArray:
    """Return the (n, 3) sRGB colours of an eye without a person: brown, in bright light."""
    return _painted(surface, np.array([0.33, 0.24, 0.17]), np.array([0.93, 0.92, 0.90]))


def _painted(surface: EyeSurface, iris: FloatArray, white: FloatArray) -> FloatArray:
    return np.stack([np.full(3, 0.03), 1.15 * iris, iris, 0.45 * iris, white])[surface.part]
