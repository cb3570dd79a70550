"""The energies and the linear system of the registration, one by one."""

import numpy as np
from scipy import sparse
from scipy.optimize import approx_fprime

from geomface.mesh.factor import SymmetricFactor, elimination_order
from geomface.mesh.normals import vertex_normals
from geomface.mesh.topology import boundary_loops
from geomface.registration.integrity import (
    flipped_triangles,
    rim_gaps,
    rim_pairs,
    unfold,
)
from geomface.registration.linear_system import FittingSystem
from geomface.registration.prior import DeformationPrior, MeasuredPlanes, MeasuredPoints
from geomface.registration.scan_target import MatchGates, ScanTarget
from geomface.registration.stretching import Stretching
from geomface.registration.template_terms import BendingOperator, exposure, feature_strength


def grid(count=15, hole=None, size=10.0):
    """A square grid in the plane z = 0, optionally with a hole of grid cells."""
    axis = np.linspace(0, size, count)
    x, y = np.meshgrid(axis, axis)
    vertices = np.stack([x.ravel(), y.ravel(), np.zeros(count * count)], axis=1)
    faces = []
    for row in range(count - 1):
        for column in range(count - 1):
            if hole and hole(row, column):
                continue
            a = row * count + column
            faces += [[a, a + 1, a + count + 1], [a, a + count + 1, a + count]]
    faces = np.array(faces)
    used = np.unique(faces)
    renumber = np.full(len(vertices), -1)
    renumber[used] = np.arange(len(used))
    return vertices[used], renumber[faces]


def bumpy(rng, count=15):
    vertices, faces = grid(count)
    vertices[:, 2] = np.sin(vertices[:, 0]) + 0.5 * np.cos(2 * vertices[:, 1])
    return vertices + 0.02 * rng.normal(size=vertices.shape), faces


def test_bending_energy_is_blind_to_linear_fields_inside_a_plane():
    vertices, faces = grid()
    operator = BendingOperator(vertices, faces)
    linear = vertices @ np.array([1.0, -2.0, 0.5]) + 3.0
    laplacian = operator.laplacian @ linear
    inside = np.ones(len(vertices), bool)
    inside[boundary_loops(faces)[0]] = False
    assert np.abs(laplacian[inside]).max() < 1e-10
    constant = operator.matrix() @ np.ones(len(vertices))
    assert np.abs(constant).max() < 1e-9


def test_stretching_is_the_elastic_energy_inside_the_surface(rng):
    vertices, faces = grid()
    turn = np.linalg.qr(rng.normal(size=(3, 3)))[0]
    vertices = vertices @ turn.T
    strain = np.array([[0.1, 0.04], [0.04, -0.05]])
    first, second, normal = turn.T

    def energy(field):
        return float(np.vdot(field, Stretching(vertices, faces)(field)))

    stretched = vertices @ turn[:, :2] @ strain @ turn[:, :2].T
    np.testing.assert_allclose(energy(stretched), 0.12 * (strain**2).sum() * 100.0, rtol=1e-9)
    turned = np.cross(first + 2.0 * normal, vertices)
    relief = rng.normal(size=(len(vertices), 1)) * normal
    for free in (turned, relief, np.ones_like(vertices)):
        np.testing.assert_allclose(energy(stretched + free), energy(stretched), rtol=1e-9)


def test_stretching_averages_over_the_axes(rng):
    vertices, faces = bumpy(rng, 9)
    stretching = Stretching(vertices, faces)
    blocks = stretching.operator.toarray().reshape(81, 3, 81, 3)
    np.testing.assert_allclose(
        stretching.average.toarray(), np.einsum("iaja->ij", blocks) / 3.0, atol=1e-12
    )


def test_bending_matrix_is_positive_semidefinite(rng):
    vertices, faces = bumpy(rng, 9)
    factor = rng.uniform(0.1, 10, len(vertices))
    values = np.linalg.eigvalsh(BendingOperator(vertices, faces).matrix(factor).toarray())
    assert values.min() > -1e-8 * values.max()


