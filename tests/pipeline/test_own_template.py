"""A template out of a foreign mesh: from the mesh to a registered set, and what it is made of."""

import json
from pathlib import Path

import igl
import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from geomface.cli.main import main
from geomface.errors import FileFormatError, LandmarkError, MeshError
from geomface.faces.builtin import load_builtin_face
from geomface.mesh import LandmarkEmbedding, Landmarks, Mesh
from geomface.mesh.io import load_mesh, load_template, save_landmarks, save_mesh
from geomface.pipeline.own_template import make_template
from geomface.scans.settings import ScanSettings
from geomface.scans.simulate import save_simulated_scan, simulate_scan

ICT = Path(__file__).parents[3] / "shared" / "data" / "ict"
TURN = Rotation.from_euler("yx", [35.0, 10.0], degrees=True).as_matrix()


def foreign_face() -> tuple[Mesh, np.ndarray]:
    """Another face with a third of the vertices, in centimetres, turned; its true landmarks."""
    model = load_builtin_face()
    face = model.sample(np.random.default_rng(3), sigma=0.7)
    _, faces, _, kept = igl.qslim(face.vertices, face.faces, 5000)
    moved = 0.1 * face.vertices @ TURN.T + [3.0, -40.0, 7.0]
    points = model.template.landmarks.positions(moved)
    return Mesh(_collapsed(moved, faces, kept), faces, name="mine.obj"), points


def _collapsed(vertices: np.ndarray, faces: np.ndarray, kept: np.ndarray) -> np.ndarray:
    assert faces.max() < len(kept)
    return vertices[kept]


