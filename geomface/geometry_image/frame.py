"""Faces of one template as images that networks take, and back: the frame of a training set."""

import numpy as np

from geomface.arrays import BoolArray, FloatArray, require_finite, require_shape
from geomface.errors import MeshError, SettingsError, TopologyMismatchError
from geomface.geometry_image.decode import PAPER_ALPHA, GeometryImageDecoder
from geomface.geometry_image.encode import GeometryImageEncoder
from geomface.geometry_image.sampling import require_uv, vertex_uv
from geomface.mesh.mesh import Mesh


class GeometryFrame:
    """Turns registered faces into network images and images into faces.

    image = (v - mean) / limit at the covered texels; the gutter takes the nearest covered texel, so
    that neither convolutions nor total variation meet a cliff. The way back is that of
    `GeometryImageDecoder`.

    Parameters
    ----------
    template : the mean face, mm, with uv in the unit square; its vertices are the reference
    size : pixels a side
    limit : mm that become 1, one number for the three coordinates of the whole training set

    Raises
    ------
    MeshError : another unit than mm, no uv, a part of the mesh without a texel
    SettingsError : a limit that is no positive number

    Convention
    ----------
    Images (N, 3, H, W) in [-1, 1], channels x, y, z, row 0 at the top (v = 1).

    Source
    ------
    Abrevaya et al. 2019, sections 3 and 4. Departures: floats instead of 8-bit codes, one range
    symmetric about 0, an explicit mask, and a filled gutter.
    """

    def __init__(self, template: Mesh, size: int, limit: float) -> None:
        if template.unit != "mm":
            raise MeshError(
                f"{template.name}: expected a template in mm, got {template.unit}. Convert it."
            )
        if not (np.isfinite(limit) and limit > 0):
            raise SettingsError(f"limit: expected a positive number of mm, got {limit}.")
        self.template, self.size, self.limit = template, size, float(limit)
        self.encoder = GeometryImageEncoder(template, size)
        self.decoder = GeometryImageDecoder(template, size, alpha=PAPER_ALPHA)

    @property
    def mask(self) -> BoolArray:
        """(H, W) bool, texels that the surface covers."""
        return self.encoder.sampling.mask

    def to_images(self, vertices: FloatArray) -> np.ndarray:
        """Return images (N, 3, H, W) float32 of faces (N, V, 3) in mm.

        Faces of a training set lie in [-1, 1]; others may leave it.

        Raises
        ------
        TopologyMismatchError : another number of vertices. MeshError : NaN or infinity.
        """
        texels = self.encoder.values(vertices, displacement=True)
        images = np.moveaxis(texels, -1, 1) / np.float32(self.limit)
        return np.ascontiguousarray(images, np.float32)

    def to_vertices(self, images: np.ndarray, alpha: float = PAPER_ALPHA) -> FloatArray:
        """Return faces (N, V, 3) float64 in mm of images (N, 3, H, W).

        Parameters
        ----------
        images : float32 or float64
        alpha : of `GeometryImageDecoder`: near 1 for a generator's images, 1e-4 for clean ones

        Raises
        ------
        MeshError : images of another size, NaN or infinity
        """
        values = self.texel_displacements(images)
        return self.template.vertices + self.decoder.solve(values, alpha)

    def texel_displacements(self, images: np.ndarray) -> FloatArray:
        """Return (N, n, 3) float64 mm at the covered texels of images (N, 3, H, W)."""
        images = require_shape(images, (None, 3, self.size, self.size), "images")
        require_finite(images, "images")
        covered = images.reshape(len(images), 3, -1)[:, :, self.encoder.sampling.texels]
        return np.moveaxis(covered, 1, 2).astype(np.float64) * self.limit

    def vertex_grid(self) -> np.ndarray:
        """Return (V, 2) float32 in [-1, 1], where the vertices lie in an image, x right, y down.

        For `torch.nn.functional.grid_sample` with align_corners=False and border padding.
        """
        uv = np.nan_to_num(vertex_uv(self.template), nan=0.5)
        return np.stack([2.0 * uv[:, 0] - 1.0, 1.0 - 2.0 * uv[:, 1]], axis=1).astype(np.float32)


def fit_frame(template: Mesh, vertices: np.ndarray, size: int) -> GeometryFrame:
    """Return the frame of a training set: its mean face, and its largest displacement as limit.

    Parameters
    ----------
    template : with uv, which is stretched to the unit square
    vertices : (N, V, 3) mm, of any float type
    size : pixels a side

    Raises
    ------
    TopologyMismatchError : another number of vertices than the template's. MeshError : no faces.
    """
    count = len(template.vertices)
    vertices = require_shape(vertices, (None, count, 3), "training faces", TopologyMismatchError)
    if not len(vertices):
        raise MeshError("frame: expected training faces, got none.")
    total, largest = np.zeros((count, 3)), 0.0
    blocks = [slice(start, start + 256) for start in range(0, len(vertices), 256)]
    for block in blocks:
        total += vertices[block].sum(axis=0, dtype=np.float64)
    mean = total / len(vertices)
    require_finite(mean, "training faces")
    for block in blocks:
        largest = max(largest, float(np.abs(vertices[block] - mean.astype(np.float32)).max()))
    square = fill_square(template).replace(vertices=mean, unit="mm")
    return GeometryFrame(square, size, largest if largest > 0 else 1.0)


def fill_square(mesh: Mesh) -> Mesh:
    """Return a mesh whose uv map is stretched to the unit square, so that no texel is wasted.

    uv' = (uv - low) / (high - low), low and high those of the uv that faces use

    Raises
    ------
    MeshError : no uv
    """
    uv, uv_faces = require_uv(mesh)
    used = np.unique(uv_faces)
    low, high = uv[used].min(axis=0), uv[used].max(axis=0)
    stretched = np.clip((uv - low) / np.maximum(high - low, 1e-12), 0.0, 1.0)
    return mesh.replace(uv=stretched, uv_faces=uv_faces)
