"""`geomface unwrap`: uv on the unit square for a template."""

import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import tyro

from geomface.cli.command import Command, CommandGroup
from geomface.cli.inputs import parse_pairs, read_template, require_output
from geomface.cli.options import (
    CommonOptions,
    MaybeFile,
    OutputFile,
    TemplateOptions,
    require_options,
)
from geomface.cli.run import Run
from geomface.errors import SettingsError
from geomface.parametrization.settings import (
    GraphChoice,
    HoleTreatment,
    UnwrapSettings,
    WeightScheme,
)
from geomface.ranges import SHARE

if TYPE_CHECKING:
    from geomface.mesh import Template
    from geomface.parametrization import UnwrapResult


@dataclasses.dataclass(frozen=True)
class UnwrapOptions:
    """Map a template to the unit square, one uv a vertex.

    The outer boundary goes to the square's edge; no triangle flips; a symmetric template gets a
    symmetric map. Regions can be given a share of the square: --share eyes=0.1 mouth=0.1.
    """

    out: OutputFile
    """The template with its uv (OBJ or PLY)."""
    report: MaybeFile = None
    """JSON record with flips, stretch, mirror error and the share of every region."""
    share: Annotated[
        tuple[str, ...],
        tyro.conf.arg(metavar="REGION=SHARE", help_behavior_hint="(default: as they come)"),
    ] = ()
    """Part of the square that a region shall cover; a+b=0.2 names the union of two regions."""
    importance: Annotated[
        tuple[str, ...],
        tyro.conf.arg(metavar="REGION=FACTOR", help_behavior_hint="(default: 1 everywhere)"),
    ] = ()
    """The region counts as so many times longer and wider than it is."""
    weights: WeightScheme = UnwrapSettings.weights
    """Edge weights; cotangent is for comparison only, since it may flip triangles."""
    holes: HoleTreatment = UnwrapSettings.holes
    """fan closes eyes and mouth by a virtual vertex each; open leaves them."""
    graph: GraphChoice = UnwrapSettings.graph
    """Edges that carry weights: quads leaves the diagonals out, triangles takes all."""
    detail: float = UnwrapSettings.detail
    """0 gives every square millimetre the same area, 1 every triangle."""
    symmetric: bool = UnwrapSettings.symmetric
    """Make the map mirror-symmetric where the template is."""
    template: TemplateOptions = TemplateOptions()
    common: CommonOptions = CommonOptions()

    def __post_init__(self) -> None:
        require_options(self, detail=SHARE)


def run_unwrap(options: UnwrapOptions, run: Run) -> int:
    """Read, unwrap, write the mesh and the record."""
    from geomface.mesh.io import save_mesh
    from geomface.parametrization import unwrap

    run.require_cpu()
    read = (options.template.template, options.template.template_landmarks)
    require_output(options.out, "--out", (".obj", ".ply"), read)
    require_output(options.report, "--report", (".json",), read)
    settings = UnwrapSettings(
        weights=options.weights,
        holes=options.holes,
        graph=options.graph,
        detail=options.detail,
        symmetric=options.symmetric,
        shares=parse_pairs("--share", options.share, "eyes=0.1"),
        importance=parse_pairs("--importance", options.importance, "nose=2"),
    )
    template = read_template(options.template)
    _require_regions(settings, set(template.regions), template.mesh.name)
    if options.common.dry_run:
        shares = [f"give {name} {share:.3g} of it" for name, share in settings.shares.items()]
        return run.plan(
            [
                f"map {template.mesh.name} ({len(template.mesh.vertices)} vertices) to the square",
                *shares,
                f"write {options.out}",
            ]
        )
    result = unwrap(template, settings=settings)
    run.add_notes(result.report.notes)
    save_mesh(options.out, result.mesh)
    _save_companions(options.out, template, run)
    run.finish(distortion_figures(result), options.report)
    report = result.report
    run.say(
        f"{options.out}: {report.flips} flips, L2 stretch {report.l2_stretch:.3f}, L-infinity "
        f"stretch {report.linf_stretch:.2f}, {run.seconds:.2f} s"
    )
    for name in settings.shares:
        run.say(f"  {name} covers {100 * report.share[name]:.2f} % of the square")
    return 0


def _save_companions(out: Path, template: "Template", run: Run) -> None:
    """Write landmarks and regions beside the mesh; files that are there stay."""
    from geomface.mesh.io.templates import companion_path, save_embedding, save_regions

    def place(what: str) -> Path | None:
        path = companion_path(out, what)
        if path.exists():
            run.note(f"{path} was there and is kept; it goes with {out.name} from now on.")
        return None if path.exists() else path

    if template.landmarks is not None and (path := place("landmarks")) is not None:
        save_embedding(path, template.landmarks, template.mesh)
    if template.regions and (path := place("regions")) is not None:
        save_regions(path, template.regions)


def _require_regions(settings: UnwrapSettings, known: set[str], label: str) -> None:
    asked = [*settings.shares, *settings.importance]
    unknown = sorted({part for name in asked for part in name.split("+")} - known)
    if unknown:
        raise SettingsError(
            f"{label}: there is no region {', '.join(unknown)}; it has "
            f"{', '.join(sorted(known)) or 'none'}. Name regions in a file and give it with "
            "--regions."
        )


def distortion_figures(result: "UnwrapResult") -> dict[str, Any]:
    """Return the figures of an unwrap that a record carries."""
    figures = result.report.as_dict()
    # Settings, seconds and notes stand in the record already.
    kept = {key: figures[key] for key in figures if key not in ("settings", "seconds", "notes")}
    return kept | {"topology_id": result.mesh.topology_id, "solve_seconds": figures["seconds"]}


GROUP = CommandGroup(
    "unwrap",
    "Map a template to the unit square (uv).",
    {"": Command(UnwrapOptions, run_unwrap)},
)
