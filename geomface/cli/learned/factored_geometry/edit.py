"""`geomface edit factored_geometry`: give people other expressions, or expressions other people."""

import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import tyro

from geomface.cli.inputs import make_folder
from geomface.cli.learned.factored_geometry.faces import (
    load_run,
    read_faces,
    require_format,
    require_new,
)
from geomface.cli.options import CommonOptions, Flag, require_options
from geomface.cli.run import Run
from geomface.errors import SettingsError

if TYPE_CHECKING:
    from geomface.arrays import FloatArray
    from geomface.gan.factored_geometry import Codes, FactoredModel

RANDOM = "random"
RESTING = "neutral"
FARTHEST = 10.0
"""Largest share."""


@dataclasses.dataclass(frozen=True)
class EditFactoredOptions:
    """Edit registered faces: one row a person, one column an expression.

    Each expression is the name of a class (happy), a registered mesh whose expression is
    transferred, or codes.json of geomface fit. What the model cannot say of a given mesh, such as
    wrinkles, stays with it. Writes person00_expression00.ply and so on, and sheet.png.
    """

    run: Annotated[tyro.conf.Positional[str], tyro.conf.arg(metavar="RUN")]
    """Run directory, checkpoint or model file; shipped is the model that ships."""
    identity: Annotated[tuple[str, ...], tyro.conf.arg(metavar="MESH|CODES|random...")]
    """The people, one or more: registered meshes, codes.json, or random."""
    expression: Annotated[tuple[str, ...], tyro.conf.arg(metavar="NAME|MESH|CODES|random...")]
    """The expressions they are given, one or more; random draws one."""
    share: tuple[float, ...] = (1.0,)
    """How far towards each expression: 0 keeps the person's own, 1 replaces it, 0.5 is half way;
    several make a column each, beyond 1 it is exaggerated."""
    add: Flag = False
    """Add what the expression differs from neutral by to the person's own, times --share."""
    factor: Annotated[
        str | None, tyro.conf.arg(metavar="NAME", help_behavior_hint="(default: expression)")
    ] = None
    """The factor that is changed; identity swaps the roles of the two options above."""
    no_detail: Flag = False
    """Write the model's faces, without what it cannot say of the given meshes."""
    align: Flag = False
    """First move each mesh onto the model's mean face, keeping its size."""
    out: Annotated[Path, tyro.conf.arg(metavar="DIR")] = Path("geomface-edit")
    """Folder for the results, without those of an earlier run; it is created."""
    format: tuple[Literal["obj", "ply", "glb"], ...] = ("ply",)
    """Formats of the meshes, one or more."""
    common: CommonOptions = CommonOptions()

    def __post_init__(self) -> None:
        require_options(
            self,
        )


@dataclasses.dataclass(frozen=True, eq=False)
class Given:
    """A face that was given.

    Parameters
    ----------
    name : for the sheet
    code : one, its fit if it was a mesh
    vertices : (V, 3) mm of a mesh, None of codes
    """

    name: str
    code: "Codes"
    vertices: "FloatArray | None" = None


