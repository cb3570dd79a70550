"""The outer boundary on the edge of the unit square, by arc length from the chin."""

import dataclasses

import numpy as np

from geomface.arrays import FloatArray, IndexArray
from geomface.errors import ParametrizationError
from geomface.mesh.template import Template
from geomface.parametrization.corners import (
    CORNER_TIMES,
    FlatSideError,
    ears,
    free_corners,
    snap_corners,
)

_SQUARE_TIMES = np.array([0.0, 1.0, 3.0, 5.0, 7.0, 8.0]) / 8.0
_SQUARE_U = np.array([0.5, 1.0, 1.0, 0.0, 0.0, 0.5])
_SQUARE_V = np.array([0.0, 0.0, 1.0, 1.0, 0.0, 0.0])
_CHIN_LANDMARK = 8
_SCHEME = "multi-pie-68"
# Ears stick out by a texel of a 256 image; so many layers of them are peeled.
_EAR_DEPTH = 1.0 / 256.0
_EAR_LAYERS = 4
# A corner moves by so much of the boundary before ears are peeled instead.
_CORNER_REACH = 0.03


@dataclasses.dataclass(frozen=True, eq=False)
class BoundaryPlacement:
    """Where the outer boundary lies on the square.

    Parameters
    ----------
    loop : (B,) int64 boundary vertices, counter-clockwise, from the bottom centre on
    uv : (B, 2) float64, on the edge of the unit square
    corners : (4,) int64 vertices at (1, 0), (1, 1), (0, 1), (0, 0)
    notes : sentences on what was decided
    """

    loop: IndexArray
    uv: FloatArray
    corners: IndexArray
    notes: tuple[str, ...] = ()


def place_boundary(
    template: Template, loop: IndexArray, mirror: IndexArray | None = None
) -> BoundaryPlacement:
    """Place a boundary loop on the edge of the unit square by arc length.

    u_i = C(t_i), t_i = (L_1 + ... + L_i) / (L_1 + ... + L_B), with C(0) = C(1) the middle of the
    bottom side. The vertices nearest t = 1/8, 3/8, 5/8, 7/8 become the corners, and the arc
    length is spread anew over each side, so that the square is covered exactly.

    Parameters
    ----------
    template : its landmark 8 (multi-pie-68) names the chin; without, the lowest boundary vertex
        near the middle does
    loop : (B,) int64 outer boundary, counter-clockwise seen from outside
    mirror : (V,) int64 mirror twins, or None for no symmetry

    Returns
    -------
    BoundaryPlacement, exactly symmetric when `mirror` maps the loop to itself.

    Raises
    ------
    ParametrizationError : too few boundary vertices for four corners, or an edge that cuts off
        part of the surface at one side of the square wherever the corners go.

    Convention
    ----------
    uv origin bottom-left. u grows to the subject's left (+x), which the viewer sees on the right.

    Source
    ------
    Shamai, Slossberg and Kimmel 2019, section 5.3, equation 6. They do not snap corners to
    vertices, which cuts the corners of the square off. Floater 1997, theorem 6.1, wants no chord
    between two vertices of one side: corners move to free a chord, and ears that are left stick
    out of a slightly smaller square, which is then not covered exactly.
    """
    vertices, name = template.mesh.vertices, template.mesh.name
    if len(loop) < 4:
        raise ParametrizationError(
            f"{name}: expected at least 4 vertices on the outer boundary, one for each corner of "
            f"the square, got {len(loop)}. Use a finer mesh."
        )
    mirror = _loop_mirror(loop, mirror)
    loop, start = _from_bottom(template, loop, mirror)
    lengths = np.linalg.norm(np.roll(vertices[loop], -1, axis=0) - vertices[loop], axis=1)
    if not lengths.all():
        edge = int(np.argmin(lengths))
        pair = (int(loop[edge]), int(loop[(edge + 1) % len(loop)]))
        raise ParametrizationError(
            f"{name}: boundary vertices {pair[0]} and {pair[1]} lie at one point; expected "
            "boundary edges with a length. Move or merge one of them."
        )
    # A start between two vertices (the midline cuts an edge) shifts all times by half that edge.
    arc = np.concatenate([[0.0], np.cumsum(lengths)[:-1]]) + start * lengths[-1]
    times = arc / lengths.sum()
    twins = None if mirror is None else _twin_places(loop, mirror)
    layers, corners, notes = _peel(template, loop, times, twins)
    uv = _spread(times, corners, start == 0.0)
    if twins is not None:
        uv = 0.5 * (uv + uv[twins] * [-1.0, 1.0] + [1.0, 0.0])
    if layers.any():
        uv = _stick_out(uv, layers)
    return BoundaryPlacement(loop, uv, loop[corners], notes)


