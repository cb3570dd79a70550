"""Landmarks of a scan without help: guess the pose, look from fixed sides, fuse, refine."""

import dataclasses
import time
from collections.abc import Sequence

import numpy as np

from geomface.arrays import FloatArray, require_kind
from geomface.errors import LandmarkError, MeshError
from geomface.landmarks.candidate_views import all_views, likely_views
from geomface.landmarks.dense_model import DenseShapeModel, refine_landmarks
from geomface.landmarks.fusion import Fragments, FusedLandmarks, fuse
from geomface.landmarks.protocols import MirroredViewDetector, ViewAnswer, ViewDetector
from geomface.landmarks.shape_model import LandmarkShapeFit, fit_landmark_shape
from geomface.landmarks.surface import ScanSurface
from geomface.landmarks.view_detectors import NetworkDetector
from geomface.landmarks.views import VIEW_EXTENT_MM, VIEW_SIZE, View
from geomface.mesh import Landmarks, Mesh, Similarity
from geomface.mesh.units import scan_unit
from geomface.rendering.camera import view_rotation
from geomface.statistics import LinearModel

_PROMISING = 40
"""Views, the surest first, that may suggest a pose."""
_SAME_MM = 20.0
"""Poses whose landmarks lie nearer than this are one."""


@dataclasses.dataclass(frozen=True)
class DetectionSettings:
    """How landmarks are looked for."""

    yaws: tuple[float, ...] = (-40.0, -20.0, 0.0, 20.0, 40.0)
    """Sides of the final views, degrees."""
    refinements: int = 3
    """Frontal views from an ever better pose before the final views."""
    hypotheses: int = 3
    """Poses that are looked at closely before the search gives up."""
    largest_residual_mm: float = 2.5
    """A face whose landmarks fit the shape model worse than this (median) is no face."""
    largest_disagreement_mm: float = 2.0
    """Nor is one that looks different from each side: landmarks of one view lie farther than this
    (median) from those of all. Right poses stay below 1.2, wrong ones are seldom below 4."""
    least_seen: float = 0.5
    """Nor one of which no view saw at least this share of the landmarks."""


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
    disagreement_mm : median distance of what one view sees from what all do, at adult size
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
    disagreement_mm: float
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
        face, count = self._search(surface, scan.name)
        fused = face.fused
        notes = list(surface.notes)
        missing = int(fused.filled.sum())
        if missing:
            notes.append(
                f"{missing} of 68 landmarks were not seen and stand where faces have them."
            )
        back = Similarity(1.0 / surface.factor)
        similarity = back.compose(fused.similarity)
        unit = scan_unit(scan, None, 1.0 / similarity.scale)
        notes += unit.notes
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
                back.apply(places),
                sigma_mm=sigma_mm,
                unit=unit.unit,
                name=f"{scan.name}: detected landmarks",
            ),
            fused.confidence,
            fused.filled,
            similarity,
            fused.residual_mm,
            fused.disagreement_mm,
            face.sigma_px,
            _canonical(similarity, 0.0),
            count,
            tuple(notes),
            time.perf_counter() - began,
        )

    def _search(self, surface: ScanSurface, name: str) -> tuple["_Face", int]:
        """Look at likely views, then all around; the first pose that proves to be a face wins."""
        settings, count = self.settings, 0
        tried: list[LandmarkShapeFit] = []
        faces: list[_Face] = []
        for views, most in ((likely_views, 1), (all_views, settings.hypotheses)):
            answers = list(self.points.detect(surface, views(surface)))
            answers.sort(key=lambda answer: float(np.mean(answer[2])))
            count += len(answers)
            for answer in answers[:_PROMISING]:
                fit = self._fit(_cast(surface, answer))
                if fit is None or any(_same(fit, other) for other in tried):
                    continue
                closer = self._come_closer(surface, fit)
                known = any(_same(closer, other) for other in tried)
                tried += [fit, closer]
                if known:
                    continue
                face = self._examine(surface, closer)
                count += settings.refinements + len(settings.yaws)
                most -= 1
                if face is not None:
                    if self._is_face(face.fused):
                        return face, count
                    faces.append(face)
                if most == 0:
                    break
        raise LandmarkError(f"{name}: no face was found: {self._why_not(faces, bool(tried))}")

    def _come_closer(self, surface: ScanSurface, fit: LandmarkShapeFit) -> LandmarkShapeFit:
        """Look from the front of an ever better pose."""
        for _ in range(self.settings.refinements):
            found = self._see(surface, [_canonical(fit.similarity, 0.0)])
            fit = (self._fit(found[0]) if found else None) or fit
        return fit

    def _examine(self, surface: ScanSurface, fit: LandmarkShapeFit) -> "_Face | None":
        """Look from the front and the sides of a pose; None when nothing is seen from there."""
        views = [_canonical(fit.similarity, yaw) for yaw in self.settings.yaws]
        fragments = self._see(surface, views, mirrored=True)
        if not any(np.isfinite(seen.points).any() for seen in fragments):
            return None
        try:
            fused = fuse(fragments, surface, self.shape_model)
        except MeshError:
            return None
        sigma_px = float(np.median([seen.sigma_px for seen in fragments]))
        return _Face(fused, sigma_px)

    def _is_face(self, fused: FusedLandmarks) -> bool:
        """Say whether all sides see the same landmarks, and they lie as those of faces do."""
        return (
            fused.disagreement_mm <= self.settings.largest_disagreement_mm
            and fused.residual_mm <= self.settings.largest_residual_mm
            and float(np.mean(~fused.filled)) >= self.settings.least_seen
        )

    def _why_not(self, faces: "list[_Face]", looked_like_one: bool) -> str:
        """Return what keeps the likeliest pose from being one of a face."""
        way_out = "Give --landmarks, or another detector."
        if not looked_like_one:
            return f"no view of the scan shows anything like one. {way_out}"
        if not faces:
            return (
                "the detector that saw one first sees none in the views from its front and sides. "
                f"{way_out}"
            )
        fused = min(faces, key=lambda face: face.fused.disagreement_mm).fused
        return (
            f"in the likeliest pose, landmarks seen from different sides lie "
            f"{fused.disagreement_mm:.1f} mm apart (median at adult size, expected at most "
            f"{self.settings.largest_disagreement_mm:g}) and {fused.residual_mm:.1f} mm from any "
            f"arrangement of a face (at most {self.settings.largest_residual_mm:g}), and "
            f"{int(fused.filled.sum())} of {len(fused.filled)} were not seen. The scan may show no "
            "face or too little of one, hair or a mask may hide it, or some of its triangles face "
            f"inwards. {way_out}"
        )

    def _see(
        self, surface: ScanSurface, views: list[View], *, mirrored: bool = False
    ) -> list[Fragments]:
        """Detect in views, and in their mirror images if wanted; cast the pixels onto the scan."""
        answers = list(self.points.detect(surface, views))
        if mirrored and answers and isinstance(self.points, MirroredViewDetector):
            answers += self.points.detect_mirrored(surface, [view for view, _, _ in answers])
        return [_cast(surface, answer) for answer in answers]

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


@dataclasses.dataclass(frozen=True, eq=False)
class _Face:
    """A pose that was looked at closely."""

    fused: FusedLandmarks
    sigma_px: float


def _cast(surface: ScanSurface, answer: ViewAnswer) -> Fragments:
    view, pixels, sigma = answer
    return Fragments(view, pixels, sigma, *surface.cast(view, pixels))


def _same(one: LandmarkShapeFit, other: LandmarkShapeFit) -> bool:
    """Say whether two poses put a face at about the same place."""
    apart = np.linalg.norm(one.expected - other.expected, axis=1).mean()
    return float(apart) < _SAME_MM * min(one.similarity.scale, other.similarity.scale)


def _canonical(similarity: Similarity, yaw: float) -> View:
    """Return the view of a face in this pose from a side."""
    rotation = view_rotation(yaw, 0.0) @ similarity.rotation.T
    centre = similarity.apply(np.zeros((1, 3)))[0]
    return View(rotation, centre, VIEW_EXTENT_MM * similarity.scale)
