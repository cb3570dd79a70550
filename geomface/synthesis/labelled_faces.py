"""Labelled faces drawn from a face model: people, each with expressions of known names."""

import dataclasses

import numpy as np

from geomface.arrays import FloatArray
from geomface.datasets.labelled_faces import UNKNOWN, LabelledFaces, hide_labels
from geomface.errors import SettingsError
from geomface.mesh import Template
from geomface.mesh.template import cut_template
from geomface.parametrization import unwrap
from geomface.ranges import COUNT, NOT_NEGATIVE, SEED, SHARE, require_numbers, require_ordered
from geomface.statistics import MorphableModel
from geomface.synthesis.expression_recipes import EXPRESSION_RECIPES, recipe_weights
from geomface.synthesis.streams import stream

_STRAY_SHARE, _STRAY_SIZE = 0.3, 0.03
"""No face holds only what a recipe names: these muscles move a little besides."""
_BLOCK = 512


@dataclasses.dataclass(frozen=True)
class LabelledFacesSettings:
    """How many faces to draw, and how.

    Parameters
    ----------
    people : how many
    faces : of each person
    labelled : share of the expressions whose label is known; all people are known
    mixtures : share of the faces that show two or three expressions at once: these belong to no
        class
    strength : (low, high) of an expression, uniform
    sigma : spread of the people, 1 as the model says
    region : vertices that the faces have, by its name in the model's template; None: all
    seed : of the set; face n of person m depends on no other face

    Raises
    ------
    SettingsError : a number out of range.

    Example
    -------
    >>> import geomface as gf
    >>> wanted = gf.LabelledFacesSettings(people=2, faces=3, region="face_core")
    >>> gf.draw_labelled_faces(gf.load_builtin_face(), wanted).vertices.shape
    (6, 7228, 3)
    """

    people: int = 150
    faces: int = 40
    labelled: float = 0.07
    mixtures: float = 0.0
    strength: tuple[float, float] = (0.6, 1.1)
    sigma: float = 1.0
    region: str | None = None
    seed: int = 0

    def __post_init__(self) -> None:
        require_numbers(
            self,
            people=COUNT,
            faces=COUNT,
            labelled=SHARE,
            mixtures=SHARE,
            strength=NOT_NEGATIVE,
            sigma=NOT_NEGATIVE,
            seed=SEED,
        )
        require_ordered(self, "strength")


def draw_labelled_faces(
    model: MorphableModel, settings: LabelledFacesSettings | None = None
) -> LabelledFaces:
    """Draw people from a face model, each with expressions by `EXPRESSION_RECIPES`.

    v_mn = vertices(sigma a_m, s_mn r_k + e_mn),  a ~ N(0, I), s ~ U(strength), k uniform

    where e are small weights of some other muscles, |N(0, 0.03)| on 30 % of them. A mixture has
    s (p_1 r_j + p_2 r_k [+ p_3 r_l]) of different expressions other than neutral, p uniform with
    sum 1.

    Parameters
    ----------
    model : with named blendshapes
    settings : see `LabelledFacesSettings`

    Returns
    -------
    LabelledFaces of the factors "identity" and "expression", people named person0000 and on;
    `labels` hold what is known, `truth` all but the mixtures. A template without uv gets them by
    `unwrap`.

    Raises
    ------
    SettingsError : the model lacks a muscle or the region.
    MeshError, ParametrizationError : a template without uv that cannot be unwrapped.

    Source
    ------
    The shares and the seven labels follow Abrevaya et al. 2019, section 5.1.

    Example
    -------
    >>> import geomface as gf
    >>> faces = gf.draw_labelled_faces(gf.load_builtin_face(), gf.LabelledFacesSettings(10, 5))
    >>> len(faces), faces.names[0], faces.classes["expression"][:3]
    (50, 'person0000/face000', ('neutral', 'happy', 'sad'))
    """
    settings = LabelledFacesSettings() if settings is None else settings
    template, rows = model.template, np.arange(len(model.mesh.vertices))
    if settings.region is not None:
        rows = _rows_of(model, settings.region)
        template = cut_template(template, rows, f"{model.name}: region {settings.region}")
    recipes = recipe_weights(model)
    shape = np.stack(
        [
            settings.sigma
            * stream(settings.seed, "identity", person).standard_normal(len(model.shape))
            for person in range(settings.people)
        ]
    )
    people = np.repeat(np.arange(settings.people), settings.faces)
    drawn = [
        draw_expression(recipes, settings, person, face)
        for person in range(settings.people)
        for face in range(settings.faces)
    ]
    expressions = np.array([label for label, _ in drawn])
    weights = np.stack([row for _, row in drawn])
    truth = {"identity": people, "expression": expressions}
    faces = LabelledFaces(
        template=_with_uv(template),
        vertices=_vertices(model, rows, shape[people], weights),
        names=tuple(
            f"person{person:04d}/face{face:03d}"
            for person in range(settings.people)
            for face in range(settings.faces)
        ),
        labels=truth,
        classes={
            "identity": tuple(f"person{person:04d}" for person in range(settings.people)),
            "expression": tuple(EXPRESSION_RECIPES),
        },
        truth=truth,
    )
    return hide_labels(faces, "expression", settings.labelled, seed=settings.seed)


def _rows_of(model: MorphableModel, region: str) -> np.ndarray:
    """Return the vertices of a region in the order of the template."""
    if region not in model.template.regions:
        known = ", ".join(model.template.regions) or "none"
        raise SettingsError(
            f"region: expected one of {known}, which {model.name} has, got {region!r}."
        )
    return np.sort(model.template.regions[region])


def draw_expression(
    recipes: FloatArray, settings: LabelledFacesSettings, person: int, face: int
) -> tuple[int, FloatArray]:
    """Return label and weights (K,) of one face."""
    rng = stream(settings.seed, "named expression", person, face)
    strength = rng.uniform(*settings.strength)
    stray = np.abs(rng.normal(0.0, _STRAY_SIZE, recipes.shape[1]))
    stray *= rng.random(recipes.shape[1]) < _STRAY_SHARE
    label = int(rng.integers(len(recipes)))
    if rng.random() >= settings.mixtures:
        return label, strength * recipes[label] + stray
    several = 1 + rng.choice(len(recipes) - 1, size=int(rng.integers(2, 4)), replace=False)
    return UNKNOWN, strength * rng.dirichlet(np.ones(len(several))) @ recipes[several] + stray


def _vertices(
    model: MorphableModel, rows: np.ndarray, shape: FloatArray, weights: FloatArray
) -> np.ndarray:
    """Return (N, n, 3) float32 mm, those rows of the vertices; the sums are float64."""
    expression = model.blendshapes
    mean = (model.shape.mean + expression.mean)[rows].reshape(-1)
    modes = np.concatenate([model.shape.modes, expression.modes])[:, rows]
    modes = modes.reshape(len(modes), -1)
    coefficients = np.concatenate([shape, weights], axis=1)
    vertices = np.empty((len(shape), len(rows), 3), np.float32)
    for start in range(0, len(shape), _BLOCK):
        flat = coefficients[start : start + _BLOCK] @ modes
        flat += mean
        vertices[start : start + _BLOCK] = flat.reshape(-1, len(rows), 3)
    return vertices


def _with_uv(template: Template) -> Template:
    """Return the template, unwrapped if it has no uv."""
    if template.mesh.uv is not None:
        return template
    return dataclasses.replace(template, mesh=unwrap(template).mesh)
