"""What goes wrong in a scan: holes, missing surface, lumps, flying clumps, wrong landmarks."""

import numpy as np

from geomface.arrays import BoolArray, FloatArray, IndexArray
from geomface.mesh.landmarks import Landmarks
from geomface.scans.fields import random_field, weighted_quantile


def holes(
    positions: FloatArray,
    seen: BoolArray,
    rng: np.random.Generator,
    *,
    count: int,
    radius: tuple[float, float],
) -> BoolArray:
    """Return the vertices inside `count` balls around random seen vertices.

    Parameters
    ----------
    positions : (V, 3) float64, mm
    radius : smallest and largest radius, mm
    """
    inside = np.zeros(len(positions), bool)
    candidates = np.flatnonzero(seen)
    for _ in range(count):
        centre = positions[candidates[int(rng.integers(len(candidates)))]]
        size = rng.uniform(*radius)
        inside |= ((positions - centre) ** 2).sum(axis=1) < size * size
    return inside


def missing_blobs(
    positions: FloatArray,
    areas: FloatArray,
    region: BoolArray,
    fraction: float,
    rng: np.random.Generator,
    *,
    wavelength: float,
) -> BoolArray:
    """Return blobs that cover this fraction of the region's area: a random field's high places.

    Parameters
    ----------
    positions : (V, 3) float64, mm
    areas : (V,) float64, surface at every vertex
    region : (V,) bool, where the fraction is counted
    fraction : in [0, 1)
    wavelength : mm; blobs are about half as wide
    """
    if fraction <= 0:
        return np.zeros(len(positions), bool)
    field = random_field(positions, wavelength, rng, waves=20)
    return field > weighted_quantile(field[region], areas[region], 1 - fraction)


def lumps(
    positions: FloatArray,
    normals: FloatArray,
    areas: FloatArray,
    region: BoolArray,
    fraction: float,
    rng: np.random.Generator,
) -> FloatArray:
    """Return the displacement (V, 3) of attached lumps that cover this fraction of the region.

    Each lump lifts a ball of 8 to 20 mm by up to 6 to 20 mm along the mean normal, like hair or a
    collar over the skin.
    """
    lifted = np.zeros(len(positions))
    displacement = np.zeros_like(positions)
    candidates = np.flatnonzero(region)
    goal = fraction * areas[region].sum()
    for _ in range(200):
        if fraction <= 0 or areas[(lifted > 1.0) & region].sum() >= goal:
            break
        centre = candidates[int(rng.integers(len(candidates)))]
        size, height = rng.uniform(8, 20), rng.uniform(6, 20)
        squared = ((positions - positions[centre]) ** 2).sum(axis=1) / size**2
        profile = height * np.clip(1 - squared, 0, None) ** 2
        near = squared < 1
        direction = normals[near].mean(axis=0)
        direction /= max(float(np.linalg.norm(direction)), 1e-9)
        displacement += profile[:, None] * direction
        lifted = np.linalg.norm(displacement, axis=1)
    return displacement


def flying_clumps(
    positions: FloatArray,
    normals: FloatArray,
    candidates: IndexArray,
    count: int,
    rng: np.random.Generator,
) -> tuple[FloatArray, IndexArray]:
    """Return vertices and triangles of closed lumps that float before the surface.

    Parameters
    ----------
    candidates : vertices in front of which a clump may float
    count : wanted number of clump vertices, kept to within one clump
    """
    sphere, triangles = icosphere(2)
    vertices, faces = [np.zeros((0, 3))], [np.zeros((0, 3), np.int64)]
    for index in range(round(count / len(sphere))):
        place = candidates[int(rng.integers(len(candidates)))]
        radii = rng.uniform(4, 12, 3)
        gap = radii.max() + rng.uniform(3, 15)
        ball = sphere * radii * (1 + 0.15 * random_field(sphere * 10, 12.0, rng))[:, None]
        vertices.append(ball + positions[place] + gap * normals[place])
        faces.append(triangles + index * len(sphere))
    return np.vstack(vertices), np.vstack(faces)


def icosphere(rounds: int) -> tuple[FloatArray, IndexArray]:
    """Return a unit sphere of triangles, from an icosahedron cut `rounds` times."""
    from geomface.scans.remesh import refine

    golden = (1 + 5**0.5) / 2
    corners = np.array(
        [(a * s, b * t, 0) for a, b in ((1.0, golden),) for s in (1, -1) for t in (1, -1)]
    )
    vertices = np.vstack([np.roll(corners, shift, axis=1) for shift in range(3)])
    # The twenty faces are the triples of vertices at mutual distance 2.
    distance = np.linalg.norm(vertices[:, None] - vertices, axis=2)
    near = np.isclose(distance, 2.0)
    faces = np.array(
        [
            (i, j, k)
            for i in range(12)
            for j in range(i + 1, 12)
            for k in range(j + 1, 12)
            if near[i, j] and near[j, k] and near[i, k]
        ]
    )
    outside = np.linalg.det(vertices[faces]) > 0
    faces = np.where(outside[:, None], faces, faces[:, ::-1])
    for _ in range(rounds):
        vertices, faces = refine(vertices, faces, np.zeros(len(vertices)), rounds=1)
        vertices = vertices / np.linalg.norm(vertices, axis=1)[:, None]
    return vertices, faces


def measured_landmarks(
    points: FloatArray,
    rng: np.random.Generator,
    *,
    scheme: str,
    noise: float,
    wrong: int,
    wrong_distance: float,
    missing: int,
    name: str,
) -> tuple[Landmarks, IndexArray]:
    """Return landmarks as someone would have clicked them, and which of them are wrong.

    Parameters
    ----------
    points : (L, 3) float64, the true places, mm
    noise : standard deviation an axis, mm
    wrong : number of landmarks moved by `wrong_distance` mm in a random direction
    missing : number of landmarks left out; none of the wrong ones
    """
    measured = points + noise * rng.standard_normal(points.shape)
    order = rng.permutation(len(points))
    moved = np.sort(order[:wrong])
    direction = rng.standard_normal((len(points), 3))
    direction /= np.linalg.norm(direction, axis=1)[:, None]
    measured[moved] += wrong_distance * direction[moved]
    measured[order[wrong : wrong + missing]] = np.nan
    return Landmarks(measured, scheme, name=name), moved
