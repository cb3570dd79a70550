"""`geomface template`: a template out of a mesh of one's own."""

import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING

from geomface.cli.command import Command, CommandGroup
from geomface.cli.options import CommonOptions, Flag, Folder, InputFile, MaybeFile, ScanUnit
from geomface.cli.run import Run

if TYPE_CHECKING:
    from geomface.files.marker import FolderKind
    from geomface.mesh import LandmarkEmbedding, Landmarks, Mesh
    from geomface.pipeline import OwnTemplate

PAGE = "template.html"


@dataclasses.dataclass(frozen=True)
class TemplateMakeOptions:
    """Make a template of a mesh of a face: checks, unit and pose, landmarks, regions, uv.

    The mesh is one neutral face of any topology. What is wrong with it is said in one message.
    Landmarks that are not picked, and the regions, are carried over from the built-in face. Look
    at template.html, then: geomface pipeline run --template DIR --scans SCANS --out RESULT
    """

    mesh: InputFile
    """The mesh: OBJ, PLY, GLB, STL or OFF; OBJ and PLY keep quads."""
    out: Folder
    """Folder for the template: template.obj, .landmarks.json, .regions.json, .json and .html."""
    landmarks: MaybeFile = None
    """Landmarks picked on the mesh, as for scans (null for those to be carried over), or template
    landmarks: JSON with "vertices"."""
    unit: ScanUnit = None
    """Unit of the mesh's numbers: um, mm, cm, inch, m, or the millimetres in one as a number."""
    largest_part: Flag = False
    """Leave out all but the largest part: eyeballs, teeth, hair, loose vertices."""
    new_uv: Flag = False
    """Unwrap even if the mesh has a uv that can be used."""
    common: CommonOptions = CommonOptions()


def run_make(options: TemplateMakeOptions, run: Run) -> int:
    """Read, make, write the folder; the head comes last."""
    from geomface.mesh.io import load_mesh
    from geomface.mesh.io.templates import TEMPLATE_HEAD
    from geomface.pipeline.own_template import STEPS, make_template

    run.require_cpu()
    require_folder(options.out)
    mesh = load_mesh(options.mesh, unit=options.unit, texture=False)
    landmarks = None if options.landmarks is None else read_picked(options.landmarks, mesh)
    if options.common.dry_run:
        marks = "carry landmarks over" if landmarks is None else f"take {options.landmarks}"
        return run.plan(
            [
                f"check {mesh.name} ({len(mesh.vertices)} vertices), {marks}",
                f"write a template into {options.out}",
            ]
        )
    with run.progress("template", STEPS) as step:
        made = make_template(
            mesh,
            landmarks,
            largest=options.largest_part,
            uv="unwrap" if options.new_uv else "auto",
            on_progress=lambda done, total, what: step(done, what, total),
        )
    run.add_notes(made.notes)
    write_template(options.out, made, mesh.name)
    checks = [dataclasses.asdict(check) for check in made.checks]
    run.finish(made.figures | {"checks": checks, "head": options.out / TEMPLATE_HEAD})
    for check in made.checks:
        run.say(f"  {check.name}: {check.sentence}")
    run.say(
        f"{options.out}: a template of {len(made.template.mesh.vertices)} vertices, "
        f"{'its own uv' if made.own_uv else 'unwrapped'}, {run.seconds:.1f} s. Look at "
        f"{options.out / PAGE}, then: geomface pipeline run --template {options.out} ..."
    )
    return 0


def require_folder(out: Path) -> None:
    """Refuse a folder that holds anything but a template.

    Raises
    ------
    OutputError : somebody else's folder, or a file.
    """
    from geomface.files.marker import require_own_folder

    require_own_folder(out, _kind())


def read_picked(path: Path, mesh: "Mesh") -> "Landmarks | LandmarkEmbedding":
    """Read landmarks picked on a mesh, or template landmarks of it.

    Raises
    ------
    FileFormatError, LandmarkError : no landmarks, or not of this mesh.
    """
    from geomface.errors import GeomfaceError
    from geomface.files.records import read_json
    from geomface.mesh.io import load_embedding, load_landmarks

    if path.suffix.lower() == ".json":
        try:
            record = read_json(path)
        except GeomfaceError:
            record = None  # the reader below says what is wrong
        if isinstance(record, dict) and "vertices" in record:
            return load_embedding(path, mesh)
    return load_landmarks(path)


def write_template(out: Path, made: "OwnTemplate", name: str) -> None:
    """Write a template folder, its head last: a folder without one is no template.

    Raises
    ------
    OutputError : the folder is somebody else's, or cannot be written.
    """
    from geomface.files.atomic import write_bytes
    from geomface.files.marker import claim_folder
    from geomface.files.records import write_json
    from geomface.mesh.io import save_template
    from geomface.mesh.io.templates import (
        TEMPLATE_HEAD,
        TEMPLATE_KIND,
        TEMPLATE_MESH,
        TEMPLATE_SCHEMA,
    )
    from geomface.report.template_page import template_page

    claim_folder(out, _kind())
    (out / TEMPLATE_HEAD).unlink(missing_ok=True)
    save_template(out / TEMPLATE_MESH, made.template)
    write_bytes(out / PAGE, template_page(made, name, str(out)).encode("utf-8"))
    write_json(
        out / TEMPLATE_HEAD,
        {
            "kind": TEMPLATE_KIND,
            "schema": TEMPLATE_SCHEMA,
            "made_of": name,
            "checks": made.checks,
            "notes": made.notes,
        }
        | made.figures,
    )


def _kind() -> "FolderKind":
    from geomface.files.marker import FolderKind
    from geomface.mesh.io.templates import TEMPLATE_HEAD

    return FolderKind("template", "a template", "'geomface template make'", TEMPLATE_HEAD)


GROUP = CommandGroup(
    "template",
    "A template out of a mesh of one's own.",
    {"make": Command(TemplateMakeOptions, run_make)},
)
