"""A picture of a scan with its landmarks, to check them at a glance."""

from typing import TYPE_CHECKING

import numpy as np

from geomface.arrays import FloatArray, ImageArray
from geomface.mesh import Mesh
from geomface.rendering import contact_sheet, render_mesh
from geomface.rendering.camera import Frame, frame_of, view_rotation

if TYPE_CHECKING:
    from geomface.landmarks import DetectionResult

SEEN, FILLED = (0.10, 0.75, 0.25), (0.95, 0.35, 0.10)
"""Colours of landmarks that were seen, and of those that were filled in."""


def landmark_picture(
    scan: Mesh,
    result: "DetectionResult | None",
    *,
    size: int = 420,
    yaws: tuple[float, ...] = (-40.0, 0.0, 40.0),
) -> ImageArray:
    """Render a scan from some sides with dots at its landmarks; without a result, the scan alone.

    Returns
    -------
    (H, W, 3) float32

    Example
    -------
    >>> import numpy as np
    >>> import geomface as gf
    >>> scan = gf.simulate_scan(gf.load_builtin_face(), rng=np.random.default_rng(1))
    >>> found = gf.detect_landmarks(scan.mesh)
    >>> gf.landmark_picture(scan.mesh, found, size=64, yaws=(0.0,)).dtype
    dtype('float32')
    """
    if result is None:
        frame = frame_of([scan])
        views = [render_mesh(scan, size=size, yaw=yaw, frame=frame, smooth=1) for yaw in yaws]
        return contact_sheet(views, len(views))
    pose = result.similarity.inverse()
    upright = scan.replace(vertices=pose.apply(scan.vertices), unit="mm")
    points = pose.apply(result.landmarks.points)
    frame = Frame(points.mean(axis=0), 260.0)
    views = []
    for yaw in yaws:
        view = render_mesh(upright, size=size, yaw=yaw, frame=frame, smooth=1)
        views.append(with_dots(view, points, result.filled, frame, yaw))
    return contact_sheet(views, len(views))


def picture_of_landmarks(
    points: FloatArray, filled: np.ndarray, frame: Frame, *, size: int = 320
) -> ImageArray:
    """Draw landmarks (68, 3) alone, from the front, on white; colours as in `landmark_picture`."""
    return with_dots(np.ones((size, size, 3), np.float32), points, filled, frame, 0.0)


def with_dots(
    picture: ImageArray,
    points: FloatArray,
    filled: np.ndarray,
    frame: Frame,
    yaw: float,
    *,
    numbers: bool = False,
) -> ImageArray:
    """Draw a dot at every landmark, on wish its number beside it; colours by `filled`."""
    from PIL import Image, ImageDraw

    size = len(picture)
    seen = (points - frame.centre) @ view_rotation(yaw, 0.0).T
    xy = size / 2 + size / frame.extent * seen[:, :2] * [1.0, -1.0]
    image = Image.fromarray(np.round(255 * picture).astype(np.uint8))
    draw = ImageDraw.Draw(image)
    radius = max(size / 170, 1.5)
    for place, ((x, y), gap) in enumerate(zip(xy, filled, strict=True)):
        color = tuple(round(255 * value) for value in (FILLED if gap else SEEN))
        draw.ellipse(
            (x - radius, y - radius, x + radius, y + radius), fill=color, outline=(255, 255, 255)
        )
        if numbers:
            draw.text((x + radius, y - 3 * radius), str(place), fill=(20, 30, 60))
    return (np.asarray(image) / 255).astype(np.float32)
