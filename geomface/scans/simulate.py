"""Simulated scans: a face model seen by a two-pod scanner, with everything that goes wrong."""

import dataclasses
import functools
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from geomface.arrays import BoolArray, FloatArray, ImageArray, IndexArray
from geomface.datasets import layout
from geomface.errors import LandmarkError
from geomface.faces.albedo import ALBEDO_SIZE, AlbedoModel, albedo_model, sample_albedo_code
from geomface.mesh import Landmarks, Mesh, Template
from geomface.mesh.normals import vertex_normals
from geomface.mesh.rotation import rotation_about
from geomface.mesh.topology import unique_edges
from geomface.scans.damage import flying_clumps, holes, lumps, measured_landmarks, missing_blobs
from geomface.scans.fields import random_displacement, random_field
from geomface.scans.occluders import cover_surface
from geomface.scans.remesh import refine, resample, vertex_areas
from geomface.scans.settings import ScanSettings
from geomface.scans.surround import add_surround
from geomface.scans.visibility import front_faces, pod_directions, seen_vertices
from geomface.statistics import MorphableModel, require_model


@dataclasses.dataclass(frozen=True, eq=False)
class SimulatedScan:
    """A scan, its landmarks and the truth behind it.

    Parameters
    ----------
    mesh : the scan, mm, with vertex colours; no vertex of the model is among its vertices
    landmarks : what someone would have measured on it
    truth : arrays for measuring, never for fitting: `vertices` (V, 3) of the model on the clean
        surface in scan space, `albedo` (V, 3), `seen` (V,) bool, `landmarks` (L, 3) exact,
        `scale`, `rotation` (3, 3), `translation` (3,) with scan = scale rotation x + translation,
        `identity` (K,), `expression` (X,), `albedo_code` (16,), `noise_mm`, `wrong_landmarks` (n,)
        indices, `residual_rotation` (3, 3), and `covered` (N,) in [0, 1] at the scan's vertices:
        how much of what is there is no face
    """

    mesh: Mesh
    landmarks: Landmarks
    truth: Mapping[str, np.ndarray]


def simulate_scan(
    model: MorphableModel,
    *,
    rng: np.random.Generator,
    settings: ScanSettings | None = None,
    name: str = "scan",
) -> SimulatedScan:
    """Draw a person with an expression from a face model and scan them.

    Identity, expression, a smooth deformation outside the model, head and shoulders; visibility
    from two pods; holes, specks, missing blobs, lumps; new vertices and triangles; noise along the
    normals; an arbitrary similarity.

    Parameters
    ----------
    model : any face model whose template has 68 landmarks
    rng : the only source of randomness; equal states give equal bytes
    settings : see `ScanSettings`
    name : what messages call the scan

    Raises
    ------
    LandmarkError : the template has no multi-pie-68 landmarks, or fewer than are to be spoilt.

    Convention
    ----------
    The truth's rotation and scale take the model's axes (x left, y up, z forward, mm) to the scan.

    Example
    -------
    >>> import numpy as np
    >>> import geomface as gf
    >>> scan = gf.simulate_scan(gf.load_builtin_face(), rng=np.random.default_rng(1))
    >>> len(scan.landmarks.points), scan.mesh.unit, sorted(scan.truth)[:2]
    (68, 'mm', ['albedo', 'albedo_code'])
    """
    settings = settings or ScanSettings()
    embedding = require_model(model, "simulated scans").template.landmarks
    if embedding is None or len(embedding) != 68:
        raise LandmarkError(
            f"{model.name}: simulated scans need the 68 landmarks of multi-pie-68 on the template, "
            f"got {0 if embedding is None else len(embedding)}."
        )
    if settings.wrong_landmarks + settings.missing_landmarks > len(embedding):
        raise LandmarkError(
            f"expected at most {len(embedding)} wrong and missing landmarks together, got "
            f"{settings.wrong_landmarks} + {settings.missing_landmarks}."
        )
    identity = model.sample_identity(rng)
    expression = settings.expression * model.sample_expression(rng)
    expression = np.clip(expression, 0, 1)
    person = model.vertices(identity, expression)
    count = len(person)
    code, albedo = _albedo(model, identity, rng)
    body, faces = person, model.mesh.faces
    if settings.surround:
        body, faces = add_surround(person, faces, embedding.positions(person))
    if settings.deformation_mm:
        body = body + random_displacement(body, 90.0, settings.deformation_mm, rng, count=count)
    colors = np.vstack([albedo, _surround_colors(albedo, body, count, rng)])
    marks = embedding.positions(body[:count])
    surface = _scanned_surface(body, colors, faces, marks, count, settings, rng)
    positions, color, triangles, seen, covered = _sample_surface(surface, settings, rng)
    scale, rotation, translation = _random_pose(settings, rng)
    noise = float(rng.uniform(*settings.noise_mm))
    positions = scale * positions @ rotation.T + translation
    normals = vertex_normals(positions, triangles)
    positions = positions + noise * rng.standard_normal(len(positions))[:, None] * normals
    truth_vertices = scale * body[:count] @ rotation.T + translation
    exact = embedding.positions(truth_vertices)
    landmarks, wrong = measured_landmarks(
        exact,
        rng,
        scheme=embedding.scheme,
        noise=settings.landmark_noise_mm,
        wrong=settings.wrong_landmarks,
        wrong_distance=settings.wrong_landmark_mm,
        missing=settings.missing_landmarks,
        name=f"{name}.landmarks",
    )
    mesh = Mesh(positions, triangles, colors=np.clip(color, 0, 1).astype(np.float32), name=name)
    truth = {
        "vertices": truth_vertices,
        "albedo": albedo,
        "seen": seen[:count],
        "landmarks": exact,
        "scale": np.float64(scale),
        "rotation": rotation,
        "translation": translation,
        "identity": identity,
        "expression": expression,
        "albedo_code": code,
        "covered": covered,
        "noise_mm": np.float64(noise),
        "wrong_landmarks": wrong,
        "residual_rotation": _random_rotation(rng, settings.residual_pose_degrees),
    }
    return SimulatedScan(mesh, landmarks, truth)


