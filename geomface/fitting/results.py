"""What the fits return."""

import dataclasses

from geomface.arrays import BoolArray, FloatArray, ImageArray, IndexArray
from geomface.mesh import Mesh, Similarity
from geomface.rendering.camera import Camera


@dataclasses.dataclass(frozen=True)
class ScanFitStep:
    """One round: shape modes in use, robust scale (mm), kept share, mean motion (mm)."""

    modes: int
    scale_mm: float
    kept_fraction: float
    motion_mm: float


@dataclasses.dataclass(frozen=True, eq=False)
class ScanFit:
    """The model's face nearest to a scan, and how it went.

    Parameters
    ----------
    mesh : the face on the model's topology in the scan's pose and size, in millimetres
    shape : (K,) coefficients, standard deviations
    expression : (X,) coefficients, or blendshape weights in [0, 1]; empty without expressions
    covariance : (K + X, K + X) of both, pose unknown, bounds not considered
    similarity : model frame to the frame of `mesh`
    converged : the last rounds stopped by small motion
    iterations : number of re-matchings
    kept_fraction : share of the visible model area that found a match
    residual_mm : {"median", "p95"} distance from matched vertices to the scan surface
    landmark_mm : {"median", "max"} distance of the model's landmarks to the given ones, if any
    confidence : (V,) float64 in [0, 1]; 0 where no scan surface supports the vertex
    history : one `ScanFitStep` a round
    notes : what was accepted and what was done about it, one sentence each
    scan_unit, scan_unit_mm : as in `RegistrationResult`
    reasons : why the result is no likely face, one phrase each; empty when it is one
    """

    mesh: Mesh
    shape: FloatArray
    expression: FloatArray
    covariance: FloatArray
    similarity: Similarity
    converged: bool
    iterations: int
    kept_fraction: float
    residual_mm: dict[str, float]
    landmark_mm: dict[str, float]
    confidence: FloatArray
    history: tuple[ScanFitStep, ...]
    notes: tuple[str, ...]
    seconds: float
    scan_unit: str = "mm"
    scan_unit_mm: float = 1.0
    reasons: tuple[str, ...] = ()


@dataclasses.dataclass(frozen=True, eq=False)
class LandmarkFit:
    """The model's face for landmarks in space.

    Parameters
    ----------
    mesh : the face in the pose, scale and unit of the landmarks
    shape, expression : coefficients as in `ScanFit`
    covariance : (K + X, K + X) of both, pose unknown, bounds not considered
    similarity : model frame to landmark frame
    converged : the last step moved the landmarks by less than the stopping rule says
    iterations : number of steps
    residual_mm : {"median", "max"} distance of the fitted landmarks to the given ones
    weights : (L,) float64 in [0, 1], how far each landmark was believed; 0 a missing one
    notes : what was done about unusual input
    """

    mesh: Mesh
    shape: FloatArray
    expression: FloatArray
    covariance: FloatArray
    similarity: Similarity
    converged: bool
    iterations: int
    residual_mm: dict[str, float]
    weights: FloatArray
    notes: tuple[str, ...]
    seconds: float


@dataclasses.dataclass(frozen=True, eq=False)
class ImageLandmarkFit:
    """The model's face for landmarks in an image.

    Parameters
    ----------
    mesh : the face in the model's frame, mm
    shape, expression : coefficients as in `ScanFit`
    covariance : (K + X, K + X) of both, camera unknown, bounds not considered
    camera : projects points of the model's frame to pixels; `pose_angles(camera.rotation)` says
        yaw, pitch and roll
    contour : "slide" or "fixed", what the points of the jaw were taken for
    converged : the last step moved the landmarks by less than the stopping rule says
    iterations : number of steps
    pixels : (L, 2) float64, where the fitted landmarks lie
    residual_px : {"median", "max"} distance of the fitted landmarks to the given ones
    sigma_px : standard deviation that was taken for a usual landmark, pixels
    weights : (L,) float64 in [0, 1], how far each landmark was believed; 0 a missing one
    notes : what was done about unusual input
    """

    mesh: Mesh
    shape: FloatArray
    expression: FloatArray
    covariance: FloatArray
    camera: Camera
    contour: str
    converged: bool
    iterations: int
    pixels: FloatArray
    residual_px: dict[str, float]
    sigma_px: float
    weights: FloatArray
    notes: tuple[str, ...]
    seconds: float


@dataclasses.dataclass(frozen=True)
class PictureFitStep:
    """One size: pixels across the face, steps, pixels used, noise (sRGB), last motion (px)."""

    face_px: float
    steps: int
    pixels: int
    sigma: float
    motion_px: float


@dataclasses.dataclass(frozen=True, eq=False)
class ImageFit:
    """The model's face whose rendering looks most like a picture.

    Parameters
    ----------
    mesh : the face in the model's frame, mm, with colours (V, 3) without light
    shape : (K,) coefficients, standard deviations
    expression : (X,) coefficients, or blendshape weights in [0, 1]; empty without expressions
    albedo : (T,) coefficients of the colours, standard deviations
    model_colors : (V, 3) float32 sRGB of these coefficients; `mesh.colors` may leave the model
    light : (9, 3) float64 for a `SphericalHarmonicsLight` in the model's frame, equal channels
        for a grey picture
    camera : projects points of the model's frame to pixels; `pose_angles(camera.rotation)` says
        yaw, pitch and roll
    image_size : (height, width)
    used : (V,) bool, vertices of the region whose pixels counted
    seen : (V,) float32 in [0, 1], how far the picture shows the skin of each vertex: not turned
        away, not hidden, no hair, glasses or hand in front
    contour : "slide" or "fixed", what the points of the jaw were taken for
    converged : the last size stopped by small motion
    history : one `PictureFitStep` a size
    residual : {"median", "p95"} difference of the picture and the model, sRGB values of [0, 1]
    landmark_px : {"median", "max"} distance of the fitted landmarks to the given ones
    landmark_sigma_px : standard deviation that was taken for a usual landmark, pixels
    notes : what was done about unusual input
    eyes : (2, 4) spheres behind the lids (x, y, z, radius), mm; (0, 4) where they are not known
    mouth : (m,) the vertices around the open mouth, empty without one
    """

    mesh: Mesh
    shape: FloatArray
    expression: FloatArray
    albedo: FloatArray
    model_colors: ImageArray
    light: FloatArray
    camera: Camera
    image_size: tuple[int, int]
    used: BoolArray
    seen: FloatArray
    contour: str
    converged: bool
    history: tuple[PictureFitStep, ...]
    residual: dict[str, float]
    landmark_px: dict[str, float]
    landmark_sigma_px: float
    notes: tuple[str, ...]
    seconds: float
    eyes: FloatArray
    mouth: IndexArray


@dataclasses.dataclass(frozen=True, eq=False)
class PersonFit:
    """The one person whom several pictures show.

    Parameters
    ----------
    mesh : the neutral face in the model's frame, mm, with the colours that most pictures agree on
    shape : (K,) coefficients, standard deviations, the same in all pictures
    albedo : (T,) coefficients of the colours, the same in all pictures
    pictures : the fit of each, with its own camera, expression and light
    """

    mesh: Mesh
    shape: FloatArray
    albedo: FloatArray
    pictures: tuple[ImageFit, ...]
    seconds: float
