"""Pictures of faces in rows and columns: people down, expressions across."""

from collections.abc import Sequence

import numpy as np

from geomface.arrays import ImageArray
from geomface.errors import SettingsError
from geomface.mesh import Mesh
from geomface.rendering import Frame, contact_sheet, frame_of, render_mesh

FONT, SMALLEST = 14, 9
"""Pixels."""
_GAP, _MARGIN = 4, 0.04


def face_pictures(
    template: Mesh,
    faces: np.ndarray,
    *,
    size: int = 160,
    frame: Frame | None = None,
    colors: Sequence[np.ndarray | None] | None = None,
    yaw: float = 0.0,
) -> list[ImageArray]:
    """Render faces of one topology in one frame.

    Parameters
    ----------
    template : whose triangles they have
    faces : (N, V, 3) mm
    size : pixels a side
    frame : what is seen; None holds them all
    colors : one (V, 3) a face, or None for grey
    yaw : degrees, positive to the subject's left

    Returns
    -------
    N pictures (size, size, 3) float32
    """
    bare = template.replace(uv=None, uv_faces=None, texture=None, colors=None)
    frame = frame_of(list(faces), margin=_MARGIN) if frame is None else frame
    shades = [None] * len(faces) if colors is None else colors
    return [
        render_mesh(bare, vertices=face, size=size, frame=frame, colors=color, yaw=yaw)
        for face, color in zip(faces, shades, strict=True)
    ]


def labelled_grid(
    pictures: Sequence[ImageArray], columns: Sequence[str], rows: Sequence[str]
) -> ImageArray:
    """Lay pictures out in rows, with a name above each column and one left of each row.

    Parameters
    ----------
    pictures : one size, row by row
    columns, rows : names; rows without any text take no room

    Returns
    -------
    (H, W, 3) float32

    Raises
    ------
    SettingsError : another number of pictures than rows times columns
    """
    if len(pictures) != len(columns) * len(rows) or not len(pictures):
        raise SettingsError(
            f"grid: expected {len(rows)} x {len(columns)} pictures, at least one, got "
            f"{len(pictures)}."
        )
    sheet = contact_sheet(pictures, len(columns), gap=_GAP)
    height, width = pictures[0].shape[:2]
    left = max(_text_width(name) for name in rows) if any(rows) else 0
    whole = np.ones((sheet.shape[0] + 2 * FONT, sheet.shape[1] + left, 3), np.float32)
    whole[2 * FONT :, left:] = sheet
    for index, name in enumerate(columns):
        start = left + _GAP + index * (width + _GAP)
        whole[: 2 * FONT, start : start + width] = _text(name, 2 * FONT, width)
    for index, name in enumerate(rows if left else ()):
        start = 2 * FONT + _GAP + index * (height + _GAP)
        whole[start : start + height, :left] = _text(name, height, left)
    return whole


def trimmed(pictures: Sequence[ImageArray]) -> list[ImageArray]:
    """Cut the columns off that are white in all pictures, left and right."""
    inked = np.flatnonzero(np.any([(item < 1).any(axis=(0, 2)) for item in pictures], axis=0))
    if not len(inked):
        return list(pictures)
    width = pictures[0].shape[1]
    sides = slice(max(int(inked[0]) - _GAP, 0), min(int(inked[-1]) + 1 + _GAP, width))
    return [item[:, sides] for item in pictures]


def _text(text: str, height: int, width: int) -> ImageArray:
    """Return a line of text in the middle of a white picture, smaller or cut off to fit."""
    from PIL import Image, ImageDraw, ImageFont

    size, font = FONT, ImageFont.load_default(FONT)
    while size > SMALLEST and font.getlength(text) > width:
        size -= 1
        font = ImageFont.load_default(size)
    while len(text) > 1 and font.getlength(text) > width:
        text = text[:-1]
    strip = Image.new("L", (width, height), 255)
    ImageDraw.Draw(strip).text((width / 2, height / 2), text, 0, font, anchor="mm")
    ink = np.asarray(strip, np.float32)[..., None] / np.float32(255)
    return np.broadcast_to(ink, (height, width, 3))


def _text_width(text: str) -> int:
    from PIL import ImageFont

    return round(ImageFont.load_default(FONT).getlength(text)) + FONT
