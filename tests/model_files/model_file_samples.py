"""Small models for the tests of model files: a curved mask of a few dozen vertices."""

import numpy as np

from geomface.mesh import LandmarkEmbedding, Mesh, Template
from geomface.statistics import (
    ExpressionModel,
    Eyeballs,
    LinearModel,
    MorphableModel,
    TextureModel,
)


def mask_mesh(columns: int = 5, rows: int = 6, *, quads: bool = False, uv: bool = False) -> Mesh:
    """Return a face-sized grid bent backwards at its sides, seen from the front."""
    x, y = np.meshgrid(np.linspace(-70, 70, columns), np.linspace(-90, 90, rows))
    z = 60 - x**2 / 100 - y**2 / 200 + 0.05 * x
    vertices = np.stack([x, y, z], axis=-1).reshape(-1, 3)
    index = np.arange(columns * rows).reshape(rows, columns)
    corners = np.stack(
        [index[:-1, :-1], index[:-1, 1:], index[1:, 1:], index[1:, :-1]], axis=-1
    ).reshape(-1, 4)
    mesh = Mesh(vertices, quads=corners, name="mask")
    if not quads:
        mesh = Mesh(vertices, mesh.faces, name="mask")
    if uv:
        # A seam: the right half has its own uv points.
        low, size = vertices.min(axis=0)[:2], np.ptp(vertices, axis=0)[:2]
        plain = (vertices[:, :2] - low) / size
        right = np.repeat(corners[:, 0] % columns >= columns // 2, 2)
        uv_faces = mesh.faces + np.where(right, len(vertices), 0)[:, None]
        mesh = mesh.replace(uv=np.concatenate([plain * 0.5, plain * 0.5 + 0.5]), uv_faces=uv_faces)
    return mesh


def orthogonal_basis(
    rng: np.random.Generator, shape: tuple[int, ...], deviations: np.ndarray
) -> np.ndarray:
    """Return (*shape, K) orthogonal columns of these lengths."""
    size = int(np.prod(shape))
    unit, _ = np.linalg.qr(rng.standard_normal((size, len(deviations))))
    return (unit * deviations).reshape(*shape, len(deviations))


def small_model(
    rng: np.random.Generator,
    *,
    modes: int = 4,
    expression: str | None = None,
    texture: str | None = None,
    quads: bool = False,
    uv: bool = False,
    landmarks: bool = False,  # with regions and eyeballs
    coupled: bool = False,
    dtype: type = np.float64,
) -> MorphableModel:
    """Return a model with the parts asked for; see the parameters of `MorphableModel`."""
    mesh = mask_mesh(quads=quads, uv=uv or texture == "image")
    count = len(mesh.vertices)
    deviations = np.sort(rng.uniform(0.1, 300.0, modes))[::-1]
    shape = LinearModel(
        mesh.vertices,
        orthogonal_basis(rng, (count, 3), deviations).astype(dtype),
        noise_sigma=0.25,
        sample_count=modes + 1,
        total_variance=2.0 * float((deviations**2).sum()),
    )
    extra: dict[str, object] = {}
    if expression is not None:
        basis = rng.standard_normal((count, 3, 3)) * [5.0, 0.1, 20.0]
        mean = 0.0 * mesh.vertices
        names: tuple[str, ...] = ("jawOpen", "mouth/Smile L", "jawopen")
        if expression == "gaussian":
            mean, names = rng.standard_normal((count, 3)), ()
        extra["expression"] = ExpressionModel(
            mean, basis.astype(dtype), noise_sigma=0.5, names=names, kind=expression
        )
    if texture is not None:
        size = (count, 3) if texture == "vertex" else (6, 7, 3)
        colors = rng.uniform(0.2, 0.8, size)
        valid = rng.random(size[:-1]) < 0.9
        basis = (0.05 * rng.standard_normal((*size, 2))).astype(np.float32)
        extra["texture"] = TextureModel(colors, basis, sample_count=5, valid=valid)
    if coupled:
        extra["coupling"] = 0.1 * rng.standard_normal((modes, 2))
    embedding = None
    regions = {}
    if landmarks:
        weights = rng.dirichlet([1.0, 1.0, 1.0], 3)
        embedding = LandmarkEmbedding(mesh.faces[[0, 5, 9]], weights, "three points")
        extra["eyeballs"] = Eyeballs(rng.standard_normal((2, 3)), rng.uniform(1.0, 20.0))
        regions = {"upper half": np.flatnonzero(mesh.vertices[:, 1] > 0), "one": np.array([7])}
    return MorphableModel(
        Template(mesh, embedding, regions),
        shape,
        name="small",
        card={"source": "a test", "unit": "millimetres"},
        **extra,  # type: ignore[arg-type]
    )


def assert_close(found: np.ndarray, wanted: np.ndarray, relative: float = 1e-6) -> None:
    """Fail unless equal to a part of the largest number of each column."""
    found, wanted = np.asarray(found), np.asarray(wanted)
    assert found.shape == wanted.shape
    if not wanted.size:
        return
    rows = wanted.reshape(-1, wanted.shape[-1] if wanted.ndim > 2 else 1)
    scale = np.maximum(np.abs(rows).max(axis=0), 1e-300)
    assert (np.abs(found - wanted).reshape(rows.shape) <= relative * scale).all()
