"""Raw face scans in, one template topology out: UV, geometry images, textures, face models.

The main verbs are importable from here and are loaded at first use, so that `import geomface`
stays fast: the table below names the module that each one comes from.
"""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from geomface.errors import GeomfaceError
    from geomface.faces.builtin import load_builtin_face
    from geomface.faces.face_model import FaceModel
    from geomface.geometry_image import (
        GeometryImageDecoder,
        GeometryImageEncoder,
        bake_texture,
    )
    from geomface.mesh import LandmarkEmbedding, Landmarks, Mesh, Template
    from geomface.mesh.io import load_landmarks, load_mesh, load_template, save_landmarks, save_mesh
    from geomface.parametrization import UnwrapSettings, unwrap
    from geomface.pipeline import PipelineSettings, run_pipeline
    from geomface.registration import RegistrationResult, RegistrationSettings, register
    from geomface.rendering.picture import render_mesh
    from geomface.scans.simulate import ScanSettings, simulate_scan
    from geomface.statistics import MorphableModel, fit_pca, load_model, save_model

__version__ = "0.1.0"

_HOMES = {
    "GeomfaceError": "errors",
    "load_builtin_face": "faces.builtin",
    "FaceModel": "faces.face_model",
    "ScanSettings": "scans.simulate",
    "simulate_scan": "scans.simulate",
    "GeometryImageDecoder": "geometry_image",
    "GeometryImageEncoder": "geometry_image",
    "bake_texture": "geometry_image",
    "LandmarkEmbedding": "mesh",
    "Landmarks": "mesh",
    "Mesh": "mesh",
    "Template": "mesh",
    "load_landmarks": "mesh.io",
    "load_mesh": "mesh.io",
    "load_template": "mesh.io",
    "save_landmarks": "mesh.io",
    "save_mesh": "mesh.io",
    "UnwrapSettings": "parametrization",
    "unwrap": "parametrization",
    "PipelineSettings": "pipeline",
    "run_pipeline": "pipeline",
    "RegistrationResult": "registration",
    "RegistrationSettings": "registration",
    "register": "registration",
    "render_mesh": "rendering.picture",
    "MorphableModel": "statistics",
    "fit_pca": "statistics",
    "load_model": "statistics",
    "save_model": "statistics",
}

__all__ = [
    "FaceModel",
    "GeometryImageDecoder",
    "GeometryImageEncoder",
    "GeomfaceError",
    "LandmarkEmbedding",
    "Landmarks",
    "Mesh",
    "MorphableModel",
    "PipelineSettings",
    "RegistrationResult",
    "RegistrationSettings",
    "ScanSettings",
    "Template",
    "UnwrapSettings",
    "__version__",
    "bake_texture",
    "fit_pca",
    "load_builtin_face",
    "load_landmarks",
    "load_mesh",
    "load_model",
    "load_template",
    "register",
    "render_mesh",
    "run_pipeline",
    "save_landmarks",
    "save_mesh",
    "save_model",
    "simulate_scan",
    "unwrap",
]


def __getattr__(name: str) -> Any:
    """Load a main verb from its room at first use (PEP 562)."""
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module 'geomface' has no attribute {name!r}")
    value = getattr(importlib.import_module(f"geomface.{home}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
