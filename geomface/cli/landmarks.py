"""`geomface landmarks`: the 68 landmarks of a scan or of a photograph, found without help."""

import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING

from geomface.cli.command import Command, CommandGroup
from geomface.cli.inputs import PICTURE_SUFFIXES, require_output
from geomface.cli.options import (
    CommonOptions,
    Flag,
    MaybeFile,
    MaybeFolder,
    OutputFile,
    ScanUnit,
)
from geomface.cli.photographs import detect_in_folder, detect_in_picture
from geomface.cli.run import Run
from geomface.errors import OutputError, SettingsError

if TYPE_CHECKING:
    from geomface.mesh import Mesh


_ONE_OF_TWO = "expected --scan FILE or --image FILE, one of the two. Give one."


@dataclasses.dataclass(frozen=True)
class LandmarksDetectOptions:
    """Find the 68 landmarks of a scan in any pose and unit, or of the faces in a photograph.

    A scan is looked at from several sides, its geometry alone; what the sides agree on and what
    makes a face becomes a landmark with its uncertainty. In a photograph, grey or in colour, faces
    are looked for at every size; the points of the largest come first, each with its confidence.
    """

    out: OutputFile
    """The landmarks: a .json file; of a folder of photographs, a folder. In the photographs' own
    folder they lie beside the pictures, where all other commands look for them."""
    scan: MaybeFile = None
    """The raw scan: OBJ, PLY, GLB, STL or OFF."""
    image: MaybeFile = None
    """A photograph instead (PNG, JPEG, BMP, GIF, TIFF, WebP, TGA), or a folder of them."""
    unit: ScanUnit = None
    """Unit of the scan's numbers: um, mm, cm, inch, m, or the millimetres in one as a number."""
    textures: MaybeFolder = None
    """Where the scan's texture lies too: files name pictures in their own folder only."""
    force: Flag = False
    """Replace a landmark file that is already there: it may have been measured by hand."""
    picture: MaybeFile = None
    """Picture with the landmarks on it, to check them; of a folder of photographs, a folder."""
    report: MaybeFile = None
    """JSON record with the confidences."""
    common: CommonOptions = CommonOptions()


def run_detect(options: LandmarksDetectOptions, run: Run) -> int:
    """Read, look, write."""
    run.require_cpu()
    scan, image = options.scan, options.image
    if image is None:
        if scan is None:
            raise SettingsError(_ONE_OF_TWO)
        _require_free(options, scan)
        return _detect_on_scan(options, scan, run)
    if scan is not None:
        raise SettingsError(_ONE_OF_TWO)
    if image.is_dir():
        return detect_in_folder(
            run,
            image,
            options.out,
            force=options.force,
            picture=options.picture,
            report=options.report,
        )
    _require_free(options, image)
    return detect_in_picture(
        run, image, options.out, picture=options.picture, report=options.report
    )


def _require_free(options: LandmarksDetectOptions, read: Path) -> None:
    """Check that the landmark file may be written."""
    require_output(options.out, "--out", (".json",), (read,))
    if options.out.exists() and not options.force:
        raise OutputError(
            f"--out {options.out}: is already there, and may have been measured by hand. Give "
            "another name, or --force to replace it."
        )


def _detect_on_scan(options: LandmarksDetectOptions, path: Path, run: Run) -> int:
    from geomface.mesh.io import load_mesh, save_landmarks

    require_output(options.picture, "--picture", PICTURE_SUFFIXES, (path,))
    require_output(options.report, "--report", (".json",), (path,))
    scan = load_mesh(path, unit=options.unit, texture=options.textures or True)
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
    "The 68 landmarks of a scan or of a photograph, found without help.",
    {"detect": Command(LandmarksDetectOptions, run_detect)},
)
