"""Rendered faces with known truth, for the tests and the benchmark of fits to pictures."""

import dataclasses

import numpy as np

from geomface.faces.albedo import albedo_model
from geomface.faces.albedo_code import sample_albedo_code
from geomface.fitting.rendering.shading import lambert_basis
from geomface.fitting.rendering.sheet import render_face
from geomface.mesh.rotation import rotation_angle, rotation_matrix
from geomface.rendering.camera import Camera, Perspective, view_rotation
from geomface.rendering.differentiable.spherical_harmonics import LAMBERT
from geomface.statistics import MorphableModel


@dataclasses.dataclass(frozen=True, eq=False)
class RenderedFace:
    """A rendered face, its 68 landmarks with noise, and the truth."""

    image: np.ndarray
    landmarks: np.ndarray
    identity: np.ndarray
    vertices: np.ndarray
    neutral: np.ndarray
    colors: np.ndarray
    light: np.ndarray
    camera: Camera


def draw_light(rng: np.random.Generator) -> np.ndarray:
    """Ambient light and three lamps of the front half, slightly tinted, as (9, 3) harmonics.

    A lamp of strength e from d is e pi Y_k(d): a white surface that faces it shows about e.
    """
    light = np.zeros((9, 3))
    light[0] = np.sqrt(4 * np.pi) * rng.uniform(0.25, 0.5)
    for strength in rng.uniform(0.1, 0.6, 3):
        direction = np.array([rng.normal(0, 0.8), rng.normal(0.3, 0.5), rng.uniform(0.3, 1.0)])
        direction /= np.linalg.norm(direction)
        tint = 1.0 + rng.normal(0, 0.06, 3)
        radiance = lambert_basis(direction[None])[0] / np.array(LAMBERT)
        light += np.pi * strength * tint * radiance[:, None]
    return light


def draw_face(
    face: MorphableModel,
    seed: list[int],
    *,
    size: int = 256,
    noise_px: float = 1.0,
    noise: float = 0.01,
    yaw: float = 35.0,
) -> RenderedFace:
    """Draw identity, expression, skin, light and pose, and render them before a flat background."""
    rng = np.random.default_rng(seed)
    identity = face.sample_identity(rng)
    vertices = face.vertices(identity, face.sample_expression(rng))
    colors = albedo_model(face).colors(sample_albedo_code(identity, rng))
    light = draw_light(rng)
    roll = rotation_matrix(np.array([0.0, 0.0, np.radians(rng.uniform(-15, 15))]))
    rotation = roll @ view_rotation(rng.uniform(-yaw, yaw), rng.uniform(-15, 15))
    mean = face.mesh.vertices
    across = np.ptp(mean[:, 1])
    focal = rng.uniform(1.2, 2.2) * size
    depth = focal * across / (rng.uniform(0.62, 0.75) * size)
    beside = rng.uniform(-0.04, 0.04, 2) * across
    middle = np.full(2, size / 2)
    centre = 0.5 * (mean.max(axis=0) + mean.min(axis=0))
    camera = Perspective(rotation, np.array([*beside, -depth]), focal, middle, centre)
    mesh = face.mesh.replace(vertices=vertices)
    drawn = render_face(mesh, colors, light, camera, (size, size))
    image = drawn["rgb"] + (1 - drawn["alpha"][..., None]) * rng.uniform(0.1, 0.9, 3)
    image = np.clip(image + noise * rng.standard_normal(image.shape), 0, 1).astype(np.float32)
    landmarks = face.template.landmarks
    assert landmarks is not None
    points = camera.project(landmarks.positions(vertices))
    points = points + noise_px * rng.standard_normal(points.shape)
    neutral = face.vertices(identity)
    return RenderedFace(image, points, identity, vertices, neutral, colors, light, camera)


def rotation_angle_degrees(found: np.ndarray, true: np.ndarray) -> float:
    """Angle between two rotations."""
    return float(np.degrees(rotation_angle(found @ true.T)))
