"""Fit morphable models: to scans, to landmarks in space, to landmarks in an image."""

from geomface.fitting.image_fitter import ImageFitter
from geomface.fitting.landmarks_2d import fit_landmarks_2d
from geomface.fitting.landmarks_3d import fit_landmarks_3d
from geomface.fitting.model_registration import (
    ModelRegistration,
    register_with_model,
    shape_prior,
)
from geomface.fitting.results import ImageLandmarkFit, LandmarkFit, ScanFit, ScanFitStep
from geomface.fitting.scan import fit_scan
from geomface.fitting.scan_fitter import ScanFitter
from geomface.fitting.settings import (
    ImageFitSettings,
    LandmarkFitSettings,
    ModelRegistrationSettings,
    ScanFitSettings,
)
from geomface.rendering.camera import Perspective, WeakPerspective, pose_angles

__all__ = [
    "ImageFitSettings",
    "ImageFitter",
    "ImageLandmarkFit",
    "LandmarkFit",
    "LandmarkFitSettings",
    "ModelRegistration",
    "ModelRegistrationSettings",
    "Perspective",
    "ScanFit",
    "ScanFitSettings",
    "ScanFitStep",
    "ScanFitter",
    "WeakPerspective",
    "fit_landmarks_2d",
    "fit_landmarks_3d",
    "fit_scan",
    "pose_angles",
    "register_with_model",
    "shape_prior",
]
