"""Canonical correlation: how much two descriptions of the same faces have in common."""

import dataclasses
from functools import cached_property

import numpy as np

from geomface.arrays import FloatArray, frozen
from geomface.errors import MeshError, SettingsError
from geomface.statistics.paired_rows import flat_rows, paired_rows
from geomface.statistics.significance import chance_correlation, wilks_p_values, without_chance
from geomface.statistics.whitening import Whitened, whiten_rows

CHANCE_TO_NOTE = 0.3


@dataclasses.dataclass(frozen=True, eq=False)
class CanonicalCorrelation:
    """Pairs of directions whose scores correlate most, and what of it chance explains.

    first_scores = (first - first_mean) first_directions, likewise the second; scores have mean 0,
    those of different pairs are uncorrelated and, without a ridge, have variance 1.

    Parameters
    ----------
    correlations : (r,) float64 in [0, 1], falling, the whole spectrum; a ridge shrinks it
    first_directions, second_directions : (P, k) and (Q, k) float64, k <= r
    first_scores, second_scores : (N, k) float64, the canonical variables u and v
    first_mean, second_mean : (P,) and (Q,) float64
    first_rank, second_rank : number of independent columns on each side
    ridge : as it was asked for
    shuffled : (B, r) float64, correlations of B shuffled pairings, None when none were asked for
    notes : a sentence for each thing that a reader of the numbers must know
    """

    correlations: FloatArray
    first_directions: FloatArray
    second_directions: FloatArray
    first_scores: FloatArray
    second_scores: FloatArray
    first_mean: FloatArray
    second_mean: FloatArray
    first_rank: int
    second_rank: int
    ridge: float = 0.0
    shuffled: FloatArray | None = None
    notes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for name, value in vars(self).items():
            if isinstance(value, np.ndarray):
                object.__setattr__(self, name, frozen(value, np.float64))

    def __len__(self) -> int:
        return self.first_directions.shape[1]

    @property
    def _size(self) -> tuple[int, int, int]:
        return len(self.first_scores), self.first_rank, self.second_rank

    @property
    def is_determined(self) -> bool:
        """True where the faces outnumber the columns, and no ridge biases the numbers."""
        return self.ridge == 0 and self.first_rank + self.second_rank < self._size[0] - 1

    @property
    def chance(self) -> float:
        """The largest correlation that unrelated data of this size show (without a ridge)."""
        return chance_correlation(*self._size)

    @cached_property
    def population(self) -> FloatArray | None:
        """(r,) correlations without what chance adds, 0 where they do not rise above it.

        None with a ridge, or with so few faces that any data correlate fully.
        """
        return without_chance(self.correlations, *self._size) if self.is_determined else None

    @cached_property
    def p_values(self) -> FloatArray | None:
        """(r,) probability that unrelated remainders, pair j and all after it, correlate so much.

        Rao's F. None where `population` is None: shuffle instead.
        """
        return wilks_p_values(self.correlations, *self._size) if self.is_determined else None

    @cached_property
    def shuffled_p_values(self) -> FloatArray | None:
        """(r,) share of pairings, the true one counted in, whose largest correlation reaches c_j.

        Valid for all pairs at once, whatever the distribution; None without shuffled pairings.
        """
        if self.shuffled is None:
            return None
        above = (self.shuffled[:, :1] >= self.correlations).sum(axis=0)
        return (1.0 + above) / (1.0 + len(self.shuffled))

    def project_first(self, values: np.ndarray) -> FloatArray:
        """Return canonical variables u (n, r) of other data (n, ...) of the first kind."""
        return _centred(values, "first", self.first_mean) @ self.first_directions

    def project_second(self, values: np.ndarray) -> FloatArray:
        """Return canonical variables v (n, r) of other data (n, ...) of the second kind."""
        return _centred(values, "second", self.second_mean) @ self.second_directions


def _centred(values: np.ndarray, name: str, mean: FloatArray) -> FloatArray:
    """Return (N, P) float64 rows of (N, ...) numbers, minus the mean of the fit."""
    rows = flat_rows(values, f"canonical correlation, {name}")
    if rows.shape[1] != len(mean):
        raise MeshError(
            f"canonical correlation, {name}: expected {len(mean)} numbers a face as in the fit, "
            f"got {rows.shape[1]}."
        )
    return rows - mean


