"""Eyeballs behind the lids: their surface, their colours, where they look."""

import dataclasses

import numpy as np

from geomface.arrays import FloatArray, IndexArray
from geomface.statistics import MorphableModel
from geomface.synthesis.streams import stream

_SEGMENTS = 28
# Degrees from the optical axis; colours change between the two rings of a pair.
_RINGS = (9.0, 10.5, 17.0, 25.0, 28.0, 32.0, 45.0, 60.0, 78.0)
_PUPIL, _INNER, _IRIS, _LIMBUS, _SCLERA = range(5)
_PART = (_PUPIL, _INNER, _IRIS, _LIMBUS, _SCLERA, _SCLERA, _SCLERA, _SCLERA, _SCLERA)
_IRIS_COLORS = (
    (0.23, 0.13, 0.07),
    (0.33, 0.20, 0.10),
    (0.42, 0.31, 0.16),
    (0.34, 0.38, 0.25),
    (0.36, 0.46, 0.55),
    (0.46, 0.50, 0.52),
)
"""sRGB, from brown over hazel and green to blue and grey."""


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


def eye_places(
    model: MorphableModel, vertices: FloatArray, landmarks: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Return centres (2, 3) and radii (2,) of the eyeballs of a shape, left eye first.

    A model without eyeballs gets spheres that touch its lids from behind.
    """
    eyeballs = model.eyeballs_of(vertices)
    if eyeballs is not None and len(eyeballs.centers) == 2:
        return np.array(eyeballs.centers), np.full(2, eyeballs.radius)
    centers, radii = [], []
    for first in (42, 36):
        eye = landmarks[first : first + 6]
        radius = 0.44 * float(np.linalg.norm(eye[3] - eye[0]))
        lids = eye[[1, 2, 4, 5]]
        center = lids.mean(axis=0)
        aside = float(((lids - center)[:, :2] ** 2).sum(axis=1).mean())
        center[2] -= np.sqrt(max(radius**2 - aside, 0.0)) + 0.04 * radius
        centers.append(center)
        radii.append(radius)
    return np.stack(centers), np.array(radii)


def eye_vertices(
    surface: EyeSurface, centers: FloatArray, radii: FloatArray, gaze: FloatArray
) -> FloatArray:
    """Return the (2 n, 3) vertices of both eyes, looking `gaze` (2,) degrees left and up."""
    yaw, pitch = np.radians(gaze)
    x, y, z = surface.directions.T
    y, z = y * np.cos(pitch) + z * np.sin(pitch), z * np.cos(pitch) - y * np.sin(pitch)
    x, z = x * np.cos(yaw) + z * np.sin(yaw), z * np.cos(yaw) - x * np.sin(yaw)
    turned = np.stack([x, y, z], axis=1)
    pairs = zip(centers, radii, strict=True)
    return np.vstack([center + radius * turned for center, radius in pairs])


def eye_colors(surface: EyeSurface, skin: float, seed: int, identity: int) -> FloatArray:
    """Return the (2 n, 3) sRGB colours of a person's eyes.

    Parameters
    ----------
    skin : brightness of the skin in [0, 1]; light eyes go with light skin
    """
    rng = stream(seed, "eyes", identity)
    lightest = float(np.clip((skin - 0.3) / 0.25, 0.15, 1.0)) * (len(_IRIS_COLORS) - 1)
    place = lightest * rng.random() ** 1.5
    grid = np.arange(len(_IRIS_COLORS))
    iris = np.array(
        [np.interp(place, grid, [color[k] for color in _IRIS_COLORS]) for k in range(3)]
    )
    white = np.array([0.76, 0.73, 0.70]) + rng.normal(0, 0.02)
    table = np.stack([np.full(3, 0.03), 1.15 * iris, iris, 0.45 * iris, white])
    colors = table[surface.part]
    fibres = rng.normal(0, 0.05, len(colors)) * np.isin(surface.part, (_INNER, _IRIS))
    colors = np.clip(colors * (1 + 2 * fibres[:, None]), 0, 1)
    return np.vstack([colors, colors])
