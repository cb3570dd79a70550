"""The kernel that colours a photograph's pixels: skin, eyes, teeth, cloth, hair under the lamps.

Its functions divide as numpy does (a division by zero is infinite): to ask before each of forty
divisions whether there is one takes a tenth of the time.
"""

from typing import Any, NamedTuple

import numba
import numpy as np

from geomface.synthesis.photo import optics
from geomface.synthesis.photo.skin_texture import read_skin
from geomface.synthesis.photo.vertex_light import VertexLight

SKIN, EYE, MOUTH, TEETH, CLOTH, HAIR, FRAME = range(7)
"""Materials."""
SAMPLES = 2
"""Samples of a pixel along each side: edges are averaged, surfaces are lit once a pixel."""
_F0 = np.float32(0.028)
"""Share of light that skin and the wet eye mirror at once, straight on."""
_APART = np.float32(4.0)
"""mm in depth from which two samples of a pixel are not one surface."""
_ONE = np.float32(1.0)
"""A whole number beside a float32 makes a float64, whose powers are several times dearer."""


class Surface(NamedTuple):
    """The head as a camera sees it; arrays float32 unless said.

    Parameters
    ----------
    xy : (V, 2) in samples
    depths : (V,) mm
    faces : (F, 3) int32
    material : (F,) uint8
    places, normals, rest : (V, 3), where a vertex is, and where it is on the resting face
    albedo : (V, 3) linear
    uv : (V, 2) in the texture of the skin, negative where colours of vertices show
    """

    xy: np.ndarray
    depths: np.ndarray
    faces: np.ndarray
    material: np.ndarray
    places: np.ndarray
    normals: np.ndarray
    rest: np.ndarray
    albedo: np.ndarray
    uv: np.ndarray


class Skin(NamedTuple):
    """What the skin is like between vertices.

    Parameters
    ----------
    texels : (S, S, 3) sRGB bytes
    curve : (256,) float32, bytes to linear light
    bump : (T, T, 3) float32, slopes and oil
    bump_scale : texels a mm
    """

    texels: np.ndarray
    curve: np.ndarray
    bump: np.ndarray
    bump_scale: np.float32


class View(NamedTuple):
    """The camera: its place (3,) float32, or the direction to it when `parallel`."""

    eye: np.ndarray
    parallel: bool


class Strengths(NamedTuple):
    """Strengths of effects, see `PhotoSettings`; shine is that of the skin."""

    detail: np.float32
    subsurface: np.float32
    shine: np.float32
    lids: np.float32


@numba.njit(cache=True, nogil=True, error_model="numpy")
def shade_photograph(
    ids: Any,
    surface: Surface,
    skin: Skin,
    light: VertexLight,
    view: View,
    eyes: Any,
    strengths: Strengths,
    exposure: Any,
    background: Any,
) -> Any:
    """Return the picture (H, W, 3) sRGB over the background, and the depth (H, W), 0 for none.

    ids (2 H, 2 W); eyes (E, 14) from `HeadPainter`; background (H, W, 3) sRGB.
    """
    height, width = ids.shape[0] // SAMPLES, ids.shape[1] // SAMPLES
    material, depths, faces = surface.material, surface.depths, surface.faces
    picture = np.empty((height, width, 3), np.float32)
    depth = np.zeros((height, width), np.float32)
    rgb = np.empty(3, np.float32)
    total = np.empty(3, np.float32)
    for row in range(height):
        for column in range(width):
            f0 = ids[2 * row, 2 * column]
            f1 = ids[2 * row, 2 * column + 1]
            f2 = ids[2 * row + 1, 2 * column]
            f3 = ids[2 * row + 1, 2 * column + 1]
            if f0 < 0 and f1 < 0 and f2 < 0 and f3 < 0:
                for c in range(3):
                    picture[row, column, c] = background[row, column, c]
                continue
            whole = f0 >= 0 and f1 >= 0 and f2 >= 0 and f3 >= 0
            if whole:
                m = material[f0]
                whole = m == material[f1] and m == material[f2] and m == material[f3]
                z0, z1 = depths[faces[f0, 0]], depths[faces[f1, 0]]
                z2, z3 = depths[faces[f2, 0]], depths[faces[f3, 0]]
                near = min(min(z0, z1), min(z2, z3))
                whole = whole and max(max(z0, z1), max(z2, z3)) - near < _APART
            total[:] = 0
            # One surface is lit in the middle of the pixel, several are lit sample by sample.
            count = 1 if whole else 4
            for k in range(count):
                x, y = 2 * column + k % 2, 2 * row + k // 2
                f = ids[y, x]
                if f < 0:
                    for c in range(3):
                        total[c] += optics.decoded(background[row, column, c])
                    continue
                middle = np.float32(1.0) if whole else np.float32(0.5)
                z = _shade(
                    f, np.float32(x) + middle, np.float32(y) + middle, material[f],
                    surface, skin, light, view, eyes, strengths, rgb,
                )  # fmt: skip
                depth[row, column] = z
                for c in range(3):
                    total[c] += optics.shoulder(rgb[c] * exposure)
            share = np.float32(1.0) if whole else np.float32(0.25)
            for c in range(3):
                picture[row, column, c] = optics.encoded(share * total[c])
    return picture, depth


