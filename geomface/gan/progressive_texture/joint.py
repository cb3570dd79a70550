"""Which geometry belongs to a texture: learned from the faces of a pipeline, kept in a file."""

import dataclasses
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch

from geomface.arrays import FloatArray, ImageArray, frozen, require_shape
from geomface.datasets import layout, load_textures
from geomface.datasets.registered_faces import load_run_template, registered_mm
from geomface.errors import FileFormatError, SettingsError
from geomface.files.assets import asset_path
from geomface.files.reading import taking_apart
from geomface.files.tensors import load_tensors, save_tensors
from geomface.learning.errors import DatasetError
from geomface.learning.samples import to_pictures
from geomface.mesh import Mesh
from geomface.mesh.uv_fingerprint import require_same_uv, uv_fingerprint
from geomface.statistics import (
    TextureModel,
    align_meshes,
    fit_pca,
    fit_texture_pca,
    seen_coefficients,
)
from geomface.statistics.assignment import GeometryPredictor, fit_assignment, pair_faces

TEXEL_NOISE = 0.02
"""Standard deviation of a baked texel, of the range of colours."""
MOST_MODES, FACES_A_MODE = 200, 4
MEANS = ("least_squares", "maximum_likelihood", "nonlinear", "mean")
"""Assignments that give the mean of all geometries that a texture may have."""
VARIETY_MODES, NO_ERROR_MM = 30, 1e-6
"""Modes kept of what faces of one texture differ in, and the error that is none."""

KIND, SCHEMA = "joint-texture-geometry", 1
_LINEAR_MM = 1e-6
_NEEDED = (
    *(f"texture/{name}" for name in ("mean", "basis", "valid")),
    *(f"geometry/{name}" for name in ("mean", "slopes")),
    *(f"mesh/{name}" for name in ("vertices", "faces", "uv", "uv_faces")),
)


@dataclasses.dataclass(frozen=True, eq=False)
class JointModel:
    """What turns a texture image into a face.

    Parameters
    ----------
    template : mesh with uv, in mm; faces take its triangles and uv
    textures : linear model of the texture images, whose coefficients the assignment reads
    assignment : from texture coefficients in colour units to (V, 3) vertices in mm
    reach : largest Mahalanobis length of the real faces' texture coefficients
    variety : (M, V, 3) mm, what faces of one texture differ in, each mode one standard deviation;
        None where the assignment gives the geometry of one face
    """

    template: Mesh
    textures: TextureModel
    assignment: GeometryPredictor
    reach: float
    variety: FloatArray | None = None

    @property
    def size(self) -> int:
        """Pixels a side of the textures."""
        return self.textures.mean.shape[0]


