"""Meshes for the file tests."""

from pathlib import Path

import numpy as np

from geomface.mesh import Mesh
from geomface.mesh.io import save_mesh

LOSSLESS = (".obj", ".ply", ".glb")
FORMATS = (".obj", ".ply", ".glb", ".stl", ".off")


def random_mesh(
    seed: int,
    *,
    quads: bool = False,
    uv: str = "none",
    colors: bool = False,
    texture: bool = False,
    exact_colors: bool = True,
    unit: str = "mm",
) -> Mesh:
    """Return random polygons on random points; uv is none, vertex (one a vertex) or seams."""
    rng = np.random.default_rng(seed)
    count, polygon_count = int(rng.integers(5, 30)), int(rng.integers(1, 40))
    vertices = rng.standard_normal((count, 3)) * 10.0 ** rng.integers(-6, 7, (count, 3))
    vertices[0] = (0.0, -0.0, 1 / 3)
    sides = 4 if quads else 3
    polygons = np.stack([rng.permutation(count)[:sides] for _ in range(polygon_count)])
    mesh = Mesh(vertices, quads=polygons) if quads else Mesh(vertices, polygons)
    fields: dict = {"unit": unit, "name": f"random{seed}"}
    if uv == "vertex":
        fields |= {"uv": rng.random((count, 2)), "uv_faces": mesh.faces}
    elif uv == "seams":
        total = int(rng.integers(1, 60))
        corners = rng.integers(0, total, polygons.shape)
        fields |= {"uv": rng.random((total, 2)), "uv_faces": corners}
        if quads:
            fields["uv_faces"] = split_like(polygons, mesh.faces, corners)
    if colors:
        levels = rng.integers(0, 256, (count, 3)) / 255.0
        values = levels if exact_colors else rng.random((count, 3))
        fields["colors"] = values.astype(np.float32)
    if texture:
        levels = rng.integers(0, 256, (int(rng.integers(1, 9)), int(rng.integers(1, 9)), 3))
        fields["texture"] = (levels / 255.0).astype(np.float32)
    return mesh.replace(**fields)


def split_like(quads: np.ndarray, faces: np.ndarray, corners: np.ndarray) -> np.ndarray:
    """Carry values at quad corners to the triangles' corners, by looking each vertex up."""
    rows = []
    for place, face in enumerate(faces):
        quad = quads[place // 2].tolist()
        rows.append([corners[place // 2][quad.index(vertex)] for vertex in face])
    return np.array(rows, np.int64)


def assert_same_mesh(have: Mesh, want: Mesh, fields: tuple[str, ...] | None = None) -> None:
    """Compare bit for bit, count and order included."""
    for field in fields or ("vertices", "faces", "quads", "uv", "uv_faces", "colors", "texture"):
        ours, theirs = getattr(have, field), getattr(want, field)
        if theirs is None:
            assert ours is None, field
        else:
            assert ours is not None, field
            np.testing.assert_array_equal(ours, theirs, err_msg=field)
            assert ours.dtype == theirs.dtype, field
    assert have.unit == want.unit


def corner_mesh() -> Mesh:
    """Return a unit square in the plane z = 0 whose texture has four different corners.

    Red top-left, green top-right, blue bottom-left, white bottom-right; uv equals x, y.
    """
    square = np.array([[0, 0], [1, 0], [1, 1], [0, 1]], float)
    texture = np.zeros((8, 8, 3), np.float32)
    texture[:4, :4, 0] = texture[:4, 4:, 1] = texture[4:, :4, 2] = texture[4:, 4:] = 1.0
    faces = np.array([[0, 1, 2], [0, 2, 3]])
    vertices = np.column_stack([square, np.zeros(4)])
    return Mesh(vertices, faces, uv=square, uv_faces=faces, texture=texture, name="square")


CORNER_COLORS = {
    (0.1, 0.9): (1, 0, 0),
    (0.9, 0.9): (0, 1, 0),
    (0.1, 0.1): (0, 0, 1),
    (0.9, 0.1): (1, 1, 1),
}


def sample_file(folder: Path, suffix: str, seed: int = 7, **options) -> Path:
    """Write a mesh with all that the format can hold and return its path."""
    options = {"quads": True, "uv": "seams", "colors": True} | options
    path = folder / f"sample{suffix}"
    save_mesh(path, random_mesh(seed, **options))
    return path
