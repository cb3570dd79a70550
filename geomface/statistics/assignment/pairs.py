"""Textures and geometries of the same faces, each in its own leading coefficients."""

import dataclasses
from collections.abc import Iterator

import numpy as np

from geomface.arrays import FloatArray, IndexArray, frozen
from geomface.errors import MeshError, SettingsError
from geomface.statistics.decomposition import decompose_rows
from geomface.statistics.paired_rows import flat_rows, paired_rows

MOST_COMPONENTS = 200
FACES_A_COMPONENT = 4
BLOCK = 32
BLOCK_NUMBERS = 1 << 23


@dataclasses.dataclass(frozen=True, eq=False)
class PairedSide:
    """The PCA of one side, textures or geometries: row = mean + coefficients directions + rest.

    Parameters
    ----------
    name : "textures" or "geometries", for messages
    shape : shape of one face's array, such as (V, 3), (H, W, 3) or (K,)
    rows : (N, D) the arrays of all faces, float64 or float32
    mean : (D,) float64
    directions : (K, D) orthonormal rows
    variances : (K,) float64, falling
    coefficients : (N, K) float64, mean 0
    """

    name: str
    shape: tuple[int, ...]
    rows: np.ndarray
    mean: FloatArray
    directions: np.ndarray
    variances: FloatArray
    coefficients: FloatArray

    def flatten(self, arrays: np.ndarray) -> np.ndarray:
        """Return (n, D) of arrays (n, *shape) of other faces, or raise MeshError."""
        arrays = np.asarray(arrays)
        if arrays.shape[1:] != self.shape or arrays.ndim != 1 + len(self.shape):
            wanted = "(n, " + ", ".join(map(str, self.shape)) + ")"
            raise MeshError(
                f"{self.name}: expected {wanted} as in the training pairs, got {arrays.shape}."
            )
        return flat_rows(arrays, self.name)

    def project(self, arrays: np.ndarray) -> FloatArray:
        """Return coefficients (n, K) of arrays (n, *shape) of other faces."""
        return project_rows(self.flatten(arrays), self.mean, self.directions)

    def reconstruct(self, coefficients: FloatArray) -> FloatArray:
        """Return arrays (n, *shape) of coefficients (n, K)."""
        flat = coefficients @ self.directions
        flat += self.mean
        return flat.reshape(len(coefficients), *self.shape)


@dataclasses.dataclass(frozen=True, eq=False)
class FacePairs:
    """Textures and geometries of the same faces: what every assignment learns from."""

    textures: PairedSide
    geometries: PairedSide

    def __len__(self) -> int:
        return len(self.textures.rows)


def project_rows(rows: np.ndarray, mean: FloatArray, directions: np.ndarray) -> FloatArray:
    """Return (rows - mean) directions^T in float64; rows are centred a few at a time."""
    found = np.empty((len(rows), len(directions)))
    for start in range(0, len(rows), BLOCK):
        block = rows[start : start + BLOCK] - mean
        found[start : start + BLOCK] = block.astype(directions.dtype, copy=False) @ directions.T
    return found


def column_blocks(
    side: PairedSide, faces: IndexArray | None = None
) -> Iterator[tuple[slice, FloatArray]]:
    """Yield the rows, minus the mean, a few columns at a time: a copy of all may not fit."""
    columns = max(1, BLOCK_NUMBERS // len(side.rows))
    for start in range(0, len(side.mean), columns):
        part = slice(start, start + columns)
        rows = side.rows[:, part] if faces is None else side.rows[faces, part]
        yield part, rows - side.mean[part]


def centred_gram(side: PairedSide, faces: IndexArray | None = None) -> FloatArray:
    """Return (n, n) products of the rows minus the mean, of all faces or of some."""
    count = len(side.rows) if faces is None else len(faces)
    gram = np.zeros((count, count))
    for _, block in column_blocks(side, faces):
        gram += block @ block.T
    return gram


def _side(
    rows: np.ndarray, shape: tuple[int, ...], name: str, components: int | None, most: int
) -> PairedSide:
    """Return the PCA of one side, of so many components or, when None, of at most `most`."""
    possible = min(len(rows) - 1, rows.shape[1])
    if components is not None and not 1 <= components <= possible:
        raise SettingsError(
            f"{name}: expected 1 .. {possible} components of {len(rows)} faces with "
            f"{rows.shape[1]} numbers each, got {components}."
        )
    try:
        found = decompose_rows(rows, components=components or min(most, possible))
    except SettingsError as problem:
        if components is not None:
            raise SettingsError(f"{name}: {problem}") from problem
        found = decompose_rows(rows)  # they have fewer modes than that: all there are
    if not len(found):
        raise MeshError(f"{name}: all are the same, so nothing can be learned from them.")
    return PairedSide(
        name=name,
        shape=shape,
        rows=rows,
        mean=found.mean,
        directions=found.directions,
        variances=found.variances,
        coefficients=frozen(project_rows(rows, found.mean, found.directions), np.float64),
    )


def pair_faces(
    textures: np.ndarray,
    geometries: np.ndarray,
    *,
    texture_components: int | None = None,
    geometry_components: int | None = None,
) -> FacePairs:
    """Decompose textures and geometries of the same faces for the assignments.

    Parameters
    ----------
    textures : (N, H, W, 3) images, (N, V, 3) colours a vertex or (N, P) coefficients, N >= 3. Of
        images with holes give coefficients of `fit_texture_pca`, times the root of its variances
    geometries : (N, V, 3) float64 mm aligned vertices, (N, H, W, 3) geometry images, or (N, Q)
        coefficients; the same faces in the same order
    texture_components : keep at most so many, default 200, but one for four faces: more would
        learn the noise of the training faces
    geometry_components : keep at most so many, default 200

    Raises
    ------
    MeshError : different numbers of faces, fewer than 3, NaN or infinity, faces that are all equal.
    SettingsError : fewer than one component, or more than the faces have.

    Source
    ------
    Shamai et al. 2018, section 7.2: k_t = k_g = 200 of 3,679 faces.
    """
    sides = paired_rows(textures, geometries, "pairs", ("textures", "geometries"))
    few = max(1, min(MOST_COMPONENTS, len(sides[0]) // FACES_A_COMPONENT))
    return FacePairs(
        _side(sides[0], np.shape(textures)[1:], "textures", texture_components, few),
        _side(
            sides[1].astype(np.float64, copy=False),
            np.shape(geometries)[1:],
            "geometries",
            geometry_components,
            MOST_COMPONENTS,
        ),
    )