@pytest.fixture(scope="module")
def mine(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder with the foreign mesh, picked landmarks, and what was made of both."""
    folder = tmp_path_factory.mktemp("mine")
    mesh, points = foreign_face()
    points[[3, 40]] = np.nan
    save_mesh(folder / "mine.obj", mesh)
    save_landmarks(folder / "picked.json", Landmarks(points, unit="cm"))
    words = ["--mesh", folder / "mine.obj", "--landmarks", folder / "picked.json"]
    assert main(["template", "make", *map(str, words), "--out", str(folder / "made")]) == 0
    return folder


def test_a_foreign_mesh_becomes_a_template(mine: Path) -> None:
    mesh, points = foreign_face()
    template = load_template(mine / "made")
    np.testing.assert_array_equal(template.mesh.faces, mesh.faces)
    assert template.mesh.unit == "mm" and template.mesh.unit_source != "assumed"
    # Turned upright: a rigid motion of the mesh in millimetres.
    record = json.loads((mine / "made" / "template.json").read_text())
    move = record["given_to_template"]
    back = (template.mesh.vertices - move["translation"]) @ np.array(move["rotation"])
    np.testing.assert_allclose(back, 10.0 * mesh.vertices, atol=1e-4)
    marks = template.landmarks.positions(template.mesh.vertices)
    truth = 10.0 * points @ np.array(move["rotation"]).T + move["translation"]
    miss = np.linalg.norm(marks - truth, axis=1)
    assert miss.max() < 3.0 and np.median(miss) < 0.7
    assert record["landmarks_picked"] == 66
    assert record["uv"] == "made" and record["distortion"]["flips"] == 0
    assert {"nose", "mouth", "eyes", "face_core", "outer_rim", "eye_rims"} <= set(template.regions)
    nose = template.mesh.vertices[template.regions["nose"]]
    assert np.linalg.norm(nose.mean(axis=0) - marks[30]) < 25.0


def test_its_page_shows_landmarks_regions_and_uv_and_loads_nothing(mine: Path) -> None:
    page = (mine / "made" / "template.html").read_text()
    assert page.count("<figure") >= 3 + 10 + 3
    assert "http://" not in page and "https://" not in page
    for words in ("one part", "orientation", "Landmarks from the front", "region nose"):
        assert words in page


def test_a_folder_of_scans_is_registered_to_it(mine: Path, tmp_path: Path) -> None:
    model = load_builtin_face()
    scans = tmp_path / "scans"
    scans.mkdir()
    for seed in (1, 2):
        scan = simulate_scan(
            model, rng=np.random.default_rng(seed), settings=ScanSettings(vertices=4000)
        )
        save_simulated_scan(scans, seed, scan)
    out = tmp_path / "out"
    words = ["--scans", scans, "--template", mine / "made", "--out", out]
    sizes = ["--texture-size", "64", "--geometry-image-size", "64", "--samples", "1"]
    assert main(["pipeline", "run", *map(str, words), *sizes]) == 0
    template = load_template(mine / "made")
    used = load_template(out / "template" / "template.obj")
    np.testing.assert_array_equal(used.mesh.uv, template.mesh.uv)
    for seed in (1, 2):
        fitted = load_mesh(out / "items" / f"scan{seed:03d}" / "registered.ply")
        assert fitted.topology_id == template.mesh.topology_id
        report = json.loads((out / "items" / f"scan{seed:03d}" / "report.json").read_text())
        assert report["residual_mm"]["median"] < 0.5
    assert main(["report", str(out)]) == 0


def test_its_own_uv_stays_and_inward_faces_are_turned() -> None:
    mesh = load_builtin_face().mesh
    flat = 0.5 + mesh.vertices[:, :2] / 400.0 * [-1.0, 1.0]
    inside_out = Mesh(
        mesh.vertices, mesh.faces[:, ::-1], uv=flat, uv_faces=mesh.faces[:, ::-1], name="inside out"
    )
    marks = load_builtin_face().template.landmarks
    made = make_template(inside_out, LandmarkEmbedding(marks.vertices, marks.weights))
    assert any("turned over" in note for note in made.notes)
    turned = made.template.mesh.faces
    np.testing.assert_array_equal(np.sort(turned, axis=1), np.sort(mesh.faces, axis=1))
    normals = np.cross(*(mesh.vertices[turned[:, k]] - mesh.vertices[turned[:, 0]] for k in (1, 2)))
    assert normals[:, 2].sum() > 0
    # That flat map is a mirror image, so it was not kept.
    assert not made.own_uv and made.figures["distortion"]["flips"] == 0
    np.testing.assert_array_equal(made.template.landmarks.vertices, marks.vertices)


def test_what_cannot_be_a_template_ends_in_a_sentence(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    mesh = load_builtin_face().mesh
    ball = mesh.vertices[:3] + 500.0
    two = Mesh(np.vstack([mesh.vertices, ball]), np.vstack([mesh.faces, [[7756, 7757, 7758]]]))
    save_mesh(tmp_path / "two.obj", two)
    words = ["template", "make", "--mesh", str(tmp_path / "two.obj")]
    assert main([*words, "--out", str(tmp_path / "made")]) == 1
    assert "2 separate parts" in capsys.readouterr().err
    assert not (tmp_path / "made").exists()


def test_no_face_asks_for_picked_landmarks() -> None:
    side = np.linspace(-100.0, 100.0, 12)
    x, y = (part.ravel() for part in np.meshgrid(side, side))
    place = np.arange(144).reshape(12, 12)
    corners = (place[:-1, :-1], place[:-1, 1:], place[1:, 1:], place[1:, :-1])
    quads = np.stack([part.ravel() for part in corners], axis=1)
    with pytest.raises(LandmarkError, match="Pick the 68"):
        make_template(Mesh(np.stack([x, y, 0.001 * x * y], axis=1), quads=quads))


def test_landmarks_of_a_mirror_image_are_refused() -> None:
    model = load_builtin_face()
    face = model.sample(np.random.default_rng(8), sigma=1.0)
    flip = np.array([-1.0, 1.0, 1.0])
    mirrored = Mesh(face.vertices * flip, face.faces)
    points = model.template.landmarks.positions(face.vertices) * flip
    with pytest.raises(MeshError, match="mirror"):
        make_template(mirrored, Landmarks(points))


def test_a_folder_that_is_no_template_is_refused(tmp_path: Path) -> None:
    with pytest.raises(FileFormatError, match="geomface template make"):
        load_template(tmp_path)
    (tmp_path / "template.json").write_text('{"kind": "template", "schema": 99}')
    with pytest.raises(FileFormatError, match="schema"):
        load_template(tmp_path)


@pytest.mark.slow
@pytest.mark.skipif(not ICT.is_dir(), reason="needs ../shared/data/ict, which is not here")
def test_another_familys_topology_without_landmarks() -> None:
    given = load_template(ICT / "template.obj")
    mesh = Mesh(0.1 * given.mesh.vertices, quads=given.mesh.quads, name="in centimetres")
    made = make_template(mesh)
    assert made.template.mesh.topology_id == given.mesh.topology_id
    truth = given.landmarks.positions(given.mesh.vertices)
    marks = made.template.landmarks.positions(made.template.mesh.vertices)
    miss = np.linalg.norm(marks - truth, axis=1)
    assert np.median(miss) < 1.0 and miss.max() < 4.0
    core = made.template.regions["face_core"]
    ours, theirs = set(core.tolist()), set(given.regions["narrow_face"].tolist())
    assert len(ours & theirs) / len(ours | theirs) > 0.7
