"""Where the face of a scan is: poses that views suggest, looked at until one proves right."""

import dataclasses

import numpy as np

from geomface.errors import LandmarkError, MeshError
from geomface.landmarks.candidate_views import all_views, likely_views
from geomface.landmarks.fusion import Fragments, FusedLandmarks, fuse
from geomface.landmarks.protocols import MirroredViewDetector, ViewAnswer, ViewDetector
from geomface.landmarks.shape_model import LandmarkShapeFit, fit_landmark_shape
from geomface.landmarks.surface import ScanSurface
from geomface.landmarks.views import VIEW_EXTENT_MM, VIEW_SIZE, View
from geomface.mesh import Similarity
from geomface.ranges import COUNT, NOT_NEGATIVE, POSITIVE, SHARE, require_numbers
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

    def __post_init__(self) -> None:
        require_numbers(
            self,
            refinements=NOT_NEGATIVE,
            hypotheses=COUNT,
            largest_residual_mm=POSITIVE,
            largest_disagreement_mm=POSITIVE,
            least_seen=SHARE,
        )


@dataclasses.dataclass(frozen=True, eq=False)
class FoundFace:
    """A pose that was looked at closely.

    Parameters
    ----------
    fused : the landmarks, frame of the surface
    sigma_px : median uncertainty of the detector
    """

    fused: FusedLandmarks
    sigma_px: float


@dataclasses.dataclass(frozen=True)
class PoseSearch:
    """Looks at likely views, then all around; the first pose that proves to be a face wins.

    Each view gives a pose, the surest views first. A pose is looked at from its front, ever
    better, then from its sides: a face is where all sides see the same landmarks and these lie as
    those of faces do.

    Parameters
    ----------
    points : finds landmarks in views
    shape_model : landmark shape model
    settings : see `DetectionSettings`
    """

    points: ViewDetector
    shape_model: LinearModel
    settings: DetectionSettings

    def find(self, surface: ScanSurface, name: str) -> tuple[FoundFace, int]:
        """Return the face and how many views were looked at.

        Raises
        ------
        LandmarkError : no face was found; the message says how it failed.
        """
        settings, count = self.settings, 0
        tried: list[LandmarkShapeFit] = []
        faces: list[FoundFace] = []
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
            found = self._see(surface, [canonical_view(fit.similarity, 0.0)])
            fit = (self._fit(found[0]) if found else None) or fit
        return fit

    def _examine(self, surface: ScanSurface, fit: LandmarkShapeFit) -> FoundFace | None:
        """Look from the front and the sides of a pose; None when nothing is seen from there."""
        views = [canonical_view(fit.similarity, yaw) for yaw in self.settings.yaws]
        fragments = self._see(surface, views, mirrored=True)
        if not any(np.isfinite(seen.points).any() for seen in fragments):
            return None
        try:
            fused = fuse(fragments, surface, self.shape_model)
        except MeshError:
            return None
        sigma_px = float(np.median([seen.sigma_px for seen in fragments]))
        return FoundFace(fused, sigma_px)

    def _is_face(self, fused: FusedLandmarks) -> bool:
        """Say whether all sides see the same landmarks, and they lie as those of faces do."""
        return (
            fused.disagreement_mm <= self.settings.largest_disagreement_mm
            and fused.residual_mm <= self.settings.largest_residual_mm
            and float(np.mean(~fused.filled)) >= self.settings.least_seen
        )

    def _why_not(self, faces: list[FoundFace], looked_like_one: bool) -> str:
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


def _cast(surface: ScanSurface, answer: ViewAnswer) -> Fragments:
    view, pixels, sigma = answer
    return Fragments(view, pixels, sigma, *surface.cast(view, pixels))


def _same(one: LandmarkShapeFit, other: LandmarkShapeFit) -> bool:
    """Say whether two poses put a face at about the same place."""
    apart = np.linalg.norm(one.expected - other.expected, axis=1).mean()
    return float(apart) < _SAME_MM * min(one.similarity.scale, other.similarity.scale)


def canonical_view(similarity: Similarity, yaw: float) -> View:
    """Return the view of a face in this pose from a side."""
    rotation = view_rotation(yaw, 0.0) @ similarity.rotation.T
    centre = similarity.apply(np.zeros((1, 3)))[0]
    return View(rotation, centre, VIEW_EXTENT_MM * similarity.scale)
