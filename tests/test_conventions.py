"""One test for each rule of docs/conventions.md."""

import numpy as np
import pytest

import geomface
from geomface.errors import TopologyMismatchError
from geomface.mesh import Mesh, require_same_topology
from geomface.mesh.normals import vertex_normals
from geomface.mesh.similarity import fit_similarity


@pytest.fixture(scope="module")
def face() -> geomface.Template:
    return geomface.load_builtin_face().template


@pytest.fixture(scope="module")
def unwrapped(face: geomface.Template) -> Mesh:
    return geomface.unwrap(face).mesh


def test_millimetres(face: geomface.Template) -> None:
    assert face.mesh.unit == "mm"
    assert 80 < np.ptp(face.mesh.vertices[:, 0]) < 220


def test_axes_left_up_out(face: geomface.Template) -> None:
    assert face.landmarks is not None
    points = face.landmarks.positions(face.mesh.vertices)
    right_eye, left_eye, nose_tip, chin = points[36:42], points[42:48], points[30], points[8]
    assert right_eye[:, 0].max() < 0 < left_eye[:, 0].min()
    assert right_eye[:, 1].mean() > nose_tip[1] > chin[1]
    assert nose_tip[2] > points[[36, 45], 2].max()


def test_triangles_are_counter_clockwise_from_outside(face: geomface.Template) -> None:
    assert face.landmarks is not None
    normals = vertex_normals(face.mesh.vertices, face.mesh.faces)
    assert normals[face.landmarks.vertices[30, 0], 2] > 0.5


def test_quads_become_consecutive_triangles(face: geomface.Template) -> None:
    mesh = face.mesh
    assert mesh.quads is not None and len(mesh.faces) == 2 * len(mesh.quads)
    for half in (0, 1):
        held = (mesh.faces[half::2, :, None] == mesh.quads[:, None, :]).any(axis=2)
        assert held.all()


def test_uv_square_with_origin_bottom_left(face: geomface.Template, unwrapped: Mesh) -> None:
    assert unwrapped.uv is not None and face.landmarks is not None
    assert unwrapped.uv.min() >= 0 and unwrapped.uv.max() <= 1
    place = face.landmarks.vertices[:, 0]
    right_eye, left_eye, chin = (unwrapped.uv[place[k]] for k in (36, 45, 8))
    assert right_eye[0] < left_eye[0], "the subject's left lies on the right of the image"
    assert chin[1] < right_eye[1], "v grows upwards"


def test_texel_centres(unwrapped: Mesh) -> None:
    """A geometry image of the map (u, v, 0) holds its own texel centres."""
    assert unwrapped.uv is not None
    size = 32
    position = np.concatenate([unwrapped.uv, np.zeros((len(unwrapped.uv), 1))], axis=1)
    image = geomface.GeometryImageEncoder(unwrapped, size).encode(position)
    centers = (np.arange(size) + 0.5) / size
    u, v = np.meshgrid(centers, 1 - centers)
    assert image.mask.mean() > 0.9
    np.testing.assert_allclose(image.pixels[image.mask, 0], u[image.mask], atol=1e-6)
    np.testing.assert_allclose(image.pixels[image.mask, 1], v[image.mask], atol=1e-6)


def test_seams_do_not_duplicate_vertices() -> None:
    vertices = [[0, 0, 0], [1, 0, 0], [1, 1, 0], [0, 1, 0]]
    uv = [[0, 0], [0.4, 0], [0.4, 0.4], [0.6, 0.6], [1, 1], [0.6, 1]]
    mesh = Mesh(
        np.array(vertices, float),
        np.array([[0, 1, 2], [0, 2, 3]]),
        uv=np.array(uv, float),
        uv_faces=np.array([[0, 1, 2], [3, 4, 5]]),
    )
    assert len(mesh.vertices) == 4 and mesh.uv is not None and len(mesh.uv) == 6


def test_dtypes_and_read_only(face: geomface.Template) -> None:
    mesh = face.mesh
    assert mesh.vertices.dtype == np.float64 and mesh.faces.dtype == np.int64
    with pytest.raises(ValueError, match="read-only"):
        mesh.vertices[0, 0] = 1.0


def test_seed_decides_and_index_is_independent() -> None:
    from geomface.scans.simulate import ScanSettings

    model = geomface.load_builtin_face()
    settings = ScanSettings(vertices=2000, surround=False)
    first, again, other = (
        geomface.simulate_scan(model, rng=np.random.default_rng(seed), settings=settings)
        for seed in ([1, 0], [1, 0], [1, 1])
    )
    assert first.mesh.vertices.tobytes() == again.mesh.vertices.tobytes()
    assert first.mesh.vertices.tobytes() != other.mesh.vertices.tobytes()


def test_no_reflection(face: geomface.Template) -> None:
    mirrored = face.mesh.vertices * [-1, 1, 1]
    fit = fit_similarity(face.mesh.vertices + [0, 0, 1], mirrored[::-1])
    assert np.linalg.det(fit.rotation) == pytest.approx(1.0)


def test_files_keep_count_and_order(face: geomface.Template, tmp_path) -> None:
    for suffix in (".obj", ".ply"):
        path = tmp_path / f"face{suffix}"
        geomface.save_mesh(path, face.mesh)
        back = geomface.load_mesh(path)
        np.testing.assert_array_equal(back.vertices, face.mesh.vertices)
        assert back.topology_id == face.mesh.topology_id


def test_topology_mismatch_names_both(face: geomface.Template) -> None:
    other = face.mesh.replace(quads=None, faces=face.mesh.faces[:-1])
    with pytest.raises(TopologyMismatchError) as caught:
        require_same_topology(face.mesh, other)
    assert face.mesh.topology_id in str(caught.value) and other.topology_id in str(caught.value)
