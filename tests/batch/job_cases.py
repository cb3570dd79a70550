"""Small jobs for the tests of the engine: a toy, and one of each kind that ships."""

import contextlib
import ctypes
import dataclasses
import json
import os
import signal
import time
from pathlib import Path

import numpy as np
from batch_work import fake_item

from geomface.batch.attempts import ItemTask, Outcome, Work, attempt_item
from geomface.batch.index import index_set
from geomface.batch.job import Ended, Ending, Item, Job, JobKind
from geomface.batch.keys import content_key
from geomface.errors import MeshError
from geomface.faces import load_builtin_face
from geomface.files import save_image
from geomface.pipeline import (
    FaceSetSettings,
    ItemSettings,
    ModelSettings,
    PipelineSettings,
    TextureSetSettings,
    face_job,
    scan_job,
    texture_job,
)
from geomface.pipeline.texture_settings import QUICK, TextureItemSettings, TextureScanSettings
from geomface.scans.settings import ScanSettings
from geomface.scans.simulate import save_simulated_scan, simulate_scan
from geomface.synthesis import FaceImageSettings


def write_word(task: ItemTask, folder: Path) -> Outcome:
    """The toy's work: one file and one row; a word that says so fails."""
    if task.payload == "bad":
        raise MeshError(f"{task.name}: bad word.")
    (folder / "word.txt").write_text(task.payload)
    (folder / "row.json").write_text(json.dumps({"name": task.name}) + "\n")
    return Outcome({"length": len(task.payload)})


def slowly(task: ItemTask, folder: Path) -> Outcome:
    """The toy's work in a tenth of a second."""
    time.sleep(0.1)
    return write_word(task, folder)


def die_once(task: ItemTask, folder: Path) -> Outcome:
    """The toy's work; the first process that comes to item 20 is killed there."""
    if task.name == "20":
        with contextlib.suppress(FileExistsError):
            (task.out / "died").touch(exist_ok=False)
            os.kill(os.getpid(), signal.SIGKILL)
    return write_word(task, folder)


def hang_at_hang(task: ItemTask, folder: Path) -> Outcome:
    """The toy's work; a word that says so holds the interpreter for long, also the second time."""
    if task.payload == "hang":
        ctypes.PyDLL(None).sleep(120)
    return write_word(task, folder)


def answer_garbage(work: Work, task: ItemTask) -> dict:
    """Answer with something else than a record; item 0 leaves one nevertheless."""
    if task.name == "0":
        attempt_item(work, task)
    return {"status": "done"}


def die_at_kill(task: ItemTask, folder: Path) -> Outcome:
    """The toy's work; a word that says so kills the process."""
    if task.payload == "kill":
        os.kill(os.getpid(), signal.SIGKILL)
    return write_word(task, folder)


def toy(out: Path, *, words: tuple[str, ...] = ("one", "two", "three"), **change: object) -> Job:
    """Return a job that writes words; `loud` is a setting that changes bytes."""
    loud = bool(change.pop("loud", False))
    head = {"kind": TOY.name, "schema": 1, "count": len(words), "settings": {"loud": loud}}
    items = tuple(
        Item(f"{index}", content_key("toy", 1, loud, word), word)
        for index, word in enumerate(words)
    )
    job = Job(TOY, out, head, items, write_word, end=_index)
    return dataclasses.replace(job, **change)  # type: ignore[arg-type]


def _index(ended: Ended) -> Ending:
    return Ending(figures={"sha256": index_set(ended, [])})


TOY = JobKind(
    name="toy",
    schema=1,
    what="a set of words",
    file="set.json",
    place="items",
    stage="toy",
    noun="words",
    items="words",
    command="toy",
    names=lambda head: [f"{index}" for index in range(head["count"])],
    settings=Path,
    job=lambda settings: toy(settings.out),
    rebuild=lambda out, head: out,
    rows="row.json",
    grows=("count",),
    grown="words",
)


def scans(out: Path, **change: object) -> Job:
    """Return a job over three scans that a stand-in registers."""
    folder = out.with_name("scans")
    if not folder.is_dir():
        folder.mkdir(parents=True)
        for index in range(3):
            (folder / f"s{index}.ply").write_text(f"fine {index}")
        (folder / "template.obj").write_text("v 0 0 0")
    settings = PipelineSettings(folder, out, template=folder / "template.obj", limit=3)
    return scan_job(dataclasses.replace(settings, **change), work=fake_item)  # type: ignore[arg-type]


def pictures(out: Path, *, seed: int = 6, **change: object) -> Job:
    """Return a job of six tiny pictures in three parts."""
    images = FaceImageSettings(identities=3, samples=2, size=24, seed=seed)
    settings = FaceSetSettings(images, out, part_pictures=2)
    return face_job(dataclasses.replace(settings, **change))  # type: ignore[arg-type]


def textures(out: Path, *, seed: int = 0, **change: object) -> Job:
    """Return a job of three faces that a stand-in makes."""
    settings = TextureSetSettings(out, 3, item=TextureItemSettings(seed=seed, size=16))
    return texture_job(dataclasses.replace(settings, **change), work=fake_face)  # type: ignore[arg-type]


def fake_face(task: ItemTask, folder: Path) -> Outcome:
    """Stand in for the real work on a face of a training set."""
    (folder / "report.json").write_text(json.dumps({"name": task.name}) + "\n")
    (folder / "face.txt").write_text(task.name)
    save_image(task.out / "truth" / f"{task.name}.png", np.zeros((4, 4, 3), np.float32))
    return Outcome({"complete": task.payload.index == 1})


def real_scans(out: Path, **change: object) -> Job:
    """Return a job over four small simulated scans, with a model of them."""
    folder = out.with_name("real-scans")
    if not folder.is_dir():
        folder.mkdir(parents=True)
        face, small = load_builtin_face(), ScanSettings(vertices=2500)
        for index in range(4):
            rng = np.random.default_rng([5, index])
            scan = simulate_scan(face, rng=rng, settings=small, name=f"scan{index:03d}")
            save_simulated_scan(folder, index, scan)
    item = ItemSettings(texture_size=64, geometry_image_size=32, registration=QUICK)
    settings = PipelineSettings(folder, out, item=item, model=ModelSettings(samples=2))
    return scan_job(dataclasses.replace(settings, **change))  # type: ignore[arg-type]


def real_textures(out: Path, **change: object) -> Job:
    """Return a job of four small faces."""
    item = TextureItemSettings(size=16, scan=TextureScanSettings(vertices=2500))
    settings = TextureSetSettings(out, 4, item=item)
    return texture_job(dataclasses.replace(settings, **change))  # type: ignore[arg-type]


def real_pictures(out: Path, **change: object) -> Job:
    """Return a job of six photographs, each a part."""
    images = FaceImageSettings(identities=3, samples=2, size=32, preset="photo")
    settings = FaceSetSettings(images, out, part_pictures=1)
    return face_job(dataclasses.replace(settings, **change))  # type: ignore[arg-type]
