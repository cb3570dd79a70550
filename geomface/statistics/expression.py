"""Expressions: what is added to a neutral face."""

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Self

import numpy as np

from geomface.arrays import FloatArray, require_shape
from geomface.errors import MeshError, SettingsError
from geomface.statistics.linear_model import LinearModel
from geomface.statistics.muscle_groups import draw_muscles
from geomface.statistics.pca import fit_pca

KINDS = ("gaussian", "blendshapes")


@dataclasses.dataclass(frozen=True, eq=False)
class ExpressionModel(LinearModel):
    """Displacements of an expression: g_expr = g_neutral + mean + basis z.

    Parameters
    ----------
    kind : "gaussian": z ~ N(0, 1), the mean difference belongs to every expressive face;
        "blendshapes": z are weights in [0, 1], 0 is neutral, the mean is zero
    names, and the rest : as in `LinearModel`

    Source
    ------
    Shamai et al. 2018, section 9 (their equation for g_expr carries a stray alpha_g).
    """

    kind: str = "gaussian"

    def __post_init__(self) -> None:
        super().__post_init__()
        require_shape(self.mean, (None, 3), "expression mean")
        if self.kind not in KINDS:
            raise SettingsError(
                f"expression kind: expected {' or '.join(KINDS)}, got {self.kind!r}."
            )

    def weights(self, expression: Mapping[str, float] | Sequence[float] | FloatArray) -> FloatArray:
        """Return (K,) coefficients of an array (k,), k <= K, or of {name: weight}.

        Raises
        ------
        SettingsError : an unknown or ambiguous name, too many numbers, NaN.
        """
        found = np.zeros(len(self))
        if isinstance(expression, Mapping):
            for name, value in expression.items():
                if name not in self.names:
                    known = ", ".join(self.names) or "only numbers"
                    raise SettingsError(f"no expression is called {name!r}. It has {known}.")
                if self.names.count(name) > 1:
                    raise SettingsError(
                        f"{name!r} names {self.names.count(name)} expressions of this model. Give "
                        f"all {len(self)} weights as numbers."
                    )
                found[self.names.index(name)] = value
            return self.require_coefficients(found)
        given = self.require_coefficients(np.asarray(expression))
        found[: len(given)] = given
        return found

    def displacement(
        self, expression: Mapping[str, float] | Sequence[float] | FloatArray
    ) -> FloatArray:
        """Return (V, 3) mm to add to a neutral face."""
        weights = self.weights(expression)
        if self.kind == "gaussian":
            return self.reconstruct(weights)
        active = np.flatnonzero(weights)  # most blendshapes rest: they are not read
        return self.mean + np.tensordot(weights[active], self.modes[active], axes=1)

    def canonical(self) -> "Self":
        """Return the same Gaussian in PCA form; blendshapes keep their meaning and their names."""
        return self if self.kind == "blendshapes" else super().canonical()

    def sample_weights(self, rng: np.random.Generator, *, sigma: float = 1.0) -> FloatArray:
        """Draw (K,) coefficients: normal ones, or few muscles as in `draw_muscles`."""
        if self.kind == "gaussian":
            return sigma * rng.standard_normal(len(self))
        names = self.names or [f"expression{k}" for k in range(len(self))]
        return np.clip(sigma * draw_muscles(names, rng), 0.0, 1.0)


def fit_expressions(
    expressive: FloatArray,
    neutral: FloatArray,
    *,
    components: int | None = None,
    variance: float | None = None,
) -> ExpressionModel:
    """Fit an expression model to pairs of an expressive and the same person's neutral face.

    d_n = expressive_n - neutral_n; mean and principal components of the d_n.

    Parameters
    ----------
    expressive, neutral : (N, V, 3) float64, mm, in one pose; row n of both is the same person
    components, variance : as in `fit_pca`

    Raises
    ------
    MeshError : stacks of different shape, fewer than two pairs, NaN.
    """
    expressive, neutral = np.asarray(expressive), np.asarray(neutral)
    if expressive.shape != neutral.shape:
        raise MeshError(
            f"expressions: expected one neutral face for every expressive one, got stacks of shape "
            f"{expressive.shape} and {neutral.shape}."
        )
    fitted = fit_pca(expressive - neutral, components=components, variance=variance)
    return ExpressionModel(**{f.name: getattr(fitted, f.name) for f in dataclasses.fields(fitted)})


def replace_neutral(
    vertices: FloatArray, subjects: Sequence[str], neutral: Sequence[bool]
) -> FloatArray:
    """Return the neutral face of every example's subject, (N, V, 3): Section 9 of the paper.

    Pairing each texture with its subject's neutral geometry keeps the expression out of the
    geometry that a texture predicts.

    Parameters
    ----------
    vertices : (N, V, 3) float64
    subjects : N names
    neutral : N flags; a subject with several neutral examples gets their mean

    Raises
    ------
    MeshError : a subject without a neutral example, or lists of another length.
    """
    vertices = np.asarray(vertices)
    if not len(vertices) == len(subjects) == len(neutral):
        raise MeshError(
            f"neutral faces: expected a subject and a flag for each of {len(vertices)} meshes, got "
            f"{len(subjects)} and {len(neutral)}."
        )
    names, index = np.unique(np.asarray(subjects), return_inverse=True)
    flags = np.asarray(neutral, dtype=bool)
    count = np.bincount(index[flags], minlength=len(names))
    if (count == 0).any():
        raise MeshError(
            f"neutral faces: {str(names[count == 0][0])!r} has none. Leave this subject out or "
            "add one."
        )
    sums = np.zeros((len(names), *vertices.shape[1:]))
    np.add.at(sums, index[flags], vertices[flags])
    return (sums / count[:, None, None])[index]
