"""What a fit to a picture returns."""

import dataclasses

from geomface.arrays import BoolArray, FloatArray, ImageArray
from geomface.fitting.camera import Camera
from geomface.mesh import Mesh


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
    contour : "slide" or "fixed", what the points of the jaw were taken for
    converged : the last size stopped by small motion
    history : one `PictureFitStep` a size
    residual : {"median", "p95"} difference of the picture and the model, sRGB values of [0, 1]
    landmark_px : {"median", "max"} distance of the fitted landmarks to the given ones
    notes : what was done about unusual input
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
    contour: str
    converged: bool
    history: tuple[PictureFitStep, ...]
    residual: dict[str, float]
    landmark_px: dict[str, float]
    notes: tuple[str, ...]
    seconds: float
