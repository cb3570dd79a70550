"""`geomface export`: a mesh with its texture as a file for other programs."""

import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from geomface.cli.command import Command, CommandGroup
from geomface.cli.inputs import MESH_SUFFIXES, require_output
from geomface.cli.options import CommonOptions, Flag, InputFile, MaybeFile
from geomface.cli.run import Run
from geomface.errors import MeshError, OutputError, SettingsError

if TYPE_CHECKING:
    from geomface.mesh import Mesh


@dataclasses.dataclass(frozen=True)
class ExportMeshOptions:
    """Write a mesh, with a texture on it, for other programs: GLB, OBJ or PLY.

    GLB is in metres, as every program expects of it; the others keep the mesh's unit and say it.
    """

    mesh: InputFile
    """The mesh: OBJ, PLY, GLB, STL or OFF; its own texture comes along."""
    texture: MaybeFile = None
    """Another texture to put on its uv."""
    format: Literal["glb", "obj", "ply"] | None = None
    """What to write: by default what --out ends in, else glb."""
    out: MaybeFile = None
    """The file: by default beside the mesh and named after it; one that is there is then kept."""
    triangles: Flag = False
    """Write triangles where the mesh has quads: another topology, for programs without quads."""
    split_seams: Flag = False
    """Double the vertices at uv seams, behind the others: for programs with one uv a vertex."""
    common: CommonOptions = CommonOptions()


def run_export_mesh(options: ExportMeshOptions, run: Run) -> int:
    """Read, dress, write."""
    from geomface.mesh.io import load_mesh, save_mesh
    from geomface.mesh.io.seams import without_seams
    from geomface.mesh.io.texture_files import load_texture_of

    run.require_cpu()
    out = _place(options)
    mesh = load_mesh(options.mesh, texture=options.texture is None)
    if options.texture is not None:
        if mesh.uv is None:
            raise MeshError(
                f"{mesh.name}: --texture needs a mesh with uv, and this one has none. Take one "
                "registered to a template with uv, or 'geomface bake --textured-mesh'."
            )
        mesh = mesh.replace(texture=load_texture_of(options.texture, mesh))
    if options.triangles:
        mesh = mesh.replace(quads=None, faces=mesh.faces, painted=mesh.painted)
    if options.split_seams:
        mesh = without_seams(mesh)
    unit = "m" if out.suffix.lower() == ".glb" else mesh.unit
    if options.common.dry_run:
        return run.plan([f"write {mesh.name} as {out}, in {unit}"])
    save_mesh(out, mesh)
    run.finish({"out": str(out), "unit": unit, **_figures(mesh)})
    run.say(f"{out}: {len(mesh.vertices)} vertices, in {unit}, {run.seconds:.1f} s")
    return 0


def _figures(mesh: "Mesh") -> dict[str, object]:
    return {
        "vertices": len(mesh.vertices),
        "triangles": len(mesh.faces),
        "quads": 0 if mesh.quads is None else len(mesh.quads),
        "textured": mesh.texture is not None,
        "topology_id": mesh.topology_id,
    }


def _place(options: ExportMeshOptions) -> Path:
    """Return the file to write, checked.

    Raises
    ------
    SettingsError : --format and --out contradict each other.
    OutputError : a file of the mesh's own name is there, or the place cannot be written.
    """
    inputs = (options.mesh, options.texture)
    if options.out is None:
        out = options.mesh.with_suffix(f".{options.format or 'glb'}")
        if out.exists():
            raise OutputError(f"{out} is there and is kept. Name another file with --out.")
    else:
        out = options.out
        if options.format and out.suffix.lower() != f".{options.format}":
            raise SettingsError(
                f"--out {out}: expected a name ending in .{options.format}, as --format says."
            )
    require_output(out, "--out", MESH_SUFFIXES[:3], inputs)
    return out


GROUP = CommandGroup(
    "export",
    "A mesh as a file for other programs.",
    {"mesh": Command(ExportMeshOptions, run_export_mesh)},
)
