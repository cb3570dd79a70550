"""`geomface fit factored_geometry`: find the codes of registered faces."""

import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import tyro

from geomface.cli.inputs import make_folder
from geomface.cli.learned.factored_geometry.faces import (
    face_names,
    load_run,
    read_faces,
    require_format,
    visible_part,
)
from geomface.cli.options import CommonOptions, Flag, require_options
from geomface.cli.run import Run
from geomface.ranges import COUNT, NOT_NEGATIVE

if TYPE_CHECKING:
    from geomface.arrays import ImageArray
    from geomface.gan.factored_geometry import FactoredFit, FactoredModel, FitSettings
    from geomface.mesh import Mesh

SHOWN = 12
"""Faces on the picture at most."""
BAD = 3.0
"""mm that a fit is off on average, from where on a likely cause is told."""
CODES, PICTURE = "codes.json", "fit.png"


@dataclasses.dataclass(frozen=True)
class FitFactoredOptions:
    """Fit a factored geometry GAN to registered faces: their codes, and how near it comes.

    Each face is fitted by gradient descent from the guess of the run's encoder, if it has one; with
    --random-restarts from random codes, as in the paper. Writes NAME.ply (the fitted face in mm),
    codes.json (for geomface edit) and fit.png (given, fitted, distance).
    """

    run: Annotated[tyro.conf.Positional[str], tyro.conf.arg(metavar="RUN")]
    """Run directory, checkpoint or model file; shipped is the model that ships."""
    meshes: Annotated[
        tyro.conf.Positional[tuple[Path, ...]],
        tyro.conf.arg(metavar="MESH...", help_behavior_hint="(required)"),
    ]
    """Registered meshes of the model's topology, one or more; other units are converted to mm."""
    out: Annotated[Path, tyro.conf.arg(metavar="DIR")] = Path("geomface-fit")
    """Folder for the results; it is created."""
    align: Flag = False
    """First move each mesh onto the model's mean face, keeping its size: for registered scans,
    which lie where the scanner saw them."""
    hide: Annotated[
        tuple[str, ...], tyro.conf.arg(metavar="PART...", help_behavior_hint="(optional)")
    ] = ()
    """What is not seen and not fitted: left, right, upper or lower half (the subject's own left), a
    region of the template, or a JSON file {"name": [vertex, ...]}. The model fills it in."""
    random_restarts: Annotated[
        int | None,
        tyro.conf.arg(metavar="INT", help_behavior_hint="(default: the encoder's guess)"),
    ] = None
    """Start from so many random codes instead and keep the best, the paper's way (4)."""
    steps: Annotated[
        int | None,
        tyro.conf.arg(
            metavar="INT",
            help_behavior_hint="(default: 100; 150 without encoder, 500 from random codes)",
        ),
    ] = None
    """Steps of each descent."""
    prior: Annotated[
        float | None, tyro.conf.arg(metavar="FLOAT", help_behavior_hint="(default: 0.001)")
    ] = None
    """Weight of |z|^2 in mm: larger keeps nearer to usual faces, where little is seen."""
    train_encoder: Flag = False
    """First train the run's encoder and keep it in the run's folder: minutes once, and every later
    fit is nearer in fewer steps."""
    format: tuple[Literal["obj", "ply", "glb"], ...] = ("ply",)
    """Formats of the fitted faces, one or more."""
    common: CommonOptions = CommonOptions()

    def __post_init__(self) -> None:
        require_options(self, random_restarts=COUNT, steps=COUNT, prior=NOT_NEGATIVE)


