"""A picture of many textured faces, such as those that a generator drew."""

from collections.abc import Sequence

from geomface.arrays import ImageArray
from geomface.errors import MeshError
from geomface.mesh import Mesh
from geomface.rendering import contact_sheet, frame_of, render_mesh
from geomface.report.model_figures import face_picture
from geomface.report.model_sections import matching_face


def face_sheet(
    faces: Sequence[Mesh],
    *,
    columns: int = 8,
    size: int = 200,
    yaws: tuple[float, ...] = (0.0, 35.0),
) -> ImageArray:
    """Render faces of one topology, each under every yaw, side by side in one frame.

    Faces on the built-in face's topology get eyeballs and a mouth, so that they look at somebody.

    Parameters
    ----------
    faces : with textures or vertex colours, mm, looking along +z
    columns : pictures a row
    size : pixels a side of a picture
    yaws : degrees, positive to the subject's left

    Returns
    -------
    (H, W, 3) float32

    Raises
    ------
    MeshError : no face
    """
    if not faces:
        raise MeshError("face sheet: expected at least one face, got none.")
    model = matching_face(faces[0])
    frame = frame_of([face.vertices for face in faces], margin=0.04)
    pictures = [
        render_mesh(face, size=size, yaw=yaw, frame=frame)
        if model is None
        else face_picture(model, face, size=size, yaw=yaw, frame=frame)
        for face in faces
        for yaw in yaws
    ]
    return contact_sheet(pictures, columns)
