"""Bakes of analytic colours: exact where the scan was seen, marked and filled where not."""

import numpy as np
import pytest

from geomface.errors import MeshError, SettingsError, TopologyMismatchError
from geomface.geometry_image import (
    BakeSettings,
    GeometryImageEncoder,
    bake_texture,
    read_bilinear,
    sample_texels,
)
from geomface.geometry_image.fill import fill_smoothly
from geomface.geometry_image.transfer import closest_for_texels
from geomface.mesh import Mesh, Template
from geomface.mesh.closest import ClosestPointIndex

SIZE = 96


def dome(uv: np.ndarray) -> np.ndarray:
    """A piece of a sphere of radius 100 mm over the uv square."""
    x, y = 100 * (uv[:, 0] - 0.5), 100 * (uv[:, 1] - 0.5)
    return np.stack([x, y, np.sqrt(100**2 - x**2 - y**2)], axis=1)


def paint(points: np.ndarray) -> np.ndarray:
    """A smooth colour of each point of space."""
    x, y, z = points.T
    return np.stack([0.5 + 0.4 * np.sin(x / 40), 0.5 + 0.4 * np.cos(y / 50), z / 140], axis=1)


def grid(count: int, uv_of=lambda uv: uv, keep=None) -> Mesh:
    axis = np.linspace(0, 1, count)
    uv = uv_of(np.stack(np.meshgrid(axis, axis), axis=-1).reshape(-1, 2))
    index = np.arange(count * count).reshape(count, count)
    a, b, c, d = (
        corner.ravel()
        for corner in (index[:-1, :-1], index[:-1, 1:], index[1:, 1:], index[1:, :-1])
    )
    faces = np.concatenate([np.stack([a, b, c], 1), np.stack([a, c, d], 1)])
    if keep is not None:
        faces = faces[keep(uv[faces].mean(axis=1))]
    return Mesh(dome(uv), faces, uv=uv, uv_faces=faces, name="dome")


@pytest.fixture(scope="module")
def template() -> Mesh:
    return grid(13)


@pytest.fixture(scope="module")
def scan() -> Mesh:
    """Another mesh of the same sphere, larger, coloured at its vertices."""
    mesh = grid(60, lambda uv: 1.2 * uv - 0.1)
    return mesh.replace(uv=None, uv_faces=None, colors=paint(mesh.vertices), name="scan")


def expected_colors(template: Mesh, vertices: np.ndarray | None = None) -> np.ndarray:
    points = template.vertices if vertices is None else vertices
    values = GeometryImageEncoder(template, SIZE).values(points).reshape(-1, 3).astype(float)
    return paint(100 * values / np.linalg.norm(values, axis=1, keepdims=True))


def without(mesh: Mesh, hole) -> Mesh:
    """Drop the faces whose centre satisfies `hole` (a function of points)."""
    keep = ~hole(mesh.vertices[mesh.faces].mean(axis=1))
    return Mesh(mesh.vertices, mesh.faces[keep], colors=mesh.colors, name=mesh.name)


def test_colours_are_those_of_the_closest_scan_points(template, scan):
    result = bake_texture(template, template.vertices, scan, SIZE)
    assert result.texture.shape == (SIZE, SIZE, 3) and result.texture.dtype == np.float32
    assert result.mask.all() and result.kept_fraction == 1.0 and result.notes == ()
    error = np.abs(result.texture.reshape(-1, 3) - expected_colors(template))
    assert error.max() < 0.01
    again = bake_texture(Template(template), template, scan, SIZE)
    assert np.array_equal(again.texture, result.texture)


