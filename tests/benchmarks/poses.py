"""Landmarks found in any pose, and what is no face refused.

    python tests/benchmarks/poses.py DATA [--turns 24] [--heads NAME ...] [--no-others]
        [--meshes FOLDER]

DATA holds scans/ and james/. Each head is turned at random over all of SO(3), given another unit
by turns, and its landmarks are looked for without any hint. Right: the median distance of the 68
to the true ones is at most 6 mm. Prints right, refused and silently wrong for each head, and the
seconds. Then meshes that are no faces, made here (and those of a folder): each must be refused.
"""

import argparse
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from scipy.spatial.transform import Rotation

from geomface.errors import GeomfaceError
from geomface.landmarks import LandmarkDetector
from geomface.mesh import Mesh
from geomface.mesh.io import load_landmarks, load_mesh
from geomface.scans.damage import icosphere

RIGHT_MM = 6.0
SCALES = (1.0, 0.001, 0.1, 1.0 / 25.4, 0.0137)


def heads(data: Path) -> Iterator[tuple[str, Mesh, np.ndarray]]:
    """Yield name, scan and true landmarks in mm."""
    folder = data / "james"
    yield (
        "james",
        load_mesh(folder / "james.obj"),
        load_landmarks(folder / "james.landmarks.json").points,
    )
    for index in range(12):
        stem = data / "scans" / f"scan{index:02d}"
        with np.load(f"{stem}.truth.npz") as stored:
            yield stem.name, load_mesh(f"{stem}.ply"), stored["landmarks"].astype(np.float64)


def turned(data: Path, turns: int, names: list[str] | None, detector: LandmarkDetector) -> None:
    """Print what becomes of each head in random poses."""
    print(f"{'':10s}{'right':>7s}{'refused':>9s}{'wrong':>7s}{'mm':>7s}{'s':>7s}{'worst s':>9s}")
    total = np.zeros(3, int)
    for number, (name, scan, truth) in enumerate(heads(data)):
        if names and name not in names:
            continue
        rotations = Rotation.random(turns, rng=np.random.default_rng([14, number]))
        counts, misses, seconds = np.zeros(3, int), [], []
        for index, rotation in enumerate(rotations.as_matrix()):
            scale = SCALES[index % len(SCALES)]
            mesh = scan.replace(vertices=scale * scan.vertices @ rotation.T)
            began = time.perf_counter()
            try:
                found = detector.detect(mesh).landmarks.points / scale
            except GeomfaceError as error:
                counts[1] += 1
                print(f"  {name} turn {index}: {error}")
                continue
            finally:
                seconds.append(time.perf_counter() - began)
            miss = float(np.median(np.linalg.norm(found - truth @ rotation.T, axis=1)))
            counts[0 if miss <= RIGHT_MM else 2] += 1
            misses.append(miss)
            if miss > RIGHT_MM:
                print(f"  {name} turn {index}: {miss:.1f} mm off")
        total += counts
        figures = np.mean(misses or [np.nan]), np.mean(seconds), np.max(seconds)
        print(
            f"{name:10s}{counts[0]:7d}{counts[1]:9d}{counts[2]:7d}"
            f"{figures[0]:7.2f}{figures[1]:7.1f}{figures[2]:9.1f}",
            flush=True,
        )
    print(
        f"{'ALL':10s}{total[0]:7d}{total[1]:9d}{total[2]:7d}   right "
        f"{100 * total[0] / max(total.sum(), 1):.1f} %"
    )


def _joined(parts: list[tuple[np.ndarray, np.ndarray]]) -> tuple[np.ndarray, np.ndarray]:
    starts = np.cumsum([0, *(len(vertices) for vertices, _ in parts)])
    vertices = np.vstack([vertices for vertices, _ in parts])
    return vertices, np.vstack([faces + at for (_, faces), at in zip(parts, starts, strict=False)])


def _ball(radii, centre=(0.0, 0.0, 0.0), level: int = 3) -> tuple[np.ndarray, np.ndarray]:
    points, faces = icosphere(level)
    return points * np.asarray(radii) + np.asarray(centre), faces


def _box(size, centre=(0.0, 0.0, 0.0)) -> tuple[np.ndarray, np.ndarray]:
    points, faces = icosphere(4)
    # A ball pushed out to a cube has small triangles, as scans have.
    cube = points / np.abs(points).max(axis=1, keepdims=True)
    return cube * np.asarray(size) / 2 + np.asarray(centre), faces


def _sheet(height) -> tuple[np.ndarray, np.ndarray]:
    count = 70
    x, y = np.meshgrid(np.linspace(-1, 1, count), np.linspace(-1, 1, count))
    index = np.arange(count * count).reshape(count, count)
    a, b, c, d = (part.ravel() for part in _corners(index))
    points = np.stack([x, y, height(x, y)], axis=-1).reshape(-1, 3)
    return 100 * points, np.vstack([np.c_[a, b, c], np.c_[a, c, d]])


def _corners(index):
    return index[:-1, :-1], index[:-1, 1:], index[1:, 1:], index[1:, :-1]


def _torus(large: float, small: float) -> tuple[np.ndarray, np.ndarray]:
    around, along = 80, 40
    u, v = np.meshgrid(np.arange(around), np.arange(along), indexing="ij")
    p, q = 2 * np.pi * u / around, 2 * np.pi * v / along
    radius = large + small * np.cos(q)
    points = np.stack([radius * np.cos(p), radius * np.sin(p), small * np.sin(q)], axis=-1)
    right, up = (u + 1) % around, (v + 1) % along
    a, b, c, d = ((i * along + j).ravel() for i, j in ((u, v), (right, v), (right, up), (u, up)))
    return points.reshape(-1, 3), np.vstack([np.c_[a, b, c], np.c_[a, c, d]])


