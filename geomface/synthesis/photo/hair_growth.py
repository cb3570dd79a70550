"""Hair that grows: guide hairs that bend under their weight around a head, and hairs between."""

import numpy as np
from scipy.spatial import KDTree

from geomface.arrays import FloatArray, IndexArray
from geomface.mesh.normals import unit, vertex_normals
from geomface.synthesis.photo.haircuts import CUTS, HairStyle
from geomface.synthesis.photo.obstacles import Obstacles
from geomface.synthesis.photo.roots import scatter_roots
from geomface.synthesis.photo.strands import Strands

_GUIDES = 420
_SPACING = 0.02
"""Between neighbouring hairs, widths of the head."""


def grow_hair(
    skin: FloatArray,
    faces: IndexArray,
    growth: FloatArray,
    style: HairStyle,
    obstacles: Obstacles,
    rng: np.random.Generator,
) -> Strands | None:
    """Return the hairs of a head, or None where hardly any grow.

    Parameters
    ----------
    skin : (n, 3) mm
    faces : (m, 3) of the skin
    growth : (n,) how far inside the hair line
    obstacles : what hair lies on
    """
    density = np.clip(growth / 0.04, 0, 1)
    width, centre = obstacles.width, obstacles.centre
    spacing = _SPACING * width / style.density**0.5
    skin_normals = vertex_normals(skin, faces, weighting="area")
    grown = scatter_roots(skin, skin_normals, faces, density, spacing, rng)
    if len(grown) < 50:
        return None
    roots, normals, inside = grown.places, grown.normals, grown.values(growth)
    side = _side(roots, centre, width, style)
    picked = rng.choice(len(roots), min(_GUIDES, len(roots) // 4), replace=False)
    surface = skin, skin_normals
    guides = _guides(roots[picked], normals[picked], side[picked], style, obstacles, surface, rng)
    # A parting divides: no hair joins a lock of the other side.
    apart = np.concatenate([roots, side[:, None] * 0.3 * width], axis=1)
    nearest = np.asarray(KDTree(apart[picked]).query(apart)[1])
    points, depth = _hairs(guides, nearest, roots, normals, inside, style, width, rng)
    colors = _colors(style, nearest, rng)
    thin = 0.006 if style.length < 0.1 else 0.0085
    return Strands(
        points=points.astype(np.float32),
        outwards=unit(0.5 * normals + unit(roots - centre)).astype(np.float32),
        colors=colors.astype(np.float32),
        depth=depth.astype(np.float32),
        width=(thin * width * rng.uniform(0.7, 1.3, len(roots))).astype(np.float32),
        gloss=float(rng.uniform(0.1, 0.5) / (1 + 0.3 * style.curl)),
    )


def _side(roots: FloatArray, centre: FloatArray, width: float, style: HairStyle) -> FloatArray:
    """Return (n,) on which side of the parting a root lies, -1 or 1; 0 without a parting."""
    if CUTS[style.cut].comb != "part":
        return np.zeros(len(roots))
    return np.where(roots[:, 0] - centre[0] > style.part * width, 1.0, -1.0)


def _guides(
    roots: FloatArray,
    normals: FloatArray,
    side: FloatArray,
    style: HairStyle,
    obstacles: Obstacles,
    skin: tuple[FloatArray, FloatArray],
    rng: np.random.Generator,
) -> FloatArray:
    """Return (G, K, 3) lines that leave the roots as they are combed, then fall and slide."""
    width, centre = obstacles.width, obstacles.centre
    steps = 14 if style.length > 0.6 else 9 if style.length > 0.15 else 5
    place = (roots - centre) / width
    comb_to = CUTS[style.cut].comb
    parted = comb_to == "part" and style.length > 0.5
    tie = centre + obstacles.radii * [0.0, style.part, -1.15]
    comb = _comb(place, side, style) if comb_to != "tie" else tie - roots
    comb = comb + rng.normal(0, 0.12, comb.shape)
    comb = unit(comb - (comb * normals).sum(axis=1, keepdims=True) * normals)
    height = (roots[:, 1] - obstacles.brow[1]) / width
    top = np.clip((height - 0.1) / 0.3, 0, 1)
    length = style.length * (style.sides + (1 - style.sides) * top)
    if comb_to == "tie":
        length = 1.2 * np.linalg.norm(tie - roots, axis=1) / width
    length = length * rng.uniform(0.8, 1.1, len(roots))
    ahead = (obstacles.brow[2] - roots[:, 2]) / width
    if style.fringe >= 0:
        fringe = (ahead < 0.42) & (np.abs(place[:, 0]) < 0.32) & (height > 0)
        reach = 1.1 * (height - style.fringe) + 0.7 * np.maximum(ahead - 0.12, 0)
        reach = reach + rng.normal(0, 0.02, len(roots))
        length = np.where(fringe, np.clip(reach, 0.05, 0.8), length)
        forward = unit(np.array([0.0, -0.5, 1.0]) + [[0.5 * style.part, 0, 0]])
        comb = np.where(fringe[:, None], unit(0.35 * comb + forward), comb)
    else:
        fringe = np.zeros(len(roots), bool)
    lift = style.lift * (0.4 + 0.6 * top)[:, None]
    heading = unit((1 - lift) * comb + lift * normals)
    step = length * width / (steps - 1)
    gravity = style.gravity * np.where(fringe, 1.5, 1.0) * step / (0.08 * width)
    points = np.empty((len(roots), steps, 3))
    points[:, 0] = here = roots
    tree = KDTree(skin[0]) if fringe.any() else None
    layer = 0.3 + 0.7 * rng.random(len(roots))
    off = layer * style.volume * width
    clear = np.where(fringe, 0.0, style.clear)
    hug = 0.9 if parted else float(np.clip(0.55 - 2.5 * style.lift, 0.0, 0.5))
    for k in range(1, steps):
        if comb_to == "tie":
            heading = heading + 0.8 * unit(tie - here)
        fall = gravity
        if parted:
            # Divided hair first goes to its side; falling at once it would cover the face.
            aside = np.abs(here[:, 0] - centre[0]) / obstacles.radii[0]
            aside = np.where(here[:, 2] > centre[2], np.clip((aside - 0.4) / 0.4, 0, 1), 1.0)
            fall = gravity * np.where(fringe, 1.0, aside)
        heading = heading + fall[:, None] * np.array([0.0, -0.35, 0.0])
        there = here + step[:, None] * unit(heading)
        there = obstacles.outside(there, off * min(1.0, 3 * k / steps), clear, hug)
        if fringe.any():
            there[fringe] = _off_the_skin(there[fringe], skin, tree, 2.5 + 2.0 * layer[fringe])
        heading = unit(0.5 * unit(heading) + 0.5 * unit(there - here))
        points[:, k] = here = there
    return points


def _off_the_skin(
    points: FloatArray,
    skin: tuple[FloatArray, FloatArray],
    tree: KDTree | None,
    off: FloatArray,
) -> FloatArray:
    """Return points (n, 3) moved out until they lie `off` mm above the nearest place (skin)."""
    if tree is None:
        return points
    nearest = np.asarray(tree.query(points)[1])
    normals = skin[1][nearest]
    height = ((points - skin[0][nearest]) * normals).sum(axis=1)
    return points + np.maximum(off - height, 0)[:, None] * normals


def _comb(place: FloatArray, side: FloatArray, style: HairStyle) -> FloatArray:
    """Return (n, 3) where hair is combed to, before it is laid on the head."""
    kind = CUTS[style.cut].comb
    if kind == "up":
        return np.array([0.0, 0.3, 0.1]) + 0.5 * place
    if kind == "back":
        return np.array([0.0, 0.1, -1.0]) + place * [0.5, 0.0, 0.0]
    if kind == "part":
        # Only the front is divided; behind, hair falls.
        front = np.clip(0.7 + 1.6 * place[:, 2], 0.15, 1.0)
        ahead = 0.35 if style.length < 0.5 else 0.0
        return np.stack([side * front, -0.3 - 0.5 * (1 - front), ahead * front], axis=1)
    whorl = np.array([0.25 * style.part, 0.55, -0.45])
    return place - whorl


def _hairs(
    guides: FloatArray,
    nearest: IndexArray,
    roots: FloatArray,
    normals: FloatArray,
    inside: FloatArray,
    style: HairStyle,
    width: float,
    rng: np.random.Generator,
) -> tuple[FloatArray, FloatArray]:
    """Return (N, K, 3) hairs that follow their guides, and how near the top they lie, (N,)."""
    count = len(roots)
    layer = rng.random(count)
    steps = guides.shape[1]
    # Hairs at the edge are short, so that the hair line is soft.
    reach = rng.uniform(0.75, 1.0, count) * np.clip(0.35 + inside / 0.05, 0.35, 1.0)
    at = reach[:, None] * np.linspace(0, 1, steps) * (steps - 1)
    low = np.minimum(at.astype(np.int64), steps - 2)
    share = (at - low)[..., None]
    path = guides[nearest[:, None], low]
    path = path + share * (guides[nearest[:, None], low + 1] - path)
    t = np.linspace(0, 1, steps)
    offset = (roots - guides[nearest, 0])[:, None] * (1 - style.clump * t**0.7)[:, None]
    rise = np.minimum(3 * t, 1.0)[:, None]
    lift = (layer * 0.5 * style.volume * width)[:, None, None]
    points = path + offset + rise * lift * normals[:, None]
    along = unit(points[:, -1] - points[:, 0])
    first = unit(np.cross(along, normals + [0.01, 0.02, 0.03]))
    second = np.cross(along, first)
    if style.curl > 0.6:
        far = reach * style.length * width
        turns = far / style.turn * rng.uniform(0.85, 1.15, count)
        phase = rng.uniform(0, 2 * np.pi, len(guides))[nearest] + rng.normal(0, 0.5, count)
        angle = 2 * np.pi * turns[:, None] * t + phase[:, None]
        size = (style.curl * rng.uniform(0.6, 1.2, count))[:, None] * np.minimum(4 * t, 1.0)
        points += (size * np.cos(angle))[..., None] * first[:, None]
        points += (size * np.sin(angle))[..., None] * second[:, None]
    stray = rng.standard_normal((count, 2)) * style.frizz * min(1.0, 4 * style.length)
    points += (stray[:, :1, None] * first[:, None] + stray[:, 1:, None] * second[:, None]) * (
        t[:, None] ** 1.5
    )
    return points, layer


def _colors(style: HairStyle, nearest: IndexArray, rng: np.random.Generator) -> FloatArray:
    """Return (N, 3) colours in linear light: grey hairs among others, locks of different tones."""
    count = len(nearest)
    # Each line stands for several hairs, some of them grey.
    grey = (rng.binomial(5, style.grey, count) / 5)[:, None]
    base = np.array(style.color) + grey * (rng.uniform(0.5, 0.75, (count, 1)) - style.color)
    lock = np.exp(rng.normal(0, 0.18, int(nearest.max()) + 1))[nearest]
    tone = lock * np.exp(rng.normal(0, 0.22, count))
    return np.clip(base, 0, 1) ** 2.2 * tone[:, None]