def test_fitting_system_matches_the_dense_solution(rng):
    vertices, faces = bumpy(rng)
    count = len(vertices)
    bending = BendingOperator(vertices, faces).matrix()
    rows = sparse.csr_array(np.eye(count)[[3, 50, 120]])
    stiff = (0.3 * bending + 5.0 * rows.T @ rows).tocsc()
    normals = rng.normal(size=(count, 3))
    normals /= np.linalg.norm(normals, axis=1, keepdims=True)
    plane = rng.uniform(0, 2, count) * (rng.random(count) > 0.2)
    pull = 0.3 * plane
    right = rng.normal(size=(count, 3))
    stretching = Stretching(vertices, faces)
    order = elimination_order((stiff + sparse.eye_array(count)).tocsc())
    system = FittingSystem(order, stretching)
    system.factor(stiff, plane, pull)
    found = system.solve(
        right, np.zeros((count, 3)), normals, plane, pull, tolerance=1e-12, limit=500
    )
    dense = np.kron(stiff.toarray(), np.eye(3)) + stretching.operator.toarray()
    for v in range(count):
        outer = np.outer(normals[v], normals[v])
        block = plane[v] * outer + pull[v] * (np.eye(3) - outer)
        dense[3 * v : 3 * v + 3, 3 * v : 3 * v + 3] += block
    np.testing.assert_allclose(
        found.ravel(), np.linalg.solve(dense, right.ravel()), rtol=1e-5, atol=1e-6
    )


def test_symmetric_factor_solves(rng):
    vertices, faces = bumpy(rng, 12)
    matrix = BendingOperator(vertices, faces).matrix() + sparse.eye_array(len(vertices))
    right = rng.normal(size=(len(vertices), 3))
    factor = SymmetricFactor(matrix.tocsc(), elimination_order(matrix.tocsc()))
    np.testing.assert_allclose(matrix @ factor.solve(right), right, atol=1e-8)


def test_features_are_at_the_ridge():
    vertices, faces = grid(41, size=80.0)
    vertices[:, 2] = -np.abs(vertices[:, 0] - 40.0)
    strength = feature_strength(vertices, faces)
    at_ridge = strength[np.abs(vertices[:, 0] - 40.0) < 1]
    far = strength[np.abs(vertices[:, 0] - 40.0) > 15]
    assert at_ridge.min() > 0.5
    assert far.max() < 0.05


def test_exposure_knows_what_a_lid_covers():
    vertices, faces = grid(11)
    below = vertices - [0, 0, 1.0]
    both = np.concatenate([vertices, below])
    normals = np.tile([0.0, 0.0, 1.0], (len(both), 1))
    seen = exposure(both, np.concatenate([faces, faces + len(vertices)]), normals)
    assert seen[: len(vertices)].min() == 15
    middle = np.linalg.norm(below[:, :2] - 5.0, axis=1) < 2.5
    assert seen[len(vertices) :][middle].max() == 0


def test_flips_are_counted_and_unfolded():
    vertices, faces = grid()
    assert not flipped_triangles(vertices, faces, vertices).any()
    moved = vertices.copy()
    moved[7 * 15 + 7] += [1.6, 0.0, 0.0]  # over its right neighbours
    assert flipped_triangles(moved, faces, vertices).sum() >= 2
    bending = BendingOperator(vertices, faces).matrix()
    mended = vertices + unfold(moved - vertices, vertices, faces, bending)
    assert not flipped_triangles(mended, faces, vertices).any()
    np.testing.assert_allclose(mended[0], vertices[0])


def test_a_fold_that_smoothing_keeps_is_pulled_flat():
    vertices, faces = grid()
    moved = vertices.copy()
    moved[7 * 15 + 7] += [1.6, 0.0, 0.0]
    before = flipped_triangles(moved, faces, vertices)
    # No ring to smooth over: only the flipped triangles' own vertices may move.
    bending = BendingOperator(vertices, faces).matrix()
    mended = vertices + unfold(moved - vertices, vertices, faces, bending, largest_ring=0)
    assert before.any() and not flipped_triangles(mended, faces, vertices).any()
    touched = np.flatnonzero(np.abs(mended - moved).max(axis=1) > 0)
    assert set(touched) <= set(faces[before].ravel())


