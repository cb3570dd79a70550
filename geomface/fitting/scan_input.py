"""A scan and its landmarks brought into the frame of a model."""

import dataclasses
from functools import cached_property

import numpy as np

from geomface.arrays import BoolArray, FloatArray
from geomface.errors import LandmarkError
from geomface.mesh import Landmarks, Mesh, Similarity, Template
from geomface.mesh.diagnose import (
    MILLIMETRES,
    arrange_landmarks,
    diagnose_scan,
    suspected_mirror_image,
)
from geomface.registration.scan_target import ScanTarget
from geomface.registration.start import similarity_from_landmarks, similarity_without_landmarks

_MIRROR = np.array([-1.0, 1.0, 1.0])


@dataclasses.dataclass(frozen=True, eq=False)
class ScanInput:
    """What a fit sees of a scan.

    Parameters
    ----------
    target : the scan in the model's frame
    landmarks : (L, 3) float64 in the model's frame, NaN where missing; or None
    landmark_sigma : (L,) float64 mm
    start : model frame to scan frame (after a reflection at x = 0 if `mirrored`)
    to_mm : true millimetres for one of the model's frame, as far as the scan's unit tells
    """

    target: ScanTarget
    landmarks: FloatArray | None
    landmark_sigma: FloatArray
    start: Similarity
    mirrored: bool
    unit: str
    name: str
    to_mm: float
    notes: tuple[str, ...]

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
        placed = self.start.compose(pose).apply(points)
        return placed * _MIRROR if self.mirrored else placed

    def from_scan(self, points: FloatArray, pose: Similarity) -> FloatArray:
        """Undo `to_scan`."""
        placed = points * _MIRROR if self.mirrored else points
        return self.start.compose(pose).inverse().apply(placed)

    def similarity(self, pose: Similarity) -> Similarity:
        """Return model frame to scan frame (to its mirror image if `mirrored`)."""
        return self.start.compose(pose)


def landmark_sigma(landmarks: Landmarks, default: float) -> FloatArray:
    """Return (L,) standard deviations in mm; `default` where a landmark brings none."""
    sigma = landmarks.sigma_mm
    if sigma is None:
        return np.full(len(landmarks.points), default)
    sigma = np.where(np.isfinite(sigma), sigma, default)
    if (sigma[landmarks.present] <= 0).any():
        raise LandmarkError(
            f"{landmarks.name}: sigma_mm: expected positive standard deviations, got "
            f"{sigma.min():g}. Leave sigma_mm out for {default:g} mm everywhere."
        )
    return sigma


def with_scale(similarity: Similarity, scale: float, pivot: FloatArray) -> Similarity:
    """Return the similarity of another scale that takes `pivot` to the same place."""
    rotation = similarity.rotation
    return Similarity(scale, rotation, similarity.apply(pivot) - scale * rotation @ pivot)


def prepare_scan(
    template: Template,
    scan: Mesh,
    landmarks: Landmarks | None,
    start: Similarity | None,
    *,
    default_sigma: float,
    fit_scale: bool = True,
) -> ScanInput:
    """Diagnose a scan, find where the model lies on it and bring it into the model's frame.

    Parameters
    ----------
    template : the model's, with the mean face as its mesh
    start : a known pose, model to scan; default from the landmarks, or searched for
    default_sigma : standard deviation of landmarks that bring none, mm
    fit_scale : False starts from the scale that the units of model and scan say

    Raises
    ------
    LandmarkError : wrong scheme or count, too few measured, or a sigma that is not positive.
    RegistrationError : no starting pose was found without landmarks, or a scan without surface.
    """
    notes: list[str] = []
    mirrored, sigma = False, np.zeros(0)
    if landmarks is not None:
        embedding = template.require_landmarks(landmarks)
        placed = embedding.positions(template.mesh.vertices)
        # Refuses too few landmarks, or all on one line, before anything is read out of them.
        similarity_from_landmarks(placed, landmarks)
        landmarks, moved = arrange_landmarks(landmarks, placed)
        notes += moved
        missing = int((~landmarks.present).sum())
        if 0 < missing < len(landmarks.points):
            notes.append(f"{missing} of {len(landmarks.points)} landmarks are missing: left out.")
        sigma = landmark_sigma(landmarks, default_sigma)
        mirrored = suspected_mirror_image(landmarks.points, placed)
        if mirrored:
            notes.append(
                "the landmarks say that this scan is a mirror image: it was reflected at x = 0 for "
                "the fit and the result reflected back. Check the scanner's export."
            )
            scan = scan.replace(
                vertices=scan.vertices * _MIRROR,
                faces=scan.faces[:, ::-1],
                quads=None,
                uv=None,
                uv_faces=None,
            )
            landmarks = dataclasses.replace(landmarks, points=landmarks.points * _MIRROR)
        guess = start or similarity_from_landmarks(placed, landmarks)
        diagnosis = diagnose_scan(scan, scale_to_template=1.0 / guess.scale)
        to_model = diagnosis.unit_factor / MILLIMETRES[template.mesh.unit]
        if start is None and not fit_scale:
            guess = with_scale(guess, 1.0 / to_model, placed[landmarks.present].mean(axis=0))
        start = guess
    else:
        diagnosis = diagnose_scan(scan)
    notes += diagnosis.notes
    faces = diagnosis.weld[scan.faces][~diagnosis.degenerate_faces]
    if start is None:
        to_model = diagnosis.unit_factor / MILLIMETRES[template.mesh.unit]
        source = ScanTarget(template.mesh.vertices, template.mesh.faces)
        found, _ = similarity_without_landmarks(source, ScanTarget(scan.vertices * to_model, faces))
        start = Similarity(1.0 / to_model).compose(found)
        if not fit_scale:
            start = with_scale(start, 1.0 / to_model, template.mesh.vertices.mean(axis=0))
        notes.append("no landmarks: the starting pose was searched for; check the overlay.")
    framed = start.inverse()
    # To the nanometre: the same scan in another unit or pose then makes the same matches.
    target = ScanTarget(np.round(framed.apply(scan.vertices), 6), faces)
    return ScanInput(
        target,
        None if landmarks is None else framed.apply(landmarks.points),
        sigma,
        start,
        mirrored,
        scan.unit,
        scan.name,
        start.scale * diagnosis.unit_factor,
        tuple(notes),
    )
