"""Folders of registered meshes with labels: round trips in mm, units, poses, what is refused."""

import logging
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from geomface.datasets import (
    LabelledFaces,
    layout,
    load_labelled_faces,
    save_label_table,
    save_labelled_faces,
)
from geomface.errors import FileFormatError, GeomfaceError, MeshError
from geomface.files import write_json
from geomface.learning.errors import DatasetError
from geomface.mesh import LandmarkEmbedding, Mesh, Template, fit_similarity
from geomface.mesh.io import save_mesh, save_template
from geomface.mesh.rotation import rotation_matrix

SIDE = 5
PER_UNIT = {"mm": 1.0, "cm": 10.0, "inch": 25.4, "m": 1000.0}


def quad_face() -> Mesh:
    """A curved sheet of quads, about the size of a face in mm, without uv."""
    u, v = np.meshgrid(np.linspace(-1, 1, SIDE), np.linspace(-1, 1, SIDE))
    vertices = np.stack([80 * u, 110 * v, 50 * (1 - u**2 - 0.5 * v**2)], -1).reshape(-1, 3)
    corner = np.arange(SIDE * SIDE).reshape(SIDE, SIDE)[:-1, :-1].reshape(-1)
    quads = np.stack([corner, corner + 1, corner + SIDE + 1, corner + SIDE], axis=1)
    return Mesh(vertices, quads=quads, name="sheet")


FACE = quad_face()
FACES = FACE.vertices + np.random.default_rng(0).normal(0, 3, (6, *FACE.vertices.shape))
NAMES = ("anna/a.ply", "anna/b.ply", "ben/a.ply", "ben/b.ply", "ben/c.ply", "eva/a.ply")
TABLE = "file,identity,expression\n" + "".join(
    f"{name},{name.split('/')[0]},{label}\n"
    for name, label in zip(NAMES, ["happy", "", "sad", "happy", "", "sad"], strict=True)
)


@pytest.fixture
def folder(tmp_path) -> Path:
    for name, vertices in zip(NAMES, FACES, strict=True):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        save_mesh(tmp_path / name, FACE.replace(vertices=vertices))
    return tmp_path


@pytest.fixture
def run(tmp_path) -> Path:
    """The output of a pipeline: two items in metres, all of them where their scans were."""
    save = tmp_path / layout.TEMPLATE_MESH
    save.parent.mkdir()
    marks = LandmarkEmbedding.on_vertices(np.array([0, 7]), scheme="two")
    save_template(save, Template(FACE, marks, {"middle": np.array([12])}))
    rng = np.random.default_rng(1)
    for index, vertices in enumerate(FACES):
        factor = 1000.0 if index < 2 else 1.0
        turned = vertices @ rotation_matrix(rng.normal(0, 0.5, 3)).T + rng.normal(0, 50, 3)
        item = tmp_path / layout.ITEMS / f"scan{index}"
        item.mkdir(parents=True)
        save_mesh(item / layout.REGISTERED, FACE.replace(vertices=turned / factor))
        write_json(item / layout.ITEM_REPORT, {"unit_factor": factor})
    return tmp_path


def with_table(folder: Path, text: str = TABLE, name: str = "table.csv") -> Path:
    (folder / name).write_text(text)
    return folder / name


def test_a_folder_with_a_table(folder) -> None:
    told: list[tuple[int, int]] = []
    faces = load_labelled_faces(folder, with_table(folder), on_progress=lambda *at: told.append(at))
    assert faces.names == NAMES and told == [(k + 1, 6) for k in range(6)]
    np.testing.assert_array_equal(faces.vertices, FACES.astype(np.float32))
    assert faces.classes == {"identity": ("anna", "ben", "eva"), "expression": ("happy", "sad")}
    assert faces.labels["identity"].tolist() == [0, 0, 1, 1, 1, 2]
    assert faces.labels["expression"].tolist() == [0, -1, 1, 0, -1, 1]
    mesh = faces.template.mesh
    assert mesh.topology_id == FACE.topology_id and mesh.unit == "mm" and not faces.truth
    np.testing.assert_array_equal(mesh.vertices, FACES[0])
    assert mesh.uv is not None and mesh.uv.min() >= 0 and mesh.uv.max() <= 1


