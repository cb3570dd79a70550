"""`geomface model fit`: a morphable model of registered meshes."""

import dataclasses
from typing import TYPE_CHECKING, Annotated, Literal

import tyro

from geomface.cli.inputs import read_template, require_output
from geomface.cli.model.inputs import MeshFiles, expand, read_meshes
from geomface.cli.options import (
    CommonOptions,
    Flag,
    MaybeFile,
    OutputFile,
    TemplateOptions,
    require_options,
)
from geomface.cli.run import Run
from geomface.errors import MeshError
from geomface.ranges import COUNT

if TYPE_CHECKING:
    from geomface.arrays import FloatArray
    from geomface.mesh import Mesh, Template
    from geomface.statistics import TextureModel


@dataclasses.dataclass(frozen=True)
class ModelFitOptions:
    """Fit a morphable model (PCA) to registered meshes of one topology.

    The meshes are brought into one pose first; their size is kept, unless --remove-size. Colours
    or textures of the meshes become the texture model. Landmarks, regions and uv come from
    --template, else from the built-in face when it has the same topology.
    """

    meshes: MeshFiles
    """Registered meshes: names or a quoted pattern such as 'registered/*.ply'."""
    out: OutputFile
    """The model: a .safetensors file."""
    k: Annotated[int | None, tyro.conf.arg(metavar="N", help_behavior_hint="(default: all)")] = None
    """Keep at most so many modes."""
    variance: Annotated[
        float | None, tyro.conf.arg(metavar="SHARE", help_behavior_hint="(default: all)")
    ] = None
    """Keep the fewest modes that hold this share of the variance, such as 0.98."""
    remove_size: Flag = False
    """Scale all meshes to one size as well."""
    colors: Literal["auto", "none", "vertices", "textures"] = "auto"
    """What the texture model is made of; auto takes textures, else vertex colours, if all have
    them."""
    joint: Flag = False
    """Learn how shape and colour belong together, so that samples have colours to their shape."""
    template: TemplateOptions = TemplateOptions()
    report: MaybeFile = None
    """JSON record with the explained variance of each mode."""
    common: CommonOptions = CommonOptions()

    def __post_init__(self) -> None:
        require_options(self, k=COUNT, variance="(0, 1]")


def run_fit(options: ModelFitOptions, run: Run) -> int:
    """Read, align, fit, write."""
    from geomface.mesh.units import template_factor
    from geomface.statistics import MorphableModel, align_meshes, fit_pca, write_morphable
    from geomface.statistics.coupling import fit_coupling
    from geomface.statistics.one_set import one_set

    run.require_cpu()
    require_output(options.out, "--out", (".safetensors",))
    require_output(options.report, "--report", (".json",))
    paths = expand(options.meshes)
    if options.common.dry_run:
        return run.plan([f"fit a model to {len(paths)} meshes", f"write {options.out}"])
    meshes = read_meshes(paths, run)
    template = _template(options.template, meshes[0])
    bare = template.mesh.vertices is meshes[0].vertices
    known = None if bare else template.mesh.vertices * template_factor(template.mesh)
    vertices, notes = one_set(meshes, known)
    run.add_notes(notes)
    aligned = align_meshes(vertices, scale=options.remove_size)
    if not aligned.converged:
        run.note(f"the alignment still moved after {aligned.iterations} rounds.")
    shape = fit_pca(aligned.aligned, components=options.k, variance=options.variance)
    if not len(shape):
        raise MeshError(
            f"--meshes: {len(paths)} meshes hold no variance, so a model of them has no modes. "
            "Give at least two different faces."
        )
    texture, coupling = _texture(meshes, options), None
    if options.joint:
        if texture is None:
            raise MeshError("--joint: expected meshes with colours or textures, got none.")
        coupling = fit_coupling(shape.coefficients(aligned.aligned), _scores(texture, meshes))
    model = MorphableModel(
        template,
        shape,
        texture=texture,
        coupling=coupling,
        name=options.out.stem,
        card={
            "fitted to": f"{len(meshes)} registered meshes",
            "size": "removed" if options.remove_size else "kept",
            "variances": "s^2 / (n - 1)",
        },
    )
    write_morphable(options.out, model)
    held = 100 * float(shape.explained[-1]) if len(shape) else 0.0
    run.finish(
        {
            "meshes": len(paths),
            "modes": len(shape),
            "explained": shape.explained,
            "texture_modes": len(texture) if texture is not None else 0,
            "topology_id": model.topology_id,
        },
        options.report,
    )
    colors = "" if texture is None else f" and {len(texture)} of the colours"
    run.say(
        f"{options.out}: {len(shape)} modes{colors} from {len(paths)} meshes hold {held:.1f} % of "
        f"the variance, {run.seconds:.1f} s"
    )
    return 0


def _template(options: TemplateOptions, mesh: "Mesh") -> "Template":
    """Return the template of the meshes' topology: the one given, the built-in face, or bare."""
    from geomface.mesh import Template, require_same_topology

    template = read_template(options)
    if options.template is not None:
        require_same_topology(template.mesh, mesh)
        return template
    if template.mesh.topology_id != mesh.topology_id:
        return Template(mesh.replace(texture=None, colors=None))
    if mesh.uv is not None:
        uv = template.mesh.replace(uv=mesh.uv, uv_faces=mesh.uv_faces)
        template = dataclasses.replace(template, mesh=uv)
    return template


def _texture(meshes: "list[Mesh]", options: ModelFitOptions) -> "TextureModel | None":
    """Fit the texture model to what the meshes bring; None when they bring nothing alike."""
    import numpy as np

    from geomface.statistics import fit_texture_pca

    kinds = {
        "textures": [mesh.texture for mesh in meshes],
        "vertices": [mesh.colors for mesh in meshes],
    }
    for kind, arrays in kinds.items():
        if options.colors not in ("auto", kind):
            continue
        present = [array for array in arrays if array is not None]
        alike = len(present) == len(meshes) and len({array.shape for array in present}) == 1
        if alike:
            return fit_texture_pca(
                np.stack(present), components=options.k, variance=options.variance
            )
        if options.colors == kind:
            raise MeshError(
                f"--colors {kind}: expected {kind} of one size on all {len(meshes)} meshes, got "
                f"{len(present)}. Use --colors auto or none."
            )
    return None


def _scores(texture: "TextureModel", meshes: "list[Mesh]") -> "FloatArray":
    """Return the texture coefficients (N, T) of the meshes that the model was fitted to."""
    import numpy as np

    arrays = [mesh.texture if texture.is_image else mesh.colors for mesh in meshes]
    return texture.coefficients(np.stack([array for array in arrays if array is not None]))
