"""A template out of any mesh of a face: checks, pose, unit, landmarks, regions, uv."""

import dataclasses
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from geomface.arrays import FloatArray, require_kind
from geomface.errors import LandmarkError, MeshError
from geomface.mesh import LandmarkEmbedding, Landmarks, Mesh, Similarity, Template
from geomface.mesh.closest import ClosestPointIndex
from geomface.mesh.multi_pie import INNER_FACE, SCHEME
from geomface.mesh.template import cut_template
from geomface.mesh.template_checks import (
    TemplateCheck,
    check_topology,
    largest_part,
    require_passed,
)

if TYPE_CHECKING:
    from geomface.registration import RegistrationResult

UvChoice = Literal["auto", "unwrap"]
# A face that looks farther from +z than this, or leans as far, is turned.
_UPRIGHT_DEGREES = 12.0
_OFF_MM, _FAR_OFF_MM = 4.0, 10.0
_CLOSE_MM = 3.0
STEPS = 4


@dataclasses.dataclass(frozen=True, eq=False)
class OwnTemplate:
    """A template that was made, and what there is to know of it.

    Parameters
    ----------
    template : in millimetres, looking along +z, with landmarks, regions and one uv a vertex
    checks : everything that was looked at; all have passed
    own_uv : the uv is the one that the mesh brought
    figures : vertices, triangles, unit, fit of the built-in face, distortion of the uv
    notes : what was decided, one sentence each
    """

    template: Template
    checks: tuple[TemplateCheck, ...]
    own_uv: bool
    figures: dict[str, Any]
    notes: tuple[str, ...]


def make_template(
    mesh: Mesh,
    landmarks: Landmarks | LandmarkEmbedding | None = None,
    *,
    largest: bool = False,
    uv: UvChoice = "auto",
    on_progress: Callable[[int, int, str], None] | None = None,
) -> OwnTemplate:
    """Make a template of a mesh of a face, of any topology, unit and pose.

    The built-in face is registered to the mesh. What it has there, landmarks and regions, is
    carried over to the nearest points of the mesh; its pose and size tell the mesh's.

    Parameters
    ----------
    mesh : a clean mesh of one neutral face: one manifold part with an outline, wound alike
    landmarks : picked on the mesh, missing ones NaN; or its template landmarks. None has the 68
        found and carried over. Of multi-pie-68 those that are missing are carried over.
    largest : leave out all but the largest part, instead of refusing a mesh of several
    uv : auto keeps a uv that is one map of the whole surface and makes one otherwise, unwrap makes
        one
    on_progress : called with (steps done, steps, next step)

    Raises
    ------
    MeshError : what the faces tell against it, all in one message; or a mirror image.
    LandmarkError : no face was found on the mesh, or landmarks that do not lie on it.
    ParametrizationError : its outline cannot go to a square.

    Convention
    ----------
    Vertices and faces keep their order. Millimetres, x to the subject's left, y up, z out of the
    face: a mesh that leans by more than 12 degrees is turned, others stay where they are.

    Example
    -------
    >>> import numpy as np
    >>> import geomface as gf
    >>> face = gf.load_builtin_face().mesh
    >>> mine = gf.Mesh(0.1 * face.vertices, face.faces, unit="cm")  # of triangles, no landmarks
    >>> made = gf.make_template(mine)
    >>> made.template.mesh.unit, len(made.template.landmarks), "nose" in made.template.regions
    ('mm', 68, True)
    """
    from geomface.faces.builtin import load_builtin_face
    from geomface.pipeline.carried_template import carried_regions

    require_kind(mesh, Mesh, "make_template", where="`.mesh`")
    tell = on_progress or (lambda done, total, what: None)
    tell(0, STEPS, "checks")
    mesh, landmarks, notes = _one_part(mesh, landmarks, largest)
    checks = check_topology(mesh)
    require_passed(mesh.name, checks)
    tell(1, STEPS, "landmarks")
    builtin = load_builtin_face().template
    picked, found = _picked(builtin, mesh, landmarks)
    notes += found
    fit = _fitted(builtin, mesh, landmarks)
    notes += list(fit.notes)
    posed, fitted, move, said = _posed(mesh, fit)
    notes += said
    posed, said = _outward(posed, builtin, fitted)
    notes += said
    embedding, seen, said = _embedded(builtin, posed, fitted, picked, landmarks, move)
    notes += said
    tell(2, STEPS, "regions and uv")
    regions = carried_regions(builtin, fitted, posed)
    template = Template(posed, embedding, regions)
    template, own_uv, distortion, said = _with_uv(template, mesh, uv)
    notes += said
    tell(3, STEPS, "a trial")
    checks += (*_place_checks(fit, mesh, template), *seen, _trial(template))
    require_passed(mesh.name, checks)
    tell(STEPS, STEPS, "")
    figures = {
        "vertices": len(posed.vertices),
        "triangles": len(posed.faces),
        "quads": 0 if posed.quads is None else len(posed.quads),
        "topology_id": posed.topology_id,
        "unit": "mm",
        "given_unit": fit.scan_unit,
        "given_unit_mm": fit.scan_unit_mm,
        "given_to_template": {
            "scale": fit.scan_unit_mm,
            "rotation": move.rotation,
            "translation": move.translation,
        },
        "residual_mm": fit.residual_mm,
        "landmarks_picked": 0 if landmarks is None else int(_count_picked(landmarks)),
        "regions": {name: len(ids) for name, ids in regions.items()},
        "uv": "own" if own_uv else "made",
        "distortion": distortion,
    }
    return OwnTemplate(template, checks, own_uv, figures, tuple(dict.fromkeys(notes)))


