"""A scan as every fit and the landmark detector take it in: looked at, cleaned, placed."""

import dataclasses

import numpy as np

from geomface.arrays import FloatArray, IndexArray
from geomface.mesh import Landmarks, Mesh, Similarity, Template
from geomface.mesh.diagnose import (
    MILLIMETRES,
    arrange_landmarks,
    diagnose_scan,
    suspected_mirror_image,
)
from geomface.mesh.normals import face_cross_products
from geomface.registration.scan_target import ScanTarget
from geomface.registration.start import similarity_from_landmarks, similarity_without_landmarks

_MIRROR = np.array([-1.0, 1.0, 1.0])
# A scan that turns farther from +z than this is said to.
_TILTED_COSINE = 0.5
# The faces of a scan that is wound the wrong way look back by more than this share of its area.
_INSIDE_OUT = -0.2


@dataclasses.dataclass(frozen=True, eq=False)
class PreparedScan:
    """What is known of a scan before anything is fitted to it.

    Parameters
    ----------
    vertices : (S, 3) float64, in the scan's own unit and pose; reflected at x = 0 if `mirrored`
    faces : (T, 3) int64, of positive area, outward as far as the pose tells, with vertices at one
        place joined; vertices that none of them uses take no part
    landmarks : in the order of the template's scheme, where the vertices are; or None
    start : template frame to the frame of the vertices; the identity without a template
    mirrored : the landmarks say that the scan is a mirror image
    unit : unit of the scan as declared
    name : of the scan
    unit_factor : multiply the vertices by it to get millimetres, as far as size or landmarks tell
    notes : what was accepted and what was done about it, one sentence each
    """

    vertices: FloatArray
    faces: IndexArray
    landmarks: Landmarks | None
    start: Similarity
    mirrored: bool
    unit: str
    name: str
    unit_factor: float
    notes: tuple[str, ...]

    @property
    def to_mm(self) -> float:
        """Millimetres in one unit of the template's frame (of the scan's without a template)."""
        return self.start.scale * self.unit_factor

    def reflected(self, points: FloatArray) -> FloatArray:
        """Bring points from the frame of the vertices to that of the scan, or back."""
        return points * _MIRROR if self.mirrored else points


def prepare_landmarks(
    template: Template, landmarks: Landmarks, *, pose_known: bool = False
) -> tuple[Landmarks, FloatArray, list[str]]:
    """Return landmarks in the template's order, their places on the template, and notes.

    Raises
    ------
    LandmarkError : wrong scheme or count; without a known pose too few measured, or on one line.
    """
    embedding = template.require_landmarks(landmarks)
    placed = embedding.positions(template.mesh.vertices)
    if not pose_known:
        # Refuses too few landmarks, or all on one line, before anything is read out of them.
        similarity_from_landmarks(placed, landmarks)
    landmarks, moved = arrange_landmarks(landmarks, placed)
    notes = list(moved)
    missing = int((~landmarks.present).sum())
    if 0 < missing < len(landmarks.points):
        notes.append(f"{missing} of {len(landmarks.points)} landmarks are missing: left out.")
    return landmarks, placed, notes


def prepare_scan(
    scan: Mesh,
    template: Template | None = None,
    landmarks: Landmarks | None = None,
    *,
    start: Similarity | None = None,
    fit_scale: bool = True,
) -> PreparedScan:
    """Look at a scan, set aside what no fit can use, and find where the template lies on it.

    Parameters
    ----------
    scan : any triangle mesh; it is not changed
    template : with its mesh in the pose in which it starts; None when no pose is wanted
    landmarks : measured points, missing ones NaN; None searches for the pose
    start : a known pose, template to scan; default from the landmarks, or searched for
    fit_scale : False starts from the scale that the units of template and scan say

    Raises
    ------
    LandmarkError : wrong scheme or count, too few measured, or all on one line.
    RegistrationError : no starting pose was found without landmarks, or a scan without surface.

    Convention
    ----------
    Neither the scan nor the landmarks need to be upright or in millimetres.
    """
    notes: list[str] = []
    mirrored, placed, known, scale = False, np.zeros((0, 3)), start, None
    if landmarks is not None and template is not None:
        landmarks, placed, notes = prepare_landmarks(
            template, landmarks, pose_known=start is not None
        )
        mirrored = suspected_mirror_image(landmarks.points, placed)
        if mirrored:
            notes.append(
                "the landmarks say that this scan is a mirror image: it was reflected at x = 0 for "
                "the fit and the result reflected back. Check the scanner's export."
            )
            landmarks = dataclasses.replace(landmarks, points=landmarks.points * _MIRROR)
        known = start or similarity_from_landmarks(placed, landmarks)
        scale = MILLIMETRES[template.mesh.unit] / known.scale
    diagnosis = diagnose_scan(scan, scale_to_template=scale)
    notes += diagnosis.notes
    vertices = scan.vertices * _MIRROR if mirrored else scan.vertices
    faces = scan.faces[:, ::-1] if mirrored else scan.faces
    faces = diagnosis.weld[faces][~diagnosis.degenerate_faces]
    if template is not None and known is None:
        known = _search(template, vertices, faces, diagnosis.unit_factor)
        notes.append("no landmarks: the starting pose was searched for; check the overlay.")
    elif known is not None and landmarks is not None:
        if known.rotation[2, 2] < _TILTED_COSINE:
            notes.append("the scan does not look along +z: turned by its landmarks.")
        if _looks_back(vertices, faces, known):
            notes.append("the scan's triangles face inwards: turned over for the fit.")
            faces = faces[:, ::-1]
    if template is not None and known is not None and start is None and not fit_scale:
        marks = template.mesh.vertices if landmarks is None else placed[landmarks.present]
        units = MILLIMETRES[template.mesh.unit] / diagnosis.unit_factor
        known = with_scale(known, units, marks.mean(axis=0))
    return PreparedScan(
        vertices,
        np.ascontiguousarray(faces),
        landmarks,
        known or Similarity(),
        mirrored,
        scan.unit,
        scan.name,
        diagnosis.unit_factor,
        tuple(notes),
    )


def with_scale(similarity: Similarity, scale: float, pivot: FloatArray) -> Similarity:
    """Return the similarity of another scale that takes `pivot` to the same place."""
    rotation = similarity.rotation
    return Similarity(scale, rotation, similarity.apply(pivot) - scale * rotation @ pivot)


def _search(
    template: Template, vertices: FloatArray, faces: IndexArray, unit_factor: float
) -> Similarity:
    """Search for the pose with the scan brought to the template's unit by its size."""
    to_template = unit_factor / MILLIMETRES[template.mesh.unit]
    source = ScanTarget(template.mesh.vertices, template.mesh.faces)
    found, _ = similarity_without_landmarks(source, ScanTarget(vertices * to_template, faces))
    return Similarity(1.0 / to_template).compose(found)


def _looks_back(vertices: FloatArray, faces: IndexArray, pose: Similarity) -> bool:
    """Say whether an open surface faces away from the template's +z, that is, is inside out."""
    cross = face_cross_products(vertices, faces)
    forward = float(cross.sum(axis=0) @ pose.rotation[:, 2])
    return forward < _INSIDE_OUT * float(np.linalg.norm(cross, axis=1).sum())
