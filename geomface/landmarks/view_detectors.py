"""Who finds landmark pixels in a view: the network that ships, or a user's own 2D detector."""

from collections.abc import Iterable

import numpy as np
import torch

from geomface.errors import LandmarkError
from geomface.landmarks.dense_model import DenseShapeModel
from geomface.landmarks.protocols import PointDetector, ViewAnswer
from geomface.landmarks.surface import ScanSurface
from geomface.landmarks.views import VIEW_SIZE, View
from geomface.landmarks.weights import DetectorWeights, load_detector
from geomface.mesh import Mesh
from geomface.mesh.multi_pie import mirror_order
from geomface.rendering.camera import Frame
from geomface.rendering.picture import render_mesh
from geomface.statistics import LinearModel

_BATCH = 16
"""Views that the network looks at together."""


class NetworkDetector:
    """The network that ships with geomface, on geometry alone.

    Parameters
    ----------
    weights : default the shipped ones
    """

    def __init__(self, weights: DetectorWeights | None = None) -> None:
        self.weights = weights or load_detector()
        self.shape_model = self.weights.shape_model
        self.dense_models = self.weights.dense_models

    def detect(self, surface: ScanSurface, views: list[View]) -> Iterable[ViewAnswer]:
        """Look at all views at once; every view gives an answer, sure or unsure."""
        for first in range(0, len(views), _BATCH):
            some = views[first : first + _BATCH]
            pictures = np.stack([surface.render(view) for view in some])
            with torch.inference_mode():
                places, sigmas = self.weights.network(torch.from_numpy(pictures))
            found = places.numpy().astype(np.float64), sigmas.numpy().astype(np.float64)
            yield from zip(some, *found, strict=True)

    def detect_mirrored(self, surface: ScanSurface, views: list[View]) -> Iterable[ViewAnswer]:
        """Look at the mirror images of the views: independent enough to be worth an average."""
        flipped = np.stack([surface.render(view) for view in views])[..., ::-1].copy()
        flipped[:, 0] *= -1.0
        order = mirror_order()
        with torch.inference_mode():
            mirrored, doubt = self.weights.network(torch.from_numpy(flipped))
        found = mirrored.numpy()[:, order].astype(np.float64)
        found[..., 0] = VIEW_SIZE - found[..., 0]
        yield from zip(views, found, doubt.numpy()[:, order].astype(np.float64), strict=True)


class PictureDetector:
    """A user's own 2D detector, shown pictures of the scan with its colours or in grey.

    Parameters
    ----------
    detector : picture (H, W, 3) float32 in [0, 1] to (68, 2) pixels (x right, y down, centres at
        + 0.5), or None when it sees no face
    scan : the scan whose colours are shown
    shape_model : landmark shape model, default that of the shipped detector
    size : pixels of the pictures
    sigma_px : how unsure it is, pixels of its pictures
    """

    def __init__(
        self,
        detector: PointDetector,
        scan: Mesh,
        *,
        shape_model: LinearModel | None = None,
        size: int = 512,
        sigma_px: float = 6.0,
    ) -> None:
        self.detector, self.scan = detector, scan
        self.size, self.sigma_px = size, sigma_px
        self.dense_models: tuple[DenseShapeModel, ...] = ()
        if shape_model is None:
            shipped = load_detector()
            shape_model, self.dense_models = shipped.shape_model, shipped.dense_models
        self.shape_model: LinearModel = shape_model

    def detect(self, surface: ScanSurface, views: list[View]) -> Iterable[ViewAnswer]:
        """Show each view; those without an answer are left out."""
        for view in views:
            turned = (self.scan.vertices * surface.factor - view.centre) @ view.rotation.T
            picture = render_mesh(
                self.scan,
                size=self.size,
                vertices=turned,
                frame=Frame(np.zeros(3), view.extent),
                background=(0.0, 0.0, 0.0),
            )
            found = self.detector(picture)
            if found is None:
                continue
            found = np.asarray(found, np.float64)
            if found.shape != (68, 2) or not np.isfinite(found).all():
                raise LandmarkError(
                    f"2D detector: expected (68, 2) pixels or None, got shape {found.shape}."
                )
            scale = VIEW_SIZE / self.size
            yield view, scale * found, np.full(68, scale * self.sigma_px)
