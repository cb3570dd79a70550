"""Landmarks found without help: their error, and what it costs a registration.

    python tests/benchmarks/landmarks.py DATA [--scans 0 3 5] [--turned 8] [--no-registration]
        [--weights FILE]

DATA holds ict/, scans/ and james/. Prints, for each simulated scan, the mean 3D distance of the
detected landmarks to the true ones (all 68, and the inner 51 without the jaw line) and the seconds;
the same for own simulated scans whose heads are turned by up to 45 degrees; the distance of the
inner 51 to the hand-made annotation of one real scan; and the narrow-face error of the registration
with the given landmarks (1 mm noise an axis) beside that with the detected ones. What the detector
refuses with a sentence is counted.
"""

import argparse
import time
from pathlib import Path

import numpy as np

from geomface.errors import LandmarkError
from geomface.faces.builtin import load_builtin_face
from geomface.faces.ict import load_ict
from geomface.landmarks import LandmarkDetector, NetworkDetector
from geomface.landmarks.weights import load_detector
from geomface.mesh.io import load_landmarks, load_mesh, load_template
from geomface.mesh.landmark_order import arrange_landmarks
from geomface.registration import NonRigidRegistration, register
from geomface.registration.evaluate import correspondence_error
from geomface.rendering.camera import view_rotation
from geomface.scans.simulate import simulate_scan

INNER = slice(17, 68)
FAILED: list[str] = []


def _detect(detector, mesh, truth, label: str):
    """Detect and print one row; return the landmarks (None when refused) and the row's figures."""
    began = time.perf_counter()
    try:
        found = detector.detect(mesh)
    except LandmarkError as error:
        FAILED.append(str(error))
        print(f"{label:12s} refused: {error}", flush=True)
        return None, None
    seconds = time.perf_counter() - began
    miss = np.linalg.norm(found.landmarks.points - truth, axis=1)
    row = (miss.mean(), miss[INNER].mean(), np.percentile(miss, 95), seconds)
    print(f"{label:12s}" + "".join(f"{value:9.2f}" for value in row), flush=True)
    return found.landmarks, row


def _mean(rows: list, label: str) -> None:
    rows = [row for row in rows if row is not None]
    if rows:
        print(f"{label:12s}" + "".join(f"{value:9.2f}" for value in np.mean(rows, axis=0)))


def scans(data: Path, indices: list[int], detector, with_registration: bool) -> None:
    """Print detection and registration on the simulated scans of the measurement data."""
    detected, rows = {}, []
    for index in indices:
        stem = data / "scans" / f"scan{index:02d}"
        with np.load(f"{stem}.truth.npz") as stored:
            truth = stored["landmarks"].astype(np.float64)
        mesh = load_mesh(f"{stem}.ply")
        detected[index], row = _detect(detector, mesh, truth, stem.name)
        rows.append(row)
    _mean(rows, "MEAN")
    if not with_registration:
        return
    template = load_template(data / "ict" / "template.obj")
    region, solver = template.regions["narrow_face"], NonRigidRegistration(template)
    print("\nregistration, narrow face, mm:  given  detected  ratio  flips")
    table = []
    for index in indices:
        stem = data / "scans" / f"scan{index:02d}"
        with np.load(f"{stem}.truth.npz") as stored:
            truth = stored["vertices"].astype(np.float64)
        mesh, pair, flips = load_mesh(f"{stem}.ply"), [], 0
        for landmarks in (load_landmarks(f"{stem}.landmarks.json"), detected[index]):
            result = register(solver, mesh, landmarks)
            vertices, faces = result.mesh.vertices, template.mesh.faces
            pair.append(correspondence_error(vertices, truth, faces, region=region).mean)
            flips += result.flips
        table.append(pair)
        print(f"{stem.name:30s}{pair[0]:7.2f}{pair[1]:10.2f}{pair[1] / pair[0]:7.2f}{flips:7d}")
    given, found = np.mean(table, axis=0)
    print(f"{'MEAN':30s}{given:7.2f}{found:10.2f}{found / given:7.2f}")


def turned(data: Path, count: int, detector) -> None:
    """Print detection on own simulated scans, heads turned by up to 45 degrees."""
    face = load_ict(data / "ict" / "ict_face.npz")
    rows = []
    for index in range(count):
        scan = simulate_scan(face, rng=np.random.default_rng([453, index]))
        yaw = 45.0 * (2 * index / max(count - 1, 1) - 1)
        # Undo the scan's own pose, so that the angle is what it says.
        turn = view_rotation(yaw, 0.0) @ scan.truth["rotation"].T
        mesh = scan.mesh.replace(vertices=scan.mesh.vertices @ turn.T)
        rows.append(_detect(detector, mesh, scan.truth["landmarks"] @ turn.T, f"yaw {yaw:+.0f}")[1])
    _mean(rows, "MEAN")


def james(data: Path, detector) -> None:
    """Print detection on the real scan, against its annotation."""
    folder = data / "james"
    mesh = load_mesh(folder / "james.obj")
    given = load_landmarks(folder / "james.landmarks.json")
    embedding = load_builtin_face().template
    # Its file lists the points in another order.
    points = embedding.landmarks.positions(embedding.mesh.vertices)
    _detect(detector, mesh, arrange_landmarks(given, points).landmarks.points, "james")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path)
    parser.add_argument("--scans", type=int, nargs="*", default=list(range(12)))
    parser.add_argument("--turned", type=int, default=8)
    parser.add_argument("--no-registration", action="store_true")
    parser.add_argument("--weights", type=Path, help="default: the detector that ships")
    arguments = parser.parse_args()
    detector = LandmarkDetector(NetworkDetector(load_detector(arguments.weights)))
    print(f"{'mm':12s}{'68':>9s}{'inner':>9s}{'p95':>9s}{'seconds':>9s}")
    james(arguments.data, detector)
    turned(arguments.data, arguments.turned, detector)
    scans(arguments.data, arguments.scans, detector, not arguments.no_registration)
    print(f"refused with a sentence: {len(FAILED)}")


if __name__ == "__main__":
    main()
