"""Readers of what was learned: checkpoints, runs, generators, embedders, detectors, codes."""

import dataclasses
import functools
import importlib
import shutil
import sys
from pathlib import Path
from typing import Any

import numpy as np
import torch
from fuzz_reader import MADE, TESTS, Reader, one_file

from geomface.files import save_tensors
from geomface.files.assets import asset_path
from geomface.gan.factored_geometry.codes_file import generator_identity, load_codes, save_codes
from geomface.gan.factored_geometry.model import load_factored
from geomface.gan.factored_geometry.model_file import save_factored
from geomface.gan.factored_geometry.settings import SYSTEM as FACTORED
from geomface.gan.landmark_reenactment.sampling import load_reenactor
from geomface.gan.landmark_reenactment.settings import SYSTEM as REENACTMENT
from geomface.gan.progressive_texture.joint import KIND, SCHEMA, load_joint
from geomface.gan.progressive_texture.sampling import load_generator, sample_images
from geomface.gan.progressive_texture.settings import SYSTEM as TEXTURES
from geomface.gan.render_to_photo.sampling import load_translator
from geomface.landmarks.photographs.weights import load_weights
from geomface.landmarks.weights import load_detector
from geomface.learning import LoopSettings, run_training
from geomface.learning.metrics_log import read_metrics
from geomface.learning.run_directory import find_run, read_run
from geomface.learning.state import load_checkpoint
from geomface.learning.trained import load_trained, save_trained
from geomface.learning.vgg import load_vgg
from geomface.recognition.embedder.face_embedder import load_embedder, save_embedder
from geomface.report.training import write_training_report
from geomface.synthesis import (
    FactorVaeSettings,
    VaeSize,
    fit_factor_vaes,
    load_factor_vaes,
    save_factor_vaes,
)

for name in ("factored_geometry", "landmark_reenactment", "render_to_photo"):
    sys.path.append(str(TESTS / "gan" / name))
sys.path += [str(TESTS / "gan"), str(TESTS / "learning"), str(TESTS / "mesh")]

FORMER = TESTS / "gan" / "former_runs" / "growing"


def _case(module: str) -> Any:
    return importlib.import_module(module)


def texture_run(folder: Path) -> None:
    shutil.copytree(FORMER, folder, dirs_exist_ok=True)
    (folder / "checkpoints" / "step-000000010.safetensors").unlink()


def _read_texture_run(folder: Path) -> Any:
    read_run(folder, system=TEXTURES)
    read_metrics(folder / "metrics.jsonl")
    return sample_images(load_generator(folder), 1)


def _report_run(folder: Path) -> Any:
    (folder / MADE).mkdir(exist_ok=True)
    return write_training_report(folder, folder / MADE / "report.html")


def _texture_file(path: Path) -> None:
    model = load_trained(FORMER, system=TEXTURES)
    save_trained(path, model, system=TEXTURES, networks=("generator_ema",))


def _sample(path: Path) -> Any:
    return sample_images(load_generator(path), 1)


def _brief(settings: Any, steps: int = 1) -> Any:
    return dataclasses.replace(settings, loop=LoopSettings(steps, steps, steps, steps))


def _factored_run(folder: Path) -> None:
    case = _case("factored_cases")
    from geomface.gan.factored_geometry import FactoredGeometryGan
    from geomface.gan.factored_geometry.task import prepare_images

    settings = _brief(case.SMALL)

    def make() -> Any:
        return FactoredGeometryGan(settings, prepare_images(settings, case.sheet_faces()))

    run_training(make, folder, settings, system=FACTORED)


def _factored_file(path: Path) -> None:
    run = path.parents[1] / "run.factored"  # one training serves several samples
    if not run.is_dir():
        _factored_run(run)
    save_factored(path, load_factored(run))


def _draw_factored(path: Path) -> Any:
    model = load_factored(path)
    return model.meshes(model.draw(1, seed=0))


def _codes(folder: Path) -> None:
    _factored_file(folder / "model.safetensors")
    model = load_factored(folder / "model.safetensors")
    save_codes(
        folder / "codes.json",
        model.draw(2, seed=0),
        ["anna", "ben"],
        topology_id=model.template.mesh.topology_id,
        generator=generator_identity(model.generator),
    )


@functools.cache
def _kept_factored(path: str) -> Any:
    return load_factored(path)


def _read_codes(folder: Path) -> Any:
    model = _kept_factored(str(folder / "model.safetensors"))
    topology = model.template.mesh.topology_id
    return load_codes(folder / "codes.json", model.spec, topology_id=topology)


def _translator_run(folder: Path) -> None:
    _case("translation_cases").train_briefly(folder, 1)


def _translate(path: Path) -> Any:
    translator = load_translator(path)
    size = translator.alignment.height
    return translator.translate(np.full((1, size, size, 3), 0.5, np.float32), ["a"])


