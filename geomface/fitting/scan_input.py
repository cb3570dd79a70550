"""A scan and its landmarks in the frame of a model."""

import dataclasses
from functools import cached_property

import numpy as np

from geomface.arrays import BoolArray, FloatArray
from geomface.mesh import Landmarks, Mesh, Similarity, Template
from geomface.registration.prepare import PreparedScan, prepare_scan
from geomface.registration.scan_target import ScanTarget


@dataclasses.dataclass(frozen=True, eq=False)
class ScanInput:
    """What a fit sees of a scan.

    Parameters
    ----------
    prepared : the scan as it was looked at and placed
    target : the scan in the model's frame
    landmarks : (L, 3) float64 in the model's frame, NaN where missing; or None
    landmark_sigma : (L,) float64 mm
    """

    prepared: PreparedScan
    target: ScanTarget
    landmarks: FloatArray | None
    landmark_sigma: FloatArray

    @cached_property
    def spacing(self) -> float:
        """Median edge length of the scan, mm in the model's frame."""
        corners = self.target.vertices[self.target.faces]
        lengths = np.linalg.norm(corners - np.roll(corners, 1, axis=1), axis=2)
        return float(np.median(lengths))

    @property
    def present(self) -> BoolArray:
        """(L,) True for landmarks that were measured; empty without landmarks."""
        if self.landmarks is None:
            return np.zeros(0, bool)
        return np.asarray(np.isfinite(self.landmarks).all(axis=1))

    def to_scan(self, points: FloatArray, pose: Similarity) -> FloatArray:
        """Bring points of the model, moved by `pose` within its frame, to where the scan is."""
        return self.prepared.reflected(self.similarity(pose).apply(points))

    def from_scan(self, points: FloatArray, pose: Similarity) -> FloatArray:
        """Undo `to_scan`."""
        return self.similarity(pose).inverse().apply(self.prepared.reflected(points))

    def similarity(self, pose: Similarity) -> Similarity:
        """Return model frame to scan frame (to its mirror image if that was fitted)."""
        return self.prepared.start.compose(pose)


def scan_input(
    template: Template,
    scan: Mesh,
    landmarks: Landmarks | None,
    start: Similarity | None,
    *,
    default_sigma: float,
    fit_scale: bool = True,
) -> ScanInput:
    """Prepare a scan and bring it into the frame of the model that `template` belongs to.

    Parameters
    ----------
    default_sigma : standard deviation of landmarks that bring none, mm
    start, fit_scale : as in `prepare_scan`
    """
    given = prepare_scan(scan, template, landmarks, start=start, fit_scale=fit_scale)
    framed = given.start.inverse()
    # To the nanometre: the same scan in another unit or pose then makes the same matches.
    target = ScanTarget(np.round(framed.apply(given.vertices), 6), given.faces)
    if given.landmarks is None:
        return ScanInput(given, target, None, np.zeros(0))
    points = framed.apply(given.landmarks.points)
    return ScanInput(given, target, points, given.landmarks.sigma(default_sigma))
