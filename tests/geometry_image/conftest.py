"""A curved patch with a hole and an uneven uv map, whose every value is known."""

import numpy as np
import pytest

from geomface.mesh import Mesh


def bulge(uv: np.ndarray) -> np.ndarray:
    """A smooth surface over the unit square, 200 x 240 mm, rising 60 mm."""
    u, v = uv[..., 0] - 0.5, uv[..., 1] - 0.5
    height = 60 * np.exp(-4 * (u**2 + v**2)) + 6 * np.sin(9 * u) * np.cos(7 * v)
    return np.stack([200 * u, 240 * v, height], axis=-1)


def make_patch(count: int = 25, hole: bool = True, jitter: float = 0.3) -> Mesh:
    """A grid of quads over the uv square; the surface is `bulge` of the uv."""
    axis = np.linspace(0, 1, count)
    uv = np.stack(np.meshgrid(axis, axis), axis=-1).reshape(-1, 2)
    inner = ((uv > 0) & (uv < 1)).all(axis=1)
    rng = np.random.default_rng(5)
    uv[inner] += jitter / (count - 1) * rng.uniform(-1, 1, (inner.sum(), 2))
    index = np.arange(count * count).reshape(count, count)
    quads = np.stack([index[:-1, :-1], index[:-1, 1:], index[1:, 1:], index[1:, :-1]], axis=-1)
    quads = quads.reshape(-1, 4)
    if hole:
        centres = uv[quads].mean(axis=1)
        quads = quads[~((np.abs(centres - [0.5, 0.3]) < [0.13, 0.07]).all(axis=1))]
        used, flat = np.unique(quads, return_inverse=True)
        uv, quads = uv[used], flat.reshape(-1, 4)
    mesh = Mesh(bulge(uv), quads=quads, name="patch")
    return mesh.replace(uv=uv, uv_faces=mesh.faces)


@pytest.fixture(scope="session")
def patch() -> Mesh:
    return make_patch()


@pytest.fixture(scope="session")
def bent(patch: Mesh) -> np.ndarray:
    """The patch after a smooth deformation of some millimetres."""
    x, y, z = patch.vertices.T
    return np.stack(
        [
            x * 1.05 + 3 * np.sin(y / 40),
            y + 4 * np.cos(x / 50),
            z + 5 * np.sin(x / 35) * np.cos(y / 45),
        ],
        axis=1,
    )