def _reenactor_run(folder: Path) -> None:
    case = _case("reenactment_cases")
    from geomface.gan.landmark_reenactment import LandmarkReenactment

    settings = _brief(case.SMALL)
    make = functools.partial(
        LandmarkReenactment, settings, case.build_data(), case.build_embedder(), case.Edges()
    )
    run_training(make, folder, settings, system=REENACTMENT)


def _embedder(path: Path) -> None:
    save_embedder(path, _case("translation_cases").build_embedder())


def _embed(path: Path) -> Any:
    embedder = load_embedder(path)
    height, width = embedder.network.picture
    return embedder.embed(np.random.default_rng(0).random((1, height, width, 3), np.float32))


def _toy_run(folder: Path) -> None:
    case = _case("toy_system")
    settings = _brief(case.ToySettings(), 2)
    import geomface.learning as learning

    run_training(lambda: case.Toy(settings), folder, settings, system=learning.System("toy"))


@functools.cache
def _toy() -> Any:
    case = _case("toy_system")
    return case.Toy(_brief(case.ToySettings(), 2))


def _resume(folder: Path) -> Any:
    import geomface.learning as learning

    system = learning.System("toy")
    toy = _toy()
    data = toy.fingerprints()
    run = find_run(folder, toy.settings, system=system, resume="must", data=data)
    assert run is not None and run.checkpoint is not None
    return load_checkpoint(run.checkpoint, _toy().state, system=system)


def _joint(path: Path) -> None:
    from io_samples import corner_mesh

    mesh, rng = corner_mesh(), np.random.default_rng(0)
    count = len(mesh.vertices)
    arrays = {
        "texture/mean": rng.random((8, 8, 3)).astype(np.float32),
        "texture/basis": np.linalg.qr(rng.standard_normal((192, 2)))[0].reshape(8, 8, 3, 2),
        "texture/valid": np.ones((8, 8), bool),
        "geometry/mean": mesh.vertices,
        "geometry/slopes": rng.random((2, count, 3)),
        "geometry/variety": rng.random((1, count, 3)),
        "mesh/vertices": mesh.vertices,
        "mesh/faces": mesh.faces.astype(np.uint16),
        "mesh/uv": np.asarray(mesh.uv),
        "mesh/uv_faces": np.asarray(mesh.uv_faces).astype(np.uint16),
    }
    save_tensors(
        path,
        arrays,
        kind=KIND,
        schema=SCHEMA,
        topology_id=mesh.topology_id,
        config={"reach": 2.0},
    )


def _vaes(path: Path) -> None:
    poses = np.random.default_rng(0).normal(0, 20, (40, 3))
    settings = FactorVaeSettings(pose=VaeSize(3, 8), epochs=1)
    save_factor_vaes(path, fit_factor_vaes({"pose": poses}, settings))


def _draw_vaes(path: Path) -> Any:
    vaes = load_factor_vaes(path)
    return [vaes.draw(factor, np.random.default_rng(0)) for factor in vaes.decoders]


def _shipped(name: str) -> Any:
    return lambda path: shutil.copy(asset_path(name), path)


def _vgg(path: Path) -> None:
    """Not a whole one, which has 80 MB: what tells the depth, and so what is refused."""
    from safetensors.torch import save_file

    save_file({"features.0.weight": torch.zeros(64, 3, 3, 3)}, str(path))


def _refused_vgg(path: Path) -> None:
    from geomface.errors import FileFormatError

    try:
        load_vgg(path)
    except FileFormatError:
        return


def learned_readers() -> list[Reader]:
    """Return the readers of everything that was trained."""
    models = ("checkpoints/*", "run.json", "metrics.jsonl")
    return [
        Reader("run.textures", texture_run, _read_texture_run, models),
        Reader(
            "run.report", texture_run, _report_run, ("run.json", "*.jsonl", "evaluation.json"), 1
        ),
        one_file(
            "generator.safetensors", _texture_file, lambda p: sample_images(load_generator(p), 1)
        ),
        Reader("run.factored", _factored_run, _draw_factored, models, 2),
        one_file("factored.safetensors", _factored_file, _draw_factored),
        Reader("codes.json", _codes, _read_codes, ("codes.json",)),
        Reader("run.translator", _translator_run, _translate, models, 1),
        Reader("run.reenactor", _reenactor_run, load_reenactor, models, 2),
        Reader("run.resumed", _toy_run, _resume, (*models, "data.json")),
        one_file("embedder.safetensors", _embedder, _embed),
        one_file("joint.safetensors", _joint, load_joint),
        one_file("vaes.safetensors", _vaes, _draw_vaes),
        one_file("vgg.safetensors", _vgg, _refused_vgg),
        dataclasses.replace(
            one_file(
                "detector.safetensors", _shipped("landmarks/detector.safetensors"), load_detector
            ),
            weight=1,
        ),
        dataclasses.replace(
            one_file(
                "photograph_detector.safetensors",
                _shipped("photograph_landmarks/detector.safetensors"),
                load_weights,
            ),
            weight=1,
        ),
    ]
