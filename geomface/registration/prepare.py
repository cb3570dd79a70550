"""A scan as every fit and the landmark detector take it in: looked at, cleaned, placed."""

import dataclasses

import numpy as np

from geomface.arrays import BoolArray, FloatArray, IndexArray, require_type
from geomface.errors import LandmarkError, RegistrationError
from geomface.mesh import Landmarks, Mesh, Similarity, Template
from geomface.mesh.diagnose import diagnose_scan
from geomface.mesh.landmark_frames import landmarks_in_frame
from geomface.mesh.landmark_order import (
    ArrangedLandmarks,
    arrange_landmarks,
    exchanged_sides,
    reordered,
)
from geomface.mesh.landmark_outliers import drop_far_landmarks, set_repeated_missing
from geomface.mesh.landmark_shift import settle_landmarks
from geomface.mesh.normals import vertex_normals
from geomface.mesh.units import landmarks_onto, template_factor
from geomface.mesh.winding import away_from_centre, outward_beside, turned_triangles
from geomface.registration.start import similarity_from_landmarks

_MIRROR = np.array([-1.0, 1.0, 1.0])
# A scan that turns farther from +z than this is said to.
_TILTED_COSINE = 0.5
# More of the triangles than this face inwards: all of the scan does.
_INSIDE_OUT = 0.8
_LANDMARKS = "Landmarks(points) makes them, load_landmarks reads a file."
_START = "geomface.mesh.Similarity(scale, rotation, translation) is template to scan."
# Enough of the template to tell which way the scan beside it faces.
_TEMPLATE_SAMPLES = 2000


@dataclasses.dataclass(frozen=True, eq=False)
class PreparedScan:
    """What is known of a scan before anything is fitted to it.

    Parameters
    ----------
    vertices : (S, 3) float64 mm, in the scan's pose; reflected at x = 0 if `mirrored`
    faces : (T, 3) int64, of positive area, outward as far as the pose tells, with vertices at one
        place joined; vertices that none of them uses take no part
    landmarks : in the order of the template's scheme, where the vertices are; or None
    start : template frame to the frame of the vertices; the identity without a template
    mirrored : the landmarks say that the scan is a mirror image
    name : of the scan
    scan_unit : unit of the scan's own numbers, as said, or as landmarks or size tell
    unit_factor : millimetres in one of it: what the vertices were multiplied by
    unit_notes : the sentences among the notes that tell how the unit is known
    notes : what was accepted and what was done about it, one sentence each
    """

    vertices: FloatArray
    faces: IndexArray
    landmarks: Landmarks | None
    start: Similarity
    mirrored: bool
    name: str
    scan_unit: str
    unit_factor: float
    notes: tuple[str, ...]
    unit_notes: tuple[str, ...] = ()

    @property
    def to_mm(self) -> float:
        """Millimetres in one unit of the template's frame (1 without a template)."""
        return self.start.scale

    def reflected(self, points: FloatArray) -> FloatArray:
        """Bring points from the frame of the vertices to that of the scan, or back."""
        return points * _MIRROR if self.mirrored else points


