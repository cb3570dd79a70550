"""Views of training scans with the true places of the landmarks in them."""

import dataclasses
from collections.abc import Sequence

import numpy as np

from geomface.arrays import FloatArray
from geomface.landmarks.training.scans import TrainingScan, draw_training_scan
from geomface.landmarks.views import (
    VIEW_EXTENT_MM,
    VIEW_SIZE,
    View,
    render_geometry,
)
from geomface.mesh.rotation import around_z
from geomface.rendering.camera import view_rotation
from geomface.statistics import MorphableModel

NEAR_SHARE = 0.55
"""Share of views that are nearly canonical, as they are after the first guess."""
ANY_SHARE = 0.12
"""Share of views from anywhere: the network has to know when it does not look at a face."""
ADULT_MM = 59.0
"""Typical distance of an adult's landmarks from their middle (root of the mean square)."""


@dataclasses.dataclass(frozen=True, eq=False)
class TrainingViews:
    """Pictures and labels.

    Parameters
    ----------
    pictures : (N, 4, S, S) int8, 127 times the values of `render_geometry`
    points : (N, 68, 2) float32, pixels, x right, y down, of hidden landmarks too
    visible : (N, 68) bool, the surface at the pixel is the landmark's
    """

    pictures: np.ndarray
    points: np.ndarray
    visible: np.ndarray


def random_view(landmarks: FloatArray, rng: np.random.Generator) -> View:
    """Draw a view of a face in the model's axes: often nearly canonical, else far off.

    A nearly canonical view is as wide as the face asks for, since its size is known by then.
    """
    middle = landmarks.mean(axis=0)
    kind = rng.random()
    if kind < NEAR_SHARE:
        yaw = rng.choice([-35.0, 0.0, 35.0]) + rng.normal(0, 8)
        pitch, roll = rng.normal(0, 7), rng.normal(0, 5)
        size = float(np.sqrt(((landmarks - middle) ** 2).sum(axis=1).mean()))
        zoom, shift = size / ADULT_MM * np.exp(rng.normal(0, 0.06)), 0.03
    else:
        yaw, pitch = rng.uniform(-65, 65), rng.uniform(-40, 40)
        roll = rng.uniform(-50, 50)
        zoom, shift = np.exp(rng.uniform(-0.35, 0.35)), 0.12
    if kind > 1.0 - ANY_SHARE:
        rotation = _any_rotation(rng)
    else:
        rotation = around_z(roll) @ view_rotation(yaw, pitch)
    extent = VIEW_EXTENT_MM * zoom
    return View(rotation, middle + rng.normal(0, shift, 3) * extent, extent)


def _any_rotation(rng: np.random.Generator) -> FloatArray:
    """Return a rotation (3, 3) of which none is likelier than another."""
    axes, upper = np.linalg.qr(rng.standard_normal((3, 3)))
    axes = axes * np.sign(np.diag(upper))
    return axes * np.linalg.det(axes)


def label_view(scan: TrainingScan, view: View) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Render one view; return the picture as int8, the landmarks' pixels, and which are seen."""
    picture, face_ids = render_geometry(scan.vertices, scan.faces, scan.normals, view)
    points, height = view.project(scan.landmarks)
    cell = np.floor(points).astype(np.int64)
    inside = ((cell >= 0) & (cell < VIEW_SIZE)).all(axis=1)
    row, column = np.clip(cell[:, 1], 0, VIEW_SIZE - 1), np.clip(cell[:, 0], 0, VIEW_SIZE - 1)
    depth = picture[3, row, column] * 0.5 * view.extent
    visible = inside & (face_ids[row, column] >= 0) & (np.abs(depth - height) < 6.0)
    return np.round(127 * picture).astype(np.int8), points.astype(np.float32), visible


def draw_views(
    models: Sequence[MorphableModel], people: int, rng: np.random.Generator, *, views: int = 4
) -> TrainingViews:
    """Draw labelled views of `people` persons, `views` of each, people from all models alike."""
    pictures, points, visible = [], [], []
    for _ in range(people):
        scan = draw_training_scan(models[int(rng.integers(len(models)))], rng)
        for _ in range(views):
            picture, pixels, seen = label_view(scan, random_view(scan.landmarks, rng))
            pictures.append(picture)
            points.append(pixels)
            visible.append(seen)
    return TrainingViews(np.stack(pictures), np.stack(points), np.stack(visible))
