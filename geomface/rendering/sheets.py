"""Several pictures together: contact sheets and turntables."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from geomface.arrays import ImageArray, require_shape
from geomface.errors import SettingsError
from geomface.mesh.mesh import Mesh
from geomface.rendering.camera import frame_of
from geomface.rendering.picture import render_mesh


def contact_sheet(
    images: Sequence[ImageArray],
    columns: int,
    labels: Sequence[str] | None = None,
    *,
    gap: int = 6,
    background: float = 1.0,
    font_size: int = 15,
) -> ImageArray:
    """Lay pictures out in rows, each with an optional line of text below.

    Parameters
    ----------
    images : (H, W, 3) float32 in [0, 1] each; smaller ones are centred in their cell
    columns : pictures in a row
    labels : one text a picture
    gap : free pixels between pictures
    background : grey value around them, 1 is white
    font_size : pixels

    Returns
    -------
    (height, width, 3) float32

    Example
    -------
    >>> import geomface as gf
    >>> mesh = gf.load_builtin_face().mesh
    >>> views = [gf.render_mesh(mesh, size=64, yaw=yaw) for yaw in (-40, 0, 40)]
    >>> gf.contact_sheet(views, 3).shape
    (76, 216, 3)
    """
    if len(images) == 0 or columns < 1:
        raise SettingsError(
            f"contact_sheet: expected pictures and at least one column, got {len(images)} pictures "
            f"and {columns} columns."
        )
    if labels is not None and len(labels) != len(images):
        raise SettingsError(
            f"contact_sheet: expected one label for each of {len(images)} pictures, "
            f"got {len(labels)}."
        )
    for index, image in enumerate(images):
        require_shape(image, (None, None, 3), f"contact_sheet: picture {index}", SettingsError)
    cell_height = max(image.shape[0] for image in images)
    cell_width = max(image.shape[1] for image in images)
    text_height = round(1.5 * font_size) if labels is not None else 0
    step_y, step_x = cell_height + text_height + gap, cell_width + gap
    rows = -(-len(images) // columns)
    used = min(columns, len(images))
    sheet = np.full((rows * step_y + gap, used * step_x + gap, 3), background, np.float32)
    corners = [
        (gap + i // columns * step_y, gap + i % columns * step_x) for i in range(len(images))
    ]
    for image, (top, left) in zip(images, corners, strict=True):
        top += (cell_height - image.shape[0]) // 2
        left += (cell_width - image.shape[1]) // 2
        sheet[top : top + image.shape[0], left : left + image.shape[1]] = image
    if labels is not None:
        places = [(left + cell_width / 2, top + cell_height) for top, left in corners]
        sheet = _write(sheet, labels, places, font_size, text_height, background)
    return sheet


def _write(
    sheet: np.ndarray,
    labels: Sequence[str],
    places: Sequence[tuple[float, float]],
    font_size: int,
    height: int,
    background: float,
) -> np.ndarray:
    """Write centred labels on strips below the pictures, leaving all other pixels as they are."""
    from PIL import Image, ImageDraw, ImageFont

    font = ImageFont.load_default(font_size)
    ink = 0 if background > 0.5 else 255
    paper = round(255 * background)
    for label, (x, y) in zip(labels, places, strict=True):
        width = round(font.getlength(label)) + 4
        strip = Image.new("L", (width, height), paper)
        ImageDraw.Draw(strip).text((width / 2, height / 2), label, ink, font, anchor="mm")
        text: np.ndarray[Any, Any] = np.asarray(strip, np.float32)[..., None] / 255
        left = max(round(x - width / 2), 0)
        target = sheet[round(y) : round(y) + height, left : left + width]
        target[:] = text[: target.shape[0], : target.shape[1]]
    return sheet


def turntable(
    mesh: Mesh, frames: int = 24, *, swing: float = 65.0, **options: Any
) -> list[ImageArray]:
    """Render a mesh while it swings from side to side, ready to loop.

    yaw_k = swing sin(2 pi k / frames)

    Parameters
    ----------
    mesh : the surface
    frames : number of pictures
    swing : largest yaw in degrees; 0 or less turns once around instead
    options : passed on to `render_mesh`
    """
    if frames < 1:
        raise SettingsError(f"turntable: expected at least one frame, got {frames}.")
    if options.get("frame") is None:
        vertices = options.get("vertices")
        options["frame"] = frame_of([mesh if vertices is None else vertices])
    turns = np.arange(frames) / frames
    yaws = swing * np.sin(2 * np.pi * turns) if swing > 0 else 360.0 * turns
    return [render_mesh(mesh, yaw=float(yaw), **options) for yaw in yaws]
