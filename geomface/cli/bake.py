"""`geomface bake`: a scan's colours on the template's texture."""

import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import tyro

from geomface.cli.command import Command, CommandGroup
from geomface.cli.inputs import PICTURE_SUFFIXES, read_template_with_uv, require_output
from geomface.cli.options import (
    CommonOptions,
    InputFile,
    MaybeFile,
    MaybeFolder,
    OutputFile,
    ScanUnit,
    TemplateFile,
    require_options,
)
from geomface.cli.run import Run
from geomface.errors import MeshError, SettingsError
from geomface.ranges import POSITIVE

if TYPE_CHECKING:
    from geomface.mesh import Mesh


@dataclasses.dataclass(frozen=True)
class BakeOptions:
    """Carry a scan's colours over to the template's texture.

    The scan's texture is used, else its vertex colours. Texels that the scan does not show are
    filled in smoothly and black in the mask.
    """

    mesh: InputFile
    """The template registered to the scan, as written by 'geomface register'."""
    scan: InputFile
    """The raw scan with vertex colours or a texture."""
    out: OutputFile
    """The texture: PNG or JPEG."""
    mask: MaybeFile = None
    """Picture of what was seen: white where measured, black where filled in."""
    template: TemplateFile = None
    """Template with uv, as written by 'geomface unwrap'; not needed where --mesh has uv."""
    unit: ScanUnit = None
    """Unit of the scan's numbers: um, mm, cm, inch, m, or the millimetres in one as a number."""
    size: int = 1024
    """Texels along each side."""
    max_distance_mm: float = 3.0
    """Largest distance between the registered surface and the scan."""
    max_normal_degrees: float = 60.0
    """Largest angle between their normals."""
    textures: MaybeFolder = None
    """Where the scan's texture lies too: files name pictures in their own folder only."""
    textured_mesh: Annotated[
        MaybeFile, tyro.conf.arg(metavar="FILE", help_behavior_hint="(optional)")
    ] = None
    """Also write the registered mesh with uv and this texture: OBJ or GLB."""
    report: MaybeFile = None
    """JSON record with the share of texels that were seen."""
    common: CommonOptions = CommonOptions()

    def __post_init__(self) -> None:
        require_options(
            self, size="[2, 8192]", max_distance_mm=POSITIVE, max_normal_degrees="(0, 180]"
        )


def run_bake(options: BakeOptions, run: Run) -> int:
    """Read, bake, write."""
    import numpy as np

    from geomface.files import save_image
    from geomface.geometry_image import BakeSettings, bake_texture
    from geomface.mesh.io import load_mesh, save_mesh
    from geomface.mesh.io.texture_files import save_texture
    from geomface.mesh.uv_fingerprint import uv_fingerprint

    run.require_cpu()
    read = (options.mesh, options.scan, options.template)
    require_output(options.out, "--out", PICTURE_SUFFIXES, read)
    require_output(options.mask, "--mask", PICTURE_SUFFIXES, read)
    require_output(options.textured_mesh, "--textured-mesh", (".obj", ".glb"), read)
    require_output(options.report, "--report", (".json",), read)
    if not 8 <= options.size <= 16384:
        raise SettingsError(f"--size: expected 8 to 16384 texels, got {options.size}.")
    settings = BakeSettings(options.max_distance_mm, options.max_normal_degrees)
    mesh = load_mesh(options.mesh, texture=False)
    template = _with_uv(options.template, mesh)
    scan = load_mesh(options.scan, unit=options.unit, texture=options.textures or True)
    if options.common.dry_run:
        outputs = (options.out, options.mask, options.textured_mesh)
        return run.plan(
            [
                f"bake {scan.name} onto {template.name} at {options.size} texels",
                *[f"write {path}" for path in outputs if path is not None],
            ]
        )
    result = bake_texture(template, mesh.vertices, scan, options.size, settings)
    run.add_notes(result.notes)
    save_texture(options.out, result.texture, uv_fingerprint(template))
    if options.mask is not None:
        seen = np.repeat(result.mask[..., None], 3, axis=2).astype(np.float32)
        save_image(options.mask, seen)
    if options.textured_mesh is not None:
        textured = mesh.replace(uv=template.uv, uv_faces=template.uv_faces, texture=result.texture)
        save_mesh(options.textured_mesh, textured)
    run.finish(
        {
            "size": options.size,
            "kept_fraction": result.kept_fraction,
            "topology_id": template.topology_id,
            "uv_fingerprint": uv_fingerprint(template),
        },
        options.report,
    )
    run.say(
        f"{options.out}: {options.size} x {options.size} texels, "
        f"{100 * result.kept_fraction:.0f} % of the face seen, {run.seconds:.1f} s"
    )
    return 0


def _with_uv(template: Path | None, mesh: "Mesh") -> "Mesh":
    """Return what has the uv: the registered mesh, else the template, which must have the same.

    Raises
    ------
    MeshError : no uv, or a mesh and a template with different ones
    TopologyMismatchError : a mesh of another template
    """
    import numpy as np

    from geomface.mesh import require_same_topology
    from geomface.mesh.uv_fingerprint import UV_ROUNDING

    if mesh.uv is not None and template is None:
        return mesh
    found = read_template_with_uv(template)
    require_same_topology(found, mesh)
    if mesh.uv is not None and found.uv is not None:
        of_mesh, of_template = mesh.uv[mesh.uv_faces], found.uv[found.uv_faces]
        if not np.allclose(of_mesh, of_template, rtol=0, atol=UV_ROUNDING):
            raise MeshError(
                f"{mesh.name} and {found.name} have different uv: a texture of one does not fit "
                "the other. Leave --template out to bake for the uv of the mesh."
            )
    return found


GROUP = CommandGroup(
    "bake",
    "A scan's colours on the template's texture.",
    {"": Command(BakeOptions, run_bake)},
)
