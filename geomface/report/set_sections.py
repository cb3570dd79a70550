"""The pages of sets: labelled pictures, and textures with holes. What is in them, what failed."""

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from geomface.arrays import ImageArray
from geomface.batch.folder import JobStatus
from geomface.datasets import FaceRecord, SyntheticFaces, layout
from geomface.datasets.labelled_pictures import KIND as PICTURES
from geomface.datasets.labelled_pictures import read_pictures
from geomface.datasets.manifest import read_rows
from geomface.files import load_image
from geomface.report.charts import histogram
from geomface.report.collection import evenly
from geomface.report.figures import masked_texture
from geomface.report.glossary import meaning
from geomface.report.images import data_uri, resize
from geomface.report.page import Figure, Section, details, grid, paragraph, table, tiles

SHOWN, MOST_PIXELS = 24, 192
"""Pictures on a page, and the side of the largest."""
MOST_FAILURES = 200
COLORED = ("rgb", "albedo", "alpha")
"""Outputs that can be shown as they are; the first that a set holds is."""
MARK = (0.1, 0.9, 0.3)


def set_sections(out: Path, status: JobStatus) -> list[Section]:
    """Return the sections of a set's page; of a set that is not finished, what is done of it.

    Parameters
    ----------
    out : folder of a set of labelled pictures or of textures
    status : of that folder

    Raises
    ------
    FileFormatError : a damaged set
    """
    build = _picture_sections if status.kind.name == PICTURES else _texture_sections
    sections = build(out, status)
    lost = failures(status)
    if lost:
        sections.append(Section("Failures", "notes", lost))
    made = paragraph(f"{status.seconds:.1f} s of work in all.")
    text = json.dumps(dict(status.head), indent=2)
    return [*sections, Section("How it was made", "settings", [made, details("Settings", text)])]


def _manifests(out: Path, status: JobStatus) -> list[Path]:
    """Return the rows of every item that is done; the manifest joins them when all are."""
    kind = status.kind
    return [out / kind.place / record.name / kind.rows for record in status.done]


def failures(status: JobStatus) -> list[str]:
    """Return the table of what failed or is missing; nothing when all is well."""
    rows = [[record.name, "failed", record.message] for record in status.failed]
    rows += [[name, "failed", message] for name, message in status.inside.items()]
    rows += [[name, "failed", "not attempted yet"] for name in status.missing]
    if not rows:
        return []
    shown = rows[:MOST_FAILURES]
    parts = [table(["name", "state", "why"], shown, text_columns=(0, 1, 2), states=("failed",))]
    if len(rows) > len(shown):
        parts.append(paragraph(f"And {len(rows) - len(shown)} more, in the records."))
    return parts


def _picture_sections(out: Path, status: JobStatus) -> list[Section]:
    faces = read_pictures(out, status.head, _manifests(out, status))
    facts = [
        (f"{len(faces):,}", "pictures"),
        (f"{len(faces.identities):,}", "people"),
        (f"{status.head['settings']['size']}", "pixels a side"),
    ]
    sections = [Section("Overview", "overview", [tiles(facts)])]
    shown = next((name for name in COLORED if _holds(faces, name)), None)
    if shown is not None:
        text = "Evenly through the set; dots are the landmarks that are seen."
        figures = [_picture(faces, record, shown) for record in evenly(faces.records, SHOWN)]
        sections.append(Section("Samples", "samples", [paragraph(text), grid(figures, 6)]))
    if len(faces):
        sections.append(Section("Distributions", "distributions", [_picture_charts(faces)]))
    return sections


def _holds(faces: SyntheticFaces, output: str) -> bool:
    return len(faces) > 0 and output in faces.records[0].files


def _picture(faces: SyntheticFaces, record: FaceRecord, output: str) -> Figure:
    image = np.asarray(faces.image(record, output), np.float32)
    if image.ndim == 2:
        image = np.repeat(image[..., None], 3, axis=2)
    side = min(MOST_PIXELS, image.shape[0])
    image, shrunk = resize(image, side, side), side / image.shape[0]
    for x, y in record.landmarks[record.landmarks_visible] * shrunk:
        image[int(np.clip(y, 0, side - 1)), int(np.clip(x, 0, side - 1))] = MARK
    pose = ", ".join(f"{name} {record.parameters[name]:.0f}" for name in ("yaw", "pitch", "roll"))
    return Figure(data_uri(image), f"{record.key}: {pose}")


def _picture_charts(faces: SyntheticFaces) -> str:
    units = {"yaw": "degrees", "pitch": "degrees", "roll": "degrees"}
    units |= {"distance": "mm", "scale": "of the picture"}
    seen = [record.landmarks_visible.mean() for record in faces]
    values = {name: [record.parameters[name] for record in faces] for name in units}
    charts = [_chart(values[name], f"{name}, {unit}") for name, unit in units.items()]
    charts.append(_chart(seen, "share of the landmarks that is seen"))
    return meaning(["pose_drawn", "camera_drawn", "landmarks_seen"]) + grid(charts, 3)


def _texture_sections(out: Path, status: JobStatus) -> list[Section]:
    way_out = "Run 'geomface synth textures' again to write it anew."
    rows = [row for path in _manifests(out, status) for row in read_rows(path, dict, way_out)]
    complete = sum(bool(row["complete"]) for row in rows)
    facts = [
        (f"{len(rows):,}", "faces"),
        (f"{complete:,}", "of them complete"),
        (f"{status.head['settings']['size']}", "pixels a side"),
        (f"{len(status.head['models'])}", "face models"),
    ]
    sections = [Section("Overview", "overview", [tiles(facts)])]
    if rows:
        text = "Evenly through the set; hatched texels are masked out: holes, and what covers skin."
        figures = [_texture(out, row) for row in evenly(rows, SHOWN)]
        sections.append(Section("Textures", "samples", [paragraph(text), grid(figures, 6)]))
        sections.append(Section("Distributions", "distributions", [_texture_charts(rows)]))
    return sections


def _texture(out: Path, row: Mapping[str, Any]) -> Figure:
    folder = out / layout.ITEMS / row["name"]
    mask = load_image(folder / layout.MASK, channels=1)[..., 0] > 0.5
    shown = _reduced(masked_texture(load_image(folder / layout.TEXTURE), mask))
    cover = ", ".join(row["covered_by"]) or "nothing over it"
    return Figure(data_uri(shown), f"{row['name']}: {row['valid_share']:.0%} valid, {cover}")


def _texture_charts(rows: Sequence[Mapping[str, Any]]) -> str:
    read: dict[str, Callable[[Mapping[str, Any]], float | None]] = {
        "valid share": lambda row: row["valid_share"],
        "covered share": lambda row: row["covered_share"],
        "share in holes": lambda row: row["hole_share"],
        "median distance to the truth, mm": lambda row: row["error_mm"]["median"],
    }
    charts = [_chart([get(row) for row in rows], name) for name, get in read.items()]
    shown = ["valid_share", "covered_share", "hole_share", "set_error_mm"]
    return meaning(shown) + grid(charts, 2)


def _chart(values: Sequence[float | None], name: str) -> Figure:
    finite = np.array([np.nan if value is None else value for value in values], np.float64)
    finite = finite[np.isfinite(finite)]
    if not len(finite):
        return Figure("", f"{name}: no values")
    caption = f"{name}: mean {finite.mean():.3g}, from {finite.min():.3g} to {finite.max():.3g}"
    return Figure(histogram(finite), caption)


def _reduced(image: ImageArray) -> ImageArray:
    side = min(MOST_PIXELS, image.shape[0])
    return resize(image, side, side)
