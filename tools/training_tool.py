"""What tools that train a shipped network share: the frame of `geomface train`, the asset."""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from geomface.cli.command import Command, run_command
from geomface.cli.learned.frame import Training, TrainOptions, run_training_command
from geomface.cli.main import guarded
from geomface.cli.run import Run
from geomface.learning import load_trained
from geomface.learning.distributed import is_started


def train_asset(
    training: Training,
    options: TrainOptions,
    run: Run,
    asset: Path | None,
    save: Callable[[Path], None],
) -> int:
    """Train; where that is finished and an asset is wanted, write it."""
    code = run_training_command(training, options, run, script=sys.argv[0])
    if code or asset is None or is_started() or run.common.dry_run:
        return code
    if load_trained(options.out, system=training.system).step < training.settings.loop.steps:
        return code
    save(asset)
    run.say(f"{asset}: {asset.stat().st_size} bytes")
    return code


def drawing_progress(run: Run) -> Callable[[str, int, int], None]:
    """Return what tells how much of a set is drawn."""
    return lambda name, done, files: run.warn(f"drawn: {name}, file {done} of {files}")


def main(options: type, run: Callable[[Any, Run], int]) -> int:
    """Run a tool as `geomface` runs its commands; returns the exit code."""
    title = Path(sys.argv[0]).name
    return guarded(lambda words: run_command(Command(options, run), title, words), sys.argv[1:])
