"""The baseline of the benchmarks: its gradient, and that the registration is better."""

import sys
from pathlib import Path

import numpy as np
import pytest
from scipy import sparse

from geomface.faces.builtin import load_builtin_face
from geomface.mesh.topology import unique_edges
from geomface.registration import NonRigidRegistration, register
from geomface.registration.scan_target import ScanTarget
from geomface.scans.simulate import simulate_scan

sys.path.append(str(Path(__file__).parents[1] / "benchmarks"))

from three_term import register_by_three_terms, three_term_energy  # noqa: E402


def bumpy(rng, count):
    """A curved square grid, (count^2, 3), with small noise, and its triangles."""
    x, y = np.meshgrid(np.linspace(0, 10, count), np.linspace(0, 10, count))
    vertices = np.stack([x, y, np.sin(x) + 0.5 * np.cos(2 * y)], axis=-1).reshape(-1, 3)
    corner = (np.arange(count - 1)[:, None] * count + np.arange(count - 1)).ravel()
    halves = [[0, 1, count + 1], [0, count + 1, count]]
    faces = np.concatenate([corner[:, None] + half for half in halves])
    return vertices + 0.02 * rng.normal(size=vertices.shape), faces


def test_three_term_gradient_by_finite_differences(rng):
    rest, faces = bumpy(rng, 8)
    scan_vertices, scan_faces = bumpy(rng, 20)
    target = ScanTarget(scan_vertices + [0.1, 0.05, 0.2], scan_faces)
    rows = sparse.csr_array(np.eye(len(rest))[[5, 20, 40]])
    points = rng.normal(size=(3, 3)) + rest[[5, 20, 40]]
    at = rest + 0.1 * rng.normal(size=rest.shape)
    arguments = (rest, unique_edges(faces), target, rows, points, (2.0, 1.0, 3.0))
    _, gradient = three_term_energy(at, *arguments)
    direction = rng.normal(size=rest.shape)
    step = 1e-6
    ahead, _ = three_term_energy(at + step * direction, *arguments)
    behind, _ = three_term_energy(at - step * direction, *arguments)
    slope = (ahead - behind) / (2 * step)
    assert slope == pytest.approx(float(np.vdot(gradient, direction)), rel=1e-5)


def test_the_registration_is_better_than_the_three_terms():
    face = load_builtin_face()
    scan = simulate_scan(face, rng=np.random.default_rng(3))
    solver = NonRigidRegistration(face.template)
    region, truth = face.template.regions["narrow_face"], scan.truth["vertices"]
    ours = register(solver, scan.mesh, scan.landmarks).mesh.vertices
    theirs = register_by_three_terms(solver, scan.mesh, scan.landmarks)
    errors = [np.linalg.norm(found - truth, axis=1)[region].mean() for found in (ours, theirs)]
    assert errors[0] < errors[1] < 6.0
