"""Linear generators: PCA of all faces, identity plus expression fitted, and a given face model."""

import dataclasses
from collections.abc import Callable, Mapping

import numpy as np

from geomface.arrays import BoolArray, FloatArray, IndexArray, require_finite, require_shape
from geomface.datasets.labelled_faces import LabelledFaces
from geomface.errors import SettingsError
from geomface.gan.factored_geometry.codes import Codes, Factor, LatentSpec, draw_codes
from geomface.learning.errors import DatasetError
from geomface.statistics import LinearModel, MorphableModel, fit_pca
from geomface.synthesis.expression_recipes import EXPRESSION_RECIPES, recipe_weights
from geomface.synthesis.labelled_faces import LabelledFacesSettings, draw_expression

_RIDGE = 1e-6


@dataclasses.dataclass(frozen=True, eq=False)
class LinearFaces:
    """Faces that are linear in their codes: v = mean + sum_k z_k column_k.

    Parameters
    ----------
    name : what tables call it
    spec : parts of the codes; without factors nothing is separated
    mean : (V, 3) float64, mm
    columns : (spec.size, V, 3), mm
    noise : mm, what a coordinate differs by from the model; the prior of fits to parts of a face
    fixed : {factor: (K, d)} the codes of the classes
    values : (count, seed) -> (count, spec.size), how codes are drawn; default N(0, I)
    """

    name: str
    spec: LatentSpec
    mean: FloatArray
    columns: np.ndarray
    noise: float = 0.0
    fixed: Mapping[str, np.ndarray] = dataclasses.field(default_factory=dict)
    values: Callable[[int, int], np.ndarray] | None = None

    def __post_init__(self) -> None:
        mean = require_shape(self.mean, (None, 3), f"{self.name}: mean")
        require_shape(self.columns, (self.spec.size, *mean.shape), f"{self.name}: columns")

    def draw(self, count: int, *, seed: int = 0) -> Codes:
        """Draw codes, each part independently of the others."""
        if self.values is None:
            return draw_codes(self.spec, count, seed=seed)
        return Codes(self.spec, self.values(count, seed))

    def vertices(self, codes: Codes, rows: IndexArray | None = None) -> np.ndarray:
        """Return faces (N, V, 3) in mm, or only some of their vertices."""
        mean, columns = self.mean, self.columns
        if rows is not None:
            mean, columns = mean[rows], columns[:, rows]
        flat = codes.values @ columns.reshape(len(columns), -1)
        return mean + flat.reshape(-1, *mean.shape)

    def fit(self, vertices: np.ndarray, visible: BoolArray | None = None) -> FloatArray:
        """Return the faces (N, V, 3) of the model that describe others best.

        min over z of sum over visible v of |x_v(z) - t_v|^2 + s^2 |z|^2, s the noise where only
        some vertices count and 0 where all do
        """
        vertices = require_shape(vertices, (None, *self.mean.shape), "faces to fit")
        shown = np.ones(len(self.mean), bool) if visible is None else np.asarray(visible, bool)
        shown = require_shape(shown, (len(self.mean),), "visible vertices")
        gap = np.asarray(vertices[:, shown], np.float64) - self.mean[shown]
        require_finite(gap, "faces to fit")
        columns = np.asarray(self.columns[:, shown], np.float64).reshape(self.spec.size, -1)
        gram = columns @ columns.T
        ridge = max(0.0 if visible is None else self.noise**2, _RIDGE)
        right = gap.reshape(len(gap), -1) @ columns.T
        found = np.linalg.solve(gram + ridge * np.eye(len(gram)), right.T).T
        flat = found @ np.asarray(self.columns, np.float64).reshape(self.spec.size, -1)
        return self.mean + flat.reshape(-1, *self.mean.shape)


def fit_pca_faces(faces: LabelledFaces, numbers: int = 85) -> LinearFaces:
    """Return the PCA of training faces with as many numbers as a GAN's code: a Gaussian.

    It separates no factors, so that its decoupling is not defined.

    Parameters
    ----------
    faces : the training people's
    numbers : modes
    """
    if numbers < 1:
        raise SettingsError(f"PCA: expected codes of 1 number or more, got {numbers}.")
    model = _at_most(faces.vertices, numbers)
    columns = np.ascontiguousarray(model.modes)
    spec = LatentSpec((), len(columns))
    return LinearFaces("PCA", spec, model.mean, columns, model.noise_sigma)