def test_a_hole_in_the_scan_is_masked_and_filled(template, scan):
    def in_hole(points):
        return np.hypot(points[:, 0] - 20, points[:, 1] + 10) < 15

    result = bake_texture(template, template.vertices, without(scan, in_hole), SIZE)
    surface = GeometryImageEncoder(template, SIZE).values(template.vertices).reshape(-1, 3)
    distance = np.hypot(surface[:, 0] - 20, surface[:, 1] + 10)
    mask = result.mask.ravel()
    assert not mask[distance < 12].any()
    assert mask[distance > 18].all()
    error = np.abs(result.texture.reshape(-1, 3) - expected_colors(template)).max(axis=1)
    assert error[mask].max() < 0.01
    assert error[~mask].max() < 0.15  # filled from around, not black
    blind = bake_texture(
        template, template.vertices, without(scan, in_hole), SIZE, BakeSettings(reject_rim=False)
    )
    near_rim = (distance > 13.5) & (distance < 14.2)
    assert blind.mask.ravel()[near_rim].all() and mask[near_rim].mean() < 0.5


def test_what_is_beyond_the_scan_is_not_seen(template, scan):
    half = without(scan, lambda points: points[:, 0] > 0)
    result = bake_texture(template, template.vertices, half, SIZE)
    assert result.mask[:, : SIZE // 2 - 4].all() and not result.mask[:, SIZE // 2 + 4 :].any()
    assert result.kept_fraction == pytest.approx(0.5, abs=0.05)
    quarter = without(half, lambda points: points[:, 1] > 0)
    notes = bake_texture(template, template.vertices, quarter, SIZE).notes
    assert len(notes) == 1 and "25 %" in notes[0]


def test_the_gates_follow_distance_and_normal(template, scan):
    lifted = template.vertices * 1.05  # 5 mm off the sphere
    with pytest.raises(MeshError, match="3 mm"):
        bake_texture(template, lifted, scan, SIZE)
    wide = bake_texture(template, lifted, scan, SIZE, BakeSettings(max_distance_mm=6))
    assert wide.mask.all()
    inside_out = scan.replace(faces=scan.faces[:, ::-1])
    with pytest.raises(MeshError, match="no texel"):
        bake_texture(template, template.vertices, inside_out, SIZE)


@pytest.mark.parametrize("factor", [0.001, 1 / 25.4, 10.0])
def test_the_unit_of_the_scan_does_not_matter(template, scan, factor):
    # Ripples of 4 mm around the gate of 3 mm, and a slot.
    ripples = 4 * np.sin(scan.vertices[:, :1] / 9) * scan.vertices / 100
    torn = without(
        scan.replace(vertices=scan.vertices + ripples), lambda points: np.abs(points[:, 0]) < 8
    )
    whole = bake_texture(template, template.vertices, torn, SIZE)
    scaled = bake_texture(
        template, template.vertices * factor, torn.replace(vertices=torn.vertices * factor), SIZE
    )
    assert np.array_equal(scaled.mask, whole.mask)
    assert 0.2 < whole.kept_fraction < 0.9


def test_a_scan_texture_is_used_before_its_colours(template):
    size = 128
    rows, columns = np.mgrid[0:size, 0:size]
    texture = np.stack([(columns + 0.5) / size, 1 - (rows + 0.5) / size, 0 * rows], axis=-1)
    scan = grid(40).replace(texture=texture, colors=np.ones((1600, 3)), name="scan")
    result = bake_texture(template, template.vertices, scan, 64)
    where = (np.arange(64) + 0.5) / 64
    assert result.mask[1:-1, 1:-1].all()
    assert np.abs(result.texture[..., 0] - where).max() < 0.02
    assert np.abs(result.texture[..., 1] - where[::-1, None]).max() < 0.02
    assert result.texture[..., 2].max() == 0


def test_split_vertices_along_a_seam_are_no_rim(template, scan):
    """Files often repeat the vertices along a uv seam: the surface is still closed there."""
    split = Mesh(
        scan.vertices[scan.faces].reshape(-1, 3),
        np.arange(scan.faces.size).reshape(-1, 3),
        colors=scan.colors[scan.faces].reshape(-1, 3),
    )
    whole = bake_texture(template, template.vertices, scan, SIZE)
    result = bake_texture(template, template.vertices, split, SIZE)
    assert result.mask.all()
    assert np.abs(result.texture - whole.texture).max() < 1e-5


def test_texels_outside_the_chart_repeat_its_border(patch):
    scan = patch.replace(colors=np.clip(patch.vertices / 400 + 0.5, 0, 1), uv=None, uv_faces=None)
    result = bake_texture(patch, patch.vertices, scan, 64)
    outside = ~sample_texels(patch, 64).mask
    assert outside.any() and not result.mask[outside].any()
    assert result.texture[outside].min() > 0.1
    # Vertices on the rim of the chart's hole read the right colour across the gutter.
    error = np.abs(read_bilinear(result.texture, patch.uv) - scan.colors)
    assert error.max() < 0.02
    bare = bake_texture(patch, patch.vertices, scan, 64, BakeSettings(gutter=0))
    assert np.array_equal(bare.mask, result.mask)


def test_neighbours_find_what_the_tree_finds(rng):
    template = grid(9)
    scan = grid(17, lambda uv: 1.1 * uv - 0.05)
    vertices = template.vertices + rng.normal(0, 0.5, template.vertices.shape)
    sampling = sample_texels(template, 160)
    points = np.ascontiguousarray(sampling.matrix @ vertices)
    index = ClosestPointIndex(scan)
    exact, quick = index.query(points), closest_for_texels(index, points, sampling)
    assert np.array_equal(np.isfinite(quick.distances), np.ones(len(points), bool))
    assert (quick.distances >= exact.distances - 1e-9).all()
    assert (quick.distances - exact.distances).max() < 100 / 160
    assert np.mean(np.abs(quick.distances - exact.distances) < 1e-9) > 0.97
    corners = scan.vertices[scan.faces[quick.faces]]
    rebuilt = np.einsum("nk,nkc->nc", quick.barycentric, corners)
    assert np.abs(rebuilt - quick.points).max() < 1e-9
    assert quick.barycentric.min() > -1e-12
    gaps = np.linalg.norm(quick.points - points, axis=1)
    assert np.abs(gaps - quick.distances).max() < 1e-9


def test_smooth_filling_keeps_what_was_seen(rng):
    mask = rng.uniform(size=(37, 50)) < 0.3
    rows, columns = np.mgrid[0:37, 0:50]
    image = np.stack([rows / 37, columns / 50, np.full(rows.shape, 0.5)], -1).astype(np.float32)
    filled = fill_smoothly(image, mask)
    assert np.array_equal(filled[mask], image[mask])
    assert np.abs(filled[..., 2] - 0.5).max() < 1e-6
    assert np.abs(filled - image).mean() < 0.02
    single = np.zeros((9, 7), bool)
    single[3, 3] = True
    assert np.allclose(fill_smoothly(image[:9, :7], single), image[3, 3])
    with pytest.raises(MeshError, match="seen"):
        fill_smoothly(image, np.zeros((37, 50), bool))
    with pytest.raises(MeshError, match="together"):
        fill_smoothly(image, mask.T)


def test_bad_input_is_refused_with_a_sentence(template, scan):
    vertices = template.vertices
    with pytest.raises(MeshError, match="colours"):
        bake_texture(template, vertices, scan.replace(colors=None), SIZE)
    with pytest.raises(MeshError, match="uv"):
        pictured = scan.replace(colors=None, texture=np.zeros((4, 4, 3)))
        bake_texture(template, vertices, pictured, SIZE)
    with pytest.raises(MeshError, match="uv"):
        bake_texture(template.replace(uv=None, uv_faces=None), vertices, scan, SIZE)
    with pytest.raises(TopologyMismatchError):
        bake_texture(template, vertices[:-1], scan, SIZE)
    with pytest.raises(TopologyMismatchError):
        bake_texture(template, scan, scan, SIZE)
    with pytest.raises(MeshError, match="NaN"):
        bake_texture(template, np.full_like(vertices, np.nan), scan, SIZE)
    with pytest.raises(SettingsError, match="texels"):
        bake_texture(template, vertices, scan, 1)
    for change in ({"max_distance_mm": 0}, {"max_normal_degrees": 200}, {"gutter": -1}):
        with pytest.raises(SettingsError, match=next(iter(change))):
            BakeSettings(**change)
