"""The neutral mean face: control cage, lids and lips, fairing."""

import numpy as np
from scipy.interpolate import CubicSpline, PchipInterpolator

from builtin_face import cage
from builtin_face.fairing import (
    Targets,
    difference_operator,
    fair,
    mirrored,
    polish,
    relax,
    through,
)
from builtin_face.layout import (
    EYE_RINGS,
    EYE_SEGMENTS,
    MOUTH_SEGMENTS,
    OUTER_RINGS,
    OUTER_SEGMENTS,
    Layout,
)
from builtin_face.strokes import strokes
from geomface.arrays import FloatArray

SOFT = 0.02
DETAIL = 0.3
FIRM = 30.0
LID_MARGIN = 10
LID_THICKNESS = 1.8
INNER_CORNER = 46
OUTER_CORNER = 20
UPPER_LID_SEGMENTS = [*range(INNER_CORNER + 1, EYE_SEGMENTS), *range(OUTER_CORNER)]
MOUTH_CORNER = MOUTH_SEGMENTS // 2


def neutral_face(layout: Layout) -> FloatArray:
    """Return the (V, 3) neutral mean face, millimetres, symmetric to the bit."""
    targets = Targets()
    for row, points in cage.GRID.items():
        for column, place in row_curve(points):
            vertex = layout.grid[column, row]
            if vertex >= 0:
                fine = column <= 13 and 28 <= row <= 41
                targets.add(vertex, place, DETAIL if fine else SOFT)
    for ring, points in cage.EYE.items():
        for segment, *place in points:
            targets.add(layout.eye[ring, int(segment)], place, SOFT)
    for ring, curve in lid_curves().items():
        for segment, place in enumerate(curve):
            upper = segment in UPPER_LID_SEGMENTS
            if ring == 5 and not upper:
                continue
            loose = ring == 5 or (ring < 8 and not upper)
            targets.add(layout.eye[ring, segment], place, SOFT if loose else FIRM)
    for ring, points in cage.MOUTH.items():
        for segment, *place in points:
            targets.add(layout.mouth[ring, int(segment)], place, SOFT)
    for ring, curve in lip_curves().items():
        for segment, place in enumerate(curve):
            targets.add(layout.mouth[ring, segment], place, FIRM)
    for ring, points in cage.OUTER.items():
        if ring < OUTER_RINGS:
            for segment, *place in points:
                targets.add(layout.outer[ring, int(segment)], place, SOFT)
            continue
        curve = through(points, OUTER_SEGMENTS + 1, midline=True)
        for segment, place in enumerate(curve):
            targets.add(layout.outer[ring, segment], place, FIRM)
    length = smoothing_lengths(layout)
    vertices = polish(layout, fair(layout, targets), length)
    share = np.zeros(layout.vertex_count)
    share[layout.eye[:8]] = 0.5
    share[layout.grid[14:, 8:40]] = 0.3
    share = np.where(length > 0, np.maximum(share, share[layout.mirror]), 0.0)
    vertices = polish(layout, relax(layout, vertices, share), 0.5 * length)
    return mirrored(vertices + strokes(vertices), layout)


def smoothing_lengths(layout: Layout) -> FloatArray:
    """Return (V,) the shortest waves left in by the polish: none for lids, lips and the rim."""
    length = np.full(layout.vertex_count, 5.0)
    length[layout.grid[:14, 14:44]] = 1.5
    kept = np.zeros(layout.vertex_count, bool)
    kept[layout.eye[8:]] = True
    kept[layout.eye[6:8][:, UPPER_LID_SEGMENTS]] = True
    kept[layout.mouth[6:]] = True
    kept[layout.outer[-1]] = True
    kept |= kept[layout.mirror]
    length = np.minimum(length, length[layout.mirror])
    # The length itself may not jump, or the polish would leave steps.
    operator = difference_operator(layout)
    for _ in range(12):
        length[kept] = 0.0
        length = length - operator @ length
    return np.where(kept, 0.0, length)


