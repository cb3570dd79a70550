"""What a run keeps of what was drawn for it, and the embedder that it ends with."""

import functools
from collections.abc import Callable
from pathlib import Path

import numpy as np

from geomface.datasets.drawn import DrawnSet, draw_files
from geomface.faces.builtin import load_builtin_face
from geomface.files.marker import claim_folder
from geomface.learning import load_trained
from geomface.learning.run_directory import RUN
from geomface.recognition.embedder.network import IdentityNetwork
from geomface.recognition.frontal_training.dataset import IdentitySet
from geomface.recognition.frontal_training.pictures import draw_people, picture_samplers
from geomface.recognition.frontal_training.recipe import IdentitySettings, PictureDrawing
from geomface.recognition.frontal_training.task import SYSTEM
from geomface.statistics import MorphableModel

DATA = "data"
"""Folder of a run with what was drawn for it."""
KIND = "identity-training-pictures"


def draw_identity_sets(
    settings: IdentitySettings,
    run: Path,
    *,
    model: MorphableModel | None = None,
    on_progress: Callable[[str, int, int], None] | None = None,
) -> tuple[IdentitySet, IdentitySet]:
    """Draw what a run lacks of the pictures to learn from and of those of people held out.

    Parameters
    ----------
    settings : such as `identity_recipe` gives
    run : the run directory, which keeps them below data
    model : whose people, default the built-in face
    on_progress : called with (name of the set, files done, files)

    Raises
    ------
    OutputError : the folder holds anything but such a run
    """
    claim_folder(run, RUN)
    pictures, held_out = (
        draw_identity_set(
            run / DATA / name,
            settings.drawing,
            model=model,
            held_out=name == "held_out",
            on_progress=on_progress and functools.partial(on_progress, name),
        )
        for name in ("pictures", "held_out")
    )
    return pictures, held_out


def draw_identity_set(
    folder: Path,
    drawing: PictureDrawing,
    *,
    model: MorphableModel | None = None,
    held_out: bool = False,
    on_progress: Callable[[int, int], None] | None = None,
) -> IdentitySet:
    """Draw what the folder lacks of a set of pictures.

    Parameters
    ----------
    folder : keeps the files
    drawing : how many, of which seed
    model : whose people, default the built-in face
    held_out : draw the people that are held out
    on_progress : called with (files done, files)
    """
    model = load_builtin_face() if model is None else model
    people = drawing.held_out if held_out else drawing.people
    seed = drawing.seed + held_out
    each = min(drawing.people_per_file, people)

    @functools.cache
    def samplers() -> list:
        return picture_samplers(people, drawing.samples, seed, model)

    def draw(index: int) -> dict[str, np.ndarray]:
        found = draw_people(
            samplers(), range(index * each, min((index + 1) * each, people)), drawing.samples
        )
        return {
            "pictures": found.pictures,
            "masks": found.masks,
            "identities": found.identities,
        }

    config = {
        "model": [model.name, model.mesh.topology_id],
        "samples": drawing.samples,
        "people_per_file": each,
        "seed": seed,
    }
    files = draw_files(
        folder, draw, -(-people // each), kind=KIND, config=config, on_progress=on_progress
    )
    return IdentitySet(DrawnSet(files))


def trained_embedder(run: Path) -> IdentityNetwork:
    """Return the embedder of a run's newest checkpoint, ready for use."""
    network = IdentityNetwork()
    load_trained(run, system=SYSTEM).fill("embedder", network)
    return network.eval().requires_grad_(False)