@numba.njit(cache=True, nogil=True, inline="always", error_model="numpy")
def _shade(
    f: int,
    x: Any,
    y: Any,
    material: Any,
    surface: Surface,
    skin: Skin,
    light: VertexLight,
    view: View,
    eyes: Any,
    strengths: Strengths,
    rgb: Any,
) -> Any:
    """Write the linear colour of a face at a sample, and return its depth."""
    xy, depths, faces = surface.xy, surface.depths, surface.faces
    places, normals, rest = surface.places, surface.normals, surface.rest
    albedo, uv = surface.albedo, surface.uv
    ambient, seen, sizes = light.ambient, light.seen, light.sizes
    lamps, colors = light.directions, light.colors
    eye, parallel = view.eye, view.parallel
    # Numbers without a sign spare the question whether they count from the end.
    i, j, k = np.uintp(faces[f, 0]), np.uintp(faces[f, 1]), np.uintp(faces[f, 2])
    ux, uy = xy[j, 0] - xy[i, 0], xy[j, 1] - xy[i, 1]
    vx, vy = xy[k, 0] - xy[i, 0], xy[k, 1] - xy[i, 1]
    px, py = x - xy[i, 0], y - xy[i, 1]
    area = ux * vy - uy * vx
    third = np.float32(1 / 3)
    w0, w1, w2 = third, third, third
    if area != 0:
        # The middle of a pixel may lie beside the face that one of its samples sees.
        w1 = min(max((px * vy - py * vx) / area, np.float32(-0.3)), np.float32(1.3))
        w2 = min(max((ux * py - uy * px) / area, np.float32(-0.3)), np.float32(1.3))
        w0 = min(max(np.float32(1.0) - w1 - w2, np.float32(-0.3)), np.float32(1.3))
    if not parallel:
        w0, w1, w2 = w0 / depths[i], w1 / depths[j], w2 / depths[k]
    whole = w0 + w1 + w2
    w0, w1, w2 = w0 / whole, w1 / whole, w2 / whole
    nx = w0 * normals[i, 0] + w1 * normals[j, 0] + w2 * normals[k, 0]
    ny = w0 * normals[i, 1] + w1 * normals[j, 1] + w2 * normals[k, 1]
    nz = w0 * normals[i, 2] + w1 * normals[j, 2] + w2 * normals[k, 2]
    length = np.sqrt(nx * nx + ny * ny + nz * nz) + np.float32(1e-12)
    nx, ny, nz = nx / length, ny / length, nz / length
    x0 = w0 * places[i, 0] + w1 * places[j, 0] + w2 * places[k, 0]
    y0 = w0 * places[i, 1] + w1 * places[j, 1] + w2 * places[k, 1]
    z0 = w0 * places[i, 2] + w1 * places[j, 2] + w2 * places[k, 2]
    ex, ey, ez = eye[0], eye[1], eye[2]
    if not parallel:
        ex, ey, ez = ex - x0, ey - y0, ez - z0
        length = np.sqrt(ex * ex + ey * ey + ez * ez)
        ex, ey, ez = ex / length, ey / length, ez / length
    if nx * ex + ny * ey + nz * ez < 0 and material != SKIN and material != EYE:
        nx, ny, nz = -nx, -ny, -nz
    oil = np.float32(1.0)
    sx, sy, sz = nx, ny, nz  # normal of the highlight
    lid, lid_edge, shine, power = np.float32(1.0), np.float32(1e6), np.float32(0.0), np.float32(20)
    second = np.float32(0.0)
    wrap0, wrap1, wrap2 = np.float32(0.0), np.float32(0.0), np.float32(0.0)
    if material == SKIN:
        wrap = strengths.subsurface
        wrap0, wrap1, wrap2 = (
            np.float32(0.22) * wrap,
            np.float32(0.10) * wrap,
            np.float32(0.05) * wrap,
        )
        shine, power, second = strengths.shine, np.float32(14.0), np.float32(0.45)
        if strengths.detail > 0:
            gx, gy, gz, oil = optics.slopes(
                w0 * rest[i, 0] + w1 * rest[j, 0] + w2 * rest[k, 0],
                w0 * rest[i, 1] + w1 * rest[j, 1] + w2 * rest[k, 1],
                w0 * rest[i, 2] + w1 * rest[j, 2] + w2 * rest[k, 2],
                nx, nz, skin.bump, skin.bump_scale,
            )  # fmt: skip
            gx, gy, gz = strengths.detail * gx, strengths.detail * gy, strengths.detail * gz
            along = gx * nx + gy * ny + gz * nz
            nx, ny, nz = nx - gx + along * nx, ny - gy + along * ny, nz - gz + along * nz
            length = np.sqrt(nx * nx + ny * ny + nz * nz)
            nx, ny, nz = nx / length, ny / length, nz / length
            sx, sy, sz = nx, ny, nz
    elif material == EYE:
        e = 0
        if len(eyes) > 1 and abs(x0 - eyes[1, 0]) < abs(x0 - eyes[0, 0]):
            e = 1
        lid, lid_edge = optics.lids(x0, y0, eyes[e], strengths.lids)
        shine, power = strengths.detail, np.float32(700.0)
        along = nx * eyes[e, 4] + ny * eyes[e, 5] + nz * eyes[e, 6]
        if along > np.float32(0.84):
            # The cornea stands out: a smaller ball in front of the eye's middle.
            sx, sy, sz = (
                nx - np.float32(0.45) * eyes[e, 4],
                ny - np.float32(0.45) * eyes[e, 5],
                nz - np.float32(0.45) * eyes[e, 6],
            )
            length = np.sqrt(sx * sx + sy * sy + sz * sz)
            sx, sy, sz = sx / length, sy / length, sz / length
            shine *= np.float32(2.2)
        else:
            shine, power = np.float32(0.6) * shine, np.float32(150.0)
    elif material == MOUTH or material == TEETH:
        shine, power = np.float32(0.8) * strengths.shine, np.float32(60.0)
    elif material == HAIR:
        shine, power = np.float32(0.5), np.float32(8.0)
    elif material == FRAME:
        shine, power = np.float32(2.0), np.float32(90.0)
    facing = max(sx * ex + sy * ey + sz * ez, np.float32(0.0))
    a0 = w0 * ambient[i, 0] + w1 * ambient[j, 0] + w2 * ambient[k, 0]
    a1 = w0 * ambient[i, 1] + w1 * ambient[j, 1] + w2 * ambient[k, 1]
    a2 = w0 * ambient[i, 2] + w1 * ambient[j, 2] + w2 * ambient[k, 2]
    a0, a1, a2 = lid * a0, lid * a1, lid * a2
    d0, d1, d2 = a0, a1, a2
    # Grazing surfaces mirror the sky.
    rim = np.float32(1.0) - facing
    rim = _F0 + np.float32(0.25) * rim * rim * rim * rim
    gain = rim * min(shine, np.float32(1.0)) * oil
    s0, s1, s2 = gain * a0, gain * a1, gain * a2
    for n in range(len(lamps)):
        if colors[n, 1] <= 0:
            continue
        lx, ly, lz = lamps[n, 0], lamps[n, 1], lamps[n, 2]
        sharp = w0 * seen[i, n, 0] + w1 * seen[j, n, 0] + w2 * seen[k, n, 0]
        soft = w0 * seen[i, n, 1] + w1 * seen[j, n, 1] + w2 * seen[k, n, 1]
        if material == EYE:
            # The upper lid and its lashes stand out before the eye and shade it from above.
            slant = max(ly, np.float32(0.0)) / max(lz, np.float32(0.25))
            reach = np.float32(0.6) + np.float32(2.0) * min(slant, np.float32(1.3))
            below = min(
                max((lid_edge - reach) / np.float32(1.6) + np.float32(0.5), np.float32(0)), _ONE
            )
            sharp = (
                sharp * lid * (np.float32(1.0) - strengths.lids * np.float32(0.85) * (_ONE - below))
            )
            soft = sharp
        if sharp == 0 and soft == 0:
            continue
        cosine = nx * lx + ny * ly + nz * lz
        blend = np.float32(0.5) * (sharp + soft)
        red = sharp + (soft - sharp) * min(strengths.subsurface, np.float32(1.0))
        green = sharp + (blend - sharp) * min(strengths.subsurface, np.float32(1.0))
        d0 += colors[n, 0] * optics.wrapped(cosine, wrap0, sizes[n]) * red
        d1 += colors[n, 1] * optics.wrapped(cosine, wrap1, sizes[n]) * green
        d2 += colors[n, 2] * optics.wrapped(cosine, wrap2, sizes[n]) * sharp
        mirror = sx * lx + sy * ly + sz * lz
        if shine <= 0 or mirror <= 0 or sharp == 0:
            continue
        hx, hy, hz = lx + ex, ly + ey, lz + ez
        length = np.sqrt(hx * hx + hy * hy + hz * hz) + np.float32(1e-6)
        hx, hy, hz = hx / length, hy / length, hz / length
        cosine = sx * hx + sy * hy + sz * hz
        away = np.float32(1.0) - max(hx * ex + hy * ey + hz * ez, np.float32(0.0))
        fresnel = _F0 + (_ONE - _F0) * away * away * away * away * away
        lobe = optics.lobe(cosine, power, sizes[n])
        if second > 0:
            lobe = (_ONE - second) * lobe + second * optics.lobe(cosine, np.float32(55.0), sizes[n])
        gain = shine * oil * fresnel * lobe * mirror * sharp
        s0 += gain * colors[n, 0]
        s1 += gain * colors[n, 1]
        s2 += gain * colors[n, 2]
    lash = np.float32(1.0)
    if material == TEETH:
        lash = optics.tooth(x0)
    if material == EYE:
        lash = min(max(np.float32(0.12) + np.float32(0.9) * lid_edge, np.float32(0.12)), _ONE)
        lash = np.float32(1.0) - min(strengths.lids, np.float32(1.0)) * (_ONE - lash)
    if min(min(uv[i, 0], uv[j, 0]), uv[k, 0]) >= 0:
        u = w0 * uv[i, 0] + w1 * uv[j, 0] + w2 * uv[k, 0]
        read_skin(skin.texels, skin.curve, u, w0 * uv[i, 1] + w1 * uv[j, 1] + w2 * uv[k, 1], rgb)
    else:
        for c in range(3):
            rgb[c] = w0 * albedo[i, c] + w1 * albedo[j, c] + w2 * albedo[k, c]
    rgb[0] = lash * (rgb[0] * d0 + s0)
    rgb[1] = lash * (rgb[1] * d1 + s1)
    rgb[2] = lash * (rgb[2] * d2 + s2)
    return w0 * depths[i] + w1 * depths[j] + w2 * depths[k]
