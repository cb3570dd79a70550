"""Several pictures and plain colours of the faces of one mesh, put together into one texture."""

import dataclasses

import numpy as np

from geomface.arrays import BoolArray, FloatArray, ImageArray, IndexArray
from geomface.files.reading import log
from geomface.mesh.io.polygons import require_polygons

_SIDE = 8
"""Texels a side of a plain colour."""
_MOST_TEXELS = 1 << 25
"""Of all pictures together; larger ones are thinned out."""

_MOST_REPEATS = 64
"""Of a picture across one face; one that repeats more often is not repeated."""


@dataclasses.dataclass(frozen=True, eq=False)
class Paint:
    """What colours the faces of a material; with neither they have no colour.

    Parameters
    ----------
    picture : (H, W, 3) float32 in [0, 1], placed by the uv
    color : (3,) in [0, 1], where there is no picture
    """

    picture: ImageArray | None = None
    color: tuple[float, float, float] | None = None


@dataclasses.dataclass(frozen=True, eq=False)
class Painting:
    """One texture for all faces.

    Parameters
    ----------
    texture : (H, W, 3) or None
    uv, uv_corners : (T, 2), and one index a corner
    painted : (P,) which polygons the texture colours; None is all
    """

    texture: ImageArray | None
    uv: FloatArray | None
    uv_corners: IndexArray | None
    painted: BoolArray | None = None


def paint(
    counts: IndexArray,
    uv: FloatArray | None,
    uv_corners: IndexArray | None,
    which: IndexArray,
    paints: list[Paint],
    name: str,
) -> Painting:
    """Return one texture that shows on every polygon what its material does.

    A mesh with one picture keeps it, and its uv. Pictures of several materials and their plain
    colours are put below each other, with uv of their own; uv beyond 0..1 repeat a picture.

    Parameters
    ----------
    counts : (P,) corners of each polygon
    uv, uv_corners : as the file has them; an index of -1 is a corner without
    which : (P,) number of each polygon's paint, -1 for none
    paints : of the materials
    name : for notes

    Raises
    ------
    FileFormatError : a polygon with fewer than three corners
    """
    require_polygons(counts, name)
    starts, as_it_was = np.cumsum(counts) - counts, Painting(None, uv, uv_corners)
    if uv is None or uv_corners is None or len(uv) == 0:
        uv, uv_corners = np.zeros((1, 2)), np.full(int(counts.sum()), -1)
    placed = np.minimum.reduceat(uv_corners, starts) >= 0
    known = [*paints, Paint()]
    which = np.where((which >= 0) & (which < len(paints)), which, len(paints))
    which = _first_alike(known)[which]
    has_picture = np.array([item.picture is not None for item in known])[which]
    which = np.where(has_picture & ~placed, len(paints), which)
    used = np.unique(which)
    pictured = [k for k in used if known[k].picture is not None]
    plain = [k for k in used if known[k].picture is None and known[k].color is not None]
    painted: BoolArray | None = np.isin(which, [*pictured, *plain])
    if not pictured and not plain:
        return as_it_was
    if painted.all():
        painted = None
    else:
        log.warning(
            "%s: %d of %d faces have no picture and no colour; they count as unseen.",
            *(name, int((~painted).sum()), len(counts)),
        )
    if len(pictured) == 1 and not plain:
        return Painting(known[pictured[0]].picture, uv, np.maximum(uv_corners, 0), painted)
    if not pictured and len(plain) == 1 and painted is None:
        return as_it_was
    log.warning(
        "%s: has %d textures and %d plain colours; they are put together into one texture.",
        *(name, len(pictured), len(plain)),
    )
    return _assemble(counts, uv, uv_corners, which, known, painted)


def _first_alike(paints: list[Paint]) -> IndexArray:
    """Return for every paint the first that shows the same."""
    found: dict[object, int] = {}
    for number, item in enumerate(paints):
        found.setdefault((id(item.picture), item.color), number)
    return np.array([found[id(item.picture), item.color] for item in paints])


def _assemble(
    counts: IndexArray,
    uv: FloatArray,
    uv_corners: IndexArray,
    which: IndexArray,
    known: list[Paint],
    painted: BoolArray | None,
) -> Painting:
    starts = np.cumsum(counts) - counts
    own = uv[np.maximum(uv_corners, 0)]
    own = own - np.repeat(np.floor(np.minimum.reduceat(own, starts)), counts, axis=0)
    corner_paint = np.repeat(which, counts)
    places = np.empty_like(own)  # texels from the left and from the top
    tiles: list[ImageArray] = []
    used = np.unique(which).tolist()
    reach = {k: np.maximum(np.ceil(own[corner_paint == k].max(axis=0) - 1e-6), 1) for k in used}
    reach = {
        k: times if times.prod() <= _MOST_REPEATS else np.ones(2) for k, times in reach.items()
    }
    shapes = [
        np.array(item.shape[:2]) * reach[k][::-1]
        for k in used
        if (item := known[k].picture) is not None
    ]
    size = sum(shape[0] for shape in shapes) * max(shape[1] for shape in shapes) if shapes else 0
    thin = max(int(np.ceil(np.sqrt(size / _MOST_TEXELS))), 1)
    top = 0
    for number in used:
        here = corner_paint == number
        tile = known[number].picture
        if tile is None:
            color = known[number].color or (0.5, 0.5, 0.5)
            tile = np.full((_SIDE, _SIDE, 3), color, np.float32)
            places[here] = _SIDE / 2
        else:
            tile = tile[::thin, ::thin]
            height, width = tile.shape[:2]
            tile = np.tile(tile, (int(reach[number][1]), int(reach[number][0]), 1))
            places[here] = own[here] * (width, -height) + (0, tile.shape[0])
        # One texel around each, so that reads between texels do not mix two of them.
        tile = np.pad(tile, ((1, 1), (1, 1), (0, 0)), mode="edge")
        places[here] += (1, 1 + top)
        top += tile.shape[0]
        tiles.append(tile)
    texture = np.zeros((top, max(tile.shape[1] for tile in tiles), 3), np.float32)
    top = 0
    for tile in tiles:
        texture[top : top + tile.shape[0], : tile.shape[1]] = tile
        top += tile.shape[0]
    height, width = texture.shape[:2]
    flat = np.stack([places[:, 0] / width, 1 - places[:, 1] / height], axis=1)
    uv, uv_corners = np.unique(flat, axis=0, return_inverse=True)
    return Painting(texture, uv, uv_corners.reshape(-1), painted)
