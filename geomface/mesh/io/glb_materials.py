"""The base colour of a glTF material: a picture, or one colour for all.

Source
------
glTF 2.0 specification, Khronos 2021, section 3.9; KHR_materials_pbrSpecularGlossiness (its diffuse
colour is read as the base colour), EXT_texture_webp, KHR_texture_transform.
"""

import dataclasses
from typing import Any

import numpy as np

from geomface.arrays import FloatArray
from geomface.files.color import linear_to_srgb
from geomface.files.reading import log

_WHITE = (1.0, 1.0, 1.0)


@dataclasses.dataclass(frozen=True)
class Material:
    """What is read of a material: image index or None, the name of its uv, linear colour.

    The colour multiplies the image.
    """

    image: int | None = None
    channel: str = "TEXCOORD_0"
    factor: tuple[float, float, float] = _WHITE
    transform: tuple[float, ...] = (0.0, 0.0, 0.0, 1.0, 1.0)

    def placed(self, uv: FloatArray) -> FloatArray:
        """Return uv (n, 2), origin top-left, moved by offset, rotation and scale."""
        along, down, angle, wide, high = self.transform
        s, c = np.sin(angle), np.cos(angle)
        return (uv * (wide, high)) @ np.array([[c, -s], [s, c]]) + (along, down)

    def colors(self, count: int) -> FloatArray | None:
        """Return (count, 3) display colours of vertices; None of a white material, the default."""
        color = linear_to_srgb(np.array(self.factor))
        return None if self.factor == _WHITE else np.tile(color, (count, 1))


def material_of(tree: dict[str, Any], primitive: dict[str, Any], name: str) -> Material:
    """Return the material of a primitive; what is not read of it is said."""
    if "material" not in primitive:
        return Material()
    item = tree["materials"][index_in(primitive["material"])]
    older = item.get("extensions", {}).get("KHR_materials_pbrSpecularGlossiness")
    base, picture, color = (
        item.get("pbrMetallicRoughness", {}),
        "baseColorTexture",
        "baseColorFactor",
    )
    if older is not None and picture not in base:
        base, picture, color = older, "diffuseTexture", "diffuseFactor"
    factor = np.array(base.get(color, (*_WHITE, 1.0)), np.float64)[:3]
    if factor.shape != (3,) or not (np.isfinite(factor).all() and (factor >= 0).all()):
        raise ValueError(f"{color} is no colour")
    red, green, blue = np.minimum(factor, 1.0).tolist()
    info = base.get(picture)
    if info is None:
        return Material(factor=(red, green, blue))
    moved = info.get("extensions", {}).get("KHR_texture_transform", {})
    offset, scale = moved.get("offset", (0, 0)), moved.get("scale", (1, 1))
    transform = np.array([*offset, moved.get("rotation", 0), *scale], np.float64)
    if transform.shape != (5,) or not np.isfinite(transform).all():
        raise ValueError("KHR_texture_transform is no transform")
    return Material(
        _image(tree["textures"][index_in(info["index"])], name),
        f"TEXCOORD_{index_in(moved.get('texCoord', info.get('texCoord', 0)))}",
        (red, green, blue),
        tuple(transform.tolist()),
    )


def _image(texture: dict[str, Any], name: str) -> int | None:
    """Return the image of a texture, of an extension where Pillow can decode it."""
    extensions = texture.get("extensions", {})
    source = texture.get("source", extensions.get("EXT_texture_webp", {}).get("source"))
    if source is not None:
        return index_in(source)
    log.warning(
        "%s: its texture is not read (%s); loaded without. Export it as PNG or JPEG.",
        *(name, ", ".join(extensions) or "without a picture"),
    )
    return None


def index_in(value: Any) -> int:
    """Return an index or count of the tree.

    Raises
    ------
    ValueError : no whole number from 0
    """
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise ValueError(f"{value!r} is not a count")
    return value
