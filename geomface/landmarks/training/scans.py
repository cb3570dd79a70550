"""Quick scan-like surfaces for training: people with hats and hair, half seen, damaged."""

import dataclasses

import numpy as np

from geomface.arrays import FloatArray, IndexArray
from geomface.errors import LandmarkError
from geomface.faces.eyes import LEFT, RIGHT, eye_behind_lids
from geomface.mesh import LandmarkEmbedding
from geomface.mesh.normals import vertex_normals
from geomface.scans.damage import flying_clumps, holes, icosphere, lumps, missing_blobs
from geomface.scans.fields import random_displacement, random_field
from geomface.scans.remesh import refine, vertex_areas
from geomface.scans.surround import add_surround
from geomface.statistics import MorphableModel, require_model

STRETCH = 0.06
"""Standard deviation of how much a head is stretched along each axis, as a logarithm."""


@dataclasses.dataclass(frozen=True, eq=False)
class TrainingScan:
    """A surface in the model's axes (x left, y up, z forward, mm) with its true landmarks.

    Parameters
    ----------
    vertices, normals : (V, 3) float64
    faces : (F, 3) int64
    landmarks : (68, 3) float64, on the face below hats and lumps
    """

    vertices: FloatArray
    normals: FloatArray
    faces: IndexArray
    landmarks: FloatArray


def landmarks_of(model: MorphableModel) -> LandmarkEmbedding:
    """Return the 68 landmarks of a face model.

    Raises
    ------
    MeshError : no face model
    LandmarkError : its template has other landmarks, or none.
    """
    embedding = require_model(model, "landmark training").template.landmarks
    if embedding is None or len(embedding) != 68:
        raise LandmarkError(f"{model.name}: expected the 68 landmarks of multi-pie-68.")
    return embedding


def draw_training_scan(model: MorphableModel, rng: np.random.Generator) -> TrainingScan:
    """Draw a person and what a scanner would catch; far quicker than `simulate_scan`.

    Only the picture of the mesh is used, so its triangulation does not matter. Real faces vary
    more than a model: identity is spread by up to 1.5 sigma, and heads are stretched along each
    axis, which makes them wide, long or deep.
    """
    embedding = landmarks_of(model)
    identity = rng.uniform(0.9, 1.5) * model.sample_identity(rng)
    expression = np.clip(rng.uniform(0.6, 1.3) * model.sample_expression(rng), 0, 1)
    person = model.vertices(identity, expression) * np.exp(rng.normal(0, STRETCH, 3))
    count = len(person)
    body, faces = add_surround(person, model.mesh.faces, embedding.positions(person))
    body = body + random_displacement(body, 90.0, rng.uniform(0.3, 2.0), rng, count=count)
    landmarks = embedding.positions(body[:count])
    # Coarse models get the roughness of a scan, too.
    inside = (np.arange(len(body)) < count).astype(np.float64)
    longest = np.where(inside > 0.5, 4.0, 12.0)
    fine, faces = refine(np.column_stack([body, inside]), faces, longest, rounds=2)
    body, inside = np.ascontiguousarray(fine[:, :3]), fine[:, 3] > 0.5
    body = _dress(body, faces, landmarks, rng)
    areas = vertex_areas(body, faces)
    if rng.random() < 0.25:
        # A head alone: what lies below the neck is cut off.
        width = np.ptp(landmarks[:, 0])
        low = landmarks[:, 1].min() - rng.uniform(0.1, 0.9) * width
        faces = faces[(body[faces][..., 1] > low).all(axis=1)]
    normals = vertex_normals(body, faces, weighting="area")
    if rng.random() < 0.25:
        body = body + lumps(body, normals, areas, inside, rng.uniform(0.01, 0.06), rng)
    seen = _seen(body, normals, inside, areas, rng)
    body = body + rng.uniform(0.0, 0.5) * rng.standard_normal(len(body))[:, None] * normals
    faces = faces[seen[faces].all(axis=1)]
    if rng.random() < 0.3:
        extra, extra_faces = flying_clumps(
            body, normals, np.flatnonzero(seen), int(rng.integers(20, 400)), rng
        )
        faces = np.vstack([faces, extra_faces + len(body)])
        body = np.vstack([body, extra])
    if rng.random() < 0.5:
        # Scanners see eyes as bulges; models have holes there.
        body, faces = _with_eyeballs(body, faces, landmarks, rng)
    normals = vertex_normals(body, faces, weighting="area")
    return TrainingScan(body, normals, faces, landmarks)


