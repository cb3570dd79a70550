"""A uv that a mesh brings is used only if it is one map of the surface."""

import numpy as np
import pytest

from geomface.geometry_image.given_uv import given_uv
from geomface.mesh import Mesh


def sheet(side: int = 9) -> Mesh:
    steps = np.linspace(0.0, 1.0, side)
    u, v = (part.ravel() for part in np.meshgrid(steps, steps))
    place = np.arange(side * side).reshape(side, side)
    a, b, c, d = (
        part.ravel() for part in (place[:-1, :-1], place[:-1, 1:], place[1:, 1:], place[1:, :-1])
    )
    faces = np.concatenate([np.stack([a, b, c], 1), np.stack([a, c, d], 1)])
    vertices = np.stack([u, v, 0.1 * u * v], axis=1)
    return Mesh(vertices, faces, uv=np.stack([u, v], axis=1), uv_faces=faces)


def test_a_map_is_kept_also_when_its_rows_are_repeated() -> None:
    mesh = sheet()
    split = mesh.replace(
        uv=mesh.uv[mesh.uv_faces].reshape(-1, 2),
        uv_faces=np.arange(3 * len(mesh.faces)).reshape(-1, 3),
    )
    for given in (mesh, split):
        uv, reason = given_uv(given)
        assert reason == ""
        np.testing.assert_array_equal(uv, mesh.uv)


def doubled(mesh: Mesh) -> Mesh:
    """Two sheets, one above the other, with one map."""
    count = len(mesh.vertices)
    faces = np.vstack([mesh.faces, mesh.faces + count])
    vertices = np.vstack([mesh.vertices, mesh.vertices + [0.0, 0.0, 1.0]])
    return Mesh(vertices, faces, uv=np.vstack([mesh.uv, mesh.uv]), uv_faces=faces)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda mesh: mesh.replace(uv=None, uv_faces=None), "is missing"),
        (lambda mesh: mesh.replace(uv=mesh.uv * 1.5), "leaves the unit square"),
        (lambda mesh: mesh.replace(uv=mesh.uv * [-1, 1] + [1, 0]), "mirror image"),
        (lambda mesh: mesh.replace(uv=np.where(mesh.uv == 0.5, 0.7, mesh.uv)), "turns over"),
        (
            lambda mesh: mesh.replace(
                uv=np.vstack([mesh.uv, [[0.5, 0.5]]]),
                uv_faces=np.vstack([mesh.uv_faces[:-1], [[len(mesh.uv), *mesh.uv_faces[-1, 1:]]]]),
            ),
            "has seams",
        ),
        (doubled, "lays 50 %"),
    ],
)
def test_what_is_no_map_is_refused_with_the_reason(change, reason: str) -> None:  # type: ignore[no-untyped-def]
    uv, said = given_uv(change(sheet()))
    assert uv is None and reason in said
