"""The difference between a picture and the model's rendering, and its derivatives."""

import dataclasses

import numpy as np
from scipy import sparse

from geomface.arrays import FloatArray, IndexArray
from geomface.fitting.linear_face import LinearFace
from geomface.fitting.rendering.pixels import VisiblePixels, pixels_on_triangles
from geomface.fitting.rendering.shading import (
    HARMONICS,
    VertexNormals,
    lambert_basis,
    lambert_gradient,
    to_linear,
    to_srgb,
)
from geomface.fitting.rendering.unknowns import Unknowns
from geomface.rendering.camera import CAMERA_COUNT


@dataclasses.dataclass(frozen=True, eq=False)
class Skin:
    """Colours a vertex and their modes, as the picture's channels see them.

    Parameters
    ----------
    mean : (V, 3) float64 sRGB
    basis : (V, 3, T) float64
    mix : (C, 3) float64, what a channel of the picture takes of linear red, green and blue: the
        unit matrix for a colour picture, one row for a grey one
    """

    mean: FloatArray
    basis: FloatArray
    mix: FloatArray

    def colors(self, albedo: FloatArray) -> FloatArray:
        """Return (V, 3) sRGB, not clipped."""
        return self.mean + self.basis @ albedo


@dataclasses.dataclass(frozen=True, eq=False)
class PicturePixels:
    """Some pixels of a picture and the triangles that they see, held while derivatives are taken.

    r_s = srgb(sum_k mix_ck linear(albedo_k) (A Y(n) . light_c)) - picture_c at the pixel s

    Parameters
    ----------
    face : all vertices
    skin : its colours
    faces : (F, 3) int64
    centres : (S, 2) float64, pixels
    corners : (S, 3) int64, the triangle that each sees
    picture : (S, C) float64 sRGB
    """

    face: LinearFace
    skin: Skin
    faces: IndexArray
    centres: FloatArray
    corners: IndexArray
    picture: FloatArray

    def residuals(self, at: Unknowns) -> FloatArray:
        """Return r, (S, C)."""
        return _Shaded(self, at).shown - self.picture

    def columns(self, at: Unknowns) -> FloatArray:
        """Return (S C, n): derivative of r by a step of the unknowns, at step 0.

        The pixel stays and the surface moves below it: by dX in space the point under the pixel
        moves along the surface by db = -M^-1 J dX, with J the derivative of the projection and
        M = J [X_1 - X_0, X_2 - X_0].
        """
        shaded = _Shaded(self, at)
        count, channels = self.picture.shape
        blocks = at.blocks
        columns = np.empty((count * channels, len(at)))
        along = shaded.along_surface()
        motion = at.camera.camera_columns(shaded.points)
        columns[:, blocks["camera"]] = np.einsum("sck,ska->sca", along, motion).reshape(
            -1, CAMERA_COUNT
        )
        by_point = along @ at.camera.point_columns(shaded.points)
        columns[:, blocks["face"]] = self._face_columns(shaded, by_point)
        seen = shaded.pixels.mix(self.skin.basis)
        columns[:, blocks["albedo"]] = (shaded.by_albedo @ seen).reshape(
            count * channels, seen.shape[-1]
        )
        columns[:, blocks["light"]] = 0.0
        light = columns[:, blocks["light"]].reshape(count, channels, channels, HARMONICS)
        for c in range(channels):
            light[:, c, c] = (shaded.slope * shaded.linear)[:, c, None] * shaded.harmonics
        return columns

    def _face_columns(self, shaded: "_Shaded", by_point: FloatArray) -> FloatArray:
        """Return (S C, P): by the vertices, which move the surface and turn its normals."""
        count, channels = self.picture.shape
        rows = np.repeat(np.arange(count * channels), 3)
        corners = np.repeat(self.corners, channels, axis=0).ravel()
        weights = np.repeat(shaded.pixels.weights, channels, axis=0)

        def spread(values: FloatArray) -> sparse.csr_matrix:
            entries = weights * values.reshape(-1, 1)
            shape = (count * channels, len(self.face.mean))
            return sparse.csr_matrix((entries.ravel(), (rows, corners)), shape=shape)

        turned = shaded.normals.by_vertices(
            (spread(shaded.by_normal[..., 0]), spread(shaded.by_normal[..., 1]),
             spread(shaded.by_normal[..., 2]))
        )  # fmt: skip
        total = np.zeros((count * channels, self.face.model_count))
        for axis, matrix in enumerate(turned):
            total += (matrix + spread(by_point[..., axis])) @ self.face.axis_basis(axis)
        return total


class _Shaded:
    """The pixels shaded with given unknowns, and the inner derivatives of that."""

    def __init__(self, pixels: PicturePixels, at: Unknowns) -> None:
        self.at = at
        self.vertices = pixels.face.points(at.face)
        self.pixels: VisiblePixels = pixels_on_triangles(
            pixels.centres, pixels.corners, self.vertices, at.camera
        )
        self.normals = VertexNormals(self.vertices, pixels.faces)
        self.colors = pixels.skin.colors(at.albedo)
        smooth = self.pixels.mix(self.normals.normals)
        self.normal_length = np.linalg.norm(smooth, axis=1, keepdims=True)
        self.normal = smooth / self.normal_length
        self.harmonics = lambert_basis(self.normal)
        self.shading = self.harmonics @ at.light
        linear, self._linear_slope = to_linear(self.pixels.mix(self.colors))
        self._mix = pixels.skin.mix
        self.linear = linear @ self._mix.T
        self.shown, self.slope = to_srgb(self.linear * self.shading)

    @property
    def points(self) -> FloatArray:
        """(S, 3) seen points, mm."""
        return self.pixels.mix(self.vertices)

    @property
    def by_albedo(self) -> FloatArray:
        """(S, C, 3): derivative of the shown channel by the sRGB albedo."""
        return (self.slope * self.shading)[..., None] * self._mix * self._linear_slope[:, None]

    @property
    def by_normal(self) -> FloatArray:
        """(S, C, 3): derivative by the mixed normal before it is made a unit vector."""
        free = lambert_gradient(self.normal, self.at.light)
        free = (self.slope * self.linear)[..., None] * free
        across = free - (free @ self.normal[..., None]) * self.normal[:, None]
        return across / self.normal_length[..., None]

    def along_surface(self) -> FloatArray:
        """Return (S, C, 2): how the shown colour changes when the surface shifts by a pixel."""
        corners = self.pixels.corners

        def edges(values: FloatArray) -> FloatArray:
            first, second, third = (values[corners[:, k]] for k in range(3))
            return np.stack([second - first, third - first], axis=-1)

        by_weights = self.by_normal @ edges(self.normals.normals)
        by_weights += self.by_albedo @ edges(self.colors)
        jacobian = self.at.camera.point_columns(self.points) @ edges(self.vertices)
        return -by_weights @ np.linalg.inv(jacobian)
