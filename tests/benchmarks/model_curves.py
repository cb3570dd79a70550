"""A model of registered scans against the model of their truths: generalization and specificity.

    python tests/benchmarks/model_curves.py DATA [--scans 100] [--held-out 30] [--cache FOLDER]
        [--components 60] [--samples 1000] [--alignment similarity|rigid] [--expression 1.0]
        [--distance vertex|surface]

DATA holds ict/. Simulates scans of the ICT model, registers them with one solver, and builds two
models from the first `--scans`: T of the true vertices, R of the registered ones, each aligned by
its own generalised Procrustes. Every k from 1 to `--components` gets a row, once for the narrow
face and once for all vertices (what is left out takes no part in alignment or model):

    gen T, gen R   generalization of each model to the TRUE held-out faces, each of them brought to
                   the pose of that model's mean first, mean vertex distance in mm of the scan
    ratio          R / T, with the 95 % interval of drawing the held-out faces again, in pairs
    own R / T      R to the REGISTERED held-out faces, T to the true ones: what a user without
                   truth would see
    loo R / T      leave-one-out in each training set
    spec T, R      specificity of each model against the TRUE training faces, in the pose of that
                   model's mean; ratio R / T; own: R against the registered training faces

With --distance surface a few k get a row, all vertices only: the distance of the held-out vertices
to the surface of the fitted face. What slides along a smooth surface is nowhere in a scan, so no
registration can find it: vertex distances hold it, surface distances do not.

A ratio near 1 says that the registration costs the model nothing. With --cache the registered
vertices are kept under a key of the registration's source, the seed and the simulation, so that a
run resumes, and a changed registration starts afresh.
"""

import argparse
import hashlib
import time
from pathlib import Path

import numpy as np

import geomface.registration
from geomface.errors import GeomfaceError
from geomface.faces.ict import load_ict
from geomface.mesh.io import load_template
from geomface.mesh.similarity import fit_similarity
from geomface.registration import NonRigidRegistration, register
from geomface.scans.settings import ScanSettings
from geomface.scans.simulate import simulate_scan
from geomface.statistics import align_meshes, fit_pca
from geomface.statistics.evaluation import (
    Curve,
    compactness,
    generalization,
    generalization_to,
    specificity,
    vertex_distance,
)

LIMIT = 0.1


def _key(arguments: argparse.Namespace) -> str:
    """Name of what the registered vertices depend on."""
    digest = hashlib.sha256(f"{arguments.seed} {arguments.expression}".encode())
    folder = Path(geomface.registration.__file__).parent
    sources = [*sorted(folder.glob("*.py")), folder.parent / "faces" / "simulate.py"]
    for path in sources:
        digest.update(path.read_bytes())
    return digest.hexdigest()[:12]


def registered_scans(arguments: argparse.Namespace) -> tuple[np.ndarray, np.ndarray]:
    """Return true and registered vertices (N, V, 3), both in the frames of the scans."""
    model = load_ict(arguments.data / "ict" / "ict_face.npz")
    solver = NonRigidRegistration(load_template(arguments.data / "ict" / "template.obj"))
    settings = ScanSettings(expression=arguments.expression)
    folder = None
    if arguments.cache is not None:
        folder = arguments.cache / _key(arguments)
        folder.mkdir(parents=True, exist_ok=True)
        print(f"registered vertices are kept in {folder}")
    truths, fitted, failed = [], [], []
    wanted = arguments.scans + arguments.held_out
    began, done = time.perf_counter(), 0
    for index in range(wanted):
        path = None if folder is None else folder / f"scan{index:03d}.npz"
        if path is not None and path.is_file():
            with np.load(path) as stored:
                truths.append(stored["truth"])
                fitted.append(stored["registered"])
            continue
        rng = np.random.default_rng([arguments.seed, index])
        scan = simulate_scan(model, rng=rng, settings=settings, name=f"scan{index:03d}")
        try:
            result = register(solver, scan.mesh, scan.landmarks)
        except GeomfaceError as error:
            failed.append(index)
            print(f"scan{index:03d} failed: {error}")
            continue
        truths.append(scan.truth["vertices"])
        fitted.append(result.mesh.vertices)
        done += 1
        if path is not None:
            temporary = path.with_suffix(".part.npz")
            np.savez(temporary, truth=truths[-1], registered=fitted[-1])
            temporary.replace(path)
        if done % 10 == 0:
            each = (time.perf_counter() - began) / done
            print(f"{index + 1} of {wanted} scans, {each:.1f} s each", flush=True)
    if failed:
        print(f"{len(failed)} of {wanted} scans failed and are in neither model: {failed}")
    return np.stack(truths), np.stack(fitted)


def _ratio_interval(first: Curve, second: Curve, rng: np.random.Generator) -> np.ndarray:
    """Return (2, n) bounds of second / first when the meshes are drawn again, in pairs."""
    count = first.per_mesh.shape[1]
    weights = rng.multinomial(count, np.full(count, 1 / count), size=2000)
    ratios = (weights @ second.per_mesh.T) / (weights @ first.per_mesh.T)
    return np.quantile(ratios, [0.025, 0.975], axis=0)


