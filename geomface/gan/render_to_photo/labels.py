"""Whether labels survive a translation: landmarks, pose and light, read back from the pictures."""

import dataclasses

import numpy as np

from geomface.arrays import BoolArray, FloatArray, ImageArray
from geomface.errors import LandmarkError, SettingsError
from geomface.faces.builtin import load_builtin_face
from geomface.fitting.rendering import PictureFitSettings, PictureFitter, fit_image
from geomface.fitting.rendering.shading import lambert_basis
from geomface.gan.render_to_photo.truth import KnownRenders
from geomface.landmarks.photographs.result import PhotographFace
from geomface.mesh.normals import vertex_normals
from geomface.recognition.aligned.read_face import detector, main_face

REGION = "narrow_face"
"""Of the face, where its light is compared."""
FEWEST = 3
"""Fits that a correlation can be told of."""
_TO_FIT = np.diag([1.0, -1.0, -1.0])
"""Cameras of sets look along z with y down, those of fits against z with y up."""


@dataclasses.dataclass(frozen=True)
class LabelErrors:
    """How far what is read from pictures is from what they were drawn with.

    Parameters
    ----------
    found : share of the pictures whose face is found
    landmarks : mean error of the landmarks found, a share of the eye distance; None if none are
    fitted : share of the pictures that the fit of the model comes to terms with
    pose : mean angle between the head's rotation as fitted and as drawn, degrees
    light : mean over pictures of the relative difference of the shading of the face, one factor
        free, since a bright light and a light skin look alike
    light_told : correlation of that shading, less its mean over pictures, read and drawn: 1 where
        all of the light is told, 0 where nothing is
    """

    found: float
    landmarks: float | None
    fitted: float
    pose: float | None
    light: float | None
    light_told: float | None


@dataclasses.dataclass(frozen=True)
class ReadBack:
    """What survives of labels; the renders themselves tell how well it can be read at all.

    Parameters
    ----------
    pictures : how many
    renders, translated : errors
    landmark_ratio : error on translations over that on renders, where both faces are found
    pose_moved : mean angle between the rotations fitted to a render and to its translation
    light_moved : the same for light, as `LabelErrors.light`
    """

    pictures: int
    renders: LabelErrors
    translated: LabelErrors
    landmark_ratio: float | None
    pose_moved: float | None
    light_moved: float | None


@dataclasses.dataclass(frozen=True, eq=False)
class FacesRead:
    """What is read from N pictures; NaN where nothing is.

    Parameters
    ----------
    points : (N, 68, 2) pixels
    rotations : (N, 3, 3) of the head, as cameras of sets have them
    lights : (N, 9) spherical harmonics in the axes of the face, mean of the colours
    """

    points: FloatArray
    rotations: FloatArray
    lights: FloatArray


def read_back(renders: KnownRenders, translated: ImageArray) -> ReadBack:
    """Return how well landmarks, pose and light are read from renders and their translations.

    The landmark detector for photographs finds the face, and a fit of the built-in model by
    rendering, with the focal length that is known, tells pose and light.

    Parameters
    ----------
    renders : with what is known of them
    translated : (N, h, w, 3) float32 in [0, 1]
    """
    one, other = (read_faces(pictures, renders) for pictures in (renders.pictures, translated))
    both = _known(one.points) & _known(other.points)
    gaps = [_landmark_errors(read, renders)[both] for read in (one, other)]
    turned = _angles(one.rotations, other.rotations)
    lit = _shading_gap(_shading(one.lights), _shading(other.lights))
    return ReadBack(
        len(renders),
        label_errors(one, renders),
        label_errors(other, renders),
        float(gaps[1].mean() / gaps[0].mean()) if both.any() else None,
        _mean(turned),
        _mean(lit),
    )


def label_errors(read: FacesRead, truth: KnownRenders) -> LabelErrors:
    """Return how far what was read is from what was drawn."""
    drawn = np.stack([camera.rotation for camera in truth.cameras])
    told, true = _shading(read.lights), _shading(truth.lights.mean(axis=2))
    fitted = _known(read.lights)
    correlation = None
    if fitted.sum() >= FEWEST:
        sides = [side[fitted] - side[fitted].mean(axis=0) for side in (told, true)]
        strength = np.sqrt((sides[0] ** 2).sum() * (sides[1] ** 2).sum())
        correlation = float((sides[0] * sides[1]).sum() / max(strength, 1e-12))
    return LabelErrors(
        float(_known(read.points).mean()),
        _mean(_landmark_errors(read, truth)),
        float(fitted.mean()),
        _mean(_angles(read.rotations, drawn)),
        _mean(_shading_gap(told, true)),
        correlation,
    )


def read_faces(pictures: ImageArray, known: KnownRenders) -> FacesRead:
    """Return what the detector and the fit read from pictures (N, h, w, 3) float32 in [0, 1]."""
    count = len(pictures)
    read = FacesRead(
        np.full((count, 68, 2), np.nan), np.full((count, 3, 3), np.nan), np.full((count, 9), np.nan)
    )
    fitter = PictureFitter(load_builtin_face(), PictureFitSettings(extract_albedo=False))
    for number, picture in enumerate(pictures):
        face = _find(picture)
        if face is None:
            continue
        read.points[number] = face.points
        camera = known.cameras[number]
        try:
            fit = fit_image(
                picture,
                face.points,
                fitter,
                focal_px=None if camera.weak else camera.focal,
                confidence=face.confidence,
                name=known.names[number],
            )
        except (LandmarkError, SettingsError):  # no contrast, or points of no face
            continue
        read.rotations[number] = _TO_FIT @ fit.camera.rotation
        read.lights[number] = fit.light.mean(axis=1)
    return read


def _find(picture: ImageArray) -> PhotographFace | None:
    try:
        return main_face(detector().detect(picture))
    except LandmarkError:
        return None


def _landmark_errors(read: FacesRead, truth: KnownRenders) -> FloatArray:
    """Return (N,) mean errors over the landmarks, shares of the eye distance of the alignment.

    As seen, the distance of the eyes of a turned head would make small errors large.
    """
    eyes = truth.alignment.points[:2]
    distance = float(np.linalg.norm(eyes[1] - eyes[0]))
    return np.linalg.norm(read.points - truth.points, axis=2).mean(axis=1) / distance


def _angles(one: FloatArray, other: FloatArray) -> FloatArray:
    """Return the angles (N,) between rotations (N, 3, 3), degrees."""
    trace = np.einsum("nij,nij->n", one, other)
    return np.degrees(np.arccos(np.clip(0.5 * (trace - 1.0), -1.0, 1.0)))


def _shading(lights: FloatArray) -> FloatArray:
    """Return (N, V), what the mean face shows under lights (N, 9), over its mean."""
    model = load_builtin_face()
    normals = vertex_normals(model.mesh.vertices, model.mesh.faces)
    shown = lights @ lambert_basis(normals[model.template.regions[REGION]]).T
    return shown / shown.mean(axis=1, keepdims=True)


def _shading_gap(one: FloatArray, other: FloatArray) -> FloatArray:
    return np.sqrt(((one - other) ** 2).mean(axis=1))


def _known(values: FloatArray) -> BoolArray:
    return np.asarray(np.isfinite(values.reshape(len(values), -1)).all(axis=1))


def _mean(values: FloatArray) -> float | None:
    known = values[np.isfinite(values)]
    return float(known.mean()) if len(known) else None
