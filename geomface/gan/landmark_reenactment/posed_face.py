"""A face whose landmarks can be turned and moved: the 3D model's, fitted to one picture."""

import copy
import dataclasses
from collections.abc import Callable

import numpy as np

from geomface.arrays import FloatArray
from geomface.errors import LandmarkError, SettingsError
from geomface.fitting.image_fitter import ImageFitter
from geomface.fitting.landmarks_2d import fit_landmarks_2d
from geomface.fitting.linear_face import LinearFace
from geomface.fitting.results import ImageLandmarkFit
from geomface.fitting.settings import ImageFitSettings
from geomface.gan.landmark_reenactment.tracks import Track
from geomface.mesh.rotation import around_z
from geomface.ranges import require_number
from geomface.rendering.camera import WeakPerspective, pose_angles, view_rotation
from geomface.statistics import MorphableModel
from geomface.statistics.muscle_groups import without_side
from geomface.synthesis.expression_recipes import EXPRESSION_RECIPES, recipe_weights

_RANGES = {"yaw": "[-90, 90]", "pitch": "[-90, 90]", "roll": "[-180, 180]"}
"""Degrees between which the face is on this side of the head."""
AXES = tuple(_RANGES)
_NEXT, _RESTS = 4, 0.01
"""Steps after which the jaw's points of a further frame keep their places on the skin, and pixels
of motion at rest: landmarks differ by 0.002 pixels of 64 at most from those of a whole fit."""


@dataclasses.dataclass(frozen=True, eq=False)
class PosedFace:
    """The landmarks of one person in space, as one picture shows them.

    p(w, R) = shift + scale flip (R (x(a, w) + d - centre)),   d = R_0^T (y - p(w_0, R_0)) / scale

    Parameters
    ----------
    marks : the model at its landmarks
    shape : (K,) coefficients a of the person
    expression : (X,) coefficients w_0 in the picture
    camera : of the picture
    own : (68, 3) mm, d: what the model does not explain of the picture's landmarks y; it lies in
        the plane of the picture and turns with the face

    Convention
    ----------
    Angles are those of `pose_angles`: degrees of the head against the camera.
    """

    marks: LinearFace
    shape: FloatArray
    expression: FloatArray
    camera: WeakPerspective
    own: FloatArray

    @property
    def angles(self) -> FloatArray:
        """Yaw, pitch and roll (3,) in the picture, degrees."""
        return np.array(pose_angles(self.camera.rotation))

    def landmarks(self, angles: FloatArray, expression: FloatArray) -> FloatArray:
        """Return where the landmarks (T, 68, 2) lie in the picture at other poses and expressions.

        The face turns about its middle, and keeps place and size.

        Parameters
        ----------
        angles : (T, 3) yaw, pitch and roll, degrees
        expression : (T, X) coefficients
        """
        rows = []
        for turn, weights in zip(angles, expression, strict=True):
            places = self.marks.points(np.concatenate([self.shape, weights])) + self.own
            camera = dataclasses.replace(self.camera, rotation=head_turn(*turn))
            rows.append(camera.project(places))
        return np.array(rows).reshape(-1, len(self.own), 2)


def pose_face(
    points: FloatArray, image_size: tuple[int, int], fitter: ImageFitter, name: str = "landmarks"
) -> PosedFace:
    """Fit the model to the landmarks of a picture.

    Parameters
    ----------
    points : (68, 2) pixels, NaN where missing
    image_size : (height, width)
    fitter : of a model with the 68 landmarks
    name : of the picture, for messages

    Raises
    ------
    LandmarkError : landmarks that are no face's
    """
    fit = fit_landmarks_2d(fitter, points, image_size, name=name)
    return _posed(fit, points, fitter)


def follow(
    face: PosedFace,
    track: Track,
    fitter: ImageFitter,
    on_frame: Callable[[int, int, str], None] | None = None,
) -> FloatArray:
    """Return where the landmarks (T, 68, 2) of a face lie when it does what another one does.

    The model is fitted to each frame of the track; the face keeps its shape, place and size, and
    takes pose and expression. What the jaw's points stand for, and how far landmarks are off, is
    found in the first frame and holds for all.

    Parameters
    ----------
    face : whose landmarks are wanted
    track : of somebody else
    fitter : as for `pose_face`
    on_frame : called with (frames done, frames in all, name)

    Raises
    ------
    LandmarkError : a frame whose landmarks are no face's; the message names it
    """
    angles, expression = [], []
    quick, sigma = fitter, None
    for done, (points, name) in enumerate(zip(track.points, track.names, strict=True), 1):
        # The camera of a crop is far away: what counts is that the middle is not far off.
        size = (int(points[:, 1].max()) + 1, int(points[:, 0].max()) + 1)
        fit = fit_landmarks_2d(quick, points, size, sigma_px=sigma, name=name)
        if sigma is None:
            sigma = fit.sigma_px
            quick = copy.copy(fitter)
            quick.settings = dataclasses.replace(
                fitter.settings, contour=fit.contour, contour_steps=_NEXT, stop_motion_px=_RESTS
            )
        angles.append(pose_angles(fit.camera.rotation))
        expression.append(fit.expression)
        if on_frame is not None:
            on_frame(done, len(track), name)
    return face.landmarks(np.array(angles), np.array(expression))


