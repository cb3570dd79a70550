"""Geometry images back to registered meshes."""

from collections import OrderedDict
from typing import Any, Literal

import numba
import numpy as np

from geomface.arrays import FloatArray, IndexArray, require_shape
from geomface.errors import MeshError, SettingsError
from geomface.geometry_image.encode import mesh_uv_fingerprint, reference_vertices
from geomface.geometry_image.image import GeometryImage
from geomface.geometry_image.sampling import TexelSampling, sample_texels
from geomface.mesh.factor import SymmetricFactor
from geomface.mesh.laplacian import cotangent_laplacian
from geomface.mesh.mesh import Mesh, require_same_topology
from geomface.mesh.similarity import Similarity, fit_similarity
from geomface.mesh.topology import connected_components
from geomface.mesh.units import millimetres
from geomface.mesh.uv_fingerprint import UV_ROUNDING, fingerprint, same_fingerprint

PAPER_ALPHA = 1.2
"""The weight of Abrevaya et al. 2019, meant for the noise of a generator's output."""
SMALLEST_ALPHA = 1e-4
"""What `alpha_for_noise` gives for clean images: enough to carry vertices without a texel."""
ROUGHNESS_MM = 0.4
"""Typical |L (v - vbar)| per axis of faces: the best alpha under noise s is near (s / 0.4 mm)^2."""
_KEPT_FACTORS = 4
_POSE_TEXELS = 500


def alpha_for_noise(noise_mm: float) -> float:
    """Return the regularisation for pixel noise of this standard deviation per axis.

    alpha = max(1e-4, (noise / 0.4 mm)^2): when L (v - vbar) has the variance r^2 a priori and the
    pixel noise s^2, the most probable shape minimises the energy of `GeometryImageDecoder` with
    alpha = s^2 / r^2. Rounded to two digits, so that similar images share a factorisation.
    """
    if not noise_mm >= 0:
        raise SettingsError(f"pixel noise: expected 0 or more millimetres, got {noise_mm}.")
    return float(f"{max(SMALLEST_ALPHA, (noise_mm / ROUGHNESS_MM) ** 2):.1e}")


