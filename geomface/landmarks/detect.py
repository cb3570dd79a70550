"""Landmarks of a scan without help: guess the pose, look from fixed sides, fuse, refine."""

import dataclasses
import time
from collections.abc import Sequence
from itertools import chain, islice

import numpy as np

from geomface.arrays import FloatArray, require_kind
from geomface.errors import LandmarkError, MeshError
from geomface.landmarks.candidate_views import all_views, likely_views
from geomface.landmarks.dense_model import DenseShapeModel, refine_landmarks
from geomface.landmarks.fusion import Fragments, fuse
from geomface.landmarks.protocols import MirroredViewDetector, ViewDetector
from geomface.landmarks.shape_model import LandmarkShapeFit, fit_landmark_shape
from geomface.landmarks.surface import ScanSurface
from geomface.landmarks.view_detectors import NetworkDetector
from geomface.landmarks.views import VIEW_EXTENT_MM, VIEW_SIZE, View
from geomface.mesh import Landmarks, Mesh, Similarity
from geomface.rendering.camera import view_rotation
from geomface.statistics import LinearModel

_BATCH = 16
"""Views from all around that are looked at before the best is judged."""


@dataclasses.dataclass(frozen=True)
class DetectionSettings:
    """How landmarks are looked for."""

    yaws: tuple[float, ...] = (-40.0, -20.0, 0.0, 20.0, 40.0)
    """Sides of the final views, degrees."""
    refinements: int = 3
    """Frontal views from an ever better pose before the final views."""
    enough_px: float = 4.0
    """A candidate view whose mean uncertainty is below this ends the search, pixels."""
    largest_residual_mm: float = 5.0
    """A face whose landmarks fit the shape model worse than this (median) is no face."""
    largest_sigma_px: float = 4.5
    """Nor is one of which the network is this unsure (median) in the end."""


@dataclasses.dataclass(frozen=True, eq=False)
class DetectionResult:
    """What was found.

    Parameters
    ----------
    landmarks : 68 points on the scan, in its unit, each with its sigma_mm
    confidence : (68,) in [0, 1]; 0 where the shape model had to stand in
    filled : (68,) bool, landmarks that no view saw well
    similarity : frame of the shape model (mm, face forward) to the scan
    residual_mm : median distance to the shape model
    sigma_px : median uncertainty of the network in the final views
    frontal : the frontal view, for pictures
    views : number of views that were looked at
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
    views: int
    notes: tuple[str, ...]
    seconds: float


class LandmarkDetector:
    """Finds the 68 landmarks of scans; keeps the network between them.

    Parameters
    ----------
    points : `NetworkDetector` (the one that ships when None) or another `ViewDetector`
    shape_model : landmark shape model, default the detector's own
    dense_models : of landmarks and skin, default the detector's own, if it has some
    """

    def __init__(
        self,
        points: ViewDetector | None = None,
        shape_model: LinearModel | None = None,
        settings: DetectionSettings | None = None,
        dense_models: Sequence[DenseShapeModel] | None = None,
    ) -> None:
        points = NetworkDetector() if points is None else points
        self.points = points
        self.shape_model = points.shape_model if shape_model is None else shape_model
        self.dense_models = (
            getattr(points, "dense_models", ()) if dense_models is None else tuple(dense_models)
        )
        self.settings = settings or DetectionSettings()

    def detect(self, scan: Mesh) -> DetectionResult:
        """Find the landmarks of a scan in any pose and unit.

        Raises
        ------
        LandmarkError : no face was found; the message says how it failed.
        """
        began = time.perf_counter()
        surface = ScanSurface(scan)
        fit, count = self._search(surface)
        frontal = _canonical(fit.similarity, 0.0)
        for _ in range(self.settings.refinements):
            found = self._see(surface, [frontal])
            count += 1
            fit = (self._fit(found[0]) if found else None) or fit
            frontal = _canonical(fit.similarity, 0.0)
        views = [_canonical(fit.similarity, yaw) for yaw in self.settings.yaws]
        fragments = self._see(surface, views, mirrored=True)
        count += len(views)
        if not fragments:
            raise LandmarkError(
                f"{scan.name}: no face was found: the detector that saw one first sees none in "
                "the views from its front and sides. Give --landmarks, or another detector."
            )
        sigma_px = float(np.median([seen.sigma_px for seen in fragments]))
        fused = fuse(fragments, surface, self.shape_model)
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
        places, sigma_mm = refine_landmarks(
            self.dense_models,
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
            count,
            tuple(notes),
            time.perf_counter() - began,
        )

    def _search(self, surface: ScanSurface) -> tuple[LandmarkShapeFit, int]:
        """Find a first pose: likely views, then all around until one is convincing."""
        count = 0
        best: tuple[float, LandmarkShapeFit] | None = None
        around = all_views(surface)
        batches = chain([likely_views(surface)], iter(lambda: list(islice(around, _BATCH)), []))
        for batch in batches:
            for seen in self._see(surface, batch):
                count += 1
                score = float(np.mean(seen.sigma_px))
                if best is not None and score >= best[0]:
                    continue
                fit = self._fit(seen)
                if fit is not None:
                    best = (score, fit)
            if best is not None and best[0] < self.settings.enough_px:
                break
        if best is None:
            raise LandmarkError("no face was found: hardly any view of the scan shows a surface.")
        return best[1], count

    def _see(
        self, surface: ScanSurface, views: list[View], *, mirrored: bool = False
    ) -> list[Fragments]:
        """Detect in views, and in their mirror images if wanted; cast the pixels onto the scan."""
        answers = list(self.points.detect(surface, views))
        if mirrored and answers and isinstance(self.points, MirroredViewDetector):
            answers += self.points.detect_mirrored(surface, [view for view, _, _ in answers])
        fragments = []
        for view, pixels, sigma in answers:
            points, cosines = surface.cast(view, pixels)
            fragments.append(Fragments(view, pixels, sigma, points, cosines))
        return fragments

    def _fit(self, seen: Fragments) -> LandmarkShapeFit | None:
        """Fit the shape model to one view; None when too little of it met the scan."""
        step = seen.view.extent / VIEW_SIZE
        sigma = step * seen.sigma_px / np.maximum(seen.cosines, 0.2)
        try:
            return fit_landmark_shape(self.shape_model, seen.points, sigma)
        except MeshError:
            return None


def detect_landmarks(scan: Mesh, settings: DetectionSettings | None = None) -> DetectionResult:
    """Find the 68 landmarks of a scan in any pose and unit with the detector that ships.

    Whoever has many scans keeps a `LandmarkDetector`, which holds the network between them.

    Raises
    ------
    LandmarkError : no face was found; the message says how it failed.

    Example
    -------
    >>> import numpy as np
    >>> import geomface as gf
    >>> scan = gf.simulate_scan(gf.load_builtin_face(), rng=np.random.default_rng(1))
    >>> found = gf.detect_landmarks(scan.mesh)
    >>> miss = np.linalg.norm(found.landmarks.points - scan.truth["landmarks"], axis=1)
    >>> len(miss), bool(np.median(miss) < 5.0)  # mm
    (68, True)
    """
    require_kind(scan, Mesh, "detect_landmarks", where="`.mesh`")
    return LandmarkDetector(settings=settings).detect(scan)


def _canonical(similarity: Similarity, yaw: float) -> View:
    """Return the view of a face in this pose from a side."""
    rotation = view_rotation(yaw, 0.0) @ similarity.rotation.T
    centre = similarity.apply(np.zeros((1, 3)))[0]
    return View(rotation, centre, VIEW_EXTENT_MM * similarity.scale)
