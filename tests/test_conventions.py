"""One test for each rule of docs/conventions.md."""

import ast
import dataclasses
import json
from pathlib import Path

import numpy as np
import pytest

import geomface
from geomface.errors import FileFormatError, OutputError, TopologyMismatchError
from geomface.files import load_tensors, save_tensors
from geomface.files.atomic import atomic_path
from geomface.files.lock import run_lock
from geomface.mesh import Mesh, require_same_topology
from geomface.mesh.normals import vertex_normals
from geomface.mesh.similarity import fit_similarity
from geomface.recognition.alignment.reference import alignment_of, require_alignment
from geomface.rendering.rasterize import rasterize
from geomface.scans.simulate import SimulatedScan

QUICK = geomface.RegistrationSettings(stiffness=(1e5, 1.3e3), final_matches=1)


@pytest.fixture(scope="module")
def face() -> geomface.Template:
    return geomface.load_builtin_face().template


@pytest.fixture(scope="module")
def unwrapped(face: geomface.Template) -> Mesh:
    return geomface.unwrap(face).mesh


@pytest.fixture(scope="module")
def scan() -> SimulatedScan:
    settings = geomface.ScanSettings(vertices=3000, surround=False, wrong_landmarks=0)
    rng = np.random.default_rng(5)
    return geomface.simulate_scan(geomface.load_builtin_face(), rng=rng, settings=settings)


def test_millimetres(face: geomface.Template) -> None:
    assert face.mesh.unit == "mm"
    assert 80 < np.ptp(face.mesh.vertices[:, 0]) < 220


def test_a_guessed_unit_is_said(face: geomface.Template, scan: SimulatedScan) -> None:
    """Metres in a file that does not say so: the fit is in mm, and the note names the factor."""
    metres = scan.mesh.replace(vertices=scan.mesh.vertices / 1000)
    points = geomface.Landmarks(scan.landmarks.points / 1000)
    fit = geomface.register(face, metres, points, settings=QUICK)
    assert any("1000" in note for note in fit.notes), fit.notes
    assert fit.mesh.unit == "mm" and 100.0 < np.ptp(fit.mesh.vertices[:, 0]) < 300.0
    assert (fit.scan_unit, fit.scan_unit_mm) == ("m", 1000.0)
    assert fit.residual_mm["median"] > 0.01, "a figure named mm is in millimetres"


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


def test_a_scan_wound_the_wrong_way_is_turned_with_a_note(
    face: geomface.Template, scan: SimulatedScan
) -> None:
    inside_out = scan.mesh.replace(faces=scan.mesh.faces[:, ::-1])
    fits = [
        geomface.register(face, mesh, scan.landmarks, settings=QUICK)
        for mesh in (scan.mesh, inside_out)
    ]
    np.testing.assert_allclose(fits[0].mesh.vertices, fits[1].mesh.vertices, atol=1e-6)
    assert len(fits[1].notes) == len(fits[0].notes) + 1


def test_landmarks_that_cannot_be_are_refused(face: geomface.Template, scan: SimulatedScan) -> None:
    order = np.random.default_rng(0).permutation(68)
    wrong = dataclasses.replace(scan.landmarks, points=scan.landmarks.points[order])
    with pytest.raises(geomface.GeomfaceError, match="Check the landmarks"):
        geomface.register(face, scan.mesh, wrong, settings=QUICK)


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


def test_images_are_float32_from_0_to_1(tmp_path: Path) -> None:
    image = np.linspace(0, 1, 4 * 6 * 3).reshape(4, 6, 3)
    geomface.save_image(tmp_path / "a.png", image)
    back = geomface.load_image(tmp_path / "a.png")
    assert back.dtype == np.float32 and back.shape == (4, 6, 3)
    np.testing.assert_allclose(back, image, atol=0.5 / 255 + 1e-6)
    with pytest.raises(geomface.GeomfaceError, match=r"\[0, 1\], got 0 to 255"):
        Mesh(np.eye(3), np.array([[0, 1, 2]]), texture=255 * image)


