"""Eyeballs and the inside of the mouth, for pictures: a face mask with holes looks at nobody."""

import functools

import numpy as np

from geomface.arrays import FloatArray, ImageArray, IndexArray
from geomface.geometry_image.readout import read_bilinear
from geomface.mesh import Mesh, Template
from geomface.mesh.topology import boundary_loops
from geomface.statistics import MorphableModel

PUPIL, IRIS = 0.18, 0.47
"""Half angles of pupil and iris on the eyeball, radians."""
SINK = 0.4
"""The eyeball lies this much behind the model's, mm, so that a lid of a fit does not cut it."""

RADIUS = 0.41
"""Radius of an eyeball as a share of the distance between the corners of the eye."""

MOUTH_INK = (0.20, 0.07, 0.07)
MOUTH_DEPTH = 12.0
"""How far behind the lips the inside of the mouth ends, mm."""


def eyeballs_of(model: MorphableModel, vertices: FloatArray) -> FloatArray:
    """Return the eyeballs of a face: rows of centre and radius.

    Parameters
    ----------
    model : a face model, with or without eyeballs
    vertices : (V, 3) on the model's topology, in the model's pose

    Returns
    -------
    (n, 4) float64: x, y, z, radius; (0, 4) when the model has no eyeballs
    """
    eyeballs = model.eyeballs_of(vertices)
    if eyeballs is None:
        return np.zeros((0, 4))
    centers = eyeballs.centers - [0.0, 0.0, SINK]
    return np.column_stack([centers, np.full(len(centers), eyeballs.radius)])


def eyes_or_none(model: MorphableModel | None, vertices: FloatArray) -> FloatArray:
    """Return `eyeballs_of`, or (0, 4) without a model."""
    return np.zeros((0, 4)) if model is None else eyeballs_of(model, vertices)


def eyeballs_behind_lids(template: Template, vertices: FloatArray) -> FloatArray:
    """Return eyeballs that touch the lids of any template with the 68 landmarks, else none.

    The radius is a share of the distance between the corners of the eye; the centre lies so far
    behind the four landmarks of the lids that the sphere just stays behind them.

    Returns
    -------
    (2, 4) float64: x, y, z, radius; (0, 4) without landmarks
    """
    embedding = template.landmarks
    if embedding is None or len(embedding) != 68:
        return np.zeros((0, 4))
    points = embedding.positions(vertices)
    balls = []
    for first in (42, 36):
        eye = points[first : first + 6]
        radius = RADIUS * float(np.linalg.norm(eye[3] - eye[0]))
        lids = eye[[1, 2, 4, 5]]
        centre = lids.mean(axis=0)
        aside = ((lids - centre)[:, :2] ** 2).sum(axis=1).mean()
        centre[2] -= np.sqrt(max(radius**2 - aside, 0.0)) + SINK
        balls.append([*centre, radius])
    return np.array(balls)


def mouth_loop(template: Template) -> IndexArray:
    """Return the boundary loop around the open mouth (n,) int64, empty without one.

    It is the hole with most of its vertices in the region "inner_mouth_rim", "lips" or "mouth".
    """
    regions = template.regions
    name = next((key for key in ("inner_mouth_rim", "lips", "mouth") if key in regions), None)
    nothing = np.zeros(0, np.int64)
    if name is None:
        return nothing
    loops = boundary_loops(template.mesh.faces)
    shares = [float(np.isin(loop, regions[name]).mean()) for loop in loops]
    best = int(np.argmax(shares)) if loops else 0
    return loops[best] if loops and shares[best] > 0.5 else nothing


def with_eyes(
    mesh: Mesh, colors: ImageArray | FloatArray, eyes: FloatArray, mouth: IndexArray | None = None
) -> Mesh:
    """Return the mesh with eyeballs and the inside of the mouth added, coloured by vertex.

    Parameters
    ----------
    mesh : the face, looking along +z
    colors : (V, 3) in [0, 1], of the face
    eyes : (n, 4) from `eyeballs_of`
    mouth : (m,) from `mouth_loop`
    """
    points, faces, ink = [mesh.vertices], [mesh.faces], [np.asarray(colors)]
    sphere, triangles = _unit_sphere()
    angle = np.arccos(np.clip(sphere[:, 2], -1, 1))
    white, iris, pupil = ([0.93, 0.92, 0.90], [0.33, 0.24, 0.17], [0.04, 0.04, 0.05])
    paint = np.where((angle < IRIS)[:, None], iris, white)
    paint[angle < PUPIL] = pupil
    offset = len(mesh.vertices)
    for *center, radius in eyes:
        points.append(np.array(center) + radius * sphere)
        faces.append(triangles + offset)
        ink.append(paint)
        offset += len(sphere)
    if mouth is not None and len(mouth):
        rim = mesh.vertices[mouth]
        throat = rim.mean(axis=0) - [0.0, 0.0, MOUTH_DEPTH]
        count = len(mouth)
        here = np.arange(count)
        points.append(np.vstack([rim, throat]))
        # A hole's loop runs clockwise seen from outside, the fan that closes it the other way.
        fan = np.stack([(here + 1) % count, here, np.full(count, count)], axis=1)
        faces.append(fan + offset)
        ink.append(np.tile(MOUTH_INK, (count + 1, 1)))
    return Mesh(
        np.concatenate(points),
        np.concatenate(faces),
        colors=np.clip(np.concatenate(ink), 0, 1).astype(np.float32),
        name=mesh.name,
    )


def vertex_colors_from(mesh: Mesh, texture: ImageArray) -> ImageArray:
    """Return the colour (V, 3) of a texture at each vertex; needs one uv a vertex.

    Convention
    ----------
    uv origin bottom-left, row 0 at the top; bilinear between texel centres.
    """
    uv = mesh.uv if mesh.uv is not None else np.zeros((len(mesh.vertices), 2))
    return read_bilinear(texture, uv).astype(np.float32)


@functools.cache
def _unit_sphere(rings: int = 40, steps: int = 40) -> tuple[FloatArray, np.ndarray]:
    """Return a sphere whose pole faces +z, with rings close together around the iris."""
    angle = np.pi * (np.arange(rings + 1) / rings) ** 1.4
    turn = 2 * np.pi * np.arange(steps) / steps
    a, b = np.meshgrid(angle, turn, indexing="ij")
    points = np.stack([np.sin(a) * np.cos(b), np.sin(a) * np.sin(b), np.cos(a)], axis=-1)
    row, column = np.meshgrid(np.arange(rings), np.arange(steps), indexing="ij")
    here, right = row * steps + column, row * steps + (column + 1) % steps
    below, across = here + steps, right + steps
    halves = [np.stack([here, below, across], -1), np.stack([here, across, right], -1)]
    return points.reshape(-1, 3), np.concatenate([half.reshape(-1, 3) for half in halves])
