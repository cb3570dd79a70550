"""The light that reaches every vertex: sky and lamps, with what shades them from it."""

from typing import Any, NamedTuple

import numba
import numpy as np

from geomface.arrays import BoolArray, FloatArray
from geomface.rendering.shadow_maps import light_axes, light_visibility
from geomface.synthesis.photo.light_rig import SKY, SKY_SIZE, LightRig
from geomface.synthesis.photo.neighbours import Neighbours, spread

LAMPS = 3
"""Lamps of a rig at most."""
_CREASE = 1.6
"""How fast light falls with the depth of a crease, 1/mm."""
_SAMPLES = 4
"""Points of a lamp with a size, which its shadows are taken from."""


class VertexLight(NamedTuple):
    """Light at the vertices of one head; that of vertices that nobody asked for means nothing.

    Parameters
    ----------
    ambient : (V, 3) float32, irradiance from the sky, linear light; 1 lights white to 1
    seen : (V, LAMPS, 2) float32, how much of each lamp is seen: as it is, and spread as light
        spreads under the skin
    directions : (LAMPS, 3) float32 towards the lamps, axes of the face
    colors : (LAMPS, 3) float32
    sizes : (LAMPS,) float32
    """

    ambient: np.ndarray
    seen: np.ndarray
    directions: np.ndarray
    colors: np.ndarray
    sizes: np.ndarray


def vertex_light(
    vertices: FloatArray,
    normals: np.ndarray,
    neighbours: Neighbours,
    casters: np.ndarray,
    albedo: np.ndarray,
    rig: LightRig,
    rotation: FloatArray,
    ball: tuple[FloatArray, float],
    *,
    asked: BoolArray | None = None,
    shadows: bool = True,
    occlusion: bool = True,
) -> VertexLight:
    """Return the light on a head.

    Parameters
    ----------
    vertices, normals : (V, 3) mm and unit, axes of the face
    neighbours : of the surface's vertices
    casters : (G, 3) triangles that throw shadows, fewer than all
    albedo : (V, 3) linear, for the light that hollows throw at themselves
    rig : the lights, camera axes
    rotation : (3, 3) world to camera
    ball : centre (3,) and radius of what can shade, mm
    asked : (V,) vertices whose light is wanted, with two rings around those that one sees; None
        for all
    shadows, occlusion : False leaves lamps, or the sky, unshaded
    """
    to_face = rotation * np.array([[1.0], [-1.0], [-1.0]])  # rows: right, up, to the eye
    sky = np.ascontiguousarray(SKY @ to_face, np.float32)
    lamps = rig.lamps[:LAMPS]
    main = np.zeros((LAMPS, 3), np.float32)
    main[:, 2] = 1.0
    main[: len(lamps)] = np.stack([lamp.direction for lamp in lamps]) @ to_face
    colors = np.zeros((LAMPS, 3), np.float32)
    colors[: len(lamps)] = [lamp.color for lamp in lamps]
    sizes = np.full(LAMPS, 0.1, np.float32)
    sizes[: len(lamps)] = [lamp.size for lamp in lamps]
    outwards = np.ascontiguousarray(normals, np.float32)
    count = len(vertices)
    centre, radius = ball
    asked = np.ones(count, bool) if asked is None else asked
    half = SKY_SIZE // 2
    open_sky = np.ones((half, count), np.float32)
    if occlusion:
        open_sky = light_visibility(
            vertices, outwards, casters, sky[:half], centre, radius, 72, asked=asked, both_ways=True
        )
    ambient = _ambient(outwards, sky, rig.sky.astype(np.float32), open_sky, albedo, asked)
    crease = np.ones(count, np.float32)
    if occlusion:
        crease = _creases(vertices, outwards, neighbours, asked)
    ambient *= crease[:, None]
    seen = np.ones((count, LAMPS, 2), np.float32)
    if shadows:
        for k in range(len(lamps)):
            points = _points(main[k], float(sizes[k]))
            found = light_visibility(
                vertices, outwards, casters, points, centre, radius, 128, 0.7, asked=asked
            )
            seen[:, k, 0] = found.mean(axis=0)
        seen[:, :, 1] = spread(np.ascontiguousarray(seen[:, :, 0]), neighbours, asked)
    # Lamps see into creases too, but not all of them.
    seen *= np.sqrt(crease)[:, None, None]
    return VertexLight(ambient, seen, main, colors, sizes)


