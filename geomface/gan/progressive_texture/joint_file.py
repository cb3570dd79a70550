"""A joint model of texture and geometry as one file, without the faces it was learned from."""

import dataclasses
from pathlib import Path

import numpy as np

from geomface.arrays import FloatArray, frozen, require_shape
from geomface.errors import FileFormatError, SettingsError
from geomface.files.tensors import load_tensors, save_tensors
from geomface.gan.progressive_texture.joint import JointModel
from geomface.mesh import Mesh
from geomface.statistics import TextureModel

KIND, SCHEMA = "joint-texture-geometry", 1
_LINEAR_MM = 1e-6
_NEEDED = (
    *(f"texture/{name}" for name in ("mean", "basis", "valid")),
    *(f"geometry/{name}" for name in ("mean", "slopes")),
    *(f"mesh/{name}" for name in ("vertices", "faces", "uv", "uv_faces")),
)


@dataclasses.dataclass(frozen=True, eq=False)
class LinearGeometry:
    """A geometry that is linear in the texture's coefficients: g = mean + sum_k t_k slopes_k.

    Parameters
    ----------
    mean : (V, 3) float64, mm, of a texture whose coefficients are 0
    slopes : (K, V, 3) float64, mm a unit of the coefficient
    """

    mean: FloatArray
    slopes: FloatArray

    def __post_init__(self) -> None:
        mean = require_shape(self.mean, (None, 3), "geometry: mean")
        slopes = require_shape(self.slopes, (None, len(mean), 3), "geometry: slopes")
        object.__setattr__(self, "mean", frozen(mean, np.float64))
        object.__setattr__(self, "slopes", frozen(slopes, np.float64))

    def predict(self, textures: np.ndarray) -> FloatArray:
        """Return geometries (n, V, 3) of texture coefficients (n, K)."""
        rows = require_shape(np.asarray(textures), (None, len(self.slopes)), "coefficients")
        return self.mean + np.tensordot(rows.astype(np.float64), self.slopes, axes=1)


def save_joint(path: Path | str, joint: JointModel, *, half: bool = False) -> None:
    """Write a joint model whose assignment is linear (least squares, maximum likelihood, mean).

    Parameters
    ----------
    path : *.safetensors
    joint : from `fit_joint_model`
    half : store basis, slopes and variety as float16: half the size, 0.05 % less exact

    Raises
    ------
    SettingsError : an assignment that is not linear, which is its training faces
    OutputError : the place cannot be written
    """
    count = len(joint.textures)
    mean = joint.assignment.predict(np.zeros((1, count)))[0]
    slopes = joint.assignment.predict(np.eye(count)) - mean
    probe = np.random.default_rng(0).standard_normal((4, count))
    told = joint.assignment.predict(probe)
    gap = np.abs(LinearGeometry(mean, slopes).predict(probe) - told).max()
    if not gap <= _LINEAR_MM * max(1.0, float(np.abs(told).max())):
        raise SettingsError(
            "joint model: expected a linear assignment (least_squares, maximum_likelihood, mean), "
            "got one that needs the faces it was learned from. Keep the folder of pairs instead."
        )
    small = np.float16 if half else np.float32
    valid = joint.textures.valid
    arrays = {
        "texture/mean": joint.textures.mean.astype(np.float32),
        "texture/basis": joint.textures.basis.astype(small),
        "texture/valid": np.ones(joint.textures.mean.shape[:2], bool) if valid is None else valid,
        "geometry/mean": mean.astype(np.float32),
        "geometry/slopes": slopes.astype(small),
        "mesh/vertices": joint.template.vertices.astype(np.float32),
        "mesh/faces": _smallest(joint.template.faces),
        "mesh/uv": np.asarray(joint.template.uv, np.float32),
        "mesh/uv_faces": _smallest(joint.template.uv_faces),
    }
    if joint.variety is not None:
        arrays["geometry/variety"] = joint.variety.astype(small)
    if joint.template.quads is not None:
        arrays["mesh/quads"] = _smallest(joint.template.quads)
    save_tensors(
        path,
        arrays,
        kind=KIND,
        schema=SCHEMA,
        topology_id=joint.template.topology_id,
        config={"reach": joint.reach},
    )


def load_joint(path: Path | str) -> JointModel:
    """Read a joint model that `save_joint` wrote.

    Raises
    ------
    FileFormatError : missing, damaged, or another kind of file
    """
    arrays, header = load_tensors(path, kind=KIND, schema=SCHEMA)
    if lacking := [name for name in _NEEDED if name not in arrays]:
        raise FileFormatError(
            f"{path}: expected a joint model with {lacking[0]}, got a file without it. Write it "
            "again with save_joint."
        )
    template = Mesh(
        arrays["mesh/vertices"].astype(np.float64),
        arrays["mesh/faces"].astype(np.int64),
        quads=arrays["mesh/quads"].astype(np.int64) if "mesh/quads" in arrays else None,
        uv=arrays["mesh/uv"].astype(np.float64),
        uv_faces=arrays["mesh/uv_faces"].astype(np.int64),
        unit="mm",
    )
    textures = TextureModel(
        arrays["texture/mean"],
        arrays["texture/basis"].astype(np.float32),
        valid=arrays["texture/valid"],
    )
    geometry = LinearGeometry(
        arrays["geometry/mean"].astype(np.float64), arrays["geometry/slopes"].astype(np.float64)
    )
    variety = arrays.get("geometry/variety")
    return JointModel(
        template,
        textures,
        geometry,
        float(header["config"]["reach"]),
        None if variety is None else variety.astype(np.float64),
    )


def _smallest(indices: np.ndarray | None) -> np.ndarray:
    """Return indices in the smallest unsigned type that holds them."""
    known = np.asarray(indices)
    return known.astype(np.uint16 if known.max() < 1 << 16 else np.uint32)
