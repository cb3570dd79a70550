"""What is done for one face of a training set: simulate, register, bake, mask, encode, write."""

import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from geomface.arrays import FloatArray, ImageArray
from geomface.batch.attempts import ItemTask, Outcome
from geomface.datasets import layout
from geomface.pipeline.template import TemplateTools, template_tools
from geomface.pipeline.texture_masks import mask_texture
from geomface.pipeline.texture_models import carrier, face_model
from geomface.pipeline.texture_settings import DamageSettings, TextureItemSettings
from geomface.scans.occluders import OCCLUDERS

if TYPE_CHECKING:
    from scipy import sparse

    from geomface.registration import RegistrationResult
    from geomface.scans.simulate import SimulatedScan

TRUTH_KIND, TRUTH_SCHEMA = "texture-truth", 1


@dataclasses.dataclass(frozen=True)
class TexturePayload:
    """The part of a task that a face needs.

    Parameters
    ----------
    index : of the face
    model : file, None for the built-in face
    model_hash : of what it holds, as workers keep it in memory
    model_name : as the manifest calls it
    template_key : content key of the set's template, which workers keep in memory
    settings : what to make
    """

    index: int
    model: Path | None
    model_hash: str
    model_name: str
    template_key: str
    settings: TextureItemSettings


def import_stages() -> None:
    """Import everything a face needs, so that a worker is ready before its first task."""
    import geomface.geometry_image
    import geomface.registration.registering  # noqa: F401


def draw_damage(seed: int, index: int, damage: DamageSettings) -> tuple[tuple[str, ...], float]:
    """Return what covers face `index` and the share of surface that its scan misses.

    The numbers come from a stream of their own: without damage the same people are drawn.
    """
    rng = np.random.default_rng([seed, index, 1])
    covered, torn = rng.random(2)
    kind = OCCLUDERS[int(rng.integers(len(OCCLUDERS)))]
    missing = float(rng.uniform(*damage.torn_fraction))
    kinds = (kind,) if covered < damage.covered else ()
    return kinds, missing if torn < damage.torn else 0.0


def make_textured_face(task: ItemTask, folder: Path) -> Outcome:
    """Simulate one scan, bring it onto the set's template and write what training reads.

    Writes the registered mesh in the template's pose (PLY, mm), the texture and its mask, the
    geometry image with the same holes, the truth (coefficients, vertices), the report; and the
    clean texture, which has no holes, into the set's folder of true textures.

    Raises
    ------
    GeomfaceError : a model without landmarks, or a registration that failed.
    """
    from geomface.files import save_image
    from geomface.files.records import write_json
    from geomface.files.tensors import save_tensors
    from geomface.geometry_image import save_geometry_image
    from geomface.mesh.io import save_mesh
    from geomface.mesh.io.texture_files import save_texture
    from geomface.mesh.uv_fingerprint import uv_fingerprint
    from geomface.registration import register
    from geomface.scans.simulate import simulate_scan

    payload: TexturePayload = task.payload
    settings = payload.settings
    tools = template_tools(task.out, payload.template_key, settings.registration, settings.size)
    template = tools.template.mesh
    model = face_model(payload.model, payload.model_hash)
    kinds, missing = draw_damage(settings.seed, payload.index, settings.damage)
    scan = simulate_scan(
        model,
        rng=np.random.default_rng([settings.seed, payload.index]),
        settings=settings.scan.scan(kinds, missing),
        name=task.name,
    )
    result = register(tools.solver, scan.mesh, scan.landmarks)
    masked = mask_texture(
        template,
        result.mesh.vertices,
        scan.mesh,
        settings.size,
        settings.damage,
        covered=scan.truth["covered"] if kinds else None,
        sampling=tools.encoder.sampling,
    )
    carry = carrier(tools, payload.model, payload.model_hash)
    true = _pose_on(carry @ scan.truth["vertices"], tools)
    posed = _pose_on(result.mesh.vertices, tools)
    registered = result.mesh.replace(
        vertices=posed, unit="mm", uv=None, uv_faces=None, name=task.name
    )
    save_mesh(folder / layout.REGISTERED, registered)
    uv = uv_fingerprint(template)
    save_texture(folder / layout.TEXTURE, masked.texture, uv)
    save_image(folder / layout.MASK, masked.valid)
    image = tools.encoder.encode(posed / tools.unit_mm, mode="displacement")
    image = dataclasses.replace(image, mask=image.mask & masked.valid)
    save_geometry_image(folder / layout.GEOMETRY_IMAGE, image)
    codes = {name: scan.truth[name] for name in ("identity", "expression", "albedo_code")}
    save_tensors(
        folder / layout.TRUTH_ARRAYS,
        {
            name: np.asarray(value, np.float32)
            for name, value in {**codes, "vertices": true}.items()
        },
        kind=TRUTH_KIND,
        schema=TRUTH_SCHEMA,
        topology_id=template.topology_id,
        units="mm",
    )
    clean = _paint(carry @ scan.truth["albedo"], tools)
    save_texture(task.out / layout.TRUTH / f"{task.name}.png", clean, uv)
    figures = _figures(scan, result, carry) | masked.figures()
    row = {
        "name": task.name,
        "index": payload.index,
        "model": payload.model_name,
        "covered_by": kinds,
        "missing_fraction": round(missing, 4),
        "unit_factor": 1.0,
        **figures,
        **{name: np.round(value, 6) for name, value in codes.items()},
        "notes": result.notes,
    }
    write_json(folder / layout.ITEM_REPORT, row, indent=None)
    return Outcome(figures, result.notes)


def _figures(
    scan: "SimulatedScan", result: "RegistrationResult", carry: "sparse.csr_array"
) -> dict[str, Any]:
    """Measure the registration: against the scan, and against the truth where that is seen."""
    miss = np.linalg.norm(result.mesh.vertices - carry @ scan.truth["vertices"], axis=1)
    seen = carry @ scan.truth["seen"].astype(np.float64) > 0.5
    error = np.percentile(miss[seen], [50, 95]) if seen.any() else [np.nan, np.nan]
    return {
        "residual_mm": {name: round(value, 4) for name, value in result.residual_mm.items()},
        "landmark_mm": {name: round(value, 4) for name, value in result.landmark_mm.items()},
        "error_mm": {"median": round(float(error[0]), 4), "p95": round(float(error[1]), 4)},
        "flips": result.flips,
        "kept_fraction": round(result.kept_fraction, 4),
    }


def _pose_on(vertices: FloatArray, tools: TemplateTools) -> FloatArray:
    """Move vertices in mm rigidly onto the template; size is kept."""
    from geomface.mesh.similarity import fit_similarity

    place = tools.template.mesh.vertices * tools.unit_mm
    return fit_similarity(vertices, place, scale=False).apply(vertices)


def _paint(colors: FloatArray, tools: TemplateTools) -> ImageArray:
    """Return the (S, S, 3) texture of vertex colours, without holes."""
    from geomface.geometry_image import dilate

    sampling = tools.encoder.sampling
    texture = np.zeros((*sampling.mask.shape, 3), np.float32)
    texture[sampling.mask] = sampling.matrix @ colors
    return dilate(texture, sampling.mask)
