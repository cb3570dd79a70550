"""`geomface model show`: what a model holds, in words and pictures."""

import dataclasses
from typing import TYPE_CHECKING, Annotated

import tyro

from geomface.cli.inputs import make_folder, read_model
from geomface.cli.model.inputs import ModelFile
from geomface.cli.options import CommonOptions, Folder, require_options
from geomface.cli.run import Run
from geomface.ranges import COUNT, POSITIVE

if TYPE_CHECKING:
    from geomface.statistics import MorphableModel


@dataclasses.dataclass(frozen=True)
class ModelShowOptions:
    """Say what a model holds; with --out also draw it.

    Writes spectrum.png, samples.png and a walk along the leading modes of each part, at -3 to +3
    standard deviations.
    """

    model: ModelFile = None
    """Any model file that 'geomface model convert' reads, or a factored_geometry run;
    shipped is the trained model that ships."""
    out: Annotated[
        Folder | None, tyro.conf.arg(metavar="DIR", help_behavior_hint="(default: no pictures)")
    ] = None
    """Folder for the pictures; it is created."""
    modes: int = 4
    """How many modes of each part to walk along."""
    sigma: float = 3.0
    """Where the walk ends, in standard deviations."""
    common: CommonOptions = CommonOptions()

    def __post_init__(self) -> None:
        require_options(self, modes=COUNT, sigma=POSITIVE)


def run_show(options: ModelShowOptions, run: Run) -> int:
    """Read, tell, draw."""
    run.require_cpu()
    if options.out is not None:
        make_folder(options.out, create=False)
    model = read_model(options.model)
    if options.common.dry_run:
        return run.plan([f"show {model.name}", f"draw it into {options.out}"])
    if options.out is not None:
        make_folder(options.out)
    pictures = [] if options.out is None else _draw(model, options, run)
    rows = []
    for part in ("shape", "expression", "texture"):
        linear = getattr(model, part)
        if linear is not None:
            held = f"{100 * linear.explained[-1]:.1f} %" if len(linear) else "-"
            rows.append([part, str(len(linear)), " x ".join(map(str, linear.mean.shape)), held])
    run.finish(
        {
            "name": model.name,
            "vertices": len(model.mesh.vertices),
            "faces": len(model.mesh.faces),
            "modes": {row[0]: int(row[1]) for row in rows},
            "card": model.card,
            "pictures": pictures,
            "topology_id": model.topology_id,
        }
    )
    landmarks = model.template.landmarks
    run.say(
        f"{model.name}: {len(model.mesh.vertices)} vertices, {len(model.mesh.faces)} triangles, "
        f"{0 if landmarks is None else len(landmarks)} landmarks, topology {model.topology_id}"
    )
    run.table(["part", "modes", "size", "variance held"], rows)
    if model.expression is not None and model.expression.names:
        run.say(f"expressions: {', '.join(model.expression.names)}")
    for key, text in model.card.items():
        run.say(f"{key}: {text}")
    for path in pictures:
        run.say(f"picture: {path}")
    return 0


def _draw(model: "MorphableModel", options: ModelShowOptions, run: Run) -> list[Folder]:
    """Write the pictures and return their paths."""
    from geomface.files import save_image
    from geomface.report.model_figures import (
        sample_sheet,
        save_figure,
        spectrum_figure,
        walk_sheet,
    )

    folder = options.out
    if folder is None:
        return []
    parts = {
        part: getattr(model, part)
        for part in ("shape", "expression", "texture")
        if getattr(model, part) is not None and len(getattr(model, part))
    }
    written = []
    with run.progress("drawing", 2 + len(parts)) as step:
        if parts:
            save_figure(folder / "spectrum.png", spectrum_figure(parts))
            written.append(folder / "spectrum.png")
        step(1, "spectrum")
        save_image(folder / "samples.png", sample_sheet(model, seed=options.common.seed))
        written.append(folder / "samples.png")
        step(2, "samples")
        for index, part in enumerate(parts):
            path = folder / f"walk_{part}.png"
            sheet = walk_sheet(model, modes=options.modes, sigma=options.sigma, part=part)
            save_image(path, sheet)
            written.append(path)
            step(3 + index, part)
    return written
