"""A picture of fits: the given face, the fitted one, and their distance in colours."""

from collections.abc import Sequence

import numpy as np

from geomface.arrays import BoolArray, FloatArray, ImageArray
from geomface.gan.factored_geometry.pictures import face_pictures, labelled_grid, trimmed
from geomface.mesh import Mesh
from geomface.rendering import frame_of, heat_colors

FARTHEST = 2.0
"""mm, of the last colour."""
_HIDDEN = (0.6, 0.6, 0.6)


def fit_sheet(
    template: Mesh,
    given: FloatArray,
    fitted: FloatArray,
    visible: BoolArray,
    names: Sequence[str],
    *,
    farthest: float = FARTHEST,
    size: int = 200,
) -> ImageArray:
    """Render rows of three pictures: given, fitted, and |given - fitted| on the fitted face.

    Parameters
    ----------
    template : whose triangles they have
    given, fitted : (N, V, 3) mm
    visible : (N, V), the others are dark in the given face and grey where distances are shown
    names : one a face
    farthest : mm, where the colours end: violet is 0, yellow this or more
    size : pixels a side

    Returns
    -------
    (H, W, 3) float32
    """
    distances = np.linalg.norm(given - fitted, axis=2)
    frame = frame_of([*given, *fitted], margin=0.04)
    grey, dark = np.full((len(template.vertices), 3), 0.79), np.full(3, 0.25)
    shown = [np.where(seen[:, None], grey, dark) for seen in visible]
    heat = [
        np.where(seen[:, None], heat_colors(row, farthest), _HIDDEN)
        for row, seen in zip(distances, visible, strict=True)
    ]
    whole = visible.all()
    groups = [
        face_pictures(template, given, size=size, frame=frame, colors=None if whole else shown),
        face_pictures(template, fitted, size=size, frame=frame),
        face_pictures(template, fitted, size=size, frame=frame, colors=heat),
    ]
    pictures = trimmed([group[row] for row in range(len(given)) for group in groups])
    means = (distances * visible).sum(axis=1) / visible.sum(axis=1)
    rows = [f"{name} {mean:.2f} mm" for name, mean in zip(names, means, strict=True)]
    return labelled_grid(pictures, ["given", "fitted", f"0 to {farthest:g} mm"], rows)
