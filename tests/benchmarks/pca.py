"""Principal components of 2,000 faces beside scikit-learn's, and of 20,000 faces in blocks.

    python tests/benchmarks/pca.py [--faces 2000] [--streamed 20000] [--repeat 5] [--json FILE]

Faces of 28,227 float32 coordinates (mm): a mean that reaches 100 mm, modes whose standard
deviation falls as 1/k, and a noise floor. Prints, for 100 modes:

- peak memory of each method in a process of its own (largest resident size less that before the
  data were made), in units of the data, which it includes;
- seconds of interleaved runs in one process, the ratio to scikit-learn's default of the same
  round (median), and the error against the exact modes: the sine of the largest angle between the
  leading 10, 50, 90 and 100 exact directions and the 100 that were found, the largest relative
  error of a variance, and the share of the best possible variance that was missed;
- for the streamed faces, which are made anew block by block in every pass and never held: seconds,
  those of the making, peak memory, the share of the variance held, and |C v - s v| / s of modes
  1, 10, 50, 100 from one more pass (s the variance, C the covariance).
"""

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np

from geomface.statistics.decomposition import Decomposition, decompose_blocks, decompose_rows

COORDINATES = 28_227
MODES = 300
BLOCK = 500
NOISE_MM = 0.02
LEADING_MM = 300.0
SKLEARN = "sklearn randomized"


def megabytes() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


class Faces:
    """Faces of a seed, made block by block: the same rows at every pass."""

    def __init__(self, count: int) -> None:
        rng = np.random.default_rng(1)
        self.count = count
        modes = rng.standard_normal((COORDINATES, MODES), dtype=np.float32)
        spread = LEADING_MM / np.arange(1, MODES + 1, dtype=np.float32)
        self.modes = np.ascontiguousarray((np.linalg.qr(modes)[0] * spread).T)
        self.mean = (50 * rng.standard_normal(COORDINATES)).clip(-100, 100).astype(np.float32)

    def blocks(self) -> Iterator[np.ndarray]:
        for index, start in enumerate(range(0, self.count, BLOCK)):
            rng = np.random.default_rng([2, index])
            size = min(BLOCK, self.count - start)
            block = rng.standard_normal((size, COORDINATES), dtype=np.float32)
            block *= np.float32(NOISE_MM)
            block += rng.standard_normal((size, MODES), dtype=np.float32) @ self.modes
            block += self.mean
            yield block

    def rows(self) -> np.ndarray:
        rows = np.empty((self.count, COORDINATES), np.float32)
        start = 0
        for block in self.blocks():
            rows[start : start + len(block)] = block
            start += len(block)
        return rows


Found = tuple[np.ndarray, np.ndarray]
"""Directions (K, D) and variances (K,)."""


def peer(rows: np.ndarray, components: int, **options: object) -> Found:
    from sklearn.decomposition import PCA

    found = PCA(components, svd_solver="randomized", random_state=0, **options).fit(rows)
    return found.components_, found.explained_variance_


def incremental_peer(rows: np.ndarray, components: int) -> Found:
    from sklearn.decomposition import IncrementalPCA

    found = IncrementalPCA(components, batch_size=BLOCK).fit(rows)
    return found.components_, found.explained_variance_


def pair(found: Decomposition) -> Found:
    return found.directions, found.variances


def streamed(rows: np.ndarray, components: int, passes: int) -> Found:
    blocks = [rows[start : start + BLOCK] for start in range(0, len(rows), BLOCK)]
    return pair(decompose_blocks(lambda: blocks, components=components, passes=passes))


