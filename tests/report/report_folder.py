"""A pipeline's output folder made by hand, in which every figure is known beforehand."""

import dataclasses
from pathlib import Path

import numpy as np

from geomface.batch.records import write_record
from geomface.datasets import layout
from geomface.faces.builtin import load_builtin_face
from geomface.files import save_image, write_json
from geomface.mesh import Template
from geomface.mesh.io import save_mesh, save_template
from geomface.parametrization import unwrap
from geomface.pipeline import ItemRecord, PipelineSettings
from geomface.scans.settings import ScanSettings
from geomface.scans.simulate import save_simulated_scan, simulate_scan
from geomface.statistics import MorphableModel, align_meshes, fit_pca, write_morphable

OFFSET_MM = 0.5
"""Every registered vertex of the folder lies this far from its truth."""
SEEN_SHARE = 0.75


def make_folder(root: Path, count: int = 3, *, failed: bool = True) -> Path:
    """Make scans, and results that are the truth shifted by OFFSET_MM; return the folder."""
    model = load_builtin_face()
    unwrapped = unwrap(model.template)
    scans, out = root / "scans", root / "out"
    for folder in (scans, out / layout.RECORDS, out / layout.TEMPLATE, out / layout.MODEL):
        folder.mkdir(parents=True)
    template = dataclasses.replace(model.template, mesh=unwrapped.mesh)
    save_template(out / layout.TEMPLATE_MESH, template)
    write_json(
        out / layout.TEMPLATE_REPORT,
        {"key": "k", "topology_id": model.mesh.topology_id, "report": unwrapped.report},
    )
    shapes = []
    for index in range(count):
        scan = simulate_scan(
            model, rng=np.random.default_rng([5, index]), settings=ScanSettings(vertices=3000)
        )
        save_simulated_scan(scans, index, scan)
        shapes.append(_write_item(out, unwrapped.mesh, index, scan.truth))
    names = [f"scan{index:03d}" for index in range(count)]
    if failed:
        names.append("broken")
        (scans / "broken.ply").write_bytes(b"")
        message = "broken.ply: expected a PLY mesh, but the file is empty. <Export> it again."
        record = ItemRecord(
            "broken", "item", "k", "failed", message=message, error="FileFormatError"
        )
        write_record(out / layout.RECORDS, record)
    settings = PipelineSettings(scans=scans, out=out)
    write_json(
        out / layout.RUN_FILE,
        {"kind": "pipeline-run", "schema": 1, "settings": settings, "scans": names},
    )
    _write_model(out, unwrapped.mesh, np.stack(shapes))
    return out


def _write_item(out: Path, template, index: int, truth) -> np.ndarray:
    name = f"scan{index:03d}"
    folder = out / layout.ITEMS / name
    folder.mkdir(parents=True)
    shift = OFFSET_MM * np.array([0.0, 0.6, 0.8])
    # The truth file holds single precision, so the shift is added to what it holds.
    vertices = truth["vertices"].astype(np.float32).astype(np.float64) + shift
    save_mesh(folder / layout.REGISTERED, template.replace(vertices=vertices))
    texture = np.full((64, 64, 3), [0.8, 0.6, 0.5], np.float32)
    save_image(folder / layout.TEXTURE, texture)
    mask = np.zeros((64, 64, 3), np.float32)
    mask[: round(64 * SEEN_SHARE)] = 1.0
    save_image(folder / layout.MASK, mask)
    gradient = np.linspace(0, 1, 64, dtype=np.float32)
    picture = np.stack([*np.meshgrid(gradient, gradient), np.zeros((64, 64), np.float32)], -1)
    save_image(folder / layout.GEOMETRY_PICTURE, picture)
    figures = {
        "converged": True,
        "iterations": 7,
        "kept_fraction": 0.9,
        "residual_mm": {"median": 0.25, "p95": 1.0},
        "flips": 0,
    }
    record = ItemRecord(
        name, "item", "k", "done", seconds=1.5, figures=figures, notes=("several parts: 2",)
    )
    write_record(out / layout.RECORDS, record)
    return vertices


def _write_model(out: Path, template, shapes: np.ndarray) -> None:
    aligned = align_meshes(shapes, reference=template.vertices)
    model = MorphableModel(Template(template), fit_pca(aligned.aligned))
    write_morphable(out / layout.MODEL / layout.MORPHABLE_MODEL, model)
    for index in range(2):
        sample = model.sample(np.random.default_rng(index))
        save_mesh(out / layout.MODEL / f"sample{index:03d}.ply", sample)
