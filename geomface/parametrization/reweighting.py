"""Re-weighting by stretch towards a target density, and prescribed shares.

Both keep every weight positive, so the embedding stays valid whatever they do.
"""

import dataclasses

import numpy as np

from geomface.arrays import FloatArray
from geomface.errors import ParametrizationError
from geomface.parametrization.area import HOLE_DENSITY, AreaTarget, extended, log_odds
from geomface.parametrization.checks import FoldedMapError, require_embedding, signed_areas
from geomface.parametrization.graph import EmbeddingGraph
from geomface.parametrization.settings import UnwrapSettings
from geomface.parametrization.solve import TutteSolver
from geomface.parametrization.weights import symmetrised

# Exponent of a stretch step; one step of 1.5 does what two of 1 do (face templates).
_STRETCH_EXPONENT = 1.5
# Share control, measured on the face templates. Shares further off than _NEAR (in log odds) are
# approached by re-weighting, closer ones by one softening factor a region.
_NEAR = 0.3
_GAIN = 0.3
_PROGRESS = 0.8
_RESPONSE = 0.65
_LARGEST_FACTOR = 1.5
_ACCEPTED = 0.01


@dataclasses.dataclass(frozen=True, eq=False)
class ShapedMap:
    """One map: uv (W, 2), its weights (E,) or (E, 2), shares (R,) and stretch to the target."""

    uv: FloatArray
    weights: FloatArray
    shares: FloatArray
    target_stretch: float


def shape_map(
    solver: TutteSolver,
    graph: EmbeddingGraph,
    weights: FloatArray,
    target: AreaTarget,
    settings: UnwrapSettings,
    extra: FloatArray,
) -> ShapedMap:
    """Solve, and re-weight until area goes where the target wants it.

    A stretch step divides w_ij by the mean of sigma_i and sigma_j, the L2 stretch at the vertices
    in the metric scaled by the target density. Regions with a share first pull the target along
    (extra log density x_r += gain * missing log odds) and are then closed in on with one factor
    exp(-y_r) on their weights, by Broyden's method on the log odds.

    Parameters
    ----------
    weights : (E,) or (E, 2) positive start
    extra : (R,) float64, log density of the regions that the start already has

    Returns
    -------
    The best map: least stretched in the target metric, or nearest to the shares.

    Raises
    ------
    ParametrizationError : the shares were not met within 0.01 in `max_solves` solves.

    Source
    ------
    Yoshizawa, Belyaev and Seidel 2004, equation 8, for the re-weighting, made symmetric and with
    a density; Broyden 1965.
    """
    measure = _StretchMeasure(graph, target)
    goal = log_odds(target.shares)
    wanted = len(target.names) > 0
    response = np.eye(len(goal)) * _RESPONSE
    fields = _edge_fields(graph, target)
    best: ShapedMap | None = None
    step, before = np.zeros(0), np.zeros(0)
    reweighted, pulls, last_distance = 0, True, np.inf
    while True:
        weights = symmetrised(weights / weights.mean(), graph)
        uv = solver.solve(weights)
        try:
            require_embedding(uv, graph.faces)
        except FoldedMapError:
            if best is None:
                raise
            # Only rounding can fold a later map; what was found before stands.
            break
        energy, shares = measure.energy(uv), measure.shares(uv)
        found = ShapedMap(uv, weights, shares, measure.total(energy, extra))
        if best is None or _better(found, best, target):
            best = found
        off = np.abs(shares - target.shares).max(initial=0.0)
        settled = reweighted >= settings.steps and off <= settings.share_tolerance
        if settled or solver.solves >= settings.max_solves:
            break
        missing = goal - log_odds(shares)
        distance = float(np.abs(missing).max(initial=0.0))
        pulls = pulls and distance > _NEAR and distance < _PROGRESS * last_distance
        if reweighted < settings.steps or pulls:
            extra = extra + _GAIN * missing
            exponent = _STRETCH_EXPONENT if reweighted < settings.steps else 1.0
            weights = _scaled(weights, measure.at_edges(energy, extra) ** -exponent)
            reweighted += 1
            last_distance = distance
        else:
            if len(step):
                surprise = log_odds(shares) - before - response @ step
                response = response + np.outer(surprise, step) / (step @ step)
            before = log_odds(shares)
            # Least squares: regions that overlap fully leave no unique step.
            step = np.linalg.lstsq(response, missing, rcond=None)[0].clip(
                -_LARGEST_FACTOR, _LARGEST_FACTOR
            )
            weights = _scaled(weights, np.exp(-step @ fields))
    if wanted:
        _require_shares(best, target, solver.solves)
    return best


