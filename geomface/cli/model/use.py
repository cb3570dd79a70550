"""`geomface model sample` and `project`: new faces, and a face as a model sees it."""

import dataclasses
from typing import Annotated

import tyro

from geomface.cli.inputs import MESH_SUFFIXES, make_folder, read_model, require_output
from geomface.cli.model.inputs import ModelFile
from geomface.cli.options import (
    CommonOptions,
    Flag,
    Folder,
    InputFile,
    MaybeFile,
    OutputFile,
    require_options,
)
from geomface.cli.run import Run
from geomface.errors import SettingsError
from geomface.ranges import COUNT, NOT_NEGATIVE


@dataclasses.dataclass(frozen=True)
class ModelSampleOptions:
    """Draw new faces from a model: sample000.ply and so on.

    Face i depends on the seed and on i only, so a larger --count adds faces and changes none.
    """

    out: Folder
    """Folder for the meshes; it is created."""
    model: ModelFile = None
    """Any model file that 'geomface model convert' reads."""
    count: int = 8
    """Number of faces."""
    sigma: float = 1.0
    """Spread of the coefficients: under 1 stays nearer to the mean."""
    expressions: Flag = False
    """Give every face an expression, when the model has any."""
    format: Annotated[str, tyro.conf.arg(metavar="ENDING")] = "ply"
    """Kind of mesh file: ply, obj or glb."""
    common: CommonOptions = CommonOptions()

    def __post_init__(self) -> None:
        require_options(self, count=COUNT, sigma=NOT_NEGATIVE)


@dataclasses.dataclass(frozen=True)
class ModelProjectOptions:
    """Bring a registered mesh as near to a model as it can: what the model knows of it."""

    mesh: InputFile
    """A mesh registered to the model's template."""
    out: OutputFile
    """The projected mesh, in the pose and size of the input, in millimetres."""
    model: ModelFile = None
    """Any model file that 'geomface model convert' reads."""
    keep_size: Flag = False
    """Align by rotation and translation only."""
    report: MaybeFile = None
    """JSON record with the coefficients and the distance."""
    common: CommonOptions = CommonOptions()


def run_sample(options: ModelSampleOptions, run: Run) -> int:
    """Draw faces and write them."""
    import numpy as np

    from geomface.mesh.io import save_mesh

    run.require_cpu()
    ending = f".{options.format.lower().lstrip('.')}"
    if ending not in (".ply", ".obj", ".glb"):
        raise SettingsError(f"--format: expected ply, obj or glb, got {options.format}.")
    make_folder(options.out, create=False)
    model = read_model(options.model)
    if options.expressions:
        model.require_expression()
    if options.common.dry_run:
        return run.plan(
            [f"draw {options.count} faces from {len(model.shape)} modes into {options.out}"]
        )
    names = []
    make_folder(options.out)
    with run.progress("drawing", options.count) as step:
        for index in range(options.count):
            rng = np.random.default_rng([options.common.seed, index])
            path = options.out / f"sample{index:03d}{ending}"
            save_mesh(
                path,
                model.sample(
                    rng, sigma=options.sigma, expression=options.expressions, name=path.stem
                ),
            )
            names.append(path)
            step(index + 1, path.name)
    run.finish({"count": options.count, "meshes": names, "topology_id": model.topology_id})
    run.say(f"{options.count} meshes in {options.out}, {run.seconds:.1f} s")
    return 0


def run_project(options: ModelProjectOptions, run: Run) -> int:
    """Solve for pose and coefficients, and write the face."""
    import numpy as np

    from geomface.mesh.io import load_mesh, save_mesh
    from geomface.mesh.units import in_millimetres, registered_unit
    from geomface.statistics.projection import ModelProjector

    run.require_cpu()
    require_output(options.out, "--out", MESH_SUFFIXES, (options.mesh, options.model))
    require_output(options.report, "--report", (".json",), (options.mesh, options.model))
    model = read_model(options.model)
    mesh = load_mesh(options.mesh)
    model.require_topology(mesh)
    shape = model.shape
    if options.common.dry_run:
        return run.plan([f"project {mesh.name} onto {len(shape)} modes", f"write {options.out}"])
    unit = registered_unit(mesh, shape.mean)
    run.add_notes(unit.notes)
    mesh = in_millimetres(mesh, unit.factor)
    found = ModelProjector(shape).project(mesh.vertices, scale=not options.keep_size)
    coefficients = found.coefficients
    distances = np.linalg.norm(found.vertices - mesh.vertices, axis=1)
    save_mesh(options.out, mesh.replace(vertices=found.vertices))
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
