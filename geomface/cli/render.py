"""`geomface render`: a picture of a mesh."""

import dataclasses
from typing import TYPE_CHECKING

from geomface.cli.command import Command, CommandGroup
from geomface.cli.inputs import PICTURE_SUFFIXES, require_output
from geomface.cli.options import (
    CommonOptions,
    Flag,
    InputFile,
    MaybeFile,
    OutputFile,
    require_options,
)
from geomface.cli.run import Run
from geomface.errors import MeshError, SettingsError
from geomface.ranges import POSITIVE

if TYPE_CHECKING:
    from geomface.mesh import Mesh


@dataclasses.dataclass(frozen=True)
class RenderOptions:
    """A picture of a mesh, one view a --yaw, side by side.

    The mesh shows its texture, else its vertex colours, else grey. With --compare it shows the
    distance of every vertex to the same vertex of another mesh.
    """

    mesh: InputFile
    """The mesh: OBJ, PLY, GLB, STL or OFF."""
    out: OutputFile
    """The picture: PNG or JPEG."""
    yaw: tuple[float, ...] = (-40.0, 0.0, 40.0)
    """Degrees, positive turns the face to the subject's left; one picture each."""
    pitch: float = 0.0
    """Degrees, positive lifts the chin."""
    size: int = 512
    """Pixels of each view."""
    texture: MaybeFile = None
    """Texture image to show, on the mesh's uv."""
    plain: Flag = False
    """Grey surface, without texture and colours."""
    compare: MaybeFile = None
    """Mesh of the same topology: colours show the distance between equal vertices."""
    upper_mm: float = 3.0
    """Distance of the last colour under --compare."""
    common: CommonOptions = CommonOptions()

    def __post_init__(self) -> None:
        require_options(self, size="[16, 8192]", upper_mm=POSITIVE)


def run_render(options: RenderOptions, run: Run) -> int:
    """Read the mesh and write the picture."""
    import numpy as np

    from geomface.files import save_image
    from geomface.mesh import require_same_topology
    from geomface.mesh.io import load_mesh
    from geomface.rendering import contact_sheet, frame_of, heat_colors, render_mesh

    run.require_cpu()
    require_output(options.out, "--out", PICTURE_SUFFIXES, (options.mesh, options.texture))
    if not options.yaw:
        raise SettingsError("--yaw: expected at least one angle, got none.")
    mesh = _dressed(load_mesh(options.mesh), options)
    colors = None
    figures: dict[str, object] = {"vertices": len(mesh.vertices)}
    if options.compare is not None:
        other = load_mesh(options.compare)
        require_same_topology(mesh, other)
        distances = np.linalg.norm(mesh.vertices - other.vertices, axis=1)
        colors = heat_colors(distances, options.upper_mm)
        figures |= {"mean_mm": distances.mean(), "max_mm": distances.max()}
    if options.common.dry_run:
        return run.plan([f"render {mesh.name} from {len(options.yaw)} sides into {options.out}"])
    frame = frame_of([mesh.vertices])
    views = [
        render_mesh(
            mesh, size=options.size, yaw=yaw, pitch=options.pitch, colors=colors, frame=frame
        )
        for yaw in options.yaw
    ]
    save_image(options.out, views[0] if len(views) == 1 else contact_sheet(views, len(views)))
    run.finish(figures)
    run.say(f"{options.out}: {len(views)} views of {mesh.name}, {run.seconds:.1f} s")
    if options.compare is not None:
        run.say(f"distance: mean {figures['mean_mm']:.3f} mm, largest {figures['max_mm']:.3f} mm")
    return 0


def _dressed(mesh: "Mesh", options: RenderOptions) -> "Mesh":
    """Return the mesh with the texture asked for, or without any."""
    from geomface.mesh.io.texture_files import load_texture_of

    if options.plain:
        if options.texture is not None:
            raise SettingsError("--plain and --texture contradict each other: give one of them.")
        return mesh.replace(texture=None, colors=None)
    if options.texture is None:
        return mesh
    if mesh.uv is None:
        raise MeshError(
            f"{mesh.name}: --texture needs a mesh with uv, and this one has none. Unwrap it first."
        )
    return mesh.replace(texture=load_texture_of(options.texture, mesh))


GROUP = CommandGroup("render", "A picture of a mesh.", {"": Command(RenderOptions, run_render)})
