"""What is done to one scan: read, check, register, bake, encode, write."""

import dataclasses
import functools
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from geomface.errors import LandmarkError
from geomface.pipeline import layout
from geomface.pipeline.attempts import ItemTask, Outcome
from geomface.pipeline.manifest import LANDMARK_SUFFIXES
from geomface.pipeline.settings import ItemSettings

if TYPE_CHECKING:
    from geomface.geometry_image import GeometryImageDecoder, GeometryImageEncoder
    from geomface.mesh import Landmarks, Mesh, Template
    from geomface.registration import RegistrationResult


@dataclasses.dataclass(frozen=True)
class ScanPayload:
    """The part of a task that a scan needs.

    Parameters
    ----------
    scan, landmarks : files
    needs_landmarks : whether a missing landmark file is an error
    template_key : content key of the run's template, which workers keep in memory
    settings : what to make
    """

    scan: Path
    landmarks: Path | None
    needs_landmarks: bool
    template_key: str
    settings: ItemSettings


def import_stages() -> None:
    """Import everything an item needs, so that a worker is ready before its first task."""
    import geomface.geometry_image
    import geomface.mesh.diagnose
    import geomface.mesh.io
    import geomface.registration  # noqa: F401


def process_scan(task: ItemTask, folder: Path) -> Outcome:
    """Register one scan to the run's template and write everything made of it into `folder`.

    Writes the registered mesh (PLY, and OBJ with material and texture), the texture and its mask,
    the geometry image (arrays and a picture), and the report.

    Raises
    ------
    GeomfaceError : a scan or landmarks that cannot be used, or a registration that failed.
    """
    from geomface.mesh.diagnose import diagnose_scan
    from geomface.mesh.io import load_mesh, save_mesh
    from geomface.mesh.io.records import write_json
    from geomface.registration import register

    payload: ScanPayload = task.payload
    landmarks = _read_landmarks(payload)
    scan = load_mesh(payload.scan)
    tools = _tools(task.out, payload.template_key, payload.settings)
    diagnosis = diagnose_scan(scan)
    result = register(tools.template, scan, landmarks, settings=payload.settings.registration)
    notes = [*diagnosis.notes, *result.notes]
    figures = _registration_figures(result)
    mesh = result.mesh.replace(
        uv=tools.template.mesh.uv, uv_faces=tools.template.mesh.uv_faces, name=task.name
    )
    save_mesh(folder / layout.REGISTERED, mesh)
    if payload.settings.texture_size:
        mesh, baked = _bake(folder, mesh, scan, tools, payload.settings)
        notes += baked.notes
        figures |= baked.figures
    save_mesh(folder / layout.REGISTERED_TEXTURED, mesh)
    if payload.settings.geometry_image_size:
        figures |= _encode(folder, mesh, tools, payload.settings)
    notes = list(dict.fromkeys(notes))
    write_json(
        folder / layout.ITEM_REPORT,
        {"name": task.name, "scan": payload.scan.name, "notes": notes} | figures,
    )
    return Outcome(figures, tuple(notes))


def _read_landmarks(payload: ScanPayload) -> "Landmarks | None":
    from geomface.mesh.io import load_landmarks

    if payload.landmarks is not None:
        return load_landmarks(payload.landmarks)
    if payload.needs_landmarks:
        names = ", ".join(payload.scan.stem + end for end in LANDMARK_SUFFIXES[:4])
        raise LandmarkError(
            f"{payload.scan.name}: expected a landmark file beside it ({names}), found none. Add "
            "one, or run with --landmarks optional to start without."
        )
    return None


@dataclasses.dataclass(frozen=True, eq=False)
class _Tools:
    """What a worker keeps between scans."""

    template: "Template"
    encoder: "GeometryImageEncoder | None"
    decoder: "GeometryImageDecoder | None"


@functools.lru_cache(maxsize=2)
def _tools(out: Path, template_key: str, settings: ItemSettings) -> _Tools:
    """Read the run's template and factor what depends on it alone; `template_key` renews it."""
    from geomface.geometry_image import GeometryImageDecoder, GeometryImageEncoder
    from geomface.pipeline.template_stage import load_run_template

    template = load_run_template(out)
    size = settings.geometry_image_size
    if not size:
        return _Tools(template, None, None)
    return _Tools(
        template,
        GeometryImageEncoder(template.mesh, size),
        GeometryImageDecoder(template.mesh, size),
    )


def _registration_figures(result: "RegistrationResult") -> dict[str, Any]:
    return {
        "converged": result.converged,
        "iterations": result.iterations,
        "kept_fraction": result.kept_fraction,
        "residual_mm": result.residual_mm,
        "flips": result.flips,
        "confidence_mean": float(np.mean(result.confidence)),
    }


def _bake(
    folder: Path, mesh: "Mesh", scan: "Mesh", tools: _Tools, settings: ItemSettings
) -> "tuple[Mesh, Outcome]":
    """Bake the scan's colours; return the textured mesh, and notes and figures."""
    from geomface.geometry_image import bake_texture
    from geomface.mesh.io import save_image

    if scan.colors is None and scan.texture is None:
        return mesh, Outcome(notes=("the scan has neither colours nor a texture: none was baked",))
    size = settings.texture_size
    baked = bake_texture(tools.template.mesh, mesh.vertices, scan, size)
    save_image(folder / layout.MASK, baked.mask.astype(np.float32))
    figures = {"texture_seen": float(baked.mask.mean())}
    return mesh.replace(texture=baked.texture), Outcome(figures, tuple(baked.notes))


def _encode(folder: Path, mesh: "Mesh", tools: _Tools, settings: ItemSettings) -> dict[str, Any]:
    """Write the geometry image and measure what comes back from it."""
    raise NotImplementedError