Given = Landmarks | LandmarkEmbedding | None


def _one_part(mesh: Mesh, landmarks: Given, largest: bool) -> tuple[Mesh, Given, list[str]]:
    """Return the mesh without texture, on wish its largest part; landmarks of vertices follow."""
    mesh = mesh.replace(texture=None)
    if not largest:
        return mesh, landmarks, []
    rows = largest_part(mesh)
    left_out = len(mesh.vertices) - len(rows)
    if not left_out:
        return mesh, landmarks, []
    marks = landmarks if isinstance(landmarks, LandmarkEmbedding) else None
    cut = cut_template(Template(mesh, marks), rows, mesh.name)
    if marks is not None:
        if cut.landmarks is None:
            raise LandmarkError(
                f"{mesh.name}: some landmarks lie on parts that --largest-part leaves out. Pick "
                "them on the largest part."
            )
        landmarks = cut.landmarks
    note = f"{left_out:,} vertices of smaller parts were left out; the others moved up."
    return cut.mesh, landmarks, [note]


def _count_picked(landmarks: Landmarks | LandmarkEmbedding) -> int:
    return int(landmarks.present.sum()) if isinstance(landmarks, Landmarks) else len(landmarks)


def _picked(builtin: Template, mesh: Mesh, landmarks: Given) -> tuple[FloatArray | None, list[str]]:
    """Return picked points (L, 3) in millimetres where the fit will be, NaN for missing ones."""
    from geomface.mesh.units import landmarks_onto, scan_unit
    from geomface.registration.prepare import prepare_scan

    if not isinstance(landmarks, Landmarks):
        return None, []
    if landmarks.scheme == SCHEME:
        given = prepare_scan(mesh, builtin, landmarks)
        if given.mirrored or given.landmarks is None:
            raise MeshError(
                f"{mesh.name}: the landmarks say that this mesh is a mirror image. Mirror it in "
                "the modelling program, or exchange left and right of the landmarks (the "
                "subject's)."
            )
        return given.landmarks.points, []
    if not landmarks.present.all():
        raise LandmarkError(
            f"{landmarks.name}: {int((~landmarks.present).sum())} of scheme {landmarks.scheme!r} "
            f"are missing; only those of {SCHEME} can be carried over. Pick all."
        )
    placed, mesh, notes = landmarks_onto(landmarks, mesh)
    return placed.points * scan_unit(mesh).factor, list(notes)