class GeometryImageDecoder:
    """Finds the mesh whose surface points match all pixels, and that bends like the reference.

    min_v sum_p w_p |sum_k b_pk v_k - g_p|^2 + alpha |L v - L vbar|^2, by its normal equations
    (B^T W B + alpha L^T L) d = B^T W (g - B vbar), v = vbar + d. B holds the barycentric weights of
    the covered texels, L is the cotangent Laplacian of vbar. The matrix is factored once for each
    alpha; each image is then one solve.

    Parameters
    ----------
    mesh : template with uv, the one that was encoded
    size : texels along each side
    alpha : weight of the smoothness, or "auto" for `alpha_for_noise` of the image's rounding.
        Dimensionless and free of the unit of length, since the unnormalised L has none: about
        1e-4 for float images, 0.01 to 0.5 for 8 bits, 1.2 (`PAPER_ALPHA`) for a generator's
        output. Too small lets noise through, too large flattens; the error is U-shaped in it.
    reference : (V, 3) float64 vbar, default the mesh's vertices
    weights : (H, W) float64 >= 0, confidence of each texel, default 1

    Raises
    ------
    MeshError : no uv, or a part of the mesh that no texel sees. SettingsError : alpha, size.

    Source
    ------
    Abrevaya et al. 2019, equation 4 (alpha = 1.2). Departures: alpha can follow from the noise,
    texels can carry weights, and posed images are turned to the reference first.

    Example
    -------
    >>> import geomface as gf
    >>> flat = gf.unwrap(gf.load_builtin_face().template).mesh
    >>> image = gf.GeometryImageEncoder(flat, 128).encode(flat.vertices)
    >>> again = gf.GeometryImageDecoder(flat, 128).decode(image)
    >>> bool(abs(again - flat.vertices).mean() < 0.1)  # mm
    True
    """

    def __init__(
        self,
        mesh: Mesh,
        size: int,
        *,
        alpha: float | Literal["auto"] = "auto",
        reference: FloatArray | None = None,
        weights: FloatArray | None = None,
    ) -> None:
        from scipy import sparse

        if alpha != "auto" and not (np.isfinite(alpha) and alpha > 0):
            raise SettingsError(f'alpha: expected a positive number or "auto", got {alpha!r}.')
        self.mesh = mesh
        self.size = size
        self.alpha = alpha
        self.reference = reference_vertices(mesh, reference)
        self.sampling: TexelSampling = sample_texels(mesh, size)
        self.uv_fingerprint = mesh_uv_fingerprint(mesh)
        self.reference_fingerprint = fingerprint(self.reference)
        confidence = np.ones(len(self.sampling.faces))
        if weights is not None:
            name = f"{mesh.name}: texel weights"
            confidence = require_shape(weights, (size, size), name)[self.sampling.mask]
            if not (np.isfinite(confidence).all() and (confidence >= 0).all()):
                raise MeshError(f"{name}: expected finite numbers of 0 or more.")
        self._require_seen(confidence)
        rows = self.sampling.matrix
        self._back = self.sampling.weights * confidence[:, None]
        self._fidelity = sparse.csc_array(rows.T @ (sparse.diags_array(confidence) @ rows))
        laplacian = cotangent_laplacian(self.reference, mesh.faces)
        # Vertices without a face have a zero row: they keep their place in the reference.
        idle = np.bincount(mesh.faces.ravel(), minlength=len(mesh.vertices)) == 0
        self._smoothness = sparse.csc_array(
            laplacian.T @ laplacian + sparse.diags_array(idle.astype(np.float64))
        )
        self._reference_right = self._fidelity @ self.reference
        self._right_of_ones = self._fidelity.sum(axis=1)
        every = max(1, len(self.sampling.texels) // _POSE_TEXELS)
        self._pose_texels = self.sampling.texels[::every]
        self._pose_points = (rows @ self.reference)[::every]
        self._factors: OrderedDict[float, SymmetricFactor] = OrderedDict()
        if alpha != "auto":
            self.factor(float(alpha))

    def decode(
        self,
        image: GeometryImage,
        *,
        alpha: float | None = None,
        pixel_noise: float = 0.0,
        align: bool = True,
    ) -> FloatArray:
        """Return the vertices (..., V, 3) float64 of a geometry image, in its unit.

        Parameters
        ----------
        image : made with the same topology, uv, size and, for displacements, reference
        alpha : overrides the decoder's
        pixel_noise : standard deviation per axis beyond the rounding, in the image's unit, for
            alpha "auto"
        align : fit a similarity between the image and the reference first, so that a turned head
            is not pulled towards the reference's pose; False solves equation 4 as it stands

        Raises
        ------
        TopologyMismatchError : another topology. MeshError : another size, uv, unit or reference.
        """
        self.require_fitting(image)
        if alpha is None:
            noise = float(np.hypot(image.noise, pixel_noise)) * millimetres(image.unit)
            alpha = alpha_for_noise(noise) if self.alpha == "auto" else float(self.alpha)
        stack = image.pixels.reshape(-1, image.mask.size, 3)
        low, step = np.zeros(3), np.ones(3)
        if image.limits is not None:
            low, step = image.limits.low, image.limits.step(image.bits)
        right = self._right(stack, self.sampling.texels, low, step)
        points = low + stack[:, self._pose_texels] * step
        if image.mode == "displacement":
            right += self._reference_right
            points += self._pose_points
        poses = [self._pose(shown) if align else Similarity() for shown in points]
        # B^T W (pose^-1(g) - B vbar), by linearity from B^T W g.
        right = np.stack(
            [self._turned(pose.inverse(), r) for pose, r in zip(poses, right, strict=True)]
        )
        shapes = self.reference + self._solve(right - self._reference_right, alpha)
        vertices = np.stack([pose.apply(v) for pose, v in zip(poses, shapes, strict=True)])
        return vertices.reshape(*image.pixels.shape[:-3], len(self.reference), 3)

    def solve(self, displacements: FloatArray, alpha: float | None = None) -> FloatArray:
        """Return displacements of the vertices (N, V, 3) from those of covered texels (N, n, 3)."""
        if alpha is None:
            alpha = SMALLEST_ALPHA if self.alpha == "auto" else float(self.alpha)
        count = len(self.sampling.faces)
        displacements = require_shape(displacements, (None, count, 3), "texel displacements")
        right = self._right(displacements, np.arange(count), np.zeros(3), np.ones(3))
        return self._solve(right, alpha)

    def _pose(self, shown: FloatArray) -> Similarity:
        """Return the similarity from the reference to the shape that a few texels show."""
        pose = fit_similarity(self._pose_points, shown)
        return pose if pose.scale > 1e-9 else Similarity()  # noise without a shape in it

    def _right(
        self, stack: np.ndarray, texels: IndexArray, low: FloatArray, step: FloatArray
    ) -> FloatArray:
        """Return B^T W g, (N, V, 3), of codes or values (N, texels, 3)."""
        right = np.zeros((len(stack), len(self.reference), 3))
        for pixels, one in zip(stack, right, strict=True):
            _gather_back(pixels, texels, self.sampling.corners, self._back, low, step, one)
        return right

    def _turned(self, pose: Similarity, right: FloatArray) -> FloatArray:
        """Return B^T W pose(g) from B^T W g."""
        return pose.scale * (right @ pose.rotation.T) + np.outer(
            self._right_of_ones, pose.translation
        )

    def _solve(self, right: FloatArray, alpha: float) -> FloatArray:
        count = len(right)
        columns = np.moveaxis(right, 0, 1).reshape(-1, 3 * count)
        solution = self.factor(alpha).solve(columns)
        return np.moveaxis(solution.reshape(-1, count, 3), 1, 0)

    def factor(self, alpha: float) -> SymmetricFactor:
        """Return the factorisation for one alpha; the last few are kept."""
        if not (np.isfinite(alpha) and alpha > 0):
            raise SettingsError(f"alpha: expected a positive number, got {alpha!r}.")
        if alpha not in self._factors:
            if len(self._factors) == _KEPT_FACTORS:
                self._factors.popitem(last=False)
            self._factors[alpha] = SymmetricFactor(self._fidelity + alpha * self._smoothness)
        self._factors.move_to_end(alpha)
        return self._factors[alpha]

    def require_fitting(self, image: GeometryImage) -> None:
        """Raise unless the image was made with this topology, size, uv, unit and reference."""
        names = {"first": "the geometry image", "second": self.mesh.name}
        require_same_topology(image.topology_id, self.mesh, names)
        if image.mask.shape != self.sampling.mask.shape:
            raise MeshError(
                f"expected a geometry image of {self.size} x {self.size} texels, got "
                f"{image.mask.shape[0]} x {image.mask.shape[1]}. Make the decoder with the image's "
                "size."
            )
        if image.unit != self.mesh.unit:
            raise MeshError(
                f"the geometry image is in {image.unit}, the template {self.mesh.name} in "
                f"{self.mesh.unit}. Use the template that it was encoded with."
            )
        if not same_fingerprint(image.uv_fingerprint, self.uv_fingerprint, UV_ROUNDING):
            raise MeshError(
                f"the geometry image was written on another uv map than that of {self.mesh.name}. "
                "Use the unwrapped template that it was encoded with."
            )
        if image.reference_fingerprint is not None:
            tolerance = 1e-3 / millimetres(image.unit)
            if not same_fingerprint(
                image.reference_fingerprint, self.reference_fingerprint, tolerance
            ):
                raise MeshError(
                    "the geometry image holds displacements from another reference shape than "
                    f"that of this decoder ({self.mesh.name}). Give the reference it was encoded "
                    "with."
                )

    def _require_seen(self, confidence: FloatArray) -> None:
        """Raise when a component that has faces has no texel: nothing would hold it in place."""
        count, labels = connected_components(self.mesh.faces, len(self.reference))
        used = np.zeros(count, bool)
        used[labels[self.mesh.faces[:, 0]]] = True
        seen = np.zeros(count, bool)
        seen[labels[self.sampling.corners[confidence > 0, 0]]] = True
        if (used & ~seen).any():
            raise MeshError(
                f"{self.mesh.name}: {int((used & ~seen).sum())} of {int(used.sum())} parts of the "
                f"mesh hold no texel centre of a {self.size} x {self.size} image (or only texels "
                "of weight 0). Use a larger image."
            )


@numba.njit(cache=True)
def _gather_back(
    pixels: Any, texels: Any, corners: Any, weights: Any, low: Any, step: Any, right: Any
) -> None:
    for t in range(len(texels)):
        for k in range(3):
            value = low[k] + step[k] * pixels[texels[t], k]
            for c in range(3):
                right[corners[t, c], k] += weights[t, c] * value
