"""An assignment that follows a relation of texture and geometry that is not linear."""

import dataclasses
from collections.abc import Iterator

import numpy as np

from geomface.arrays import FloatArray, frozen
from geomface.errors import SettingsError
from geomface.statistics.assignment.held_out import Fold, choose_ridge, hold_out, row_squares
from geomface.statistics.assignment.kernel_ridge import (
    Kernel,
    KernelRidge,
    free_columns,
    kernel_matrix,
    kernel_scale,
    solve_once,
)
from geomface.statistics.assignment.linear import solve_ridge
from geomface.statistics.assignment.pairs import FacePairs

POWERS = (0.0, 0.5, 1.0)
JOINT_LENGTHS = (0.1, 0.3, 1.0, 3.0, 10.0, 30.0)
SEPARATE_LENGTHS = (0.5, 1.0, 2.0)
LEADING = 40
SURE = 2.0
NOISES = 10.0 ** np.arange(-9.0, 2.0)


@dataclasses.dataclass(frozen=True, eq=False)
class NonlinearAssignment:
    """A linear map of texture coefficients plus a smooth rest that vanishes far from the faces.

    alpha_g(x) = x W + sum_i k(x, x_i) a_i + constant, x the coefficients in standard deviations.

    Parameters
    ----------
    pairs : the training faces
    constant : (J,) float64
    linear : (K, J) float64, W
    kernel : the kernel k, None where the linear map alone did as well on faces left out
    noise : ratio of noise to smooth rest, as it was chosen; infinite without kernel
    ridge : of the linear map where it stands alone
    kernel_scale : (K,) float64, factor of each coefficient in the kernel
    kernel_coefficients : (N, J) float64, a
    linear_error, error : root mean square distance in the (40 leading) geometry coefficients of
        faces held out, of the best linear map and of this assignment
    """

    pairs: FacePairs
    constant: FloatArray
    linear: FloatArray
    kernel: Kernel | None
    noise: float
    ridge: float
    kernel_scale: FloatArray
    kernel_coefficients: FloatArray
    linear_error: float
    error: float

    def __post_init__(self) -> None:
        for name in ("constant", "linear", "kernel_scale", "kernel_coefficients"):
            object.__setattr__(self, name, frozen(getattr(self, name), np.float64))

    def predict(self, textures: np.ndarray) -> FloatArray:
        """Return geometries (n, *geometry) of textures (n, *texture)."""
        known = self.pairs.textures
        sigma = np.sqrt(known.variances)
        standard = known.project(textures) / sigma
        found = standard @ self.linear + self.constant
        if self.kernel is not None:
            training = known.coefficients / sigma
            likeness = kernel_matrix(self.kernel, standard, training, self.kernel_scale)
            found += likeness @ self.kernel_coefficients
        return self.pairs.geometries.reconstruct(found)


def _candidates() -> Iterator[Kernel]:
    for power in POWERS:
        for length in JOINT_LENGTHS:
            yield Kernel("joint", power, length)
        for length in SEPARATE_LENGTHS:
            yield Kernel("separate", power, length)


def _screen(standard: FloatArray, sigma: FloatArray, wanted: FloatArray) -> list[Kernel]:
    """Return the kernel of either kind with the least error on each face left out."""
    free = free_columns(standard)
    best: dict[str, tuple[float, Kernel]] = {}
    for kernel in _candidates():
        scale = kernel_scale(kernel, standard, sigma)
        ridge = KernelRidge(kernel_matrix(kernel, standard, standard, scale), free)
        error = ridge.leave_one_out(wanted, NOISES).sum(axis=1).min()
        if kernel.kind not in best or error < best[kernel.kind][0]:
            best[kernel.kind] = error, kernel
    return [kernel for _, kernel in best.values()]


