"""What tells people, or expressions, apart on meshes: read from a known model."""

import dataclasses
from collections.abc import Callable

import numpy as np

from geomface.arrays import FloatArray, IndexArray, require_shape
from geomface.errors import SettingsError
from geomface.metrics import OracleReadout, unit_rows
from geomface.statistics import MorphableModel
from geomface.synthesis.expression_recipes import recipe_weights

RIDGE = 100.0
"""mm^2: meshes of a generator leave the model by some tenths of a millimetre."""


@dataclasses.dataclass(frozen=True, eq=False)
class Embedding:
    """A description of meshes in which those that share a label are near to each other.

    Parameters
    ----------
    name : what tables call it
    rows : (n,) int64, the vertices that it looks at
    describe : (N, n, 3) mm to (N, D), compared by Euclidean distance
    settings : what else it depends on
    """

    name: str
    rows: IndexArray
    describe: Callable[[np.ndarray], FloatArray]
    settings: dict[str, object] = dataclasses.field(default_factory=dict)

    def __call__(self, meshes: np.ndarray) -> FloatArray:
        """Return (N, D) of whole meshes (N, V, 3)."""
        meshes = require_shape(meshes, (None, None, 3), "meshes")
        return self.describe(meshes[:, self.rows])


def oracle_embedding(
    model: MorphableModel,
    factor: str,
    *,
    directions: FloatArray | None = None,
    ridge: float = RIDGE,
    every: int = 4,
) -> Embedding:
    """Return the embedding that reads identity or expression in the span of a known model.

    c = argmin |x - mean - B c|^2 + ridge |c|^2, B the identity modes and the directions

    Parameters
    ----------
    model : of the world that the faces are from
    factor : "identity", compared by cosine, or "expression", by distance
    directions : (R, K) weights of the model's blendshapes, what the world varies; default the
        expressions of `EXPRESSION_RECIPES` but neutral. The identity matrix reads all weights,
        which meshes outside of the model move along weak blendshapes
    ridge : mm^2, of the sum over the vertices looked at
    every : look at every so many vertices

    Raises
    ------
    SettingsError : another factor, directions of another length, a model without expressions
    """
    if factor not in ("identity", "expression"):
        raise SettingsError(
            f"oracle: a face model tells identity and expression, got {factor!r}. Train an "
            "embedding for other factors."
        )
    if every < 1:
        raise SettingsError(f"oracle: expected every 1st vertex or fewer, got every {every}.")
    part = model.blendshapes
    recipes = directions is None
    if directions is None:
        weights = recipe_weights(model)
        directions = weights[np.abs(weights).sum(axis=1) > 0]
    directions = require_shape(directions, (None, len(part)), "oracle: directions", SettingsError)
    rows = np.arange(0, len(model.shape.mean), every)
    reader = OracleReadout(
        (model.shape.mean + part.mean)[rows],
        {"identity": model.shape.basis[rows], "expression": part.basis[rows] @ directions.T},
        ridge=ridge,
    )

    def describe(meshes: np.ndarray) -> FloatArray:
        found = reader.read(meshes).coefficients[factor]
        return unit_rows(found) if factor == "identity" else found

    span = f"{len(directions)} {'recipes' if recipes else 'directions'}"
    return Embedding(
        f"read-out of {span}", rows, describe, {"ridge_mm2": ridge, "every": every, "span": span}
    )
