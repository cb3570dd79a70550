"""The template of a run: read or built in, unwrapped once, kept beside the results."""

import dataclasses
import functools
from pathlib import Path
from typing import TYPE_CHECKING

from geomface.batch.attempts import atomic_folder
from geomface.batch.keys import content_key, file_hash
from geomface.datasets import layout
from geomface.errors import FileFormatError, MeshError
from geomface.files.records import read_json, write_json
from geomface.mesh import Template
from geomface.pipeline.settings import PipelineSettings
from geomface.registration.settings import RegistrationSettings

if TYPE_CHECKING:
    from geomface.geometry_image import GeometryImageDecoder, GeometryImageEncoder
    from geomface.mesh import Mesh
    from geomface.parametrization.distortion import DistortionReport
    from geomface.registration import NonRigidRegistration

STAGE, VERSION = "template", 1


def template_key(settings: PipelineSettings) -> str:
    """Return the content key of the unwrapped template.

    Raises
    ------
    FileFormatError : a file of the template cannot be read.
    """
    if settings.template is None:
        from geomface.faces.builtin import FOLDER
        from geomface.files.assets import asset_path

        folder = asset_path(f"{FOLDER}/face_model.safetensors").parent
        files: list[Path] = sorted(path for path in folder.iterdir() if path.suffix != ".md")
    else:
        from geomface.mesh.io.templates import companion_path, template_file

        mesh = template_file(settings.template)
        beside = [companion_path(mesh, what) for what in ("landmarks", "regions")]
        given = [settings.template_landmarks, settings.regions]
        files = [mesh]
        files += [
            path if path is not None else near
            for path, near in zip(given, beside, strict=True)
            if path is not None or near.is_file()
        ]
    hashes = [f"{path.name}:{file_hash(path)}" for path in files]
    unwrap = "own uv" if brings_uv(settings) else settings.unwrap
    return content_key(STAGE, VERSION, unwrap, *hashes)


def brings_uv(settings: PipelineSettings) -> bool:
    """Say whether the template is a folder of `geomface template make`: its uv stays as it is."""
    return settings.template is not None and settings.template.is_dir()


def read_run_template(settings: PipelineSettings) -> Template:
    """Return the template that the settings name, without a path the built-in face."""
    if settings.template is not None:
        from geomface.mesh.io import load_template

        return load_template(
            settings.template, settings.template_landmarks, settings.regions, texture=False
        )
    from geomface.faces.builtin import load_builtin_face

    return load_builtin_face().template


def ensure_template(settings: PipelineSettings, key: str) -> str:
    """Unwrap the template and write it, unless it is there with this key; say what was done.

    Raises
    ------
    GeomfaceError : a template that cannot be read or unwrapped.
    """
    report = settings.out / layout.TEMPLATE_REPORT
    if _is_current(report, key):
        return "template: unwrapped before"
    from geomface.mesh.io import save_template

    template = read_run_template(settings)
    mesh, distortion = _with_uv(template, settings)
    with atomic_folder(settings.out / layout.TEMPLATE) as folder:
        unwrapped = dataclasses.replace(template, mesh=mesh)
        save_template(folder / Path(layout.TEMPLATE_MESH).name, unwrapped)
        write_json(
            folder / report.name,
            {"key": key, "topology_id": mesh.topology_id, "report": distortion},
        )
    count = len(template.mesh.vertices)
    how = "with its own uv" if brings_uv(settings) else "unwrapped to the unit square"
    return f"template: {template.mesh.name}, {count} vertices, {how}"


def _with_uv(template: Template, settings: PipelineSettings) -> "tuple[Mesh, DistortionReport]":
    """Return the template's mesh with its own uv or a new one, and how much that stretches."""
    if not brings_uv(settings):
        from geomface.parametrization import unwrap

        result = unwrap(template, settings=settings.unwrap)
        return result.mesh, result.report
    from geomface.parametrization.distortion import measure_distortion

    mesh = template.mesh
    if mesh.uv is None:
        raise MeshError(
            f"{settings.template}: the template of this folder has lost its uv. Make it again with "
            "'geomface template make'."
        )
    report = measure_distortion(mesh.vertices, mesh.faces, mesh.uv, regions=template.regions)
    return mesh, report


def _is_current(report: Path, key: str) -> bool:
    if not report.is_file() or not (report.parent / Path(layout.TEMPLATE_MESH).name).is_file():
        return False
    try:
        return read_json(report)["key"] == key
    except (FileFormatError, KeyError, TypeError):
        return False


@dataclasses.dataclass(frozen=True, eq=False)
class TemplateTools:
    """What a worker keeps between items: everything that depends on the template alone.

    Parameters
    ----------
    template : unwrapped
    solver : registers scans to it
    size : pixels a side of its geometry images
    """

    template: Template
    solver: "NonRigidRegistration"
    size: int

    @functools.cached_property
    def encoder(self) -> "GeometryImageEncoder":
        """Writes the template's geometry images."""
        from geomface.geometry_image import GeometryImageEncoder

        return GeometryImageEncoder(self.template.mesh, self.size)

    @functools.cached_property
    def decoder(self) -> "GeometryImageDecoder":
        """Reads them back."""
        from geomface.geometry_image import GeometryImageDecoder

        return GeometryImageDecoder(self.template.mesh, self.size)

    @functools.cached_property
    def unit_mm(self) -> float:
        """Millimetres in one unit of the template."""
        from geomface.mesh.units import millimetres

        return millimetres(self.template.mesh.unit)


@functools.lru_cache(maxsize=1)
def template_tools(
    out: Path, template_key: str, registration: RegistrationSettings, size: int
) -> TemplateTools:
    """Read the run's template and factor what depends on it; another `template_key` renews it."""
    from geomface.datasets.registered_faces import load_run_template
    from geomface.registration import NonRigidRegistration

    template = load_run_template(out)
    return TemplateTools(template, NonRigidRegistration(template, registration), size)
