"""After the items: one pose, a morphable model, new faces."""

import functools
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from geomface.batch.attempts import ItemTask, Outcome, attempt_item
from geomface.batch.executors import BatchError, Executor, SerialExecutor, WorkerDied
from geomface.batch.keys import content_key
from geomface.batch.records import (
    ItemRecord,
    latest_records,
    outputs_present,
)
from geomface.datasets import layout
from geomface.datasets.registered_faces import baked_texture, registered_mm
from geomface.pipeline.settings import ModelSettings, PipelineSettings
from geomface.threads import one_blas_thread

if TYPE_CHECKING:
    from geomface.mesh import Mesh
    from geomface.statistics import MorphableModel, TextureModel

MODEL_STAGE, MODEL_VERSION = "model", 4


def collect_model(
    settings: PipelineSettings,
    template_key: str,
    done: tuple[ItemRecord, ...],
    executor: Executor | None = None,
) -> tuple[ItemRecord, bool]:
    """Fit the models to all items that are done; return the record, and whether it is new.

    The executor draws and writes the samples; None does that here.
    """
    hashes = [output.sha256 for record in done for output in record.outputs]
    names = [record.name for record in done]
    key = content_key(
        MODEL_STAGE, MODEL_VERSION, {"model": settings.model, "names": names}, template_key, *hashes
    )
    last = latest_records(settings.out / layout.MODEL_RECORDS).get(layout.MODEL)
    if last is not None and last.key == key and outputs_present(settings.out, last):
        return last, False
    task = ItemTask(
        name=layout.MODEL,
        stage=MODEL_STAGE,
        key=key,
        attempt=last.attempt + 1 if last else 1,
        out=settings.out,
        place=layout.MODEL,
        records=layout.MODEL_RECORDS,
        payload=(settings.model, tuple(names)),
    )
    work = functools.partial(fit_models, executor=executor or SerialExecutor())
    with one_blas_thread():
        return attempt_item(work, task), True


def fit_models(task: ItemTask, folder: Path, *, executor: Executor) -> Outcome:
    """Align the registered meshes, fit the model, draw samples, and write all of it."""
    from geomface.datasets.registered_faces import load_run_template
    from geomface.mesh.io import save_mesh
    from geomface.mesh.units import millimetres
    from geomface.statistics import MorphableModel, align_meshes, fit_pca, write_morphable
    from geomface.statistics.one_set import one_set

    settings: ModelSettings
    settings, names = task.payload
    template = load_run_template(task.out)
    rest = template.mesh.vertices * millimetres(template.mesh.unit)
    meshes = [
        template.mesh.replace(
            vertices=registered_mm(task.out / layout.ITEMS / name, template.mesh),
            unit="mm",
            name=name,
        )
        for name in names
    ]
    vertices, notes = one_set(meshes, rest)
    del meshes
    aligned = align_meshes(vertices, reference=rest, scale=settings.remove_size)
    del vertices
    shape, converged = fit_pca(aligned.aligned, variance=settings.variance), aligned.converged
    del aligned
    size = "removed" if settings.remove_size else "kept"
    model = MorphableModel(
        template,
        shape,
        texture=_fit_textures(task.out, names, template.mesh, settings),
        card={"fitted to": f"{len(names)} registered scans, size {size}"},
    )
    write_morphable(folder / layout.MORPHABLE_MODEL, model)
    figures: dict[str, Any] = {
        "meshes": len(names),
        "modes": len(model.shape),
        "explained": model.shape.explained,
        "alignment_converged": converged,
    }
    if model.texture is not None:
        figures["texture_modes"] = len(model.texture)
    else:
        notes += ("fewer than two scans have a texture: no texture model",)
    save_mesh(folder / layout.MEAN, model.instance(name="mean"))
    draws = [(folder, index, settings) for index in range(settings.samples)]
    for index, result in executor.run(draw_sample, draws):
        if isinstance(result, WorkerDied):
            raise BatchError(f"sample {index}: {result.message}")
    return Outcome(figures, notes)


def draw_sample(draw: tuple[Path, int, ModelSettings]) -> None:
    """Draw one new face from the model in a folder and write it there as OBJ, GLB and PLY."""
    from geomface.mesh.io import save_mesh

    folder, index, settings = draw
    rng = np.random.default_rng([settings.seed, index])
    sample = _model(folder).sample(rng, sigma=settings.sigma, name=f"sample{index:03d}")
    for suffix in (".obj", ".glb", ".ply"):
        save_mesh(folder / f"{sample.name}{suffix}", sample)


@functools.lru_cache(maxsize=1)
def _model(folder: Path) -> "MorphableModel":
    """Keep the model of the hidden folder that is being filled; its name is used only once."""
    from geomface.statistics import read_morphable

    return read_morphable(folder / layout.MORPHABLE_MODEL)


def _fit_textures(
    out: Path, names: tuple[str, ...], template: "Mesh", settings: ModelSettings
) -> "TextureModel | None":
    from geomface.datasets.texture_spool import TextureSpool
    from geomface.statistics.texture import texture_model

    folders = [out / layout.ITEMS / name for name in names]
    folders = [folder for folder in folders if (folder / layout.TEXTURE).is_file()]
    if len(folders) < 2:
        return None
    # What nobody saw (the eyes, mostly) keeps the fill of each bake, or lids would have a pale rim.
    with TextureSpool(out) as spool:
        spool.extend((folder.name, *baked_texture(folder, template)) for folder in folders)
        return texture_model(
            spool.rows(),
            spool.shape,
            variance=settings.texture_variance,
            most=settings.texture_modes,
        )
