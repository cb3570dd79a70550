"""A picture of a fitted template over its scan, to see at a glance whether it is right."""

from typing import Protocol

import numpy as np

from geomface.arrays import ImageArray
from geomface.mesh import Mesh, Similarity
from geomface.rendering.camera import frame_of
from geomface.rendering.picture import render_mesh
from geomface.rendering.sheets import contact_sheet

SCAN_INK, FIT_INK = (0.62, 0.66, 0.70), (0.95, 0.55, 0.25)
"""Colours of the scan and of what was fitted to it."""


class Fitted(Protocol):
    """What the results of registrations and of model fits share."""

    @property
    def mesh(self) -> Mesh:
        """The fitted face, mm."""
        ...

    @property
    def similarity(self) -> Similarity:
        """Upright frame to that of the mesh."""
        ...

    @property
    def scan_unit_mm(self) -> float:
        """Millimetres in one of the scan's unit."""
        ...


def fit_overlay(
    scan: Mesh,
    result: Fitted,
    *,
    size: int = 320,
    yaws: tuple[float, ...] = (-60.0, 0.0, 60.0, 180.0),
) -> ImageArray:
    """Render a scan with the template fitted to it, from around the fitted face.

    Returns
    -------
    (H, W, 3) float32
    """
    count, fitted = len(scan.vertices), result.mesh
    places = [result.scan_unit_mm * scan.vertices, fitted.vertices]
    vertices = result.similarity.inverse().apply(np.concatenate(places))
    ink = np.tile(np.array(SCAN_INK, np.float32), (len(vertices), 1))
    ink[count:] = FIT_INK
    both = Mesh(
        vertices, np.concatenate([scan.faces, fitted.faces + count]), colors=ink, name="overlay"
    )
    frame = frame_of([vertices[count:]], margin=0.2)
    views = [render_mesh(both, size=size, yaw=yaw, frame=frame, smooth=1) for yaw in yaws]
    return contact_sheet(views, len(views))
