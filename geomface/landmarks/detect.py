"""Landmarks of a scan without help: guess the pose, look from fixed sides, fuse, ask the skin."""

import dataclasses
import time
from collections.abc import Callable, Iterable, Sequence
from typing import Protocol, runtime_checkable

import numpy as np

from geomface.arrays import FloatArray, ImageArray
from geomface.errors import LandmarkError, MeshError
from geomface.landmarks.constellation import ConstellationFit, fit_constellation
from geomface.landmarks.first_look import all_views, likely_views
from geomface.landmarks.fusion import Sighting, fuse
from geomface.landmarks.skin import SkinModel
from geomface.landmarks.skin_fit import settle
from geomface.landmarks.surface import ScanSurface
from geomface.landmarks.views import VIEW_EXTENT_MM, VIEW_SIZE, View
from geomface.mesh import Landmarks, Mesh, Similarity
from geomface.rendering.camera import view_rotation
from geomface.statistics import LinearModel

PointDetector = Callable[[ImageArray], FloatArray | None]
"""A user's own 2D detector: RGB picture (H, W, 3) in [0, 1] to (68, 2) pixels, or None."""


class ViewDetector(Protocol):
    """Finds landmark pixels in views of a surface; see `view_detectors`."""

    constellation: LinearModel

    def detect(
        self, surface: ScanSurface, views: list[View]
    ) -> Iterable[tuple[View, FloatArray, FloatArray]]:
        """Yield (view, places (68, 2), sigma (68,) in pixels of `VIEW_SIZE`) where a face is."""
        ...


@runtime_checkable
class SecondLook(Protocol):
    """A view detector that has more to say about views of a face whose pose is known."""

    def look_again(
        self, surface: ScanSurface, views: list[View]
    ) -> Iterable[tuple[View, FloatArray, FloatArray]]:
        """Yield further answers like `detect`."""
        ...


@dataclasses.dataclass(frozen=True)
class DetectionSettings:
    """How landmarks are looked for."""

    yaws: tuple[float, ...] = (-40.0, -20.0, 0.0, 20.0, 40.0)
    """Sides of the final views, degrees."""
    refinements: int = 3
    """Frontal looks from an ever better pose before the final views."""
    enough_px: float = 4.0
    """A first look whose mean uncertainty is below this ends the search, pixels."""
    largest_residual_mm: float = 5.0
    """A face whose landmarks fit the constellation worse than this (median) is no face."""
    largest_sigma_px: float = 4.5
    """Nor is one of which the network is this unsure (median) in the end."""


@dataclasses.dataclass(frozen=True, eq=False)
class DetectionResult:
    """What was found.

    Parameters
    ----------
    landmarks : 68 points on the scan, in its unit, each with its sigma_mm
    confidence : (68,) in [0, 1]; 0 where the constellation had to stand in
    filled : (68,) bool, landmarks that no view saw well
    similarity : constellation frame (mm, face forward) to the scan
    residual_mm : median distance to the constellation
    sigma_px : median uncertainty of the network in the final views
    frontal : the frontal view, for pictures
    looks : number of views that were looked at
    notes : what was noticed
    seconds : wall time
    """

    landmarks: Landmarks
    confidence: FloatArray
    filled: np.ndarray
    similarity: Similarity
    residual_mm: float
    sigma_px: float
    frontal: View
    looks: int
    notes: tuple[str, ...]
    seconds: float


