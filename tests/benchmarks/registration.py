"""Dense correspondence error of the registration on simulated scans, beside its peers.

    python tests/benchmarks/registration.py DATA [--peers meshmonk trimesh] [--scans 0 3 5]
        [--resampled]

DATA holds ict/ and scans/. The vertices of the scans are vertices of the truth with noise, which
flatters whatever pulls to the nearest vertex; --resampled gives their surfaces as many others, as
dense everywhere as before. Prints one row a scan and the means; the peers are MeshMonk (pyramid and
nonrigid) and trimesh's nricp_amberg on the same scans, all from the same landmark similarity.
"""

import argparse
import time
from pathlib import Path

import numpy as np

from geomface.mesh import Mesh
from geomface.mesh.closest import ClosestPointIndex
from geomface.mesh.io import load_landmarks, load_mesh, load_template
from geomface.registration import NonRigidRegistration, register
from geomface.registration.evaluate import CorrespondenceError, correspondence_error
from geomface.registration.start import similarity_from_landmarks
from geomface.scans.remesh import refine, resample, vertex_areas

COLUMNS = ("mean", "p95", "normal_mean", "tangential_mean", "seen_mean", "unseen_mean")


def _row(name: str, error: CorrespondenceError, seconds: float) -> list[float]:
    values = [getattr(error, column) for column in COLUMNS]
    print(
        f"{name:34s}" + "".join(f"{value:9.2f}" for value in values) + f"{seconds:9.2f}", flush=True
    )
    return [*values, seconds]


def _peers(names: list[str], template, scan, landmarks):
    """Yield (name, vertices, seconds) for each peer, started from the landmark similarity."""
    import trimesh

    placed = template.landmarks.positions(template.mesh.vertices)
    start = similarity_from_landmarks(placed, landmarks)
    moved = start.apply(template.mesh.vertices)
    source = trimesh.Trimesh(moved, template.mesh.faces, process=False)
    target = trimesh.Trimesh(scan.vertices, scan.faces, process=False)
    if "meshmonk" in names:
        import meshmonk

        for name in ("pyramid_register", "nonrigid_register"):
            began = time.perf_counter()
            outcome = getattr(meshmonk, name)(floating=source, target=target)
            seconds = time.perf_counter() - began
            yield f"meshmonk {name}", np.asarray(outcome.aligned_vertices), seconds
    if "trimesh" in names:
        began = time.perf_counter()
        outcome = trimesh.registration.nricp_amberg(
            source,
            target,
            source_landmarks=template.landmarks.vertices[:, 0],
            target_positions=landmarks.points,
        )
        yield "trimesh nricp_amberg", np.asarray(outcome), time.perf_counter() - began


def resampled(scan: Mesh, seed: int) -> Mesh:
    """Return the surface of a scan with other vertices and triangles, about as many everywhere."""
    area = np.maximum(vertex_areas(scan.vertices, scan.faces), 1e-9)
    table = np.column_stack([scan.vertices, 1.0 / area])
    fine, faces = refine(table, scan.faces, np.sqrt(area) / 2.5)
    rng = np.random.default_rng([1409, seed])
    points = resample(fine[:, :3], faces, fine[:, 3], len(table), rng, smallest=20)
    vertices = np.einsum("nk,nkc->nc", points.weights, fine[points.corners, :3])
    return Mesh(vertices, points.faces, name=scan.name, unit=scan.unit)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path)
    parser.add_argument("--peers", nargs="*", default=[], choices=["meshmonk", "trimesh"])
    parser.add_argument("--scans", type=int, nargs="*", default=list(range(12)))
    parser.add_argument("--resampled", action="store_true")
    arguments = parser.parse_args()
    template = load_template(arguments.data / "ict" / "template.obj")
    region = template.regions["narrow_face"]
    began = time.perf_counter()
    solver = NonRigidRegistration(template)
    print(f"template prepared in {time.perf_counter() - began:.2f} s")
    print(
        " " * 34
        + "".join(f"{column.removesuffix('_mean'):>9s}" for column in COLUMNS)
        + "  seconds"
    )
    table: dict[str, list[list[float]]] = {}
    for index in arguments.scans:
        scan = load_mesh(arguments.data / "scans" / f"scan{index:02d}.ply")
        if arguments.resampled:
            scan = resampled(scan, index)
        landmarks = load_landmarks(arguments.data / "scans" / f"scan{index:02d}.landmarks.json")
        with np.load(arguments.data / "scans" / f"scan{index:02d}.truth.npz") as stored:
            truth = stored["vertices"].astype(np.float64)
        seen = ClosestPointIndex(scan).query(truth).distances < 1.0
        faces = template.mesh.faces
        began = time.perf_counter()
        result = register(solver, scan, landmarks)
        seconds = time.perf_counter() - began
        error = correspondence_error(result.mesh.vertices, truth, faces, region=region, seen=seen)
        label = f"scan{index:02d} geomface"
        extra = f" it {result.iterations} flips {result.flips} cross {result.rim_crossings}"
        table.setdefault("geomface", []).append(_row(label + extra, error, seconds))
        if arguments.peers:
            peers = _peers(arguments.peers, template, scan, landmarks)
            for name, vertices, peer_seconds in peers:
                error = correspondence_error(vertices, truth, faces, region=region, seen=seen)
                table.setdefault(name, []).append(
                    _row(f"scan{index:02d} {name}", error, peer_seconds)
                )
    for name, rows in table.items():
        means = np.mean(rows, axis=0)
        worst = np.max([row[0] for row in rows])
        print(
            f"MEAN {name:29s}"
            + "".join(f"{value:9.2f}" for value in means)
            + f"  worst {worst:.2f}"
        )


if __name__ == "__main__":
    main()
