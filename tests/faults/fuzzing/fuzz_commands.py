"""The same through the command line, as far as it goes quickly: `--dry-run` reads all inputs."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from fuzz_learned import texture_run
from fuzz_meshes import landmark_rows
from fuzz_models import own_model
from fuzz_reader import MADE, Reader
from fuzz_sets import embeddings, fits, labelled, photographs, small_job

from geomface.cli.main import main
from geomface.mesh.io import save_landmarks, save_mesh
from geomface.mesh.landmarks import Landmarks


def _command(
    name: str,
    write: Callable[[Path], Any],
    line: str,
    spoil: tuple[str, ...] = ("**/*",),
    weight: int = 1,
) -> Reader:
    """Return a command as a reader; {f} is the folder of its files, {o} that of its output."""

    def read(folder: Path) -> int:
        out = folder / MADE
        out.mkdir(exist_ok=True)
        words = [word.format(f=folder, o=out) for word in line.split()]
        code = main([*words, "--debug"])  # errors come out as they are
        if code not in (0, 1, 2, 3):
            raise RuntimeError(f"exit code {code}")
        return code

    return Reader(f"command.{name}", write, read, spoil, weight)


def _scan(folder: Path) -> None:
    from geomface.faces.builtin import load_builtin_face

    face = load_builtin_face()
    rng = np.random.default_rng(0)
    mesh = face.mesh.replace(texture=None)
    save_mesh(folder / "scan.ply", mesh.replace(vertices=mesh.vertices + rng.normal(0, 0.1)))
    marks = face.template.landmarks
    if marks is None:
        raise RuntimeError("the built-in face has landmarks")
    save_landmarks(folder / "scan.landmarks.json", Landmarks(marks.positions(mesh.vertices)))


def _listed(folder: Path) -> None:
    embeddings(folder / "e.npz")
    (folder / "pairs.txt").write_text("a/1 a/2 1\na/1 b/1 0\na/2 b/1 0\n")


def _pairs_and_fits(folder: Path) -> None:
    from geomface.faces.builtin import load_builtin_face

    text = "anna/1 ben/1 0\nanna/1 anna/2 1\nben/1 ben/2 1\n"
    (folder / "pairs.txt").write_text(text)
    (folder / "fits").mkdir()
    face = load_builtin_face()
    names = () if face.expression is None else face.expression.names
    fits(folder / "fits", face.topology_id, len(face.shape), names)


def _factors(folder: Path) -> None:
    np.save(folder / "pose.npy", np.random.default_rng(0).normal(0, 20, (30, 3)))
    (folder / "population.json").write_text(json.dumps({"people": 2, "topology_id": None}))


def _picture_landmarks(folder: Path) -> None:
    photographs(folder)
    (folder / "one.pts").write_text(landmark_rows(np.ones((68, 2))))


def command_readers() -> list[Reader]:
    """Return the commands."""
    job = ("out/*.json*", "out/records/*", "out/.geomface.json")
    return [
        _command(
            "convert",
            lambda folder: own_model(folder / "m.npz"),
            "model convert --input {f}/m.npz --out {o}/m.safetensors --quiet",
            weight=2,
        ),
        _command(
            "show", lambda folder: own_model(folder / "m.npz"), "model show --model {f}/m.npz"
        ),
        *(
            _command(f"{verb}.{name}", small_job(name), f"pipeline {verb} {{f}}/out", job, 2)
            for verb in ("status", "verify")
            for name in ("pictures", "textures")
        ),
        _command("report", small_job("pictures"), "report {f}/out --out {o}/r.html --quiet", job),
        _command(
            "register",
            _scan,
            "register --scan {f}/scan.ply --landmarks {f}/scan.landmarks.json --out {o}/m.ply "
            "--dry-run",
            ("*.json",),
        ),
        _command(
            "recognise_evaluate",
            _listed,
            "recognise evaluate {f}/e.npz --pairs {f}/pairs.txt --out {o}/e --dry-run",
            weight=2,
        ),
        _command(
            "recognise_align",
            photographs,
            "recognise align --images {f} --out /nowhere/set --dry-run",
        ),
        _command("synth_factors", fits, "synth factors --fits {f} --out {o}/f --quiet", weight=2),
        _command(
            "synth_vae", _factors, "synth vae --factors {f} --out {o}/v.safetensors --dry-run"
        ),
        _command(
            "synth_pairs",
            _pairs_and_fits,
            "synth pairs --pairs {f}/pairs.txt --fits {f}/fits --out {o}/p --dry-run",
        ),
        _command(
            "sample_textures",
            texture_run,
            "sample progressive_texture {f} --count 1 --out {o}/s --quiet",
            ("checkpoints/*", "run.json"),
        ),
        _command(
            "train_factored",
            labelled,
            "train factored_geometry --data {f} --out {o}/run --recipe tiny --dry-run",
        ),
    ]
