"""The jaw line in a picture: where the face ends for the camera, not one place on the skin."""

import numpy as np

from geomface.arrays import BoolArray, FloatArray, IndexArray
from geomface.mesh import LandmarkEmbedding
from geomface.mesh.multi_pie import INNER_FACE, JAW
from geomface.rendering.camera import Camera

# Half width of the strip of skin along which a landmark of the jaw may move.
_STRIP_MM = 3.0
# Skin farther back than the landmark is neck or ear.
_BEHIND_MM = 5.0
# It may come this close to the middle of the face, as a share of its own distance.
_INNERMOST = 0.7


def contour_strips(
    vertices: FloatArray, embedding: LandmarkEmbedding, usable: BoolArray
) -> tuple[IndexArray, ...]:
    """Return, for each of the 17 landmarks of the jaw, the vertices that may stand for it.

    They lie on a strip of skin from the landmark towards the middle of the face, seen from the
    front; the first one is the vertex nearest to the landmark itself.

    Parameters
    ----------
    vertices : (V, 3) float64, mm, the mean face
    embedding : the 68 landmarks of multi-pie-68
    usable : (V,) vertices on the outside of the face
    """
    marks = embedding.positions(vertices)
    middle = marks[INNER_FACE, :2].mean(axis=0)
    own = embedding.vertices[np.arange(len(embedding)), embedding.weights.argmax(axis=1)]
    strips = []
    for mark, vertex in zip(marks[JAW], own[JAW], strict=True):
        inward = middle - mark[:2]
        length = float(np.linalg.norm(inward))
        inward = inward / length
        offset = vertices[:, :2] - mark[:2]
        depth = offset @ inward
        beside = np.abs(offset @ np.array([-inward[1], inward[0]]))
        inside = usable & (beside < _STRIP_MM) & (depth > 0) & (depth < _INNERMOST * length)
        inside &= vertices[:, 2] > mark[2] - _BEHIND_MM
        inside[vertex] = False
        strips.append(np.concatenate([[vertex], np.flatnonzero(inside)]))
    return tuple(strips)


def contour_vertices(
    vertices: FloatArray,
    middle: FloatArray,
    strips: tuple[IndexArray, ...],
    camera: Camera,
) -> tuple[IndexArray, FloatArray]:
    """Return the vertex of each strip that lies outermost in the image, and the outward direction.

    On the side turned away, cheek and cheekbone hide the jaw and become the contour; on the near
    side the jaw itself stays outermost.

    Parameters
    ----------
    vertices : (V, 3) float64, the current face in the model's frame
    middle : (3,) float64, the middle of the face
    camera : how it is seen

    Returns
    -------
    (17,) int64 and (17, 2) float64 unit vectors in the image
    """
    centre = camera.project(middle[None])[0]
    chosen = np.empty(len(strips), np.int64)
    outward = np.empty((len(strips), 2))
    for place, strip in enumerate(strips):
        pixels = camera.project(vertices[strip])
        direction = pixels[0] - centre
        direction = direction / max(float(np.linalg.norm(direction)), 1e-12)
        best = int((pixels @ direction).argmax())
        chosen[place], outward[place] = strip[best], direction
    return chosen, outward
