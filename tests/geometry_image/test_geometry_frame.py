"""The frame of a training set: images of registered faces and back."""

import dataclasses

import numpy as np
import pytest

from geomface.errors import MeshError, SettingsError, TopologyMismatchError
from geomface.geometry_image import GeometryFrame, fit_frame
from geomface.geometry_image.frame import fill_square
from geomface.geometry_image.readout import read_bilinear
from geomface.mesh import Mesh


def grid(side: int = 9, low: float = 0.2, high: float = 0.7) -> Mesh:
    """A square sheet, uv in a part of the unit square."""
    steps = np.linspace(0.0, 1.0, side)
    u, v = np.meshgrid(steps, steps)
    vertices = np.stack([60 * u.ravel(), 80 * v.ravel(), 5 * np.sin(3 * u.ravel())], axis=1)
    first = (np.arange(side - 1)[:, None] * side + np.arange(side - 1)).ravel()
    quads = np.stack([first, first + 1, first + side + 1, first + side], axis=1)
    faces = np.concatenate([quads[:, [0, 1, 2]], quads[:, [0, 2, 3]]])
    uv = low + (high - low) * np.stack([u.ravel(), v.ravel()], axis=1)
    return Mesh(vertices, faces, uv=uv, uv_faces=faces, unit="mm", name="sheet")


def smooth_faces(mesh: Mesh, count: int = 6) -> np.ndarray:
    """Shapes that a few texels can say: affine changes of the sheet."""
    rng = np.random.default_rng(0)
    x = mesh.vertices
    return np.stack(
        [x + x @ rng.normal(0, 0.05, (3, 3)) + rng.normal(0, 2, 3) for _ in range(count)]
    )


def test_frame_takes_mean_and_largest_displacement() -> None:
    mesh, faces = grid(), smooth_faces(grid())
    frame = fit_frame(mesh, faces.astype(np.float32), 16)
    assert np.allclose(frame.template.vertices, faces.mean(axis=0), atol=1e-4)
    assert np.isclose(frame.limit, np.abs(faces - faces.mean(axis=0)).max(), rtol=1e-4)
    images = frame.to_images(faces)
    assert images.shape == (6, 3, 16, 16) and images.dtype == np.float32
    assert 0.9 < np.abs(images).max() <= 1.0 + 1e-5


def test_square_is_filled() -> None:
    mesh = grid()
    square = fill_square(mesh)
    assert square.uv is not None
    assert np.allclose([square.uv.min(axis=0), square.uv.max(axis=0)], [[0, 0], [1, 1]])
    assert fit_frame(mesh, smooth_faces(mesh), 16).mask.all()
    assert GeometryFrame(mesh, 16, 1.0).mask.mean() < 0.3


def test_images_come_back_as_the_faces() -> None:
    mesh = grid()
    faces = smooth_faces(mesh)
    frame = fit_frame(mesh, faces, 32)
    back = frame.to_vertices(frame.to_images(faces), alpha=1e-6)
    assert np.abs(back - faces).max() < 0.02


def test_much_smoothing_returns_the_mean_moved() -> None:
    mesh = grid()
    faces = smooth_faces(mesh)
    frame = fit_frame(mesh, faces, 16)
    back = frame.to_vertices(frame.to_images(faces), alpha=1e9) - frame.template.vertices
    assert np.ptp(back, axis=1).max() < 1e-3  # a translation


def test_vertex_grid_is_where_the_bilinear_readout_reads() -> None:
    torch = pytest.importorskip("torch")
    mesh = grid()
    frame = fit_frame(mesh, smooth_faces(mesh), 16)
    image = np.random.default_rng(1).normal(size=(1, 3, 16, 16)).astype(np.float32)
    places = torch.from_numpy(frame.vertex_grid())[None, :, None]
    read = torch.nn.functional.grid_sample(
        torch.from_numpy(image), places, align_corners=False, padding_mode="border"
    )
    assert frame.template.uv is not None
    expected = read_bilinear(np.moveaxis(image[0], 0, -1), frame.template.uv)
    assert np.abs(read[0, :, :, 0].numpy().T - expected).max() < 1e-4


def test_bad_input_is_told_in_a_sentence() -> None:
    mesh = grid()
    faces = smooth_faces(mesh)
    with pytest.raises(MeshError, match="in mm, got m"):
        GeometryFrame(dataclasses.replace(mesh, unit="m"), 16, 1.0)
    with pytest.raises(SettingsError, match="positive number"):
        GeometryFrame(mesh, 16, 0.0)
    with pytest.raises(TopologyMismatchError, match="training faces"):
        fit_frame(mesh, faces[:, :-1], 16)
    with pytest.raises(MeshError, match="expected training faces, got none"):
        fit_frame(mesh, faces[:0], 16)
    frame = fit_frame(mesh, faces, 16)
    with pytest.raises(MeshError, match="images"):
        frame.to_vertices(np.zeros((1, 3, 8, 8)))
    with pytest.raises(MeshError, match="NaN"):
        frame.to_vertices(np.full((1, 3, 16, 16), np.nan))
