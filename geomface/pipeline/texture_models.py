"""The face models of a training set: read once a worker, and brought to the set's template."""

import functools
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from scipy import sparse

    from geomface.pipeline.template import TemplateTools
    from geomface.registration import NonRigidRegistration
    from geomface.statistics import MorphableModel


@functools.lru_cache(maxsize=8)
def face_model(path: Path | None, model_hash: str) -> "MorphableModel":
    """Return the face model in a file, or the built-in one; a worker reads each once.

    The hash of what it holds tells it from another that lay there when a worker began.
    """
    from geomface.model_files import load_model

    return load_model(path)


@functools.lru_cache(maxsize=8)
def carrier(tools: "TemplateTools", path: Path | None, model_hash: str) -> "sparse.csr_array":
    """Return the matrix from a model's vertices to those of the template; made once a worker."""
    return model_correspondence(tools.solver, face_model(path, model_hash))


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