def save_simulated_scan(folder: Path | str, index: int, scan: SimulatedScan) -> tuple[Path, ...]:
    """Write scanNNN.ply, scanNNN.landmarks.json and scanNNN.truth.npz and return their paths."""
    from geomface.files.atomic import atomic_path
    from geomface.mesh.io import save_landmarks, save_mesh

    stem = Path(folder) / f"scan{index:03d}"
    paths = tuple(
        Path(f"{stem}{end}") for end in (".ply", layout.SCAN_LANDMARKS, layout.SCAN_TRUTH)
    )
    save_mesh(paths[0], scan.mesh)
    save_landmarks(paths[1], scan.landmarks)
    single = ("vertices", "albedo", "landmarks", "identity", "expression", "albedo_code", "covered")
    arrays: dict[str, Any] = {
        key: np.asarray(value, np.float32 if key in single else None)
        for key, value in scan.truth.items()
    }
    with atomic_path(paths[2]) as temporary, open(temporary, "wb") as stream:
        np.savez_compressed(stream, **arrays)
    return paths


@dataclasses.dataclass(frozen=True, eq=False)
class _Surface:
    """The finely triangulated surface that the scanner caught.

    `true` is False under lumps, and where `covered` says that something lies on the face.
    """

    positions: FloatArray
    colors: FloatArray
    faces: IndexArray
    density: FloatArray
    true: BoolArray
    covered: BoolArray


def _scanned_surface(
    body: FloatArray,
    colors: FloatArray,
    faces: IndexArray,
    marks: FloatArray,
    count: int,
    settings: ScanSettings,
    rng: np.random.Generator,
) -> _Surface:
    """Refine and cover the body, find what the pods see, and damage it."""
    pitch = settings.pod_pitch_degrees + rng.uniform(-6, 6, 2)
    yaw = settings.pod_yaw_degrees * np.array([-1, 1]) + rng.uniform(-4, 4, 2)
    pods = pod_directions(yaw, pitch)
    spacing = _scan_spacing(body, faces, count, settings.vertices)
    # What owns no pixel hides nothing either: it need not be refined.
    faces = faces[front_faces(body, faces, pods)]
    inside = (np.arange(len(body)) < count).astype(np.float64)
    attributes = np.column_stack([body, colors, inside, spacing])
    attributes, faces = refine(attributes, faces, 0.65 * spacing)
    positions, colors = np.ascontiguousarray(attributes[:, :3]), attributes[:, 3:6]
    inside, spacing = attributes[:, 6] > 0.5, attributes[:, 7]
    covered = np.zeros(len(positions), bool)
    if settings.occluders:
        cover = cover_surface(positions, colors, marks, settings.occluders, rng)
        covered, colors = cover.covered, cover.colors
        positions = positions + cover.lift[:, None] * vertex_normals(positions, faces)
    cosine = seen_vertices(positions, faces, pods)
    # Grazing surface comes and goes: the limit wanders between about 0.1 and 0.3.
    seen = cosine > 0.2 + 0.04 * random_field(positions, 12.0, rng, waves=12)
    areas = vertex_areas(positions, faces)
    face_part = seen & inside
    if settings.hole_count:
        seen &= ~holes(positions, face_part, rng, count=settings.hole_count, radius=(1.5, 5.0))
    for fraction, wavelength in ((settings.dropout_fraction, 10.0),
                                 (settings.missing_fraction, 70.0)):  # fmt: skip
        seen &= ~missing_blobs(positions, areas, face_part, fraction, rng, wavelength=wavelength)
    if settings.outlier_fraction:
        normals = vertex_normals(positions, faces)
        lift = lumps(positions, normals, areas, seen & inside, settings.outlier_fraction / 2, rng)
        positions = positions + lift
        wrong = np.linalg.norm(lift, axis=1) > 1.0
    else:
        wrong = np.zeros(len(positions), bool)
    caught = faces[seen[faces].all(axis=1)]
    return _Surface(positions, colors, caught, 1.0 / spacing**2, ~(wrong | covered), covered)


