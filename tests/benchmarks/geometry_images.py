"""Geometry images, rasterizer and bake on the ICT face.

    python tests/benchmarks/geometry_images.py DATA

DATA holds ict/ and scans/. Prints round trips, the alpha sweep, times and the bakes.
"""

import argparse
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from geomface.faces.ict import load_ict
from geomface.geometry_image import (
    GeometryImageDecoder,
    GeometryImageEncoder,
    alpha_for_noise,
    bake_texture,
    read_bilinear,
    read_vertices,
    value_range,
)
from geomface.mesh import Mesh
from geomface.mesh.closest import ClosestPointIndex
from geomface.mesh.io import load_mesh
from geomface.parametrization import unwrap
from geomface.rendering import frame_of, render_mesh, view_rotation
from geomface.rendering.rasterize import rasterize

SIZES = (64, 128, 256)
ALPHAS = (1e-4, 1e-3, 0.01, 0.1, 0.3, 1.2, 5.0)


def seconds(call: Callable[[], object], repeats: int = 15) -> float:
    """Shortest of some runs."""
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        call()
        times.append(time.perf_counter() - start)
    return min(times)


def rms(found: np.ndarray, truth: np.ndarray) -> float:
    return float(np.sqrt(np.mean(np.sum((found - truth) ** 2, axis=-1))))


def shapes(model, rng: np.random.Generator, count: int) -> np.ndarray:
    """Random identities, each with five random expressions at weights up to 1."""
    result = []
    for _ in range(count):
        weights = np.zeros(len(model.blendshapes.modes))
        active = rng.choice(len(weights), min(5, len(weights)), replace=False)
        weights[active] = rng.uniform(0, 1, len(active))
        identity = rng.standard_normal(len(model.shape.modes))
        result.append(model.vertices(identity, weights))
    return np.array(result)


def round_trips(mesh: Mesh, faces: np.ndarray, training: np.ndarray) -> None:
    print("\nround trip, RMS vertex error (mm) over", len(faces), "faces")
    print("size  bilinear  float  16 bit  8 bit displacement  8 bit absolute  texel-less vertices")
    for size in SIZES:
        encoder = GeometryImageEncoder(mesh, size)
        decoder = GeometryImageDecoder(mesh, size)
        known = encoder.values(training, displacement=True)
        limits = value_range(known, encoder.sampling.mask, margin=0.1)
        image = encoder.encode(faces, mode="displacement")
        errors = [
            rms(read_vertices(image, mesh), faces),
            rms(decoder.decode(image), faces),
            rms(decoder.decode(encoder.encode(faces, bits=16)), faces),
        ]
        coded = encoder.encode(faces, mode="displacement", bits=8, limits=limits)
        errors.append(rms(decoder.decode(coded), faces))
        errors.append(rms(decoder.decode(encoder.encode(faces, bits=8)), faces))
        empty = len(mesh.vertices) - len(np.unique(encoder.sampling.corners))
        print(
            f"{size:4d}  {errors[0]:8.3f}  {errors[1]:5.3f}  {errors[2]:6.3f}  {errors[3]:18.3f}  "
            f"{errors[4]:14.3f}  {empty:d} (8-bit step {limits.step(8).max():.3f})"
        )


def alpha_sweep(mesh: Mesh, faces: np.ndarray, size: int) -> None:
    print(f"\nalpha under pixel noise, {size} px, RMS vertex error (mm); last: alpha auto")
    print("noise  " + "  ".join(f"{alpha:6g}" for alpha in ALPHAS) + "    auto")
    encoder = GeometryImageEncoder(mesh, size)
    decoder = GeometryImageDecoder(mesh, size)
    mask = encoder.sampling.mask
    clean = encoder.values(faces, displacement=True)[:, mask].astype(np.float64)
    truth = faces - mesh.vertices
    for noise in (0.0, 0.2, 0.5, 1.0):
        dirty = clean + noise * np.random.default_rng(1).standard_normal(clean.shape)
        row = [
            rms(decoder.solve(dirty, alpha), truth) for alpha in (*ALPHAS, alpha_for_noise(noise))
        ]
        print(f"{noise:5.1f}  " + "  ".join(f"{error:6.3f}" for error in row))


