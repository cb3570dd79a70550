"""A linear stand-in for a generator, where a face model of modes and blendshapes is wanted."""

from typing import TYPE_CHECKING

import numpy as np

from geomface.errors import SettingsError
from geomface.gan.factored_geometry.codes import Codes, draw_codes
from geomface.gan.factored_geometry.morph_targets import class_codes
from geomface.statistics import ExpressionModel, MorphableModel, fit_pca
from geomface.threads import one_blas_thread, one_torch_thread

if TYPE_CHECKING:
    from geomface.gan.factored_geometry.model import FactoredModel

SAMPLES = 1000
"""Neutral people that the modes are fitted to, where nothing else is said."""
FRESH = 500
"""Samples that tell how much the stand-in explains."""
PEOPLE = 200
"""People over whom the displacement of an expression is averaged."""
_BLOCK = 64


@one_torch_thread()  # one order of the sums: the same bits in every process
@one_blas_thread()
def as_morphable(
    model: "FactoredModel",
    *,
    identities: int = 40,
    samples: int | None = None,
    seed: int = 0,
    factor: str = "expression",
    neutral: str = "neutral",
) -> MorphableModel:
    """Return a morphable model near a generator: its people as modes, its classes as blendshapes.

    The shape is the PCA of people with the code of the neutral class; the blendshape of a class is
    the mean over people of what its code adds to their neutral face. What the generator varies
    otherwise, and how expressions differ between people, is lost; the card says by how much.

    Parameters
    ----------
    model : a trained one
    identities : modes
    samples : neutral people that the modes are fitted to, default `SAMPLES`
    seed : of all draws
    factor : whose classes become blendshapes
    neutral : its class at weight 0; the first class where there is none of this name

    Raises
    ------
    SettingsError : too few samples for the modes, no such factor, or one without classes
    """
    samples = SAMPLES if samples is None else samples
    if not 1 <= identities < samples:
        raise SettingsError(
            f"identities: expected at least 1 and fewer than the {samples} samples, got "
            f"{identities}."
        )
    codes = class_codes(model, factor)
    if not codes:
        raise SettingsError(
            f"{factor}: expected a factor with classes, this one has none. Name another factor."
        )
    rest = neutral if neutral in codes else next(iter(codes))
    people = draw_codes(model.spec, samples, seed=seed).replace(**{factor: codes[rest]})
    faces = _faces(model, people)
    shape = fit_pca(faces, components=min(identities, samples - 1))
    few = people[: min(PEOPLE, samples)]
    at_rest = faces[: len(few)].mean(axis=0, dtype=np.float64)
    names = tuple(name for name in codes if name != rest)
    moved = [
        _faces(model, few.replace(**{factor: codes[name]})).mean(axis=0, dtype=np.float64) - at_rest
        for name in names
    ]
    expression = None
    if names:
        basis = np.stack(moved, axis=-1)
        expression = ExpressionModel(np.zeros_like(at_rest), basis, names=names, kind="blendshapes")
    geometry = shape if expression is None else shape.stack(expression)
    fresh = _faces(model, draw_codes(model.spec, FRESH, seed=seed + 1))
    left, spread = _distance(fresh, geometry.project(fresh)), _distance(fresh, geometry.mean)
    card = {
        "source": f"linear stand-in for {model.name}, a factored geometry GAN at step "
        f"{model.step}: PCA of {samples} sampled people with {factor} {rest}, and one blendshape "
        "a class",
        "unexplained": f"{left:.3f} mm from {FRESH} fresh samples of the generator to the nearest "
        f"linear face, mean of the vertices; to the mean face {spread:.3f} mm",
    }
    return MorphableModel(model.template, shape, expression, name=model.name, card=card)


def _distance(faces: np.ndarray, others: np.ndarray) -> float:
    return float(np.linalg.norm(faces - others, axis=2).mean())


def _faces(model: "FactoredModel", codes: Codes) -> np.ndarray:
    """Return (N, V, 3) float32 mm, a block at a time."""
    blocks = range(0, len(codes), _BLOCK)
    parts = [model.vertices(codes[i : i + _BLOCK]).astype(np.float32) for i in blocks]
    return np.concatenate(parts)
