"""Faces as meshes: a texture from the GAN on the geometry that belongs to it, or that it drew."""

import dataclasses
from collections.abc import Iterator

import numpy as np

from geomface.arrays import FloatArray
from geomface.errors import SettingsError
from geomface.gan.progressive_texture.joint import MEANS, JointModel, assigned_vertices, load_joint
from geomface.gan.progressive_texture.sampling import TrainedGenerator, sample_images
from geomface.geometry_image import PAPER_ALPHA, GeometryImageDecoder, GeometryImageEncoder
from geomface.learning.samples import to_pictures
from geomface.mesh import Mesh, require_same_topology
from geomface.mesh.uv_fingerprint import require_same_uv, uv_fingerprint
from geomface.metrics import OracleReadout
from geomface.statistics import MorphableModel

EXPRESSION_RIDGE = 100.0
"""mm^2, of reading expressions from registered scans, which differ by more than the model knows."""


def generated_vertices(
    generator: TrainedGenerator, template: Mesh, count: int, *, seed: int = 0
) -> Iterator[FloatArray]:
    """Yield vertices (V, 3) in mm: geometry image i as `sample_images` draws it, decoded.

    Parameters
    ----------
    generator : trained with `kind` geometry
    template : mesh with uv, mm, of the geometry images
    count : faces
    seed : of the latents

    Raises
    ------
    SettingsError : a generator of textures
    TopologyMismatchError : another template

    Source
    ------
    Shamai, Slossberg, Kimmel 2018, Sec. 8; the decoder is that of Abrevaya et al. 2019, Eq. 4.
    """
    config = generator.config
    if config.get("kind") != "geometry":
        raise SettingsError(
            f"geometry: expected a generator of geometry images, got one of {config.get('kind')}. "
            "Train one with '--kind geometry'."
        )
    require_same_topology(template, config["topology_id"])
    require_same_uv(
        generator.uv_fingerprint, uv_fingerprint(template), "the generator", template.name
    )
    images = sample_images(generator, count, seed=seed)
    size = images.shape[-1]
    low, high = (np.asarray(config[name], np.float32) for name in ("low", "high"))
    mode = config.get("mode", "absolute")
    blank = GeometryImageEncoder(template, size).encode(template.vertices, mode=mode)
    decoder = GeometryImageDecoder(template, size, alpha=PAPER_ALPHA)
    for image in images.permute(0, 2, 3, 1).numpy():
        pixels = 0.5 * (image + 1.0) * (high - low) + low
        yield decoder.decode(dataclasses.replace(blank, pixels=pixels.astype(np.float32)))


def textured_faces(
    generator: TrainedGenerator,
    joint: JointModel | None,
    count: int,
    *,
    seed: int = 0,
    geometry: TrainedGenerator | None = None,
    expressions: MorphableModel | None = None,
    variety: float = 0.0,
) -> Iterator[Mesh]:
    """Yield faces: texture i as `sample_images` draws it, on the geometry assigned to it.

    Parameters
    ----------
    generator : a trained generator of textures
    joint : from `fit_joint_model`, at the generator's size; None is the one that ships with the
        package, for the generator that does
    count : faces
    seed : of the latents
    geometry : a generator of geometry images: face i takes its image i, whatever its texture says
    expressions : a model of the joint model's topology; every face gets a random expression of it
        instead of what its geometry has of the expressions of the pairs, which are scans as people
        made faces in them
    variety : how much of what textures do not tell is drawn at random: with 0 a face has the mean
        geometry of all who have its texture, with 1 faces vary as people do. A Gaussian about the
        assignment, whose covariance is that of its errors; 0 with `geometry`

    Raises
    ------
    SettingsError : a generator of geometry images, or one of another size; variety below 0, or of
        faces that have none to draw
    MeshError : expressions of another topology, or textures of other uv

    Source
    ------
    Shamai, Slossberg, Kimmel 2018, Sec. 7 to 9. They pair each texture with a neutral geometry of
    the same person. Without such scans `expressions` is read from the assigned geometry and taken
    off, which for a linear assignment is the same as taking it off every pair.

    Example
    -------
    >>> import geomface as gf
    >>> face = gf.load_builtin_face()
    >>> people = list(gf.textured_faces(gf.load_generator(), None, 2, expressions=face))
    >>> gf.save_mesh("nobody.glb", people[0])
    >>> people[0].topology_id == face.topology_id, people[0].texture.ndim
    (True, 3)
    """
    joint = load_joint() if joint is None else joint
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
    blendshapes, readout = None, None
    if expressions is not None:
        require_same_topology(joint.template, expressions.mesh)
        blendshapes = expressions.blendshapes
        parts = {"identity": expressions.shape.basis, "expression": blendshapes.basis}
        readout = OracleReadout(expressions.shape.mean, parts, ridge=EXPRESSION_RIDGE)
    images = sample_images(generator, count, seed=seed)
    if images.shape[-1] != joint.size:
        raise SettingsError(
            f"textured faces: expected pairs at the generator's {images.shape[-1]} pixels, got "
            f"{joint.size}. Fit them at that size."
        )
    uv = uv_fingerprint(joint.template)
    require_same_uv(generator.uv_fingerprint, uv, "the generator", "the template of the pairs")
    drawn = None
    if geometry is not None:
        drawn = generated_vertices(geometry, joint.template, count, seed=seed)
    for index, picture in enumerate(to_pictures(images)):
        vertices = assigned_vertices(joint, picture) if drawn is None else next(drawn)
        if variety and joint.variety is not None:
            code = np.random.default_rng([seed, index, 2]).standard_normal(len(joint.variety))
            vertices = vertices + variety * np.tensordot(code, joint.variety, axes=1)
        if blendshapes is not None and readout is not None:
            weights = blendshapes.sample_weights(np.random.default_rng([seed, index, 1]))
            weights = weights - readout.read(vertices[None]).coefficients["expression"][0]
            vertices = vertices + blendshapes.basis @ weights
        name = f"face{index:03d}"
        yield joint.template.replace(vertices=vertices, texture=picture, colors=None, name=name)
