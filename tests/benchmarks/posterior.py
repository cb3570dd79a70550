"""Faces completed from a quarter of their surface, at full size.

    python tests/benchmarks/posterior.py DATA [--vertices 53000] [--faces 100] [--json FILE]

DATA holds ict/. The ICT model's 100 identities are carried to `--vertices` points spread over its
surface, so that the sizes are those of a scanner's model and the statistics those of faces. From
random faces a quarter of the surface (what lies within some distance of a random point) is measured
with 0.5 mm noise. Prints the time to condition the model on it, the mean error of the hidden rest
beside the mean face and the nearest of 500 training faces (chosen by the same measurements), and
how often the truth lies in the 95 % interval of its coordinate.
"""

import argparse
import json
import time
from pathlib import Path

import numpy as np

from geomface.faces.ict import load_ict
from geomface.statistics.linear_model import LinearModel
from geomface.statistics.posterior import posterior

SIGMA_MM = 0.5
TRAINING = 500


def dense_model(data: Path, count: int, rng: np.random.Generator) -> LinearModel:
    """Return ICT's identity model on points spread evenly over its triangles."""
    face = load_ict(data / "ict" / "ict_face.npz")
    mesh = face.template.mesh
    corners = mesh.vertices[mesh.faces]
    sides = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    area = np.linalg.norm(sides, axis=1)
    chosen = rng.choice(len(area), count, p=area / area.sum())
    weights = rng.dirichlet(np.ones(3), count)
    modes = np.moveaxis(face.shape.modes, 0, -1)
    spread = np.zeros((count, 3, modes.shape[-1]), np.float32)
    mean = np.zeros((count, 3))
    for corner in range(3):
        rows, share = mesh.faces[chosen, corner], weights[:, corner, None]
        mean += share * mesh.vertices[rows]
        spread += (share[..., None] * modes[rows]).astype(np.float32)
    return LinearModel(mean, spread, noise_sigma=0.1)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("data", type=Path)
    parser.add_argument("--vertices", type=int, default=53_000)
    parser.add_argument("--faces", type=int, default=100)
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    rng = np.random.default_rng(0)
    model = dense_model(arguments.data, arguments.vertices, rng)
    print(f"{arguments.vertices} vertices, {len(model)} modes")
    drawn = rng.standard_normal((TRAINING, len(model)))
    rows = []
    for _ in range(arguments.faces):
        truth = model.reconstruct(rng.standard_normal(len(model)))
        truth = truth + model.noise_sigma * rng.standard_normal(truth.shape)
        centre = model.mean[rng.integers(len(model.mean))]
        distance = np.linalg.norm(model.mean - centre, axis=1)
        seen = np.sort(np.argsort(distance)[: len(distance) // 4])
        hidden = np.setdiff1d(np.arange(len(distance)), seen)
        values = truth[seen] + SIGMA_MM * rng.standard_normal((len(seen), 3))
        began = time.perf_counter()
        found = posterior(model, seen, values, SIGMA_MM)
        conditioned = time.perf_counter()
        whole = found.mean
        completed = time.perf_counter()
        # The nearest training face, by the measurements: |B z - r|^2 from the small products.
        part = model.basis[seen].reshape(-1, len(model))
        left = (values - model.mean[seen]).ravel()
        gaps = np.einsum("nk,nk->n", drawn @ (part.T @ part), drawn) - 2 * drawn @ (part.T @ left)
        nearest = model.reconstruct(drawn[int(np.argmin(gaps))])
        off = np.abs(whole - truth)[hidden]
        inside = (off < 1.959964 * found.sigma[hidden]).mean()
        errors = [
            float(np.linalg.norm(other[hidden] - truth[hidden], axis=1).mean())
            for other in (whole, nearest, model.mean)
        ]
        times = [1e3 * (conditioned - began), 1e3 * (completed - conditioned)]
        rows.append([*times, *errors, float(inside)])
    names = ["condition ms", "mean ms", "posterior mm", "nearest mm", "mean face mm", "inside 95 %"]
    table = np.array(rows)
    for name, column in zip(names, table.T, strict=True):
        middle, best = np.median(column), column.min()
        print(f"{name:14s} mean {column.mean():8.3f}  median {middle:8.3f}  least {best:8.3f}")
    if arguments.json is not None:
        arguments.json.write_text(json.dumps(dict(zip(names, table.T.tolist(), strict=True))))


if __name__ == "__main__":
    main()
