"""Which uv a picture is for: a few numbers that go with it and tell other uv apart."""

import numpy as np

from geomface.arrays import FloatArray
from geomface.errors import MeshError
from geomface.mesh.mesh import Mesh

Fingerprint = tuple[float, ...]

UV_ROUNDING = 1e-5
"""How far files with short numbers move a uv."""


def fingerprint(array: FloatArray) -> Fingerprint:
    """Return a few numbers that tell arrays apart and forgive rounding, unlike a hash.

    The means over all rows, and sum_i x_i cos(k i) / sqrt(n) for k = 1 .. 4 over all n entries:
    writing the array as text or float32 and reading it back moves them by no more than the
    rounding; shapes that differ by d all over differ here by about d.
    """
    rows = np.asarray(array, np.float64).reshape(-1, np.shape(array)[-1])
    flat = rows.ravel()
    index = np.arange(len(flat), dtype=np.float64)
    waves = [np.sum(flat * np.cos(k * index)) / np.sqrt(len(flat)) for k in range(1, 5)]
    return tuple(map(float, [*rows.mean(axis=0), *waves]))


def same_fingerprint(first: Fingerprint, second: Fingerprint, tolerance: float) -> bool:
    """Say whether two fingerprints agree to `tolerance`, in the unit of the arrays."""
    return len(first) == len(second) and all(
        abs(a - b) <= tolerance for a, b in zip(first, second, strict=True)
    )


def uv_fingerprint(mesh: Mesh) -> Fingerprint | None:
    """Return the fingerprint of the uv at every face corner, None of a mesh without uv."""
    return None if mesh.uv is None else fingerprint(mesh.uv[mesh.uv_faces])


def require_same_uv(
    first: Fingerprint | None, second: Fingerprint | None, first_name: object, second_name: object
) -> None:
    """Refuse two things made for different uv; what does not say its uv passes.

    Raises
    ------
    MeshError : different uv
    """
    if first is None or second is None or same_fingerprint(first, second, UV_ROUNDING):
        return
    raise MeshError(
        f"{first_name} and {second_name} have different uv: a texture of one does not fit the "
        "other. Use textures and meshes of one template, unwrapped once, or bake again."
    )
