"""Principal component analysis of registered meshes: a mean, orthonormal modes, variances."""

import dataclasses
from pathlib import Path

import numpy as np

from geomface.arrays import FloatArray, frozen, require_finite, require_shape
from geomface.errors import MeshError, SettingsError
from geomface.mesh.mesh import Mesh, require_same_topology

SCHEMA = 1
KIND = "point-model"


@dataclasses.dataclass(frozen=True, eq=False)
class PointModel:
    """A Gaussian model of vertex positions: v = mean + sum_k c_k sqrt(variance_k) mode_k.

    Parameters
    ----------
    mean : (V, 3) float64, mm
    modes : (K, V, 3) float64, orthonormal as vectors of length 3 V
    variances : (K,) float64 > 0, mm squared, decreasing
    reference : mesh whose faces, quads and uv all samples share, or None
    sample_count : number of meshes that the model was fitted to (0 when unknown)
    total_variance : mm squared, of all modes, kept or not

    Raises
    ------
    MeshError : arrays that do not fit each other or the reference.

    Convention
    ----------
    Coefficients c are in standard deviations: c ~ N(0, 1) for the meshes of the fit.
    """

    mean: FloatArray
    modes: FloatArray
    variances: FloatArray
    reference: Mesh | None = None
    sample_count: int = 0
    total_variance: float = 0.0

    def __post_init__(self) -> None:
        mean = require_shape(self.mean, (None, 3), "model mean")
        modes = require_shape(self.modes, (None, len(mean), 3), "model modes")
        variances = require_shape(self.variances, (len(modes),), "model variances")
        if self.reference is not None:
            require_shape(self.reference.vertices, (len(mean), 3), "model reference vertices")
        for name, array in (("mean", mean), ("modes", modes), ("variances", variances)):
            require_finite(array, f"model {name}")
            object.__setattr__(self, name, frozen(array, np.float64))
        if (self.variances <= 0).any():
            raise MeshError("model variances: expected positive numbers. Drop the empty modes.")

    def __len__(self) -> int:
        return len(self.modes)

    @property
    def topology_id(self) -> str:
        """Topology of the reference, or an empty string without one."""
        return "" if self.reference is None else self.reference.topology_id

    @property
    def explained(self) -> FloatArray:
        """(K,) share of the total variance held by the first 1 .. K modes."""
        total = max(self.total_variance, float(self.variances.sum()))
        return np.cumsum(self.variances) / total if len(self) else np.zeros(0)

    def coefficients(self, vertices: FloatArray) -> FloatArray:
        """Project vertices (..., V, 3) onto the modes: (..., K), in standard deviations."""
        vertices = np.asarray(vertices, dtype=np.float64)
        if vertices.ndim < 2 or vertices.shape[-2:] != self.mean.shape:
            raise MeshError(
                f"vertices: expected (..., {len(self.mean)}, 3) as in the model, "
                f"got {vertices.shape}. Register the mesh to the model's template first."
            )
        scores = np.tensordot(vertices - self.mean, self.modes, axes=([-2, -1], [1, 2]))
        return scores / np.sqrt(self.variances)

    def reconstruct(self, coefficients: FloatArray) -> FloatArray:
        """Return vertices (..., V, 3) of coefficients (..., k), k <= K, in standard deviations."""
        coefficients = np.asarray(coefficients, dtype=np.float64)
        count = coefficients.shape[-1] if coefficients.ndim else -1
        if not 0 <= count <= len(self):
            raise SettingsError(
                f"coefficients: expected at most {len(self)} a mesh, "
                f"got shape {coefficients.shape}."
            )
        weights = coefficients * np.sqrt(self.variances[:count])
        return self.mean + np.tensordot(weights, self.modes[:count], axes=1)

    def sample(self, rng: np.random.Generator, *, sigma: float = 1.0) -> FloatArray:
        """Draw a new mesh (V, 3): c ~ N(0, sigma^2), so that sigma < 1 stays near the mean."""
        return self.reconstruct(sigma * rng.standard_normal(len(self)))

    def truncate(self, components: int) -> "PointModel":
        """Return the model with its first `components` modes."""
        if not 0 <= components <= len(self):
            raise SettingsError(f"components: expected 0 .. {len(self)}, got {components}.")
        return dataclasses.replace(
            self, modes=self.modes[:components], variances=self.variances[:components]
        )

    def mesh(self, vertices: FloatArray, name: str = "sample") -> Mesh:
        """Put vertices (V, 3) on the reference topology."""
        if self.reference is None:
            raise MeshError("this model holds no faces. Fit it with reference=MESH.")
        return self.reference.replace(vertices=vertices, name=name)

    def require_topology(self, mesh: Mesh) -> None:
        """Raise TopologyMismatchError unless `mesh` has the topology of the reference."""
        if self.reference is not None:
            require_same_topology(self.reference, mesh)


