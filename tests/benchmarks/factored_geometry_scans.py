"""The factored geometry GAN trained on registered scans, against the same faces' truth.

    python tests/benchmarks/factored_geometry_scans.py WORK [--people 40] [--faces 5]
        [--steps 2000] [--seeds 1] [--held-out 20] [--workers 1]

Scans of people with the seven named expressions are simulated from the built-in face, registered by
`geomface pipeline run` (landmarks with 1 mm of noise), read by `load_labelled_faces` with a table
of all people and half of the expressions, and trained on. The other arm is trained on the true
surfaces of the same faces. Both are measured against the true faces: specificity of 1,000 samples,
and the error of fits to other people's true faces. WORK keeps scans, registrations and runs; the
same command goes on.
"""

import argparse
import dataclasses
import json
from pathlib import Path

import numpy as np
import torch

from geomface.datasets.label_table import save_label_table
from geomface.datasets.labelled_faces import LabelledFaces, hide_labels
from geomface.datasets.labelled_folder import load_labelled_faces
from geomface.faces import load_builtin_face
from geomface.gan.factored_geometry import load_factored, recipe, train_factored
from geomface.gan.factored_geometry.fitting import FitSettings, fit_faces
from geomface.learning import ComputeSettings
from geomface.mesh import fit_similarity
from geomface.metrics import reconstruction_error, sample_specificity
from geomface.pipeline import PipelineSettings, run_pipeline
from geomface.pipeline.settings import ItemSettings, ModelSettings
from geomface.scans.settings import ScanSettings
from geomface.scans.simulate import save_simulated_scan, simulate_scan
from geomface.statistics import MorphableModel
from geomface.synthesis.expression_recipes import EXPRESSION_RECIPES, recipe_weights


class PosedModel(MorphableModel):
    """A model that draws the person and the expression that it is told to."""

    def set_pose(self, identity: np.ndarray, expression: np.ndarray) -> None:
        object.__setattr__(self, "told", (identity, expression))

    def sample_identity(self, rng: np.random.Generator) -> np.ndarray:
        return self.told[0]  # type: ignore[attr-defined]

    def sample_expression(self, rng: np.random.Generator) -> np.ndarray:
        return self.told[1]  # type: ignore[attr-defined]


def simulate(folder: Path, people: int, faces: int, seed: int) -> LabelledFaces:
    """Write scans where they are missing and return the true faces in the model's frame."""
    model = load_builtin_face()
    fields = {f.name: getattr(model, f.name) for f in dataclasses.fields(model)}
    posed, recipes = PosedModel(**fields), recipe_weights(model)
    folder.mkdir(parents=True, exist_ok=True)
    settings = ScanSettings(scale=(1.0, 1.0))
    vertices, labels, names = [], [], []
    for person in range(people):
        identity = np.random.default_rng([seed, person]).standard_normal(len(model.shape))
        for face in range(faces):
            index = person * faces + face
            rng = np.random.default_rng([seed, person, face])
            label = int(rng.integers(len(recipes)))
            posed.set_pose(identity, np.clip(recipes[label] * rng.uniform(0.6, 1.1), 0, 1))
            path = folder / f"scan{index:03d}.truth.npz"
            if not path.is_file():
                save_simulated_scan(folder, index, simulate_scan(posed, rng=rng, settings=settings))
            with np.load(path) as truth:
                moved = truth["vertices"] - truth["translation"]
                vertices.append(moved @ truth["rotation"] / truth["scale"])
            labels.append(label)
            names.append(f"scan{index:03d}")
    who = np.repeat(np.arange(people), faces)
    truth = {"identity": who, "expression": np.array(labels)}
    found = LabelledFaces(
        unwrapped(model),
        np.stack(vertices).astype(np.float32),
        tuple(names),
        truth,
        {
            "identity": tuple(f"person{k:04d}" for k in range(people)),
            "expression": tuple(EXPRESSION_RECIPES),
        },
        truth,
    )
    return hide_labels(found, "expression", 0.5, seed=seed)


