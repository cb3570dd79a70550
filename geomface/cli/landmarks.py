"""`geomface landmarks`: the 68 landmarks of a scan, found without help."""

import dataclasses
from typing import TYPE_CHECKING

from geomface.cli.command import Command, CommandGroup
from geomface.cli.inputs import PICTURE_SUFFIXES, require_output
from geomface.cli.options import (
    CommonOptions,
    Flag,
    InputFile,
    MaybeFile,
    MaybeFolder,
    OutputFile,
    ScanUnit,
)
from geomface.cli.run import Run
from geomface.errors import OutputError

if TYPE_CHECKING:
    from geomface.mesh import Mesh


@dataclasses.dataclass(frozen=True)
class LandmarksDetectOptions:
    """Find the 68 landmarks of a scan in any pose and unit, from its geometry alone.

    The scan is looked at from several sides; what the sides agree on and what makes a face becomes
    a landmark with its uncertainty.
    """

    scan: InputFile
    """The raw scan: OBJ, PLY, GLB, STL or OFF."""
    out: OutputFile
    """The landmarks: a .json file."""
    unit: ScanUnit = None
    """Unit of the scan's numbers: um, mm, cm, inch, m, or the millimetres in one as a number."""
    textures: MaybeFolder = None
    """Where the scan's texture lies too: files name pictures in their own folder only."""
    force: Flag = False
    """Replace a landmark file that is already there: it may have been measured by hand."""
    picture: MaybeFile = None
    """Picture of the scan with the landmarks on it, to check them."""
    report: MaybeFile = None
    """JSON record with the confidences."""
    common: CommonOptions = CommonOptions()


def run_detect(options: LandmarksDetectOptions, run: Run) -> int:
    """Read, look, write."""
    from geomface.mesh.io import load_mesh, save_landmarks

    run.require_cpu()
    require_output(options.out, "--out", (".json",), (options.scan,))
    if options.out.exists() and not options.force:
        raise OutputError(
            f"--out {options.out}: is already there, and may have been measured by hand. Give "
            "another name, or --force to replace it."
        )
    require_output(options.picture, "--picture", PICTURE_SUFFIXES, (options.scan,))
    require_output(options.report, "--report", (".json",), (options.scan,))
    scan = load_mesh(options.scan, unit=options.unit, texture=options.textures or True)
    if options.common.dry_run:
        return run.plan([f"find landmarks on {scan.name}", f"write {options.out}"])
    from geomface.errors import LandmarkError
    from geomface.landmarks import LandmarkDetector

    try:
        result = LandmarkDetector().detect(scan)
    except LandmarkError as error:
        if options.picture is None:
            raise
        _save_picture(scan, options, None)
        raise LandmarkError(f"{error} The picture shows what was looked at.") from error
    run.add_notes(result.notes)
    save_landmarks(options.out, result.landmarks)
    if options.picture is not None:
        _save_picture(scan, options, result)
    figures = {
        "residual_mm": result.residual_mm,
        "disagreement_mm": result.disagreement_mm,
        "sigma_px": result.sigma_px,
        "confidence": result.confidence,
        "filled": int(result.filled.sum()),
        "looks": result.views,
    }
    run.finish(figures, options.report)
    run.say(
        f"{options.out}: 68 landmarks, {int(result.filled.sum())} of them filled in, "
        f"{result.residual_mm:.1f} mm (median) from a typical arrangement, {run.seconds:.1f} s"
    )
    return 0


def _save_picture(scan: "Mesh", options: LandmarksDetectOptions, result: object) -> None:
    from geomface.files import save_image
    from geomface.report.landmark_picture import landmark_picture

    if options.picture is not None:
        save_image(options.picture, landmark_picture(scan, result))  # type: ignore[arg-type]


GROUP = CommandGroup(
    "landmarks",
    "The 68 landmarks of a scan, found without help.",
    {"detect": Command(LandmarksDetectOptions, run_detect)},
)
