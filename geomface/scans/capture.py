"""From a body in front of the scanner to the points that it writes down."""

import dataclasses

import numpy as np

from geomface.arrays import BoolArray, FloatArray, IndexArray
from geomface.mesh.normals import vertex_normals
from geomface.mesh.topology import unique_edges
from geomface.scans.damage import flying_clumps, holes, lumps, missing_blobs
from geomface.scans.fields import random_field
from geomface.scans.occluders import cover_surface
from geomface.scans.remesh import refine, resample, vertex_areas
from geomface.scans.settings import ScanSettings
from geomface.scans.visibility import front_faces, pod_directions, seen_vertices

_LIGHT = np.array([0.2, 0.4, 0.9]) / np.linalg.norm([0.2, 0.4, 0.9])


@dataclasses.dataclass(frozen=True, eq=False)
class Body:
    """Who stands in front of the scanner.

    Parameters
    ----------
    vertices, colors : (n, 3) float64, mm and sRGB; the face model's come first
    faces : (m, 3)
    count : number of vertices of the face model
    landmarks : (68, 3) on the face
    """

    vertices: FloatArray
    colors: FloatArray
    faces: IndexArray
    count: int
    landmarks: FloatArray


@dataclasses.dataclass(frozen=True, eq=False)
class CaughtSurface:
    """The part of a finely triangulated body that the scanner caught.

    Parameters
    ----------
    positions, colors : (v, 3) float64; the body's vertices come first
    faces : (f, 3), what was caught
    density : (v,) float64, wanted scan vertices a unit of area, up to a factor
    true : (v,) False under lumps, and where something lies on the face
    covered : (v,) True where something lies on the face
    """

    positions: FloatArray
    colors: FloatArray
    faces: IndexArray
    density: FloatArray
    true: BoolArray
    covered: BoolArray


@dataclasses.dataclass(frozen=True, eq=False)
class ScanPoints:
    """What the scanner writes down, before its noise and pose.

    Parameters
    ----------
    positions, colors : (n, 3) float64
    faces : (m, 3)
    covered : (n,) in [0, 1], how much of each vertex is no face
    shown : (v,) bool, vertices of the caught surface that the scan shows as they are
    """

    positions: FloatArray
    colors: FloatArray
    faces: IndexArray
    covered: FloatArray
    shown: BoolArray


def catch_surface(body: Body, settings: ScanSettings, rng: np.random.Generator) -> CaughtSurface:
    """Refine and cover the body, find what the pods see, and damage it."""
    pitch = settings.pod_pitch_degrees + rng.uniform(-6, 6, 2)
    yaw = settings.pod_yaw_degrees * np.array([-1, 1]) + rng.uniform(-4, 4, 2)
    pods = pod_directions(yaw, pitch)
    spacing = _scan_spacing(body, settings.vertices)
    # What owns no pixel hides nothing either: it need not be refined.
    faces = body.faces[front_faces(body.vertices, body.faces, pods)]
    inside = (np.arange(len(body.vertices)) < body.count).astype(np.float64)
    attributes = np.column_stack([body.vertices, body.colors, inside, spacing])
    attributes, faces = refine(attributes, faces, 0.65 * spacing)
    positions, colors = np.ascontiguousarray(attributes[:, :3]), attributes[:, 3:6]
    inside, spacing = attributes[:, 6] > 0.5, attributes[:, 7]
    covered = np.zeros(len(positions), bool)
    if settings.occluders:
        cover = cover_surface(positions, colors, body.landmarks, settings.occluders, rng)
        covered, colors = cover.covered, cover.colors
        positions = positions + cover.lift[:, None] * vertex_normals(positions, faces)
    cosine = seen_vertices(positions, faces, pods)
    # Grazing surface comes and goes: the limit wanders between about 0.1 and 0.3.
    seen = cosine > 0.2 + 0.04 * random_field(positions, 12.0, rng, waves=12)
    areas = vertex_areas(positions, faces)
    face_part = seen & inside
    if settings.hole_count:
        seen &= ~holes(positions, face_part, rng, count=settings.hole_count, radius=(1.5, 5.0))
    for fraction, wavelength in (
        (settings.dropout_fraction, 10.0),
        (settings.missing_fraction, 70.0),
    ):
        seen &= ~missing_blobs(positions, areas, face_part, fraction, rng, wavelength=wavelength)
    wrong = np.zeros(len(positions), bool)
    if settings.outlier_fraction:
        normals = vertex_normals(positions, faces)
        lift = lumps(positions, normals, areas, seen & inside, settings.outlier_fraction / 2, rng)
        positions = positions + lift
        wrong = np.linalg.norm(lift, axis=1) > 1.0
    caught = faces[seen[faces].all(axis=1)]
    return CaughtSurface(positions, colors, caught, 1.0 / spacing**2, ~(wrong | covered), covered)


def _scan_spacing(body: Body, wanted: int) -> FloatArray:
    """Return the distance between neighbouring scan vertices, mm, at every vertex of the body.

    The scan is denser where the model is: half of its vertices are spread by area, half like the
    model's own vertices.
    """
    place, count = body.vertices, body.count
    edges = unique_edges(body.faces)
    lengths = np.linalg.norm(place[edges[:, 0]] - place[edges[:, 1]], axis=1)
    degree = np.bincount(edges.ravel(), minlength=len(place))
    local = np.bincount(edges.ravel(), np.repeat(lengths, 2), len(place)) / degree
    local[count:] = np.percentile(local[:count], 90)
    # About 60 % of the body is seen; the surround gets fewer vertices than the face.
    share = np.where(np.arange(len(place)) < count, 1.0, 0.4)
    area = 0.6 * vertex_areas(place, body.faces)
    own = 1.0 / local**2
    even, detailed = share / (share * area).sum(), share * own / (share * own * area).sum()
    density = 0.5 * wanted * (even + detailed)
    return np.sqrt(2 / (np.sqrt(3) * density))


def sample_surface(
    surface: CaughtSurface, settings: ScanSettings, rng: np.random.Generator
) -> ScanPoints:
    """Give the caught surface the scanner's own vertices and triangles, shading and outliers."""
    floating = 0.5 * settings.outlier_fraction * settings.vertices
    count = settings.vertices - int(floating)
    scan = resample(surface.positions, surface.faces, surface.density, count, rng, smallest=40)
    faces = scan.faces
    positions = np.einsum("nk,nkc->nc", scan.weights, surface.positions[scan.corners])
    colors = np.einsum("nk,nkc->nc", scan.weights, surface.colors[scan.corners])
    covered = (scan.weights * surface.covered[scan.corners]).sum(axis=1)
    normals = vertex_normals(positions, faces)
    bright = np.clip(normals @ _LIGHT, 0, 1) - 0.8
    colors = colors * (1 + settings.shading * bright)[:, None]
    if floating:
        everywhere = np.arange(len(positions))
        extra, extra_faces = flying_clumps(positions, normals, everywhere, int(floating), rng)
        hair = np.array([0.16, 0.12, 0.09]) * rng.uniform(0.5, 2.0)
        faces = np.vstack([faces, extra_faces + len(positions)])
        positions = np.vstack([positions, extra])
        colors = np.vstack([colors, np.tile(hair, (len(extra), 1))])
        covered = np.append(covered, np.ones(len(extra)))
    colors = colors + settings.color_noise * rng.standard_normal(colors.shape)
    return ScanPoints(positions, colors, faces, covered, scan.claimed & surface.true)
