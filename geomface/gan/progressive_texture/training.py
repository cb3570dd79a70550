"""Training from start to end: data, task, run directory, loop."""

import dataclasses
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from geomface.datasets import ImageSet, split_set
from geomface.gan.progressive_texture.settings import FREE_SETTINGS, SYSTEM, TextureGanSettings
from geomface.gan.progressive_texture.task import TextureGan
from geomface.learning.distributed import join_ranks
from geomface.learning.loop import TrainingResult, train
from geomface.learning.run_directory import Resume, open_run
from geomface.learning.state import load_module


def train_texture_gan(
    settings: TextureGanSettings,
    data: ImageSet,
    out: Path | str,
    *,
    resume: Resume = "auto",
    init_from: Path | str | None = None,
    config: dict[str, Any] | None = None,
    record: Mapping[str, Any] | None = None,
    on_log: Callable[[dict[str, float]], None] | None = None,
    on_progress: Callable[[int, int], None] | None = None,
) -> TrainingResult:
    """Train a texture GAN into a run directory, or go on with one.

    Parameters
    ----------
    settings : from `recipe`, or your own
    data : images and masks of the networks' size; the settings' held-out share of them is set aside
    out : the run directory
    resume : "never", "auto" or "must"
    init_from : checkpoint whose networks a new run begins with
    config : further entries for the checkpoints, such as the range of geometry images
    record : further entries for run.json, such as versions
    on_log, on_progress : as for `learning.loop.train`

    Returns
    -------
    How it ended, and the checkpoint.

    Raises
    ------
    GeomfaceError : bad data, settings that differ on resume, NaN, a full disk; nothing is lost
    """
    data, _ = split_set(data, settings.held_out)
    stored = dataclasses.asdict(settings)
    with join_ranks(settings.compute) as ranks:
        task = TextureGan(settings, data, config)  # refuses before a folder is made
        with ranks.main_process_first():
            run = open_run(
                out,
                stored,
                system=SYSTEM,
                resume=resume if ranks.first else "auto",  # the first has made the folder
                free=FREE_SETTINGS,
                record=record,
            )
        if init_from is not None and run.checkpoint is None:
            for name, module in task.state.modules.items():
                load_module(init_from, module, system=SYSTEM, name=name)
        return train(task, run, settings.loop, on_log=on_log, on_progress=on_progress)