def _fitted(builtin: Template, mesh: Mesh, landmarks: Given) -> "RegistrationResult":
    from geomface.pipeline.carried_template import register_builtin

    if isinstance(landmarks, LandmarkEmbedding):
        points = landmarks.positions(mesh.vertices)
        unit = None if mesh.unit_source == "assumed" else mesh.unit
        landmarks = Landmarks(points, landmarks.scheme, unit=unit or "mm", name="its landmarks")
    if landmarks is not None and landmarks.scheme != SCHEME:
        landmarks = None
    return register_builtin(builtin, mesh, landmarks)


def _posed(mesh: Mesh, fit: "RegistrationResult") -> tuple[Mesh, FloatArray, Similarity, list[str]]:
    """Return mesh and fitted face in millimetres and upright, and how millimetres got there."""
    rotation = fit.similarity.rotation
    degrees = float(np.degrees(np.arccos(np.clip((np.trace(rotation) - 1) / 2, -1, 1))))
    move, notes = Similarity(), []
    if degrees > _UPRIGHT_DEGREES:
        move = Similarity(1.0, rotation.T, -(rotation.T @ fit.similarity.translation))
        notes.append(
            f"The mesh was turned by {degrees:.0f} degrees, to look along +z with y up; "
            "template.json tells how."
        )
    vertices = move.apply(mesh.vertices * fit.scan_unit_mm)
    # Without uv, which is held against the mesh that brought it.
    posed = mesh.replace(vertices=vertices, unit="mm", uv=None, uv_faces=None)
    return posed, move.apply(fit.mesh.vertices), move, notes


def _outward(mesh: Mesh, builtin: Template, fitted: FloatArray) -> tuple[Mesh, list[str]]:
    """Return the mesh wound counter-clockwise as seen from outside."""
    from geomface.mesh.normals import vertex_normals
    from geomface.mesh.winding import outward_beside, turned_triangles

    normals = vertex_normals(fitted, builtin.mesh.faces)
    outward = outward_beside(mesh.vertices, mesh.faces, fitted, normals)
    if turned_triangles(mesh.vertices, mesh.faces, outward).mean() < 0.5:
        return mesh, []
    note = "All triangles faced inwards: every face was turned over, in its place."
    if mesh.quads is not None:
        return mesh.replace(faces=None, quads=mesh.quads[:, [0, 3, 2, 1]]), [note]
    return mesh.replace(faces=mesh.faces[:, [0, 2, 1]]), [note]


def _embedded(
    builtin: Template,
    mesh: Mesh,
    fitted: FloatArray,
    picked: FloatArray | None,
    landmarks: Given,
    move: Similarity,
) -> tuple[LandmarkEmbedding, tuple[TemplateCheck, ...], list[str]]:
    """Return where the landmarks lie on the mesh, whether they do, and what was done."""
    from geomface.pipeline.carried_template import carried_landmarks

    if isinstance(landmarks, LandmarkEmbedding):
        check = TemplateCheck("landmarks", True, f"{len(landmarks)} landmarks as given.")
        return landmarks, (check,), []
    if picked is not None:
        picked = move.apply(picked)
    scheme = SCHEME if landmarks is None else landmarks.scheme
    if scheme == SCHEME:
        marks = carried_landmarks(builtin, fitted, picked)
        points, chosen = marks.points, marks.picked
    else:
        points = np.zeros((0, 3)) if picked is None else picked
        chosen = np.ones(len(points), bool)
    found = ClosestPointIndex(mesh).query(points)
    embedding = LandmarkEmbedding(mesh.faces[found.faces], found.barycentric, scheme)
    notes = []
    if not chosen.all():
        notes.append(
            f"{int((~chosen).sum())} of {len(points)} landmarks were carried over from the "
            "built-in face: look at them on the page."
        )
    return embedding, _landmark_checks(found.distances, scheme), notes


