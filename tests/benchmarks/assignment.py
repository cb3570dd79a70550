"""Geometry from texture, and canonical correlation beside that of scikit-learn, in one run.

    python tests/benchmarks/assignment.py [--seeds 3] [--faces 400] [--json FILE]

Prints: the seven rows of Shamai et al. 2018, section 7.2 (figure 9), with the formulas as they were
printed, on linear Gaussian faces; our own predictor beside least squares where the relation is not
linear; known canonical spectra and shuffled pairings of 2,000 faces; agreement and time beside
scikit-learn; times on textures of 128 x 128 texels and 9,409 vertices.
"""

import argparse
import json
import sys
import time
import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "statistics"))

from paired_faces import (
    RELATIONS,
    paired_faces,
    printed_least_squares,
    printed_maximum_likelihood,
)

from geomface.statistics.assignment import (
    METHODS,
    compare_assignments,
    fit_assignment,
    geometry_errors,
    pair_faces,
)
from geomface.statistics.correlation import canonical_correlation

SIZE = {"texture_components": 30, "geometry_components": 30}
SPECTRUM = np.array([0.95, 0.85, 0.7, 0.5, 0.3, 0.1])


def seven_rows(seeds: int, count: int) -> dict[str, list[float]]:
    """Print mean vertex errors of every method and of the printed formulas."""
    table: dict[str, list[float]] = {}
    for correlation in (1.0, 0.95):
        for seed in range(seeds):
            rng = np.random.default_rng(seed)
            faces = paired_faces(rng, count=count, correlation=correlation)
            errors = compare_assignments(*faces.all, rng, **SIZE).mean_errors
            pairs = pair_faces(faces.textures, faces.geometries, **SIZE)
            printed = {
                "ML as printed": printed_maximum_likelihood(faces, 30),
                "LS as printed": printed_least_squares(pairs, faces),
            }
            for name, found in printed.items():
                errors[name] = float(geometry_errors(found, faces.test_geometries).mean())
            errors["random / mean"] = errors["random"] / errors["mean"]
            errors["LS / ML"] = errors["least_squares"] / errors["maximum_likelihood"]
            for name, value in errors.items():
                table.setdefault(name, []).append(value)
    print(f"\nmean vertex error, mm: {count} faces, 30 latents, 200 test faces")
    columns = [f"{c:.2f}/{seed}" for c in (1.0, 0.95) for seed in range(seeds)]
    print(f"{'correlation / seed':22s}" + "".join(f"{name:>9s}" for name in columns))
    for name, values in table.items():
        print(f"{name:22s}" + "".join(f"{value:9.3f}" for value in values))
    return table


def relations(seeds: int, count: int) -> dict[str, dict[str, float]]:
    """Print the mean of errors over seeds for each relation."""
    print("\nmean vertex error, mm, by relation (mean over seeds)")
    names = ("mean", "nearest", "maximum_likelihood", "least_squares", "nonlinear")
    print(
        f"{'relation':16s}" + "".join(f"{name:>20s}" for name in names) + "   own / LS (each seed)"
    )
    table = {}
    for relation in RELATIONS:
        found = []
        for seed in range(seeds):
            rng = np.random.default_rng(seed)
            faces = paired_faces(rng, count=count, relation=relation)
            found.append(compare_assignments(*faces.all, rng, **SIZE, methods=names).mean_errors)
        row = {name: float(np.mean([errors[name] for errors in found])) for name in names}
        ratios = [errors["nonlinear"] / errors["least_squares"] for errors in found]
        print(
            f"{relation:16s}"
            + "".join(f"{row[name]:20.3f}" for name in names)
            + "   "
            + " ".join(f"{ratio:.3f}" for ratio in ratios)
        )
        table[relation] = row
    return table


def gaussian_pair(
    rng: np.random.Generator, spectrum: np.ndarray, count: int, size: int
) -> tuple[np.ndarray, np.ndarray]:
    """Return draws of two mixed Gaussians with a known canonical spectrum, zeros after it."""
    whole = np.zeros(size)
    whole[: len(spectrum)] = spectrum
    x = rng.standard_normal((count, size))
    y = whole * x + np.sqrt(1 - whole**2) * rng.standard_normal((count, size))
    mix = [rng.standard_normal((size, size)) for _ in range(2)]
    return x @ mix[0] + 1, y @ mix[1] - 2


