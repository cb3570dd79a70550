"""The distortion report against analytic maps and direct counts."""

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from parametrization_surfaces import planar_grid, quad_mask, random_disk

from geomface.parametrization import measure_distortion, unwrap
from geomface.parametrization.checks import flipped_triangles, signed_areas
from geomface.parametrization.distortion import mirror_error, vertices_without_texel


@given(
    st.floats(0.2, 5.0),
    st.floats(0.2, 5.0),
    st.floats(-3.0, 3.0),
    st.floats(-3.0, 3.0),
    st.integers(0, 2**31),
)
@settings(max_examples=50, deadline=None)
def test_linear_map_has_the_analytic_figures(
    first: float, second: float, turn: float, other: float, seed: int
) -> None:
    """x = R1 diag(a, b) R2 uv has the singular values a and b everywhere."""

    def rotation(angle: float) -> np.ndarray:
        return np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])

    mesh = planar_grid(5, np.random.default_rng(seed))
    uv = mesh.vertices[:, :2]
    plane, _ = np.linalg.qr(np.random.default_rng(seed).normal(size=(3, 3)))
    surface = uv @ (rotation(turn) @ np.diag([first, second]) @ rotation(other)).T @ plane[:2]
    report = measure_distortion(surface, mesh.faces, uv)
    large, small = max(first, second), min(first, second)
    scale = 1.0 / np.sqrt(first * second)
    assert report.flips == 0
    assert report.l2_stretch == pytest.approx(scale * np.hypot(large, small) / np.sqrt(2))
    assert report.linf_stretch == pytest.approx(scale * large)
    assert report.mean_sigma_ratio == pytest.approx(large / small)
    assert report.rms_log_area == pytest.approx(0.0, abs=1e-7)
    expected = scale**2 * (large**2 + small**2) + (1 / large**2 + 1 / small**2) / scale**2
    assert report.symmetric_dirichlet == pytest.approx(expected)
    assert report.covered_area == pytest.approx(1.0)


def test_identity_is_ideal() -> None:
    mesh = planar_grid(4)
    report = measure_distortion(mesh.vertices, mesh.faces, mesh.vertices[:, :2])
    assert report.l2_stretch == pytest.approx(1.0)
    assert report.linf_stretch == pytest.approx(1.0)
    assert report.symmetric_dirichlet == pytest.approx(4.0)
    assert report.mirror_error is None


def test_area_distortion_of_two_halves() -> None:
    """The left half of a square gets a quarter of the uv: log areas by hand."""
    mesh = planar_grid(8)
    uv = mesh.vertices[:, :2].copy()
    uv[:, 0] = np.where(uv[:, 0] < 0.5, 0.5 * uv[:, 0], 0.25 + 1.5 * (uv[:, 0] - 0.5))
    report = measure_distortion(mesh.vertices, mesh.faces, uv)
    logs = np.log([0.5, 1.5])
    assert report.rms_log_area == pytest.approx(np.sqrt((logs**2).mean()))
    assert report.linf_stretch == pytest.approx(2.0)
    assert report.mean_sigma_ratio == pytest.approx((2.0 + 1.5) / 2.0)


def test_flips_are_decided_exactly() -> None:
    # Collinear in real numbers, yet the float64 determinant is not zero for many of these.
    base = np.array([0.1, 0.1])
    step = np.array([0.7, 0.3])
    triangles, faces = [], []
    for k in range(200):
        triangles += [base, base + step * 2.0**-k, base + step * 2.0 ** -(k + 1)]
        faces.append([3 * k, 3 * k + 1, 3 * k + 2])
    uv, faces = np.array(triangles), np.array(faces)
    from fractions import Fraction

    expected = []
    for index, (a, b, c) in enumerate(uv[faces]):
        exact = [[Fraction(float(x)) for x in point] for point in (a, b, c)]
        (ax, ay), (bx, by), (cx, cy) = exact
        if (bx - ax) * (cy - ay) - (by - ay) * (cx - ax) <= 0:
            expected.append(index)
    assert flipped_triangles(uv, faces).tolist() == expected
    assert len(expected) > 10


