"""Geometry from texture at the end of the whole chain: simulate, register, bake, model.

    geomface synth scans --count 160 --seed 11 --out SCANS
    geomface pipeline run --scans SCANS --out RUN --no-model --texture-size 128
    python tests/benchmarks/chain_assignment.py RUN SCANS [--held-out 40] [--components 8 16 32]

Prints the mean vertex error (mm) of every assignment on the faces held out, for the registered
meshes with baked textures, and for the true meshes of the same scans with the same textures: what
the registration costs. The face's own canonical spectrum decides how much there is to win; it is
printed beside the correlations found.
"""

import argparse
from pathlib import Path

import numpy as np

from geomface.datasets.registered_faces import load_registered_faces
from geomface.statistics import align_meshes, fit_texture_pca, seen_coefficients
from geomface.statistics.assignment import compare_assignments, pair_faces
from geomface.statistics.correlation import canonical_correlation


def read(run: Path, scans: Path) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Return textures, masks, registered and true vertices of all items that are done."""
    pairs, truths = load_registered_faces(run), []
    for name in pairs.names:
        with np.load(scans / f"{name}.truth.npz") as truth:
            truths.append(truth["vertices"].astype(np.float64))
    return pairs.textures, pairs.masks, pairs.vertices, np.stack(truths)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("run", type=Path)
    parser.add_argument("scans", type=Path)
    parser.add_argument("--held-out", type=int, default=40)
    parser.add_argument("--components", type=int, nargs="+", default=[8, 16, 32])
    arguments = parser.parse_args()
    textures, masks, fitted, truths = read(arguments.run, arguments.scans)
    train = len(textures) - arguments.held_out
    # Texture scores by a model of the training faces alone; held-out faces are projected.
    model = fit_texture_pca(textures[:train], masks[:train], components=min(60, train - 2))
    seen = [seen_coefficients(model, *face) for face in zip(textures, masks, strict=True)]
    scores = np.stack(seen) * np.sqrt(model.variances)
    for name, meshes in (("registered", fitted), ("true meshes", truths)):
        geometries = align_meshes(meshes).aligned
        for count in arguments.components:
            size = {"texture_components": count, "geometry_components": count}
            pairs = pair_faces(scores[:train], geometries[:train], **size)
            found = canonical_correlation(
                pairs.textures.coefficients, pairs.geometries.coefficients
            )
            table = compare_assignments(
                scores[:train],
                geometries[:train],
                scores[train:],
                geometries[train:],
                np.random.default_rng(0),
                ridge="auto",
                **size,
            ).mean_errors
            figures = "  ".join(f"{key} {value:.2f}" for key, value in table.items())
            ratio = table["random"] / table["mean"]
            print(f"{name}, {train} faces, {count} modes: {figures}  random/mean {ratio:.3f}")
            print(f"  correlations {np.round(found.correlations[:8], 2)}")


if __name__ == "__main__":
    main()