def spectra(seeds: int) -> list[dict[str, float]]:
    """Print found spectra beside the truth, and the largest correlations of shuffled pairings."""
    print("\ncanonical spectrum of 2,000 faces (sample | without the share of chance)")
    print(f"{'columns/seed':14s}" + "".join(f"{value:14.2f}" for value in SPECTRUM) + "   worst")
    rows = []
    for size in (len(SPECTRUM), 30, 100):
        for seed in range(seeds):
            rng = np.random.default_rng(seed)
            x, y = gaussian_pair(rng, SPECTRUM, 2000, size)
            found = canonical_correlation(x, y)
            shuffled = canonical_correlation(x, y[rng.permutation(2000)])
            sample, population = found.correlations[:6], found.population[:6]
            worst = [float(np.abs(each - SPECTRUM).max()) for each in (sample, population)]
            pairs = zip(sample, population, strict=True)
            print(
                f"{size:7d}/{seed:<6d}"
                + "".join(f"{one:8.3f}|{two:5.3f}" for one, two in pairs)
                + f"   {worst[0]:.3f}|{worst[1]:.3f}; shuffled: first "
                f"{shuffled.correlations[0]:.3f}|{shuffled.population[0]:.3f}, "
                f"chance {found.chance:.3f}, p {shuffled.p_values[0]:.2f}"
            )
            rows.append({"columns": size, "sample": worst[0], "population": worst[1]})
    return rows


def seconds(work: Callable[[], object], repeat: int) -> float:
    """Return the least time of some calls: others may use the machine, too."""
    times = []
    for _ in range(repeat):
        began = time.perf_counter()
        work()
        times.append(time.perf_counter() - began)
    return min(times)


def beside_scikit_learn() -> list[dict[str, float]]:
    """Print agreement and time ratio, all pairs asked for, 2,000 faces."""
    try:
        from sklearn.cross_decomposition import CCA
    except ImportError:
        print("\nscikit-learn is not installed: skipped")
        return []
    print("\nbeside sklearn.cross_decomposition.CCA, 2,000 faces, all pairs, best of several")
    rows = []
    for size in (6, 10, 20, 30, 60):
        x, y = gaussian_pair(np.random.default_rng(size), SPECTRUM, 2000, size)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # its iteration stops early on equal correlations
            peer = CCA(n_components=size, max_iter=2000)
            theirs = seconds(lambda: peer.fit(x, y), 5)  # noqa: B023
            u, v = peer.transform(x, y)
        ours = seconds(lambda: canonical_correlation(x, y), 25)  # noqa: B023
        expected = [abs(np.corrcoef(u[:, k], v[:, k])[0, 1]) for k in range(len(SPECTRUM))]
        found = canonical_correlation(x, y).correlations[: len(SPECTRUM)]
        difference = float(np.abs(found - expected).max())
        print(
            f"{size:4d} columns: ours {1e3 * ours:8.2f} ms, scikit-learn {1e3 * theirs:8.1f} ms, "
            f"ratio {theirs / ours:7.1f}, largest difference of the first six {difference:.1e}"
        )
        rows.append({"columns": size, "ratio": theirs / ours, "difference": difference})
    return rows


def large(count: int) -> dict[str, float]:
    """Print the time of every fit on images of 128 x 128 texels and 9,409 vertices."""
    rng = np.random.default_rng(0)
    faces = paired_faces(rng, count=count, tests=20, texels=128 * 128, vertices=9409)
    images = faces.textures.astype(np.float32).reshape(count, 128, 128, 3)
    tests = faces.test_textures.astype(np.float32).reshape(20, 128, 128, 3)
    began = time.perf_counter()
    pairs = pair_faces(images, faces.geometries)
    times = {"pair_faces": time.perf_counter() - began}
    print(f"\n{count} faces, 128 x 128 texels, 9,409 vertices")
    print(f"{'pair_faces':20s} {times['pair_faces']:7.2f} s")
    for method in METHODS:
        began = time.perf_counter()
        fit = fit_assignment(pairs, method, rng=rng)
        times[method] = time.perf_counter() - began
        error = geometry_errors(fit.predict(tests), faces.test_geometries).mean()
        print(f"{method:20s} {times[method]:7.2f} s   error {error:.3f} mm")
    return times


def main() -> None:
    parser = argparse.ArgumentParser(description="Geometry from texture, beside peers.")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--faces", type=int, default=400)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    figures = {
        "seven_rows": seven_rows(options.seeds, options.faces),
        "relations": relations(options.seeds, options.faces),
        "spectra": spectra(options.seeds),
        "scikit_learn": beside_scikit_learn(),
        "large": large(options.faces),
    }
    if options.json:
        options.json.write_text(json.dumps(figures, indent=1))


if __name__ == "__main__":
    main()
