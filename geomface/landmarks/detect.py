"""Landmarks of a scan without help: find the pose, fuse what its sides show, refine."""

import dataclasses
import time
from collections.abc import Sequence

import numpy as np

from geomface.arrays import FloatArray, require_kind
from geomface.landmarks.dense_model import DenseShapeModel, refine_landmarks
from geomface.landmarks.pose_search import DetectionSettings, PoseSearch, canonical_view
from geomface.landmarks.protocols import ViewDetector
from geomface.landmarks.surface import ScanSurface
from geomface.landmarks.view_detectors import NetworkDetector
from geomface.landmarks.views import View
from geomface.mesh import Landmarks, Mesh, Similarity
from geomface.mesh.units import scan_unit
from geomface.statistics import LinearModel


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
        search = PoseSearch(self.points, self.shape_model, self.settings)
        face, count = search.find(surface, scan.name)
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
            canonical_view(similarity, 0.0),
            count,
            tuple(notes),
            time.perf_counter() - began,
        )


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
