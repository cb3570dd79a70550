"""The Gaussian linear model that shapes, colours and expressions share."""

import dataclasses
import math
from collections.abc import Sequence
from functools import cached_property
from typing import Any, Self

import numpy as np

from geomface.arrays import FloatArray, IndexArray, frozen, require_finite, require_indices
from geomface.errors import MeshError, SettingsError

_EMPTY = 1e-12


def flat_columns(basis: np.ndarray) -> np.ndarray:
    """Return a basis (..., K) as a matrix (D, K), without a copy."""
    return basis.reshape(math.prod(basis.shape[:-1]), basis.shape[-1])


def gram_matrix(columns: np.ndarray) -> FloatArray:
    """Return B^T B (K, K) in float64 of contiguous columns B (D, K), half of it computed."""
    from scipy.linalg import get_blas_funcs

    if columns.size == 0:
        return np.zeros((columns.shape[1], columns.shape[1]))
    product: Any = get_blas_funcs("syrk", (columns,))
    upper = np.asarray(product(1.0, columns.T), np.float64)
    return np.triu(upper) + np.triu(upper, 1).T


def without_empty(
    basis: np.ndarray, names: Sequence[str] = ()
) -> tuple[np.ndarray, tuple[str, ...], str]:
    """Return a basis without the columns that are zero everywhere, its names, and a note."""
    size = np.abs(basis).max(axis=tuple(range(basis.ndim - 1)), initial=0.0)
    full = size > _EMPTY * max(float(size.max(initial=0.0)), 1e-300)
    if full.all():
        return basis, tuple(names), ""
    kept = tuple(name for name, keep in zip(names, full, strict=True) if keep) if names else ()
    gone = [name for name, keep in zip(names, full, strict=True) if not keep] if names else []
    note = f"{np.count_nonzero(~full)} modes that are zero everywhere"
    return basis[..., full], kept, note + (f" ({', '.join(gone)})" if gone else "")


def _frozen_basis(basis: np.ndarray) -> np.ndarray:
    """Return a read-only basis, each mode in one piece where it came so: few are summed fast."""
    dtype = np.float32 if basis.dtype == np.float32 else np.float64
    modes = np.moveaxis(basis, -1, 0)
    if modes.flags.c_contiguous and not basis.flags.c_contiguous:
        return np.moveaxis(frozen(modes, dtype), 0, -1)
    return frozen(basis, dtype)