def _landmark_checks(distances: FloatArray, scheme: str) -> tuple[TemplateCheck, ...]:
    off = np.flatnonzero(distances > _OFF_MM)
    worst = float(distances.max(initial=0.0))
    if len(off) == 0:
        sentence = f"{len(distances)} landmarks, {worst:.1f} mm or less from the surface."
        return (TemplateCheck("landmarks", True, sentence),)
    named = ", ".join(f"{place} ({distances[place]:.0f} mm)" for place in off[:8])
    far = distances > _FAR_OFF_MM
    wrong = far.any() if scheme != SCHEME else far[INNER_FACE].any()
    return (
        TemplateCheck(
            "landmarks",
            not wrong,
            f"Landmarks beside the surface: {named}; counted from 0. "
            + (
                "Pick them on the mesh, or take a mesh that reaches so far."
                if wrong
                else "The mesh ends there: they were put on its rim."
            ),
        ),
    )


def _with_uv(
    template: Template, given: Mesh, choice: UvChoice
) -> tuple[Template, bool, dict[str, Any], list[str]]:
    """Return the template with uv, whether that is its own, its distortion, and what was done."""
    from geomface.geometry_image.given_uv import given_uv
    from geomface.mesh.mirror import mirror_map
    from geomface.parametrization import unwrap
    from geomface.parametrization.distortion import measure_distortion

    mesh = template.mesh
    turned = not np.array_equal(mesh.faces, given.faces)
    if choice == "auto" and given.uv is not None:
        # Turned over with its faces, a uv that was clockwise runs the other way round.
        faces = None if given.uv_faces is None else given.uv_faces
        source = given.replace(faces=given.faces, quads=None)
        if turned and faces is not None:
            source = source.replace(faces=given.faces[:, ::-1], uv_faces=faces[:, ::-1])
        uv, reason = given_uv(source)
        if uv is not None:
            mapped = mesh.replace(uv=uv, uv_faces=mesh.faces)
            report = measure_distortion(
                mesh.vertices, mesh.faces, uv, regions=template.regions, mirror=mirror_map(mesh)
            )
            kept = dataclasses.replace(template, mesh=mapped)
            return kept, True, report.as_dict(), ["The mesh's own uv was kept."]
        note = f"The mesh's own uv {reason}: it was unwrapped anew."
    else:
        note = "A uv was made: the surface unwrapped to the unit square."
    result = unwrap(template)
    made = dataclasses.replace(template, mesh=result.mesh)
    return made, False, result.report.as_dict(), [note, *result.report.notes]


def _place_checks(
    fit: "RegistrationResult", given: Mesh, template: Template
) -> tuple[TemplateCheck, ...]:
    """Return what is known of unit, pose and likeness to a face."""
    said = "said" if given.unit_source != "assumed" else "found by its size"
    size = float(np.ptp(template.mesh.vertices[:, 1]))
    median = fit.residual_mm["median"]
    return (
        TemplateCheck(
            "unit",
            True,
            f"{fit.scan_unit} ({said}), written in millimetres: {size:.0f} mm high.",
        ),
        TemplateCheck("pose", True, "Looks along +z, y up, x to the subject's left."),
        TemplateCheck(
            "a face",
            median < _CLOSE_MM,
            f"The built-in face lies on it to {median:.2f} mm (median; 95 %: "
            f"{fit.residual_mm['p95']:.2f} mm)."
            + ("" if median < _CLOSE_MM else " Is it a face? Give --landmarks."),
        ),
    )


def _trial(template: Template) -> TemplateCheck:
    """Set up a registration with it, as every scan will."""
    from geomface.registration import NonRigidRegistration

    seen = float((NonRigidRegistration(template).exposed > 0).mean())
    return TemplateCheck(
        "registration",
        True,
        f"The registration takes it; a scanner in front sees {100 * seen:.0f} % of its vertices.",
    )
