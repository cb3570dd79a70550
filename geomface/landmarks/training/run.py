"""What a run keeps of what was drawn for it, and the detector that it ends with."""

import functools
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np

from geomface.datasets.drawn import DrawnSet, draw_files
from geomface.files.marker import claim_folder
from geomface.files.tensors import load_tensors
from geomface.landmarks.dense_model import DenseShapeModel
from geomface.landmarks.network import LandmarkNetwork
from geomface.landmarks.training.dataset import ViewSet
from geomface.landmarks.training.recipe import DetectorSettings, ShapeDrawing, ViewDrawing
from geomface.landmarks.training.shape_models import learn_dense_model, learn_landmark_shape
from geomface.landmarks.training.task import SYSTEM
from geomface.landmarks.training.views import draw_views
from geomface.landmarks.weights import DetectorWeights
from geomface.learning import load_trained
from geomface.learning.run_directory import RUN
from geomface.statistics import LinearModel, MorphableModel

DATA = "data"
"""Folder of a run with what was drawn for it."""
VIEWS, SHAPE_MODELS = "landmark-training-views", "landmark-shape-models"
"""Kinds of its files."""


def draw_detector_sets(
    settings: DetectorSettings,
    run: Path,
    models: Mapping[str, MorphableModel],
    *,
    on_progress: Callable[[str, int, int], None] | None = None,
) -> tuple[ViewSet, ViewSet]:
    """Draw what a run lacks of the views to learn from and of those of people held out.

    Parameters
    ----------
    settings : such as `detector_recipe` gives
    run : the run directory, which keeps them below data
    models : face models by the names in the settings
    on_progress : called with (name of the set, files done, files)

    Raises
    ------
    OutputError : the folder holds anything but such a run
    """
    claim_folder(run, RUN)
    views, held_out = (
        draw_view_set(
            run / DATA / name,
            models,
            settings.drawing,
            held_out=name == "held_out",
            on_progress=on_progress and functools.partial(on_progress, name),
        )
        for name in ("views", "held_out")
    )
    return views, held_out


def draw_view_set(
    folder: Path,
    models: Mapping[str, MorphableModel],
    drawing: ViewDrawing,
    *,
    held_out: bool = False,
    on_progress: Callable[[int, int], None] | None = None,
) -> ViewSet:
    """Draw what the folder lacks of a set of views.

    Parameters
    ----------
    folder : keeps the files
    models : by the names in `drawing`
    drawing : whose people, how many, of which seed
    held_out : draw the people that are held out
    on_progress : called with (files done, files)
    """
    people = drawing.held_out if held_out else drawing.people
    each = min(drawing.people_per_file, people)

    def draw(index: int) -> dict[str, np.ndarray]:
        rng = np.random.default_rng([drawing.seed, held_out, index])
        count = min(each, people - index * each)
        whose = [models[name] for name in drawing.models]
        views = draw_views(whose, count, rng, views=drawing.views)
        return {"pictures": views.pictures, "points": views.points, "visible": views.visible}

    config = {
        "models": [[name, models[name].mesh.topology_id] for name in drawing.models],
        "views": drawing.views,
        "people_per_file": each,
        "seed": drawing.seed,
        "held_out": held_out,
    }
    files = draw_files(
        folder, draw, -(-people // each), kind=VIEWS, config=config, on_progress=on_progress
    )
    return ViewSet(DrawnSet(files))


def draw_shape_models(
    folder: Path, models: Mapping[str, MorphableModel], drawing: ShapeDrawing
) -> tuple[LinearModel, tuple[DenseShapeModel, ...]]:
    """Learn what the folder lacks of the landmark shape model and the dense shape models.

    Parameters
    ----------
    folder : keeps the files, one a model
    models : by the names in `drawing`
    drawing : whose people, how many, how many modes
    """

    def draw(index: int) -> dict[str, np.ndarray]:
        if index == 0:
            whose, rng = [models[name] for name in drawing.models], drawing.seed
            points = learn_landmark_shape(
                whose, drawing.people, np.random.default_rng(rng), components=drawing.modes
            )
            return {"mean": points.mean, "basis": points.basis}
        of = drawing.dense[index - 1]
        dense = learn_dense_model(
            models[of.model],
            of.people,
            np.random.default_rng(of.seed),
            skin_points=of.points,
            components=of.modes,
        )
        points = dense.points
        return {"mean": points.mean, "basis": points.basis, "normals": dense.normals}

    files = draw_files(folder, draw, 1 + len(drawing.dense), kind=SHAPE_MODELS, config=drawing)
    first, *others = (load_tensors(file, kind=SHAPE_MODELS, schema=1)[0] for file in files)
    dense = tuple(
        DenseShapeModel(LinearModel(item["mean"], item["basis"]), item["normals"])
        for item in others
    )
    return LinearModel(first["mean"], first["basis"]), dense


def trained_detector(
    settings: DetectorSettings, run: Path, models: Mapping[str, MorphableModel]
) -> DetectorWeights:
    """Return the detector of a run: the network of its newest checkpoint and its shape models.

    Parameters
    ----------
    settings, models : those of the run
    run : the run directory, which keeps the shape models once they are learned
    """
    network = LandmarkNetwork()
    load_trained(run, system=SYSTEM).fill("detector", network)
    points, dense = draw_shape_models(run / DATA / "shape_models", models, settings.shapes)
    return DetectorWeights(network.eval(), points, dense)