class LandmarkDetector:
    """Finds the 68 landmarks of scans; keeps the network between them.

    Parameters
    ----------
    points : `NetworkDetector` (the one that ships when None) or another `ViewDetector`
    constellation : shape model of the 68 points, default the detector's own
    skins : shape models of skin and landmarks, default the detector's own, if it has some
    """

    def __init__(
        self,
        points: ViewDetector | None = None,
        constellation: LinearModel | None = None,
        settings: DetectionSettings | None = None,
        skins: Sequence[SkinModel] | None = None,
    ) -> None:
        if points is None:
            from geomface.landmarks.view_detectors import NetworkDetector

            points = NetworkDetector()
        self.points = points
        self.constellation = points.constellation if constellation is None else constellation
        self.skins = getattr(points, "skins", ()) if skins is None else tuple(skins)
        self.settings = settings or DetectionSettings()

    def detect(self, scan: Mesh) -> DetectionResult:
        """Find the landmarks of a scan in any pose and unit.

        Raises
        ------
        LandmarkError : no face was found; the message says how it failed.
        """
        began = time.perf_counter()
        surface = ScanSurface(scan)
        fit, looks = self._search(surface)
        frontal = _canonical(fit.similarity, 0.0)
        for _ in range(self.settings.refinements):
            found = self._sight(surface, [frontal])
            looks += 1
            fit = self._fit(found) or fit
            frontal = _canonical(fit.similarity, 0.0)
        views = [_canonical(fit.similarity, yaw) for yaw in self.settings.yaws]
        sightings = self._sight(surface, views, again=True)
        looks += len(views)
        sigma_px = float(np.median([sighting.sigma_px for sighting in sightings]))
        fused = fuse(sightings, surface, self.constellation)
        if (
            fused.residual_mm > self.settings.largest_residual_mm
            or sigma_px > self.settings.largest_sigma_px
        ):
            raise LandmarkError(
                f"{scan.name}: no face was found: the landmarks lie {fused.residual_mm:.1f} mm "
                f"(median) from any arrangement of a face and the detector is unsure by "
                f"{sigma_px:.1f} pixels. Give --landmarks, or check that the scan shows a face."
            )
        notes = list(surface.notes)
        missing = int(fused.filled.sum())
        if missing:
            notes.append(
                f"{missing} of 68 landmarks were not seen and stand where faces have them."
            )
        factor = 1.0 / surface.to_mm
        places, sigma_mm = settle(
            self.skins,
            surface,
            fused.similarity,
            fused.points,
            fused.sigma_mm,
            fused.filled,
        ) or (fused.points, fused.sigma_mm)
        return DetectionResult(
            Landmarks(
                places * factor,
                sigma_mm=sigma_mm,
                unit=scan.unit,
                name=f"{scan.name}: detected landmarks",
            ),
            fused.confidence,
            fused.filled,
            Similarity(factor).compose(fused.similarity),
            fused.residual_mm,
            sigma_px,
            frontal,
            looks,
            tuple(notes),
            time.perf_counter() - began,
        )

    def _search(self, surface: ScanSurface) -> tuple[ConstellationFit, int]:
        """Find a first pose: likely views, then all around until one is convincing."""
        looks = 0
        best: tuple[float, ConstellationFit] | None = None
        for batch in _batches(likely_views(surface), all_views(surface)):
            for sighting in self._sight(surface, batch):
                looks += 1
                score = float(np.mean(sighting.sigma_px))
                if best is not None and score >= best[0]:
                    continue
                fit = self._fit([sighting])
                if fit is not None:
                    best = (score, fit)
            if best is not None and best[0] < self.settings.enough_px:
                break
        if best is None:
            raise LandmarkError("no face was found: hardly any view of the scan shows a surface.")
        return best[1], looks

    def _sight(
        self, surface: ScanSurface, views: list[View], *, again: bool = False
    ) -> list[Sighting]:
        """Detect in views, look again if the pose is known, and cast the places onto the scan."""
        seen = list(self.points.detect(surface, views))
        if again and seen and isinstance(self.points, SecondLook):
            seen += self.points.look_again(surface, [view for view, _, _ in seen])
        sightings = []
        for view, places, sigma in seen:
            points, cosines = surface.cast(view, places)
            sightings.append(Sighting(view, places, sigma, points, cosines))
        return sightings

    def _fit(self, sightings: list[Sighting]) -> ConstellationFit | None:
        """Fit the constellation to one sighting; None when too little of it met the scan."""
        sighting = sightings[0]
        step = sighting.view.extent / VIEW_SIZE
        sigma = step * sighting.sigma_px / np.maximum(sighting.cosines, 0.2)
        try:
            return fit_constellation(self.constellation, sighting.points, sigma)
        except MeshError:
            return None


def _canonical(similarity: Similarity, yaw: float) -> View:
    """Return the view of a face in this pose from a side."""
    rotation = view_rotation(yaw, 0.0) @ similarity.rotation.T
    centre = similarity.apply(np.zeros((1, 3)))[0]
    return View(rotation, centre, VIEW_EXTENT_MM * similarity.scale)


def _batches(likely: list[View], rest: Iterable[View], size: int = 16) -> Iterable[list[View]]:
    yield likely
    batch: list[View] = []
    for view in rest:
        batch.append(view)
        if len(batch) == size:
            yield batch
            batch = []
    if batch:
        yield batch
