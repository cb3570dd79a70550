"""The template of a run: read or built in, unwrapped once, kept beside the results."""

import dataclasses
from pathlib import Path

from geomface.batch.attempts import atomic_folder
from geomface.datasets import layout
from geomface.errors import FileFormatError
from geomface.files.records import read_json, write_json
from geomface.mesh import Template
from geomface.pipeline.settings import PipelineSettings


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
    from geomface.parametrization import unwrap

    template = read_run_template(settings)
    result = unwrap(template, settings=settings.unwrap)
    with atomic_folder(settings.out / layout.TEMPLATE) as folder:
        unwrapped = dataclasses.replace(template, mesh=result.mesh)
        save_template(folder / Path(layout.TEMPLATE_MESH).name, unwrapped)
        write_json(
            folder / report.name,
            {"key": key, "topology_id": result.mesh.topology_id, "report": result.report},
        )
    count = len(template.mesh.vertices)
    return f"template: {template.mesh.name}, {count} vertices, unwrapped to the unit square"


def _is_current(report: Path, key: str) -> bool:
    if not report.is_file() or not (report.parent / Path(layout.TEMPLATE_MESH).name).is_file():
        return False
    try:
        return read_json(report)["key"] == key
    except (FileFormatError, KeyError, TypeError):
        return False