def fit_linear_factors(
    faces: LabelledFaces, identity: int = 65, expression: int = 20
) -> LinearFaces:
    """Return a PCA of the people's means plus one of what their faces differ from these by.

    v = mean + A a + B b,  A from the people's means, B from all faces minus their person's mean

    Only the labels of identity are needed. The fixed code of an expression is the mean b of the
    faces that are known to show it.

    Parameters
    ----------
    faces : the training people's, with labels of "identity"
    identity, expression : most modes

    Raises
    ------
    DatasetError : fewer than two people
    """
    means, people = people_means(faces)
    persons = _at_most(means, identity)
    known = people >= 0
    moved = faces.vertices[known] - means[people[known]]
    change = _at_most(moved, expression)
    factors = [Factor("identity", len(persons), faces.classes["identity"])]
    fixed = {"identity": persons.coefficients(means)}
    labels = faces.labels.get("expression", np.full(len(faces), -1))[known]
    classes = faces.classes.get("expression", ())
    if classes and (np.bincount(labels[labels >= 0], minlength=len(classes)) > 0).all():
        codes = [change.coefficients(moved[labels == k]).mean(axis=0) for k in range(len(classes))]
        fixed["expression"] = np.stack(codes)
    factors.append(Factor("expression", len(change), classes))
    return LinearFaces(
        "linear, fitted",
        LatentSpec(tuple(factors)),
        persons.mean + change.mean,
        np.concatenate([persons.modes, change.modes]),
        float(np.hypot(persons.noise_sigma, change.noise_sigma)),
        fixed,
    )


def _at_most(vertices: np.ndarray, components: int) -> LinearModel:
    """Return the PCA with so many modes, or with all where there are fewer."""
    few = len(vertices) <= 4 * components
    there = len(fit_pca(vertices)) if few else components
    return fit_pca(vertices, components=min(components, there))


def people_means(faces: LabelledFaces) -> tuple[np.ndarray, IndexArray]:
    """Return the mean face of each person, (P, V, 3) float32, and the person of each face, (N,).

    Raises
    ------
    DatasetError : fewer than two people
    """
    people = faces.labels.get("identity")
    if people is None or len(np.unique(people[people >= 0])) < 2:
        raise DatasetError("linear model: expected faces of two or more people, with their labels.")
    present = np.unique(people[people >= 0])
    means = np.stack([faces.vertices[people == k].mean(axis=0) for k in present])
    place = np.full(int(present[-1]) + 2, -1)  # the last one is what label -1 finds
    place[present] = np.arange(len(present))
    return means, place[people]


def model_faces(
    model: MorphableModel, settings: LabelledFacesSettings | None = None
) -> LinearFaces:
    """Return a face model as a generator, in the world that `draw_labelled_faces` makes of it.

    There it is the truth: identity ~ sigma N(0, I), weights of an expression as in that set.

    Parameters
    ----------
    model : with named blendshapes, cut to the region of the faces
    settings : of the set
    """
    use = LabelledFacesSettings() if settings is None else settings
    recipes, part = recipe_weights(model), model.blendshapes
    size = len(model.shape)

    def values(count: int, seed: int) -> np.ndarray:
        set_of = dataclasses.replace(use, seed=seed)
        shape = use.sigma * np.random.default_rng(seed).standard_normal((count, size))
        drawn = [draw_expression(recipes, set_of, row, 0)[1] for row in range(count)]
        return np.concatenate([shape, np.stack(drawn)], axis=1)

    spec = LatentSpec(
        (Factor("identity", size), Factor("expression", len(part), tuple(EXPRESSION_RECIPES)))
    )
    strength = 0.5 * sum(use.strength)
    return LinearFaces(
        "linear, the truth",
        spec,
        model.shape.mean + part.mean,
        np.concatenate([model.shape.modes, part.modes]),
        fixed={"expression": strength * recipes},
        values=values,
    )
