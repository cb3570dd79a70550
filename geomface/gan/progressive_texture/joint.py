"""Textured faces: a texture from the GAN, and the geometry that real faces assign to it."""

import dataclasses
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch

from geomface.arrays import FloatArray, ImageArray
from geomface.datasets import layout, load_textures
from geomface.datasets.registered_faces import load_run_template, registered_mm
from geomface.errors import SettingsError
from geomface.faces.face_model import FaceModel
from geomface.gan.progressive_texture.generated_geometry import generated_vertices
from geomface.gan.progressive_texture.sampling import TrainedGenerator, sample_images
from geomface.learning.errors import DatasetError
from geomface.learning.grid import to_pictures
from geomface.mesh import Mesh, require_same_topology
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
    items = [(root / name).parent for name in data.names]
    vertices = np.stack([registered_mm(item, template) for item in items])
    images, masks = data.batch(torch.arange(len(data)))
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
    return np.moveaxis(modes.basis, -1, 0)[:VARIETY_MODES].astype(np.float64)


def textured_faces(
    generator: TrainedGenerator,
    joint: JointModel,
    count: int,
    *,
    seed: int = 0,
    geometry: TrainedGenerator | None = None,
    expressions: FaceModel | None = None,
    variety: float = 0.0,
) -> Iterator[Mesh]:
    """Yield faces: texture i as `sample_images` draws it, on the geometry assigned to it.

    Parameters
    ----------
    generator : a trained generator of textures
    joint : from `fit_joint_model`, at the generator's size
    count : faces
    seed : of the latents
    geometry : a generator of geometry images: face i takes its image i, whatever its texture says
    expressions : a model of the joint model's topology; every face gets a random expression of it
    variety : how much of what textures do not tell is drawn at random: with 0 a face has the mean
        geometry of all who have its texture, with 1 faces vary as people do. A Gaussian about the
        assignment, whose covariance is that of its errors; 0 with `geometry`

    Raises
    ------
    SettingsError : a generator of geometry images, or one of another size; variety below 0, or of
        faces that have none to draw
    MeshError : expressions of another topology
    """
    if not 0 <= variety < np.inf:
        raise SettingsError(f"variety: expected 0 or more, got {variety}. 1 is as people vary.")
    if variety and geometry is not None:
        raise SettingsError(
            "variety: expected 0 with a generator of geometry, which varies itself."
        )
    if variety and joint.variety is None:
        raise SettingsError(
            f"variety: expected one of {', '.join(MEANS)}, which give a mean geometry to vary, got "
            "an assignment of single faces. Use variety 0."
        )
    if generator.config.get("kind", "texture") != "texture":
        raise SettingsError(
            f"textured faces: expected a generator of textures, got one of "
            f"{generator.config['kind']}. Train one on a folder of textures."
        )
    if expressions is not None:
        require_same_topology(joint.template, expressions.mesh)
    images = sample_images(generator, count, seed=seed)
    if images.shape[-1] != joint.size:
        raise SettingsError(
            f"textured faces: expected pairs at the generator's {images.shape[-1]} pixels, got "
            f"{joint.size}. Fit them at that size."
        )
    drawn = None
    if geometry is not None:
        drawn = generated_vertices(geometry, joint.template, count, seed=seed)
    everywhere = np.ones(images.shape[-2:], bool)
    for index, picture in enumerate(to_pictures(images)):
        vertices = _assigned(joint, picture, everywhere) if drawn is None else next(drawn)
        if variety and joint.variety is not None:
            code = np.random.default_rng([seed, index, 2]).standard_normal(len(joint.variety))
            vertices = vertices + variety * np.tensordot(code, joint.variety, axes=1)
        if expressions is not None:
            weights = expressions.sample_expression(np.random.default_rng([seed, index, 1]))
            vertices = vertices + np.tensordot(weights, expressions.expression_modes, axes=1)
        name = f"face{index:03d}"
        yield joint.template.replace(vertices=vertices, texture=picture, colors=None, name=name)


def _assigned(joint: JointModel, picture: ImageArray, shown: np.ndarray) -> FloatArray:
    """Return the vertices that belong to a texture, whose coefficients stay within reach."""
    scores = _score(joint.textures, picture, shown)
    length = float(np.linalg.norm(scores / np.sqrt(joint.textures.variances)))
    scores *= min(1.0, joint.reach / max(length, 1e-12))
    return joint.assignment.predict(scores[None])[0]


def _score(model: TextureModel, picture: ImageArray, shown: np.ndarray) -> FloatArray:
    """Return (K,) coefficients in colour units that the visible texels of a picture say."""
    return seen_coefficients(model, picture, shown, sigma=TEXEL_NOISE) * np.sqrt(model.variances)
