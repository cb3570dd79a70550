"""Registered meshes to geometry images, thousands a second."""

import logging
from typing import Any

import numba
import numpy as np

from geomface.arrays import FloatArray, require_finite, require_shape
from geomface.errors import MeshError, SettingsError, TopologyMismatchError
from geomface.geometry_image.image import GeometryImage, Mode
from geomface.geometry_image.quantize import ValueRange, quantize, value_range
from geomface.geometry_image.sampling import TexelSampling, nearest_valid, require_uv, sample_texels
from geomface.mesh.mesh import Mesh, require_same_topology
from geomface.mesh.units import millimetres, registered_unit
from geomface.mesh.uv_fingerprint import Fingerprint, fingerprint

_LOG = logging.getLogger("geomface")


class GeometryImageEncoder:
    """Writes shapes of one topology as images; everything that depends on the uv is done once.

    g = S v at the covered texels (S the sampling matrix of `sample_texels`), the gutter takes the
    nearest covered texel.

    Parameters
    ----------
    mesh : template with uv; its vertices are the reference of displacements
    size : texels along each side
    reference : (V, 3) float64, another reference such as the mean of a training set
    gutter : width in texels of the filled border, None fills everything

    Raises
    ------
    MeshError, SettingsError : no uv, uv outside the square, size out of range.

    Source
    ------
    Abrevaya et al. 2019, section 3 (displacements from the mean face interpolated over the
    triangles of a uv map). Departures: float by default, an explicit mask, and a filled gutter.

    Example
    -------
    >>> import geomface as gf
    >>> flat = gf.unwrap(gf.load_builtin_face().template).mesh
    >>> image = gf.GeometryImageEncoder(flat, 64).encode(flat.vertices)
    >>> image.pixels.shape, image.unit
    ((64, 64, 3), 'mm')
    """

    def __init__(
        self,
        mesh: Mesh,
        size: int,
        *,
        reference: FloatArray | None = None,
        gutter: int | None = None,
    ) -> None:
        self.mesh = mesh
        self.size = size
        self.sampling: TexelSampling = sample_texels(mesh, size)
        self.reference = reference_vertices(mesh, reference)
        self.uv_fingerprint = mesh_uv_fingerprint(mesh)
        self.reference_fingerprint = fingerprint(self.reference)
        self._empty, self._sources = nearest_valid(self.sampling.mask, gutter)

    def encode(
        self,
        vertices: FloatArray | Mesh,
        *,
        mode: Mode = "absolute",
        bits: int = 32,
        limits: ValueRange | None = None,
    ) -> GeometryImage:
        """Encode one shape or a stack of shapes.

        Parameters
        ----------
        vertices : (..., V, 3), in the template's unit, or a registered mesh, in its own
        mode : "absolute" positions or "displacement" from the reference
        bits : 32 (float), 16 or 8
        limits : what the codes span, default the range of these shapes; take that of a training
            set (`value_range`) so that all images share it

        Raises
        ------
        TopologyMismatchError : a mesh of another topology, or another number of vertices.
        MeshError : NaN or infinity. SettingsError : bits or mode.
        """
        if isinstance(vertices, Mesh):
            require_same_topology(self.mesh, vertices)
            to_mm = millimetres(self.mesh.unit)
            unit = registered_unit(vertices, self.mesh.vertices * to_mm)
            for note in unit.notes:
                _LOG.warning("%s", note)
            vertices = vertices.vertices * (unit.factor / to_mm)
        if mode not in ("absolute", "displacement"):
            raise SettingsError(f"expected mode absolute or displacement, got {mode!r}.")
        values = self.values(vertices, displacement=mode == "displacement")
        if bits != 32:
            limits = self._covering(values, limits)
            values = quantize(values, limits, bits)
        return GeometryImage(
            pixels=values,
            mask=self.sampling.mask,
            mode=mode,
            topology_id=self.mesh.topology_id,
            uv_fingerprint=self.uv_fingerprint,
            reference_fingerprint=self.reference_fingerprint if mode == "displacement" else None,
            unit=self.mesh.unit,
            limits=limits if bits != 32 else None,
        )

    def _covering(self, values: np.ndarray, limits: ValueRange | None) -> ValueRange:
        """Return the range to use; say so when a given one cuts values off."""
        own = value_range(values, self.sampling.mask)
        if limits is None:
            return own
        beyond = float(np.max(np.maximum(limits.low - own.low, own.high - limits.high)))
        if beyond > 0:
            _LOG.warning(
                "%s: values up to %.3g %s beyond the given limits are cut off; widen the limits.",
                self.mesh.name,
                beyond,
                self.mesh.unit,
            )
        return limits

    def values(self, vertices: FloatArray, *, displacement: bool = False) -> np.ndarray:
        """Return the bare (..., H, W, 3) float32 texels of vertices (..., V, 3)."""
        vertices = np.asarray(vertices, np.float64)
        count = self.sampling.vertex_count
        if vertices.ndim < 2 or vertices.shape[-2:] != (count, 3):
            raise TopologyMismatchError(
                f"{self.mesh.name}: expected vertices of shape (..., {count}, 3), got "
                f"{vertices.shape}. Encode meshes registered to this template."
            )
        shapes = np.ascontiguousarray(vertices.reshape(-1, count, 3))
        if not np.isfinite(shapes).all():
            raise MeshError("vertices to encode hold NaN or infinity. Repair them first.")
        texels = np.zeros((len(shapes), self.size * self.size, 3), np.float32)
        _gather(
            shapes,
            self.reference if displacement else np.zeros((0, 3)),
            self.sampling.corners,
            self.sampling.weights,
            self.sampling.texels,
            self._empty,
            self._sources,
            texels,
        )
        return texels.reshape(*vertices.shape[:-2], self.size, self.size, 3)


def reference_vertices(mesh: Mesh, reference: FloatArray | None) -> FloatArray:
    """Return the reference shape, the mesh's own vertices by default."""
    if reference is None:
        return mesh.vertices
    name = f"{mesh.name}: reference"
    reference = require_shape(reference, (len(mesh.vertices), 3), name, TopologyMismatchError)
    require_finite(reference, name)
    return np.ascontiguousarray(reference, np.float64)


def mesh_uv_fingerprint(mesh: Mesh) -> Fingerprint:
    """Return the fingerprint of the uv at every face corner."""
    uv, uv_faces = require_uv(mesh)
    return fingerprint(uv[uv_faces])


@numba.njit(cache=True)
def _gather(
    shapes: Any,
    reference: Any,
    corners: Any,
    weights: Any,
    texels: Any,
    empty: Any,
    sources: Any,
    out: Any,
) -> None:
    subtract = len(reference) > 0
    for n in range(len(shapes)):
        v = shapes[n]
        image = out[n]
        for t in range(len(corners)):
            a, b, c = corners[t, 0], corners[t, 1], corners[t, 2]
            wa, wb, wc = weights[t, 0], weights[t, 1], weights[t, 2]
            for k in range(3):
                value = wa * v[a, k] + wb * v[b, k] + wc * v[c, k]
                if subtract:
                    value -= wa * reference[a, k] + wb * reference[b, k] + wc * reference[c, k]
                image[texels[t], k] = value
        for t in range(len(empty)):
            for k in range(3):
                image[empty[t], k] = image[sources[t], k]
