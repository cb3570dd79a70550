"""What a run keeps of its data, and the detector that it ends with."""

import functools
from collections.abc import Callable, Sequence
from pathlib import Path

import torch

from geomface.datasets.labelled_pictures import SyntheticFaces
from geomface.files.marker import claim_folder
from geomface.landmarks.photographs.finder import FinderNetwork
from geomface.landmarks.photographs.frames import sample_pictures, to_window, window_places
from geomface.landmarks.photographs.network import PhotographNetwork
from geomface.landmarks.photographs.training.recipe import PhotographTraining
from geomface.landmarks.photographs.training.sets import PictureRows, draw_no_faces, pack_faces
from geomface.landmarks.photographs.training.task import SYSTEM
from geomface.landmarks.photographs.weights import PhotographWeights
from geomface.learning import load_trained
from geomface.learning.run_directory import RUN

DATA = "data"
"""Folder of a run with what it learns from."""


def prepare_sets(
    settings: PhotographTraining,
    run: Path,
    faces: Sequence[SyntheticFaces],
    held_out: Sequence[SyntheticFaces],
    *,
    on_progress: Callable[[str, int, int], None] | None = None,
) -> tuple[PictureRows, PictureRows, PictureRows]:
    """Return faces, pictures without faces and held-out faces, made where the run lacks them.

    Parameters
    ----------
    run : the run directory, which keeps them below data
    faces, held_out : sets of `geomface synth faces`, of different people
    on_progress : called with (name of the set, files done, files)
    """
    claim_folder(run, RUN)

    def told(name: str) -> Callable[[int, int], None] | None:
        return on_progress and functools.partial(on_progress, name)

    shown = pack_faces(run / DATA / "faces", faces, on_progress=told("faces"))
    empty = draw_no_faces(
        run / DATA / "no_faces",
        shown,
        settings.no_faces,
        seed=settings.seed,
        on_progress=told("no faces"),
    )
    others = pack_faces(run / DATA / "held_out", held_out, on_progress=told("held out"))
    return PictureRows(shown.drawn, empty), empty, others


def trained_weights(run: Path, held_out: PictureRows) -> PhotographWeights:
    """Return the detector of a run: the averages of its newest checkpoint, calibrated.

    s = mean |e_i| / (2 sigma_i), what makes the Laplace law in the plane likeliest

    Parameters
    ----------
    run : the run directory
    held_out : faces that the uncertainties are calibrated on
    """
    finder, landmarks = FinderNetwork(), PhotographNetwork()
    trained = load_trained(run, system=SYSTEM)
    trained.fill("finder_ema", finder)
    trained.fill("landmarks_ema", landmarks)
    landmarks.eval()
    ratios = []
    with torch.inference_mode():
        for rows in torch.arange(len(held_out)).split(50):
            batch = held_out.batch(rows)
            windows = sample_pictures(batch["pictures"], window_places(batch["frames"]))
            places, sigmas, _ = landmarks(windows)
            miss = (places - to_window(batch["points"], batch["frames"])).norm(dim=2)
            ratios.append((miss / (2.0 * sigmas)).flatten())
    factor = float(torch.cat(ratios).mean()) if ratios else 1.0
    return PhotographWeights(finder.eval(), landmarks, factor)
