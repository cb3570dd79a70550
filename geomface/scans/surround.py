"""A simple head and shoulders around a face mask, so that the mask's rim is not the scan's rim."""

import numpy as np

from geomface.arrays import FloatArray, IndexArray
from geomface.mesh.normals import vertex_normals
from geomface.mesh.topology import boundary_loops, loop_length

RINGS = 18
REACH = 1.0
"""How far the surround leaves the rim, in head widths."""
TURN = 0.35
"""How fast the way turns into the body's flow, a share a ring; straight ways would cross."""


def add_surround(
    vertices: FloatArray, faces: IndexArray, landmarks: FloatArray, *, rings: int = RINGS
) -> tuple[FloatArray, IndexArray]:
    """Extend the outer boundary of a face mask over the skull, the neck and the shoulders.

    Every rim vertex walks away from the mask along level sets of a smooth body f(x) = 0 (skull
    ellipsoid, neck capsule, shoulder ellipsoid, joined by a smooth minimum), while its own level f
    fades to 0. It starts straight on, so that the surround is smooth where it leaves the mask, and
    turns into the body's flow: backwards on the skull, down the neck, outwards on the shoulders.
    A closed head whose rim lies below its chin has all of that, and is returned as it is.

    Parameters
    ----------
    vertices : (V, 3) float64, mm, a face mask in the project's axes
    faces : (F, 3) int64
    landmarks : (68, 3) float64, multi-pie-68 landmarks on the mask; they size and place the body
    rings : number of vertex rings added

    Returns
    -------
    vertices (V + rings n, 3), the mask's first, and faces with the mask's first.

    Convention
    ----------
    x to the subject's left, y up, z out of the face.
    """
    loops = boundary_loops(faces)
    if not loops:
        return vertices, faces
    loop = max(loops, key=lambda item: loop_length(vertices, item))
    width = float(np.linalg.norm(landmarks[16] - landmarks[0]))
    if vertices[loop, 1].max() < landmarks[:, 1].min():
        return vertices, faces
    parts = _body(landmarks, width)
    place = vertices[loop]
    direction = _outward(vertices, faces, loop)
    level, _, _ = _evaluate(place, parts, width)
    steps = np.linspace(0.4, 1.6, rings) * REACH * width / rings
    fade = np.cos(np.linspace(0, np.pi / 2, rings + 1)[1:]) ** 2
    layers = []
    for step, keep in zip(steps, fade, strict=True):
        place = place + step * direction
        for _ in range(3):
            value, normal, flow = _evaluate(place, parts, width)
            place = place - (value - keep * level)[:, None] * normal
        # Neighbours walk together: what the rim's small waves would fold is smoothed away.
        place = 0.5 * place + 0.5 * _smooth_closed(place, 7)
        direction = _smooth_closed((1 - TURN) * direction + TURN * flow, 9)
        direction = _unit(direction - (direction * normal).sum(axis=1)[:, None] * normal)
        layers.append(place)
    return np.vstack([vertices, *layers]), np.vstack(
        [faces, _ring_faces(loop, len(vertices), rings)]
    )


def _ring_faces(loop: IndexArray, first_new: int, rings: int) -> IndexArray:
    size = len(loop)
    index = np.vstack([loop, first_new + np.arange(rings * size).reshape(rings, size)])
    inner, outer = index[:-1], index[1:]
    inner_next, outer_next = np.roll(inner, -1, axis=1), np.roll(outer, -1, axis=1)
    # A boundary edge runs with its triangle, so the new triangle beyond runs against it.
    first = np.stack([inner_next, inner, outer], axis=-1).reshape(-1, 3)
    second = np.stack([inner_next, outer, outer_next], axis=-1).reshape(-1, 3)
    return np.vstack([first, second])


def _unit(vectors: FloatArray) -> FloatArray:
    return vectors / np.maximum(np.linalg.norm(vectors, axis=1), 1e-12)[:, None]