def _scan_spacing(body: FloatArray, faces: IndexArray, count: int, wanted: int) -> FloatArray:
    """Return the distance between neighbouring scan vertices, mm, at every vertex of the body.

    The scan is denser where the model is: half of its vertices are spread by area, half like the
    model's own vertices.
    """
    edges = unique_edges(faces)
    lengths = np.linalg.norm(body[edges[:, 0]] - body[edges[:, 1]], axis=1)
    degree = np.bincount(edges.ravel(), minlength=len(body))
    local = np.bincount(edges.ravel(), np.repeat(lengths, 2), len(body)) / degree
    local[count:] = np.percentile(local[:count], 90)
    # About 60 % of the body is seen; the surround gets fewer vertices than the face.
    share = np.where(np.arange(len(body)) < count, 1.0, 0.4)
    area = 0.6 * vertex_areas(body, faces)
    own = 1.0 / local**2
    even, detailed = share / (share * area).sum(), share * own / (share * own * area).sum()
    density = 0.5 * wanted * (even + detailed)
    return np.sqrt(2 / (np.sqrt(3) * density))


def _sample_surface(
    surface: _Surface, settings: ScanSettings, rng: np.random.Generator
) -> tuple[FloatArray, FloatArray, IndexArray, BoolArray, FloatArray]:
    """Return the scan's vertices, colours and triangles, which fine vertices it shows, and (N,)
    how much of each scan vertex is no face."""
    floating = 0.5 * settings.outlier_fraction * settings.vertices
    count = settings.vertices - int(floating)
    scan = resample(surface.positions, surface.faces, surface.density, count, rng, smallest=40)
    triangles = scan.faces
    positions = np.einsum("nk,nkc->nc", scan.weights, surface.positions[scan.corners])
    color = np.einsum("nk,nkc->nc", scan.weights, surface.colors[scan.corners])
    covered = (scan.weights * surface.covered[scan.corners]).sum(axis=1)
    normals = vertex_normals(positions, triangles)
    light = normals @ np.array([0.2, 0.4, 0.9]) / np.linalg.norm([0.2, 0.4, 0.9])
    color = color * (1 + settings.shading * (np.clip(light, 0, 1) - 0.8))[:, None]
    if floating:
        extra, extra_faces = flying_clumps(
            positions, normals, np.arange(len(positions)), int(floating), rng
        )
        hair = np.array([0.16, 0.12, 0.09]) * rng.uniform(0.5, 2.0)
        triangles = np.vstack([triangles, extra_faces + len(positions)])
        positions = np.vstack([positions, extra])
        color = np.vstack([color, np.tile(hair, (len(extra), 1))])
        covered = np.append(covered, np.ones(len(extra)))
    color = color + settings.color_noise * rng.standard_normal(color.shape)
    return positions, color, triangles, scan.claimed & surface.true, covered


def _random_rotation(rng: np.random.Generator, degrees: float) -> FloatArray:
    axis = rng.standard_normal(3)
    return rotation_about(axis / np.linalg.norm(axis), np.radians(degrees))


def _random_pose(
    settings: ScanSettings, rng: np.random.Generator
) -> tuple[float, FloatArray, FloatArray]:
    scale = float(rng.uniform(*settings.scale))
    rotation = _random_rotation(rng, rng.uniform(0, settings.pose_degrees))
    return scale, rotation, rng.uniform(-settings.shift_mm, settings.shift_mm, 3)


@functools.lru_cache(maxsize=2)
def _albedo_model(template: Template) -> AlbedoModel:
    """Keep what depends on the template alone."""
    return albedo_model(template)


def _albedo(
    model: MorphableModel, identity: FloatArray, rng: np.random.Generator
) -> tuple[FloatArray, FloatArray]:
    """Return the code (16,) and the (V, 3) skin colours at the model's vertices.

    The code is tied to the identity where that is long enough.
    """
    if len(identity) >= ALBEDO_SIZE:
        code = sample_albedo_code(identity, rng)
    else:
        code = rng.standard_normal(ALBEDO_SIZE)
    return code, _albedo_model(model.template).colors(code).astype(np.float64)


def _surround_colors(
    albedo: ImageArray | FloatArray, body: FloatArray, count: int, rng: np.random.Generator
) -> FloatArray:
    """Continue the skin over the surround: its median colour with slow changes."""
    tone = np.median(albedo, axis=0)
    change = random_field(body[count:], 60.0, rng)
    return tone * (1 + 0.03 * change)[:, None]
