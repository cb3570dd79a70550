"""Images as data URIs, the legend of heat maps, and pictures side by side."""

import base64
import io

import numpy as np

from geomface.arrays import ImageArray
from geomface.rendering import heat_colors


def data_uri(image: ImageArray, *, form: str = "jpeg", quality: int = 88) -> str:
    """Return an image as a data URI.

    Parameters
    ----------
    image : (H, W, 3) or (H, W) float in [0, 1], row 0 at the top
    form : "jpeg", "png" or "webp"
    quality : 1 to 100, for jpeg and webp
    """
    return f"data:image/{form};base64,{base64.b64encode(encode(image, form, quality)).decode()}"


def encode(image: ImageArray, form: str = "jpeg", quality: int = 88) -> bytes:
    """Return the bytes of an image file; parameters as in `data_uri`."""
    from PIL import Image

    eight_bit = np.round(255 * np.clip(image, 0, 1)).astype(np.uint8)
    options = {} if form == "png" else {"quality": quality}
    buffer = io.BytesIO()
    Image.fromarray(eight_bit).save(buffer, form, optimize=True, **options)
    return buffer.getvalue()


def resize(image: ImageArray, height: int, width: int) -> ImageArray:
    """Return an image (H, W, 3) resampled with a box that covers each new pixel."""
    from PIL import Image

    eight_bit = np.round(255 * np.clip(image, 0, 1)).astype(np.uint8)
    small = Image.fromarray(eight_bit).resize((width, height), Image.Resampling.BOX)
    return (np.asarray(small) / 255).astype(np.float32)


def heat_css(steps: int = 9) -> list[str]:
    """Return the heat colours from low to high as CSS colours, for a legend."""
    colors = heat_colors(np.linspace(0, 1, steps), 1.0)
    return [f"rgb({', '.join(str(round(255 * float(value))) for value in row)})" for row in colors]


def checkerboard(size: int, checks: int = 24) -> ImageArray:
    """Return the (size, size, 3) checker that shows a uv map: red grows with u, blue with v.

    Convention
    ----------
    uv origin bottom-left, row 0 at the top.
    """
    centers = (np.arange(size) + 0.5) / size
    u, v = np.meshgrid(centers, 1 - centers)
    odd = (np.floor(u * checks) + np.floor(v * checks)) % 2 == 1
    colored = np.stack([0.25 + 0.6 * u, np.full_like(u, 0.42), 0.25 + 0.6 * v], axis=-1)
    return np.where(odd[..., None], colored, 0.93).astype(np.float32)


def blend(first: ImageArray, second: ImageArray, share: float) -> ImageArray:
    """Return (1 - share) first + share second."""
    return ((1 - share) * first + share * second).astype(np.float32)


def side_by_side(images: list[ImageArray], gap: int = 8, fill: float = 1.0) -> ImageArray:
    """Return images of one height in a row, `gap` pixels of `fill` between them."""
    spacer = np.full((images[0].shape[0], gap, 3), fill, np.float32)
    row: list[ImageArray] = []
    for image in images:
        row += [spacer, image] if row else [image]
    return np.concatenate(row, axis=1)