METHODS: dict[str, Callable[[np.ndarray, int], Found]] = {
    SKLEARN: peer,
    "sklearn, 30 iterations": lambda rows, k: peer(rows, k, iterated_power=30),
    "randomized": lambda rows, k: pair(decompose_rows(rows, components=k, method="randomized")),
    "dual": lambda rows, k: pair(decompose_rows(rows, components=k, method="dual")),
    "thin": lambda rows, k: pair(decompose_rows(rows, components=k, method="thin")),
    "streamed, 3 passes": lambda rows, k: streamed(rows, k, 3),
    "streamed, 4 passes": lambda rows, k: streamed(rows, k, 4),
    "streamed, 5 passes": lambda rows, k: streamed(rows, k, 5),
    "sklearn incremental": incremental_peer,
}
ONCE = ("sklearn, 30 iterations", "thin", "sklearn incremental")


def exact(rows: np.ndarray, components: int) -> Found:
    """The leading modes by numpy alone, in float64, from the Gram matrix of the faces."""
    centred = rows - rows.mean(axis=0, dtype=np.float64)
    values, vectors = np.linalg.eigh(centred @ centred.T)
    values, vectors = values[::-1][:components], vectors[:, ::-1][:, :components]
    return (centred.T @ (vectors / np.sqrt(values))).T, values / (len(rows) - 1)


def errors(found: Found, truth: Found) -> dict[str, float]:
    directions, variances = found[0].astype(np.float64), found[1].astype(np.float64)
    count = len(truth[1])
    rest = truth[0] - (truth[0] @ directions.T) @ directions
    sines = {
        f"sine{part}": float(np.linalg.norm(rest[: round(part * count / 100)], 2))
        for part in (10, 50, 90, 100)
    }
    worst = float(np.abs(variances / truth[1] - 1).max())
    missed = 1 - float(variances.sum() / truth[1].sum())
    return {**sines, "variance": worst, "missed": missed}


def child(*arguments: str) -> dict[str, float]:
    command = [sys.executable, __file__, *arguments]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(done.stderr)
    return json.loads(done.stdout.splitlines()[-1])


def memory_of(name: str, file: Path, components: int) -> dict[str, float]:
    """Peak memory of one method, run alone in this process on rows read from a file."""
    if name.startswith("sklearn"):
        import sklearn.decomposition  # noqa: F401
    METHODS[name](np.random.default_rng(0).standard_normal((64, 48), dtype=np.float32), 3)
    before = megabytes()
    rows = np.load(file)
    METHODS[name](rows, components)
    data = rows.nbytes / 2**20
    return {"data_mb": data, "peak": (megabytes() - before) / data}


def stream(faces: int, components: int, passes: int) -> dict[str, float]:
    """Time, peak memory and residuals of a streamed run: alone in this process."""
    before = megabytes()
    source = Faces(faces)
    started = time.perf_counter()
    for _ in source.blocks():
        pass
    making = passes * (time.perf_counter() - started)
    started = time.perf_counter()
    found = decompose_blocks(source.blocks, components=components, passes=passes)
    seconds = time.perf_counter() - started
    peak = megabytes()
    directions = found.directions.T
    image = np.zeros(directions.shape)
    for block in source.blocks():
        block -= found.mean.astype(np.float32)
        image += block.T @ (block @ directions)
    image /= faces - 1
    residual = np.linalg.norm(image - directions * found.variances, axis=0) / found.variances
    places = sorted({0, *(round(share * components) - 1 for share in (0.1, 0.5, 1.0))})
    return {
        "seconds": seconds,
        "making": making,
        "peak_mb": peak,
        "before_mb": before,
        "held": float(found.variances.sum() / found.total_variance),
        **{f"residual{place + 1}": float(residual[place]) for place in places},
    }


def print_memory(file: Path, components: int) -> dict[str, dict[str, float]]:
    table = {}
    for name in METHODS:
        table[name] = child("--memory-of", name, "--rows", str(file), "-k", str(components))
        if len(table) == 1:
            print(f"peak memory in units of the data, {table[name]['data_mb']:.0f} MB")
        print(f"{name:24s} {table[name]['peak']:5.2f}", flush=True)
    return table