def _better(found: ShapedMap, best: ShapedMap, target: AreaTarget) -> bool:
    if not target.names:
        return found.target_stretch < best.target_stretch
    gaps = [np.abs(item.shares - target.shares).max() for item in (found, best)]
    return bool(gaps[0] < gaps[1])


def _require_shares(best: ShapedMap, target: AreaTarget, solves: int) -> None:
    if np.abs(best.shares - target.shares).max() > _ACCEPTED:
        reached = ", ".join(
            f"{name} {share:.3f} (asked for {goal:.3f})"
            for name, share, goal in zip(target.names, best.shares, target.shares, strict=True)
        )
        raise ParametrizationError(
            f"shares: not within {_ACCEPTED} after {solves} solves: {reached}. Ask for less, let "
            "regions that overlap share one number (a+b), or raise max_solves."
        )


class _StretchMeasure:
    """L2 stretch of a map in the metric scaled by the target density."""

    def __init__(self, graph: EmbeddingGraph, target: AreaTarget) -> None:
        self.graph, self.target = graph, target
        self.area = graph.areas
        corners = graph.vertices[graph.triangles]
        sides = np.roll(corners, -1, axis=1) - np.roll(corners, -2, axis=1)
        # Squared length of the side opposite to each corner.
        self.squares = np.einsum("ijk,ijk->ij", sides, sides)
        vertex_area = self._gather(self.area)
        self.vertex_area = np.maximum(vertex_area, 1e-12 * vertex_area.max())

    def _gather(self, values: FloatArray) -> FloatArray:
        corners = self.graph.triangles.ravel()
        sums = np.bincount(corners, np.repeat(values, 3), minlength=len(self.graph.vertices))
        return sums.astype(np.float64, copy=False)

    def energy(self, uv: FloatArray) -> FloatArray:
        """Return (T,) surface area times (sigma1^2 + sigma2^2) / 2 of the map to the surface."""
        flat = uv[self.graph.triangles]
        forth = np.roll(flat, -1, axis=1) - flat
        back = np.roll(flat, -2, axis=1) - flat
        # sigma1^2 + sigma2^2 = sum over the corners of cot(uv angle) * opposite side^2 / (2 A).
        dots = np.einsum("ijk,ijk->ij", forth, back)
        double = forth[:, 0, 0] * back[:, 0, 1] - forth[:, 0, 1] * back[:, 0, 0]
        stretch = (dots * self.squares).sum(axis=1)
        return 0.5 * self.area * stretch / np.maximum(double, 1e-150) ** 2

    def density(self, extra: FloatArray) -> FloatArray:
        """Return the (T,) target density, with surface average 1."""
        at_vertices = extended(
            self.graph, self.target.log_density + extra @ self.target.fields, HOLE_DENSITY
        )
        log_density = at_vertices[self.graph.triangles].mean(axis=1)
        fans = self.graph.triangles[self.graph.face_count :]
        log_density[self.graph.face_count :] = at_vertices[fans[:, 0]]
        density = np.exp(log_density)
        return density / (self.area @ density / self.area.sum())

    def total(self, energy: FloatArray, extra: FloatArray) -> float:
        """Return the L2 stretch of the template's triangles, up to a constant factor."""
        count = self.graph.face_count
        return float(np.sqrt(energy[:count] @ self.density(extra)[:count]))

    def at_edges(self, energy: FloatArray, extra: FloatArray) -> FloatArray:
        """Return the (E,) stretch, the mean of the L2 stretch at the two ends."""
        at_vertices = np.sqrt(self._gather(energy * self.density(extra)) / self.vertex_area)
        # A vertex with degenerate triangles only has no stretch to go by.
        at_vertices = np.maximum(at_vertices, 1e-3 * np.median(at_vertices))
        return at_vertices[self.graph.edges].mean(axis=1)

    def shares(self, uv: FloatArray) -> FloatArray:
        """Return (R,) the part of the square that each region covers."""
        return self.target.faces @ signed_areas(uv, self.graph.faces)


def _edge_fields(graph: EmbeddingGraph, target: AreaTarget) -> FloatArray:
    """Return (R, E) the mean of each region's field over the ends of each edge."""
    fields = [extended(graph, field)[graph.edges].mean(axis=1) for field in target.fields]
    return np.array(fields).reshape(len(fields), len(graph.edges))


def _scaled(weights: FloatArray, factor: FloatArray) -> FloatArray:
    return weights * (factor if weights.ndim == 1 else factor[:, None])
