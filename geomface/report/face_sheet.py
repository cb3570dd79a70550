"""Pictures of textured faces, such as those that a generator drew: many, or a few all around."""

from collections.abc import Sequence

from geomface.arrays import ImageArray
from geomface.errors import MeshError
from geomface.mesh import Mesh
from geomface.rendering import Studio, contact_sheet, frame_of, render_mesh
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
    return contact_sheet(_pictures(faces, size, [(yaw, None) for yaw in yaws]), columns)


YAWS = (-60.0, -30.0, 0.0, 30.0, 60.0)
"""Degrees, of the poses."""
LIGHTS = {
    "from the left": Studio(key=(-1.0, 0.1, 0.25), key_strength=0.9, fill_strength=0.15),
    "from the right": Studio(key=(1.0, 0.1, 0.25), key_strength=0.9, fill_strength=0.15),
    "from above": Studio(key=(0.0, 1.0, 0.3), key_strength=0.9, fill_strength=0.15),
}
"""Of the pictures from the front."""


def pose_and_light_sheet(faces: Sequence[Mesh], *, size: int = 160) -> ImageArray:
    """Render each face in a row: under `YAWS` in the studio's light, then under other `LIGHTS`.

    Parameters
    ----------
    faces : as for `face_sheet`
    size : pixels a side of a picture

    Returns
    -------
    (H, W, 3) float32

    Raises
    ------
    MeshError : no face

    Source
    ------
    Shamai, Slossberg, Kimmel 2018, Fig. 13.
    """
    views: list[tuple[float, Studio | None]] = [(yaw, None) for yaw in YAWS]
    views += [(0.0, light) for light in LIGHTS.values()]
    return contact_sheet(_pictures(faces, size, views), len(views))


def _pictures(
    faces: Sequence[Mesh], size: int, views: Sequence[tuple[float, Studio | None]]
) -> list[ImageArray]:
    """Render each face under each (yaw, light), all in one frame."""
    if not faces:
        raise MeshError("face sheet: expected at least one face, got none.")
    model = matching_face(faces[0])
    frame = frame_of([face.vertices for face in faces], margin=0.04)
    return [
        render_mesh(face, size=size, yaw=yaw, frame=frame, studio=light)
        if model is None
        else face_picture(model, face, size=size, yaw=yaw, frame=frame, studio=light)
        for face in faces
        for yaw, light in views
    ]
