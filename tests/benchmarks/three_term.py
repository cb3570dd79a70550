"""The three-term energy of the first face models, minimised by its gradient, for comparison.

    python tests/benchmarks/three_term.py DATA [--scans 0 3 5]

DATA holds ict/ and scans/. Prints the narrow-face error of the registration and of the three terms
(landmarks, surface, smoothness) from the same landmark similarity, scan by scan.
"""

import argparse
import dataclasses
import time
from pathlib import Path

import numpy as np
from scipy import sparse
from scipy.optimize import minimize

from geomface.arrays import FloatArray
from geomface.mesh import Landmarks, Mesh
from geomface.mesh.io import load_landmarks, load_mesh, load_template
from geomface.mesh.topology import unique_edges
from geomface.registration import NonRigidRegistration, register
from geomface.registration.prepare import prepare_scan
from geomface.registration.scan_target import ScanTarget

_LANDMARK_WEIGHT = 20.0
_SURFACE_WEIGHT = 1.0
_SMOOTHNESS = (100.0, 20.0, 5.0, 1.0)
_STEPS = 25


def three_term_energy(
    vertices: FloatArray,
    rest: FloatArray,
    edges: np.ndarray,
    surface: ScanTarget,
    landmark_rows: sparse.csr_array | None,
    landmark_points: FloatArray | None,
    weights: tuple[float, float, float],
) -> tuple[float, FloatArray]:
    """Return the energy and its gradient at `vertices`.

    E(x) = w_l sum_l |B_l x - y_l|^2 + w_s sum_v dist(x_v, scan)^2
           + w_r sum_edges |(x_i - x_j) - (r_i - r_j)|^2

    The gradient of a squared distance is 2 (x - c), c the closest point, wherever it is unique.

    Parameters
    ----------
    vertices, rest : (V, 3) float64, mm
    edges : (E, 2) int64
    landmark_rows : (L, V) embedding of the landmarks, or None
    landmark_points : (L, 3) float64, mm
    weights : (w_l, w_s, w_r)

    Source
    ------
    Blanz and Vetter 1999 and Shamai et al. 2018, section 3: landmark, surface and smoothness
    terms; neither gives weights nor solver.
    """
    landmark_weight, surface_weight, smoothness = weights
    closest = surface.surface.query(vertices)
    gap = vertices - closest.points
    value = surface_weight * float(np.vdot(gap, gap))
    gradient = 2.0 * surface_weight * gap
    i, j = edges.T
    stretch = (vertices[i] - vertices[j]) - (rest[i] - rest[j])
    value += smoothness * float(np.vdot(stretch, stretch))
    for axis in range(3):
        force = 2.0 * smoothness * stretch[:, axis]
        gradient[:, axis] += np.bincount(i, force, minlength=len(vertices))
        gradient[:, axis] -= np.bincount(j, force, minlength=len(vertices))
    if landmark_rows is not None and landmark_points is not None:
        miss = landmark_rows @ vertices - landmark_points
        value += landmark_weight * float(np.vdot(miss, miss))
        gradient += 2.0 * landmark_weight * (landmark_rows.T @ miss)
    return value, gradient


def fit_three_terms(
    rest: FloatArray,
    faces: np.ndarray,
    surface: ScanTarget,
    landmark_rows: sparse.csr_array | None,
    landmarks: Landmarks | None,
) -> tuple[FloatArray, list[tuple[float, float]]]:
    """Minimise the three-term energy by L-BFGS on its gradient, the smoothness falling in stages.

    Returns
    -------
    vertices : (V, 3) float64
    history : (smoothness, energy) after each stage
    """
    edges = unique_edges(faces)
    rows, points = None, None
    if landmark_rows is not None and landmarks is not None:
        rows, points = landmark_rows[np.flatnonzero(landmarks.present)], landmarks.points
        points = points[landmarks.present]
    vertices, history = rest.copy(), []
    for smoothness in _SMOOTHNESS:
        weights = (_LANDMARK_WEIGHT, _SURFACE_WEIGHT, smoothness)

        def energy(flat: FloatArray, weights: tuple = weights) -> tuple[float, FloatArray]:
            value, gradient = three_term_energy(
                flat.reshape(-1, 3), rest, edges, surface, rows, points, weights
            )
            return value, gradient.ravel()

        outcome = minimize(
            energy, vertices.ravel(), jac=True, method="L-BFGS-B", options={"maxiter": _STEPS}
        )
        vertices = outcome.x.reshape(-1, 3)
        history.append((smoothness, float(outcome.fun)))
    return vertices, history


def register_by_three_terms(
    solver: NonRigidRegistration, scan: Mesh, landmarks: Landmarks
) -> FloatArray:
    """Return the template (V, 3) fitted to a scan by the three terms, where the scan is."""
    given = prepare_scan(scan, solver.template, landmarks)
    target = ScanTarget(solver.to_frame(given.vertices, given.start), given.faces)
    points = solver.to_frame(given.landmarks.points, given.start)
    framed = dataclasses.replace(given.landmarks, points=points)
    vertices, _ = fit_three_terms(solver.rest, solver.faces, target, solver.landmark_rows, framed)
    return given.reflected(solver.from_frame(vertices, given.start))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path)
    parser.add_argument("--scans", type=int, nargs="*", default=list(range(12)))
    arguments = parser.parse_args()
    solver = NonRigidRegistration(load_template(arguments.data / "ict" / "template.obj"))
    region = solver.template.regions["narrow_face"]
    rows = []
    for index in arguments.scans:
        stem = arguments.data / "scans" / f"scan{index:02d}"
        scan = load_mesh(stem.with_suffix(".ply"))
        landmarks = load_landmarks(stem.with_suffix(".landmarks.json"))
        with np.load(stem.with_suffix(".truth.npz")) as stored:
            truth = stored["vertices"].astype(np.float64)
        row = []
        for fit in (
            lambda *given: register(*given).mesh.vertices,
            register_by_three_terms,
        ):
            began = time.perf_counter()
            found = fit(solver, scan, landmarks)
            seconds = time.perf_counter() - began
            row += [np.linalg.norm(found - truth, axis=1)[region].mean(), seconds]
        rows.append(row)
        print(f"scan{index:02d}" + "".join(f"{value:9.2f}" for value in row), flush=True)
    print("mean  " + "".join(f"{value:9.2f}" for value in np.mean(rows, axis=0)))


if __name__ == "__main__":
    main()