@dataclasses.dataclass(frozen=True, eq=False)
class LinearModel:
    """A Gaussian of an array x: x = mean + basis z + e, z ~ N(0, I), e ~ N(0, noise_sigma^2 I).

    A value: every operation returns a new model, and z keeps its meaning through `truncate`
    and `marginal`.

    Parameters
    ----------
    mean : (...) float64: (V, 3) of a shape in mm or of colours in [0, 1], (H, W, 3) of an image
    basis : (..., K) float64 or float32; column k is one standard deviation of mode k
    noise_sigma : standard deviation of what the modes leave out, per coordinate (PPCA)
    sample_count : number of examples that the model was fitted to, 0 when unknown
    total_variance : trace of the covariance of all modes, kept or not; 0 when unknown
    names : K names of the modes, or empty when they have none (a PCA)

    Raises
    ------
    MeshError : arrays that do not fit each other, NaN or infinity, a mode of no variance.
    SettingsError : a negative noise, a count of names that differs from the count of modes.

    Convention
    ----------
    Coefficients z are in standard deviations. The columns of a PCA are orthogonal; those of a
    marginal or of a foreign model need not be, and nothing here asks for it (`canonical` makes
    them so). A basis whose modes each lie in one piece of memory keeps that order.

    Source
    ------
    Blanz and Vetter 1999; probabilistic PCA: Tipping and Bishop 1999. The model as a value with
    an algebra: scalismo.
    """

    mean: FloatArray
    basis: np.ndarray
    noise_sigma: float = 0.0
    sample_count: int = 0
    total_variance: float = 0.0
    names: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        mean = frozen(self.mean, np.float64)
        basis = np.asarray(self.basis)
        if basis.ndim != mean.ndim + 1 or basis.shape[:-1] != mean.shape:
            wanted = "(" + ", ".join(map(str, mean.shape)) + ", K)"
            raise MeshError(
                f"model basis: expected an array of shape {wanted} for this mean, got "
                f"{basis.shape}. Modes come last."
            )
        basis = _frozen_basis(basis)
        require_finite(np.atleast_1d(mean), "model mean")
        if basis.size:
            require_finite(basis, "model basis")
        for name in ("noise_sigma", "total_variance"):
            if not 0 <= getattr(self, name) < math.inf:
                raise SettingsError(f"{name}: expected 0 or more, got {getattr(self, name)}.")
        object.__setattr__(self, "mean", mean)
        object.__setattr__(self, "basis", basis)
        object.__setattr__(self, "names", tuple(map(str, self.names)))
        if self.names and len(self.names) != len(self):
            raise SettingsError(
                f"names: expected {len(self)} names, one a mode, got {len(self.names)}."
            )
        if basis.size and (self.variances <= 0).any():
            raise MeshError("model basis: a mode is zero everywhere. Drop the empty modes.")

    def __len__(self) -> int:
        return self.basis.shape[-1]

    @property
    def modes(self) -> np.ndarray:
        """(K, ...) view of the basis, modes first."""
        return np.moveaxis(self.basis, -1, 0)

    @cached_property
    def variances(self) -> FloatArray:
        """(K,) squared lengths of the columns: the variance that each mode adds up to."""
        columns = flat_columns(self.basis)
        return np.einsum("dk,dk->k", columns, columns, dtype=np.float64)

    @property
    def explained(self) -> FloatArray:
        """(K,) share of the total variance held by the first 1 .. K modes."""
        total = max(self.total_variance, float(self.variances.sum()))
        return np.cumsum(self.variances) / total if len(self) else np.zeros(0)

    @cached_property
    def gram(self) -> FloatArray:
        """(K, K) products of the columns, diagonal for a PCA."""
        return gram_matrix(flat_columns(self.basis))

    @cached_property
    def _gram_factor(self) -> tuple[tuple[np.ndarray, bool], FloatArray]:
        from scipy.linalg import cho_factor

        # Columns of unit length, so that weak modes are not drowned by the little that is added
        # for columns that depend on each other.
        lengths = np.sqrt(np.diag(self.gram))
        unit = self.gram / np.outer(lengths, lengths)
        return cho_factor(unit + 1e-13 * np.eye(len(self)), lower=True), lengths

    def _rows(self, values: np.ndarray, kind: str) -> np.ndarray:
        """Return (..., D) differences to the mean, after a check of the shape."""
        values = np.asarray(values)
        dimensions = self.mean.ndim
        if values.ndim < dimensions or values.shape[values.ndim - dimensions :] != self.mean.shape:
            wanted = "(..., " + ", ".join(map(str, self.mean.shape)) + ")"
            raise MeshError(
                f"{kind}: expected {wanted} as in the model, got {values.shape}. Register the "
                "mesh to the model's template first."
            )
        if not np.isfinite(values).all():
            raise MeshError(f"{kind}: expected numbers, got NaN or infinity.")
        return (values - self.mean).reshape(*values.shape[: values.ndim - dimensions], -1)

    def coefficients(self, values: np.ndarray) -> FloatArray:
        """Return z (..., K) of arrays (..., *mean): min |mean + basis z - x|^2.

        Raises
        ------
        MeshError : arrays of another shape than the model's.
        """
        rows = self._rows(values, "vertices")
        if not len(self):
            return np.zeros((*rows.shape[:-1], 0))
        from scipy.linalg import cho_solve

        factor, lengths = self._gram_factor
        products = (rows @ flat_columns(self.basis)).astype(np.float64).reshape(-1, len(self))
        found = cho_solve(factor, products.T / lengths[:, None]).T / lengths
        return found.reshape(*rows.shape[:-1], len(self))

    def require_coefficients(self, coefficients: np.ndarray) -> FloatArray:
        """Return coefficients (..., k), k <= K, as float64, or raise SettingsError."""
        coefficients = np.asarray(coefficients, dtype=np.float64)
        count = coefficients.shape[-1] if coefficients.ndim else -1
        if not 0 <= count <= len(self):
            raise SettingsError(
                f"coefficients: expected at most {len(self)} a face, "
                f"got shape {coefficients.shape}."
            )
        if not np.isfinite(coefficients).all():
            raise SettingsError("coefficients: expected numbers, got NaN or infinity.")
        return coefficients

    def reconstruct(self, coefficients: np.ndarray) -> np.ndarray:
        """Return mean + basis z, (..., *mean), of z (..., k), k <= K; the missing ones are 0."""
        coefficients = self.require_coefficients(coefficients)
        count = coefficients.shape[-1]
        columns = flat_columns(self.basis)[:, :count]
        flat = coefficients.astype(self.basis.dtype, copy=False) @ columns.T
        return self.mean + flat.reshape(*coefficients.shape[:-1], *self.mean.shape)

    def project(self, values: np.ndarray) -> np.ndarray:
        """Return the nearest array that the model can make, of arrays (..., *mean)."""
        return self.reconstruct(self.coefficients(values))

    def sample(self, rng: np.random.Generator, *, sigma: float = 1.0) -> np.ndarray:
        """Draw a new array: z ~ N(0, sigma^2), so that sigma < 1 stays near the mean."""
        return self.reconstruct(sigma * rng.standard_normal(len(self)))

    def truncate(self, components: int) -> Self:
        """Return the model with its first `components` modes; the rest becomes no noise."""
        if not 0 <= components <= len(self):
            raise SettingsError(f"components: expected 0 .. {len(self)}, got {components}.")
        total = max(self.total_variance, float(self.variances.sum()))
        return dataclasses.replace(
            self,
            basis=self.basis[..., :components],
            total_variance=total,
            names=self.names[:components],
        )

    def marginal(self, rows: IndexArray) -> Self:
        """Return the model of some entries of the first axis (vertices); z keeps its meaning."""
        rows = np.asarray(rows)
        if rows.ndim != 1 or rows.dtype.kind not in "iu" or not len(rows):
            raise MeshError(
                f"marginal: expected a row of vertex indices, got {rows.dtype} of shape "
                f"{rows.shape}."
            )
        require_indices(rows, len(self.mean), "marginal: vertices")
        basis = self.basis[rows]
        share = float((basis.astype(np.float64) ** 2).sum() / max(self.variances.sum(), 1e-300))
        total = share * max(self.total_variance, float(self.variances.sum()))
        return dataclasses.replace(self, mean=self.mean[rows], basis=basis, total_variance=total)

    def linear_map(self, matrix: np.ndarray) -> Self:
        """Return the model of `matrix` (W, V) times the first axis: a change of reference.

        The rows of the matrix say where the new vertices lie on the old mesh (barycentric weights,
        dense or scipy.sparse).
        """
        if matrix.shape[1] != len(self.mean):
            raise MeshError(
                f"change of reference: expected a matrix with {len(self.mean)} columns, one a "
                f"vertex, got {matrix.shape}."
            )
        flat = matrix @ self.basis.reshape(len(self.mean), -1)
        basis = np.asarray(flat).reshape(-1, *self.basis.shape[1:])
        mean = np.asarray(matrix @ self.mean.reshape(len(self.mean), -1))
        return dataclasses.replace(
            self, mean=mean.reshape(-1, *self.mean.shape[1:]), basis=basis, total_variance=0.0
        )

    def canonical(self) -> Self:
        """Return the same Gaussian with orthogonal columns of falling length (PCA form)."""
        if not len(self):
            return self
        values, vectors = np.linalg.eigh(self.gram)
        order = np.argsort(values)[::-1]
        keep = order[values[order] > 1e-12 * values[order[0]]]
        vectors = vectors[:, keep]
        columns = flat_columns(self.basis) @ vectors.astype(self.basis.dtype)
        largest = np.abs(columns).argmax(axis=0)
        columns = columns * np.sign(columns[largest, np.arange(len(keep))])
        basis = columns.reshape(*self.mean.shape, len(keep))
        return dataclasses.replace(self, basis=basis, names=())

    def stack(self, *others: "LinearModel") -> "LinearModel":
        """Return the model of a sum of independent parts: means and variances add up."""
        parts = (self, *others)
        for part in others:
            if part.mean.shape != self.mean.shape:
                raise MeshError(
                    f"stack: expected models of shape {self.mean.shape}, got {part.mean.shape}."
                )
        return LinearModel(
            mean=np.sum([part.mean for part in parts], axis=0),
            # Fits gather rows of the sum, whatever the order of its parts in memory.
            basis=np.ascontiguousarray(np.concatenate([part.basis for part in parts], axis=-1)),
            noise_sigma=float(np.sqrt(sum(part.noise_sigma**2 for part in parts))),
        )