def judge(
    title: str, truths: np.ndarray, fitted: np.ndarray, arguments: argparse.Namespace
) -> None:
    """Build both models of some vertices and print their curves side by side."""
    train = len(truths) - arguments.held_out
    align = arguments.alignment
    began = time.perf_counter()
    true, registered = (
        align_meshes(meshes[:train], scale=align == "similarity").aligned
        for meshes in (truths, fitted)
    )
    model, other = fit_pca(true), fit_pca(registered)
    chosen = range(1, min(arguments.components, len(model), len(other), train - 2) + 1)
    new = truths[train:]
    gen = [generalization_to(one, new, components=chosen, align=align) for one in (model, other)]
    own = generalization_to(other, fitted[train:], components=chosen, align=align)
    loo = [generalization(meshes, components=chosen) for meshes in (true, registered)]
    posed = np.stack(
        [fit_similarity(mesh, other.mean, scale=align == "similarity").apply(mesh) for mesh in true]
    )
    spec = [
        specificity(
            one,
            meshes,
            samples=arguments.samples,
            components=chosen,
            rng=np.random.default_rng(arguments.seed),
        )
        for one, meshes in ((model, true), (other, posed), (other, registered))
    ]
    error = vertex_distance(fitted - truths)
    variance = compactness(other).variance.mean[-1] / compactness(model).variance.mean[-1]
    print(
        f"\n{title}: {truths.shape[1]} vertices, {train} scans in each model, "
        f"{arguments.held_out} held out, alignment {align} "
        f"({'size is removed' if align == 'similarity' else 'size is kept'})"
    )
    print(
        f"registration error {error.mean():.2f} mm (no re-alignment); total variance R / T "
        f"{variance:.3f}; {time.perf_counter() - began:.0f} s"
    )
    ratio = gen[1].mean / gen[0].mean
    low, high = _ratio_interval(gen[0], gen[1], np.random.default_rng(arguments.seed))
    columns = {
        "gen T": gen[0].mean,
        "gen R": gen[1].mean,
        "ratio": ratio,
        "low": low,
        "high": high,
        "own R/T": own.mean / gen[0].mean,
        "loo R/T": loo[1].mean / loo[0].mean,
        "spec T": spec[0].mean,
        "spec R": spec[1].mean,
        "ratio ": spec[1].mean / spec[0].mean,
        "own R/T ": spec[2].mean / spec[0].mean,
    }
    print("   k" + "".join(f"{name.strip():>9s}" for name in columns))
    for row, k in enumerate(chosen):
        print(f"{k:4d}" + "".join(f"{values[row]:9.3f}" for values in columns.values()))
    for name, values in (
        ("generalization to true held-out faces", ratio),
        ("generalization, leave-one-out", columns["loo R/T"]),
        ("specificity to true training faces", columns["ratio "]),
    ):
        off = np.abs(values - 1)
        verdict = "yes" if off.max() <= LIMIT else f"no, at {int((off > LIMIT).sum())} of them"
        print(
            f"{name}: R / T from {values.min():.3f} to {values.max():.3f}; within "
            f"{LIMIT:.0%} at every k: {verdict}"
        )


def judge_surfaces(
    truths: np.ndarray, fitted: np.ndarray, faces: np.ndarray, arguments: argparse.Namespace
) -> None:
    """Print generalization and specificity of both models by surface distance at a few k."""
    train, scale = len(truths) - arguments.held_out, arguments.alignment == "similarity"
    aligned = [align_meshes(meshes[:train], scale=scale).aligned for meshes in (truths, fitted)]
    models = [fit_pca(meshes) for meshes in aligned]
    most = min(arguments.components, len(models[0]), len(models[1]))
    chosen = sorted({k for k in (1, 5, 10, 20, 30, 40, 50, 60) if k < most} | {most})
    gen, spec = [], []
    for model in models:
        posed = np.stack(
            [fit_similarity(mesh, model.mean, scale=scale).apply(mesh) for mesh in aligned[0]]
        )
        gen.append(
            generalization_to(
                model,
                truths[train:],
                components=chosen,
                align=arguments.alignment,
                faces=faces,
                distance="surface",
            ).mean
        )
        spec.append(
            specificity(
                model,
                posed,
                samples=min(arguments.samples, 100),
                components=chosen,
                faces=faces,
                distance="surface",
                rng=np.random.default_rng(arguments.seed),
            ).mean
            if arguments.samples
            else np.full(len(chosen), np.nan)
        )
    print(f"\nsurface distance, {truths.shape[1]} vertices, {train} scans in each model")
    print("   k    gen T    gen R    ratio   spec T   spec R    ratio")
    for row, k in enumerate(chosen):
        values = (*(g[row] for g in gen), gen[1][row] / gen[0][row])
        values += (*(s[row] for s in spec), spec[1][row] / spec[0][row])
        print(f"{k:4d}" + "".join(f"{value:9.3f}" for value in values))


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("data", type=Path)
    parser.add_argument("--scans", type=int, default=100)
    parser.add_argument("--held-out", type=int, default=30)
    parser.add_argument("--cache", type=Path)
    parser.add_argument("--components", type=int, default=60)
    parser.add_argument("--samples", type=int, default=1000)
    parser.add_argument("--alignment", choices=["similarity", "rigid"], default="similarity")
    parser.add_argument("--expression", type=float, default=1.0)
    parser.add_argument("--seed", type=int, default=20)
    parser.add_argument("--distance", choices=["vertex", "surface"], default="vertex")
    arguments = parser.parse_args()
    truths, fitted = registered_scans(arguments)
    template = load_template(arguments.data / "ict" / "template.obj")
    if arguments.distance == "surface":
        judge_surfaces(truths, fitted, template.mesh.faces, arguments)
        return
    region = template.regions["narrow_face"]
    judge("narrow face", truths[:, region], fitted[:, region], arguments)
    judge("all vertices", truths, fitted, arguments)


if __name__ == "__main__":
    main()