def moved(
    face: PosedFace,
    frames: int,
    *,
    turn: tuple[str, float, float] | None = None,
    frontal: bool = False,
    expression: FloatArray | None = None,
) -> FloatArray:
    """Return landmarks (T, 68, 2) of a face that turns, or takes another expression, or both.

    Parameters
    ----------
    frames : T; one frame is the end of the movement
    turn : yaw, pitch or roll, and its first and last angle, degrees; the others stay
    frontal : turn to the camera, from the pose of the picture
    expression : (X,) that the face comes to, from that of the picture

    Raises
    ------
    SettingsError : nothing that moves, two that move the head, or an angle that shows no face
    """
    if turn is not None and frontal:
        raise SettingsError("turn and frontal both move the head: give one.")
    if turn is None and not frontal and expression is None:
        raise SettingsError("expected a turn, frontal or an expression, got nothing that moves.")
    share = np.linspace(0.0, 1.0, frames)[:, None] if frames > 1 else np.ones((1, 1))
    first, last = face.angles.copy(), face.angles.copy()
    if turn is not None:
        axis, start, end = turn
        if axis not in AXES:
            raise SettingsError(f"turn: expected one of {', '.join(AXES)}, got {axis!r}.")
        for angle in (start, end):
            require_number(f"turn, {axis}", angle, _RANGES[axis])
        first[AXES.index(axis)], last[AXES.index(axis)] = start, end
    if frontal:
        last = np.zeros(3)
    wanted = face.expression if expression is None else expression
    return face.landmarks(
        first + share * (last - first), face.expression + share * (wanted - face.expression)
    )


def named_expression(model: MorphableModel, name: str) -> FloatArray:
    """Return the weights (X,) of one of the seven expressions, or of a blendshape, of a model.

    Parameters
    ----------
    name : one of `EXPRESSION_RECIPES`, of the model's blendshapes, or one without its side

    Raises
    ------
    SettingsError : another name, or a model without them
    """
    names = model.blendshapes.names
    if name in EXPRESSION_RECIPES:
        return recipe_weights(model)[list(EXPRESSION_RECIPES).index(name)]
    weights = np.array([float(name in (own, without_side(own))) for own in names])
    if not weights.any():
        raise SettingsError(
            f"expression: expected one of {', '.join(EXPRESSION_RECIPES)}, or a blendshape of "
            f"{model.name} ({', '.join(names) or 'it has none'}), got {name!r}."
        )
    return weights


def head_turn(yaw: float, pitch: float, roll: float) -> FloatArray:
    """Return the rotation (3, 3) with these angles, see `pose_angles`."""
    return around_z(roll) @ view_rotation(yaw, pitch)


def face_fitter(model: MorphableModel) -> ImageFitter:
    """Return what fits a model to landmarks.

    Raises
    ------
    LandmarkError : the model has no multi-pie-68 landmarks
    """
    fitter = ImageFitter(model, ImageFitSettings())
    if len(fitter.embedding) != 68:
        raise LandmarkError(
            f"{model.name}: expected the 68 landmarks of multi-pie-68, it has "
            f"{len(fitter.embedding)}. Give another model."
        )
    return fitter


def _posed(fit: ImageLandmarkFit, points: FloatArray, fitter: ImageFitter) -> PosedFace:
    camera = fit.camera
    if not isinstance(camera, WeakPerspective):
        raise SettingsError("camera: expected a weak perspective to turn a face.")
    marks, split = fitter.marks, len(fit.shape)
    coefficients = np.concatenate([fit.shape, fit.expression])
    gap = points - camera.project(marks.points(coefficients))
    gap[~np.isfinite(gap).all(axis=1)] = 0.0
    aside = np.column_stack([gap * [1.0, -1.0], np.zeros(len(gap))]) / camera.scale
    return PosedFace(marks, coefficients[:split], fit.expression, camera, aside @ camera.rotation)
