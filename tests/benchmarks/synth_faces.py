"""Labelled synthetic faces: pictures a second, equal bytes, and the weights of a mixture.

    python tests/benchmarks/synth_faces.py [--pictures 960] [--out DIR]

Prints the rate of `geomface synth faces` at 227 pixels with eight outputs and landmarks, without
PNG, for one and two workers (the time of starting them is told apart); whether both wrote the same
bytes; the rate in memory of both presets; and how far the shares of a mixture of four parts are
from its weights after 1e5 draws, in standard deviations. Rates are wall clock: on a busy machine
only the processor time of drawing and writing beside them can be compared.
"""

import argparse
import hashlib
import shutil
import tempfile
import time
from pathlib import Path

import numpy as np

from geomface.batch.events import JobEvent
from geomface.batch.records import latest_records
from geomface.datasets import layout
from geomface.pipeline import FaceSetSettings, generate_faces
from geomface.synthesis import FaceImageSettings, FaceSampler, Gaussian, Mixture, stream
from geomface.synthesis.drawing import choose

OUTPUTS = (
    *("rgb", "alpha", "depth", "normals", "position", "albedo", "shading", "face_id"),
    "landmarks",
)


def tree_hash(folder: Path) -> str:
    """SHA-256 over the names and bytes of everything but the records, which hold times."""
    digest = hashlib.sha256()
    for path in sorted(folder.rglob("*")):
        if path.is_file() and "records" not in path.relative_to(folder).parts:
            digest.update(str(path.relative_to(folder)).encode() + b"\0")
            digest.update(path.read_bytes())
    return digest.hexdigest()


def on_disk(pictures: int, workers: int, out: Path) -> str:
    """Make a set and print its rate; return the hash of its bytes."""
    settings = FaceSetSettings(
        FaceImageSettings(identities=pictures // 8, samples=8, seed=3, outputs=OUTPUTS),
        out,
        workers=workers,
        image_format="npy",
    )
    marks: list[tuple[float, int]] = []

    def on_event(event: JobEvent) -> None:
        if event.kind == "done":
            marks.append((time.perf_counter(), event.finished))

    started = time.perf_counter()
    report = generate_faces(settings, on_event=on_event)
    whole = time.perf_counter() - started
    records = latest_records(out / layout.RECORDS).values()
    busy = sum(record.figures["processor_seconds"] for record in records)
    # Workers load libraries for seconds; what a long run sees is the rate after that.
    (first, before), (last, after) = marks[workers], marks[-1]
    size = sum(path.stat().st_size for path in out.rglob("*") if path.is_file())
    print(
        f"{workers} worker{'s' * (workers > 1)}: {report.done} pictures, "
        f"{(after - before) / (last - first):6.1f} a second, {pictures / whole:6.1f} with the "
        f"start ({whole:.1f} s); {1e3 * busy / pictures:.1f} ms of processor time and "
        f"{size / report.done / 1e6:.2f} MB a picture"
    )
    return tree_hash(out)


def in_memory(preset: str, pictures: int) -> None:
    """Print the rate of a sampler, one thread."""
    sampler = FaceSampler(
        FaceImageSettings(identities=max(pictures // 8, 1), samples=8, seed=4, preset=preset)
    )
    sampler.batch([(0, k) for k in range(8)])
    started, busy = time.perf_counter(), time.process_time()
    count = sum(len(batch) for batch in sampler.batches(8))
    wall, used = time.perf_counter() - started, time.process_time() - busy
    print(
        f"{preset} in memory, rgb and landmarks, one process: {count / wall:6.1f} a second "
        f"({1e3 * used / count:.1f} ms of processor time a picture)"
    )


def mixture_weights() -> None:
    """Print the largest deviation of shares from weights."""
    weights = (0.5, 0.3, 0.15, 0.05)
    mixture = Mixture(tuple(Gaussian(k, 1) for k in range(4)), weights)
    count = 100_000
    found = np.bincount(choose(mixture, stream(5, "weights"), count), minlength=4) / count
    sigma = np.sqrt(np.array(weights) * (1 - np.array(weights)) / count)
    apart = np.abs(found - weights) / sigma
    print(f"mixture weights at 1e5 draws: shares {found}, at most {apart.max():.2f} sigma off")


def main() -> None:
    """Run all."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--pictures", type=int, default=960)
    parser.add_argument("--out", type=Path, default=None)
    options = parser.parse_args()
    folder = Path(tempfile.mkdtemp(dir=options.out))
    try:
        hashes = [
            on_disk(options.pictures, workers, folder / f"workers{workers}") for workers in (1, 2)
        ]
        print(f"same bytes for 1 and 2 workers: {hashes[0] == hashes[1]} ({hashes[0][:16]})")
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    for preset in ("plain", "photo"):
        in_memory(preset, 64)
    mixture_weights()


if __name__ == "__main__":
    main()