def test_the_table_orders_and_chooses(folder, caplog) -> None:
    text = "file,identity\nben/b.ply,x\nanna/a.ply,y\n"
    with caplog.at_level(logging.INFO, "geomface"):
        faces = load_labelled_faces(folder, with_table(folder, text), factors=["identity"])
    assert faces.names == ("ben/b.ply", "anna/a.ply") and "4 meshes have no label" in caplog.text
    np.testing.assert_array_equal(faces.vertices, FACES[[3, 0]].astype(np.float32))
    assert list(faces.labels) == ["identity"]


def test_three_factors(folder) -> None:
    text = "light,identity,file\nday,x,ben/b.ply\n,y,anna/a.ply\n"
    table = with_table(folder, text)
    faces = load_labelled_faces(folder, table, factors=["identity", "light"])
    assert faces.labels["light"].tolist() == [0, -1] and faces.classes["light"] == ("day",)


def test_a_folder_without_a_table_has_a_person_in_each_subfolder(folder) -> None:
    faces = load_labelled_faces(folder)
    assert faces.names == NAMES and faces.classes["identity"] == ("anna", "ben", "eva")
    assert faces.labels["identity"].tolist() == [0, 0, 1, 1, 1, 2]
    assert (faces.labels["expression"] == -1).all() and faces.classes["expression"] == ()


def test_the_folders_own_table_is_taken(folder) -> None:
    with_table(folder, name="labels.csv")
    assert load_labelled_faces(folder).labels["expression"].tolist() == [0, -1, 1, 0, -1, 1]


@settings(max_examples=8, deadline=None)
@given(
    rows=st.lists(st.tuples(st.integers(-1, 2), st.integers(-1, 1)), min_size=1, max_size=4),
    seed=st.integers(0, 100),
)
def test_what_is_written_is_read(tmp_path_factory, rows, seed) -> None:
    vertices = FACE.vertices + np.random.default_rng(seed).normal(0, 3, (len(rows), SIDE**2, 3))
    landmarks = LandmarkEmbedding.on_vertices(np.array([3, 4]), scheme="two")
    used = [sorted({row[k] for row in rows} - {-1}) for k in (0, 1)]
    faces = LabelledFaces(
        Template(FACE.replace(uv=FACE.vertices[:, :2] / 1e3 + 0.5, uv_faces=FACE.faces), landmarks),
        vertices,
        tuple(f"p{k}/{k}" for k in range(len(rows))),
        {
            factor: np.array([used[k].index(row[k]) if row[k] >= 0 else -1 for row in rows])
            for k, factor in enumerate(("identity", "expression"))
        },
        {
            factor: tuple(f"{factor} {label}" for label in labels)
            for factor, labels in zip(("identity", "expression"), used, strict=True)
        },
    )
    folder = tmp_path_factory.mktemp("set") / "faces"
    save_labelled_faces(folder, faces)
    again = load_labelled_faces(folder)
    assert again.names == tuple(f"{name}.ply" for name in faces.names)
    np.testing.assert_array_equal(again.vertices, faces.vertices)
    assert again.classes == faces.classes
    for factor, labels in faces.labels.items():
        np.testing.assert_array_equal(again.labels[factor], labels)
    np.testing.assert_array_equal(again.template.mesh.uv, faces.template.mesh.uv)
    assert again.template.landmarks is not None
    with pytest.raises(DatasetError, match="new or empty folder"):
        save_labelled_faces(folder, faces)


@pytest.mark.parametrize("suffix", [".obj", ".glb", ".stl", ".off"])
def test_every_mesh_format(tmp_path, suffix) -> None:
    for index in (0, 1):
        (tmp_path / f"p{index}").mkdir()
        save_mesh(tmp_path / f"p{index}/a{suffix}", FACE.replace(vertices=FACES[index]))
    faces = load_labelled_faces(tmp_path)
    corners = faces.vertices[:, faces.template.mesh.faces]  # STL counts vertices in its own order
    np.testing.assert_allclose(corners, FACES[:2, FACE.faces], atol=2e-5)
    assert faces.template.mesh.uv is not None


