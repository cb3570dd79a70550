"""Simulated scans: a face model seen by a two-pod scanner, with everything that goes wrong."""

import dataclasses
import functools
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from geomface.arrays import FloatArray
from geomface.datasets import layout
from geomface.errors import LandmarkError
from geomface.faces.albedo import AlbedoModel, albedo_model
from geomface.faces.albedo_code import TOLD, draw_code, sample_albedo_code
from geomface.mesh import LandmarkEmbedding, Landmarks, Mesh, Template
from geomface.mesh.normals import vertex_normals
from geomface.mesh.rotation import rotation_about
from geomface.scans.capture import Body, catch_surface, sample_surface
from geomface.scans.damage import measured_landmarks
from geomface.scans.fields import random_displacement, random_field
from geomface.scans.settings import ScanSettings
from geomface.scans.surround import add_surround
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
        `identity` (K,), `expression` (X,), `albedo_code` (n,), `noise_mm`, `wrong_landmarks` (n,)
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
    embedding = _landmarks_of(model, settings)
    identity = model.sample_identity(rng)
    expression = np.clip(settings.expression * model.sample_expression(rng), 0, 1)
    code, albedo = _albedo(model, identity, rng)
    body = _body(model, embedding, model.vertices(identity, expression), albedo, settings, rng)
    surface = catch_surface(body, settings, rng)
    points = sample_surface(surface, settings, rng)
    scale = float(rng.uniform(*settings.scale))
    rotation = _random_rotation(rng, rng.uniform(0, settings.pose_degrees))
    translation = rng.uniform(-settings.shift_mm, settings.shift_mm, 3)
    noise = float(rng.uniform(*settings.noise_mm))
    positions = scale * points.positions @ rotation.T + translation
    normals = vertex_normals(positions, points.faces)
    positions = positions + noise * rng.standard_normal(len(positions))[:, None] * normals
    colors = np.clip(points.colors, 0, 1).astype(np.float32)
    vertices = scale * body.vertices[: body.count] @ rotation.T + translation
    exact = embedding.positions(vertices)
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
    truth = {
        "vertices": vertices,
        "albedo": albedo,
        "seen": points.shown[: body.count],
        "landmarks": exact,
        "scale": np.float64(scale),
        "rotation": rotation,
        "translation": translation,
        "identity": identity,
        "expression": expression,
        "albedo_code": code,
        "covered": points.covered,
        "noise_mm": np.float64(noise),
        "wrong_landmarks": wrong,
        "residual_rotation": _random_rotation(rng, settings.residual_pose_degrees),
    }
    return SimulatedScan(Mesh(positions, points.faces, colors=colors, name=name), landmarks, truth)


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


def _landmarks_of(model: MorphableModel, settings: ScanSettings) -> LandmarkEmbedding:
    """Return where the 68 landmarks lie, after checking that there are enough to spoil."""
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
    return embedding


def _body(
    model: MorphableModel,
    embedding: LandmarkEmbedding,
    person: FloatArray,
    albedo: FloatArray,
    settings: ScanSettings,
    rng: np.random.Generator,
) -> Body:
    """Return a person with head and shoulders, smoothly off what the model can make."""
    place, faces, count = person, model.mesh.faces, len(person)
    if settings.surround:
        place, faces = add_surround(person, faces, embedding.positions(person))
    if settings.deformation_mm:
        place = place + random_displacement(place, 90.0, settings.deformation_mm, rng, count=count)
    # The skin goes on over the surround: its median colour with slow changes.
    change = random_field(place[count:], 60.0, rng)
    around = np.median(albedo, axis=0) * (1 + 0.03 * change)[:, None]
    marks = embedding.positions(place[:count])
    return Body(place, np.vstack([albedo, around]), faces, count, marks)


def _random_rotation(rng: np.random.Generator, degrees: float) -> FloatArray:
    axis = rng.standard_normal(3)
    return rotation_about(axis / np.linalg.norm(axis), np.radians(degrees))


@functools.lru_cache(maxsize=2)
def _albedo_model(template: Template) -> AlbedoModel:
    """Keep what depends on the template alone."""
    return albedo_model(template)


def _albedo(
    model: MorphableModel, identity: FloatArray, rng: np.random.Generator
) -> tuple[FloatArray, FloatArray]:
    """Return the code (ALBEDO_SIZE,) and the (V, 3) skin colours at the model's vertices.

    The code is tied to the identity where that is long enough.
    """
    if len(identity) >= len(TOLD):
        code = sample_albedo_code(identity, rng)
    else:
        code = draw_code(rng)
    return code, _albedo_model(model.template).colors(code).astype(np.float64)
