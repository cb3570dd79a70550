"""Faces dressed for pictures: a mask with holes looks at nobody, so eyes and mouth are put in."""

import numpy as np

from geomface.arrays import FloatArray, ImageArray, IndexArray
from geomface.faces.eyes import eye_faces, eye_surface, eye_vertices, eyes_of, plain_eye_colors
from geomface.mesh import Mesh, Template
from geomface.mesh.topology import boundary_loops
from geomface.statistics import MorphableModel

MOUTH_INK = (0.20, 0.07, 0.07)
MOUTH_DEPTH = 12.0
"""How far behind the lips the inside of the mouth ends, mm."""

_SINK = np.array([0.0, 0.0, 0.4, 0.0])  # mm behind the eyes, so that a lid of a fit does not cut


def sunken_eyes(source: MorphableModel | Template | None, vertices: FloatArray) -> FloatArray:
    """Return the eyes (n, 4) of a face as `eyes_of`, a little deeper; (0, 4) without a source."""
    if source is None:
        return np.zeros((0, 4))
    return eyes_of(source, vertices) - _SINK


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


def dressed(
    mesh: Mesh, colors: ImageArray | FloatArray, eyes: FloatArray, mouth: IndexArray | None = None
) -> Mesh:
    """Return the mesh with eyeballs and the inside of the mouth added, coloured by vertex.

    Parameters
    ----------
    mesh : the face, looking along +z
    colors : (V, 3) in [0, 1], of the face
    eyes : (n, 4) from `sunken_eyes`
    mouth : (m,) from `mouth_loop`
    """
    points, faces, ink = [mesh.vertices], [mesh.faces], [np.asarray(colors)]
    offset = len(mesh.vertices)
    if len(eyes):
        surface = eye_surface()
        points.append(eye_vertices(surface, eyes, np.zeros(2)))
        faces.append(eye_faces(surface, len(eyes), offset))
        ink.append(np.tile(plain_eye_colors(surface), (len(eyes), 1)))
        offset += len(points[-1])
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