def test_flipped_and_flat_triangles_are_counted() -> None:
    mesh = planar_grid(6)
    uv = mesh.vertices[:, :2].copy()
    assert len(flipped_triangles(uv, mesh.faces)) == 0
    inner = 24
    uv[inner] += [0.4, 0.0]
    bad = flipped_triangles(uv, mesh.faces)
    assert len(bad) == (signed_areas(uv, mesh.faces) <= 0).sum() > 0
    assert measure_distortion(mesh.vertices, mesh.faces, uv).flips == len(bad)
    assert len(flipped_triangles(uv * 0.0, mesh.faces)) == len(mesh.faces)


@pytest.mark.parametrize("size", [4, 16, 61])
def test_vertices_without_texel_by_brute_force(size: int) -> None:
    mesh = random_disk(np.random.default_rng(0), inner=200)
    uv = 0.5 + 0.4 * mesh.vertices[:, :2] / 1.3
    centers = (np.arange(size) + 0.5) / size
    x, y = np.meshgrid(centers, centers)
    empty = np.ones(len(uv), bool)
    for face in mesh.faces:
        a, b, c = uv[face]
        sides = [
            (q - p)[0] * (y - p[1]) - (q - p)[1] * (x - p[0]) for p, q in ((a, b), (b, c), (c, a))
        ]
        if (np.array(sides) >= 0).all(axis=0).any():
            empty[face] = False
    np.testing.assert_array_equal(vertices_without_texel(uv, mesh.faces, size), empty)
    report = measure_distortion(mesh.vertices, mesh.faces, uv, image_size=size)
    assert report.vertices_without_texel == empty.sum()
    small = signed_areas(uv, mesh.faces) * size**2 < 0.5
    assert report.small_triangles == pytest.approx(small.mean())


def test_region_share_counts_whole_triangles() -> None:
    mesh = planar_grid(10)
    uv = mesh.vertices[:, :2]
    left = np.flatnonzero(uv[:, 0] <= 0.301)
    report = measure_distortion(mesh.vertices, mesh.faces, uv, regions={"left": left})
    assert report.share["left"] == pytest.approx(0.3)


def test_hole_area_is_told_apart_from_the_outer_loop() -> None:
    template = quad_mask(16)
    result = unwrap(template)
    again = measure_distortion(template.mesh.vertices, template.mesh.faces, result.uv)
    assert again.hole_area == pytest.approx(result.report.hole_area, abs=1e-14)
    assert 0 < again.hole_area < 0.2
    assert again.covered_area == pytest.approx(1.0, abs=1e-12)


def test_mirror_error_of_a_shift() -> None:
    uv = np.array([[0.2, 0.5], [0.8, 0.5], [0.5, 0.1]])
    mirror = np.array([1, 0, 2])
    assert mirror_error(uv, mirror) == pytest.approx(0.0, abs=1e-16)
    assert mirror_error(uv + [0.01, 0.0], mirror) == pytest.approx(0.02)


def test_degenerate_surface_triangles_are_left_out() -> None:
    mesh = planar_grid(4)
    vertices = mesh.vertices.copy()
    vertices[12] = vertices[13]
    report = measure_distortion(vertices, mesh.faces, mesh.vertices[:, :2])
    assert report.degenerate_triangles > 0
    assert np.isfinite([report.l2_stretch, report.rms_log_area, report.mean_sigma_ratio]).all()


def test_report_is_plain_json() -> None:
    report = unwrap(quad_mask(12)).report
    record = json.loads(json.dumps(report.as_dict(), allow_nan=False))
    for field in ("seconds", "settings", "flips", "l2_stretch", "linf_stretch", "mirror_error"):
        assert field in record
    assert set(record["share"]) == {"eyes", "mouth", "middle"}
    assert record["settings"]["stretch_steps"] == 1