def canonical_correlation(
    first: np.ndarray,
    second: np.ndarray,
    *,
    components: int | None = None,
    ridge: float = 0.0,
    permutations: int = 0,
    rng: np.random.Generator | None = None,
) -> CanonicalCorrelation:
    """Find the directions a, b in which two descriptions of the same faces correlate most.

    max corr(X a, Y b), each pair uncorrelated with those before it. With thin decompositions
    X = U_x S_x V_x^T, Y = U_y S_y V_y^T of the centred data, the correlations are the singular
    values of F_x U_x^T U_y F_y, where F = S / sqrt(S^2 + (N - 1) ridge) is 1 without a ridge.

    Parameters
    ----------
    first : (N, P) or (N, ...) numbers, one row a face, such as texture coefficients
    second : (N, Q) or (N, ...) numbers, the same faces, such as geometry coefficients
    components : keep directions and scores of at most so many pairs, default all
    ridge : added to the covariance of each side, in units of its mean variance a column
    permutations : number of shuffled pairings to compare with
    rng : generator of the shuffled pairings

    Returns
    -------
    CanonicalCorrelation : the largest entry of each first direction is positive

    Raises
    ------
    MeshError : different numbers of faces, fewer than 3, NaN or infinity, no column that varies.
    SettingsError : components below 1, a negative ridge, permutations without a generator.

    Notes
    -----
    Columns that are constant or depend on others are left out and counted in the notes. With
    P + Q near N every sample correlates: look at `chance` and `population`, use leading
    coefficients, or a ridge.

    Source
    ------
    Hotelling 1936; Bjoerck and Golub 1973 for the computation; ridge: Vinod 1976. Texture and
    geometry: Shamai et al. 2018, section 7.2.1 and figure 8.

    Example
    -------
    >>> import numpy as np
    >>> import geomface as gf
    >>> rng = np.random.default_rng(1)
    >>> first = rng.standard_normal((200, 3))
    >>> second = first[:, :1] + 0.1 * rng.standard_normal((200, 1))
    >>> np.round(gf.canonical_correlation(first, second).correlations, 1)
    array([1.])
    """
    # Column by column: the products of whole columns are what takes the time.
    rows = [
        side.astype(np.float64, order="F")
        for side in paired_rows(first, second, "canonical correlation")
    ]
    count = len(rows[0])
    if components is not None and components < 1:
        raise SettingsError(f"components: expected at least 1, got {components}.")
    if not (np.isfinite(ridge) and ridge >= 0):
        raise SettingsError(f"ridge: expected 0 or more, got {ridge}.")
    if permutations < 0:
        raise SettingsError(f"permutations: expected 0 or more, got {permutations}.")
    if permutations and rng is None:
        raise SettingsError("permutations: shuffling needs rng, a numpy.random.Generator.")
    one, two = (
        whiten_rows(rows[0], ridge, "canonical correlation, first"),
        whiten_rows(rows[1], ridge, "canonical correlation, second"),
    )
    cross = (one.left.T @ two.left) * np.multiply.outer(one.shrink, two.shrink)
    turn_one, correlations, turn_two = np.linalg.svd(cross, full_matrices=False)
    kept = min(len(correlations), components or len(correlations))
    turn_one, turn_two = turn_one[:, :kept], turn_two[:kept].T
    first_directions = one.back @ turn_one
    largest = np.abs(first_directions).argmax(axis=0)
    sign = np.sign(first_directions[largest, np.arange(kept)])
    length = sign * np.sqrt(count - 1)
    return CanonicalCorrelation(
        # Rounding may lift a perfect correlation above 1.
        correlations=np.minimum(correlations, 1.0),
        first_directions=first_directions * sign,
        second_directions=two.back @ turn_two * sign,
        first_scores=one.left @ (one.shrink[:, None] * turn_one * length),
        second_scores=two.left @ (two.shrink[:, None] * turn_two * length),
        first_mean=one.mean,
        second_mean=two.mean,
        first_rank=len(one.shrink),
        second_rank=len(two.shrink),
        ridge=float(ridge),
        shuffled=_shuffle(one, two, permutations, rng) if permutations and rng else None,
        notes=_notes(one, two, count, ridge),
    )


def _shuffle(one: Whitened, two: Whitened, times: int, rng: np.random.Generator) -> FloatArray:
    """Return (times, r) correlations of the first side with the second in random order."""
    left, right = (one.left * one.shrink).T, two.left * two.shrink
    found = np.empty((times, min(left.shape[0], right.shape[1])))
    for row in found:
        row[:] = np.linalg.svd(left @ right[rng.permutation(len(right))], compute_uv=False)
    return np.minimum(found, 1.0)


def _notes(one: Whitened, two: Whitened, count: int, ridge: float) -> tuple[str, ...]:
    """Return what a reader of the correlations must know."""
    notes = []
    for name, side in (("first", one), ("second", two)):
        if side.constant:
            notes.append(f"{name}: {side.constant} constant columns were left out.")
        if side.dependent:
            notes.append(
                f"{name}: {side.dependent} of the other columns depend on the rest; its rank is "
                f"{len(side.shrink)}."
            )
    numbers = len(one.shrink) + len(two.shrink)
    if numbers >= count - 1 and ridge == 0:
        notes.append(
            f"{numbers} independent columns for {count} faces: some correlations are 1 for any "
            "data. Keep fewer coefficients, add faces, or give a ridge."
        )
    elif numbers >= count - 1:
        notes.append(
            f"{numbers} independent columns for {count} faces: compare with shuffled pairings "
            "before believing a correlation."
        )
    elif (chance := chance_correlation(count, len(one.shrink), len(two.shrink))) > CHANCE_TO_NOTE:
        notes.append(
            f"{numbers} independent columns for {count} faces: unrelated data would show "
            f"correlations up to {chance:.2f} (without a ridge). Keep fewer coefficients, add "
            "faces, or give a ridge."
        )
    return tuple(notes)