def run_fit(options: FitFactoredOptions, run: Run) -> int:
    """Read, fit, write."""
    from geomface.errors import SettingsError
    from geomface.files import save_image
    from geomface.gan.factored_geometry import fit_faces, save_encoder, train_encoder
    from geomface.gan.factored_geometry.codes_file import generator_identity, save_codes
    from geomface.mesh.io import save_mesh

    run.require_cpu()
    make_folder(options.out, create=False)
    require_format(options.format)
    require_other_files(options)
    if not options.meshes:
        raise SettingsError("expected registered meshes to fit, got none: fit ... RUN MESH...")
    model = load_run(options.run)
    seen = visible_part(model, options.hide)
    faces = read_faces(model, options.meshes, align=options.align, seen=seen)
    names = [face.name for face in faces]
    settings = fit_settings(options, model)
    if options.common.dry_run:
        start = f"{settings.restarts} start(s), {settings.start}"
        what = f"fit {len(faces)} faces, {settings.steps} steps from {start}"
        return run.plan([what, f"write {options.out}"])
    if options.train_encoder and model.encoder is None:
        with run.progress("encoder", 1) as step:
            encoder = train_encoder(model, on_progress=lambda done, total: step(done, "", total))
        model = dataclasses.replace(model, encoder=encoder)
        if Path(options.run).is_dir():
            save_encoder(options.run, model)
    with run.progress("fit", settings.steps) as step:
        fit = fit_faces(
            model,
            faces,
            visible=seen,
            settings=settings,
            on_progress=lambda done, total: step(done, "", total),
        )
    make_folder(options.out)
    template = model.template.mesh
    for name, vertices in zip(names, fit.vertices, strict=True):
        for suffix in options.format:
            save_mesh(
                options.out / f"{name}.{suffix}", template.replace(vertices=vertices, name=name)
            )
    errors = dict(zip(names, (round(float(error), 4) for error in fit.errors), strict=True))
    told: dict[str, Any] = {"model": model.name, "step": model.step, "errors_mm": errors}
    codes, topology = options.out / CODES, template.topology_id
    identity = generator_identity(model.generator)
    save_codes(codes, fit.codes, names, topology_id=topology, generator=identity, record=told)
    picture = options.out / PICTURE
    save_image(picture, fit_picture(model, faces, fit))
    bad = [f"{name} {error:.1f} mm" for name, error in errors.items() if error > BAD]
    if bad:
        more = ", ..." if len(bad) > SHOWN else ""
        run.note(
            f"a bad fit: {', '.join(bad[:SHOWN])}{more} away on average; likely causes: another "
            "pose (--align), a mirrored mesh, a face unlike the model's."
        )
    run.finish(
        {
            **told,
            "mean_error_mm": float(fit.errors.mean()),
            "seen_share": float(fit.visible.mean()),
            "start": settings.start,
            "restarts": settings.restarts,
            "restarted": fit.restarted,
            "fit_seconds": fit.seconds,
            "codes": codes,
            "picture": picture,
        }
    )
    part = "" if seen is None else f" over the {seen.mean():.0%} that is seen"
    run.table(["face", "error (mm)"], [[name, f"{error:.3f}"] for name, error in errors.items()])
    run.say(
        f"{options.out}: {len(names)} faces, mean distance {fit.errors.mean():.3f} mm{part}, "
        f"{fit.seconds:.1f} s; see {picture}"
    )
    return 0


def require_other_files(options: FitFactoredOptions) -> None:
    """Refuse to write a result over what is read.

    Raises
    ------
    OutputError : an output would be one of the inputs
    """
    from geomface.errors import OutputError

    inputs = (*options.meshes, *(Path(item) for item in options.hide), Path(options.run))
    given = [path for path in inputs if path.exists()]
    names = [f"{name}.{item}" for name in face_names(options.meshes) for item in options.format]
    for path in (options.out / name for name in (*names, CODES, PICTURE)):
        if path.exists() and any(path.samefile(source) for source in given):
            raise OutputError(
                f"{path}: is also an input, and the result would replace the given one. Choose "
                "another --out."
            )


def fit_settings(options: FitFactoredOptions, model: "FactoredModel") -> "FitSettings":
    """Return the settings that the options describe."""
    from geomface.gan.factored_geometry import PAPER_FIT, UNGUIDED_FIT, FitSettings

    settings, restarts = FitSettings(), options.random_restarts
    if restarts is not None:
        settings = PAPER_FIT
    elif model.encoder is None and not options.train_encoder:
        settings = UNGUIDED_FIT
    changes: dict[str, Any] = {"seed": options.common.seed}
    if restarts is not None:
        changes["restarts"] = restarts
    for name in ("steps", "prior"):
        if getattr(options, name) is not None:
            changes[name] = getattr(options, name)
    return dataclasses.replace(settings, **changes)


def fit_picture(model: "FactoredModel", faces: "list[Mesh]", fit: "FactoredFit") -> "ImageArray":
    """Return rows of a face as given, as fitted, and with the distance in colours."""
    from geomface.gan.factored_geometry.fit_sheet import fit_sheet
    from geomface.gan.factored_geometry.registered_input import registered_vertices

    given, _, names = registered_vertices(faces[:SHOWN], model.frame.template, fit.visible[:SHOWN])
    return fit_sheet(model.template.mesh, given, fit.vertices[:SHOWN], fit.visible[:SHOWN], names)
