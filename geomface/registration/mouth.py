"""The mouth: do the lips of a scan meet, and which vertices of the template meet then."""

import dataclasses

import numpy as np
from scipy import sparse
from scipy.sparse import csgraph

from geomface.arrays import BoolArray, FloatArray, IndexArray
from geomface.mesh import LandmarkEmbedding, Landmarks
from geomface.mesh.multi_pie import SCHEME
from geomface.mesh.robust import geman_mcclure_weights, robust_scale
from geomface.mesh.topology import unique_edges
from geomface.registration.hidden import Barrier
from geomface.registration.prior import MeasuredPoints
from geomface.registration.scan_target import ScanTarget

# Landmarks of multi-pie-68: inner lips from the right corner to the left one, and the outer lips.
_UPPER, _LOWER = (60, 61, 62, 63, 64), (60, 67, 66, 65, 64)
_ABOVE, _BELOW = (50, 51, 52), (58, 57, 56)
_OPPOSITE = ((61, 67), (62, 66), (63, 65))
# How far behind the inner lips their inner side is looked for.
_DEPTH_MM = 15.0
# The scan between the lips is looked at along so many columns, in steps, and so far beyond.
_COLUMNS = 15
_BETWEEN = (0.15, 0.85)
_STEP_MM = 0.25
_BEYOND_MM = 4.0
# A step whose depth changes by more is an edge: one lip ends before what lies behind it.
_EDGE_MM = 1.5
_LOOK_FROM_MM = 30.0
# Shares of the width of the mouth. Lips closer than this are closed; with landmarks that much
# apart, lips closer than that; and how far landmarks of lips that meet may lie side by side.
_CLOSED = 0.025
_MEASURED, _APART = (0.02, 0.065), (0.03, 0.02)
_ASIDE = 0.06
# Closed lips lie this far from the seam between them, each on its side.
_HAIR_MM = 0.05
_SEAM_WEIGHT = 200.0
# The line between the lips is known to a millimetre.
_LINE_WEIGHT = 1.0
# Opposite vertices of closed lips are this share of the width of the mouth apart, or less.
_TOUCHING = 0.007
_DEGREE = 4


@dataclasses.dataclass(frozen=True, eq=False)
class Lips:
    """The inner lips of a template.

    Parameters
    ----------
    upper, lower : (n,) int64, opposite vertices, from the right corner of the mouth to the left
    corners : (2,) int64, right and left
    above, below : (3,) int64, on the outer lips: they say which way is up
    side : (V,) int64, 1 for the inside of the upper lip, -1 for that of the lower, 0 elsewhere
    """

    upper: IndexArray
    lower: IndexArray
    corners: IndexArray
    above: IndexArray
    below: IndexArray
    side: IndexArray

    def axes(self, vertices: FloatArray) -> FloatArray:
        """Return the rows across (to the left), up and forward, (3, 3), of the current shape."""
        across = _unit(vertices[self.corners[1]] - vertices[self.corners[0]])
        up = vertices[self.above].mean(axis=0) - vertices[self.below].mean(axis=0)
        up = _unit(up - across * (up @ across))
        return np.stack([across, up, np.cross(across, up)])


def _unit(vector: FloatArray) -> FloatArray:
    return vector / max(float(np.linalg.norm(vector)), 1e-12)