def _points(direction: np.ndarray, size: float) -> np.ndarray:
    """Return (n, 3) directions to points of a lamp: one for a small lamp, else a ring."""
    if size < 0.015:
        return direction[None]
    right, up, _ = light_axes(direction[None])[0]
    angle = 2 * np.pi * np.arange(_SAMPLES) / _SAMPLES
    aside = np.cos(angle)[:, None] * right + np.sin(angle)[:, None] * up
    # A disk's light lies about 0.7 radii from its middle.
    return direction + 0.7 * np.tan(min(size, 1.0)) * aside


@numba.njit(cache=True, nogil=True)
def smooth_normals(vertices: Any, faces: Any) -> Any:
    """Return (V, 3) float32 unit normals, faces weighted by their area."""
    normals = np.zeros((len(vertices), 3), np.float32)
    for f in range(len(faces)):
        a, b, c = faces[f, 0], faces[f, 1], faces[f, 2]
        ux, uy, uz = (
            vertices[b, 0] - vertices[a, 0],
            vertices[b, 1] - vertices[a, 1],
            vertices[b, 2] - vertices[a, 2],
        )
        vx, vy, vz = (
            vertices[c, 0] - vertices[a, 0],
            vertices[c, 1] - vertices[a, 1],
            vertices[c, 2] - vertices[a, 2],
        )
        nx, ny, nz = uy * vz - uz * vy, uz * vx - ux * vz, ux * vy - uy * vx
        for v in (a, b, c):
            normals[v, 0] += nx
            normals[v, 1] += ny
            normals[v, 2] += nz
    for v in range(len(vertices)):
        length = np.sqrt(normals[v, 0] ** 2 + normals[v, 1] ** 2 + normals[v, 2] ** 2)
        if length > 0:
            normals[v, 0] /= length
            normals[v, 1] /= length
            normals[v, 2] /= length
    return normals


@numba.njit(cache=True, nogil=True)
def _ambient(normals: Any, sky: Any, radiance: Any, open_sky: Any, albedo: Any, asked: Any) -> Any:
    """Sum the sky over its directions; light lost in hollows comes back coloured by the skin.

    open_sky (K, V) is that of the one of the directions k and K + k that a vertex faces.
    """
    count, weight, half = len(normals), np.float32(4.0 / len(sky)), len(open_sky)
    found = np.zeros((count, 3), np.float32)
    for v in range(count):
        if not asked[v]:
            continue
        here0, here1, here2 = np.float32(0), np.float32(0), np.float32(0)
        lost0, lost1, lost2 = np.float32(0), np.float32(0), np.float32(0)
        for k in range(half):
            cosine = (
                normals[v, 0] * sky[k, 0] + normals[v, 1] * sky[k, 1] + normals[v, 2] * sky[k, 2]
            )
            j = k if cosine >= 0 else half + k
            here = weight * abs(cosine) * open_sky[k, v]
            away = weight * abs(cosine) - here
            here0 += here * radiance[j, 0]
            here1 += here * radiance[j, 1]
            here2 += here * radiance[j, 2]
            lost0 += away * radiance[j, 0]
            lost1 += away * radiance[j, 1]
            lost2 += away * radiance[j, 2]
        # What shades is lit itself, by a part, and throws its light back.
        found[v, 0] = here0 + np.float32(0.35) * albedo[v, 0] * lost0
        found[v, 1] = here1 + np.float32(0.35) * albedo[v, 1] * lost1
        found[v, 2] = here2 + np.float32(0.35) * albedo[v, 2] * lost2
    return found


def _creases(
    vertices: FloatArray, normals: np.ndarray, neighbours: Neighbours, asked: BoolArray
) -> np.ndarray:
    """Return (V,) light that is left in creases finer than the depth maps: lips, lids, nostrils."""
    places = np.ascontiguousarray(vertices, np.float32)
    depth = np.einsum("vc,vc->v", spread(places, neighbours, asked) - places, normals)
    return np.exp(-_CREASE * np.clip(depth - 0.03, 0.0, 1.5))
