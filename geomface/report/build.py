"""The report of a batch's output folder as one HTML file."""

import dataclasses
import datetime
from collections.abc import Callable
from pathlib import Path

import numpy as np

import geomface
from geomface.datasets import layout
from geomface.files.atomic import write_bytes
from geomface.pipeline import read_status
from geomface.pipeline.scans import KIND
from geomface.report import model_sections, scan_sections
from geomface.report.collection import Collection, read_collection
from geomface.report.figures import Gallery
from geomface.report.page import Section, build_page, static_text
from geomface.report.set_sections import set_sections
from geomface.report.viewer import viewer_script

PICTURE_PIXELS = 288


@dataclasses.dataclass(frozen=True)
class ReportResult:
    """A report that was written.

    Parameters
    ----------
    path : the HTML file
    size : bytes
    sections : their titles
    errors : {scan: {figure: value}} against the truth; empty without truth
    """

    path: Path
    size: int
    sections: tuple[str, ...]
    errors: dict[str, dict[str, float]]


def write_report(
    folder: Path | str,
    out: Path | str | None = None,
    *,
    scans: Path | str | None = None,
    title: str = "geomface report",
    on_progress: Callable[[int, int, str], None] | None = None,
) -> ReportResult:
    """Write the report of a batch's output folder; it needs no network and no other file.

    Parameters
    ----------
    folder : what `run_pipeline`, `generate_faces` or `make_textures` wrote
    out : the HTML file, by default report.html in the folder
    scans : where the raw scans and truth files are, by default where the run found them
    title : of the page
    on_progress : called with (sections done, sections, next section)

    Raises
    ------
    FileFormatError : no batch in the folder, or none of its scans is done.
    OutputError : the file cannot be written.

    Example
    -------
    >>> from pathlib import Path
    >>> import numpy as np
    >>> import geomface as gf
    >>> scan = gf.simulate_scan(gf.load_builtin_face(), rng=np.random.default_rng(1))
    >>> gf.save_mesh("anna.ply", scan.mesh)
    >>> gf.save_landmarks("anna.landmarks.json", scan.landmarks)
    >>> report = gf.run_pipeline(gf.PipelineSettings(scans=Path("."), out=Path("my-result")))
    >>> gf.write_report("my-result").path.name  # one page, to look at without a network
    'report.html'
    """
    folder = Path(folder)
    status = read_status(folder)
    errors = {}
    if status.kind.name == KIND.name:
        collection = read_collection(folder, scans)
        sections = _build_sections(collection, on_progress or (lambda done, total, what: None))
        lead, script = _scan_lead(collection), viewer_script() + static_text("table.js")
        errors = {
            result.name: dict(result.error_figures)
            for result in collection.measured
            if result.errors is not None
        }
    else:
        sections, script = set_sections(folder, status), ""
        lead = f"{status.kind.what}, made by '{status.kind.command}'.".capitalize()
    data = _page(title, lead, sections, script).encode("utf-8")
    path = folder / layout.REPORT_PAGE if out is None else Path(out)
    write_bytes(path, data)
    return ReportResult(path, len(data), tuple(section.title for section in sections), errors)


def _build_sections(
    collection: Collection, on_progress: Callable[[int, int, str], None]
) -> list[Section]:
    mesh = collection.template.mesh
    shapes = [result.registered for result in collection.pictured]
    gallery = Gallery.around(collection.template, shapes, PICTURE_PIXELS)
    model = model_sections.matching_face(mesh)
    steps: list[tuple[str, Callable[[], Section | None]]] = [
        ("overview", lambda: scan_sections.overview(collection)),
        ("new faces", lambda: model_sections.new_faces(collection, gallery, model)),
        ("registration", lambda: scan_sections.registration(collection, gallery, model)),
        ("template", lambda: model_sections.template(collection, gallery)),
        ("textures", lambda: scan_sections.textures(collection)),
        ("geometry images", lambda: scan_sections.geometry_images(collection)),
        ("model", lambda: model_sections.shape_model(collection, gallery, model)),
        ("notes", lambda: scan_sections.problems(collection)),
        ("settings", lambda: model_sections.settings(collection)),
    ]
    sections = []
    for index, (name, step) in enumerate(steps):
        on_progress(index, len(steps), name)
        section = step()
        if section is not None:
            sections.append(section)
    on_progress(len(steps), len(steps), "")
    return sections


def _scan_lead(collection: Collection) -> str:
    count = len(collection.results)
    return (
        f"{count:,} {'scan' if count == 1 else 'scans'} on one topology of "
        f"{len(collection.template.mesh.vertices):,} vertices: registered, unwrapped, textured, "
        "encoded and modelled."
    )


def _page(title: str, lead: str, sections: list[Section], script: str) -> str:
    made = datetime.datetime.now().astimezone().strftime("%Y-%m-%d %H:%M")
    footer = (
        f"Made by geomface {geomface.__version__} with numpy {np.__version__} on {made}. "
        "This file is complete: it loads nothing from anywhere."
    )
    return build_page(title, lead, sections, footer=footer, scripts=script)
