"""What keeps a mesh from being a template is named, all of it in one message."""

import numpy as np
import pytest

from geomface.errors import MeshError
from geomface.mesh import Mesh
from geomface.mesh.template_checks import check_topology, largest_part, require_passed


def grid(side: int = 5) -> tuple[np.ndarray, np.ndarray]:
    """A flat sheet of side x side vertices, wound alike."""
    place = np.arange(side * side).reshape(side, side)
    x, y = np.meshgrid(np.arange(side, dtype=float), np.arange(side, dtype=float))
    vertices = np.stack([x.ravel(), y.ravel(), np.zeros(side * side)], axis=1)
    a, b, c, d = (
        part.ravel() for part in (place[:-1, :-1], place[:-1, 1:], place[1:, 1:], place[1:, :-1])
    )
    return vertices, np.concatenate([np.stack([a, b, c], 1), np.stack([a, c, d], 1)])


def tube(closed: bool) -> Mesh:
    """A torus, closed or with one triangle left out: a handle and a rim."""
    count = 6
    i, j = np.meshgrid(np.arange(count), np.arange(count), indexing="ij")
    round_, along = 2 * np.pi * i / count, 2 * np.pi * j / count
    radius = 3 + np.cos(along)
    vertices = np.stack([radius * np.cos(round_), radius * np.sin(round_), np.sin(along)], -1)
    a = i * count + j
    b, c = (i + 1) % count * count + j, (i + 1) % count * count + (j + 1) % count
    d = i * count + (j + 1) % count
    faces = np.concatenate(
        [np.stack([x.ravel() for x in corners], 1) for corners in ((a, b, c), (a, c, d))]
    )
    return Mesh(vertices.reshape(-1, 3), faces if closed else faces[1:])


def bad_meshes() -> dict[str, Mesh]:
    vertices, faces = grid()
    away = vertices + [100.0, 0.0, 0.0]
    turned = faces.copy()
    turned[3] = turned[3, ::-1]
    flat = vertices.copy()
    flat[faces[0, 1]] = flat[faces[0, 0]]
    fin = np.vstack([vertices, [[1.5, 1.5, 2.0]]])
    inner = next(row for row in faces if {6, 7} <= set(row.tolist()))
    assert len(inner) == 3
    return {
        "in no triangle": Mesh(np.vstack([vertices, [[9.0, 9.0, 9.0]]]), faces),
        "without area": Mesh(flat, faces),
        "more than two triangles": Mesh(fin, np.vstack([faces, [[6, 7, 25]]])),
        "2 separate parts": Mesh(np.vstack([vertices, away]), np.vstack([faces, faces + 25])),
        "wound against": Mesh(vertices, turned),
        "closed surface": tube(closed=True),
        "handles": tube(closed=False),
    }


@pytest.mark.parametrize("words", bad_meshes())
def test_what_is_wrong_is_said(words: str) -> None:
    with pytest.raises(MeshError, match=words):
        require_passed("it", check_topology(bad_meshes()[words]))


def test_all_that_is_wrong_is_said_at_once() -> None:
    vertices, faces = grid()
    both = Mesh(
        np.vstack([vertices, vertices + 50.0, [[9.0, 9.0, 9.0]]]), np.vstack([faces, faces + 25])
    )
    with pytest.raises(MeshError) as error:
        require_passed("my.obj", check_topology(both))
    assert all(words in str(error.value) for words in ("my.obj", "in no triangle", "2 separate"))


def test_a_sheet_passes_and_the_largest_part_is_found() -> None:
    vertices, faces = grid()
    assert all(check.passed for check in check_topology(Mesh(vertices, faces)))
    small = np.vstack([vertices[:3] + 50.0, vertices])
    mesh = Mesh(small, np.vstack([[[0, 1, 2]], faces + 3]))
    assert largest_part(mesh).tolist() == list(range(3, 28))


def test_a_mesh_split_at_its_seams_is_told_from_one_with_eyeballs() -> None:
    vertices, faces = grid()
    split = Mesh(vertices[faces].reshape(-1, 3), np.arange(faces.size).reshape(-1, 3))
    with pytest.raises(MeshError, match="merge them first"):
        require_passed("it", check_topology(split))