def find_lips(
    vertices: FloatArray, faces: IndexArray, landmarks: LandmarkEmbedding | None
) -> Lips | None:
    """Find the inner lips of a template by its landmarks; None without those of multi-pie-68.

    The lips run along the shortest paths over edges from landmark to landmark; opposite vertices
    have the same share of the length from corner to corner.
    """
    if landmarks is None or landmarks.scheme != SCHEME or len(landmarks) != 68:
        return None
    marks = landmarks.matrix(len(vertices)).toarray().argmax(axis=1)
    graph = _edge_graph(vertices, faces)
    paths = [_path(graph, marks[list(way)]) for way in (_UPPER, _LOWER)]
    if any(len(set(path.tolist())) < len(path) or len(path) < 5 for path in paths):
        return None
    shares = [_shares(vertices[path]) for path in paths]
    # Every vertex of either lip meets the other one, so that none is left hanging.
    partners = np.abs(shares[0][:, None] - shares[1])
    upper = np.concatenate([paths[0], paths[0][partners.argmin(axis=0)]])
    lower = np.concatenate([paths[1][partners.argmin(axis=1)], paths[1]])
    pairs = np.unique(np.stack([upper, lower], axis=1), axis=0)
    pairs = pairs[~np.isin(pairs, marks[[60, 64]]).any(axis=1)]
    order = np.argsort(_along(vertices, marks[[60, 64]], pairs), kind="stable")
    reach = [
        csgraph.dijkstra(graph, indices=path[1:-1], limit=_DEPTH_MM, min_only=True)
        for path in paths
    ]
    # The lips part the surface: what hangs together with the outer lips is outside.
    ring = np.zeros(len(vertices), bool)
    ring[np.concatenate(paths)] = True
    apart = sparse.diags_array((~ring).astype(np.float64))
    part = csgraph.connected_components(apart @ graph @ apart, directed=False)[1]
    inside = ~ring & (part != part[marks[_ABOVE[1]]]) & np.isfinite(np.minimum(*reach))
    side = np.where(reach[0] < reach[1], 1, -1) * inside
    return Lips(
        pairs[order, 0],
        pairs[order, 1],
        marks[[60, 64]],
        marks[list(_ABOVE)],
        marks[list(_BELOW)],
        side,
    )


def _edge_graph(vertices: FloatArray, faces: IndexArray) -> sparse.csr_array:
    i, j = unique_edges(faces).T
    lengths = np.maximum(np.linalg.norm(vertices[i] - vertices[j], axis=1), 1e-9)
    graph = sparse.coo_array((lengths, (i, j)), shape=(len(vertices), len(vertices)))
    return (graph + graph.T).tocsr()


def _path(graph: sparse.csr_array, stops: IndexArray) -> IndexArray:
    """Return the vertices of the shortest way through all stops, empty if there is none."""
    way = [int(stops[-1])]
    for start, end in zip(stops[-2::-1].tolist(), stops[:0:-1].tolist(), strict=True):
        _, before = csgraph.dijkstra(graph, indices=start, return_predecessors=True)
        vertex = end
        while vertex != start:
            vertex = int(before[vertex])
            if vertex < 0:
                return np.zeros(0, np.int64)
            way.append(vertex)
    return np.array(way[::-1], np.int64)


def _shares(points: FloatArray) -> FloatArray:
    lengths = np.linalg.norm(np.diff(points, axis=0), axis=1)
    return np.concatenate([[0.0], np.cumsum(lengths)]) / lengths.sum()


def _along(vertices: FloatArray, corners: IndexArray, pairs: IndexArray) -> FloatArray:
    return vertices[pairs].mean(axis=1) @ (vertices[corners[1]] - vertices[corners[0]])


@dataclasses.dataclass(frozen=True, eq=False)
class LipLine:
    """Where the lips of a scan meet, or would.

    Parameters
    ----------
    apart : median distance between the lips over the columns, mm
    across, up, forward : (n,) places of the line from column to column along `Lips.axes`
    """

    apart: float
    across: FloatArray
    up: FloatArray
    forward: FloatArray


def lip_line(lips: Lips, vertices: FloatArray, target: ScanTarget) -> LipLine:
    """Look from the front, in columns of the mouth, where the lips of the scan end.

    Where the lips meet, the depth of the scan runs on from one lip to the other through a groove;
    where they do not, it breaks off at the edge of one lip and comes back at that of the other.

    Parameters
    ----------
    vertices : (V, 3) the template, its lips near those of the scan
    """
    axes = lips.axes(vertices)
    upper, lower = vertices[lips.upper] @ axes.T, vertices[lips.lower] @ axes.T
    middle = 0.5 * (upper + lower)
    ends = vertices[lips.corners] @ axes[0]
    across = ends[0] + (ends[1] - ends[0]) * np.linspace(*_BETWEEN, _COLUMNS)
    half = _BEYOND_MM + 0.5 * float(np.median(np.abs(upper - lower)[:, 1]))
    heights = np.arange(half, -half, -_STEP_MM)
    start = np.stack([np.interp(across, middle[:, 0], middle[:, k]) for k in range(3)], axis=1)
    grid = np.repeat(start[:, None, :], len(heights), axis=1)
    grid[:, :, 1] += heights
    grid[:, :, 2] += _LOOK_FROM_MM
    rays = np.tile(-axes[2], (grid.shape[0] * grid.shape[1], 1))
    hits, along = target.surface.first_hit((grid @ axes).reshape(-1, 3), rays)
    seen = (hits >= 0) & (along < _LOOK_FROM_MM + _DEPTH_MM)
    depth = np.where(seen, along, np.nan).reshape(grid.shape[:2])
    found = np.array([_column(column) for column in depth])
    place = _smooth(np.linspace(-1.0, 1.0, _COLUMNS), found[:, 1:])
    return LipLine(
        float(np.median(found[:, 0])),
        across,
        start[:, 1] + half - _STEP_MM * place[:, 0],
        start[:, 2] + _LOOK_FROM_MM - place[:, 1],
    )


