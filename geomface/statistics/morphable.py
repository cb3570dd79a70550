"""The morphable model: shape, expression and texture of faces on one template, as one value."""

import dataclasses
from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any

import numpy as np

from geomface.arrays import (
    FloatArray,
    IndexArray,
    frozen,
    require_finite,
    require_generator,
    require_shape,
)
from geomface.errors import MeshError, SettingsError
from geomface.mesh import Mesh, Template, require_same_topology
from geomface.mesh.mirror import mirror_vertices
from geomface.mesh.template import cut_template
from geomface.statistics.expression import ExpressionModel
from geomface.statistics.eyeballs import Eyeballs
from geomface.statistics.linear_model import LinearModel
from geomface.statistics.posterior import Posterior, posterior
from geomface.statistics.texture import TextureModel

Coefficients = Sequence[float] | FloatArray
_LARGEST_COUPLING = 1.0 + 1e-9


@dataclasses.dataclass(frozen=True, eq=False)
class MorphableModel:
    """A 3D morphable model; every operation returns a new one.

    vertices(a, b) = shape.mean + shape.basis a + expression.mean + expression.basis b
    colours(t)     = texture.mean + texture.basis t,      a, t ~ N(0, 1)

    Parameters
    ----------
    template : topology, uv, landmarks and regions; its mesh takes the mean shape
    shape : (V, 3) mm, the neutral face
    expression : displacements, (V, 3) mm, or None
    texture : colours a vertex (V, 3) or a texture image (H, W, 3), or None
    coupling : (K_shape, K_texture) covariance of a and t, or None when they are independent
    name : what messages call it
    card : where it comes from and what was converted, in words
    eyeballs : spheres to draw behind open lids, or None

    Raises
    ------
    MeshError : parts that do not fit each other.
    SettingsError : a coupling that no joint Gaussian can have.

    Convention
    ----------
    Millimetres; x to the subject's left, y up, z out of the face. All coefficients are in
    standard deviations, expression weights of a "blendshapes" model are in [0, 1].

    Source
    ------
    Blanz and Vetter 1999; Shamai et al. 2018, sections 3, 7 and 9.

    Example
    -------
    >>> import numpy as np
    >>> import geomface as gf
    >>> model: gf.MorphableModel = gf.load_builtin_face()
    >>> smile = model.vertices(None, {"jawOpen": 0.3, "cheekPuff": 0.8})  # (V, 3), mm
    >>> someone = model.sample(np.random.default_rng(1))
    >>> someone.topology_id == model.topology_id, smile.shape == someone.vertices.shape
    (True, True)
    """

    template: Template
    shape: LinearModel
    expression: ExpressionModel | None = None
    texture: TextureModel | None = None
    coupling: FloatArray | None = None
    name: str = "model"
    card: Mapping[str, str] = dataclasses.field(default_factory=dict)
    eyeballs: Eyeballs | None = None

    def __post_init__(self) -> None:
        mesh = self.template.mesh
        count = len(mesh.vertices)
        require_shape(self.shape.mean, (count, 3), f"{self.name}: shape mean")
        if self.expression is not None:
            require_shape(self.expression.mean, (count, 3), f"{self.name}: expression mean")
        if self.texture is not None and not self.texture.is_image:
            require_shape(self.texture.mean, (count, 3), f"{self.name}: vertex colours")
        if self.texture is not None and self.texture.is_image and mesh.uv is None:
            raise MeshError(
                f"{self.name}: a texture image needs a template with uv. Unwrap the template first."
            )
        if not np.array_equal(mesh.vertices, self.shape.mean):
            mesh = mesh.replace(vertices=self.shape.mean, unit="mm")
            object.__setattr__(self, "template", dataclasses.replace(self.template, mesh=mesh))
        object.__setattr__(self, "card", dict(self.card))
        if self.coupling is not None:
            self._check_coupling(np.asarray(self.coupling))

    def _check_coupling(self, coupling: np.ndarray) -> None:
        if self.texture is None:
            raise SettingsError(f"{self.name}: a coupling needs a texture model.")
        wanted = (len(self.shape), len(self.texture))
        require_shape(coupling, wanted, f"{self.name}: coupling", SettingsError)
        require_finite(coupling, f"{self.name}: coupling", SettingsError)
        largest = float(np.linalg.norm(coupling, 2)) if coupling.size else 0.0
        if largest > _LARGEST_COUPLING:
            raise SettingsError(
                f"{self.name}: coupling: expected correlations of at most 1, its largest is "
                f"{largest:.3f}. Coefficients must be in standard deviations."
            )
        object.__setattr__(self, "coupling", frozen(coupling, np.float64))

    def __repr__(self) -> str:
        counts = [f"{len(self.mesh.vertices)} vertices", f"{len(self.shape)} shape modes"]
        if self.expression is not None:
            counts.append(f"{len(self.expression)} expressions ({self.expression.kind})")
        if self.texture is not None:
            counts.append(f"{len(self.texture)} texture modes")
        return f"MorphableModel({self.name!r}: {', '.join(counts)})"

    @property
    def mesh(self) -> Mesh:
        """The mean neutral face on the template."""
        return self.template.mesh

    @property
    def topology_id(self) -> str:
        """Topology that all faces of this model share."""
        return self.mesh.topology_id

    def require_topology(self, mesh: Mesh) -> None:
        """Raise TopologyMismatchError unless `mesh` has the topology of the model."""
        require_same_topology(self.mesh, mesh)

    def require_texture(self) -> TextureModel:
        """Return the texture model, or say that there is none."""
        if self.texture is None:
            raise SettingsError(
                f"{self.name}: this model holds shape only, no texture. Fit it with textures, or "
                "convert a source that has them."
            )
        return self.texture

    def require_expression(self) -> ExpressionModel:
        """Return the expression model, or say that there is none."""
        if self.expression is None:
            raise SettingsError(f"{self.name}: this model has no expressions.")
        return self.expression

    def vertices(
        self,
        shape: Coefficients | None = None,
        expression: Mapping[str, float] | Coefficients | None = None,
    ) -> FloatArray:
        """Return the face of these coefficients.

        Parameters
        ----------
        shape : (k,), k <= K, in standard deviations; missing ones are 0. None: the mean shape
        expression : (x,) weights, or {name: weight}. None or nothing in it: the neutral face

        Returns
        -------
        (V, 3) float64, mm

        Raises
        ------
        SettingsError : too many coefficients, NaN, an expression that the model has not.
        """
        vertices = self.shape.reconstruct(np.zeros(0) if shape is None else np.asarray(shape))
        if expression is not None and len(expression):
            vertices = vertices + self.require_expression().displacement(expression)
        return vertices

    def instance(
        self,
        shape: Coefficients | None = None,
        expression: Mapping[str, float] | Coefficients | None = None,
        texture: Coefficients | None = None,
        name: str = "instance",
    ) -> Mesh:
        """Return the face of these coefficients as a mesh, textured when the model is."""
        mesh = self.mesh.replace(vertices=self.vertices(shape, expression), name=name)
        if self.texture is None and texture is None:
            return mesh
        model = self.require_texture()
        colors = model.reconstruct(np.zeros(0) if texture is None else np.asarray(texture))
        if model.is_image:
            return mesh.replace(texture=colors)
        return mesh.replace(colors=colors)

    def draw(
        self, rng: np.random.Generator, *, sigma: float = 1.0
    ) -> tuple[FloatArray, FloatArray]:
        """Draw shape and texture coefficients jointly: a ~ N(C t, I - C C^T) given t ~ N(0, I)."""
        require_generator(rng, "sample")
        shape = rng.standard_normal(len(self.shape))
        texture = rng.standard_normal(len(self.texture) if self.texture is not None else 0)
        if self.coupling is not None:
            left, values, _ = np.linalg.svd(self.coupling, full_matrices=False)
            shrink = np.sqrt(np.clip(1.0 - values**2, 0.0, None)) - 1.0
            shape = shape + left @ (shrink * (left.T @ shape)) + self.coupling @ texture
        return sigma * shape, sigma * texture

    def sample(
        self,
        rng: np.random.Generator,
        *,
        sigma: float = 1.0,
        expression: bool = False,
        name: str = "sample",
    ) -> Mesh:
        """Draw a new face; neutral, or with an expression."""
        shape, texture = self.draw(rng, sigma=sigma)
        weights = self.require_expression().sample_weights(rng, sigma=sigma) if expression else None
        return self.instance(shape, weights, texture if self.texture is not None else None, name)

    def sample_identity(self, rng: np.random.Generator) -> FloatArray:
        """Draw (K,) shape coefficients from N(0, 1)."""
        require_generator(rng, "sample")
        return rng.standard_normal(len(self.shape))

    @cached_property
    def blendshapes(self) -> ExpressionModel:
        """The expressions to simulate with, each with a name: weights in [0, 1], 0 is neutral.

        Gaussian expressions have no names and no neutral end, so they stay behind: then, as
        without expressions, no mode is in it.
        """
        part = self.expression
        if part is None or part.kind != "blendshapes":
            rest = np.zeros_like(self.shape.mean)
            return ExpressionModel(rest, rest[..., None][..., :0], kind="blendshapes")
        if part.names:
            return part
        return dataclasses.replace(part, names=tuple(f"expression{k}" for k in range(len(part))))

    def sample_expression(self, rng: np.random.Generator) -> FloatArray:
        """Draw the weights of the `blendshapes` as seen in scans; see `draw_muscles`."""
        return self.blendshapes.sample_weights(rng)

    def eyeballs_of(self, vertices: FloatArray) -> Eyeballs | None:
        """Return the eyeballs moved along with the lids of a shape (V, 3), for pictures."""
        landmarks = self.template.landmarks
        if self.eyeballs is None or landmarks is None or len(landmarks) != 68:
            return self.eyeballs
        moved = landmarks.positions(vertices) - landmarks.positions(self.mesh.vertices)
        lids = [moved[42:48].mean(axis=0), moved[36:42].mean(axis=0)]
        return Eyeballs(self.eyeballs.centers + np.stack(lids), self.eyeballs.radius)

    @property
    def geometry(self) -> LinearModel:
        """Shape and expression as one linear model, coefficients (a, b) in a row."""
        if self.expression is None:
            return self.shape
        return self.shape.stack(self.expression)

    def posterior(
        self, rows: IndexArray, values: FloatArray, sigma: float | FloatArray
    ) -> Posterior:
        """Return the shape given some vertices; see `statistics.posterior`."""
        return posterior(self.shape, rows, values, sigma)

    def truncate(
        self, shape: int | None = None, texture: int | None = None, expression: int | None = None
    ) -> "MorphableModel":
        """Return the model with its first modes of each part; None keeps all."""
        changes: dict[str, Any] = {}
        for part, count in (("shape", shape), ("texture", texture), ("expression", expression)):
            if count is not None:
                model = getattr(self, part)
                if model is None:
                    raise SettingsError(f"{self.name}: this model has no {part} to truncate.")
                changes[part] = model.truncate(count)
        if self.coupling is not None:
            changes["coupling"] = self.coupling[:shape, :texture]
        return dataclasses.replace(self, **changes)

    def marginal(self, rows: IndexArray) -> "MorphableModel":
        """Return the model of some vertices, with the faces that they span."""
        shape = self.shape.marginal(rows)
        template = cut_template(self.template, np.asarray(rows), f"{self.name}: marginal")
        expression = None if self.expression is None else self.expression.marginal(rows)
        texture = self.texture
        if texture is not None and not texture.is_image:
            texture = texture.marginal(rows)
        return dataclasses.replace(
            self, template=template, shape=shape, expression=expression, texture=texture
        )

    def mirror(self, mirror: IndexArray) -> "MorphableModel":
        """Return the model of the mirror images, on the same topology.

        Parameters
        ----------
        mirror : (V,) int64 from `mesh.mirror.mirror_map`
        """
        require_shape(mirror, (len(self.mesh.vertices),), "mirror map")
        if self.texture is not None and self.texture.is_image:
            raise MeshError(
                f"{self.name}: the mirror of a texture image depends on the uv. Mirror the "
                "geometry alone, or use vertex colours."
            )

        def flipped(model: LinearModel) -> dict[str, np.ndarray]:
            basis = mirror_vertices(model.modes, mirror)
            return {
                "mean": mirror_vertices(model.mean, mirror),
                "basis": np.moveaxis(basis.astype(model.basis.dtype), 0, -1),
            }

        changes: dict[str, Any] = {"shape": dataclasses.replace(self.shape, **flipped(self.shape))}
        if self.expression is not None:
            changes["expression"] = dataclasses.replace(self.expression, **flipped(self.expression))
        if self.texture is not None:
            changes["texture"] = dataclasses.replace(
                self.texture, mean=self.texture.mean[mirror], basis=self.texture.basis[mirror]
            )
        if self.eyeballs is not None:
            centers = self.eyeballs.centers[::-1] * [-1.0, 1.0, 1.0]
            changes["eyeballs"] = Eyeballs(centers, self.eyeballs.radius)
        return dataclasses.replace(self, **changes)

    def change_reference(self, template: Template, matrix: Any) -> "MorphableModel":
        """Return the model on another topology.

        Parameters
        ----------
        template : the new topology, with its own landmarks and regions
        matrix : (W, V) barycentric weights of the new vertices on the old mesh, dense or sparse
        """
        if matrix.shape[0] != len(template.mesh.vertices):
            raise MeshError(
                f"change of reference: expected {len(template.mesh.vertices)} rows, one a vertex "
                f"of {template.mesh.name}, got {matrix.shape[0]}."
            )
        texture = self.texture
        if texture is not None and not texture.is_image:
            texture = dataclasses.replace(texture, valid=None).linear_map(matrix)
        expression = self.expression
        return dataclasses.replace(
            self,
            template=template,
            shape=self.shape.linear_map(matrix),
            expression=None if expression is None else expression.linear_map(matrix),
            texture=texture,
        )


def require_model(model: object, verb: str) -> MorphableModel:
    """Return a model, or say that `verb` needs one and got something else (MeshError)."""
    if isinstance(model, MorphableModel):
        return model
    raise MeshError(
        f"{verb}: expected a MorphableModel, got a {type(model).__name__}. load_builtin_face "
        "and load_model return one."
    )


def interpolate(first: Coefficients, second: Coefficients, share: float) -> FloatArray:
    """Return coefficients on the line between two faces: share 0 is the first, 1 the second."""
    one, two = np.asarray(first, np.float64), np.asarray(second, np.float64)
    if one.shape != two.shape:
        raise SettingsError(
            f"interpolate: expected coefficients of one length, got {one.shape} and {two.shape}."
        )
    return (1.0 - share) * one + share * two


def anti_face(coefficients: Coefficients, *, strength: float = 1.0) -> FloatArray:
    """Return the coefficients of the face on the other side of the mean."""
    return -strength * np.asarray(coefficients, np.float64)
