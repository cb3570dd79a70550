"""A linear face model: identity modes and named expressions on one template."""

import dataclasses
from collections.abc import Mapping, Sequence

import numpy as np

from geomface.arrays import FloatArray, frozen, require_finite, require_shape
from geomface.errors import SettingsError
from geomface.mesh import Mesh, Template


@dataclasses.dataclass(frozen=True, eq=False)
class Eyeballs:
    """Spheres behind the lids, used in pictures only.

    Parameters
    ----------
    centers : (2, 3) float64, millimetres; the subject's left eye first
    radius : millimetres
    """

    centers: FloatArray
    radius: float

    def __post_init__(self) -> None:
        centers = require_shape(self.centers, (None, 3), "eyeballs: centers")
        object.__setattr__(self, "centers", frozen(centers, np.float64))


@dataclasses.dataclass(frozen=True, eq=False)
class FaceModel:
    """A face as its template plus linear identity and expression displacements.

    vertices(a, w) = template + sum_k a_k identity_modes[k] + sum_x w_x expression_modes[x]

    Parameters
    ----------
    template : the neutral mean face, with landmarks and regions
    identity_modes : (K, V, 3) float64, millimetres per unit sigma; coefficients are N(0, 1)
    expression_modes : (X, V, 3) float64, millimetres at weight 1; weights lie in [0, 1]
    expression_names : X names, such as "jawOpen"
    identity_names : K names, or empty when the modes have none (a PCA basis)
    name : what messages call this model
    eyeballs : spheres to draw behind open lids, or None

    Raises
    ------
    MeshError : modes that do not fit the template, or that hold NaN or infinity.
    SettingsError : a count of names that differs from the count of modes, a name used twice.

    Convention
    ----------
    x to the subject's left, y up, z out of the face; millimetres. "Left" in a name is the
    subject's left.
    """

    template: Template
    identity_modes: FloatArray
    expression_modes: FloatArray
    expression_names: tuple[str, ...]
    identity_names: tuple[str, ...] = ()
    name: str = "face"
    eyeballs: Eyeballs | None = None

    def __post_init__(self) -> None:
        count = len(self.template.mesh.vertices)
        for field in ("identity_modes", "expression_modes"):
            label = f"{self.name}: {field}"
            modes = require_shape(getattr(self, field), (None, count, 3), label)
            modes = frozen(modes, np.float64)
            if len(modes):
                require_finite(modes, label)
            object.__setattr__(self, field, modes)
        for field, modes in (
            ("expression_names", self.expression_modes),
            ("identity_names", self.identity_modes),
        ):
            names = tuple(str(item) for item in getattr(self, field))
            optional = field == "identity_names" and not names
            if not optional and len(names) != len(modes):
                raise SettingsError(
                    f"{self.name}: expected {len(modes)} {field}, got {len(names)}. "
                    "Give one name a mode."
                )
            if len(set(names)) != len(names):
                twice = sorted({item for item in names if names.count(item) > 1})
                raise SettingsError(f"{self.name}: {field} holds {', '.join(twice)} twice.")
            object.__setattr__(self, field, names)

    @property
    def mesh(self) -> Mesh:
        """The neutral mean face."""
        return self.template.mesh

    @property
    def identity_count(self) -> int:
        """Number of identity modes K."""
        return len(self.identity_modes)

    @property
    def expression_count(self) -> int:
        """Number of expressions X."""
        return len(self.expression_modes)

    def shape(
        self,
        identity: Sequence[float] | FloatArray | None = None,
        expression: Sequence[float] | FloatArray | Mapping[str, float] | None = None,
    ) -> FloatArray:
        """Return the face of these coefficients: template + identity + expression.

        Parameters
        ----------
        identity : (k,) with k <= K, in units of sigma; missing ones are 0. None: the mean face
        expression : (X,) weights, or {name: weight}, 1 is the full expression. None: neutral

        Returns
        -------
        (V, 3) float64, millimetres

        Raises
        ------
        SettingsError : too many coefficients, an unknown expression, NaN or infinity.
        """
        vertices = self.mesh.vertices.copy()
        if identity is not None:
            alpha = self._coefficients(identity, self.identity_count, "identity")
            vertices += np.tensordot(alpha, self.identity_modes[: len(alpha)], axes=1)
        if expression is not None:
            weights = self.expression_weights(expression)
            active = np.flatnonzero(weights)
            vertices += np.tensordot(weights[active], self.expression_modes[active], axes=1)
        return vertices

    def expression_weights(
        self, expression: Sequence[float] | FloatArray | Mapping[str, float]
    ) -> FloatArray:
        """Return the (X,) weights of an array or of {name: weight}; see `shape`."""
        if not isinstance(expression, Mapping):
            return self._coefficients(expression, self.expression_count, "expression", whole=True)
        weights = np.zeros(self.expression_count)
        for key, value in expression.items():
            if key not in self.expression_names:
                raise SettingsError(
                    f"{self.name}: no expression is called {key!r}. "
                    f"It has {', '.join(self.expression_names)}."
                )
            weights[self.expression_names.index(key)] = value
        return self._coefficients(weights, self.expression_count, "expression")

    def eyeballs_of(self, vertices: FloatArray) -> Eyeballs | None:
        """Return the eyeballs moved along with the lids of a shape (V, 3), for pictures."""
        landmarks = self.template.landmarks
        if self.eyeballs is None or landmarks is None or len(landmarks) != 68:
            return self.eyeballs
        moved = landmarks.positions(vertices) - landmarks.positions(self.mesh.vertices)
        lids = [moved[42:48].mean(axis=0), moved[36:42].mean(axis=0)]
        return Eyeballs(self.eyeballs.centers + np.stack(lids), self.eyeballs.radius)

    def sample_identity(self, rng: np.random.Generator) -> FloatArray:
        """Draw (K,) identity coefficients from N(0, 1)."""
        return rng.standard_normal(self.identity_count)

    def sample_expression(self, rng: np.random.Generator) -> FloatArray:
        """Draw (X,) expression weights as seen in scans: few muscles, both sides alike.

        One to three groups (a name without its side is one group) are active with a strength in
        [0.2, 0.9], at most one of each part of the face; the sides of a group differ by at most
        15 %. One draw in five is neutral.
        """
        weights = np.zeros(self.expression_count)
        groups: dict[str, list[int]] = {}
        for index, name in enumerate(self.expression_names):
            if name not in _NEVER_ALONE:
                groups.setdefault(_without_side(name), []).append(index)
        names = sorted(groups)
        if not names or rng.random() < 0.2:
            return weights
        size = min(int(rng.integers(1, 4)), len(names))
        moved: set[str] = set()
        for chosen in rng.choice(len(names), size=size, replace=False):
            part = _part(names[chosen])
            strength = rng.uniform(0.2, 0.9)
            sides = rng.uniform(0.85, 1.0, size=len(groups[names[chosen]]))
            if part not in moved:
                moved.add(part)
                weights[groups[names[chosen]]] = strength * sides
        return weights

    def _coefficients(
        self, values: Sequence[float] | FloatArray, count: int, kind: str, whole: bool = False
    ) -> FloatArray:
        array = np.asarray(values, dtype=np.float64)
        fits = array.ndim == 1 and (len(array) == count if whole else len(array) <= count)
        if not fits:
            bound = "exactly" if whole else "at most"
            raise SettingsError(
                f"{self.name}: expected {bound} {count} {kind} coefficients as one row, got an "
                f"array of shape {array.shape}."
            )
        if not np.isfinite(array).all():
            raise SettingsError(f"{self.name}: {kind} coefficients hold NaN or infinity.")
        return array

    def __repr__(self) -> str:
        return (
            f"FaceModel({self.name!r}: {len(self.mesh.vertices)} vertices, "
            f"{self.identity_count} identity modes, {self.expression_count} expressions)"
        )


# Shapes that mean something on top of another one only (the lips closed over an open jaw).
_NEVER_ALONE = ("mouthClose",)
# Left and right are directions here, not sides.
_DIRECTIONS = ("mouthLeft", "mouthRight", "jawLeft", "jawRight")


def _without_side(name: str) -> str:
    """Return an expression name without its side: Left or Right, _L or _R at the end."""
    if name not in _DIRECTIONS:
        for ending in ("Left", "Right", "_L", "_R"):
            if name.endswith(ending):
                return name[: -len(ending)]
    return name


def _part(name: str) -> str:
    """Return the part of the face that a group moves; two groups of one part would fight."""
    for part in ("eye", "brow", "mouth", "jaw"):
        if name.startswith(part):
            return part
    return name