def _column(depth: FloatArray) -> tuple[float, float, float]:
    """Return how far the lips are apart in a column, mm; the step where they meet; its depth."""
    seen = np.flatnonzero(np.isfinite(depth))
    if len(seen) < 3:
        return len(depth) * _STEP_MM, np.nan, np.nan
    breaks = (np.diff(seen) > 1) | (np.abs(np.diff(depth[seen])) > _EDGE_MM)
    before, after = seen[:-1][breaks], seen[1:][breaks]
    if len(before):
        edges = before[0], after[-1]
        return (
            (edges[1] - edges[0] - 1) * _STEP_MM,
            0.5 * sum(edges),
            float(max(depth[list(edges)])),
        )
    chord = np.interp(seen, seen[[0, -1]], depth[seen[[0, -1]]])
    deepest = int(np.argmax(depth[seen] - chord))
    return 0.0, float(seen[deepest]), float(depth[seen[deepest]])


def _smooth(at: FloatArray, values: FloatArray) -> FloatArray:
    """Return values (n, 2) of a robust polynomial through the columns that have some."""
    present = np.isfinite(values).all(axis=1)
    if present.sum() < 2 * _DEGREE:
        return np.full(values.shape, np.nan)
    basis = np.vander(at, _DEGREE + 1)
    weights = np.ones(int(present.sum()))
    for _ in range(10):
        rows = weights[:, None] * basis[present]
        fit = basis @ np.linalg.lstsq(rows, weights[:, None] * values[present], rcond=None)[0]
        miss = np.abs(fit - values)[present] @ [_STEP_MM, 1.0]
        weights = np.sqrt(geman_mcclure_weights(miss, 2.5 * robust_scale(miss, _STEP_MM)))
    return fit


def lips_meet(lips: Lips, vertices: FloatArray, line: LipLine, landmarks: Landmarks | None) -> bool:
    """Say whether the mouth of the scan is closed.

    The surface decides: the lips are apart by less than a fortieth of the width of the mouth; more
    where the landmarks of the inner lips lie together, less where they do not. Lips that meet
    while the landmarks lie side by side, or one behind the other, are left as they are.
    """
    width = float(np.linalg.norm(np.diff(vertices[lips.corners], axis=0)))
    if not np.isfinite(line.up).all():
        return False
    gaps = np.full(3, np.nan) if landmarks is None else measured_gap(landmarks, lips, vertices)
    if not np.isfinite(gaps).all():
        return line.apart < _CLOSED * width
    # A jaw that stands aside or in front: other parts of the lips meet than those of the template.
    if max(abs(gaps[0]), abs(gaps[2])) > _ASIDE * width:
        return False
    return line.apart < width * float(np.interp(gaps[1] / width, _MEASURED, _APART))


def wider_open(lips: Lips, vertices: FloatArray, line: LipLine) -> bool:
    """Say whether the lips of the template are wider open than those of the scan.

    Lips that the surface has closed already are left to it: they lie over each other as on the
    scan, where opposite vertices need not meet.
    """
    gaps = (vertices[lips.upper] - vertices[lips.lower]) @ lips.axes(vertices)[1]
    return float(np.median(gaps)) > line.apart


