"""Is the fitted face a face? A small distance to the scan does not tell: a template melts onto
anything. Its relief does, and how far it had to turn and bend for it."""

import dataclasses
from typing import TYPE_CHECKING, Any

import numpy as np

from geomface.arrays import BoolArray, FloatArray
from geomface.errors import FailedRegistrationError
from geomface.mesh import fit_similarity
from geomface.mesh.normals import vertex_normals
from geomface.registration.prior import ShapePrior, pose_modes
from geomface.registration.turned_face import correlation

if TYPE_CHECKING:
    from geomface.registration.fit_state import RegistrationStep
    from geomface.registration.nonrigid import NonRigidRegistration

# Chosen on three model families laid on one another: 84 right fits (open mouths, halves, holes,
# closed heads) end at 32 degrees and 25 standard deviations, 66 fits that are 16 mm off and more
# begin at 43 degrees. Of 30 that are 6 to 16 mm off a third is found out; a face slid by 1 cm or
# rolled by 30 degrees may look like a face. On new people the gap will be narrower.
_LARGEST_DISTORTION = 38.0
_LARGEST_DISTANCE = 28.0
# Chosen on another sample: 27 right fits of other faces than these 84 end at 0.99 in the root of
# the squared shares of both limits.
_LARGEST_OF_BOTH = 1.08
# Upside down a face lies near both limits, simulated scans of the built-in face from 0.97 of them
# on. The relief tells: 48 right fits (built-in, ICT, MakeHuman, james, a third missing) end at 0.55
# (0.48 when half of each is left out), as many that are upside down begin at 0.36.
_LEAST_UPRIGHT = 0.42
# Skin of smooth cheeks still slides by up to 0.8 mm in right fits of closed heads.
_LARGEST_MOTION_MM = 1.5
_LEAST_MATCHED = 0.2
_MOST_FLIPPED = 0.005
_NOSE_BASE = 33
_MODEL_NOISE_MM = 1.0
_MODEL_POSE_MM = 50.0
_MODEL_SAMPLES = 800


@dataclasses.dataclass(frozen=True)
class Verification:
    """What tells a fitted face from a template that melted onto something else.

    Parameters
    ----------
    distortion : degrees, a / (c u): a the mean angle by which the normals turned away from the
        template's, c the correlation of the two reliefs (`Relief`), u that of the part above the
        mouth, which no expression opens
    model_distance : standard deviations of a face model, None without one
    upright : how much more its relief is like an upright face than like one upside down, see
        `TurnedFace`; None without 68 landmarks of the template
    matched : share of the visible template that met the scan
    motion_mm : mean motion of the vertices in the last step
    flipped : share of the triangles that are turned over
    reasons : why the result is no likely face, one phrase each; empty when it is one
    """

    distortion: float
    model_distance: float | None
    upright: float | None
    matched: float
    motion_mm: float
    flipped: float
    reasons: tuple[str, ...]


def verify_fit(
    solver: "NonRigidRegistration",
    vertices: FloatArray,
    matched: BoolArray,
    history: "tuple[RegistrationStep, ...]",
    flips: int,
    model: ShapePrior | None = None,
) -> Verification:
    """Judge a fit by what no melted template has.

    Parameters
    ----------
    vertices : (V, 3) float64, the fitted template in any pose and size
    matched : (V,) bool, vertices that a scanner could see and that met the scan
    history : one step a re-matching
    flips : triangles turned over
    model : a face model of this topology, if there is one
    """
    fitted = fit_similarity(vertices[matched], solver.rest[matched]).apply(vertices)
    last = [step for step in history if step.level == history[-1].level]
    motion, kept = last[-1].motion_mm, last[-1].kept_fraction
    distortion, upright = _relief_measures(solver, fitted, matched)
    distance = None if model is None else _model_distance(solver, model, fitted, matched)
    flipped = flips / len(solver.faces)
    reasons = []
    # A single step at the end is the user's choice: nothing had the time to come to rest.
    if len(last) > 2 and motion > _LARGEST_MOTION_MM:
        reasons.append(f"it still moved by {motion:.1f} mm in the last step")
    if kept < _LEAST_MATCHED:
        reasons.append(f"only {kept:.0%} of the template met the scan")
    if flipped > _MOST_FLIPPED:
        reasons.append(f"{flips} triangles are turned over")
    if upright is not None and upright < _LEAST_UPRIGHT:
        reasons.append(
            "its relief is hardly more like an upright face than like one upside down "
            f"({upright:.2f}, faces have at least {_LEAST_UPRIGHT:.2f})"
        )
    reasons += _shape_reasons(distortion, distance)
    return Verification(distortion, distance, upright, kept, motion, flipped, tuple(reasons))


