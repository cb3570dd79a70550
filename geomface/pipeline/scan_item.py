"""What is done to one scan: read, check, register, bake, encode, write."""

import dataclasses
import functools
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from geomface.batch.attempts import ItemTask, Outcome
from geomface.batch.records import make_folder
from geomface.datasets import layout
from geomface.datasets.scan_files import LANDMARK_SUFFIXES
from geomface.errors import FailedRegistrationError, LandmarkError
from geomface.pipeline.settings import ItemSettings
from geomface.pipeline.template import TemplateTools, template_tools

if TYPE_CHECKING:
    from geomface.landmarks import LandmarkDetector
    from geomface.mesh import Landmarks, Mesh
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
    textures : folder where its pictures may lie too
    """

    scan: Path
    landmarks: Path | None
    needs_landmarks: bool
    template_key: str
    settings: ItemSettings
    textures: Path | None = None


def import_stages() -> None:
    """Import everything an item needs, so that a worker is ready before its first task."""
    import geomface.geometry_image
    import geomface.mesh.io
    import geomface.registration.registering  # noqa: F401


def process_scan(task: ItemTask, folder: Path) -> Outcome:
    """Register one scan to the run's template and write everything made of it into `folder`.

    Writes the registered mesh in the scan's pose (PLY; OBJ with material and texture; GLB with the
    texture inside), the texture and its mask, the geometry image (float arrays and a picture of
    codes), the report.

    Raises
    ------
    GeomfaceError : a scan or landmarks that cannot be used, or a registration that failed.
    """
    from geomface.files.records import write_json
    from geomface.landmarks.unaided import register
    from geomface.mesh.io import load_mesh, save_mesh
    from geomface.mesh.units import in_millimetres

    payload: ScanPayload = task.payload
    unit = None if payload.settings.unit == "auto" else payload.settings.unit
    scan = load_mesh(payload.scan, unit=unit, texture=payload.textures or True)
    landmarks = _read_landmarks(payload)
    settings = payload.settings
    tools = template_tools(
        task.out, payload.template_key, settings.registration, settings.geometry_image_size
    )
    detector = None if landmarks else _detector()
    try:
        result = register(tools.solver, scan, landmarks, detector=detector)
    except FailedRegistrationError as error:
        message = f"{error} {_save_overlay(task, scan, error)}"
        raise FailedRegistrationError(message, error.result) from error
    template = tools.template.mesh
    mesh = result.mesh.replace(uv=template.uv, uv_faces=template.uv_faces, name=task.name)
    save_mesh(folder / layout.REGISTERED, mesh)
    notes = list(result.notes)
    figures = _registration_figures(result)
    # The mesh is in millimetres; what the scan's own numbers are in stands beside it.
    figures["unit_factor"] = 1.0
    if settings.texture_size:
        scan = in_millimetres(scan, result.scan_unit_mm)
        mesh, baked = _bake(folder, mesh, scan, template, settings.texture_size)
        notes += baked.notes
        figures |= baked.figures
    for name in (layout.REGISTERED_TEXTURED, layout.REGISTERED_FOR_VIEWERS):
        save_mesh(folder / name, mesh)
    if settings.geometry_image_size:
        figures |= _encode(folder, mesh, tools, settings.geometry_image_bits)
    notes = list(dict.fromkeys(notes))
    write_json(
        folder / layout.ITEM_REPORT,
        {"name": task.name, "scan": payload.scan.name, "notes": notes} | figures,
    )
    # Times are in the record only: the same input must give the same files.
    figures["registration_seconds"] = round(result.seconds, 3)
    return Outcome(figures, tuple(notes))


def _save_overlay(task: ItemTask, scan: "Mesh", error: FailedRegistrationError) -> str:
    """Write the picture of a failed fit beside the records, and say where."""
    from geomface.files import save_image
    from geomface.rendering.overlay import fit_overlay

    path = Path(task.records) / f"{task.name}.{task.attempt:03d}.failed.png"
    picture = fit_overlay(scan, error.result)
    make_folder(task.out / task.records)
    save_image(task.out / path, picture)
    return f"The picture {path.as_posix()} shows it."


def _read_landmarks(payload: ScanPayload) -> "Landmarks | None":
    from geomface.mesh.io import load_landmarks

    if payload.landmarks is not None:
        return load_landmarks(payload.landmarks)
    if payload.needs_landmarks:
        names = ", ".join(payload.scan.stem + end for end in LANDMARK_SUFFIXES[:4])
        raise LandmarkError(
            f"{payload.scan.name}: expected a landmark file beside it ({names}), found none. Add "
            "one, or run with --landmarks auto to have them found."
        )
    return None


@functools.lru_cache(maxsize=1)
def _detector() -> "LandmarkDetector":
    """One detector a worker: its weights are read once."""
    from geomface.landmarks import LandmarkDetector

    return LandmarkDetector()


def _registration_figures(result: "RegistrationResult") -> dict[str, Any]:
    return {
        "converged": result.converged,
        "iterations": result.iterations,
        "kept_fraction": result.kept_fraction,
        "residual_mm": result.residual_mm,
        "landmark_mm": result.landmark_mm,
        "flips": result.flips,
        "rim_crossings": result.rim_crossings,
        "confidence_mean": float(np.mean(result.confidence)),
        "scan_unit": result.scan_unit,
        "scan_unit_mm": result.scan_unit_mm,
        "verification": dataclasses.asdict(result.verification) if result.verification else None,
    }


def _bake(
    folder: Path, mesh: "Mesh", scan: "Mesh", template: "Mesh", size: int
) -> "tuple[Mesh, Outcome]":
    """Bake the scan's colours; return the textured mesh, and notes and figures."""
    from geomface.files import save_image
    from geomface.geometry_image import bake_texture

    if scan.colors is None and scan.texture is None:
        return mesh, Outcome(notes=("the scan has neither colours nor a texture: none was baked.",))
    baked = bake_texture(template, mesh.vertices, scan, size)
    save_image(folder / layout.MASK, np.repeat(baked.mask[..., None], 3, 2).astype(np.float32))
    figures = {"texture_seen": baked.kept_fraction}
    return mesh.replace(texture=baked.texture), Outcome(figures, tuple(baked.notes))


def _encode(folder: Path, mesh: "Mesh", tools: TemplateTools, bits: int) -> dict[str, Any]:
    """Write the geometry image in the template's pose and measure what comes back from it.

    Geometry images of a collection must share pose and unit, so the mesh is moved rigidly onto
    the template; size is kept. The rigid motion is in the report.
    """
    from geomface.geometry_image import save_geometry_image
    from geomface.mesh.similarity import fit_similarity

    template = tools.template.mesh
    vertices = mesh.vertices / tools.unit_mm
    pose = fit_similarity(vertices, template.vertices, scale=False)
    posed = pose.apply(vertices)
    image = tools.encoder.encode(posed, mode="displacement")
    codes = tools.encoder.encode(posed, mode="displacement", bits=bits)
    save_geometry_image(folder / layout.GEOMETRY_IMAGE, image)
    save_geometry_image(folder / layout.GEOMETRY_PICTURE, codes)
    miss = (tools.decoder.decode(image) - posed) * tools.unit_mm
    return {
        "geometry_image_rms_mm": float(np.sqrt((miss**2).sum(axis=1).mean())),
        "geometry_image_pose": {"rotation": pose.rotation, "translation": pose.translation},
    }