def fit_joint_model(
    folder: Path | str,
    size: int,
    *,
    method: str = "least_squares",
    modes: int | None = None,
    rng: np.random.Generator | None = None,
) -> JointModel:
    """Learn which geometry belongs to a texture from the faces of a pipeline's output.

    Parameters
    ----------
    folder : `geomface pipeline run --out`; every item that was baked is a pair
    size : pixels a side to reduce the textures to, that of the generator
    method : one of `statistics.assignment.METHODS`; least squares chooses its ridge itself
    modes : of the textures; default one for four faces, at most 200
    rng : for "random" only

    Raises
    ------
    DatasetError : no pairs, or a template without uv
    MeshError, SettingsError : too few faces, another topology, an unknown method

    Convention
    ----------
    Faces are aligned by rigid motions, so they keep their size, in the template's pose. Only the
    texels that a face's mask shows decide its coefficients. A texture further from the mean than
    any real one is drawn back to their reach before its geometry is looked up, because a linear
    assignment would make no face of it; the paper does not do that.

    Source
    ------
    Shamai, Slossberg, Kimmel 2018, Sec. 7.
    """
    root = Path(folder)
    if not (root / layout.TEMPLATE_MESH).is_file():
        raise DatasetError(
            f"{root}: expected the output of a pipeline with {layout.TEMPLATE_MESH}, got none. Run "
            "'geomface pipeline run' on scans first."
        )
    template = load_run_template(root).mesh
    if template.uv is None:
        raise DatasetError(
            f"{root / layout.TEMPLATE_MESH}: expected a mesh with uv, got one without."
        )
    data = load_textures(root, size)
    require_same_uv(data.uv, uv_fingerprint(template), root / data.names[0], layout.TEMPLATE_MESH)
    items = [(root / name).parent for name in data.names]
    vertices = np.stack([registered_mm(item, template) for item in items])
    images, masks = data.read(torch.arange(len(data)))
    pictures, shown = to_pictures(images), masks[:, 0].numpy() > 0
    modes = max(1, min(modes or MOST_MODES, len(items) // FACES_A_MODE))
    model = fit_texture_pca(pictures, shown, components=modes)
    scores = np.stack([_score(model, *pair) for pair in zip(pictures, shown, strict=True)])
    aligned = align_meshes(vertices, reference=template.vertices, scale=False).aligned
    pairs = pair_faces(scores, aligned, texture_components=min(modes, scores.shape[1]))
    assignment = fit_assignment(pairs, method, rng=rng, ridge="auto")
    reach = float(np.linalg.norm(scores / np.sqrt(model.variances), axis=1).max())
    variety = _variety(aligned - assignment.predict(scores)) if method in MEANS else None
    return JointModel(template.replace(unit="mm"), model, assignment, reach, variety)


def _variety(errors: FloatArray) -> FloatArray | None:
    """Return the leading modes (M, V, 3) of an assignment's errors (N, V, 3), None without any."""
    if np.abs(errors).max() < NO_ERROR_MM:
        return None
    many = len(errors) > 4 * VARIETY_MODES  # few faces may have fewer modes than are asked for
    modes = fit_pca(errors, components=VARIETY_MODES if many else None)
    return modes.modes[:VARIETY_MODES].astype(np.float64)


def assigned_vertices(joint: JointModel, picture: ImageArray) -> FloatArray:
    """Return the vertices (V, 3) in mm that belong to a texture (S, S, 3) in [0, 1].

    Its coefficients are drawn back to the reach of the real faces.
    """
    scores = _score(joint.textures, picture, np.ones(picture.shape[:2], bool))
    length = float(np.linalg.norm(scores / np.sqrt(joint.textures.variances)))
    scores *= min(1.0, joint.reach / max(length, 1e-12))
    return joint.assignment.predict(scores[None])[0]


def _score(model: TextureModel, picture: ImageArray, shown: np.ndarray) -> FloatArray:
    """Return (K,) coefficients in colour units that the visible texels of a picture say."""
    return seen_coefficients(model, picture, shown, sigma=TEXEL_NOISE) * np.sqrt(model.variances)


@dataclasses.dataclass(frozen=True, eq=False)
class LinearGeometry:
    """A geometry that is linear in the texture's coefficients: g = mean + sum_k t_k slopes_k.

    Parameters
    ----------
    mean : (V, 3) float64, mm, of a texture whose coefficients are 0
    slopes : (K, V, 3) float64, mm a unit of the coefficient
    """

    mean: FloatArray
    slopes: FloatArray

    def __post_init__(self) -> None:
        mean = require_shape(self.mean, (None, 3), "geometry: mean")
        slopes = require_shape(self.slopes, (None, len(mean), 3), "geometry: slopes")
        object.__setattr__(self, "mean", frozen(mean, np.float64))
        object.__setattr__(self, "slopes", frozen(slopes, np.float64))

    def predict(self, textures: np.ndarray) -> FloatArray:
        """Return geometries (n, V, 3) of texture coefficients (n, K)."""
        rows = require_shape(np.asarray(textures), (None, len(self.slopes)), "coefficients")
        return self.mean + np.tensordot(rows.astype(np.float64), self.slopes, axes=1)


def save_joint(path: Path | str, joint: JointModel, *, half: bool = False) -> None:
    """Write a joint model whose assignment is linear (least squares, maximum likelihood, mean).

    Parameters
    ----------
    path : *.safetensors
    joint : from `fit_joint_model`
    half : store basis, slopes and variety as float16: half the size, 0.05 % less exact

    Raises
    ------
    SettingsError : an assignment that is not linear, which is its training faces
    OutputError : the place cannot be written
    """
    count = len(joint.textures)
    mean = joint.assignment.predict(np.zeros((1, count)))[0]
    slopes = joint.assignment.predict(np.eye(count)) - mean
    trial = np.random.default_rng(0).standard_normal((4, count))
    told = joint.assignment.predict(trial)
    gap = np.abs(LinearGeometry(mean, slopes).predict(trial) - told).max()
    if not gap <= _LINEAR_MM * max(1.0, float(np.abs(told).max())):
        raise SettingsError(
            "joint model: expected a linear assignment (least_squares, maximum_likelihood, mean), "
            "got one that needs the faces it was learned from. Keep the folder of pairs instead."
        )
    small = np.float16 if half else np.float32
    valid = joint.textures.valid
    arrays = {
        "texture/mean": joint.textures.mean.astype(np.float32),
        "texture/basis": joint.textures.basis.astype(small),
        "texture/valid": np.ones(joint.textures.mean.shape[:2], bool) if valid is None else valid,
        "geometry/mean": mean.astype(np.float32),
        "geometry/slopes": slopes.astype(small),
        "mesh/vertices": joint.template.vertices.astype(np.float32),
        "mesh/faces": _smallest(joint.template.faces),
        "mesh/uv": np.asarray(joint.template.uv, np.float32),
        "mesh/uv_faces": _smallest(joint.template.uv_faces),
    }
    if joint.variety is not None:
        arrays["geometry/variety"] = joint.variety.astype(small)
    if joint.template.quads is not None:
        arrays["mesh/quads"] = _smallest(joint.template.quads)
    save_tensors(
        path,
        arrays,
        kind=KIND,
        schema=SCHEMA,
        topology_id=joint.template.topology_id,
        config={"reach": joint.reach},
    )


def load_joint(path: Path | str | None = None) -> JointModel:
    """Read a joint model that `save_joint` wrote.

    Parameters
    ----------
    path : the file; None is the model that ships with the package: which geometry of the built-in
        face belongs to a texture of its generator

    Raises
    ------
    FileFormatError : missing, damaged, or another kind of file
    """
    if path is None:
        path = asset_path("progressive_texture/faces.safetensors")
    arrays, header = load_tensors(path, kind=KIND, schema=SCHEMA)
    if lacking := [name for name in _NEEDED if name not in arrays]:
        raise FileFormatError(
            f"{path}: expected a joint model with {lacking[0]}, got a file without it. Write it "
            "again with save_joint."
        )
    with taking_apart(path, "a joint model"):
        return _joint_of(arrays, header["config"])


def _joint_of(arrays: Mapping[str, np.ndarray], config: Mapping[str, Any]) -> JointModel:
    template = Mesh(
        arrays["mesh/vertices"].astype(np.float64),
        arrays["mesh/faces"].astype(np.int64),
        quads=arrays["mesh/quads"].astype(np.int64) if "mesh/quads" in arrays else None,
        uv=arrays["mesh/uv"].astype(np.float64),
        uv_faces=arrays["mesh/uv_faces"].astype(np.int64),
        unit="mm",
    )
    textures = TextureModel(
        arrays["texture/mean"],
        arrays["texture/basis"].astype(np.float32),
        valid=arrays["texture/valid"],
    )
    geometry = LinearGeometry(
        arrays["geometry/mean"].astype(np.float64), arrays["geometry/slopes"].astype(np.float64)
    )
    variety = arrays.get("geometry/variety")
    return JointModel(
        template,
        textures,
        geometry,
        float(config["reach"]),
        None if variety is None else variety.astype(np.float64),
    )


def _smallest(indices: np.ndarray | None) -> np.ndarray:
    """Return indices in the smallest unsigned type that holds them."""
    known = np.asarray(indices)
    return known.astype(np.uint16 if known.max() < 1 << 16 else np.uint32)
