"""Fits, partial faces, edits and speed of a trained factored geometry GAN.

    python tests/benchmarks/factored_geometry_fits.py RUN --ict FILE [--people 1000] [--faces 16]
        [--rows 4 5 6 8] [--new 100] [--paper 100] [--pairs 1000] [--priors 1e-3] [--out FILE]

RUN was trained on faces drawn from ICT-FaceKit's narrow face (6,706 vertices) by the seven named
expressions, with these numbers of people and faces. The faces that are fitted are of new people,
one each. An encoder is trained and stored in RUN if it has none.
"""

import argparse
import dataclasses
import json
import time
from pathlib import Path

import numpy as np
import torch

from geomface.datasets.labelled_faces import split_faces
from geomface.faces import load_ict
from geomface.gan.factored_geometry import (
    PAPER_FIT,
    FactoredModel,
    FitSettings,
    edit_faces,
    fit_faces,
    load_factored,
    save_encoder,
    train_encoder,
)
from geomface.gan.factored_geometry.baselines.linear import fit_pca_faces
from geomface.gan.factored_geometry.fitting import read_vertices
from geomface.metrics import OracleReadout, sample_specificity
from geomface.statistics import MorphableModel
from geomface.synthesis.expression_recipes import recipe_weights
from geomface.synthesis.labelled_faces import LabelledFacesSettings, draw_labelled_faces

EVERY = 4
"""Every so many vertices are looked at by the nearest training face and by the read-out."""
PCA_FACES = 4000
FIGURES: dict[str, float] = {}


def tell(name: str, value: float, unit: str = "mm") -> None:
    FIGURES[name] = round(float(value), 4)
    print(f"{name:<64} {value:8.3f} {unit}", flush=True)


def with_encoder(run: Path) -> FactoredModel:
    model = load_factored(run)
    if model.encoder is None:
        begin = time.process_time()
        model = dataclasses.replace(model, encoder=train_encoder(model, precision="bfloat16"))
        tell("encoder: training, CPU", time.process_time() - begin, "s")
        save_encoder(run, model)
    return model


def gaps(faces: np.ndarray, truth: np.ndarray) -> np.ndarray:
    """Return (N, V) mm."""
    return np.linalg.norm(faces - truth, axis=2)


def row4(model: FactoredModel, training, new: np.ndarray, paper: int, priors: list[float]) -> None:
    through = model.frame.to_images(new)
    for alpha in (model.alpha, 1e-4):
        tell(
            f"4 floor of images: alpha {alpha:g}",
            gaps(model.frame.to_vertices(through, alpha), new).mean(),
        )
    tell("4 mean face", gaps(model.frame.template.vertices[None], new).mean())
    few, every = training.vertices[:, ::EVERY], new[:, ::EVERY].astype(np.float32)
    tell("4 nearest training face", sample_specificity(every, few).value)
    rows = np.random.default_rng(1).permutation(len(training))[:PCA_FACES]
    pca = fit_pca_faces(training.select(np.sort(rows)), model.spec.size)
    tell(f"4 PCA of {model.spec.size} numbers", gaps(pca.fit(new.astype(np.float32)), new).mean())
    for prior in priors:
        fit = fit_faces(model, new, settings=FitSettings(prior=prior))
        name = f"4 encoder start, {FitSettings().steps} steps, prior {prior:g}"
        tell(name, fit.errors.mean())
        tell(f"{name}: bilinear", gaps(read_vertices(model, fit.codes, "bilinear"), new).mean())
        tell(f"{name}: |z|^2", np.square(fit.codes.values).sum(axis=1).mean(), "")
        tell(f"{name}: a face", 1000 * fit.seconds / len(new), "ms")
        tell(f"{name}: a face, CPU", 1000 * fit.processor_seconds / len(new), "ms")
    if paper:
        for prior in (priors[0], 1e-4 / new.shape[1]):
            settings = dataclasses.replace(PAPER_FIT, prior=prior)
            slow = fit_faces(model, new[:paper], settings=settings)
            name = f"4 the paper's way, prior {prior:g}, {paper} faces"
            tell(name, slow.errors.mean())
            tell(f"{name}: a face, CPU", 1000 * slow.processor_seconds / paper, "ms")
            tell(f"{name}: begun anew", slow.restarted, "")
            quick = fit_faces(model, new[:paper], settings=FitSettings(prior=prior))
            tell(f"4 encoder start on the same, prior {prior:g}", quick.errors.mean())
            tell("4 times faster", slow.processor_seconds / quick.processor_seconds, "x")


def row5(model: FactoredModel, training, new: np.ndarray, priors: list[float]) -> None:
    mean = model.frame.template.vertices
    sides = (mean[:, 0], -mean[:, 0], mean[:, 1], -mean[:, 1])  # left, right, top, bottom
    hidden = np.stack([s > np.quantile(s, 2 / 3) for s in sides])[np.arange(len(new)) % 4]
    at_mean = gaps(mean[None], new)[hidden].mean()
    tell("5 hidden third: mean face", at_mean)
    rows = np.random.default_rng(1).permutation(len(training))[:PCA_FACES]
    pca = fit_pca_faces(training.select(np.sort(rows)), model.spec.size)
    guess = np.empty_like(new)
    for side in range(4):
        guess[side::4] = pca.fit(new[side::4].astype(np.float32), ~hidden[side])
    tell("5 hidden third: PCA of the seen part", gaps(guess, new)[hidden].mean())
    for prior in priors:
        fit = fit_faces(model, new, visible=~hidden, settings=FitSettings(prior=prior))
        left = gaps(fit.vertices, new)
        tell(f"5 hidden third: prior {prior:g}", left[hidden].mean())
        tell(f"5 seen part: prior {prior:g}", left[~hidden].mean())
        tell(
            f"5 better than the mean face: prior {prior:g}",
            100 * (1 - left[hidden].mean() / at_mean),
            "%",
        )