def unwrapped(model: MorphableModel):
    """Return the template with uv."""
    from geomface.parametrization import unwrap

    return dataclasses.replace(model.template, mesh=unwrap(model.template).mesh)


def register(work: Path, truth: LabelledFaces, workers: int) -> LabelledFaces:
    """Register all scans and read them with their labels, in the frame of the truth."""
    settings = PipelineSettings(
        work / "scans",
        work / "registered",
        workers=workers,
        item=ItemSettings(texture_size=0, geometry_image_size=0),
        model=ModelSettings(enabled=False),
    )
    report = run_pipeline(settings)
    print(report.message, flush=True)
    table = work / "labels.csv"
    save_label_table(table, truth)
    faces = load_labelled_faces(work / "registered", table)
    order = [faces.names.index(name) for name in truth.names]
    faces = faces.select(np.array(order))
    moved = rigidly(faces.vertices, truth.vertices)
    gaps = np.linalg.norm(moved - truth.vertices, axis=2)
    print(f"registration error: mean {gaps.mean():.3f} mm, median {np.median(gaps):.3f} mm")
    return in_one_pose(faces)


def in_one_pose(faces: LabelledFaces) -> LabelledFaces:
    """Return faces, each moved rigidly onto the template, as those of scans are."""
    mean = faces.template.mesh.vertices
    moved = rigidly(faces.vertices, np.broadcast_to(mean, faces.vertices.shape))
    return dataclasses.replace(faces, vertices=moved.astype(np.float32))


def rigidly(faces: np.ndarray, truth: np.ndarray) -> np.ndarray:
    """Return faces, each moved onto its truth."""
    return np.stack(
        [
            fit_similarity(a.astype(float), b.astype(float), scale=False).apply(a.astype(float))
            for a, b in zip(faces, truth, strict=True)
        ]
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("work", type=Path)
    for name, value in (("people", 40), ("faces", 5), ("steps", 2000), ("seeds", 1)):
        parser.add_argument(f"--{name}", type=int, default=value)
    parser.add_argument("--held-out", type=int, default=20)
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--precision", default="float32")
    options = parser.parse_args()
    torch.set_num_threads(1)
    truth = simulate(options.work / "scans", options.people, options.faces, seed=0)
    scanned, truth = register(options.work, truth, options.workers), in_one_pose(truth)
    model, recipes = load_builtin_face(), recipe_weights(load_builtin_face())
    rng = np.random.default_rng(99)
    others = np.stack(
        [
            model.vertices(rng.standard_normal(len(model.shape)), recipes[k % len(recipes)])
            for k in range(5 * options.held_out)
        ]
    )
    others = rigidly(others, np.broadcast_to(truth.template.mesh.vertices, others.shape))
    rows: dict[str, list[tuple[float, float]]] = {"scans": [], "truth": []}
    for seed in range(options.seeds):
        for arm, faces in (("scans", scanned), ("truth", truth)):
            settings = recipe("cpu", seed=seed)
            settings = dataclasses.replace(
                settings,
                held_out=0.0,
                horizon=options.steps,
                loop=dataclasses.replace(settings.loop, steps=options.steps),
                compute=ComputeSettings("cpu", options.precision),
            )
            out = options.work / f"{arm}-{seed}"
            train_factored(settings, faces, out)
            gan = load_factored(out)
            samples = gan.vertices(gan.draw(1000, seed=1))
            specific = sample_specificity(samples, truth.vertices)
            fit = fit_faces(gan, others, settings=FitSettings(start="random", restarts=2))
            general = reconstruction_error(fit.vertices, others)
            rows[arm].append((specific.value, general.value))
            print(
                f"{arm} seed {seed}: specificity {specific}, generalization {general}", flush=True
            )
    means = {arm: np.mean(values, axis=0) for arm, values in rows.items()}
    ratio = means["scans"] / means["truth"]
    print(f"scans / truth: specificity {ratio[0]:.3f}, generalization {ratio[1]:.3f}")
    print(json.dumps({arm: [list(pair) for pair in values] for arm, values in rows.items()}))


if __name__ == "__main__":
    main()
