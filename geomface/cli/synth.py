"""`geomface synth`: simulated raw scans with truth files."""

import dataclasses
from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import tyro

from geomface.cli.command import Command, CommandGroup
from geomface.cli.inputs import make_folder, read_model
from geomface.cli.options import CommonOptions, Folder
from geomface.cli.run import Run
from geomface.errors import SettingsError
from geomface.faces.face_model import FaceModel
from geomface.faces.simulate import ScanSettings, save_simulated_scan, simulate_scan

ModelFile = Annotated[
    Path | None,
    tyro.conf.arg(metavar="FILE", help_behavior_hint="(default: the built-in face)"),
]


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
    """Face model that the people are drawn from (an ICT-FaceKit .npz)."""
    scan: ScanSettings = ScanSettings()
    common: CommonOptions = CommonOptions()


def run_synth_scans(options: SynthScansOptions, run: Run) -> int:
    """Draw the scans and write them."""
    run.require_cpu()
    if options.count < 1:
        raise SettingsError(f"--count: expected at least 1, got {options.count}.")
    make_folder(options.out, create=not options.common.dry_run)
    model = read_model(options.model)
    if options.common.dry_run:
        return run.plan([f"draw {options.count} scans of {model.name} into {options.out}"])
    with run.progress("simulating", options.count) as step:
        paths = write_scans(
            model, options.out, options.count, options.common.seed, options.scan, step
        )
    run.finish({"count": len(paths), "scans": paths, "topology_id": model.mesh.topology_id})
    run.say(f"{len(paths)} scans in {options.out}, {run.seconds:.1f} s")
    return 0


def write_scans(
    model: FaceModel,
    folder: Path,
    count: int,
    seed: int,
    settings: ScanSettings,
    step: Callable[[int, str], None],
) -> list[Path]:
    """Draw `count` scans into `folder` and return the paths of the meshes."""
    import numpy as np

    paths = []
    for index in range(count):
        name = f"scan{index:03d}"
        rng = np.random.default_rng([seed, index])
        scan = simulate_scan(model, rng=rng, settings=settings, name=name)
        paths.append(save_simulated_scan(folder, index, scan)[0])
        step(index + 1, name)
    return paths


GROUP = CommandGroup(
    "synth",
    "Simulated raw scans with truth files.",
    {"scans": Command(SynthScansOptions, run_synth_scans)},
)