def _held_out_errors(kernel: Kernel, folds: list[Fold]) -> FloatArray:
    """Return (M, n) squared errors of the held-out faces of all folds, one row a noise."""
    found = []
    for fold in folds:
        train, test = fold.known / fold.sigma, fold.test_known / fold.sigma
        scale = kernel_scale(kernel, train, fold.sigma)
        ridge = KernelRidge(kernel_matrix(kernel, train, train, scale), free_columns(train))
        likeness = kernel_matrix(kernel, test, train, scale)
        errors = []
        for noise in NOISES:
            rest, weights = ridge.solve(fold.wanted, float(noise))
            predicted = weights[0] + test @ weights[1:] + likeness @ rest
            errors.append(row_squares(predicted - fold.test_wanted))
        found.append(np.stack(errors))
    return np.concatenate(found, axis=1)


def fit_nonlinear(pairs: FacePairs, *, most_faces_to_choose: int = 400) -> NonlinearAssignment:
    """Return an assignment that follows a relation that is not linear, where there is one.

    min sum_i |y_i - w - x_i W - f(x_i)|^2 + noise |f|^2 in the space of a kernel, W free: least
    squares of Shamai et al. plus kernel ridge regression of what it leaves. The kernel and its
    length are those of least error on each face left out (closed form). The noise is that of least
    error on faces held out in five folds, and only when that beats the best linear map, ridge
    included, by more than twice the standard error of the difference is a kernel taken at all. So
    a linear relation gets a linear map.

    Parameters
    ----------
    pairs : the training faces, see `pair_faces`
    most_faces_to_choose : choose kernel and noise on at most so many faces (the time grows with
        their cube); all faces take part in the final fit

    Raises
    ------
    SettingsError : fewer than 10 faces to choose on.

    Notes
    -----
    With more than about three texture coefficients for four faces only a linear map is tried.
    The choice looks at the 40 leading geometry coefficients, so that its time is that of the faces.

    Source
    ------
    Kernel ridge regression with unpenalised columns: Wahba 1990, Spline Models for Observational
    Data, chapters 1 and 4; its error on faces left out: Rasmussen and Williams 2006, section 5.4.
    The candidates are our own.
    """
    if most_faces_to_choose < 10:
        raise SettingsError(
            f"most_faces_to_choose: expected at least 10, got {most_faces_to_choose}."
        )
    known, wanted = pairs.textures, pairs.geometries.coefficients
    sigma = np.sqrt(known.variances)
    standard = known.coefficients / sigma
    folds = hold_out(pairs, most_faces_to_choose, LEADING)
    faces = np.concatenate([folds[0].train, folds[0].test])
    ridge, linear_errors = choose_ridge(folds)
    kernel, noise, errors = None, np.inf, linear_errors
    if len(sigma) + 3 < len(folds[0].train):
        for candidate in _screen(standard[faces], sigma, wanted[faces, :LEADING]):
            found = _held_out_errors(candidate, folds)
            least = int(found.sum(axis=1).argmin())
            if found[least].sum() < errors.sum():
                kernel, noise, errors = candidate, float(NOISES[least]), found[least]
        gain = linear_errors - errors
        if gain.mean() <= SURE * gain.std(ddof=1) / np.sqrt(len(gain)):
            kernel, noise, errors = None, np.inf, linear_errors
    constant, scale = np.zeros(wanted.shape[1]), np.ones(len(sigma))
    if kernel is None:
        ridge *= len(folds[0].train) / len(pairs)
        linear = sigma[:, None] * solve_ridge(known.coefficients, wanted, ridge)
        rest = np.zeros((0, wanted.shape[1]))
    else:
        ridge = 0.0
        scale = kernel_scale(kernel, standard[faces], sigma)
        likeness = kernel_matrix(kernel, standard, standard, scale)
        rest, weights = solve_once(likeness, free_columns(standard), wanted, noise)
        constant, linear = weights[0], weights[1:]
    return NonlinearAssignment(
        pairs=pairs,
        constant=constant,
        linear=linear,
        kernel=kernel,
        noise=noise,
        ridge=ridge,
        kernel_scale=scale,
        kernel_coefficients=rest,
        linear_error=float(np.sqrt(linear_errors.mean())),
        error=float(np.sqrt(errors.mean())),
    )