def row6(world: MorphableModel, model: FactoredModel, held_out, new, pairs: int) -> None:
    weights = recipe_weights(world)
    bases = {
        "identity": world.shape.basis,
        "expression": world.expression.basis @ weights[np.abs(weights).sum(axis=1) > 0].T,
    }
    rows = np.arange(0, len(world.mesh.vertices), EVERY)
    oracle = OracleReadout(world.mesh.vertices, bases, ridge=100.0, vertices=rows)

    def read(faces: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        found = oracle.read(faces).coefficients
        return found["identity"], found["expression"]

    def distance(first: np.ndarray, second: np.ndarray) -> float:
        return float(np.linalg.norm(first - second, axis=1).mean())

    def judge(name, before, after, source) -> None:
        (who, _), (whom, done), (_, told) = read(before), read(after), read(source)
        order = np.random.default_rng(3).permutation(len(who))
        people = distance(who[order[: len(who) // 2]], who[order[len(who) // 2 :][: len(who) // 2]])
        tell(
            f"6 {name}: identity moves, of people's distance",
            100 * distance(who, whom) / people,
            "%",
        )
        tell(f"6 {name}: expression, to its source", distance(done, told), "")

    def blocks(codes) -> np.ndarray:
        parts = range(0, len(codes), 256)
        return np.concatenate(
            [model.vertices(codes[i : i + 256]).astype(np.float32) for i in parts]
        )

    shown = model.frame.to_vertices(model.frame.to_images(held_out.vertices[:2000]), model.alpha)
    _, faces = read(shown)
    labels, rng = held_out.truth["expression"][:2000], np.random.default_rng(2)
    same = []
    for label in np.unique(labels):
        members = np.flatnonzero(labels == label)
        same.append((rng.choice(members, 400), rng.choice(members, 400)))
    first, second = (np.concatenate(side) for side in zip(*same, strict=True))
    tell("6 true faces: expression, two of one label", distance(faces[first], faces[second]), "")
    codes = model.draw(2 * pairs, seed=31)
    target, source = codes[:pairs], codes[pairs:]
    edited = target.replace(expression=source.part("expression"))
    judge(f"{pairs} random pairs", blocks(target), blocks(edited), blocks(source))
    names = model.spec.factor("expression").classes
    source = model.draw(pairs, seed=32, expression=[names[i % len(names)] for i in range(pairs)])
    edited = target.replace(expression=source.part("expression"))
    judge(f"{pairs} pairs, codes of labels", blocks(target), blocks(edited), blocks(source))
    fit = fit_faces(model, new)
    edited = fit.codes.replace(expression=np.roll(fit.codes.part("expression"), 1, axis=0))
    moved = edit_faces(model, fit.codes, edited, new)
    judge(f"{len(new)} transfers between fitted new faces", new, moved, np.roll(new, 1, axis=0))


def row8(model: FactoredModel) -> None:
    codes = model.draw(256, seed=1)
    model.vertices(codes[:8])
    wall, processor = time.perf_counter(), time.process_time()
    for start in range(0, 256, 64):
        model.vertices(codes[start : start + 64])
    tell(
        "8 mesh from a code, batches of 64: CPU",
        1000 * (time.process_time() - processor) / 256,
        "ms",
    )
    tell("8 mesh from a code, batches of 64: wall", 1000 * (time.perf_counter() - wall) / 256, "ms")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("run", type=Path)
    parser.add_argument("--ict", type=Path, required=True)
    parser.add_argument("--people", type=int, default=1000)
    parser.add_argument("--faces", type=int, default=16)
    parser.add_argument("--rows", type=int, nargs="*", default=[4, 5, 6, 8])
    parser.add_argument("--new", type=int, default=100)
    parser.add_argument("--paper", type=int, default=100)
    parser.add_argument("--pairs", type=int, default=1000)
    parser.add_argument("--priors", type=float, nargs="*", default=[FitSettings().prior])
    parser.add_argument("--out", type=Path)
    use = parser.parse_args()
    torch.set_num_threads(1)
    world = load_ict(use.ict).marginal(np.arange(6706))
    faces = LabelledFacesSettings(people=use.people, faces=use.faces)
    training, held_out = split_faces(draw_labelled_faces(world, faces), 0.1)
    drawn = LabelledFacesSettings(people=use.new, faces=1, seed=5)
    new = draw_labelled_faces(world, drawn).vertices.astype(np.float64)
    model = with_encoder(use.run)
    if 4 in use.rows:
        row4(model, training, new, use.paper, use.priors)
    if 5 in use.rows:
        row5(model, training, new, use.priors)
    if 6 in use.rows:
        row6(world, model, held_out, new, use.pairs)
    if 8 in use.rows:
        row8(model)
    if use.out is not None:
        use.out.write_text(
            json.dumps({"run": str(use.run), "step": model.step} | FIGURES, indent=1)
        )


if __name__ == "__main__":
    main()
