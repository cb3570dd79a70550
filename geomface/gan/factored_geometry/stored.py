"""What a checkpoint needs beside the networks: the template and the fixed codes, as buffers."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from torch import nn

from geomface.gan.factored_geometry.codes import Factor
from geomface.geometry_image import GeometryFrame
from geomface.geometry_image.frame import fill_square
from geomface.learning import TrainedModel
from geomface.mesh import Template
from geomface.statistics import LinearModel, MorphableModel
from geomface.statistics.model_file import put_together, take_apart


class FixedCodes(nn.Module):
    """One code for each label of each factor, drawn once from N(0, I).

    Parameters
    ----------
    factors : with their classes
    """

    def __init__(self, factors: Sequence[Factor]) -> None:
        super().__init__()
        for factor in factors:
            self.register_buffer(factor.name, torch.randn(len(factor.classes), factor.dims))

    def tables(self) -> dict[str, torch.Tensor]:
        """Return {factor: (K, d)}."""
        return dict(self.named_buffers())


class StoredTemplate(nn.Module):
    """The arrays of a template as buffers, so that a checkpoint is all that a user needs.

    Parameters
    ----------
    arrays : by name
    """

    def __init__(self, arrays: Mapping[str, np.ndarray]) -> None:
        super().__init__()
        for name, array in arrays.items():
            self.register_buffer(name.replace(".", "/"), torch.from_numpy(np.array(array)))


def store_template(template: Template) -> tuple[StoredTemplate, dict[str, Any]]:
    """Return the arrays of a template, and what else a checkpoint's config must say of it."""
    arrays, config = take_apart(_mean_model(template))
    return StoredTemplate(arrays), config | {"topology_id": template.mesh.topology_id}


def restore_template(trained: TrainedModel) -> Template:
    """Return the template of a trained run: the mean face, with the uv of its output.

    Raises
    ------
    FileFormatError : arrays that are missing or do not fit
    """
    arrays = {key.replace("/", "."): item for key, item in trained.arrays["template"].items()}
    config = trained.config["template"]
    return put_together(trained.path, arrays, config, config["topology_id"]).template


def make_frame(template: Template, size: int, limit: float) -> GeometryFrame:
    """Return the frame of a template whose mesh is the mean face."""
    return GeometryFrame(fill_square(template.mesh), size, limit)


def _mean_model(template: Template) -> MorphableModel:
    """Return a model without modes: it is taken apart for files as any model is."""
    mean = template.mesh.vertices
    return MorphableModel(template, LinearModel(mean, np.zeros((*mean.shape, 0))), name="template")