def run_edit(options: EditFactoredOptions, run: Run) -> int:
    """Read, fit, edit, write."""
    import numpy as np

    from geomface.files import save_image
    from geomface.gan.factored_geometry import edit_faces, stack_codes
    from geomface.mesh.io import save_mesh
    from geomface.report.factor_sheet import factor_sheet

    run.require_cpu()
    make_folder(options.out, create=False)
    require_new(options.out)
    require_format(options.format)
    model = load_run(options.run)
    factor = options.factor or model.spec.factors[-1].name
    classes = model.spec.factor(factor).classes
    check_words(options, factor, classes)
    if options.common.dry_run:
        wide = len(options.expression) * len(options.share)
        what = f"edit {len(options.identity)} faces towards {wide} of {factor}"
        return run.plan([what, f"write {options.out}"])
    people = [item for group in read_given(model, options.identity, options, run) for item in group]
    looks = [word for word in options.expression if word not in classes]
    found = iter(read_given(model, looks, options, run, seed=options.common.seed + 1))
    targets: list[tuple[str, np.ndarray]] = []
    for word in options.expression:
        if word in classes:
            targets.append((word, model.code(factor, word)))
        else:
            targets += [(item.name, item.code.part(factor)[0]) for item in next(found)]
    rest = model.code(factor, RESTING) if RESTING in classes else np.zeros(len(targets[0][1]))
    many = options.share != (1.0,)
    columns = ["given"] + [
        f"{share:g} {name}" if many else name for name, _ in targets for share in options.share
    ]
    sheet, written = [], []
    for row, person in enumerate(people):
        own = person.code.part(factor)[0]
        parts = [
            own + share * (goal - (rest if options.add else own))
            for _, goal in targets
            for share in options.share
        ]
        before = stack_codes([person.code] * len(parts))
        kept = None
        if person.vertices is not None and not options.no_detail:
            kept = np.repeat(person.vertices[None], len(parts), axis=0)
        faces = edit_faces(model, before, before.replace(**{factor: np.stack(parts)}), kept)
        given = person.vertices
        sheet += [model.vertices(person.code)[0] if given is None else given, *faces]
        written += [
            (f"person{row:02d}_{factor}{column:02d}", face) for column, face in enumerate(faces)
        ]
    make_folder(options.out)
    bare = model.template.mesh
    for name, face in written:
        for suffix in options.format:
            save_mesh(options.out / f"{name}.{suffix}", bare.replace(vertices=face, name=name))
    picture, names = options.out / "sheet.png", [person.name for person in people]
    save_image(picture, factor_sheet(bare, np.stack(sheet), columns, names))
    run.finish(
        {
            "factor": factor,
            "people": names,
            "columns": columns[1:],
            "step": model.step,
            "faces": [name for name, _ in written],
            "sheet": picture,
        }
    )
    run.say(f"{options.out}: {len(written)} faces, see {picture}; {run.seconds:.1f} s")
    return 0


def check_words(options: EditFactoredOptions, factor: str, classes: tuple[str, ...]) -> None:
    """Refuse what is neither a class nor a file, before anything is fitted."""
    if not options.identity or not options.expression or not options.share:
        raise SettingsError("--identity, --expression, --share: expected one or more of each.")
    for share in options.share:
        if not abs(share) <= FARTHEST:  # NaN too
            raise SettingsError(
                f"--share: expected numbers from -{FARTHEST:g} to {FARTHEST:g}, got {share:g}. 0 "
                "keeps the person's own expression, 1 replaces it."
            )
    for flag, words, known in (
        ("--identity", options.identity, (RANDOM,)),
        ("--expression", options.expression, (RANDOM, *classes)),
    ):
        for word in words:
            if word not in known and not Path(word).is_file():
                shown = ", ".join(known[:12]) + (", ..." if len(known) > 12 else "")
                raise SettingsError(
                    f"{flag}: expected {shown}, a registered mesh or codes of a fit; got {word!r}, "
                    "and there is no such file."
                )


def read_given(
    model: "FactoredModel",
    words: "tuple[str, ...] | list[str]",
    options: EditFactoredOptions,
    run: Run,
    *,
    seed: int | None = None,
) -> list[list[Given]]:
    """Return the faces that each word names: one, or all of a codes file."""
    from geomface.gan.factored_geometry import fit_faces
    from geomface.gan.factored_geometry.codes_file import generator_identity, load_codes
    from geomface.gan.factored_geometry.registered_input import registered_vertices

    drawn = model.draw(max(len(words), 1), seed=options.common.seed if seed is None else seed)
    paths = [Path(word) for word in words if word != RANDOM and Path(word).suffix != ".json"]
    fitted: dict[int, Given] = {}
    if paths:
        faces = read_faces(model, list(dict.fromkeys(paths)), align=options.align)
        vertices, _, _ = registered_vertices(faces, model.frame.template)
        with run.progress("fit", 1) as step:
            fit = fit_faces(model, faces, on_progress=lambda done, total: step(done, "", total))
        for row, face in enumerate(faces):
            run.note(f"{face.name}: fitted with a mean distance of {fit.errors[row]:.2f} mm")
            fitted[row] = Given(face.name, fit.codes[row : row + 1], vertices[row])
    place = {path: row for row, path in enumerate(dict.fromkeys(paths))}
    topology, random = model.template.mesh.topology_id, 0
    found = []
    for word in words:
        if word == RANDOM:
            found.append([Given(f"random {random + 1}", drawn[random : random + 1])])
            random += 1
        elif Path(word).suffix == ".json":
            own = generator_identity(model.generator)
            codes = load_codes(word, model.spec, topology_id=topology, generator=own)
            found.append([Given(name, code) for name, code in codes.items()])
        else:
            found.append([fitted[place[Path(word)]]])
    return found