@settings(max_examples=12, deadline=None)
@given(units=st.lists(st.sampled_from(list(PER_UNIT)), min_size=2, max_size=4), said=st.booleans())
def test_units_are_converted_and_told(tmp_path_factory, units, said) -> None:
    """Files say their unit or do not; sizes tell all but centimetres from inches."""
    if not said:
        units = ["cm" if unit == "inch" else unit for unit in units]
    folder = tmp_path_factory.mktemp("units")
    for index, unit in enumerate(units):
        path = folder / f"p{index}/a.off"
        path.parent.mkdir()
        mesh = FACE.replace(vertices=FACES[index] / PER_UNIT[unit])
        save_mesh(
            path.with_suffix(".ply" if said else ".off"), mesh.replace(unit=unit if said else "mm")
        )
    logger, told = logging.getLogger("geomface"), []
    handler = logging.Handler()
    handler.emit = lambda record: told.append(record.getMessage())
    logger.addHandler(handler)
    try:
        faces = load_labelled_faces(folder)
    finally:
        logger.removeHandler(handler)
    np.testing.assert_allclose(faces.vertices, FACES[: len(units)], rtol=1e-6, atol=1e-4)
    np.testing.assert_allclose(faces.template.mesh.vertices, FACES[0], rtol=1e-6, atol=1e-4)
    for unit in set(units) - {"mm"}:
        count = units.count(unit)
        assert any(f"{count} meshes are in {unit}, such as" in line for line in told)
    assert len(told) == len(set(units) - {"mm"})


def test_a_pipelines_output_is_in_mm_and_in_one_pose(run) -> None:
    table = with_table(run, "file,identity,expression\nscan1,b,\nscan0,a,sad\nscan5,b,sad\n")
    faces = load_labelled_faces(run, table)
    assert faces.names == ("scan1", "scan0", "scan5")
    for row, index in enumerate((1, 0, 5)):
        expected = fit_similarity(FACES[index], FACE.vertices, scale=False).apply(FACES[index])
        np.testing.assert_allclose(faces.vertices[row], expected, atol=3e-5)
    np.testing.assert_array_equal(faces.template.mesh.vertices, FACE.vertices)
    assert faces.template.landmarks is not None and "middle" in faces.template.regions
    turned = load_labelled_faces(run, table, align=False)
    assert np.abs(turned.vertices - faces.vertices).max() > 5


def test_a_folder_is_aligned_when_asked(folder) -> None:
    plain = load_labelled_faces(folder)
    aligned = load_labelled_faces(folder, align=True, template=Template(FACE))
    assert 0.01 < np.abs(plain.vertices - aligned.vertices).max() < 10
    np.testing.assert_array_equal(aligned.template.mesh.vertices, FACE.vertices)


def test_labels_of_files_that_are_not_there(folder, run) -> None:
    table = with_table(folder, TABLE + "eva/b.ply,eva,\neva/c.ply,eva,\n")
    (folder / layout.TEMPLATE_MESH).unlink()
    with pytest.raises(
        DatasetError, match=r"2 of 8 are not in .*, such as eva/b.ply. Mend the names"
    ):
        load_labelled_faces(folder, table)


def test_labels_of_items_that_are_not_there(run) -> None:
    with pytest.raises(DatasetError, match=r"names of items; 1 of 1 .* such as scan0.ply"):
        load_labelled_faces(run, with_table(run, "file,identity,expression\nscan0.ply,a,\n"))


def test_no_labels_at_all(folder, tmp_path) -> None:
    save_mesh(folder / "loose.ply", FACE)
    with pytest.raises(DatasetError, match="a label table, or a subfolder .*; loose.ply lies in"):
        load_labelled_faces(folder)


