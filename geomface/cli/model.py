"""`geomface model`: a point model from registered meshes: fit, sample, project."""

import dataclasses
import glob
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import tyro

from geomface.cli.command import Command, CommandGroup
from geomface.cli.inputs import MESH_SUFFIXES, make_folder, require_output
from geomface.cli.options import CommonOptions, Flag, Folder, InputFile, MaybeFile, OutputFile
from geomface.cli.run import Run
from geomface.errors import FileFormatError, SettingsError

if TYPE_CHECKING:
    from geomface.mesh import Mesh


@dataclasses.dataclass(frozen=True)
class ModelFitOptions:
    """Fit a point model (PCA) to registered meshes of one topology.

    The meshes are brought into one pose first; their size is kept, unless --remove-size.
    """

    meshes: Annotated[tuple[str, ...], tyro.conf.arg(metavar="FILES")]
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
    report: MaybeFile = None
    """JSON record with the explained variance of each mode."""
    common: CommonOptions = CommonOptions()


@dataclasses.dataclass(frozen=True)
class ModelSampleOptions:
    """Draw new meshes from a point model: sample000.ply and so on."""

    model: InputFile
    """A model written by 'geomface model fit'."""
    out: Folder
    """Folder for the meshes; it is created."""
    count: int = 8
    """Number of meshes."""
    sigma: float = 1.0
    """Spread of the coefficients: under 1 stays nearer to the mean."""
    common: CommonOptions = CommonOptions()


@dataclasses.dataclass(frozen=True)
class ModelProjectOptions:
    """Bring a registered mesh as near to a point model as it can: what the model knows of it."""

    model: InputFile
    """A model written by 'geomface model fit'."""
    mesh: InputFile
    """A mesh registered to the model's template."""
    out: OutputFile
    """The projected mesh, in the pose of the input."""
    keep_size: Flag = False
    """Align by rotation and translation only."""
    report: MaybeFile = None
    """JSON record with the coefficients and the distance."""
    common: CommonOptions = CommonOptions()


def run_fit(options: ModelFitOptions, run: Run) -> int:
    """Read, align, fit, write."""
    import numpy as np

    from geomface.mesh import require_same_topology
    from geomface.mesh.io import load_mesh
    from geomface.statistics import align_meshes, fit_pca, save_point_model

    run.require_cpu()
    require_output(options.out, "--out", (".safetensors",))
    require_output(options.report, "--report", (".json",))
    paths = _expand(options.meshes)
    if options.common.dry_run:
        return run.plan([f"fit a point model to {len(paths)} meshes", f"write {options.out}"])
    reference: Mesh | None = None
    stack = []
    with run.progress("reading", len(paths)) as step:
        for index, path in enumerate(paths):
            mesh = load_mesh(path)
            reference = reference or mesh
            require_same_topology(reference, mesh)
            stack.append(mesh.vertices)
            step(index + 1, path.name)
    aligned = align_meshes(np.stack(stack), scale=options.remove_size)
    model = fit_pca(
        aligned.aligned, components=options.k, variance=options.variance, reference=reference
    )
    save_point_model(options.out, model)
    run.finish(
        {
            "meshes": len(paths),
            "modes": len(model),
            "explained": model.explained,
            "topology_id": model.topology_id,
        },
        options.report,
    )
    held = 100 * float(model.explained[-1]) if len(model) else 0.0
    run.say(
        f"{options.out}: {len(model)} modes from {len(paths)} meshes hold {held:.1f} % of the "
        f"variance, {run.seconds:.1f} s"
    )
    return 0


def run_sample(options: ModelSampleOptions, run: Run) -> int:
    """Draw meshes and write them."""
    import numpy as np

    from geomface.mesh.io import save_mesh
    from geomface.statistics import load_point_model

    run.require_cpu()
    if options.count < 1:
        raise SettingsError(f"--count: expected at least 1, got {options.count}.")
    if options.sigma < 0:
        raise SettingsError(f"--sigma: expected 0 or more, got {options.sigma}.")
    make_folder(options.out, create=not options.common.dry_run)
    model = load_point_model(options.model)
    if options.common.dry_run:
        return run.plan([f"draw {options.count} meshes from {len(model)} modes into {options.out}"])
    names = []
    for index in range(options.count):
        rng = np.random.default_rng([options.common.seed, index])
        name = f"sample{index:03d}"
        vertices = model.sample(rng, sigma=options.sigma)
        save_mesh(options.out / f"{name}.ply", model.mesh(vertices, name))
        names.append(options.out / f"{name}.ply")
    run.finish({"count": options.count, "meshes": names, "topology_id": model.topology_id})
    run.say(f"{options.count} meshes in {options.out}, {run.seconds:.1f} s")
    return 0


def run_project(options: ModelProjectOptions, run: Run) -> int:
    """Align to the mean, project, move back."""
    import numpy as np

    from geomface.mesh.io import load_mesh, save_mesh
    from geomface.mesh.similarity import fit_similarity
    from geomface.statistics import load_point_model

    run.require_cpu()
    require_output(options.out, "--out", MESH_SUFFIXES, (options.mesh, options.model))
    require_output(options.report, "--report", (".json",), (options.mesh, options.model))
    model = load_point_model(options.model)
    mesh = load_mesh(options.mesh)
    model.require_topology(mesh)
    if options.common.dry_run:
        return run.plan([f"project {mesh.name} onto {len(model)} modes", f"write {options.out}"])
    to_model = fit_similarity(mesh.vertices, model.mean, scale=not options.keep_size)
    coefficients = model.coefficients(to_model.apply(mesh.vertices))
    projected = to_model.inverse().apply(model.reconstruct(coefficients))
    distances = np.linalg.norm(projected - mesh.vertices, axis=1)
    save_mesh(options.out, mesh.replace(vertices=projected))
    figures = {
        "distance_mm": {"mean": distances.mean(), "p95": np.percentile(distances, 95)},
        "mahalanobis": np.linalg.norm(coefficients),
        "coefficients": coefficients,
        "topology_id": mesh.topology_id,
    }
    run.finish(figures, options.report)
    run.say(
        f"{options.out}: mean distance {distances.mean():.3f} mm, "
        f"{np.linalg.norm(coefficients):.2f} standard deviations from the mean face"
    )
    return 0


def _expand(words: tuple[str, ...]) -> list[Path]:
    """Return the files that names and patterns stand for, sorted, each once."""
    found: list[Path] = []
    for word in words:
        matches = sorted(glob.glob(word, recursive=True))
        if not matches:
            raise FileFormatError(
                f"--meshes {word}: expected registered meshes, no file matches. Quote the pattern "
                "so that the shell leaves it alone."
            )
        found += [Path(match) for match in matches]
    return list(dict.fromkeys(found))


GROUP = CommandGroup(
    "model",
    "A statistical shape model of registered meshes.",
    {
        "fit": Command(ModelFitOptions, run_fit),
        "sample": Command(ModelSampleOptions, run_sample),
        "project": Command(ModelProjectOptions, run_project),
    },
)
