"""The mesh core: quads, topology, mirror, Laplacians, normals, similarity, closest points."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from geomface.errors import LandmarkError, MeshError, TopologyMismatchError
from geomface.mesh import (
    LandmarkEmbedding,
    Landmarks,
    Mesh,
    Similarity,
    Template,
    fit_similarity,
    require_same_topology,
)
from geomface.mesh.closest import ClosestPointIndex
from geomface.mesh.laplacian import cotangent_laplacian, graph_laplacian, lumped_mass
from geomface.mesh.mirror import mirror_map, mirror_vertices
from geomface.mesh.normals import face_areas, face_normals, vertex_normals
from geomface.mesh.quads import split_quads
from geomface.mesh.topology import (
    boundary_loops,
    connected_components,
    edge_faces,
    require_disk_with_holes,
    unique_edges,
)


def quad_grid(columns=7, rows=5):
    """A symmetric sheet of quads, x from -1 to 1, curved, narrower at the top."""
    x, y = np.meshgrid(np.linspace(-1, 1, columns), np.linspace(0, 1, rows))
    vertices = np.stack([x * (1 - 0.3 * y), y, 1 - x * x], axis=-1).reshape(-1, 3)
    index = np.arange(columns * rows).reshape(rows, columns)
    quads = np.stack(
        [index[:-1, :-1], index[:-1, 1:], index[1:, 1:], index[1:, :-1]], axis=-1
    ).reshape(-1, 4)
    return vertices, quads


def sphere(rings=20, columns=40):
    theta = np.linspace(0.3, np.pi - 0.3, rings)
    phi = np.linspace(0, 2 * np.pi, columns, endpoint=False)
    t, p = np.meshgrid(theta, phi, indexing="ij")
    vertices = np.stack([np.sin(t) * np.cos(p), np.cos(t), -np.sin(t) * np.sin(p)], -1)
    index = np.arange(rings * columns).reshape(rings, columns)
    right = np.roll(index, -1, axis=1)
    quads = np.stack([index[:-1], index[1:], right[1:], right[:-1]], -1).reshape(-1, 4)
    return vertices.reshape(-1, 3), quads


def test_quads_split_alike_on_both_sides():
    vertices, quads = quad_grid()
    mesh = Mesh(vertices, quads=quads)
    mirror = mirror_map(mesh)
    np.testing.assert_allclose(mirror_vertices(vertices, mirror), vertices, atol=1e-12)
    triangles = {frozenset(face) for face in mesh.faces.tolist()}
    assert all(frozenset(mirror[list(face)].tolist()) in triangles for face in triangles)


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 1000))
def test_the_split_follows_a_renumbering(seed):
    vertices, quads = quad_grid(9, 6)
    order = np.random.default_rng(seed).permutation(len(vertices))
    renumbered = np.empty_like(order)
    renumbered[order] = np.arange(len(order))
    first = {frozenset(renumbered[face].tolist()) for face in split_quads(quads, len(vertices))}
    second = {frozenset(face) for face in split_quads(renumbered[quads], len(vertices)).tolist()}
    assert first == second


def test_split_keeps_orientation_and_does_not_look_at_positions(rng):
    vertices, quads = quad_grid()
    mesh = Mesh(vertices, quads=quads)
    assert (face_normals(vertices, mesh.faces)[:, 2] > 0).all()
    other = Mesh(vertices + 0.3 * rng.normal(size=vertices.shape), quads=quads)
    np.testing.assert_array_equal(mesh.faces, other.faces)
    assert mesh.topology_id == other.topology_id
    with pytest.raises(TopologyMismatchError, match=mesh.topology_id):
        require_same_topology(mesh, Mesh(vertices, mesh.faces))


def test_topology_of_an_annulus():
    vertices, quads = sphere()
    mesh = Mesh(vertices, quads=quads)
    loops = boundary_loops(mesh.faces)
    assert [len(loop) for loop in loops] == [40, 40]
    edges = unique_edges(mesh.faces)
    assert len(vertices) - len(edges) + len(mesh.faces) == 0
    inner, pairs = edge_faces(mesh.faces)
    assert len(inner) == len(edges) - 80
    for (i, j), (a, b) in zip(inner[:50].tolist(), pairs[:50].tolist(), strict=True):
        assert {i, j} <= set(mesh.faces[a].tolist())
        assert {i, j} <= set(mesh.faces[b].tolist())
    assert connected_components(mesh.faces, len(vertices) + 2)[0] == 3


def test_boundary_runs_with_the_surface_on_its_left():
    vertices, quads = quad_grid()
    flat = vertices * [1, 1, 0]
    loop = boundary_loops(Mesh(flat, quads=quads).faces)[0]
    x, y = flat[loop, 0], flat[loop, 1]
    assert 0.5 * np.sum(x * np.roll(y, -1) - y * np.roll(x, -1)) > 0


def test_what_is_no_disk_is_refused():
    vertices, quads = quad_grid()
    good = Mesh(vertices, quads=quads)
    assert len(require_disk_with_holes(good)) == 1
    with pytest.raises(MeshError, match="every vertex to belong"):
        require_disk_with_holes(Mesh(np.vstack([vertices, [9, 9, 9]]), good.faces))
    two = Mesh(
        np.vstack([vertices, vertices + 9]), np.vstack([quads, quads + len(vertices)])[:, :3]
    )
    with pytest.raises(MeshError, match="2 components|every vertex"):
        require_disk_with_holes(two)
    ball = np.array([[0, 1, 2], [0, 2, 3], [0, 3, 1], [1, 3, 2]])
    corners = np.array([[0, 0, 0], [1, 0, 0], [0, 1, 0], [0, 0, 1.0]])
    with pytest.raises(MeshError, match="closed surface"):
        require_disk_with_holes(Mesh(corners, ball))
    fins = np.array([[0, 1, 2], [0, 1, 3], [0, 1, 4]])
    with pytest.raises(MeshError, match="at most two faces"):
        require_disk_with_holes(Mesh(np.vstack([corners, [[2, 2, 2]]]), fins))
    # A torus with a hole has one loop but is no disk.
    n = 6
    index = np.arange(n * n).reshape(n, n)
    quad = np.stack(
        [index, np.roll(index, -1, 0), np.roll(index, (-1, -1), (0, 1)), np.roll(index, -1, 1)], -1
    ).reshape(-1, 4)[1:]
    with pytest.raises(MeshError, match="handles"):
        require_disk_with_holes(Mesh(np.random.default_rng(0).random((n * n, 3)), quads=quad))


def test_sphere_normals_areas_and_laplacian():
    vertices, quads = sphere(60, 120)
    mesh = Mesh(vertices, quads=quads)
    for weighting in ("angle", "area"):
        normals = vertex_normals(vertices, mesh.faces, weighting=weighting)
        inside = slice(120, -120)
        assert (np.einsum("vc,vc->v", normals, vertices)[inside] > 0.999).all()
    band = 2 * np.pi * 2 * np.cos(0.3)
    assert face_areas(vertices, mesh.faces).sum() == pytest.approx(band, rel=2e-3)
    mass = lumped_mass(vertices, mesh.faces)
    assert mass.sum() == pytest.approx(band, rel=2e-3)
    laplacian = cotangent_laplacian(vertices, mesh.faces)
    assert np.abs(laplacian @ np.ones(len(vertices))).max() < 1e-10
    # On the unit sphere the coordinates are eigenfunctions with eigenvalue 2.
    ratio = (laplacian @ vertices)[inside] / mass[inside, None]
    np.testing.assert_allclose(ratio, 2 * vertices[inside], atol=0.03)


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 10_000))
def test_dirichlet_energy_of_a_linear_function(seed):
    rng = np.random.default_rng(seed)
    vertices, quads = quad_grid()
    flat = (vertices + 0.05 * rng.normal(size=vertices.shape)) * [1, 1, 0]
    faces = split_quads(quads, len(flat))
    slope = rng.normal(size=3)
    values = flat @ slope
    energy = values @ (cotangent_laplacian(flat, faces) @ values)
    area = face_areas(flat, faces).sum()
    assert energy == pytest.approx(float(slope[:2] @ slope[:2]) * area, rel=1e-9)


def test_graph_laplacian_counts_every_edge_once():
    vertices, quads = quad_grid()
    matrix = graph_laplacian(split_quads(quads, len(vertices)), len(vertices))
    edges = unique_edges(split_quads(quads, len(vertices)))
    assert matrix.diagonal().sum() == 2 * len(edges)
    assert set(np.unique(matrix.toarray()[~np.eye(len(vertices), dtype=bool)])) == {-1.0, 0.0}


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 10_000), scale=st.booleans())
def test_similarity_is_recovered_and_never_reflects(seed, scale):
    rng = np.random.default_rng(seed)
    points = rng.normal(size=(12, 3))
    rotation = Rotation.random(random_state=seed).as_matrix()
    factor = rng.uniform(0.1, 5) if scale else 1.0
    true = Similarity(factor, rotation, rng.normal(size=3))
    found = fit_similarity(points, true.apply(points), rng.uniform(0.1, 1, 12), scale=scale)
    np.testing.assert_allclose(found.apply(points), true.apply(points), atol=1e-9)
    np.testing.assert_allclose(found.inverse().apply(found.apply(points)), points, atol=1e-9)
    again = found.compose(found.inverse())
    np.testing.assert_allclose(again.apply(points), points, atol=1e-9)
    mirrored = fit_similarity(points, points * [-1, 1, 1])
    assert np.linalg.det(mirrored.rotation) == pytest.approx(1.0)


def test_similarity_weights_reach_every_sum(rng):
    points = rng.normal(size=(10, 3))
    target = points.copy()
    target[0] += 100.0
    weights = np.ones(10)
    weights[0] = 0.0
    np.testing.assert_allclose(
        fit_similarity(points, target, weights).apply(points), points, atol=1e-9
    )
    with pytest.raises(MeshError, match="on one line"):
        fit_similarity(np.outer(np.arange(5.0), [1, 2, 3]), np.outer(np.arange(5.0), [1, 2, 3]))
    with pytest.raises(MeshError, match="at least 3"):
        fit_similarity(points[:2], points[:2])


def test_closest_points_on_a_sphere(rng):
    vertices, quads = sphere(40, 80)
    mesh = Mesh(vertices, quads=quads)
    directions = rng.normal(size=(200, 3)) * [1, 0.4, 1]
    directions /= np.linalg.norm(directions, axis=1, keepdims=True)
    directions = directions[np.abs(directions[:, 1]) < 0.9]  # the caps are missing
    found = ClosestPointIndex(mesh).query(1.5 * directions)
    np.testing.assert_allclose(found.distances, 0.5, atol=3e-3)
    rebuilt = np.einsum("nk,nkc->nc", found.barycentric, vertices[mesh.faces[found.faces]])
    np.testing.assert_allclose(rebuilt, found.points, atol=1e-9)


def test_mesh_refuses_nonsense():
    vertices, quads = quad_grid()
    cases = [
        ({"vertices": vertices[:, :2], "quads": quads}, "shape"),
        ({"vertices": vertices, "quads": quads + 1}, "outside 0"),
        ({"vertices": np.where(vertices > 0.9, np.nan, vertices), "quads": quads}, "NaN"),
        ({"vertices": vertices, "faces": np.zeros((0, 3), int)}, "no faces"),
        ({"vertices": vertices}, "got neither"),
        ({"vertices": vertices, "quads": quads, "unit": "furlong"}, "unit must be"),
        ({"vertices": vertices, "quads": quads, "uv": np.zeros((3, 2))}, "belong together"),
        ({"vertices": vertices, "quads": quads, "colors": np.zeros((3, 3))}, "colors"),
        ({"vertices": vertices, "quads": quads, "faces": quads[:, :3]}, "halves of the quads"),
    ]
    for fields, words in cases:
        with pytest.raises(MeshError, match=words):
            Mesh(**fields)
    mesh = Mesh(vertices, quads=quads)
    with pytest.raises(ValueError):
        mesh.vertices[0] = 0.0


def test_landmarks_and_template():
    vertices, quads = quad_grid()
    embedding = LandmarkEmbedding(np.array([[0, 1, 7]]), np.array([[0.2, 0.3, 0.5]]), "three")
    expected = 0.2 * vertices[0] + 0.3 * vertices[1] + 0.5 * vertices[7]
    np.testing.assert_allclose(embedding.positions(vertices)[0], expected)
    template = Template(Mesh(vertices, quads=quads), embedding, {"eyes": np.array([0, 1])})
    with pytest.raises(LandmarkError, match="expected 1 landmarks of scheme 'three'"):
        template.require_landmarks(Landmarks(np.zeros((2, 3)), "three"))
    with pytest.raises(MeshError, match="region 'eyes'"):
        Template(Mesh(vertices, quads=quads), regions={"eyes": np.array([999])})
