"""The rotating viewer of a report: meshes of one topology packed into the page."""

import base64
import dataclasses
import html
import json
from collections.abc import Sequence

import numpy as np

from geomface.arrays import FloatArray, ImageArray, IndexArray, require_shape
from geomface.errors import MeshError
from geomface.faces.dressing import MOUTH_DEPTH
from geomface.faces.eyes import IRIS, PUPIL
from geomface.mesh import Mesh
from geomface.report.images import data_uri
from geomface.report.page import static_text

KEYS = (
    "a face in three dimensions: arrow keys turn it, plus and minus enlarge and shrink it, Shift "
    "and arrow keys move it, 0 resets it"
)
HELP = (
    "Drag or arrow keys turn; + and - or two fingers zoom, and so does the wheel once the face was "
    "clicked; Shift and drag move; double click or 0 resets."
)


@dataclasses.dataclass(frozen=True, eq=False)
class ViewerShape:
    """One shape of a viewer.

    Parameters
    ----------
    name : shown above the buttons
    vertices : (V, 3) float64
    texture : (H, W, 3) float32 in [0, 1]
    thumbnail : (h, w, 3) float32, the picture of the button
    eyes : (n, 4) float64, eyeballs to draw: x, y, z, radius
    """

    name: str
    vertices: FloatArray
    texture: ImageArray
    thumbnail: ImageArray
    eyes: FloatArray = dataclasses.field(default_factory=lambda: np.zeros((0, 4)))


def viewer_html(
    mesh: Mesh,
    shapes: Sequence[ViewerShape],
    *,
    mouth: IndexArray | None = None,
    note: str = "",
) -> str:
    """Return the viewer as HTML; the page must run `viewer_script()` once.

    Parameters
    ----------
    mesh : faces and uv that all shapes share, one uv a vertex
    shapes : at least one; the first is shown
    mouth : boundary loop of the mouth, whose inside is then drawn dark
    note : a sentence under the controls

    Raises
    ------
    MeshError : no uv, a seam in the uv, no shape, or a shape of another size.

    Convention
    ----------
    Positions are stored as 16-bit steps of the common radius (about 4 micrometres on a face), uv
    as 16-bit steps of the square, textures as JPEG with row 0 at the top.
    """
    if mesh.uv is None or mesh.uv_faces is None or not np.array_equal(mesh.uv_faces, mesh.faces):
        raise MeshError(f"{mesh.name}: the viewer needs one uv a vertex. Unwrap the template.")
    if not shapes:
        raise MeshError("the viewer needs at least one shape, got none.")
    stack = np.stack(
        [
            require_shape(shape.vertices, (len(mesh.vertices), 3), f"viewer shape {shape.name}")
            for shape in shapes
        ]
    )
    middle = (stack.max(axis=1) + stack.min(axis=1)) / 2
    stack = stack - middle[:, None]
    radius = float(np.linalg.norm(stack, axis=2).max())
    wide = len(mesh.vertices) > 65535
    data = {
        "wide": wide,
        "faces": _pack(mesh.faces, "<u4" if wide else "<u2"),
        "uv": _pack(np.round(65535 * np.clip(mesh.uv, 0, 1)), "<u2"),
        "pupil": PUPIL / np.pi,
        "iris": IRIS / np.pi,
        "mouth": [] if mouth is None else [int(index) for index in mouth],
        "throat": MOUTH_DEPTH / radius,
        "shapes": [
            {
                "name": shape.name,
                "positions": _pack(np.round(32767 * points / radius), "<i2"),
                "texture": data_uri(shape.texture, quality=85),
                "eyes": _relative(shape.eyes, center, radius),
            }
            for shape, points, center in zip(shapes, stack, middle, strict=True)
        ],
    }
    buttons = "".join(
        f'<button type="button" data-shape="{index}" title="{html.escape(shape.name, quote=True)}">'
        f'<img src="{data_uri(shape.thumbnail)}" alt="{html.escape(shape.name, quote=True)}">'
        "</button>"
        for index, shape in enumerate(shapes)
    )
    # A "<" inside the block could end it early or open a comment.
    block = json.dumps(data).replace("<", "\\u003c")
    return (
        f'<div class="viewer"><canvas tabindex="0" role="img" aria-label="{KEYS}"></canvas>'
        f'<div><div class="shapes" role="group" aria-label="faces">{buttons}</div>'
        '<div class="controls" role="group" aria-label="view">'
        '<span class="viewer-name" aria-live="polite"></span>'
        '<button type="button" data-mode="texture" aria-pressed="true">texture</button>'
        '<button type="button" data-mode="surface" aria-pressed="false">surface</button>'
        '<button type="button" data-mode="checker" aria-pressed="false">uv checker</button>'
        '<button type="button" data-spin aria-pressed="true">turn</button>'
        '<button type="button" data-zoom="1.25" aria-label="enlarge">+</button>'
        '<button type="button" data-zoom="0.8" aria-label="shrink">&#8722;</button>'
        '<button type="button" data-reset>reset</button></div>'
        f'<p class="help">{HELP} {html.escape(note)}</p>'
        '<p class="unseen" role="status" data-said></p></div>'
        f'<script type="application/json">{block}</script></div>'
    )


def viewer_script() -> str:
    """Return the JavaScript that starts every viewer of the page."""
    return static_text("viewer.js")


def _relative(eyes: FloatArray, center: FloatArray, radius: float) -> list[list[float]]:
    """Return eyeballs in the units of the packed positions."""
    return [
        [round(float(value), 5) for value in [*((eye[:3] - center) / radius), eye[3] / radius]]
        for eye in eyes
    ]


def _pack(array: np.ndarray, dtype: str) -> str:
    return base64.b64encode(np.ascontiguousarray(array, dtype=dtype).tobytes()).decode()
