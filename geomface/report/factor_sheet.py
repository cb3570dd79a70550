"""Faces in named rows and columns: people down, expressions across."""

from collections.abc import Sequence

import numpy as np

from geomface.arrays import ImageArray
from geomface.gan.factored_geometry.pictures import face_pictures, labelled_grid, trimmed
from geomface.mesh import Mesh
from geomface.rendering import frame_of
from geomface.report.model_figures import face_picture
from geomface.report.model_sections import matching_face

_MARGIN, _YAW = 0.04, 15.0


def factor_sheet(
    template: Mesh,
    faces: np.ndarray,
    columns: Sequence[str],
    rows: Sequence[str] | None = None,
    *,
    size: int = 160,
) -> ImageArray:
    """Render faces in rows and columns with their names, all in one frame.

    Faces on the built-in face's topology get eyeballs and a mouth, so that they look at somebody.

    Parameters
    ----------
    template : whose triangles they have
    faces : (rows * columns, V, 3) mm, row by row
    columns, rows : names; None leaves the rows without
    size : pixels a side of a picture

    Returns
    -------
    (H, W, 3) float32

    Raises
    ------
    SettingsError : another number of faces than rows times columns

    Example
    -------
    >>> import geomface as gf
    >>> model = gf.load_builtin_face()
    >>> faces = gf.draw_labelled_faces(model, gf.LabelledFacesSettings(people=2, faces=3))
    >>> sheet = gf.factor_sheet(model.mesh, faces.vertices, ["a", "b", "c"], ["Ann", "Ben"])
    >>> sheet.shape[0] > sheet.shape[1] * 0.4
    True
    """
    faces = np.asarray(faces, np.float64)
    names = [""] * (len(faces) // max(len(columns), 1)) if rows is None else rows
    bare = template.replace(uv=None, uv_faces=None, texture=None, colors=None)
    model = matching_face(bare)
    if model is None or not len(faces):
        pictures = face_pictures(template, faces, size=size, yaw=_YAW)
    else:
        frame = frame_of(list(faces), margin=_MARGIN)
        shapes = (bare.replace(vertices=face) for face in faces)
        pictures = [face_picture(model, face, size=size, frame=frame, yaw=_YAW) for face in shapes]
    return labelled_grid(trimmed(pictures), columns, names)