def timings(mesh: Mesh, faces: np.ndarray) -> None:
    print("\ntimes (shortest of some runs)")
    rotation, frame = view_rotation(0, 0), frame_of([mesh])
    for size in (256, 512):
        camera = frame.camera(rotation, size)
        xy, depth = camera.project(mesh.vertices), camera.depth(mesh.vertices)
        call = seconds(lambda xy=xy, d=depth, n=size: rasterize(xy, d, mesh.faces, n, n))
        print(f"rasterize {size} px: {1e3 * call:.2f} ms")
    print(f"render_mesh 512 px: {1e3 * seconds(lambda: render_mesh(mesh, yaw=20), 7):.1f} ms")
    stack = np.repeat(faces[:8], 8, axis=0)
    for size in (64, 256):
        encoder = GeometryImageEncoder(mesh, size)
        rate = len(stack) / seconds(lambda e=encoder: e.values(stack), 5)
        start = time.perf_counter()
        decoder = GeometryImageDecoder(mesh, size, alpha=0.01)
        prepared = time.perf_counter() - start
        factor = decoder.factor(0.01)
        right = faces[0] - mesh.vertices
        solve = seconds(lambda f=factor, r=right: f.solve(r))
        image = encoder.encode(faces[0], mode="displacement")
        whole = seconds(lambda d=decoder, i=image: d.decode(i))
        batch = encoder.encode(faces, mode="displacement")
        many = seconds(lambda d=decoder, b=batch: d.decode(b), 3) / len(faces)
        print(
            f"{size} px: encode {rate:.0f} meshes/s, decoder set-up {prepared:.2f} s, solve "
            f"{1e3 * solve:.2f} ms, decode {1e3 * whole:.2f} ms, in a batch {1e3 * many:.2f} ms"
        )


def bakes(mesh: Mesh, folder: Path) -> None:
    print("\nbake 1024 px with the true vertices: mean absolute error on seen vertices")
    print(
        "scan    seen  error  p99    time  vertices > 2 mm from the scan that the mask leaves out"
    )
    for path in sorted(folder.glob("scan*.ply")):
        scan = load_mesh(path)
        truth = np.load(path.with_suffix(".truth.npz"))
        vertices = truth["vertices"].astype(np.float64)
        baked = bake_texture(mesh, vertices, scan)
        uv = mesh.uv
        if uv is None:
            raise SystemExit("the template has no uv")
        seen = read_bilinear(baked.mask[..., None].astype(float), uv)[:, 0] > 0.5
        error = np.abs(read_bilinear(baked.texture, uv) - truth["albedo"]).mean(axis=1)
        far = ClosestPointIndex(scan).query(vertices).distances > 2.0
        print(
            f"{path.stem}  {baked.kept_fraction:.3f}  {error[seen].mean():.4f}  "
            f"{np.percentile(error[seen], 99):.3f}  {baked.seconds:.2f}  {(~seen[far]).mean():.3f}"
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path, nargs="?", default=Path("../shared/data"))
    data = parser.parse_args().data
    model = load_ict(data / "ict" / "ict_face.npz")
    unwrapped = unwrap(model.template)
    mesh = unwrapped.mesh
    print(f"{mesh}, L2 stretch {unwrapped.report.l2_stretch:.3f}")
    rng = np.random.default_rng(2)
    faces, training = shapes(model, rng, 24), shapes(model, rng, 200)
    round_trips(mesh, faces, training)
    for size in (64, 256):
        alpha_sweep(mesh, faces, size)
    timings(mesh, faces)
    bakes(mesh, data / "scans")


if __name__ == "__main__":
    main()