def test_rim_gaps_have_the_sign_of_the_opening():
    # A slit mouth: a row of cells missing.
    vertices, faces = grid(21, hole=lambda row, column: row == 10 and 5 <= column < 15)
    loops = boundary_loops(faces)
    pairs = rim_pairs(vertices, loops[1:])
    gaps = rim_gaps(vertices, pairs, vertices)
    assert len(gaps) >= 8
    assert (gaps > 0.45).all() and (gaps < 0.6).all()
    crossed = vertices.copy()
    crossed[pairs.upper, 1] -= 0.8
    assert (rim_gaps(crossed, pairs, vertices) < 0).all()
    turn = np.array([[0, -1, 0], [1, 0, 0], [0, 0, 1.0]])
    # The gap follows the corners when the head is slightly turned, not the axes of the file.
    slight = 0.97 * np.eye(3) + 0.03 * turn
    assert (rim_gaps(vertices @ slight.T, pairs, vertices) > 0).all()


def test_prior_finds_its_own_instances(rng):
    rest = rng.normal(size=(300, 3)) * 50
    modes = rng.normal(size=(5, 300, 3)) * 4
    prior = DeformationPrior(rest, rest + 1.0, modes, noise_mm=0.5)
    truth = 1.0 + np.tensordot([1.0, -0.5, 0.2, 0.0, 0.7], modes, 1)
    normals = rng.normal(size=(300, 3))
    normals /= np.linalg.norm(normals, axis=1, keepdims=True)
    turned = np.eye(3) + 0.01 * np.array([[0, -1, 0], [1, 0, 0], [0, 0, 0]])
    moved = (rest + truth) @ turned.T + [1.0, -2.0, 0.5] - rest
    planes = MeasuredPlanes(normals, (normals * moved).sum(axis=1), np.ones(300))
    found = prior.displacement(planes, None)
    assert np.abs(found - moved).max() < 0.3
    # A landmark is believed where planes say nothing, and unmatched vertices say nothing at all.
    blind = MeasuredPlanes(normals, rng.normal(size=300) * 100, np.zeros(300))
    rows = sparse.csr_array(np.eye(300)[:40])
    points = MeasuredPoints(rows, moved[:40], np.full(40, 100.0))
    found = prior.displacement(blind, points)
    assert np.abs(found - moved).max() < 1.5
    assert np.abs(prior.displacement(blind, None) - 1.0).max() < 1e-12


def test_prior_minimises_its_energy(rng):
    rest = rng.normal(size=(40, 3)) * 50
    modes = rng.normal(size=(3, 40, 3)) * 4
    prior = DeformationPrior(rest, rest, modes, noise_mm=0.5)
    normals = rng.normal(size=(40, 3))
    planes = MeasuredPlanes(normals, rng.normal(size=40), rng.uniform(size=40))
    rows = sparse.csr_array(np.eye(40)[:7])
    points = MeasuredPoints(rows, rng.normal(size=(7, 3)), rng.uniform(1.0, 2.0, 7))
    basis = prior._basis.reshape(120, -1)

    def energy(coefficients):
        moved = (basis @ coefficients).reshape(40, 3)
        gap = (normals * moved).sum(axis=1) - planes.heights
        off = ((moved[:7] - points.displacements) ** 2).sum(axis=1)
        trust = 1 / (1 / points.weights + 2.0)
        along = (planes.weights * gap**2).sum() / (30 * 0.25)
        return along + (trust * off).sum() + coefficients @ coefficients

    best = np.linalg.lstsq(basis, prior.displacement(planes, points).ravel(), rcond=None)[0]
    slope = approx_fprime(best, energy, 1e-6)
    assert np.abs(slope).max() < 1e-3 * np.abs(approx_fprime(0 * best, energy, 1e-6)).max()


def test_matches_keep_off_the_rim_and_off_the_back(rng):
    vertices, faces = grid(21)
    target = ScanTarget(vertices, faces)
    queries = np.array(
        [[5.0, 5.0, 0.3], [0.0, 5.0, 0.3], [5.0, 5.0, 3.0], [5.1, 5.1, 0.2], [0.0, 4.0, 0.3]]
    )
    normals = np.tile([0.0, 0.0, 1.0], (5, 1)) * [[1], [1], [1], [-1], [1]]
    matches = target.match(
        queries,
        normals,
        MatchGates(normal_mm=4.0, distance_mm=2.0, cosine=0.5, rim_mm=0.01),
        rim_exempt=np.array([False, False, False, False, True]),
        on_triangles=True,
    )
    assert matches.accepted.tolist() == [True, False, False, False, True]
    np.testing.assert_allclose(matches.plane_points[0], [5.0, 5.0, 0.0], atol=1e-12)
    assert np.allclose(vertex_normals(vertices, faces)[:, 2], 1.0)