def _smooth_closed(values: FloatArray, width: int) -> FloatArray:
    """Average along a closed curve with a bell of `width` samples."""
    total, norm = np.zeros_like(values), 0.0
    for shift in range(-(width // 2), width // 2 + 1):
        weight = np.cos(np.pi * shift / (width + 1)) ** 2
        total += weight * np.roll(values, shift, axis=0)
        norm += weight
    return total / norm


def _outward(vertices: FloatArray, faces: IndexArray, loop: IndexArray) -> FloatArray:
    """Return (n, 3) unit directions that lie in the surface and leave it at the rim."""
    rim = vertices[loop]
    tangents = np.roll(rim, -1, axis=0) - np.roll(rim, 1, axis=0)
    directions = _unit(np.cross(tangents, vertex_normals(vertices, faces)[loop]))
    return _unit(_smooth_closed(directions, 15))


def _body(landmarks: FloatArray, width: float) -> tuple[FloatArray, ...]:
    """Return centre and radii of skull, neck (two ends, radius) and shoulders, mm.

    Proportions of an adult head in units of its width, rounded.
    """
    middle = 0.5 * (landmarks[0, 0] + landmarks[16, 0])
    bridge, chin = landmarks[27], landmarks[8]
    depth = bridge[2] - 0.62 * width
    skull = np.array([middle, bridge[1] + 0.1 * width, depth])
    skull_radii = np.array([0.5, 0.68, 0.62]) * width
    neck_top = np.array([middle, bridge[1] - 0.3 * width, depth - 0.1 * width])
    neck_bottom = np.array([middle, chin[1] - 0.6 * width, depth - 0.2 * width])
    neck_radius = np.array([0.36 * width])
    shoulders = np.array([middle, chin[1] - 1.0 * width, depth - 0.25 * width])
    shoulder_radii = np.array([1.25, 0.48, 0.6]) * width
    return skull, skull_radii, neck_top, neck_bottom, neck_radius, shoulders, shoulder_radii


def _ellipsoid(
    points: FloatArray, centre: FloatArray, radii: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Approximate signed distance (first order) and its direction."""
    scaled = (points - centre) / radii
    length = np.maximum(np.linalg.norm(scaled, axis=1), 1e-9)
    gradient = scaled / radii / length[:, None]
    slope = np.maximum(np.linalg.norm(gradient, axis=1), 1e-9)
    return (length - 1) / slope, gradient / slope[:, None]


def _evaluate(
    points: FloatArray, parts: tuple[FloatArray, ...], width: float
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return the body's (n,) level, (n, 3) unit normals and (n, 3) flow at points."""
    skull, skull_radii, neck_top, neck_bottom, neck_radius, shoulders, shoulder_radii = parts
    axis = neck_bottom - neck_top
    along = np.clip((points - neck_top) @ axis / (axis @ axis), 0, 1)
    offset = points - (neck_top + along[:, None] * axis)
    distance = np.linalg.norm(offset, axis=1)
    pairs = [
        _ellipsoid(points, skull, skull_radii),
        (distance - neck_radius[0], _unit(offset)),
        _ellipsoid(points, shoulders, shoulder_radii),
    ]
    values = np.stack([value for value, _ in pairs])
    softness = 0.08 * width
    lowest = values.min(axis=0)
    weights = np.exp(-(values - lowest) / softness)
    total = weights.sum(axis=0)
    level = lowest - softness * np.log(total)
    weights = weights / total
    normals = np.stack([normal for _, normal in pairs])
    radial = points - shoulders
    radial[:, 1] = -0.3 * width
    backwards, down = np.array([0.0, 0.0, -1.0]), np.array([0.0, -1.0, 0.0])
    flow = weights[0, :, None] * backwards + weights[1, :, None] * down
    flow += weights[2, :, None] * _unit(radial)
    return level, _unit(np.einsum("kn,knc->nc", weights, normals)), flow