def closing(
    lips: Lips,
    vertices: FloatArray,
    rest: FloatArray,
    target: ScanTarget,
    landmarks: Landmarks | None,
    *,
    held: bool,
) -> MeasuredPoints | None:
    """Return what holds the lips together, None where the scan's are apart or nothing needs it.

    Parameters
    ----------
    vertices, rest : (V, 3) the template now and at rest, in the scan's frame
    held : the lips are held together already
    """
    line = lip_line(lips, vertices, target)
    if not lips_meet(lips, vertices, line, landmarks):
        return None
    return seam(lips, vertices, rest, line) if held or wider_open(lips, vertices, line) else None


def seam_rows(lips: Lips, count: int) -> tuple[sparse.csr_array, sparse.csr_array]:
    """Return what takes `count` vertices to the differences of opposite ones, and their means."""
    number, ones = np.arange(len(lips.upper)), np.ones(len(lips.upper))
    upper, lower = (
        sparse.csr_array((ones, (number, side)), shape=(len(number), count))
        for side in (lips.upper, lips.lower)
    )
    return upper - lower, 0.5 * (upper + lower)


def seam(lips: Lips, vertices: FloatArray, rest: FloatArray, line: LipLine) -> MeasuredPoints:
    """Return the inner lips as measurements: a hair apart, on the line where the scan's meet."""
    axes = lips.axes(vertices)
    apart, middle = seam_rows(lips, len(rest))
    place = (middle @ vertices) @ axes.T
    inside = (place[:, 0] >= line.across[0]) & (place[:, 0] <= line.across[-1])
    place[:, 1] = np.interp(place[:, 0], line.across, line.up)
    place[:, 2] = np.interp(place[:, 0], line.across, line.forward)
    rows = sparse.csr_array(sparse.vstack([apart, middle[inside]]))
    # Opposite vertices need not be the very points that meet: near each other is enough.
    gaps = (apart @ vertices) @ axes.T
    touching = _TOUCHING * float(np.linalg.norm(np.diff(vertices[lips.corners], axis=0)))
    gaps *= touching / np.maximum(np.linalg.norm(gaps, axis=1, keepdims=True), touching)
    gaps[:, 1] = np.maximum(gaps[:, 1], 2.0 * _HAIR_MM)
    goals = np.vstack([gaps @ axes, place[inside] @ axes])
    weights = np.repeat([_SEAM_WEIGHT, _LINE_WEIGHT], [len(place), int(inside.sum())])
    return MeasuredPoints(rows, goals - rows @ rest, weights)


def keep_apart(lips: Lips, vertices: FloatArray) -> Barrier:
    """Return the barrier between closed lips: the sheet that runs inwards from their seam.

    The inside of the upper lip stays above it, that of the lower lip below.
    """
    axes = lips.axes(vertices)
    local = 0.5 * (vertices[lips.upper] + vertices[lips.lower]) @ axes.T
    ends = vertices[lips.corners] @ axes.T
    across, up, forward = np.vstack([ends[:1], local, ends[1:]]).T
    order = np.argsort(across, kind="stable")

    def barrier(places: FloatArray) -> tuple[BoolArray, FloatArray]:
        here = places @ axes.T
        height = here[:, 1] - np.interp(here[:, 0], across[order], up[order])
        behind = here[:, 2] <= np.interp(here[:, 0], across[order], forward[order])
        lift = _HAIR_MM * lips.side - height
        beyond = (lips.side != 0) & behind & (lips.side * height < _HAIR_MM)
        return beyond, places + np.where(beyond, lift, 0.0)[:, None] * axes[1]

    return barrier


def measured_gap(landmarks: Landmarks, lips: Lips, vertices: FloatArray) -> FloatArray:
    """Return the mean of upper less lower inner-lip landmarks along `Lips.axes`, (3,) mm.

    NaN where no opposite landmarks are both measured.
    """
    first, second = np.array(_OPPOSITE).T
    gaps = landmarks.points[first] - landmarks.points[second]
    gaps = gaps[np.isfinite(gaps).all(axis=1)]
    if len(gaps) == 0:
        return np.full(3, np.nan)
    return gaps.mean(axis=0) @ lips.axes(vertices).T
