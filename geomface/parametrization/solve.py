"""Convex combination maps: one sparse solve puts every inner vertex among its neighbours."""

import numpy as np
from scipy import sparse
from scipy.sparse.linalg import splu

from geomface.arrays import FloatArray, IndexArray
from geomface.errors import ParametrizationError


class TutteSolver:
    """Embed a graph in the plane with a fixed boundary, for any edge weights.

    sum_j w_ij (u_i - u_j) = 0 for every free vertex i, u_i given for every fixed one. With
    positive weights on a 3-connected planar graph and a convex boundary no face folds over.

    Parameters
    ----------
    edges : (E, 2) int64 undirected edges, each once
    vertex_count : V
    fixed : (B,) int64 vertices with a given place
    fixed_uv : (B, 2) float64 their places

    Source
    ------
    Tutte 1963; Floater 1997, equations 2 to 4, for weights that differ in the two directions.

    Notes
    -----
    The pattern and the elimination order are found once. The order is minimum degree on A + A^T,
    and the supernodes are not relaxed: twice as fast here as SuperLU's defaults.
    """

    def __init__(
        self, edges: IndexArray, vertex_count: int, fixed: IndexArray, fixed_uv: FloatArray
    ) -> None:
        self.edges = edges
        self.vertex_count = vertex_count
        self.fixed = fixed
        self.fixed_uv = np.asarray(fixed_uv, np.float64)
        self.solves = 0
        free = np.ones(vertex_count, bool)
        free[fixed] = False
        self.free = np.flatnonzero(free)
        # Both directions of every edge: row vertex i, column vertex j.
        self._rows = edges.T.ravel()
        self._columns = edges[:, ::-1].T.ravel()
        inner_row = free[self._rows]
        self._inner = np.flatnonzero(inner_row & free[self._columns])
        self._to_fixed = np.flatnonzero(inner_row & ~free[self._columns])
        self._order: IndexArray | None = None
        self._set_pattern(np.arange(len(self.free)))
        self._fixed_position = np.zeros((vertex_count, 2))
        self._fixed_position[fixed] = self.fixed_uv

    def _set_pattern(self, order: IndexArray) -> None:
        """Lay out the matrix so that unknown k is free vertex order[k]."""
        size = len(self.free)
        place = np.zeros(self.vertex_count, np.int64)
        place[self.free[order]] = np.arange(size)
        rows = np.concatenate([place[self._rows[self._inner]], np.arange(size)])
        columns = np.concatenate([place[self._columns[self._inner]], np.arange(size)])
        self._sources = np.argsort(columns * size + rows)
        self._row_indices = rows[self._sources].astype(np.int32)
        counts = np.bincount(columns, minlength=size)
        self._column_starts = np.concatenate([[0], np.cumsum(counts)]).astype(np.int32)
        self._unknowns = self.free[order]
        self._place = place

    def solve(self, weights: FloatArray) -> FloatArray:
        """Return the (V, 2) positions.

        Parameters
        ----------
        weights : (E,) float64 positive, or (E, 2) when the two directions differ: column 0 is the
            weight of `edges[:, 1]` in the row of `edges[:, 0]`, column 1 the other way round

        Raises
        ------
        ParametrizationError : the system is singular, for instance since part of the graph is not
            connected to the boundary.
        """
        if weights.ndim == 1:
            weights = np.stack([weights, weights], axis=1)
        directed = weights.T.ravel()
        size = len(self.free)
        sums = np.bincount(self._rows, directed, minlength=self.vertex_count)
        entries = np.concatenate([-directed[self._inner], sums[self._unknowns]])
        matrix = sparse.csc_array(
            (entries[self._sources], self._row_indices, self._column_starts), shape=(size, size)
        )
        pull = (
            directed[self._to_fixed][:, None] * self._fixed_position[self._columns[self._to_fixed]]
        )
        targets = self._place[self._rows[self._to_fixed]]
        right = np.stack(
            [np.bincount(targets, pull[:, axis], minlength=size) for axis in range(2)], axis=1
        )
        factors = self._factor(matrix)
        result = self._fixed_position.copy()
        result[self._unknowns] = factors.solve(right)
        self.solves += 1
        if not np.isfinite(result).all():
            raise ParametrizationError(_SINGULAR)
        if self._order is None:
            self._order = np.argsort(factors.perm_c)
            self._set_pattern(self._order)
        return result

    def _factor(self, matrix: sparse.csc_array):
        try:
            return splu(
                matrix,
                permc_spec="MMD_AT_PLUS_A" if self._order is None else "NATURAL",
                diag_pivot_thresh=0.0,
                relax=1,
                panel_size=1,
                options={"SymmetricMode": True},
            )
        except RuntimeError as error:
            raise ParametrizationError(_SINGULAR) from error

    def residual(self, weights: FloatArray, uv: FloatArray) -> float:
        """Return the largest |u_i - sum_j lambda_ij u_j| over the free vertices."""
        if weights.ndim == 1:
            weights = np.stack([weights, weights], axis=1)
        directed = weights.T.ravel()
        sums = np.bincount(self._rows, directed, minlength=self.vertex_count)
        worst = 0.0
        for axis in range(2):
            mean = np.bincount(self._rows, directed * uv[self._columns, axis], self.vertex_count)
            gap = np.abs(uv[self.free, axis] - (mean / sums)[self.free])
            worst = max(worst, float(gap.max(initial=0.0)))
        return worst


_SINGULAR = (
    "the equations of the map have no unique solution; expected every vertex to be connected to "
    "the outer boundary by edges of positive weight. Check the template for loose parts."
)