def print_times(rows: np.ndarray, components: int, repeat: int) -> dict[str, dict[str, float]]:
    truth = exact(rows, components)
    seconds: dict[str, list[float]] = {name: [] for name in METHODS}
    found: dict[str, Found] = {}
    for round_index in range(repeat):
        for name, method in METHODS.items():
            if round_index and name in ONCE:
                continue
            started = time.perf_counter()
            found[name] = method(rows, components)
            seconds[name].append(time.perf_counter() - started)
    print(
        f"\n{len(rows)} faces x {COORDINATES}, {components} modes, {repeat} interleaved rounds\n"
        f"{'method':24s} {'best s':>7s} {'median s':>8s} {'x sklearn':>9s} "
        f"{'sin 10%':>8s} {'50%':>8s} {'90%':>8s} {'100%':>8s} {'variance':>9s} {'missed':>8s}"
    )
    table = {}
    for name, times in seconds.items():
        # The speed against scikit-learn's default in the same round: above 1 is faster.
        ratios = [peer / own for own, peer in zip(times, seconds[SKLEARN], strict=False)]
        figures = errors(found[name], truth)
        table[name] = {"best": min(times), "ratio": float(np.median(ratios)), **figures}
        print(
            f"{name:24s} {min(times):7.2f} {np.median(times):8.2f} {np.median(ratios):9.2f} "
            + " ".join(f"{figures[f'sine{part}']:8.1e}" for part in (10, 50, 90, 100))
            + f" {figures['variance']:9.1e} {figures['missed']:8.1e}"
        )
    return table


def print_stream(faces: int, components: int, passes: int) -> dict[str, float]:
    figures = child("--stream-of", str(faces), "-k", str(components), "--passes", str(passes))
    data = faces * COORDINATES * 4 / 2**20
    residuals = ", ".join(
        f"{name.removeprefix('residual')}: {value:.0e}"
        for name, value in figures.items()
        if name.startswith("residual")
    )
    print(
        f"\n{faces} faces in blocks of {BLOCK} ({data:.0f} MB of data, never held), "
        f"{passes} passes: {figures['seconds']:.1f} s, of which about {figures['making']:.1f} s "
        f"make the blocks; peak memory of the process {figures['peak_mb']:.0f} MB "
        f"({figures['before_mb']:.0f} MB before); {100 * figures['held']:.3f} % of the variance; "
        f"|C v - s v| / s of mode {residuals}"
    )
    return figures


def main() -> None:
    parser = argparse.ArgumentParser(description="Principal components beside scikit-learn's.")
    parser.add_argument("--faces", type=int, default=2000)
    parser.add_argument("--streamed", type=int, default=20_000, help="0 leaves it out")
    parser.add_argument("-k", "--components", type=int, default=100)
    parser.add_argument("--passes", type=int, default=4)
    parser.add_argument("--repeat", type=int, default=5)
    parser.add_argument("--json", type=argparse.FileType("w"))
    parser.add_argument("--memory-of", help=argparse.SUPPRESS)
    parser.add_argument("--stream-of", type=int, help=argparse.SUPPRESS)
    parser.add_argument("--rows", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.memory_of:
        print(json.dumps(memory_of(options.memory_of, options.rows, options.components)))
    elif options.stream_of:
        print(json.dumps(stream(options.stream_of, options.components, options.passes)))
    elif options.rows:
        np.save(options.rows, Faces(options.faces).rows())
        print("{}")
    else:
        compare(options)


def compare(options: argparse.Namespace) -> None:
    """Print all tables. Processes first: a child starts with the peak memory of its parent."""
    figures: dict[str, object] = {}
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "rows.npy"
        child("--rows", str(file), "--faces", str(options.faces))
        figures["memory"] = print_memory(file, options.components)
        if options.streamed:
            figures["streamed"] = print_stream(options.streamed, options.components, options.passes)
        figures["faces"] = print_times(np.load(file), options.components, options.repeat)
    if options.json:
        json.dump(figures, options.json, indent=1)


if __name__ == "__main__":
    main()