def row_curve(points: list[cage.Point]) -> list[tuple[int, FloatArray]]:
    """Return (column, place) for every column of one row of the cage."""
    rows = np.array(points)
    columns = np.arange(int(rows[0, 0]), int(rows[-1, 0]) + 1)
    if rows[0, 0] == 0:
        # On the midline x starts with a slope, y and z without one.
        flipped = rows[:0:-1] * [-1.0, -1.0, 1.0, 1.0]
        rows = np.vstack([flipped, rows])
    places = PchipInterpolator(rows[:, 0], rows[:, 1:])(columns)
    smooth = CubicSpline(rows[:, 0], rows[:, 1:])(columns)
    return list(zip(columns.tolist(), 0.5 * (places + smooth), strict=True))


def lid_curves() -> dict[int, FloatArray]:
    """Return the rings of the lids: {ring: (EYE_SEGMENTS, 3)}, from the margin out and in."""
    margin = _lid_margin()
    center = np.array(cage.EYE_CENTER)
    # The margin opens like a fan about a short axis between the corners.
    start, end = margin[INNER_CORNER], margin[OUTER_CORNER]
    share = np.clip(((margin - start) @ (end - start)) / ((end - start) @ (end - start)), 0.3, 0.75)
    outward = margin - (start + share[:, None] * (end - start))
    outward[:, 2] = 0.0
    outward /= np.linalg.norm(outward, axis=1, keepdims=True)
    curves = {LID_MARGIN: margin}
    for ring, rows in cage.LID_SHEETS.items():
        table = np.array(sorted(rows))
        closed = np.vstack([table, table[:1] + [EYE_SEGMENTS, 0.0, 0.0]])
        spline = CubicSpline(closed[:, 0], closed[:, 1:], bc_type="periodic")
        reach, depth = spline(np.arange(EYE_SEGMENTS)).T
        curves[ring] = margin + outward * reach[:, None]
        curves[ring][:, 2] += depth
    distance = np.linalg.norm(margin - center, axis=1, keepdims=True)
    inner = np.maximum(cage.EYE_RADIUS + 0.2, distance - LID_THICKNESS)
    depth_rings = EYE_RINGS - LID_MARGIN
    for ring in range(LID_MARGIN + 1, EYE_RINGS + 1):
        share = (ring - LID_MARGIN) / depth_rings
        curves[ring] = center + (margin - center) * (1 + share * (inner / distance - 1))
        curves[ring] += caruncle(ring)
    return curves


def caruncle(ring: int) -> FloatArray:
    """Return (EYE_SEGMENTS, 3): how far the caruncle fills the inner corner inside the margin."""
    away = (np.arange(EYE_SEGMENTS) - INNER_CORNER + EYE_SEGMENTS // 2) % EYE_SEGMENTS
    near = np.exp(-0.5 * ((away - EYE_SEGMENTS // 2) / 1.2) ** 2)
    return near[:, None] * np.array([0.5, 0.0, 0.1]) * (ring - LID_MARGIN)


def _lid_margin() -> FloatArray:
    upper_count = (OUTER_CORNER - INNER_CORNER) % EYE_SEGMENTS
    margin = np.zeros((EYE_SEGMENTS, 3))
    for points, count, step in (
        (cage.UPPER_LID, upper_count, 1),
        (cage.LOWER_LID, EYE_SEGMENTS - upper_count, -1),
    ):
        addressed = [(0.0, *points[0]), (float(count), *points[-1])]
        inner = [(np.nan, *point) for point in points[1:-1]]
        curve = through([addressed[0], *inner, addressed[1]], count + 1)
        margin[(INNER_CORNER + step * np.arange(count + 1)) % EYE_SEGMENTS] = curve
    return margin


def lip_curves() -> dict[int, FloatArray]:
    """Return the rings of the lips: {ring: (MOUTH_SEGMENTS + 1, 3)}."""
    t = np.arange(MOUTH_CORNER + 1) / MOUTH_CORNER
    spread = 1.3 * t - 0.3 * t**2
    curves = {}
    for ring, upper in cage.UPPER_LIP.items():
        halves = []
        for points in (upper, cage.LOWER_LIP[ring]):
            rows = np.array(points)
            ends = ((1, np.zeros(2)), (2, np.zeros(2)))
            spline = CubicSpline(rows[:, 0], rows[:, 1:], bc_type=ends)  # type: ignore[arg-type]
            x = rows[-1, 0] * spread
            halves.append(np.column_stack([x, spline(x)]))
        curves[ring] = np.vstack([halves[0], halves[1][-2::-1]])
    return curves
