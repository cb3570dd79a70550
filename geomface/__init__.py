"""Raw face scans in, one template topology out: UV, geometry images, textures, face models.

Everything that a notebook needs is importable from here and loaded at first use, so that
`import geomface` stays fast. Each name has an example in its docstring: `help(geomface.register)`.
"""

import sys
from typing import TYPE_CHECKING

from geomface.lazy import attach

__version__ = "0.1.0"

if TYPE_CHECKING:
    from geomface.datasets.labelled_folder import load_labelled_faces as load_labelled_faces
    from geomface.datasets.labelled_folder import save_labelled_faces as save_labelled_faces
    from geomface.errors import GeomfaceError as GeomfaceError
    from geomface.faces.albedo import albedo_model as albedo_model
    from geomface.faces.albedo_code import sample_albedo_code as sample_albedo_code
    from geomface.faces.builtin import load_builtin_face as load_builtin_face
    from geomface.files import load_image as load_image
    from geomface.files import save_image as save_image
    from geomface.fitting import fit_landmarks_2d as fit_landmarks_2d
    from geomface.fitting import fit_landmarks_3d as fit_landmarks_3d
    from geomface.fitting.rendering import fit_images as fit_images
    from geomface.fitting.rendering.photograph_texture import bake_photograph as bake_photograph
    from geomface.fitting.rendering.sheet import fit_sheet as fit_sheet
    from geomface.gan.factored_geometry import fit_faces as fit_faces
    from geomface.gan.factored_geometry import load_factored as load_factored
    from geomface.gan.factored_geometry import transfer_expression as transfer_expression
    from geomface.gan.progressive_texture import load_generator as load_generator
    from geomface.gan.progressive_texture import sample_images as sample_images
    from geomface.gan.progressive_texture import textured_faces as textured_faces
    from geomface.geometry_image import GeometryImageDecoder as GeometryImageDecoder
    from geomface.geometry_image import GeometryImageEncoder as GeometryImageEncoder
    from geomface.geometry_image import bake_texture as bake_texture
    from geomface.landmarks import detect_landmarks as detect_landmarks
    from geomface.landmarks import detect_photograph_landmarks as detect_photograph_landmarks
    from geomface.landmarks.unaided import fit_scan as fit_scan
    from geomface.landmarks.unaided import register as register
    from geomface.landmarks.unaided_pictures import fit_image as fit_image
    from geomface.learning.masking import MaskedDiscriminator as MaskedDiscriminator
    from geomface.mesh import LandmarkEmbedding as LandmarkEmbedding
    from geomface.mesh import Landmarks as Landmarks
    from geomface.mesh import Mesh as Mesh
    from geomface.mesh import Template as Template
    from geomface.mesh.io import load_landmarks as load_landmarks
    from geomface.mesh.io import load_mesh as load_mesh
    from geomface.mesh.io import load_template as load_template
    from geomface.mesh.io import save_landmarks as save_landmarks
    from geomface.mesh.io import save_mesh as save_mesh
    from geomface.mesh.io import save_template as save_template
    from geomface.mesh.similarity import fit_similarity as fit_similarity
    from geomface.metrics import nearest_distances as nearest_distances
    from geomface.model_files import load_model as load_model
    from geomface.model_files import save_model as save_model
    from geomface.parametrization import UnwrapSettings as UnwrapSettings
    from geomface.parametrization import unwrap as unwrap
    from geomface.pipeline import PipelineSettings as PipelineSettings
    from geomface.pipeline import make_template as make_template
    from geomface.pipeline import run_pipeline as run_pipeline
    from geomface.recognition.alignment.warp import align_face as align_face
    from geomface.registration import RegistrationResult as RegistrationResult
    from geomface.registration import RegistrationSettings as RegistrationSettings
    from geomface.rendering import contact_sheet as contact_sheet
    from geomface.rendering import heat_colors as heat_colors
    from geomface.rendering.differentiable import Renderer as Renderer
    from geomface.rendering.differentiable import RenderSettings as RenderSettings
    from geomface.rendering.differentiable import SphericalHarmonicsLight as SphericalHarmonicsLight
    from geomface.rendering.differentiable import look_at_face as look_at_face
    from geomface.rendering.picture import render_mesh as render_mesh
    from geomface.report import write_report as write_report
    from geomface.report.factor_sheet import factor_sheet as factor_sheet
    from geomface.report.landmark_picture import landmark_picture as landmark_picture
    from geomface.report.model_figures import walk_sheet as walk_sheet
    from geomface.report.results import show as show
    from geomface.scans.simulate import ScanSettings as ScanSettings
    from geomface.scans.simulate import simulate_scan as simulate_scan
    from geomface.statistics import MorphableModel as MorphableModel
    from geomface.statistics import align_meshes as align_meshes
    from geomface.statistics import fit_pca as fit_pca
    from geomface.statistics import fit_texture_pca as fit_texture_pca
    from geomface.statistics.assignment import compare_assignments as compare_assignments
    from geomface.statistics.correlation import canonical_correlation as canonical_correlation
    from geomface.statistics.evaluation import compactness as compactness
    from geomface.statistics.evaluation import generalization_to as generalization_to
    from geomface.statistics.evaluation import specificity as specificity
    from geomface.synthesis import FaceImageSettings as FaceImageSettings
    from geomface.synthesis import FaceSampler as FaceSampler
    from geomface.synthesis import Gaussian as Gaussian
    from geomface.synthesis import LabelledFacesSettings as LabelledFacesSettings
    from geomface.synthesis import PoseSettings as PoseSettings
    from geomface.synthesis import draw_labelled_faces as draw_labelled_faces
else:
    __getattr__, __dir__, __all__ = attach(__name__, __file__)

if "IPython" in sys.modules:
    from geomface.notebook import show_in_notebooks

    show_in_notebooks()
