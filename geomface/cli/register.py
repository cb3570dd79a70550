"""`geomface register`: the template onto one raw scan."""

import dataclasses
from typing import TYPE_CHECKING, Annotated, Any

import tyro

from geomface.cli.command import Command, CommandGroup
from geomface.cli.failed_fit import recorded_failure
from geomface.cli.inputs import (
    MESH_SUFFIXES,
    find_scan_landmarks,
    read_template,
    require_output,
)
from geomface.cli.options import (
    CommonOptions,
    Flag,
    InputFile,
    MaybeFile,
    MaybeFolder,
    OutputFile,
    ScanUnit,
    TemplateOptions,
)
from geomface.cli.run import Run
from geomface.registration.settings import RegistrationSettings

if TYPE_CHECKING:
    from geomface.registration import RegistrationResult


@dataclasses.dataclass(frozen=True)
class RegisterOptions:
    """Fit the template to one raw scan.

    The result has the template's vertices and faces and lies on the scan, in millimetres. With
    landmarks beside the scan (scan.landmarks.json for scan.ply) or given, the start is sure;
    without, they are looked for ('geomface landmarks detect').
    """

    scan: InputFile
    """The raw scan: OBJ, PLY, GLB, STL or OFF."""
    out: OutputFile
    """The registered mesh (PLY or OBJ keep quads)."""
    landmarks: Annotated[
        MaybeFile, tyro.conf.arg(metavar="FILE", help_behavior_hint="(default: beside the scan)")
    ] = None
    """Landmarks of the scan: JSON (3D Slicer's and scalismo's, too), .pp, .fcsv, .ljson, .pts, .txt
    or .csv."""
    no_landmarks: Flag = False
    """Use no landmark file, not even one beside the scan: find the landmarks."""
    unit: ScanUnit = None
    """Unit of the scan's numbers: um, mm, cm, inch, m, or the millimetres in one as a number."""
    textures: MaybeFolder = None
    """Where the scan's texture lies too: files name pictures in their own folder only."""
    unverified: Flag = False
    """Write the result even if it is no likely face."""
    report: MaybeFile = None
    """JSON record with residuals, flips, settings, versions and seconds."""
    template: TemplateOptions = TemplateOptions()
    solver: RegistrationSettings = RegistrationSettings()
    common: CommonOptions = CommonOptions()


def run_register(options: RegisterOptions, run: Run) -> int:
    """Read, fit, write the mesh and the record."""
    from geomface.landmarks.unaided import register
    from geomface.mesh.io import load_landmarks, load_mesh, save_mesh

    run.require_cpu()
    read = (options.scan, options.landmarks, options.template.template)
    require_output(options.out, "--out", MESH_SUFFIXES, read)
    require_output(options.report, "--report", (".json",), read)
    template = read_template(options.template)
    scan = load_mesh(options.scan, unit=options.unit, texture=options.textures or True)
    place = find_scan_landmarks(options.scan, options.landmarks, options.no_landmarks)
    landmarks = None if place is None else load_landmarks(place)
    run.options = dataclasses.replace(options, landmarks=place)
    if landmarks is not None:
        template.require_landmarks(landmarks)
    if options.common.dry_run:
        start = "from landmarks to be found" if landmarks is None else f"from {landmarks.name}"
        return run.plan(
            [
                f"fit {template.mesh.name} ({len(template.mesh.vertices)} vertices) to {scan.name} "
                f"({len(scan.vertices)} vertices), starting {start}",
                f"write {options.out}",
                *([f"write {options.report}"] if options.report else []),
            ]
        )
    with (
        recorded_failure(run, scan, options.out, options.report, registration_figures),
        run.progress("fitting", len(options.solver.stiffness)) as step,
    ):
        result = register(
            template,
            scan,
            landmarks,
            settings=options.solver,
            on_progress=lambda done, total: step(done, "", total),
            verify=not options.unverified,
        )
    run.add_notes(result.notes)
    save_mesh(options.out, result.mesh)
    run.finish(
        registration_figures(result) | {"topology_id": result.mesh.topology_id}, options.report
    )
    residual = result.residual_mm
    run.say(
        f"{options.out}: {'converged' if result.converged else 'stopped at the cap'} after "
        f"{result.iterations} iterations, residual {residual['median']:.2f} mm (95 %: "
        f"{residual['p95']:.2f} mm), {100 * result.kept_fraction:.0f} % of the template matched, "
        f"{result.flips} flips, {run.seconds:.1f} s"
    )
    return 0


def registration_figures(result: "RegistrationResult") -> dict[str, Any]:
    """Return the figures of a registration that a record carries."""
    return {
        "converged": result.converged,
        "iterations": result.iterations,
        "residual_mm": result.residual_mm,
        "landmark_mm": result.landmark_mm,
        "kept_fraction": result.kept_fraction,
        "flips": result.flips,
        "rim_crossings": result.rim_crossings,
        "confidence_mean": float(result.confidence.mean()),
        "scan_unit": result.scan_unit,
        "scan_unit_mm": result.scan_unit_mm,
        "verification": result.verification,
    }


GROUP = CommandGroup(
    "register", "Fit the template to one raw scan.", {"": Command(RegisterOptions, run_register)}
)
