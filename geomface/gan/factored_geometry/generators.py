"""What can be measured: anything that turns codes with named parts into faces."""

import dataclasses
from collections.abc import Mapping
from functools import cached_property
from typing import Protocol

import numpy as np

from geomface.arrays import BoolArray, FloatArray, IndexArray
from geomface.gan.factored_geometry.codes import Codes, LatentSpec
from geomface.gan.factored_geometry.fitting import FitSettings, fit_faces
from geomface.gan.factored_geometry.model import FactoredModel

_BLOCK = 512


class FaceGenerator(Protocol):
    """A generator of faces of one topology, learned or linear."""

    @property
    def name(self) -> str:
        """What tables call it."""
        ...

    @property
    def spec(self) -> LatentSpec:
        """Parts of its codes; a model that separates nothing has no factors, only noise."""
        ...

    @property
    def fixed(self) -> Mapping[str, np.ndarray]:
        """{factor: (K, d)} the codes of the factor's classes; empty where it has none."""
        ...

    def draw(self, count: int, *, seed: int = 0) -> Codes:
        """Draw codes, each part independently of the others."""
        ...

    def vertices(self, codes: Codes, rows: IndexArray | None = None) -> np.ndarray:
        """Return faces (N, V, 3) in mm, or only some of their vertices."""
        ...

    def fit(self, vertices: np.ndarray, visible: BoolArray | None = None) -> FloatArray:
        """Return the faces (N, V, 3) that describe others best, by those vertices (V,) alone."""
        ...


@dataclasses.dataclass(frozen=True, eq=False)
class GanFaces:
    """A trained model as a `FaceGenerator`, thousands of faces a second.

    The way from an image to vertices is linear, v = mean + W d, so that W (V, texels) is computed
    once and every further face is a row of one matrix product.

    Parameters
    ----------
    model : trained
    name : what tables call it
    alpha : smoothness of the meshes; None takes the model's
    fitting : how faces are fitted; None takes the default of `fit_faces`
    """

    model: FactoredModel
    name: str = "full"
    alpha: float | None = None
    fitting: FitSettings | None = None

    @property
    def spec(self) -> LatentSpec:
        """Parts of its codes."""
        return self.model.spec

    @property
    def fixed(self) -> Mapping[str, np.ndarray]:
        """{factor: (K, d)} the codes of the factor's classes."""
        return self.model.fixed

    def draw(self, count: int, *, seed: int = 0) -> Codes:
        """Draw codes from N(0, I)."""
        return self.model.draw(count, seed=seed)

    def vertices(self, codes: Codes, rows: IndexArray | None = None) -> np.ndarray:
        """Return faces (N, V, 3) float32 in mm, or only some of their vertices."""
        mean = self.model.frame.template.vertices
        matrix = self._matrix
        if rows is not None:
            mean, matrix = mean[rows], self._matrix[rows]
        faces = np.empty((len(codes), *mean.shape), np.float32)
        columns = np.ascontiguousarray(matrix.T)
        for start in range(0, len(codes), _BLOCK):
            block = slice(start, start + _BLOCK)
            images = self.model.images(codes[block])
            texels = images.reshape(*images.shape[:2], -1)[:, :, self._texels]
            moved = texels.reshape(-1, len(self._texels)) @ columns
            faces[block] = np.moveaxis(moved.reshape(len(images), 3, -1), 1, 2)
        faces += mean.astype(np.float32)
        return faces

    def fit(self, vertices: np.ndarray, visible: BoolArray | None = None) -> FloatArray:
        """Return the faces (N, V, 3) that describe others best (Eq. 12 of the paper)."""
        fit = fit_faces(self.model, vertices, visible=visible, settings=self.fitting)
        return self.model.vertices(fit.codes, alpha=self.alpha)

    @cached_property
    def _texels(self) -> IndexArray:
        return np.flatnonzero(self.model.frame.mask)

    @cached_property
    def _matrix(self) -> np.ndarray:
        """W times the limit of the images, (V, texels) float32."""
        frame, texels = self.model.frame, self._texels
        alpha = self.model.alpha if self.alpha is None else self.alpha
        columns = np.empty((len(texels), len(frame.template.vertices)), np.float32)
        for start in range(0, len(texels), 3 * _BLOCK):
            chosen = texels[start : start + 3 * _BLOCK]
            # Eq. 4 treats x, y and z alike: an image carries three unit texels, one in each.
            images = np.zeros((-(-len(chosen) // 3), 3, frame.mask.size), np.float32)
            places = np.arange(len(chosen))
            images[places // 3, places % 3, chosen] = 1.0
            images = images.reshape(-1, 3, *frame.mask.shape)
            moved = frame.to_vertices(images, alpha) - frame.template.vertices
            rows = np.moveaxis(moved, 2, 1).reshape(-1, columns.shape[1])
            columns[start : start + len(chosen)] = rows[: len(chosen)]
        return np.ascontiguousarray(columns.T)
