"""The assignment that follows what is not linear, and the kernel ridge regression inside."""

import numpy as np
import pytest
from paired_faces import paired_faces

from geomface.statistics.assignment import (
    compare_assignments,
    fit_least_squares,
    fit_nonlinear,
    pair_faces,
)
from geomface.statistics.assignment.kernel_ridge import (
    Kernel,
    KernelRidge,
    free_columns,
    kernel_matrix,
    kernel_scale,
    solve_once,
)

KERNELS = [Kernel("joint", 0.5, 1.0), Kernel("separate", 1.0, 0.7)]


@pytest.mark.parametrize(
    ("relation", "most"),
    [
        ("quadratic", 0.5),
        ("only quadratic", 0.5),
        ("sinusoid", 0.8),
        ("saturating", 0.8),
        ("product", 0.8),
    ],
)
def test_beats_least_squares_where_the_relation_is_not_linear(relation, most):
    rng = np.random.default_rng(1)
    faces = paired_faces(rng, count=160, tests=100, latents=12, decay=0.7, relation=relation)
    found = compare_assignments(
        *faces.all, rng, texture_components=12, methods=("mean", "least_squares", "nonlinear")
    )
    errors, predictor = found.mean_errors, found.predictors["nonlinear"]
    assert errors["nonlinear"] < most * errors["least_squares"]
    assert errors["nonlinear"] < 0.7 * errors["mean"]
    assert predictor.kernel is not None and predictor.error < 0.8 * predictor.linear_error


@pytest.mark.parametrize(("count", "noise"), [(20, 0.3), (60, 0.02), (60, 1.0), (150, 0.3)])
def test_is_not_worse_than_least_squares_where_it_is_linear(count, noise):
    for seed in range(3):
        rng = np.random.default_rng(seed)
        faces = paired_faces(rng, count=count, tests=100, latents=12, noise=noise)
        found = compare_assignments(*faces.all, rng, methods=("least_squares", "nonlinear"))
        errors = found.mean_errors
        assert errors["nonlinear"] < 1.03 * errors["least_squares"]


def test_same_faces_give_the_same_assignment(rng):
    faces = paired_faces(rng, count=60, tests=5, latents=6, relation="quadratic")
    pairs = pair_faces(faces.textures, faces.geometries)
    one, two = (fit_nonlinear(pairs).predict(faces.test_textures) for _ in range(2))
    np.testing.assert_array_equal(one, two)


def test_choosing_on_some_faces_is_enough(rng):
    faces = paired_faces(rng, count=240, tests=100, latents=9, decay=0.7, relation="quadratic")
    pairs = pair_faces(faces.textures, faces.geometries, texture_components=9)
    some, least = fit_nonlinear(pairs, most_faces_to_choose=80), fit_least_squares(pairs)
    assert some.kernel is not None and len(some.kernel_coefficients) == 240
    error = [
        np.linalg.norm(fit.predict(faces.test_textures) - faces.test_geometries, axis=2).mean()
        for fit in (some, least)
    ]
    assert error[0] < 0.3 * error[1]


def test_far_from_the_faces_only_the_linear_map_is_left(rng):
    faces = paired_faces(rng, count=100, tests=5, latents=6, decay=0.7, relation="sinusoid")
    pairs = pair_faces(faces.textures, faces.geometries, texture_components=6)
    fit = fit_nonlinear(pairs)
    assert fit.kernel is not None
    far = 1e3 * np.where(rng.random((4, 6)) < 0.5, -1.0, 1.0)
    textures = pairs.textures.reconstruct(far * np.sqrt(pairs.textures.variances))
    linear = pairs.geometries.reconstruct(fit.constant + far @ fit.linear)
    np.testing.assert_allclose(fit.predict(textures), linear, rtol=1e-9, atol=1e-6)
    near = faces.test_textures
    linear = fit.constant + pairs.textures.project(near) / np.sqrt(pairs.textures.variances) @ (
        fit.linear
    )
    rest = pairs.geometries.reconstruct(linear) - fit.predict(near)
    assert np.abs(rest).max() > 1.0


@pytest.mark.parametrize("kernel", KERNELS, ids=lambda kernel: kernel.kind)
def test_kernels_are_positive_and_one_at_home(kernel, rng):
    standard, sigma = rng.standard_normal((40, 5)), 0.8 ** np.arange(5)
    scale = kernel_scale(kernel, standard, sigma)
    likeness = kernel_matrix(kernel, standard, standard, scale)
    np.testing.assert_allclose(np.diag(likeness), 1.0, atol=1e-12)
    assert np.linalg.eigvalsh(likeness).min() > -1e-10
    other = kernel_matrix(kernel, standard[:3], standard, scale)
    np.testing.assert_allclose(other, likeness[:3], atol=1e-12)
    difference = standard[0] - standard[1]
    if kernel.kind == "joint":
        expected = np.exp(-0.5 * ((difference * scale) ** 2).sum() / kernel.length)
        squares = ((standard[:, None] - standard) * scale) ** 2
        middle = np.median(squares.sum(axis=2)[np.triu_indices(40, 1)])
        assert middle == pytest.approx(1.0)
    else:
        weights = sigma ** (2 * kernel.power) / (sigma ** (2 * kernel.power)).sum()
        expected = (weights * np.exp(-0.5 * (difference / kernel.length) ** 2)).sum()
    assert likeness[0, 1] == pytest.approx(expected)


@pytest.mark.parametrize("noise", [1e-3, 0.5])
def test_solution_satisfies_its_equations(noise, rng):
    standard, wanted = rng.standard_normal((30, 4)), rng.standard_normal((30, 2))
    scale = kernel_scale(KERNELS[0], standard, np.ones(4))
    likeness = kernel_matrix(KERNELS[0], standard, standard, scale)
    free = free_columns(standard)
    rest, weights = KernelRidge(likeness, free).solve(wanted, noise)
    columns = np.column_stack([np.ones(30), standard])
    np.testing.assert_allclose(columns.T @ rest, 0.0, atol=1e-9)
    fitted = likeness @ rest + columns @ weights
    np.testing.assert_allclose(fitted + noise * rest, wanted, atol=1e-9)
    again = solve_once(likeness, free, wanted, noise)
    np.testing.assert_allclose(again[0], rest, atol=1e-8)
    np.testing.assert_allclose(again[1], weights, atol=1e-8)


def test_leave_one_out_is_what_refitting_gives(rng):
    standard, wanted = rng.standard_normal((18, 3)), rng.standard_normal((18, 2))
    scale = kernel_scale(KERNELS[1], standard, np.ones(3))
    likeness = kernel_matrix(KERNELS[1], standard, standard, scale)
    noises = np.array([0.01, 1.0, np.inf])
    found = KernelRidge(likeness, free_columns(standard)).leave_one_out(wanted, noises)
    for face in range(18):
        others = np.delete(np.arange(18), face)
        free = free_columns(standard[others])
        ridge = KernelRidge(likeness[np.ix_(others, others)], free)
        for row, noise in enumerate(noises):
            if np.isinf(noise):
                columns = np.column_stack([np.ones(17), standard[others]])
                weights = np.linalg.lstsq(columns, wanted[others])[0]
                predicted = weights[0] + standard[face] @ weights[1:]
            else:
                rest, weights = ridge.solve(wanted[others], noise)
                predicted = weights[0] + standard[face] @ weights[1:]
                predicted = predicted + likeness[face, others] @ rest
            expected = ((predicted - wanted[face]) ** 2).sum()
            assert found[row, face] == pytest.approx(expected, rel=1e-6)
