"""What a worker keeps between the faces of a training set: solver, encoder, correspondences."""

import dataclasses
import functools
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from geomface.arrays import BoolArray, FloatArray, ImageArray
from geomface.pipeline.texture_settings import BUILTIN, TextureItemSettings

if TYPE_CHECKING:
    from scipy import sparse

    from geomface.geometry_image import GeometryImage, GeometryImageEncoder
    from geomface.mesh import Mesh, Template
    from geomface.registration import NonRigidRegistration
    from geomface.statistics import MorphableModel


@dataclasses.dataclass(frozen=True, eq=False)
class TextureTools:
    """Everything that depends on the template alone.

    Parameters
    ----------
    template : unwrapped
    solver : registers scans to it
    encoder : writes its geometry images
    carriers : matrices from models' vertices to the template's, by model
    """

    template: "Template"
    solver: "NonRigidRegistration"
    encoder: "GeometryImageEncoder"
    carriers: dict[str, "sparse.csr_array"] = dataclasses.field(default_factory=dict)

    def carry(self, name: str, model: "MorphableModel") -> "sparse.csr_array":
        """Return the matrix from the model's vertices to those of the template, made once."""
        if name not in self.carriers:
            self.carriers[name] = model_correspondence(self.solver, model)
        return self.carriers[name]

    def encode(self, posed: FloatArray, valid: BoolArray) -> "GeometryImage":
        """Return the geometry image of vertices in mm, with holes where the texture has some."""
        from geomface.mesh.diagnose import MILLIMETRES

        template = self.template.mesh
        image = self.encoder.encode(posed / MILLIMETRES[template.unit], mode="displacement")
        return dataclasses.replace(image, mask=image.mask & valid)

    def paint(self, colors: FloatArray) -> ImageArray:
        """Return the (S, S, 3) texture of vertex colours, without holes."""
        from geomface.geometry_image import dilate

        sampling = self.encoder.sampling
        texture = np.zeros((*sampling.mask.shape, 3), np.float32)
        texture[sampling.mask] = sampling.matrix @ colors
        return dilate(texture, sampling.mask)


@functools.lru_cache(maxsize=1)
def texture_tools(out: Path, template_key: str, settings: TextureItemSettings) -> TextureTools:
    """Read the set's template and factor what depends on it; another `template_key` renews it."""
    from geomface.datasets.registered_faces import load_run_template
    from geomface.geometry_image import GeometryImageEncoder
    from geomface.registration import NonRigidRegistration

    template = load_run_template(out)
    return TextureTools(
        template,
        NonRigidRegistration(template, settings.registration),
        GeometryImageEncoder(template.mesh, settings.size),
    )


@functools.lru_cache(maxsize=8)
def face_model(name: str) -> "MorphableModel":
    """Return the face model in a file, or the built-in one; a worker reads each once."""
    from geomface.model_files import load_model

    return load_model(None if name == BUILTIN else Path(name))


def model_correspondence(
    solver: "NonRigidRegistration", model: "MorphableModel"
) -> "sparse.csr_array":
    """Return the rows (V, V of the model) that read a model's vertex values at the template's.

    Another topology is registered once, on the mean faces: its people then need no registration
    of their own to say what is true.
    """
    from scipy import sparse

    from geomface.mesh import Landmarks
    from geomface.mesh.closest import ClosestPointIndex
    from geomface.registration import register

    template, mesh, marks = solver.template.mesh, model.mesh, model.template.landmarks
    count = len(template.vertices)
    if mesh.topology_id == template.topology_id or marks is None:
        return sparse.csr_array(sparse.eye_array(count))
    landmarks = Landmarks(marks.positions(mesh.vertices), marks.scheme, name=mesh.name)
    fitted = register(solver, mesh, landmarks).mesh.vertices
    closest = ClosestPointIndex(mesh).query(fitted)
    columns = mesh.faces[closest.faces]
    rows = np.arange(0, columns.size + 1, 3)
    shape = (count, len(mesh.vertices))
    return sparse.csr_array((closest.barycentric.ravel(), columns.ravel(), rows), shape=shape)


def pose_on(vertices: FloatArray, template: "Mesh") -> FloatArray:
    """Move vertices in mm rigidly onto the template; size is kept."""
    from geomface.mesh.diagnose import MILLIMETRES
    from geomface.mesh.similarity import fit_similarity

    place = template.vertices * MILLIMETRES[template.unit]
    return fit_similarity(vertices, place, scale=False).apply(vertices)