def test_a_texel_belongs_to_the_triangle_that_holds_its_centre() -> None:
    """Two halves of a square whose diagonal meets texel centres: each texel has one owner."""
    corners = np.array([[0, 0], [4, 0], [4, 4], [0, 4]], float)
    owner = rasterize(corners, None, np.array([[0, 1, 2], [0, 2, 3]]), 4, 4)
    right_of_diagonal = np.arange(4)[None, :] > np.arange(4)[:, None]
    assert (owner[right_of_diagonal] == 0).all() and (owner[right_of_diagonal.T] == 1).all()
    assert len(set(np.diag(owner))) == 1, "a centre on the shared edge goes the same way everywhere"


def test_alignment_mismatch_names_both() -> None:
    have, wanted = alignment_of("five-points-56x48"), alignment_of("five-points-112x96")
    with pytest.raises(geomface.GeomfaceError, match=f"{wanted.id}, got {have.id}"):
        require_alignment("faces", have, wanted)


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


def test_arrays_are_safetensors_that_say_what_they_are(tmp_path: Path) -> None:
    path = tmp_path / "a.safetensors"
    save_tensors(path, {"x": np.eye(2)}, kind="thing", schema=2, topology_id="t", config={"a": 1})
    arrays, header = load_tensors(path, kind="thing", schema=(1, 2))
    assert header == dict(
        kind="thing", schema=2, topology_id="t", units="mm", config={"a": 1}
    ) and np.array_equal(arrays["x"], np.eye(2))
    with pytest.raises(FileFormatError, match="schema 2"):
        load_tensors(path, kind="thing", schema=1)
    with pytest.raises(FileFormatError, match="kind 'thing'"):
        load_tensors(path, kind="other", schema=2)


def test_outputs_are_whole_or_not_there(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_text("old")
    with pytest.raises(KeyError), atomic_path(path) as temporary:
        temporary.write_text("ha")
        raise KeyError
    assert path.read_text() == "old" and list(tmp_path.iterdir()) == [path]


def test_one_run_at_a_time_in_a_folder(tmp_path: Path) -> None:
    other = {"pid": 1, "host": "another machine"}
    (tmp_path / ".running.json").write_text(json.dumps(other))
    with pytest.raises(OutputError, match="another machine"), run_lock(tmp_path):
        pass


def test_landmark_files(tmp_path: Path) -> None:
    path = tmp_path / "a.landmarks.json"
    record = {
        "scheme": "two",
        "unit": "cm",
        "points": [[1.0, 2.0, 3.0], None],
        "sigma_mm": [0.5, 1.0],
    }
    path.write_text(json.dumps(record))
    marks = geomface.load_landmarks(path)
    assert marks.present.tolist() == [True, False] and marks.unit == "cm"
    assert marks.sigma(2.0).tolist() == [0.5, 1.0]


def test_template_files(face: geomface.Template, tmp_path: Path) -> None:
    geomface.save_mesh(tmp_path / "t.obj", face.mesh)
    marks = {"scheme": "two", "vertices": [812, [5120, 0.2, 0.5, 0.3]]}
    (tmp_path / "t.landmarks.json").write_text(json.dumps(marks))
    (tmp_path / "t.regions.json").write_text(json.dumps({"nose": [1, 2]}))
    template = geomface.load_template(tmp_path / "t.obj")
    corners = face.mesh.vertices[face.mesh.faces[5120]]
    assert template.landmarks is not None
    expected = [face.mesh.vertices[812], np.array([0.2, 0.5, 0.3]) @ corners]
    np.testing.assert_allclose(template.landmarks.positions(face.mesh.vertices), expected)
    assert template.regions["nose"].tolist() == [1, 2]


def test_settings_and_results_are_frozen() -> None:
    for path in Path(geomface.__file__).parent.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not isinstance(node, ast.ClassDef) or node.name.startswith("_"):
                continue
            words = [ast.unparse(item) for item in [*node.decorator_list, *node.bases]]
            settled = "Protocol" in words or any("frozen=True" in word for word in words)
            if node.name.endswith(("Settings", "Result", "Fit", "Report", "Options")):
                assert settled, f"{path}: {node.name}"