def decompose(rows: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return (directions, variances) of centred rows: X = U S D, variance_k = s_k^2 / (n - 1).

    Parameters
    ----------
    rows : (N, D) float64 with column means zero

    Returns
    -------
    (K, D) orthonormal directions and (K,) variances, decreasing, K <= N - 1: directions whose
    singular value is rounding error are dropped. The largest entry of a direction is positive,
    so that equal data give equal signs.
    """
    count = len(rows)
    _, singular, directions = np.linalg.svd(rows, full_matrices=False)
    threshold = max(rows.shape) * np.finfo(np.float64).eps * (singular[0] if len(singular) else 0.0)
    keep = min(int(np.count_nonzero(singular > threshold)), count - 1)
    directions, singular = directions[:keep], singular[:keep]
    largest = np.abs(directions).argmax(axis=1)
    signs = np.sign(directions[np.arange(keep), largest])
    return directions * signs[:, None], singular**2 / (count - 1)


def choose_components(variances: FloatArray, components: int | None, variance: float | None) -> int:
    """Return how many modes to keep: a number, a share of the variance, or all when neither.

    Raises
    ------
    SettingsError : both were given, or one is outside its range.
    """
    if components is not None and variance is not None:
        raise SettingsError("components and variance contradict each other: give one of them.")
    if components is not None:
        if components < 1:
            raise SettingsError(f"components: expected at least 1, got {components}.")
        return min(components, len(variances))
    if variance is None:
        return len(variances)
    if not 0 < variance <= 1:
        raise SettingsError(f"variance: expected a share in (0, 1], got {variance}.")
    if variance == 1 or not len(variances):
        return len(variances)
    shares = np.cumsum(variances) / variances.sum()
    return min(int(np.searchsorted(shares, variance)) + 1, len(variances))


def fit_pca(
    vertices: FloatArray,
    *,
    components: int | None = None,
    variance: float | None = None,
    reference: Mesh | None = None,
) -> PointModel:
    """Fit a point model to aligned meshes of one topology.

    mean = sum_n v_n / N; the modes are the eigenvectors of
    sum_n (v_n - mean)(v_n - mean)^T / (N - 1), from a thin SVD of the centred data.

    Parameters
    ----------
    vertices : (N, V, 3) float64, mm, N >= 2, aligned (see `statistics.alignment`)
    components : keep at most so many modes
    variance : keep the fewest modes that hold this share of the variance, in (0, 1]
    reference : mesh with the faces, quads and uv that all share

    Raises
    ------
    MeshError : fewer than two meshes, wrong shape, NaN or infinity.
    SettingsError : components and variance together, or outside their range.

    Source
    ------
    Blanz and Vetter 1999, section 2, with one vertex one weight and the unbiased variance.
    """
    vertices = np.asarray(vertices, dtype=np.float64)
    require_shape(vertices, (None, None, 3), "meshes")
    require_finite(vertices, "meshes")
    count = len(vertices)
    if count < 2:
        raise MeshError(f"a model needs at least 2 meshes, got {count}. Register more scans.")
    mean = vertices.mean(axis=0)
    directions, variances = decompose((vertices - mean).reshape(count, -1))
    keep = choose_components(variances, components, variance)
    return PointModel(
        mean=mean,
        modes=directions[:keep].reshape(keep, *mean.shape),
        variances=variances[:keep],
        reference=reference,
        sample_count=count,
        total_variance=float(variances.sum()),
    )


def save_point_model(path: Path | str, model: PointModel) -> None:
    """Write a point model to one safetensors file (kind "point-model")."""
    from geomface.mesh.io.tensors import save_tensors

    arrays: dict[str, np.ndarray] = {
        "mean": model.mean,
        "modes": model.modes,
        "variances": model.variances,
    }
    reference = model.reference
    if reference is not None:
        for name in ("faces", "quads", "uv", "uv_faces"):
            array = getattr(reference, name)
            if array is not None:
                arrays[f"reference_{name}"] = array
    save_tensors(
        path,
        arrays,
        kind=KIND,
        schema=SCHEMA,
        topology_id=model.topology_id,
        units="mm",
        config={"sample_count": model.sample_count, "total_variance": model.total_variance},
    )


def load_point_model(path: Path | str) -> PointModel:
    """Read a point model written by `save_point_model`.

    Raises
    ------
    FileFormatError : another kind of file, or a schema this version does not know.
    """
    from geomface.mesh.io.tensors import load_tensors

    arrays, header = load_tensors(path, kind=KIND, schema=SCHEMA)
    reference = None
    if "reference_faces" in arrays:
        reference = Mesh(
            arrays["mean"],
            arrays["reference_faces"],
            quads=arrays.get("reference_quads"),
            uv=arrays.get("reference_uv"),
            uv_faces=arrays.get("reference_uv_faces"),
            name=Path(path).stem,
        )
    config = header["config"]
    return PointModel(
        mean=arrays["mean"],
        modes=arrays["modes"],
        variances=arrays["variances"],
        reference=reference,
        sample_count=int(config["sample_count"]),
        total_variance=float(config["total_variance"]),
    )
