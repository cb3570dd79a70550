"""Settings of least error on faces held out, with the texture's PCA computed without them too."""

import dataclasses

import numpy as np

from geomface.arrays import FloatArray, IndexArray
from geomface.statistics.assignment.pairs import FacePairs, centred_gram

FOLDS = 5
RIDGES = np.concatenate([[0.0], 10.0 ** np.arange(-8.0, 3.0, 0.5)])


@dataclasses.dataclass(frozen=True, eq=False)
class Fold:
    """Faces to learn from and faces held out, in texture coefficients that only the first made.

    The coefficients of a face in a PCA that it took part in are larger than those of a new face: a
    setting chosen on them would be wrong, the more so the fewer the faces.

    Parameters
    ----------
    train, test : (n,) and (m,) int64, faces
    known, test_known : (n, K) and (m, K) float64, texture coefficients
    wanted, test_wanted : (n, J) and (m, J) float64, geometry coefficients
    """

    train: IndexArray
    test: IndexArray
    known: FloatArray
    test_known: FloatArray
    wanted: FloatArray
    test_wanted: FloatArray

    @property
    def sigma(self) -> FloatArray:
        """(K,) standard deviations of the texture coefficients."""
        return np.sqrt(np.einsum("nk,nk->k", self.known, self.known) / (len(self.known) - 1))


def hold_out(pairs: FacePairs, most_faces: int, leading: int | None = None) -> list[Fold]:
    """Return the folds of at most so many of the training faces, the same at every call.

    Only the `leading` geometry coefficients are wanted, default all.

    With G the products of centred rows, those of a PCA without the faces of a fold follow from
    it: G_train = U S^2 U^T centred anew, coefficients U S, those of the others
    (G_test,train centred likewise) U / S.
    """
    # A fixed shuffle: faces often come sorted, by subject or by day.
    chosen = np.random.default_rng(0).permutation(len(pairs))[:most_faces]
    gram = centred_gram(pairs.textures, chosen)
    wanted = pairs.geometries.coefficients[chosen, :leading]
    components = len(pairs.textures.variances)
    folds = []
    for start in range(min(FOLDS, len(chosen))):
        test = np.arange(start, len(chosen), min(FOLDS, len(chosen)))
        train = np.setdiff1d(np.arange(len(chosen)), test)
        means = gram[train][:, train].mean(axis=0)
        inner = gram[train][:, train] - means - means[:, None] + means.mean()
        outer = gram[test][:, train] - means
        outer -= outer.mean(axis=1, keepdims=True)
        values, vectors = np.linalg.eigh(inner)
        values, vectors = values[::-1][:components], vectors[:, ::-1][:, :components]
        keep = values > 1e-12 * max(values[0], 1e-300)
        length = np.sqrt(values[keep])
        folds.append(
            Fold(
                train=chosen[train],
                test=chosen[test],
                known=vectors[:, keep] * length,
                test_known=outer @ vectors[:, keep] / length,
                wanted=wanted[train],
                test_wanted=wanted[test],
            )
        )
    return folds


def row_squares(rows: FloatArray) -> FloatArray:
    """Return (n,) squared lengths of rows."""
    return np.einsum("nj,nj->n", rows, rows)


def choose_ridge(folds: list[Fold]) -> tuple[float, FloatArray]:
    """Return the ridge of least squares with the least error, and that of each held-out face.

    The ridge is for as many faces as a fold learns from; the penalty that the noise asks for does
    not grow with their number, so that of N faces is smaller by n / N.
    """
    errors = np.empty((len(RIDGES), sum(len(fold.test) for fold in folds)))
    start = 0
    for fold in folds:
        part = slice(start, start + len(fold.test))
        start = part.stop
        square = np.einsum("nk,nk->k", fold.known, fold.known)
        mean = fold.wanted.mean(axis=0)
        products = fold.known.T @ (fold.wanted - mean)
        for row, ridge in enumerate(RIDGES):
            gain = 1.0 / (square + ridge * square.mean()) if len(square) else square
            predicted = (fold.test_known * gain) @ products + mean
            errors[row, part] = row_squares(predicted - fold.test_wanted)
    best = int(errors.sum(axis=1).argmin())
    return float(RIDGES[best]), errors[best]
