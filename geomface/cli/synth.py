"""`geomface synth`: simulated raw scans with truth files, face images, training sets."""

import contextlib
import dataclasses
import functools
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import tyro

from geomface.cli.command import Command, CommandGroup
from geomface.cli.inputs import make_folder, read_model
from geomface.cli.options import OPTIONAL, CommonOptions, Folder, require_options
from geomface.cli.run import Run, Step
from geomface.cli.synth_faces import SynthFacesOptions, run_synth_faces
from geomface.cli.synth_factors import SynthFactorsOptions, run_synth_factors
from geomface.cli.synth_pairs import SynthPairsOptions, run_synth_pairs
from geomface.cli.synth_textures import SynthTexturesOptions, run_synth_textures
from geomface.cli.synth_vae import SynthVaeOptions, run_synth_vae
from geomface.datasets import layout
from geomface.ranges import COUNT
from geomface.scans.settings import ScanSettings

ModelFile = Annotated[
    Path | None,
    tyro.conf.arg(metavar="FILE", help_behavior_hint="(default: the built-in face)"),
]


@dataclasses.dataclass(frozen=True)
class _ScanOptions(ScanSettings):
    """What the scans are like."""

    occluders: Annotated[tuple[str, ...], OPTIONAL] = ()
    """What covers the face: any of hat, hair, strands, scarf."""


@dataclasses.dataclass(frozen=True)
class SynthScansOptions:
    """Simulated raw scans: two-pod visibility, holes, noise, pose, landmarks, truth.

    Writes scan000.ply, scan000.landmarks.json, scan000.truth.npz and so on. Scan i depends on the
    seed and on i only, so a larger --count adds scans and changes none.
    """

    out: Folder
    """Folder for the scans; it is created."""
    count: int = 12
    """Number of scans."""
    model: ModelFile = None
    """Face model that the people are drawn from: any file that 'geomface model convert' reads."""
    workers: int = 1
    """Number of worker processes; the scans do not depend on it."""
    scan: _ScanOptions = _ScanOptions()
    common: CommonOptions = CommonOptions()

    def __post_init__(self) -> None:
        require_options(self, count=COUNT, workers=COUNT)


def run_synth_scans(options: SynthScansOptions, run: Run) -> int:
    """Draw the scans and write them."""
    run.require_cpu()
    make_folder(options.out, create=False)
    model = _model(options.model)
    if options.common.dry_run:
        return run.plan([f"draw {options.count} scans of {model.name} into {options.out}"])
    from geomface.batch.attempts import remove_leftovers
    from geomface.files.lock import run_lock

    make_folder(options.out)
    tasks = [
        ScanTask(options.model, options.out, index, options.common.seed, options.scan)
        for index in range(options.count)
    ]
    with run_lock(options.out), run.progress("simulating", options.count) as step:
        remove_leftovers(options.out)
        paths = write_scans(tasks, options.workers, step)
    run.finish({"count": len(paths), "scans": paths, "topology_id": model.mesh.topology_id})
    run.say(f"{len(paths)} scans in {options.out}, {run.seconds:.1f} s")
    return 0


@dataclasses.dataclass(frozen=True)
class ScanTask:
    """One scan to simulate; small, so that it can be sent to a worker.

    Parameters
    ----------
    model : face model file, None for the built-in face
    folder : where the files go
    index, seed : both decide what is drawn
    settings : how
    """

    model: Path | None
    folder: Path
    index: int
    seed: int
    settings: ScanSettings

    @property
    def name(self) -> str:
        """Stem of the files."""
        return f"scan{self.index:03d}"

    @property
    def truth(self) -> Path:
        """The file that is written last."""
        return self.folder / f"{self.name}{layout.SCAN_TRUTH}"


def write_scans(tasks: Sequence[ScanTask], workers: int, step: Step) -> list[Path]:
    """Simulate scans, in several processes when `workers` > 1; return the meshes' paths."""
    from geomface.batch.executors import BatchError, WorkerDied, make_executor

    executor = make_executor("auto", workers, len(tasks))
    paths: dict[int, Path] = {}
    with contextlib.closing(executor), contextlib.closing(executor.run(write_scan, tasks)) as done:
        for index, path in done:
            if isinstance(path, WorkerDied):
                raise BatchError(f"{tasks[index].name}: {path.message}")
            paths[index] = path
            step(len(paths), tasks[index].name)
    return [paths[index] for index in sorted(paths)]


def write_scan(task: ScanTask) -> Path:
    """Simulate one scan, write its three files, and return the path of the mesh."""
    import numpy as np

    from geomface.scans.simulate import save_simulated_scan, simulate_scan

    rng = np.random.default_rng([task.seed, task.index])
    model = _model(task.model)
    scan = simulate_scan(model, rng=rng, settings=task.settings, name=task.name)
    return save_simulated_scan(task.folder, task.index, scan)[0]


_model = functools.lru_cache(maxsize=1)(read_model)


GROUP = CommandGroup(
    "synth",
    "Simulated raw scans with truth files, labelled face images, training sets of textures.",
    {
        "scans": Command(SynthScansOptions, run_synth_scans),
        "faces": Command(SynthFacesOptions, run_synth_faces),
        "pairs": Command(SynthPairsOptions, run_synth_pairs),
        "factors": Command(SynthFactorsOptions, run_synth_factors),
        "vae": Command(SynthVaeOptions, run_synth_vae),
        "textures": Command(SynthTexturesOptions, run_synth_textures),
    },
)