def prepare_landmarks(
    template: Template, landmarks: Landmarks, *, pose_known: bool = False
) -> tuple[ArrangedLandmarks, FloatArray]:
    """Return landmarks in the template's order, and their places on the template.

    Those that lie where no face has them are missing in it; the notes tell.

    Raises
    ------
    LandmarkError : wrong scheme or count, an order that no face has, many far off; without a known
        pose too few measured, or on one line.
    """
    _require_landmarks(landmarks)
    embedding = template.require_landmarks(landmarks)
    placed = embedding.positions(template.mesh.vertices)
    notes = []
    missing = int((~landmarks.present).sum())
    if 0 < missing < len(landmarks.points):
        notes.append(f"{missing} of {len(landmarks.points)} landmarks are missing: left out.")
    landmarks, said = set_repeated_missing(landmarks)
    notes += said
    if not pose_known:
        # Refuses too few landmarks, or all on one line, before anything is read out of them.
        similarity_from_landmarks(placed, landmarks)
    placed_mm = placed * template_factor(template.mesh)
    arranged = arrange_landmarks(landmarks, placed_mm)
    notes += arranged.notes
    if not arranged.mirrored:
        landmarks, said = drop_far_landmarks(arranged.landmarks, placed_mm)
        arranged = dataclasses.replace(arranged, landmarks=landmarks)
        notes += said
    return dataclasses.replace(arranged, notes=tuple(notes)), placed


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
    landmarks : measured points, missing ones NaN
    start : a known pose, template to scan in the scan's own numbers; default from the landmarks
    fit_scale : False starts from the scale that the units of template and scan say

    Raises
    ------
    LandmarkError : wrong scheme or count, an order that no face has, many far off, too few measured
        or on one line; neither landmarks nor a start.
    RegistrationError : a scan without surface.

    Convention
    ----------
    Neither the scan nor the landmarks need to be upright or in millimetres, nor the triangles
    to face outward. Landmarks with left and right exchanged belong to a mirror image if the
    triangles face inwards, too: such a scan was reflected with its landmarks.
    """
    if landmarks is not None:
        _require_landmarks(landmarks)
    if start is not None:
        require_type(start, Similarity, scan.name, way_out=_START, error=RegistrationError)
    if template is not None and landmarks is None and start is None:
        raise LandmarkError(
            f"{scan.name}: expected landmarks or a starting pose, got neither. `geomface.register` "
            "and `geomface.fit_scan` find the landmarks of a scan themselves."
        )
    notes: list[str] = []
    arranged: ArrangedLandmarks | None = None
    mirrored, placed, known, scale = False, np.zeros((0, 3)), start, None
    template_mm = 1.0 if template is None else template_factor(template.mesh)
    if landmarks is not None and template is not None:
        landmarks, scan, said = landmarks_onto(landmarks, scan)
        landmarks, turned = landmarks_in_frame(landmarks, scan)
        arranged, placed = prepare_landmarks(template, landmarks, pose_known=start is not None)
        landmarks, mirrored = arranged.landmarks, arranged.mirrored
        notes = [*said, *turned, *arranged.notes]
        if mirrored:
            landmarks = _reflected(landmarks)
        known = start or similarity_from_landmarks(placed, landmarks)
        scale = template_mm / known.scale
    diagnosis = diagnose_scan(scan, scale_to_template=scale)
    notes += diagnosis.notes
    if (diagnosis.degenerate_faces | diagnosis.repeated_faces).all():
        raise RegistrationError(
            f"{scan.name}: the scan has no triangle of positive area; expected a surface. Mesh the "
            "point cloud first."
        )
    # From here on everything is in millimetres.
    to_mm = diagnosis.unit_factor
    if known is not None:
        known = Similarity(to_mm).compose(known)
    if start is not None:
        start = known
    if landmarks is not None:
        landmarks = dataclasses.replace(landmarks, points=landmarks.points * to_mm, unit="mm")
    vertices = scan.vertices * (to_mm * _MIRROR if mirrored else to_mm)
    faces = diagnosis.weld[scan.faces][~diagnosis.degenerate_faces & ~diagnosis.repeated_faces]
    turn = turned_triangles(vertices, faces, _outward(template, known, vertices, faces))
    if arranged is not None and arranged.exchange is not None and landmarks is not None:
        # A scan that was reflected with its landmarks is inside out, if nobody turned it.
        if turn.mean() > _INSIDE_OUT:
            mirrored, vertices = True, vertices * _MIRROR
            landmarks = _reflected(reordered(landmarks, arranged.exchange))
            known = start or similarity_from_landmarks(placed, landmarks)
            turn = ~turn
        else:
            notes.append(exchanged_sides(landmarks))
    if mirrored:
        notes.append(
            "the landmarks say that this scan is a mirror image: it was reflected at x = 0 for "
            "the fit and the result reflected back. Check the scanner's export."
        )
    expected = arranged is not None and arranged.mirrored
    notes += _said_of_winding(turn != expected)
    faces = np.where(turn[:, None], faces[:, ::-1], faces)
    if landmarks is not None:
        landmarks, said = settle_landmarks(landmarks, vertices, faces)
        notes += said
        if start is None:
            known = similarity_from_landmarks(placed, landmarks)
    if known is not None and landmarks is not None and known.rotation[2, 2] < _TILTED_COSINE:
        notes.append("the scan does not look along +z: turned by its landmarks.")
    if template is not None and known is not None and start is None and not fit_scale:
        marks = template.mesh.vertices if landmarks is None else placed[landmarks.present]
        known = with_scale(known, template_mm, marks.mean(axis=0))
    return PreparedScan(
        vertices,
        np.ascontiguousarray(faces),
        landmarks,
        known or Similarity(),
        mirrored,
        scan.name,
        diagnosis.unit_guess,
        to_mm,
        tuple(notes),
        diagnosis.unit_notes,
    )


def _require_landmarks(landmarks: object) -> None:
    require_type(landmarks, Landmarks, "landmarks", way_out=_LANDMARKS, error=LandmarkError)


def _reflected(landmarks: Landmarks) -> Landmarks:
    return dataclasses.replace(landmarks, points=landmarks.points * _MIRROR)


def _outward(
    template: Template | None, pose: Similarity | None, vertices: FloatArray, faces: IndexArray
) -> FloatArray:
    """Return (F, 3) which way is out at each triangle, by the template if its pose is known."""
    if template is None or pose is None:
        return away_from_centre(vertices, faces)
    mesh = template.mesh
    some = slice(None, None, 1 + len(mesh.vertices) // _TEMPLATE_SAMPLES)
    normals = vertex_normals(mesh.vertices, mesh.faces, weighting="area")[some]
    body = pose.apply(mesh.vertices[some])
    return outward_beside(vertices, faces, body, pose.apply_vectors(normals))


def _said_of_winding(turn: BoolArray) -> list[str]:
    """Return a sentence about the triangles that face the wrong way, if there are any."""
    count = int(turn.sum())
    if count == 0:
        return []
    if count > _INSIDE_OUT * len(turn):
        return ["the scan's triangles face inwards: turned over for the fit."]
    return [
        f"{count} of {len(turn)} triangles face the other way than the surface around them: "
        "turned over for the fit."
    ]


def with_scale(similarity: Similarity, scale: float, pivot: FloatArray) -> Similarity:
    """Return the similarity of another scale that takes `pivot` to the same place."""
    rotation = similarity.rotation
    return Similarity(scale, rotation, similarity.apply(pivot) - scale * rotation @ pivot)
