"""The frozen triangle mesh that every room hands on."""

import dataclasses
import hashlib
from collections.abc import Mapping
from functools import cached_property
from typing import Literal

import numpy as np

from geomface.arrays import (
    BoolArray,  # noqa: F401  (re-exported for annotations of callers)
    FloatArray,
    ImageArray,
    IndexArray,
    frozen,
    require_finite,
    require_indices,
    require_shape,
    require_within,
)
from geomface.errors import MeshError, TopologyMismatchError
from geomface.mesh.quads import split_quads
from geomface.mesh.units import canonical_unit

UnitSource = Literal["said", "file", "landmarks", "assumed"]
_EIGHT_BITS = "Divide 8-bit values by 255."


@dataclasses.dataclass(frozen=True, eq=False)
class Mesh:
    """A triangle mesh, with the quads it came from, uv, colours and texture.

    Parameters
    ----------
    vertices : (V, 3) float64, in `unit`
    faces : (F, 3) int64, counter-clockwise seen from outside. Leave out when `quads` holds the
        whole surface: the triangles 2 i and 2 i + 1 are then the two halves of quad i.
    quads : (Q, 4) int64 or None, the quad list that the triangles were split from
    uv : (T, 2) float64 or None, origin bottom-left
    uv_faces : (F, 3) int64 or None, indices into `uv`; a seam never duplicates a vertex
    colors : (V, 3) float32 in [0, 1] or None; NaN where a vertex has none
    texture : (H, W, 3) float32 in [0, 1] or None, row 0 at the top
    painted : (F,) bool or None, the faces that the texture colours; None is all
    unit : one of um, mm, cm, inch, m, or the millimetres in one unit such as "118.3mm"; None is
        mm as long as nothing else is known
    name : what messages call this mesh (usually the file name)
    unit_source : "said" by the caller, by the "file" or the "landmarks" on it, or "assumed", which
        the size may correct

    Raises
    ------
    MeshError : wrong shapes, NaN or infinity, indices out of range or no whole numbers, colours
        beyond [0, 1], no faces, both a triangle list and quads that do not match it.

    Convention
    ----------
    x to the subject's left, y up, z out of the face; right-handed. Arrays are read-only:
    `replace` returns a changed copy. A quad is always split along the same diagonal, chosen from
    the quad list alone (see `split_quads`), so equal quad lists give equal triangles.

    Example
    -------
    >>> import numpy as np
    >>> import geomface as gf
    >>> mesh = gf.Mesh(np.eye(3), np.array([[0, 1, 2]]), name="triangle")
    >>> moved = mesh.replace(vertices=mesh.vertices + 1.0)
    >>> moved.topology_id == mesh.topology_id
    True
    """

    vertices: FloatArray
    faces: IndexArray = None  # type: ignore[assignment]  # filled from quads in __post_init__
    quads: IndexArray | None = None
    uv: FloatArray | None = None
    uv_faces: IndexArray | None = None
    colors: ImageArray | None = None
    texture: ImageArray | None = None
    unit: str = None  # type: ignore[assignment]  # filled in __post_init__
    name: str = "mesh"
    unit_source: UnitSource | None = None
    painted: BoolArray | None = None

    def __post_init__(self) -> None:
        def put(field: str, value: object) -> None:
            object.__setattr__(self, field, value)

        label = self.name
        vertices = require_shape(self.vertices, (None, 3), f"{label}: vertices")
        put("vertices", frozen(vertices, np.float64))
        require_finite(self.vertices, f"{label}: vertices")
        if self.quads is not None:
            quads = require_shape(self.quads, (None, 4), f"{label}: quads")
            require_indices(quads, len(vertices), f"{label}: quads")
            put("quads", frozen(quads, np.int64))
        if self.faces is None:
            if self.quads is None:
                raise MeshError(f"{label}: expected triangles or quads, got neither.")
            put("faces", split_quads(self.quads, len(vertices)))
        faces = require_shape(self.faces, (None, 3), f"{label}: faces")
        if len(faces) == 0:
            raise MeshError(
                f"{label}: expected a surface, got {len(vertices)} vertices and no faces. "
                "Point clouds must be meshed first."
            )
        require_indices(faces, len(vertices), f"{label}: faces")
        put("faces", frozen(faces, np.int64))
        if self.quads is not None and not _halves_of(self.quads, self.faces):
            raise MeshError(
                f"{label}: expected triangles 2 i and 2 i + 1 to be the halves of the quads, got "
                f"{len(faces)} other triangles for {len(self.quads)} quads. Leave the triangles "
                "out, or the quads."
            )
        if (self.uv is None) != (self.uv_faces is None):
            raise MeshError(f"{label}: uv and uv_faces belong together, only one was given.")
        if self.uv is not None and self.uv_faces is not None:
            uv = require_shape(self.uv, (None, 2), f"{label}: uv")
            put("uv", frozen(uv, np.float64))
            require_finite(self.uv, f"{label}: uv")
            uv_faces = require_shape(self.uv_faces, (len(faces), 3), f"{label}: uv_faces")
            require_indices(uv_faces, len(uv), f"{label}: uv_faces")
            put("uv_faces", frozen(uv_faces, np.int64))
        if self.colors is not None:
            colors = require_shape(self.colors, (len(vertices), 3), f"{label}: colors")
            put("colors", frozen(colors, np.float32))
            where = f"{label}: colors"
            require_within(self.colors, 0.0, 1.0, where, missing=True, advice=_EIGHT_BITS)
        if self.texture is not None:
            texture = require_shape(self.texture, (None, None, 3), f"{label}: texture")
            put("texture", frozen(texture, np.float32))
            require_within(self.texture, 0.0, 1.0, f"{label}: texture", advice=_EIGHT_BITS)
        if self.unit_source is None:
            put("unit_source", "assumed" if self.unit is None else "said")
        put("unit", "mm" if self.unit is None else canonical_unit(self.unit, f"{label}: unit"))
        if self.painted is not None:
            put("painted", frozen(require_shape(self.painted, (len(faces),), label), bool))

    @cached_property
    def topology_id(self) -> str:
        """Hash of the polygons: sixteen hex digits, equal exactly when the topology is equal."""
        polygons = self.faces if self.quads is None else self.quads
        digest = hashlib.sha256(f"{polygons.shape[1]}:{len(self.vertices)}:".encode())
        digest.update(np.ascontiguousarray(polygons, dtype="<i8").tobytes())
        return digest.hexdigest()[:16]

    def replace(self, **changes: object) -> "Mesh":
        """Return a copy with some fields changed.

        A unit given here is said; of other faces or another texture all are painted.
        """
        if "unit" in changes:
            changes = {"unit_source": None} | changes
        if {"faces", "quads", "texture", "uv_faces"} & set(changes):
            changes.setdefault("painted", None)
        return dataclasses.replace(self, **changes)  # type: ignore[arg-type]

    @property
    def diagonal(self) -> float:
        """Length of the bounding-box diagonal, in `unit`."""
        return float(np.linalg.norm(np.ptp(self.vertices, axis=0)))

    def __repr__(self) -> str:
        parts = [f"{len(self.vertices)} vertices", f"{len(self.faces)} triangles"]
        if self.quads is not None:
            parts.append(f"{len(self.quads)} quads")
        extras = [name for name in ("uv", "colors", "texture") if getattr(self, name) is not None]
        return f"Mesh({self.name!r}: {', '.join(parts + extras)}, {self.unit})"


