"""`geomface geoimage`: registered meshes as images, and back."""

import dataclasses
from typing import Annotated, Literal

import tyro

from geomface.cli.command import Command, CommandGroup
from geomface.cli.inputs import MESH_SUFFIXES, read_template_with_uv, require_output
from geomface.cli.options import (
    CommonOptions,
    InputFile,
    MaybeFile,
    OutputFile,
    TemplateFile,
    require_options,
)
from geomface.cli.run import Run
from geomface.errors import SettingsError
from geomface.ranges import POSITIVE

IMAGE_SUFFIXES = (".safetensors", ".png")


@dataclasses.dataclass(frozen=True)
class EncodeOptions:
    """Write a registered mesh as a geometry image: x, y, z as red, green, blue on the uv square."""

    mesh: InputFile
    """A mesh registered to the template."""
    out: OutputFile
    """The image: .safetensors, or .png with 8 or 16 bits (range and mask are in the file)."""
    template: TemplateFile = None
    """Template with uv, as written by 'geomface unwrap'."""
    size: int = 256
    """Texels along each side."""
    bits: Annotated[
        Literal[8, 16] | None,
        tyro.conf.arg(
            metavar="{8,16}", help_behavior_hint="(default: 16 for PNG, else 32-bit float)"
        ),
    ] = None
    """Bits a channel."""
    mode: Literal["absolute", "displacement"] = "absolute"
    """Positions, or displacements from the template."""
    report: MaybeFile = None
    """JSON record with size, range and share of covered texels."""
    common: CommonOptions = CommonOptions()

    def __post_init__(self) -> None:
        require_options(self, size="[2, 8192]")


@dataclasses.dataclass(frozen=True)
class DecodeOptions:
    """Turn a geometry image back into a mesh of the template's topology."""

    image: InputFile
    """The geometry image: .safetensors or .png, as written by 'geomface geoimage encode'."""
    out: OutputFile
    """The mesh."""
    template: TemplateFile = None
    """The template with uv that the image was encoded with."""
    alpha: Annotated[
        float | None,
        tyro.conf.arg(metavar="FLOAT", help_behavior_hint="(default: by the image's rounding)"),
    ] = None
    """Weight of smoothness against pixels: 1e-4 trusts the pixels, 1 is for a noisy image."""
    report: MaybeFile = None
    """JSON record."""
    common: CommonOptions = CommonOptions()

    def __post_init__(self) -> None:
        require_options(self, alpha=POSITIVE)


def run_encode(options: EncodeOptions, run: Run) -> int:
    """Read, encode, write."""
    from geomface.geometry_image import GeometryImageEncoder, save_geometry_image
    from geomface.mesh import require_same_topology
    from geomface.mesh.io import load_mesh

    run.require_cpu()
    require_output(options.out, "--out", IMAGE_SUFFIXES, (options.mesh, options.template))
    require_output(options.report, "--report", (".json",), (options.mesh, options.template))
    bits = options.bits or (16 if options.out.suffix.lower() == ".png" else 32)
    mesh = load_mesh(options.mesh, texture=False)
    template = read_template_with_uv(options.template)
    require_same_topology(template, mesh)
    encoder = GeometryImageEncoder(template, options.size)
    if options.common.dry_run:
        return run.plan(
            [
                f"encode {mesh.name} as {options.size} x {options.size} texels, {bits} bits",
                f"write {options.out}",
            ]
        )
    image = encoder.encode(mesh, mode=options.mode, bits=bits)
    save_geometry_image(options.out, image)
    figures = {
        "size": image.size,
        "bits": image.bits,
        "covered": float(image.mask.mean()),
        "rounding_mm": image.noise,
        "topology_id": image.topology_id,
    }
    run.finish(figures, options.report)
    run.say(
        f"{options.out}: {image.size} x {image.size} texels, {image.bits} bits, "
        f"{100 * image.mask.mean():.0f} % on the surface, {run.seconds:.2f} s"
    )
    return 0


def run_decode(options: DecodeOptions, run: Run) -> int:
    """Read, solve, write."""
    from geomface.geometry_image import GeometryImageDecoder, load_geometry_image
    from geomface.mesh.io import save_mesh

    run.require_cpu()
    require_output(options.out, "--out", MESH_SUFFIXES, (options.image, options.template))
    require_output(options.report, "--report", (".json",), (options.image, options.template))
    image = load_geometry_image(options.image)
    if image.pixels.ndim != 3:
        raise SettingsError(
            f"{options.image}: expected one geometry image, got a stack of {len(image.pixels)}. "
            "Decode stacks in Python with GeometryImageDecoder."
        )
    template = read_template_with_uv(options.template)
    decoder = GeometryImageDecoder(template, image.size, alpha=options.alpha or "auto")
    decoder.require_fitting(image)
    if options.common.dry_run:
        return run.plan([f"decode {options.image} ({image.size} texels)", f"write {options.out}"])
    vertices = decoder.decode(image)
    save_mesh(options.out, template.replace(vertices=vertices, name=options.out.stem))
    run.finish({"size": image.size, "topology_id": template.topology_id}, options.report)
    run.say(f"{options.out}: {len(vertices)} vertices, {run.seconds:.2f} s")
    return 0


GROUP = CommandGroup(
    "geoimage",
    "Registered meshes as images, and back.",
    {
        "encode": Command(EncodeOptions, run_encode),
        "decode": Command(DecodeOptions, run_decode),
    },
)
