"""What the renderer knows about a mesh before it sees a shape: tables, built once."""

import dataclasses

import numpy as np
import torch

from geomface.arrays import IndexArray, require_indices, require_shape
from geomface.errors import MeshError
from geomface.mesh import Mesh, Template
from geomface.mesh.topology import edge_uses


@dataclasses.dataclass(frozen=True, eq=False)
class RenderTopology:
    """The tables of one topology on one device.

    Parameters
    ----------
    faces : (F, 3) int64
    vertex_count : V
    neighbours : (F, 3) int64, the face beyond the edge from corner k to corner k + 1, or -1 at a
        boundary or where more than two faces meet
    uv : (T, 2) float64 or None, origin bottom-left
    uv_faces : (F, 3) int64 or None
    regions : (V,) int64, 1 + the place of the vertex's region in `region_names`, 0 for none
    region_names : names of the regions
    landmark_vertices : (L, 3) int64 or None
    landmark_weights : (L, 3) float64 or None
    """

    faces: torch.Tensor
    vertex_count: int
    neighbours: torch.Tensor
    uv: torch.Tensor | None
    uv_faces: torch.Tensor | None
    regions: torch.Tensor
    region_names: tuple[str, ...]
    landmark_vertices: torch.Tensor | None
    landmark_weights: torch.Tensor | None

    def to(self, device: torch.device) -> "RenderTopology":
        """Return the tables on another device."""
        moved = {
            field.name: getattr(self, field.name).to(device)
            for field in dataclasses.fields(self)
            if isinstance(getattr(self, field.name), torch.Tensor)
        }
        return dataclasses.replace(self, **moved)


def render_topology(surface: Mesh | Template) -> RenderTopology:
    """Build the tables of a mesh, or of a template with its landmarks and regions.

    A vertex of several regions counts for the smallest one, so that eyes and mouth show within the
    face that holds them.

    Raises
    ------
    MeshError : a triangle that uses a vertex twice and so has no area in any shape.
    """
    template = surface if isinstance(surface, Template) else Template(surface)
    mesh = template.mesh
    faces = mesh.faces
    twice = (faces == np.roll(faces, 1, axis=1)).any(axis=1)
    if twice.any():
        raise MeshError(
            f"{mesh.name}: {int(twice.sum())} of {len(faces)} triangles use a vertex twice (first: "
            f"triangle {int(np.argmax(twice))}) and have no area. Remove them before rendering."
        )
    count = len(mesh.vertices)
    regions = np.zeros(count, np.int64)
    names = tuple(template.regions)
    for name in sorted(names, key=lambda item: -len(template.regions[item])):
        regions[template.regions[name]] = 1 + names.index(name)
    landmarks = template.landmarks
    return RenderTopology(
        faces=_tensor(faces),
        vertex_count=count,
        neighbours=_tensor(face_neighbours(faces)),
        uv=None if mesh.uv is None else _tensor(mesh.uv),
        uv_faces=None if mesh.uv_faces is None else _tensor(mesh.uv_faces),
        regions=_tensor(regions),
        region_names=names,
        landmark_vertices=None if landmarks is None else _tensor(landmarks.vertices),
        landmark_weights=None if landmarks is None else _tensor(landmarks.weights),
    )


def face_neighbours(faces: IndexArray) -> IndexArray:
    """Return (F, 3): the face beyond the edge from corner k to corner k + 1, -1 for none.

    An edge of more than two faces has no neighbour on any side.
    """
    faces = require_shape(faces, (None, 3), "faces")
    if faces.size:
        require_indices(faces, int(faces.max()) + 1, "faces")
    _, counts, inverse = edge_uses(faces)
    order = np.argsort(inverse, kind="stable")
    first = (np.cumsum(counts) - counts)[counts == 2]
    one, other = order[first], order[first + 1]
    neighbours = np.full(faces.size, -1, np.int64)
    neighbours[one], neighbours[other] = other // 3, one // 3
    return neighbours.reshape(-1, 3)


def _tensor(array: np.ndarray) -> torch.Tensor:
    """Copy: the arrays of a mesh are read-only, tensors are not."""
    return torch.from_numpy(np.array(array))
