"""The report of a training run: how its metrics went, and what it drew along the way."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from geomface.errors import FileFormatError
from geomface.files import load_image, read_json
from geomface.files.atomic import write_bytes
from geomface.files.reading import taking_apart
from geomface.learning.metrics_log import read_metrics
from geomface.learning.run_directory import METRICS, RUN_FILE, SAMPLES
from geomface.report.glossary import figures, meaning
from geomface.report.images import data_uri
from geomface.report.model_figures import figure_image
from geomface.report.page import (
    Figure,
    Section,
    build_page,
    details,
    grid,
    paragraph,
    table,
    tiles,
)

SHOWN = 6
"""Pictures of samples on the page."""
EVALUATION = "evaluation.json"
FORMER = {"loss/critic": "loss/discriminator"}
"""What older runs call a metric, and its name today."""


def is_training_run(folder: Path | str) -> bool:
    """Say whether a folder is the run directory of a training."""
    path = Path(folder) / RUN_FILE
    if not path.is_file():
        return False
    try:
        record = read_json(path)
    except FileFormatError:
        return False
    return isinstance(record, dict) and "system" in record


def write_training_report(folder: Path | str, out: Path | str, *, title: str | None = None) -> int:
    """Write one HTML file about a run directory and return its size in bytes.

    It holds curves of all metrics, pictures of the same latents from first to last, the settings
    and, where `evaluate` was run, what it measured. It refers to nothing outside of itself.

    Parameters
    ----------
    folder : a run directory
    out : *.html
    title : of the page; default the system's name

    Raises
    ------
    FileFormatError : no training run, or one that has logged nothing yet
    OutputError : the place cannot be written
    """
    root = Path(folder)
    if not is_training_run(root):
        raise FileFormatError(
            f"{root}: expected the run directory of a training, with {RUN_FILE}. Check the path."
        )
    record, lines = read_json(root / RUN_FILE), read_metrics(root / METRICS)
    metrics = [{FORMER.get(name, name): line[name] for name in line} for line in lines]
    if not metrics:
        raise FileFormatError(
            f"{root}: expected metrics in {METRICS}, this run has logged none yet. Let it train on."
        )
    sections = [_course(metrics), *_samples(root), *_evaluation(root)]
    sections.append(
        Section("Settings", "settings", [details("As resolved", json.dumps(record, indent=2))])
    )
    system = str(record["system"])
    lead = f"{int(metrics[-1]['step'])} steps of {system.replace('_', ' ')}."
    page = build_page(title or f"geomface: {system}", lead, sections).encode()
    write_bytes(Path(out), page)
    return len(page)


def _course(metrics: Sequence[dict[str, Any]]) -> Section:
    """Return curves of every figure over the steps, those of one group in one panel."""
    from matplotlib.figure import Figure as Canvas

    names = sorted({name for line in metrics for name in line} - {"step"})
    groups: dict[str, list[str]] = {}
    for name in names:
        groups.setdefault(name.split("/")[0], []).append(name)
    charts = []
    for group, members in groups.items():
        canvas = Canvas(figsize=(4.8, 2.9), layout="constrained")
        axis = canvas.add_subplot()
        for name in members:
            points = [(line["step"], line[name]) for line in metrics if name in line]
            axis.plot(*np.transpose(points), label=name.split("/")[-1], linewidth=1.2)
        axis.spines[["top", "right"]].set_visible(False)
        axis.grid(alpha=0.25)
        axis.set(xlabel="step", title=group.replace("_", " "))
        if len(members) > 1:
            axis.legend(frameon=False, fontsize=8)
        caption = f"{group}: {', '.join(name.split('/')[-1] for name in members)}"
        charts.append(Figure(data_uri(figure_image(canvas), form="png"), caption))
    last = metrics[-1]
    facts = [(f"{int(last['step']):,}", "steps")]
    if "steps_per_second" in last:
        facts.append(
            (f"{np.median([f['steps_per_second'] for f in metrics]):.2f}", "steps a second")
        )
    known = [group for group in groups if group in figures()]
    told = [meaning(known)] if known else []
    return Section("How it went", "course", [tiles(facts), *told, grid(charts, 3)])


def _samples(root: Path) -> list[Section]:
    """Return pictures of the same latents, evenly from first to last."""
    paths = sorted((root / SAMPLES).glob("step-*.png"))
    if not paths:
        return []
    chosen = sorted({int(round(k)) for k in np.linspace(0, len(paths) - 1, SHOWN)})
    pictures = [
        Figure(
            data_uri(load_image(paths[index]), form="png"),
            f"step {int(paths[index].stem.split('-')[1]):,}",
            pixels=True,
        )
        for index in chosen
    ]
    text = "Images of the averaged generator for latents that never change."
    return [Section("What it draws", "samples", [paragraph(text), grid(pictures, 3)])]


def _evaluation(root: Path) -> list[Section]:
    """Return the distances that `evaluate` measured, if it was run."""
    if not (root / EVALUATION).is_file():
        return []
    found, rows = read_json(root / EVALUATION), []
    with taking_apart(root / EVALUATION, "the record of an evaluation"):
        for name, key in (("generated", "distances"), ("real", "real_distances")):
            item = found.get(key)
            if isinstance(item, dict):
                levels = ", ".join(f"{size} px {value:.1f}" for size, value in item["swd"].items())
                rows.append([name, levels, f"{item['swd_average']:.1f}", f"{item['frechet']:.4f}"])
        text = f"Measured after step {found.get('step')}, on {found.get('count')} images."
    if not rows:
        return []
    header = ["to held-out images", "SWD x 1000 by level", "mean", "Frechet"]
    return [Section("Distances", "distances", [paragraph(text), table(header, rows)])]
