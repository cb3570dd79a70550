"""The multilinear model of people times expressions, by a singular value decomposition by modes."""

import dataclasses
from functools import cached_property

import numpy as np

from geomface.arrays import BoolArray, FloatArray, frozen, require_finite, require_shape
from geomface.errors import MeshError, SettingsError

_EMPTY = 1e-12


@dataclasses.dataclass(frozen=True, eq=False)
class MultilinearModel:
    """Faces that are linear in the person and linear in the expression.

    x = mean + sum_ij a_i b_j core_ij

    Parameters
    ----------
    mean : (V, 3) float64, mm
    core : (A, B, V, 3), mm
    people : (P, A) float64, coefficients a of the people that it was fitted to, of mean square 1
    expressions : (E, B) float64, coefficients b of the expressions, of mean square 1
    filled : share of the cells of people times expressions that no face was known of

    Raises
    ------
    MeshError : arrays that do not fit each other
    """

    mean: FloatArray
    core: np.ndarray
    people: FloatArray
    expressions: FloatArray
    filled: float = 0.0

    def __post_init__(self) -> None:
        mean = require_shape(self.mean, (None, 3), "multilinear model: mean")
        core = require_shape(self.core, (None, None, *mean.shape), "multilinear model: core")
        for name, axis in (("people", 0), ("expressions", 1)):
            rows = getattr(self, name)
            require_shape(rows, (None, core.shape[axis]), f"multilinear model: {name}")
            object.__setattr__(self, name, frozen(rows, np.float64))
        object.__setattr__(self, "mean", frozen(mean, np.float64))

    def reconstruct(self, people: FloatArray, expressions: FloatArray) -> FloatArray:
        """Return faces (N, V, 3) of coefficients (N, A) and (N, B)."""
        first, second, *_ = self.core.shape
        people = require_shape(people, (None, first), "people", SettingsError)
        wanted = (len(people), second)
        expressions = require_shape(expressions, wanted, "expressions", SettingsError)
        products = np.einsum("na,nb->nab", people, expressions).reshape(len(people), -1)
        flat = products.astype(self.core.dtype, copy=False) @ self._columns
        return self.mean + flat.reshape(-1, *self.mean.shape)

    def fit(
        self,
        vertices: FloatArray,
        *,
        visible: BoolArray | None = None,
        steps: int = 40,
        ridge: float = 1.0,
    ) -> FloatArray:
        """Return the faces (N, V, 3) of the model nearest to others.

        min over a, b of sum over visible v of |x_v(a, b) - t_v|^2 + ridge (|a - m|^2 + |b - k|^2),
        m and k the mean coefficients, by solving for a and for b in turn, from each known
        expression; the lowest is kept

        Parameters
        ----------
        vertices : (N, V, 3) mm
        visible : (V,) bool, those that count; default all
        steps : turns
        ridge : mm^2

        Raises
        ------
        MeshError : faces of another vertex count, NaN or infinity among what is visible
        """
        vertices = require_shape(vertices, (None, *self.mean.shape), "faces to fit")
        shown = np.ones(len(self.mean), bool) if visible is None else np.asarray(visible, bool)
        require_shape(shown, (len(self.mean),), "visible vertices")
        target = np.asarray(vertices[:, shown], np.float64) - self.mean[shown]
        require_finite(target, "faces to fit")
        first, second, *_ = self.core.shape
        columns = self._columns
        if not shown.all():
            columns = columns.reshape(first * second, *self.mean.shape)[:, shown]
            columns = columns.reshape(first * second, -1)
        columns = np.asarray(columns, np.float64)
        gram = (columns @ columns.T).reshape(first, second, first, second)
        towards = (target.reshape(len(target), -1) @ columns.T).reshape(-1, first, second)
        best = np.full(len(target), np.inf)
        found = np.zeros((len(target), first)), np.zeros((len(target), second))
        centre = self.people.mean(axis=0), self.expressions.mean(axis=0)
        for start in self.expressions:
            b = np.repeat(start[None], len(target), axis=0)
            for _ in range(steps):
                a = _solved(gram, towards, b, ridge, centre[0])
                b = _solved(gram.transpose(1, 0, 3, 2), towards.swapaxes(1, 2), a, ridge, centre[1])
            energy = _energy(gram, towards, a, b)
            energy += ridge * (np.square(a - centre[0]).sum(1) + np.square(b - centre[1]).sum(1))
            better = energy < best
            best = np.where(better, energy, best)
            for kept, new in zip(found, (a, b), strict=True):
                kept[better] = new[better]
        return self.reconstruct(*found)

    @cached_property
    def _columns(self) -> np.ndarray:
        """(A B, 3 V) the core, flat."""
        return self.core.reshape(self.core.shape[0] * self.core.shape[1], -1)