def test_other_factors_need_a_table(folder) -> None:
    with pytest.raises(
        DatasetError, match=r"for the factors person, got none; .*file, person: as labels.csv in"
    ):
        load_labelled_faces(folder, factors=["person"])


def test_two_tables_in_a_folder(folder) -> None:
    with_table(folder, name="labels.csv")
    save_label_table(folder / "labels.jsonl", load_labelled_faces(folder))
    with pytest.raises(
        DatasetError, match=r"got labels.csv and labels.jsonl. Say which .*--labels"
    ):
        load_labelled_faces(folder)
    assert len(load_labelled_faces(folder, folder / "labels.csv")) == 6


def test_a_pipelines_output_may_lie_in_any_pose_when_it_is_asked_for_as_it_is(run) -> None:
    table = with_table(run, "file,identity,expression\nscan1,b,\nscan0,a,sad\nscan5,b,sad\n")
    vertices = FACES[4] @ np.diag([-1.0, 1, 1]) + 5000
    save_mesh(run / layout.ITEMS / "scan5" / layout.REGISTERED, FACE.replace(vertices=vertices))
    assert len(load_labelled_faces(run, table, align=False)) == 3


def test_no_meshes(tmp_path) -> None:
    with pytest.raises(FileFormatError, match="expected registered meshes .* got none"):
        load_labelled_faces(tmp_path)
    with pytest.raises(FileFormatError, match="expected a folder of registered meshes"):
        load_labelled_faces(tmp_path / "nowhere")
    (tmp_path / layout.ITEMS).mkdir()
    (tmp_path / layout.TEMPLATE).mkdir()
    save_mesh(tmp_path / layout.TEMPLATE_MESH, FACE)
    with pytest.raises(FileFormatError, match="output of a pipeline with registered meshes"):
        load_labelled_faces(tmp_path)


def test_another_topology(folder) -> None:
    turned = np.roll(np.asarray(FACE.quads), 1, axis=0)
    save_mesh(folder / "ben/b.ply", Mesh(FACE.vertices, quads=turned))
    with pytest.raises(MeshError, match=r"the template \(topology .* and ben/b.ply \(topology"):
        load_labelled_faces(folder)
    with pytest.raises(MeshError, match="topology"):
        load_labelled_faces(folder, template=Template(Mesh(FACE.vertices, FACE.faces[::-1])))


def test_nan_vertices(tmp_path) -> None:
    (tmp_path / "ben").mkdir()
    save_mesh(tmp_path / "ben/a.off", FACE)
    lines = (tmp_path / "ben/a.off").read_text().splitlines()
    row = next(row for row, line in enumerate(lines) if line.startswith("-80"))
    spoilt = [*lines[:row], "nan 0 0", *lines[row + 1 :], ""]
    (tmp_path / "ben/b.off").write_text("\n".join(spoilt))
    with pytest.raises(GeomfaceError, match=r"b\.off: vertices: 1 of 25 rows hold NaN"):
        load_labelled_faces(tmp_path)


@pytest.mark.parametrize("size", [0.0, 1e-5, 3e7])
def test_a_size_that_fits_no_unit(folder, size) -> None:
    save_mesh(folder / "ben/b.ply", FACE.replace(vertices=size * FACE.vertices))
    with pytest.raises(MeshError, match="ben/b.ply: .* fits no unit"):
        load_labelled_faces(folder)


@pytest.mark.parametrize("far", [1e13, 1e300])
def test_one_number_that_is_damaged(folder, far) -> None:
    vertices = FACE.vertices.copy()
    vertices[0, 1] = far
    save_mesh(folder / "ben/b.ply", FACE.replace(vertices=vertices))
    with pytest.raises(GeomfaceError, match="ben/b.ply: expected a face, got a coord"):
        load_labelled_faces(folder)


def test_labels_are_written_for_other_files(folder) -> None:
    faces = load_labelled_faces(folder)
    save_label_table(folder / "labels.jsonl", faces)
    assert load_labelled_faces(folder).classes == faces.classes