def _peel(
    template: Template, loop: IndexArray, times: FloatArray, twins: IndexArray | None
) -> tuple[IndexArray, IndexArray, tuple[str, ...]]:
    """Find the corners, peeling off ears (triangles with two boundary edges) if need be.

    Returns (B,) layers, 0 for vertices on the square and more the further out they stick; the
    (4,) places of the corners; notes.
    """
    faces, name = template.mesh.faces, template.mesh.name
    layers = np.zeros(len(loop), np.int64)
    kept = np.arange(len(loop))
    while True:
        place = np.full(len(loop), -1, np.int64)
        place[kept] = np.arange(len(kept))
        own_twins = None if twins is None else place[twins[kept]]
        corners = snap_corners(times[kept], own_twins, name)
        tips = kept[ears(faces, loop[kept])]
        if twins is not None:
            tips = np.union1d(tips, twins[tips])
        peelable = len(tips) > 0 and layers.max() < _EAR_LAYERS and len(kept) - len(tips) >= 4
        try:
            corners, moved = free_corners(
                faces,
                loop[kept],
                times[kept],
                corners,
                own_twins,
                reach=_CORNER_REACH if peelable else 1.0,
            )
            break
        except FlatSideError as flat:
            if not peelable:
                raise ParametrizationError(f"{name}: {flat}") from flat
            layers[layers > 0] += 1
            layers[tips] = 1
            faces = faces[~np.isin(faces, loop[tips]).any(axis=1)]
            kept = np.setdiff1d(kept, tips)
    notes = []
    if moved:
        moves = ", ".join(f"{loop[kept[a]]} to {loop[kept[b]]}" for a, b in moved)
        notes.append(
            f"Corners of the square were moved (from vertex {moves}), since a triangle would "
            "otherwise lie flat on one side."
        )
    if layers.any():
        notes.append(
            f"{int((layers > 0).sum())} boundary vertices hang on one triangle and would lie flat "
            "on a side of the square: they stick out, and the rest of the boundary lies on a "
            f"square smaller by {layers.max() * _EAR_DEPTH:.4f} on each side."
        )
    return layers, kept[corners], tuple(notes)


def _stick_out(uv: FloatArray, layers: IndexArray) -> FloatArray:
    """Shrink the square about its centre, then push every vertex out by its layer."""
    margin = layers.max() * _EAR_DEPTH
    outward = (uv == 1.0).astype(np.float64) - (uv == 0.0)
    return margin + (1.0 - 2.0 * margin) * uv + outward * (layers * _EAR_DEPTH)[:, None]


def _loop_mirror(loop: IndexArray, mirror: IndexArray | None) -> IndexArray | None:
    if mirror is None or not np.isin(mirror[loop], loop).all():
        return None
    return mirror


def _twin_places(loop: IndexArray, mirror: IndexArray) -> IndexArray:
    place = np.zeros(len(mirror), np.int64)
    place[loop] = np.arange(len(loop))
    return place[mirror[loop]]


def _from_bottom(
    template: Template, loop: IndexArray, mirror: IndexArray | None
) -> tuple[IndexArray, float]:
    """Turn the loop so that it starts at the bottom centre.

    Returns the loop and how far before its first vertex the bottom centre lies, in units of the
    last edge: 0, or 1/2 when the midline cuts that edge.
    """
    points = template.mesh.vertices[loop]
    places = np.arange(len(loop), dtype=np.float64)
    if mirror is not None:
        following = np.roll(loop, -1)
        on_midline = np.concatenate(
            [np.flatnonzero(mirror[loop] == loop), np.flatnonzero(mirror[loop] == following) + 0.5]
        )
        middles = 0.5 * (points + np.roll(points, -1, axis=0))
        whole = on_midline.astype(np.int64)
        points = np.where((on_midline == whole)[:, None], points[whole], middles[whole])
        places = on_midline
    chin = _chin(template)
    if chin is not None:
        best = np.argmin(np.linalg.norm(points - chin, axis=1))
    elif mirror is not None:
        best = np.argmin(points[:, 1])
    else:
        low = points[:, 1] <= points[:, 1].min() + 0.05 * np.ptp(points[:, 1])
        middle = 0.5 * (points[:, 0].min() + points[:, 0].max())
        best = np.argmin(np.where(low, np.abs(points[:, 0] - middle), np.inf))
    place = float(places[best])
    first = int(np.ceil(place))
    return np.roll(loop, -first), first - place


def _chin(template: Template) -> FloatArray | None:
    landmarks = template.landmarks
    if landmarks is None or landmarks.scheme != _SCHEME or len(landmarks) <= _CHIN_LANDMARK:
        return None
    return landmarks.positions(template.mesh.vertices)[_CHIN_LANDMARK]


def _spread(times: FloatArray, corners: IndexArray, start_is_vertex: bool) -> FloatArray:
    """Map arc-length times to the square, linearly between the corners."""
    # The bottom centre is kept at (1/2, 0), unless a corner was moved across it.
    ordered = bool((np.diff(corners) > 0).all())
    keep_start = start_is_vertex and ordered and corners[0] > 0
    knots, values = times[corners], CORNER_TIMES.copy()
    turns = np.concatenate([[False], np.diff(corners) < 0]).cumsum()
    knots = knots + turns
    if keep_start:
        knots, values = np.concatenate([[0.0], knots]), np.concatenate([[0.0], values])
    # One full turn on either side makes the piecewise linear map periodic.
    knots = np.concatenate([knots - 1.0, knots, knots + 1.0])
    values = np.concatenate([values - 1.0, values, values + 1.0])
    square = np.interp(times, knots, values) % 1.0
    # Corners exactly: interpolation may round.
    square[corners] = CORNER_TIMES
    u = np.interp(square, _SQUARE_TIMES, _SQUARE_U)
    v = np.interp(square, _SQUARE_TIMES, _SQUARE_V)
    return np.stack([u, v], axis=1)