def _solved(
    gram: FloatArray, towards: FloatArray, other: FloatArray, ridge: float, centre: FloatArray
) -> FloatArray:
    """Return the best coefficients of one mode, those of the other given, (N, A)."""
    matrix = np.einsum("nj,ijkl,nl->nik", other, gram, other, optimize=True)
    right = np.einsum("nij,nj->ni", towards, other) + ridge * centre
    return np.linalg.solve(matrix + ridge * np.eye(len(centre)), right[..., None])[..., 0]


def _energy(gram: FloatArray, towards: FloatArray, a: FloatArray, b: FloatArray) -> FloatArray:
    """Return |x - t|^2 (N,) up to what does not depend on the coefficients."""
    products = np.einsum("na,nb->nab", a, b)
    flat = products.reshape(len(a), -1)
    square = gram.reshape(flat.shape[1], flat.shape[1])
    return np.einsum("np,pq,nq->n", flat, square, flat, optimize=True) - 2.0 * (
        products * towards
    ).sum(axis=(1, 2))


def fit_multilinear(
    cells: np.ndarray,
    known: BoolArray | None = None,
    *,
    people: int | None = None,
    expressions: int | None = None,
    steps: int = 20,
) -> MultilinearModel:
    """Fit the multilinear model to a table of faces: one of each person in each expression.

    T - mean = core x_1 U_1 x_2 U_2, with U_1 and U_2 the leading left singular vectors of T
    unfolded by people and by expressions, and core = (T - mean) x_1 U_1^T x_2 U_2^T

    Cells that are not known start at what `cells` holds there and take, `steps` times, what the
    model of the table as it stands says about them.

    Parameters
    ----------
    cells : (P, E, V, 3), mm
    known : (P, E) bool, which cells are faces; the others are guesses. Default all
    people, expressions : A and B, how many modes to keep; default all
    steps : of filling

    Raises
    ------
    MeshError : another shape, NaN or infinity, no known cell
    SettingsError : more modes than there are people or expressions, or fewer than one

    Source
    ------
    Vlasic et al. 2005, Face transfer with multilinear models; De Lathauwer et al. 2000. The mode of
    the vertices stays whole.
    """
    cells = require_shape(cells, (None, None, None, 3), "multilinear model: cells")
    count, labels = cells.shape[:2]
    known = np.ones((count, labels), bool) if known is None else np.asarray(known, bool)
    require_shape(known, (count, labels), "multilinear model: known cells")
    if not known.any():
        raise MeshError("multilinear model: expected a table with known cells, got none.")
    ranks = people or count, expressions or labels
    if not (1 <= ranks[0] <= count and 1 <= ranks[1] <= labels):
        raise SettingsError(
            f"multilinear model: expected 1 to {count} modes of people and 1 to {labels} of "
            f"expressions, got {people} and {expressions}."
        )
    flat = cells.reshape(count * labels, -1)
    require_finite(flat, "multilinear model: cells")
    mean = flat.mean(axis=0, dtype=np.float64)
    rows = flat - mean.astype(flat.dtype)
    values, vectors = np.linalg.eigh((rows @ rows.T).astype(np.float64))
    kept = values > _EMPTY * max(float(values[-1]), 1e-300)
    scale = np.sqrt(values[kept])
    table = (vectors[:, kept] * scale).reshape(count, labels, -1)  # in the span of the cells
    for _ in range(0 if known.all() else steps):
        modes = _leading(table, 0, ranks[0]), _leading(table, 1, ranks[1])
        made = np.einsum(
            "pa,qa,eb,fb,qfk->pek", modes[0], modes[0], modes[1], modes[1], table, optimize=True
        )
        table = np.where(known[..., None], table, made)
    modes = _leading(table, 0, ranks[0]), _leading(table, 1, ranks[1])
    core = np.einsum("pa,eb,pek->abk", *modes, table, optimize=True)
    core *= 1.0 / np.sqrt(count * labels)  # so that coefficients have the mean square 1
    directions = (vectors[:, kept] / scale).T.astype(rows.dtype) @ rows
    columns = core.reshape(-1, len(directions)).astype(rows.dtype) @ directions
    return MultilinearModel(
        mean.reshape(cells.shape[2:]),
        columns.reshape(*ranks, *cells.shape[2:]),
        modes[0] * np.sqrt(count),
        modes[1] * np.sqrt(labels),
        float(1.0 - known.mean()),
    )


def _leading(table: FloatArray, axis: int, rank: int) -> FloatArray:
    """Return the leading left singular vectors (n, rank) of a table unfolded along an axis."""
    unfolded = np.moveaxis(table, axis, 0).reshape(table.shape[axis], -1)
    _, vectors = np.linalg.eigh(unfolded @ unfolded.T)
    chosen = vectors[:, ::-1][:, :rank]
    largest = np.abs(chosen).argmax(axis=0)
    return chosen * np.sign(chosen[largest, np.arange(rank)])
