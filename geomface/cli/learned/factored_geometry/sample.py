"""`geomface sample factored_geometry`: draw people, each with the same expressions."""

import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import tyro

from geomface.cli.inputs import make_folder
from geomface.cli.learned.factored_geometry.faces import (
    SHIPPED,
    load_run,
    require_format,
    require_new,
)
from geomface.cli.options import CommonOptions, Flag, require_options
from geomface.cli.run import Run
from geomface.ranges import COUNT, POSITIVE

if TYPE_CHECKING:
    from geomface.gan.factored_geometry import FactoredModel
    from geomface.gan.factored_geometry.grids import CodeGrid

SHEET_ROWS, SHEET_COLUMNS = 12, 12
"""People and expressions on the sheet at most."""
RunOrShipped = Annotated[
    tyro.conf.Positional[Path | None],
    tyro.conf.arg(metavar="RUN", help_behavior_hint="(default: the model that ships)"),
]


@dataclasses.dataclass(frozen=True)
class SampleFactoredOptions:
    """Draw faces from a factored geometry GAN: rows are people, columns expressions.

    Writes person00_expression00.ply and so on, in mm, and sheet.png. The expressions that have a
    name come first, random ones follow; within a row nothing but the expression changes.
    """

    run: RunOrShipped = None
    """Run directory, one of its checkpoints, or a model file."""
    out: Annotated[Path, tyro.conf.arg(metavar="DIR")] = Path("geomface-people")
    """Folder for the meshes and sheet.png, without those of an earlier run; it is created."""
    people: int = 5
    """People, the rows."""
    expressions: Annotated[
        int | None, tyro.conf.arg(metavar="INT", help_behavior_hint="(default: all with a name)")
    ] = None
    """Expressions of each, the columns."""
    format: tuple[Literal["obj", "ply", "glb"], ...] = ("ply",)
    """Formats of the meshes, one or more."""
    morph_targets: Flag = False
    """Also write person00.glb and so on: one file a person, with a morph target an expression."""
    alpha: Annotated[
        float | None, tyro.conf.arg(metavar="FLOAT", help_behavior_hint="(default: the model's)")
    ] = None
    """Smoothness of the meshes, above 0: larger is smoother and has less detail."""
    common: CommonOptions = CommonOptions()

    def __post_init__(self) -> None:
        require_options(self, people=COUNT, expressions=COUNT, alpha=POSITIVE)


def run_sample(options: SampleFactoredOptions, run: Run) -> int:
    """Load, draw, write."""
    from geomface.files import save_image
    from geomface.gan.factored_geometry.grids import draw_grid
    from geomface.mesh.io import save_mesh
    from geomface.report.factor_sheet import factor_sheet

    run.require_cpu()
    make_folder(options.out, create=False)
    require_new(options.out)
    require_format(options.format)
    model = load_run(SHIPPED if options.run is None else str(options.run))
    grid = draw_grid(model, options.people, options.expressions, seed=options.common.seed)
    columns, names = list(grid.columns), grid.names
    if options.common.dry_run:
        what = f"draw {options.people} people with {len(columns)} of {grid.factor}"
        return run.plan([what, f"write {len(names)} meshes and sheet.png to {options.out}"])
    vertices = model.vertices(grid.codes, alpha=options.alpha)
    make_folder(options.out)
    bare = model.template.mesh
    with run.progress("write", len(names)) as step:
        for index, name in enumerate(names):
            face = bare.replace(vertices=vertices[index], name=name)
            for suffix in options.format:
                save_mesh(options.out / f"{name}.{suffix}", face)
            step(index + 1, name)
    if options.morph_targets:
        _save_morphs(model, grid, options)
    rows, shown = grid.rows[:SHEET_ROWS], columns[:SHEET_COLUMNS]
    faces = vertices.reshape(len(grid.rows), len(columns), -1, 3)[: len(rows), : len(shown)]
    sheet = options.out / "sheet.png"
    save_image(sheet, factor_sheet(bare, faces.reshape(-1, *faces.shape[2:]), shown, rows))
    run.finish(
        {
            "people": options.people,
            "factor": grid.factor,
            "columns": columns,
            "faces": len(names),
            "step": model.step,
            "topology_id": bare.topology_id,
            "sheet": sheet,
        }
    )
    run.say(
        f"{options.out}: {options.people} people x {len(columns)} of {grid.factor}, see {sheet}; "
        f"{run.seconds:.1f} s"
    )
    return 0


def _save_morphs(model: "FactoredModel", grid: "CodeGrid", options: SampleFactoredOptions) -> None:
    """Write one GLB a person; at rest it is the first expression, which is neutral if there is."""
    from geomface.gan.factored_geometry import save_morph_targets

    columns = dict(grid.columns)
    rest = "neutral" if "neutral" in columns else next(iter(columns))
    if len(columns) > 1:
        columns.pop(rest)
    start = list(grid.columns).index(rest)
    for index, row in enumerate(grid.rows):
        person = grid.codes[index * len(grid.columns) + start :][:1]
        path = options.out / f"{row}.glb"
        save_morph_targets(path, model, person, columns, factor=grid.factor, alpha=options.alpha)