def _with_eyeballs(
    body: FloatArray, faces: IndexArray, landmarks: FloatArray, rng: np.random.Generator
) -> tuple[FloatArray, IndexArray]:
    """Add spheres that just touch the lids from behind."""
    points, triangles = icosphere(3)
    for lids in (landmarks[RIGHT], landmarks[LEFT]):
        eye = eye_behind_lids(lids, size=rng.uniform(0.38, 0.46), gap=rng.uniform(0.0, 1.5))
        faces = np.vstack([faces, triangles + len(body)])
        body = np.vstack([body, eye[:3] + eye[3] * points])
    return body, faces


def _dress(
    body: FloatArray, faces: IndexArray, landmarks: FloatArray, rng: np.random.Generator
) -> FloatArray:
    """Lift the surface where a hat, hair, a beard or a collar would be."""
    normals = vertex_normals(body, faces, weighting="area")
    brow, chin = landmarks[17:27].mean(axis=0), landmarks[8]
    width = float(np.linalg.norm(landmarks[16] - landmarks[0]))
    lift = np.zeros(len(body))
    if rng.random() < 0.35:
        # A hat: everything above a tilted plane over the brows, with a hard edge.
        plane = np.array([rng.normal(0, 0.15), 1.0, rng.normal(-0.1, 0.35)])
        start = brow + [0.0, rng.uniform(0.04, 0.3) * width, 0.0]
        above = (body - start) @ plane > 0
        ripple = 1.0 + 0.4 * random_field(body, rng.uniform(15, 60), rng, waves=12)
        lift = np.where(above, rng.uniform(3, 25) * np.clip(ripple, 0.2, 2.0), lift)
    if rng.random() < 0.45:
        # Hair: curly lift behind a hair line that frames the face.
        middle = brow + [0.0, -0.1 * width, 0.0]
        reach = np.array([rng.uniform(0.5, 0.62), rng.uniform(0.5, 0.75), 10.0]) * width
        away = (((body - middle) / reach)[:, :2] ** 2).sum(axis=1)
        upper = body[:, 1] > chin[1] + rng.uniform(-0.6, 0.6) * width
        curl = 1.0 + 0.6 * random_field(body, rng.uniform(8, 40), rng, waves=16)
        hair = rng.uniform(4, 30) * np.clip(curl, 0.0, 2.5) * np.clip(3.0 * (away - 1.0), 0, 1)
        lift = np.maximum(lift, np.where(upper, hair, 0.0))
    if rng.random() < 0.2:
        below = np.clip((landmarks[57][1] - body[:, 1]) / (0.15 * width), 0, 1)
        front = body[:, 1] > chin[1] - 0.25 * width
        curl = 1.0 + 0.5 * random_field(body, rng.uniform(5, 15), rng, waves=12)
        lift = np.maximum(lift, rng.uniform(1, 7) * below * front * np.clip(curl, 0, 2))
    if rng.random() < 0.4:
        under = body[:, 1] < chin[1] - rng.uniform(0.1, 0.4) * width
        fold = 1.0 + 0.5 * random_field(body, rng.uniform(20, 70), rng, waves=12)
        lift = np.maximum(lift, np.where(under, rng.uniform(2, 20) * np.clip(fold, 0, 2), 0))
    return body + lift[:, None] * normals


def _seen(
    body: FloatArray,
    normals: FloatArray,
    inside: np.ndarray,
    areas: FloatArray,
    rng: np.random.Generator,
) -> np.ndarray:
    """Return which vertices the scanner caught: by angle, less holes and missing blobs."""
    if rng.random() < 0.35:
        # A head scanned from all around.
        seen = np.ones(len(body), bool)
    else:
        yaw = np.radians(rng.uniform(0, 45) * np.array([-1, 1]) + rng.uniform(-25, 25))
        pitch = np.radians(rng.uniform(-15, 15))
        pods = np.stack([np.sin(yaw), np.full(2, np.sin(pitch)), np.cos(yaw)], axis=1)
        pods /= np.linalg.norm(pods, axis=1, keepdims=True)
        limit = rng.uniform(0.05, 0.35) + 0.05 * random_field(body, 12.0, rng, waves=12)
        seen = (normals @ pods.T).max(axis=1) > limit
    face = seen & inside
    if not face.any():
        return np.ones(len(body), bool)
    seen &= ~holes(body, face, rng, count=int(rng.integers(0, 7)), radius=(1.5, 9.0))
    if rng.random() < 0.3:
        fraction = rng.uniform(0.02, 0.3)
        seen &= ~missing_blobs(body, areas, face, fraction, rng, wavelength=rng.uniform(15, 80))
    if rng.random() < 0.3:
        # A face alone: the scan was cut around it.
        middle = body[inside].mean(axis=0)
        seen &= np.linalg.norm((body - middle) * [1.0, 0.8, 0.6], axis=1) < rng.uniform(85, 140)
    return seen