def _shape_reasons(distortion: float, distance: float | None) -> list[str]:
    """Return why a template of this distortion, that far from the model, is no likely face."""
    reasons = []
    if distortion > _LARGEST_DISTORTION:
        reasons.append(
            f"the template is distorted by {min(distortion, 180.0):.0f} degrees where faces need "
            f"at most {_LARGEST_DISTORTION:.0f}"
        )
    if distance is None:
        return reasons
    if distance > _LARGEST_DISTANCE:
        reasons.append(
            f"the shape is {distance:.0f} standard deviations from a face, expected at most "
            f"{_LARGEST_DISTANCE:.0f}"
        )
    both = np.hypot(distortion / _LARGEST_DISTORTION, distance / _LARGEST_DISTANCE)
    if not reasons and both > _LARGEST_OF_BOTH:
        reasons.append(
            f"the template is distorted by {distortion:.0f} degrees and the shape is "
            f"{distance:.0f} standard deviations from a face: too much of both at once"
        )
    return reasons


def require_likely(
    name: str, reasons: tuple[str, ...], result: Any, *, landmarks_given: bool
) -> None:
    """Raise `FailedRegistrationError` with the likely causes when there are reasons.

    Parameters
    ----------
    name : of the scan
    reasons : why the fit is no likely face, one phrase each
    result : what the error holds
    landmarks_given : whether landmarks said where the face is
    """
    if not reasons:
        return
    cause, way_out = "the pose may be wrong", "Give landmarks that were measured on it"
    if landmarks_given:
        cause = "the landmarks may be wrong (order, left and right, unit, another scan's)"
        way_out = "Check the landmarks"
    raise FailedRegistrationError(
        f"{name}: the fit is no likely face: {'; '.join(reasons)}. Likely causes: {cause}, or the "
        f"scan shows no face or hardly any of it. {way_out}, or look at what came out "
        "(verify=False, --unverified).",
        result,
    )


def _relief_measures(
    solver: "NonRigidRegistration", fitted: FloatArray, matched: BoolArray
) -> tuple[float, float | None]:
    """Return the distortion, and how upright the face is."""
    normals = [vertex_normals(at, solver.faces, weighting="area") for at in (solver.rest, fitted)]
    weights = solver.bending.mass * matched
    cosines = np.clip(np.einsum("vc,vc->v", *normals), -1.0, 1.0)
    # The mean, not the mean square: lips of an open mouth and a beard turn far.
    angle = weights @ np.arccos(cosines) / weights.sum()
    heights = [
        solver.relief(at, normal) for at, normal in zip((solver.rest, fitted), normals, strict=True)
    ]
    upper = weights * _above_mouth(solver)
    parts = [weights, upper if upper.any() else weights]
    whole, above = (max(correlation(part, *heights), 1e-2) for part in parts)
    turned = solver.turned
    upright = None if turned is None else turned.upright(heights[0], heights[1], weights)
    return float(np.degrees(angle) / (whole * above)), upright


def _above_mouth(solver: "NonRigidRegistration") -> BoolArray:
    """Return the (V,) vertices no lower than the base of the nose; all without its landmark."""
    landmarks = solver.template.landmarks
    if landmarks is None or len(landmarks) != 68:
        return np.ones(len(solver.rest), bool)
    base = landmarks.positions(solver.rest)[_NOSE_BASE]
    return np.asarray(solver.rest[:, 1] >= base[1])


def _model_distance(
    solver: "NonRigidRegistration", model: ShapePrior, fitted: FloatArray, matched: BoolArray
) -> float:
    """Return |c| of the most probable coefficients of the model, pose and size left free."""
    rows = np.flatnonzero(matched)
    rows = rows[:: 1 + len(rows) // _MODEL_SAMPLES]
    mean = (model.mean - solver.centre) * solver.scale
    modes = model.modes[:, rows] * solver.scale
    pose = _MODEL_POSE_MM * pose_modes(mean)[:, rows]
    basis = np.concatenate([modes, pose]).reshape(len(modes) + len(pose), -1)
    system = basis @ basis.T / _MODEL_NOISE_MM**2 + np.eye(len(basis))
    right = basis @ (fitted[rows] - mean[rows]).ravel() / _MODEL_NOISE_MM**2
    return float(np.linalg.norm(np.linalg.solve(system, right)[: len(modes)]))