def _waves(rng: np.random.Generator, count: int, highest: float, axes: int):
    turns = rng.normal(size=(count, axes)) * rng.uniform(1.0, highest, (count, 1))
    shifts = rng.uniform(0, 2 * np.pi, count)
    return lambda points: np.cos(points @ turns.T + shifts).sum(axis=-1) / np.sqrt(count)


def others() -> Iterator[tuple[str, Mesh]]:
    """Yield 60 meshes that are no faces: bodies of geometry, blobs, furniture, animals, hands."""
    rng = np.random.default_rng(14)
    shapes: dict[str, tuple[np.ndarray, np.ndarray]] = {
        "sphere": _ball((100, 100, 100), level=4),
        "egg": _ball((75, 110, 90), level=4),
        "disc": _ball((100, 100, 15), level=4),
        "cube": _box((150, 150, 150)),
        "brick": _box((200, 100, 60)),
        "rod": _box((20, 20, 300)),
        "plane": _sheet(lambda x, y: 0 * x),
        "bowl": _sheet(lambda x, y: 0.4 * (x**2 + y**2)),
        "hill": _sheet(lambda x, y: 0.8 * np.exp(-3 * (x**2 + y**2))),
        "saddle": _sheet(lambda x, y: 0.4 * (x**2 - y**2)),
        "ring": _torus(80, 30),
        "thin ring": _torus(90, 10),
        "two balls": _joined([_ball((60,) * 3), _ball((60,) * 3, (140, 0, 0))]),
        "snow man": _joined([_ball((90,) * 3), _ball((60,) * 3, (0, 120, 0))]),
    }
    for index in range(12):
        points, faces = icosphere(4)
        bumps = _waves(rng, 20, 2.0 + index, 3)(points)
        radius = 1.0 + (0.08 + 0.02 * index) * bumps[:, None]
        shapes[f"blob {index}"] = 100 * points * radius * rng.uniform(0.7, 1.3, 3), faces
    for index in range(8):
        ground = _waves(rng, 16, 3.0 + index, 2)
        size = 0.03 + 0.02 * index
        shapes[f"ground {index}"] = _sheet(
            lambda x, y, ground=ground, size=size: size * ground(np.stack([x, y], axis=-1))
        )
    for index in range(6):
        legs = [_box((8, 90, 8), (x, -45, z)) for x in (-40, 40) for z in (-40, 40)]
        back = [_box((90, rng.uniform(40, 120), 8), (0, 60, -42))] if index % 2 else []
        shapes[f"chair {index}"] = _joined([*legs, _box((90, 8, 90)), *back])
    for index in range(10):
        body = _ball((60, 45, 110) * rng.uniform(0.7, 1.3, 3))
        legs = [_ball((14, 60, 14), (x, -60, z)) for x in (-35, 35) for z in (-70, 70)]
        head = _ball((35, 35, 45) * rng.uniform(0.8, 1.2, 3), (0, 55, 125))
        ears = [_ball((8, rng.uniform(15, 60), 12), (x, 100, 110)) for x in (-20, 20)]
        shapes[f"animal {index}"] = _joined([body, *legs, head, *ears])
    for index in range(6):
        fingers = [
            _ball(
                (9, rng.uniform(30, 50), 9), (18 * k - 27, 85 + 4 * (k % 2), rng.uniform(-15, 15))
            )
            for k in range(4)
        ]
        thumb = _ball((30, 10, 10), (60, 10, 0))
        shapes[f"hand {index}"] = _joined([_ball((45, 55, 16)), *fingers, thumb])
    for index in range(4):
        trunk = _ball((90, 150, 60) * rng.uniform(0.9, 1.1, 3))
        limbs = [_ball((28, 160, 28), (x, y, 0)) for x, y in ((-60, -260), (60, -260))]
        arms = [_ball((22, 130, 22), (x, 0, 0)) for x in (-120, 120)]
        shapes[f"body {index}"] = _joined([trunk, *limbs, *arms])
    for name, (vertices, faces) in shapes.items():
        yield name, Mesh(vertices, faces, name=name)


def refused(meshes: Iterator[tuple[str, Mesh]], detector: LandmarkDetector) -> None:
    """Print which meshes are taken for faces, and how long the refusals take."""
    taken, seconds = [], []
    for name, mesh in meshes:
        began = time.perf_counter()
        try:
            found = detector.detect(mesh)
            taken.append(name)
            print(f"  {name}: taken for a face ({found.disagreement_mm:.1f} mm)")
        except GeomfaceError:
            pass
        seconds.append(time.perf_counter() - began)
    print(
        f"no faces: {len(seconds) - len(taken)} of {len(seconds)} refused, "
        f"{np.mean(seconds):.1f} s each, at most {np.max(seconds):.1f} s",
        flush=True,
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path)
    parser.add_argument("--turns", type=int, default=24)
    parser.add_argument("--heads", nargs="*", help="default: james and the twelve scans")
    parser.add_argument("--no-others", action="store_true", help="leave out what is no face")
    parser.add_argument("--meshes", type=Path, help="a folder of more meshes that are no faces")
    arguments = parser.parse_args()
    detector = LandmarkDetector()
    if arguments.turns:
        turned(arguments.data, arguments.turns, arguments.heads, detector)
    if not arguments.no_others:
        refused(others(), detector)
    if arguments.meshes:
        files = sorted(arguments.meshes.glob("*.*"))
        refused(((path.stem, load_mesh(path)) for path in files), detector)


if __name__ == "__main__":
    main()
