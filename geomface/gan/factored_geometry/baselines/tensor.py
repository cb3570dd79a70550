"""The multilinear model of people times expressions as a generator."""

import dataclasses
from collections.abc import Mapping

import numpy as np

from geomface.arrays import BoolArray, FloatArray, IndexArray
from geomface.datasets.labelled_faces import LabelledFaces
from geomface.gan.factored_geometry.baselines.linear import people_means
from geomface.gan.factored_geometry.codes import Codes, Factor, LatentSpec, draw_codes
from geomface.learning.errors import DatasetError
from geomface.statistics.multilinear import MultilinearModel, fit_multilinear

_EMPTY = 1e-9


@dataclasses.dataclass(frozen=True, eq=False)
class TensorFaces:
    """A multilinear model whose codes are Gaussian.

    a = m + S z,  m and S S^T mean and covariance of the coefficients of the people it was fitted
    to; the same for expressions

    Parameters
    ----------
    model : fitted
    spec : identity, then expression; as long as what varies among the rows
    fixed : {factor: (K, d)} the codes of the people and expressions of the fit
    gaussians : m (A,) and S^T (d, A) of people, and of expressions
    name : what tables call it
    """

    model: MultilinearModel
    spec: LatentSpec
    fixed: Mapping[str, np.ndarray]
    gaussians: tuple[tuple[FloatArray, FloatArray], ...]
    name: str = "multilinear"

    def draw(self, count: int, *, seed: int = 0) -> Codes:
        """Draw codes from N(0, I)."""
        return draw_codes(self.spec, count, seed=seed)

    def vertices(self, codes: Codes, rows: IndexArray | None = None) -> np.ndarray:
        """Return faces (N, V, 3) in mm, or only some of their vertices."""
        model = self.model
        if rows is not None:
            mean, core = model.mean[rows], np.ascontiguousarray(model.core[:, :, rows])
            model = dataclasses.replace(model, mean=mean, core=core)
        coefficients = [
            mean + codes.part(factor) @ spread
            for factor, (mean, spread) in zip(self.spec.names, self.gaussians, strict=False)
        ]
        return model.reconstruct(*coefficients)

    def fit(self, vertices: np.ndarray, visible: BoolArray | None = None) -> FloatArray:
        """Return the faces (N, V, 3) of the model that describe others best."""
        return self.model.fit(vertices, visible=visible)


def _gaussian(rows: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return mean (A,) and spread (d, A) of rows (N, A): spread^T spread is their covariance."""
    mean = rows.mean(axis=0)
    _, values, directions = np.linalg.svd(rows - mean, full_matrices=False)
    kept = values > _EMPTY * max(float(values[0]), 1e-300)
    deviations = values[kept] / np.sqrt(max(len(rows) - 1, 1))
    return mean, deviations[:, None] * directions[kept]


def fit_tensor_faces(
    faces: LabelledFaces, identity: int = 65, expression: int | None = None, *, steps: int = 20
) -> TensorFaces:
    """Fit the multilinear model to the faces whose person and expression are both known.

    A cell of people times expressions is the mean of its known faces. One without any starts at
    the person's mean plus what the expression adds on average, and is filled by the model.

    Parameters
    ----------
    faces : the training people's, with labels of "identity" and some of "expression"
    identity, expression : modes kept; all of the expressions by default
    steps : of filling, see `fit_multilinear`

    Raises
    ------
    DatasetError : fewer than two people, an expression without known faces
    """
    means, people = people_means(faces)
    labels = faces.labels.get("expression")
    names = faces.classes.get("expression", ())
    known = (people >= 0) & (labels is not None) & (labels >= 0 if labels is not None else False)
    counts = np.bincount(labels[known], minlength=len(names)) if labels is not None else np.zeros(1)
    if labels is None or not len(names) or not counts.all():
        raise DatasetError(
            "multilinear model: expected a known face of every expression, got none of some. Label "
            "more of them."
        )
    moved = faces.vertices - means[people]
    added = np.stack([moved[known & (labels == k)].mean(axis=0) for k in range(len(names))])
    cells = means[:, None] + added[None]
    seen = np.zeros(cells.shape[:2], bool)
    for person, label in np.unique(np.stack([people[known], labels[known]], axis=1), axis=0):
        rows = known & (people == person) & (labels == label)
        cells[person, label] = faces.vertices[rows].mean(axis=0)
        seen[person, label] = True
    model = fit_multilinear(
        cells, seen, people=min(identity, len(means)), expressions=expression, steps=steps
    )
    present = np.unique(faces.labels["identity"][people >= 0])
    rows = {"identity": model.people, "expression": model.expressions}
    classes = (tuple(faces.classes["identity"][k] for k in present), names)
    gaussians = tuple(_gaussian(item) for item in rows.values())
    factors = [
        Factor(factor, len(spread), known)
        for factor, (_, spread), known in zip(rows, gaussians, classes, strict=True)
    ]
    fixed = {
        factor: (rows[factor] - mean) @ np.linalg.pinv(spread)
        for factor, (mean, spread) in zip(rows, gaussians, strict=True)
    }
    return TensorFaces(model, LatentSpec(tuple(factors)), fixed, gaussians)
