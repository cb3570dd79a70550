"""Shape models learned from random people: of the landmarks alone, and of landmarks and skin."""

from collections.abc import Sequence

import numpy as np

from geomface.arrays import FloatArray, IndexArray
from geomface.landmarks.dense_model import DenseShapeModel
from geomface.landmarks.training.scans import landmarks_of
from geomface.mesh.normals import vertex_normals
from geomface.registration.template_terms import exposure
from geomface.scans.fields import random_displacement
from geomface.statistics import LinearModel, MorphableModel, align_meshes, fit_pca

_LEAST_EXPOSURE = 5


def learn_landmark_shape(
    models: Sequence[MorphableModel], count: int, rng: np.random.Generator, *, components: int = 40
) -> LinearModel:
    """Fit the model to landmarks of random people with random expressions.

    Convention
    ----------
    Millimetres, face forward (x left, y up, z out), the centre of the points near the origin.
    """
    points = []
    for index in range(count):
        face = models[index % len(models)]
        embedding = landmarks_of(face)
        shape = face.vertices(1.2 * face.sample_identity(rng), face.sample_expression(rng))
        points.append(embedding.positions(shape))
    stack = np.stack(points)
    reference = stack.mean(axis=0)
    aligned = align_meshes(stack, reference=reference - reference.mean(axis=0), scale=False)
    return fit_pca(aligned.aligned, components=components)


def learn_dense_model(
    model: MorphableModel,
    count: int,
    rng: np.random.Generator,
    *,
    skin_points: int = 1800,
    components: int = 150,
) -> DenseShapeModel:
    """Fit the model to random people with random expressions and smooth deformations.

    Parameters
    ----------
    count : number of people
    skin_points : points of what a scanner can see of the face

    Raises
    ------
    LandmarkError : the template has no multi-pie-68 landmarks.
    """
    embedding, mesh = landmarks_of(model), model.mesh
    normals = vertex_normals(mesh.vertices, mesh.faces, weighting="area")
    seen = np.flatnonzero(exposure(mesh.vertices, mesh.faces, normals) >= _LEAST_EXPOSURE)
    # Half evenly, half as the template's vertices lie: denser at lids, lips and nose.
    even = seen[spread_out(mesh.vertices[seen], skin_points // 2)]
    rest_of = np.setdiff1d(seen, even)
    extra = rng.choice(rest_of, min(skin_points - len(even), len(rest_of)), replace=False)
    skin = np.sort(np.concatenate([even, extra]))

    def at_points(field: FloatArray) -> FloatArray:
        return np.vstack([embedding.positions(field), field[skin]])

    rest = at_points(mesh.vertices)
    identities = np.stack([at_points(mode) for mode in model.shape.modes])
    expressions = np.stack([at_points(mode) for mode in model.blendshapes.modes])
    people = np.empty((count, *rest.shape))
    for index in range(count):
        weights = np.clip(rng.uniform(0.6, 1.3) * model.sample_expression(rng), 0, 1)
        person = rest + np.tensordot(1.15 * model.sample_identity(rng), identities, axes=1)
        person = person + np.tensordot(weights, expressions, axes=1)
        rms = rng.uniform(0.3, 2.0)
        people[index] = person + random_displacement(person, 90.0, rms, rng, count=len(person))
    reference = people.mean(axis=0)
    reference = reference - reference[:68].mean(axis=0)
    aligned = align_meshes(people, reference=reference, scale=False)
    return DenseShapeModel(fit_pca(aligned.aligned, components=components), normals[skin])


def spread_out(points: FloatArray, count: int) -> IndexArray:
    """Return `count` indices of points far from each other: each the farthest from those before."""
    chosen = [int(np.argmax(points[:, 2]))]
    away = np.linalg.norm(points - points[chosen[0]], axis=1)
    for _ in range(min(count, len(points)) - 1):
        chosen.append(int(np.argmax(away)))
        away = np.minimum(away, np.linalg.norm(points - points[chosen[-1]], axis=1))
    return np.sort(np.array(chosen))
