"""A template: the mesh whose topology everything shares, with its landmarks and regions."""

import dataclasses
from collections.abc import Mapping

import numpy as np

from geomface.arrays import IndexArray, frozen, require_indices
from geomface.errors import LandmarkError, MeshError
from geomface.mesh.landmarks import LandmarkEmbedding, Landmarks
from geomface.mesh.mesh import Mesh


@dataclasses.dataclass(frozen=True, eq=False)
class Template:
    """A mesh with landmarks and named vertex regions.

    Parameters
    ----------
    mesh : the template surface, one component with one or more boundary loops
    landmarks : where the landmarks lie on it, or None
    regions : {name: (n,) int64 vertex indices}

    Example
    -------
    >>> import numpy as np
    >>> import geomface as gf
    >>> mesh = gf.Mesh(np.eye(3), np.array([[0, 1, 2]]))
    >>> marks = gf.LandmarkEmbedding.on_vertices(np.array([0, 2]), scheme="two corners")
    >>> template = gf.Template(mesh, marks, {"tip": np.array([1])})
    >>> template.landmarks.positions(mesh.vertices)
    array([[1., 0., 0.],
           [0., 0., 1.]])
    """

    mesh: Mesh
    landmarks: LandmarkEmbedding | None = None
    regions: Mapping[str, IndexArray] = dataclasses.field(default_factory=dict)

    def __post_init__(self) -> None:
        count = len(self.mesh.vertices)
        if self.landmarks is not None:
            require_indices(
                self.landmarks.vertices,
                count,
                f"{self.mesh.name}: template landmarks",
                LandmarkError,
            )
        checked = {}
        for name, indices in self.regions.items():
            require_indices(
                np.asarray(indices), count, f"{self.mesh.name}: region {name!r}", MeshError
            )
            checked[name] = frozen(indices, np.int64)
        object.__setattr__(self, "regions", checked)

    def require_landmarks(self, points: Landmarks) -> LandmarkEmbedding:
        """Return the embedding, after checking that scheme and count fit `points`."""
        if self.landmarks is None:
            raise LandmarkError(
                f"{self.mesh.name}: this template has no landmarks. Give --template-landmarks."
            )
        if self.landmarks.scheme != points.scheme or len(self.landmarks) != len(points.points):
            raise LandmarkError(
                f"{points.name}: expected {len(self.landmarks)} landmarks of scheme "
                f"{self.landmarks.scheme!r} as on the template, got {len(points.points)} of scheme "
                f"{points.scheme!r}. Use the scheme of the template's landmark file."
            )
        return self.landmarks


def cut_template(template: Template, rows: IndexArray, name: str) -> Template:
    """Return the template of some vertices; landmarks stay only when all of them do.

    Parameters
    ----------
    rows : (n,) int64, the vertices in their new order
    name : what messages call it

    Raises
    ------
    MeshError : a vertex twice, or no face between them.
    """
    mesh = template.mesh
    place = np.full(len(mesh.vertices), -1)
    place[rows] = np.arange(len(rows))
    if np.count_nonzero(place >= 0) != len(rows):
        raise MeshError(f"{name}: a vertex is named twice.")
    whole = (place[mesh.faces] >= 0).all(axis=1)
    quads = None
    if mesh.quads is not None:
        # Both halves of a quad stay, or neither.
        whole = np.repeat((place[mesh.quads] >= 0).all(axis=1), 2)
        quads = place[mesh.quads[whole[::2]]]
    if not whole.any():
        raise MeshError(f"{name}: the {len(rows)} vertices span no face.")
    uv_faces = None if mesh.uv_faces is None else mesh.uv_faces[whole]
    colors = None if mesh.colors is None else mesh.colors[rows]
    cut = Mesh(
        mesh.vertices[rows],
        place[mesh.faces[whole]],
        quads=quads,
        uv=mesh.uv,
        uv_faces=uv_faces,
        colors=colors,
        unit=mesh.unit,
        name=mesh.name,
    )
    landmarks = template.landmarks
    if landmarks is not None:
        moved = place[landmarks.vertices]
        complete = bool((moved >= 0).all())
        landmarks = (
            LandmarkEmbedding(moved, landmarks.weights, landmarks.scheme) if complete else None
        )
    regions = {key: place[ids][place[ids] >= 0] for key, ids in template.regions.items()}
    return Template(cut, landmarks, {key: ids for key, ids in regions.items() if len(ids)})