def _halves_of(quads: IndexArray, faces: IndexArray) -> bool:
    """Say whether every pair of triangles covers its quad."""
    if len(faces) != 2 * len(quads):
        return False
    # Both halves hold the diagonal: the corner indices of a pair sum to the quad plus one diagonal.
    pairs = faces.reshape(-1, 6).sum(axis=1) - quads.sum(axis=1)
    a, b, c, d = quads.T
    inside = (faces.reshape(-1, 6, 1) == quads[:, None, :]).any(axis=2).all()
    return bool(inside and ((pairs == a + c) | (pairs == b + d)).all())


def require_same_topology(
    first: Mesh | str, second: Mesh | str, names: Mapping[str, str] | None = None
) -> None:
    """Raise `TopologyMismatchError` unless both (meshes or topology ids) have the same topology."""
    ids = [item.topology_id if isinstance(item, Mesh) else item for item in (first, second)]
    if ids[0] != ids[1]:
        labels = [
            item.name if isinstance(item, Mesh) else default
            for item, default in zip((first, second), ("the first", "the second"), strict=True)
        ]
        if names:
            labels = [names.get("first", labels[0]), names.get("second", labels[1])]
        raise TopologyMismatchError(
            f"{labels[0]} (topology {ids[0]}) and {labels[1]} (topology {ids[1]}) do not share one "
            "topology. Use meshes registered to one template, whole or cut to the same region; STL "
            "and other tools' GLB hold triangles only, so keep a quad template as OBJ or PLY."
        )
