"""What a scan cannot show follows what it shows, and keeps its shape."""

from collections.abc import Callable

import numpy as np
from scipy import sparse
from scipy.sparse import csgraph
from scipy.sparse.linalg import splu
from scipy.spatial import KDTree

from geomface.arrays import BoolArray, FloatArray, IndexArray
from geomface.mesh import fit_similarity
from geomface.mesh.topology import vertex_adjacency

Barrier = Callable[[FloatArray], tuple[BoolArray, FloatArray]]
"""Says which vertices lie where they must not, (V,), and where they are put, (V, 3)."""

_ROUNDS = 8
# A hidden part is torn when more than this share of its edges doubled or halved. Faces change by
# less: in large expressions a twentieth of the edges of a mouth by half.
_STRAIN, _SHARE = float(np.log(2.0)), 0.05
# The stiffness of an obstacle, in that of an edge.
_HOLD = 100.0
# A part of the template of which less is matched goes with its surroundings.
_LEAST_MATCHED = 0.2
_NEIGHBOURS = 60


class HiddenParts:
    """The hidden parts of one template, as rigid as possible.

    min_x sum_ij |(x_i - x_j) - R_i (r_i - r_j)|^2 + |(x_i - x_j) - R_j (r_i - r_j)|^2

    over the edges of hidden vertices, with the visible ones held: r the rest shape, R_i the
    rotation nearest to what happened to the edges around vertex i.

    Parameters
    ----------
    rest : (V, 3) float64, mm
    faces : (F, 3) int64

    Source
    ------
    Sorkine and Alexa 2007, with equal weights: hidden parts are often badly triangulated.
    """

    def __init__(self, rest: FloatArray, faces: IndexArray) -> None:
        self.rest = rest
        self.adjacency = vertex_adjacency(faces, len(rest))
        self.part = csgraph.connected_components(self.adjacency, directed=False)[1]

    def settle(
        self, vertices: FloatArray, hidden: BoolArray, barrier: Barrier | None = None
    ) -> FloatArray:
        """Return vertices (V, 3) in which the hidden ones (V,) follow the others.

        Hidden parts that kept their shape stay as they are, and so do those whose most strained
        edge would be strained more.

        Parameters
        ----------
        barrier : keeps vertices out of what is on the other side
        """
        free, part, must_move = self._torn(vertices, hidden, barrier)
        if len(free) == 0:
            return vertices
        before, vertices, outside = vertices, vertices.copy(), np.ones(len(vertices), bool)
        outside[free] = False
        edges = self.adjacency[free].tocoo()
        tails, heads = free[edges.coords[0]], edges.coords[1].astype(np.int64)
        # Each edge counts with the rotations of both its ends.
        ends = np.unique(np.concatenate([free, heads]))
        around = self.adjacency[ends].tocoo()
        origin, other = around.coords[0], around.coords[1]
        bones = self.rest[ends[origin]] - self.rest[other]
        place = np.searchsorted(ends, np.stack([tails, heads]))
        rest_edges = self.rest[tails] - self.rest[heads]
        laplacian = sparse.diags_array(self.adjacency.sum(axis=1)) - self.adjacency
        rows = laplacian.tocsr()[free]
        inner, outer = rows[:, free].tocsc(), rows[:, outside]
        fixed = outer @ vertices[outside]
        held, goal = np.zeros(len(free), bool), np.zeros((len(free), 3))
        factor = splu(inner)
        for _ in range(_ROUNDS):
            rotations = _rotations(vertices, ends, origin, other, bones)
            both = 0.5 * (rotations[place[0]] + rotations[place[1]])
            turned = np.einsum("eij,ej->ei", both, rest_edges)
            right = -fixed
            for axis in range(3):
                right[:, axis] += np.bincount(edges.coords[0], turned[:, axis], minlength=len(free))
            if held.any():
                right[held] += _HOLD * goal[held]
            vertices[free] = factor.solve(right)
            if barrier is not None:
                beyond, put = barrier(vertices)
                beyond = beyond[free]
                goal[beyond] = put[free[beyond]]
                if (beyond & ~held).any():
                    held |= beyond
                    factor = splu((inner + _HOLD * sparse.diags_array(held * 1.0)).tocsc())
        if barrier is not None:
            beyond, put = barrier(vertices)
            vertices[free] = np.where(beyond[free, None], put[free], vertices[free])
        most = np.zeros((2, len(must_move)))
        for row, places in zip(most, (before, vertices), strict=True):
            np.maximum.at(row, part[edges.coords[0]], self._strain(places, tails, heads))
        worse = (most[1] > most[0]) & ~must_move
        vertices[free[worse[part]]] = before[free[worse[part]]]
        return vertices

    def _strain(self, vertices: FloatArray, i: IndexArray, j: IndexArray) -> FloatArray:
        """Return |log| of the length of edges in that at rest, (E,)."""
        now, rest = (
            np.maximum(np.linalg.norm(at[i] - at[j], axis=1), 1e-9) for at in (vertices, self.rest)
        )
        return np.abs(np.log(now / rest))

    def _torn(
        self, vertices: FloatArray, hidden: BoolArray, barrier: Barrier | None
    ) -> tuple[IndexArray, IndexArray, BoolArray]:
        """Find the connected parts that are strained or reach beyond the barrier.

        Returns
        -------
        (n,) int64 their vertices; (n,) int64 the part of each; (parts,) bool, those beyond
        """
        bad = np.zeros(len(vertices), bool)
        if barrier is not None:
            bad = barrier(vertices)[0]
        loose = np.flatnonzero(hidden | bad)
        inner = self.adjacency[loose][:, loose].tocoo()
        count, part = csgraph.connected_components(inner, directed=False)
        i, j = loose[inner.coords[0]], loose[inner.coords[1]]
        owner = part[inner.coords[0]]
        edges = np.bincount(owner, minlength=count)
        strained = np.bincount(owner, self._strain(vertices, i, j) > _STRAIN, minlength=count)
        beyond = np.bincount(part, bad[loose], minlength=count) > 0
        torn = ((strained > _SHARE * edges) | beyond)[part]
        return loose[torn], part[torn], beyond

    def carry(self, vertices: FloatArray, accepted: BoolArray) -> tuple[FloatArray, BoolArray]:
        """Return vertices with the parts that hardly matched moved by what surrounds them.

        A part is moved rigidly, as the matched vertices nearest to it at rest were. Eyeballs go
        with the lids, teeth with the lips. Also returns the (V,) mask of what was carried.
        """
        count = int(self.part.max()) + 1
        total = np.bincount(self.part, minlength=count)
        share = np.bincount(self.part, accepted, minlength=count) / total
        share[np.argmax(np.bincount(self.part, accepted, minlength=count))] = 1.0
        loose = share < _LEAST_MATCHED
        carried = loose[self.part]
        guides = np.flatnonzero(accepted & ~carried)
        if not carried.any() or len(guides) < 4:
            return vertices, np.zeros(len(vertices), bool)
        vertices, tree = vertices.copy(), KDTree(self.rest[guides])
        for part in np.flatnonzero(loose):
            inside = np.flatnonzero(self.part == part)
            gaps, nearest = tree.query(self.rest[inside])
            order = np.argsort(gaps, kind="stable")[:_NEIGHBOURS]
            chosen = np.unique(np.asarray(nearest)[order])
            if len(chosen) < 4:
                centre = self.rest[inside].mean(axis=0)
                chosen = np.asarray(tree.query(centre, k=min(_NEIGHBOURS, len(guides)))[1])
            near = guides[chosen]
            motion = fit_similarity(self.rest[near], vertices[near], scale=False)
            vertices[inside] = motion.apply(self.rest[inside])
        return vertices, carried


def _rotations(
    vertices: FloatArray, ends: IndexArray, origin: IndexArray, other: IndexArray, bones: FloatArray
) -> FloatArray:
    """Return (n, 3, 3) the rotation that best takes the rest edges around each vertex to these."""
    now = vertices[ends[origin]] - vertices[other]
    spread = (now[:, :, None] * bones[:, None, :]).reshape(-1, 9)
    sums = [np.bincount(origin, spread[:, k], minlength=len(ends)) for k in range(9)]
    left, _, right = np.linalg.svd(np.stack(sums, axis=1).reshape(-1, 3, 3))
    turn = np.linalg.det(left @ right)
    left[:, :, 2] *= turn[:, None]
    return left @ right
