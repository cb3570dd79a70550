"""Landmark, template and region files."""

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from io_samples import assert_same_mesh, random_mesh

from geomface.errors import FileFormatError, LandmarkError, MeshError, OutputError
from geomface.mesh import LandmarkEmbedding, Landmarks, Template
from geomface.mesh.io import (
    load_embedding,
    load_landmarks,
    load_regions,
    load_template,
    save_embedding,
    save_landmarks,
    save_template,
)

SUFFIXES = (".json", ".pts", ".txt", ".csv", ".pp", ".ljson")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("landmarks")


def write(path, content):
    path.write_text(content if isinstance(content, str) else json.dumps(content))
    return path


@pytest.mark.parametrize("suffix", SUFFIXES)
@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), count=st.sampled_from([4, 43, 68]), sigma=st.booleans())
def test_round_trip_of_every_format(folder, suffix, seed, count, sigma):
    rng = np.random.default_rng(seed)
    points = rng.standard_normal((count, 3)) * 10.0 ** rng.integers(-9, 9, (count, 3))
    points[rng.random(count) < 0.3] = np.nan
    points[0] = (1 / 3, -0.0, 1e-300)
    sigmas = rng.random(count) + 0.1 if sigma else None
    scheme = "multi-pie-68" if count == 68 else f"points-{count}"
    landmarks = Landmarks(points, scheme, sigmas, "cm")
    save_landmarks(folder / f"l{suffix}", landmarks)
    again = load_landmarks(folder / f"l{suffix}")
    np.testing.assert_array_equal(again.points, points)
    assert again.scheme == scheme and again.name == f"l{suffix}"
    if suffix == ".json":
        np.testing.assert_array_equal(again.sigma_mm, sigmas) if sigma else None
        assert (again.sigma_mm is None) == (not sigma)
    assert again.unit == ("cm" if suffix in (".json", ".txt", ".csv") else "mm")
    assert load_landmarks(folder / f"l{suffix}", unit="m").unit == "m"


def test_design_file_with_missing_points_and_sigma(tmp_path):
    record = {"scheme": "my-3", "unit": "m", "points": [[1, 2, 3], None, [4.5, 5, 6]]}
    landmarks = load_landmarks(write(tmp_path / "l.json", record | {"sigma_mm": [1, 2, 3]}))
    np.testing.assert_array_equal(landmarks.present, [True, False, True])
    np.testing.assert_array_equal(landmarks.sigma_mm, [1, 2, 3])
    assert (landmarks.scheme, landmarks.unit) == ("my-3", "m")
    landmarks = load_landmarks(write(tmp_path / "l.json", record | {"sigma_mm": 2.5}))
    np.testing.assert_array_equal(landmarks.sigma_mm, [2.5] * 3)


@pytest.mark.parametrize(
    "change,message",
    [
        ({"points": [[1, 2]]}, "landmark 0 should be three numbers"),
        ({"points": [[1, 2, "3"]]}, "landmark 0 should be three numbers"),
        ({"points": [[1, 2, True]]}, "landmark 0"),
        ({"points": [[1, 2, 3], 7]}, "landmark 1"),
        ({"points": [[1, 2, 10**400]]}, "landmark 0"),
        ({"points": "none"}, "'points' as a list"),
        ({"points": [None, None]}, "all 2 are missing"),
        ({"points": []}, "all 0 are missing"),
        ({"unit": "feet"}, "'unit' must be one of"),
        ({"scheme": 68}, "'scheme' should be a name"),
        ({"sigma_mm": [1]}, "2 positive numbers"),
        ({"sigma_mm": [1, -1]}, "2 positive numbers"),
        ({"sigma_mm": [1, None]}, "2 positive numbers"),
    ],
)
def test_damaged_records(tmp_path, change, message):
    record = {"scheme": "s", "unit": "mm", "points": [[1, 2, 3], [4, 5, 6]]} | change
    with pytest.raises(LandmarkError, match=message):
        load_landmarks(write(tmp_path / "l.json", record))


def test_unit_that_is_asked_for_must_exist(tmp_path):
    with pytest.raises(LandmarkError, match="unit must be one of"):
        load_landmarks(write(tmp_path / "l.json", {"points": [[1, 2, 3]]}), unit="feet")


@pytest.mark.parametrize(
    "text",
    ["1 2 3\n4 5 6\n", "1,2,3\n4,5,6\n", "1, 2, 3\n\n4;5;6", "# x\n1\t2\t3 # a\n4 5 6\n"],
)
def test_rows_of_numbers(tmp_path, text):
    points = load_landmarks(write(tmp_path / "l.txt", text)).points
    np.testing.assert_array_equal(points, [[1, 2, 3], [4, 5, 6]])


def test_rows_that_are_refused(tmp_path):
    for text, message in (
        ("1 2\n3 4\n", "two coordinates"),
        ("1 2 3 4\n", "three numbers in each row"),
        ("a b c\n1 2 3\n", "'a b c'"),
        ("x y z\n1 2 3\n4 5\n", "'x y z'"),
        ("1 2 3 4\n7 5 6 7\n", "three numbers in each row"),
        ("# nothing\n", "found none"),
    ):
        with pytest.raises((FileFormatError, LandmarkError), match=message):
            load_landmarks(write(tmp_path / "l.txt", text))
    with pytest.raises(LandmarkError, match="landmark 1 is infinite"):
        load_landmarks(write(tmp_path / "l.txt", "1 2 3\n1 inf 3\n"))


ROWS = [[1.5, 2.0, 3.0], [4.0, 5.0, -6.0], [7.0, 8.0, 9.25]]
LINES = ["1.5 2 3", "4 5 -6", "7 8 9.25"]


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("head.csv", "x,y,z\n" + "\n".join(LINES)),
        ("named.csv", "name,x,y,z\nnose,1.5,2,3\nchin,4,5,-6\near,7,8,9.25\n"),
        ("wide.csv", "id;z;y;x;note\n0;3;2;1.5;a\n1;-6;5;4;b\n2;9.25;8;7;c\n"),
        ("index.txt", "\n".join(f"{place} {line}" for place, line in enumerate(LINES))),
        ("turned.txt", "\n".join(f"{place + 1} {LINES[place]}" for place in (2, 0, 1))),
        ("flat.txt", " ".join(LINES)),
        ("idav.pts", "version: 1\nn_points: 3\n{\nS000 1.5 2 3\nS001 4 5 -6\nS002 7 8 9.25\n}\n"),
        ("slicer.fcsv", "# columns = id,x,y,z\na,1.5,2,3,0\nb,4,5,-6,0\nc,7,8,9.25,0\n"),
        (
            "slicer.mrk.json",
            {
                "markups": [
                    {
                        "coordinateUnits": "mm",
                        "controlPoints": [
                            {"label": f"F-{place}", "position": row}
                            for place, row in enumerate(ROWS)
                        ],
                    }
                ]
            },
        ),
        (
            "scalismo.json",
            [{"id": f"lm{place}", "coordinates": ROWS[place]} for place in (1, 0, 2)],
        ),
        (
            "names.pp",
            "<PickedPoints>"
            + "".join(
                '<point x="{}" y="{}" z="{}" name="{}"/>'.format(*ROWS[place], place)
                for place in (2, 1, 0)
            )
            + "</PickedPoints>",
        ),
    ],
)
def test_what_other_programs_write(tmp_path, name, content):
    landmarks = load_landmarks(write(tmp_path / name, content))
    np.testing.assert_array_equal(landmarks.points, ROWS)
    assert landmarks.scheme == "points-3"


def test_fifty_one_points_are_those_without_the_jaw(tmp_path):
    points = np.random.default_rng(0).standard_normal((51, 3))
    np.savetxt(tmp_path / "inner.txt", points)
    landmarks = load_landmarks(tmp_path / "inner.txt")
    assert landmarks.scheme == "multi-pie-68" and not landmarks.present[:17].any()
    np.testing.assert_allclose(landmarks.points[17:], points)


def test_units_is_a_word_for_unit(tmp_path):
    record = {"points": ROWS, "units": "cm"}
    assert load_landmarks(write(tmp_path / "l.json", record)).unit == "cm"


def test_pts_of_ibug(tmp_path):
    text = "version: 1\nn_points:  2\n{\n1.5 2.5 3.5\n4 5 6\n}\n"
    points = load_landmarks(write(tmp_path / "l.pts", text)).points
    np.testing.assert_array_equal(points, [[1.5, 2.5, 3.5], [4, 5, 6]])
    for bad, message in (
        (text.replace("2\n{", "3\n{"), "announces 3 points"),
        (text.replace(" 3.5", "").replace(" 6", ""), "two coordinates"),
        (text[:-2], "braces"),
    ):
        with pytest.raises((FileFormatError, LandmarkError), match=message):
            load_landmarks(write(tmp_path / "l.pts", bad))


def test_picked_points_as_meshlab_writes_them(tmp_path):
    text = (
        "<!DOCTYPE PickedPoints>\n<PickedPoints>\n <DocumentData>\n"
        '  <DataFileName name="scan.ply"/>\n  <templateName name=""/>\n </DocumentData>\n'
        ' <point x="1.5" active="1" name="0" y="2" z="-3"/>\n'
        ' <point x="0" active="0" name="1" y="0" z="0"/>\n</PickedPoints>\n'
    )
    landmarks = load_landmarks(write(tmp_path / "l.pp", text))
    np.testing.assert_array_equal(landmarks.points, [[1.5, 2, -3], [np.nan] * 3])


@pytest.mark.parametrize(
    "head",
    [
        '<!DOCTYPE a [<!ENTITY b "c">]>',
        '<!DOCTYPE a SYSTEM "file:///etc/passwd">',
        '<!DOCTYPE a><!DOCTYPE b [<!ENTITY c "d">]>',
        '<!doctype a [<!entity b "c">]>',
    ],
)
def test_xml_that_declares_anything_is_refused(tmp_path, head):
    text = head + '<PickedPoints><point x="1" y="2" z="3"/></PickedPoints>'
    with pytest.raises(FileFormatError, match=r"l\.pp"):
        load_landmarks(write(tmp_path / "l.pp", text))


def test_versions_of_ljson(tmp_path):
    rows = [[1, 2, 3], [None, None, None], [4, 5, 6]]
    records = [
        {"version": 1, "groups": [{"label": "a", "landmarks": [{"point": row} for row in rows]}]},
        {"version": 2, "labels": [], "landmarks": {"points": rows}},
        {"version": 3, "groups": {"x": {"labels": [], "landmarks": {"points": rows}}}},
    ]
    for record in records:
        landmarks = load_landmarks(write(tmp_path / "l.ljson", record))
        np.testing.assert_array_equal(landmarks.points, [[1, 2, 3], [np.nan] * 3, [4, 5, 6]])


def test_ljson_is_put_into_order_by_its_labels(tmp_path):
    rng = np.random.default_rng(0)
    points = rng.random((68, 3))
    order = rng.permutation(68)
    place = np.empty(68, int)
    place[order] = np.arange(68)
    spans = {"jaw": (0, 17), "left_eyebrow": (17, 22), "right_eyebrow": (22, 27), "nose": (27, 36)}
    spans |= {"left_eye": (36, 42), "right_eye": (42, 48), "mouth": (48, 68)}
    labels = [{"label": name, "mask": place[a:b].tolist()} for name, (a, b) in spans.items()]
    group = {"labels": labels, "landmarks": {"points": points[order].tolist()}}
    path = write(tmp_path / "l.ljson", {"version": 3, "groups": {"LJSON": group}})
    np.testing.assert_array_equal(load_landmarks(path).points, points)
    labels[0]["mask"][0] = 66  # no longer each point once: keep the order of the file
    write(path, {"version": 3, "groups": {"LJSON": group}})
    np.testing.assert_array_equal(load_landmarks(path).points, points[order])


def test_the_real_ljson_has_its_groups_where_the_scheme_says(shared_data):
    points = load_landmarks(shared_data / "james" / "james.ljson").points
    jaw, brows, nose, eyes, mouth = (
        points[:17],
        points[17:27],
        points[27:36],
        points[36:48],
        points[48:],
    )
    assert brows[:, 1].mean() > eyes[:, 1].mean() > nose[:, 1].mean() > mouth[:, 1].mean()
    assert jaw[8, 1] == jaw[:, 1].min() and nose[3, 2] == points[:, 2].max()
    assert points[36, 0] < points[45, 0]  # the subject's right eye first


def test_unknown_suffix(tmp_path):
    with pytest.raises(FileFormatError, match="expected landmarks named"):
        load_landmarks(tmp_path / "l.doc")
    with pytest.raises(OutputError, match="ending in"):
        save_landmarks(tmp_path / "l.doc", Landmarks(np.eye(3)))


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), quads=st.booleans())
def test_embedding_round_trip(folder, seed, quads):
    rng = np.random.default_rng(seed)
    mesh = random_mesh(seed, quads=quads)
    count = 9
    vertices = mesh.faces[rng.integers(0, len(mesh.faces), count)]
    vertices = np.take_along_axis(vertices, rng.permuted(np.tile([0, 1, 2], (count, 1)), axis=1), 1)
    weights = rng.dirichlet([1, 1, 1], count)
    vertices[:3] = vertices[:3, :1]
    weights[:3] = (1, 0, 0)
    embedding = LandmarkEmbedding(vertices, weights, "mine")
    save_embedding(folder / "e.json", embedding, mesh)
    again = load_embedding(folder / "e.json", mesh)
    assert again.scheme == "mine"
    np.testing.assert_allclose(
        again.positions(mesh.vertices), embedding.positions(mesh.vertices), rtol=1e-12
    )
    entries = json.loads((folder / "e.json").read_text())["vertices"]
    assert [isinstance(entry, int) for entry in entries] == [True] * 3 + [False] * 6


def test_an_embedding_of_vertices_needs_no_mesh(tmp_path):
    path = write(tmp_path / "e.json", {"scheme": "s", "vertices": [5, 0, 7]})
    embedding = load_embedding(path)
    np.testing.assert_array_equal(embedding.vertices[:, 0], [5, 0, 7])
    np.testing.assert_array_equal(embedding.positions(np.eye(8, 3)), np.eye(8, 3)[[5, 0, 7]])


@pytest.mark.parametrize(
    "entries,message",
    [
        ([], "is empty"),
        ([-1], "landmark 0"),
        ([1.0], "landmark 0"),
        ([True], "landmark 0"),
        ([0, [0, 0.5, 0.5]], "landmark 1"),
        ([[0, 0.5, 0.5, 0.5]], "weights sum to 1"),
        ([[0, 1.5, -0.5, 0]], "weights sum to 1"),
        ([[10**6, 1, 0, 0]], "triangle 1000000"),
        ([10**6], "vertex 1000000"),
        ("no", "no list 'vertices'"),
    ],
)
def test_damaged_embeddings(tmp_path, entries, message):
    path = write(tmp_path / "e.json", {"scheme": "s", "vertices": entries})
    with pytest.raises(LandmarkError, match=message):
        load_embedding(path, random_mesh(0))


def test_an_embedding_in_triangles_needs_its_mesh(tmp_path):
    mesh = random_mesh(0)
    embedding = LandmarkEmbedding(mesh.faces[:1], np.array([[0.2, 0.3, 0.5]]))
    with pytest.raises(LandmarkError, match="no triangle of the mesh"):
        save_embedding(tmp_path / "e.json", embedding)
    save_embedding(tmp_path / "e.json", embedding, mesh)
    with pytest.raises(LandmarkError, match="give the template's mesh"):
        load_embedding(tmp_path / "e.json")


def test_regions_that_are_refused(tmp_path):
    for record, message in (
        ([1, 2], "got a list"),
        ({"nose": 3}, "region 'nose'"),
        ({"nose": [1.5]}, "region 'nose'"),
        ({"nose": [-1]}, "region 'nose'"),
    ):
        with pytest.raises(MeshError, match=message):
            load_regions(write(tmp_path / "r.json", record))
    assert load_regions(write(tmp_path / "r.json", {"none": []}))["none"].dtype == np.int64


@pytest.mark.parametrize("suffix", (".obj", ".ply", ".glb"))
def test_template_round_trip(tmp_path, suffix):
    mesh = random_mesh(8, quads=True, uv="seams", colors=True)
    landmarks = LandmarkEmbedding.on_vertices(np.array([3, 1, 2]), "three")
    template = Template(mesh, landmarks, {"nose": np.array([0, 4]), "none": np.array([], int)})
    save_template(tmp_path / f"t{suffix}", template)
    again = load_template(tmp_path / f"t{suffix}")
    assert_same_mesh(again.mesh, mesh)
    np.testing.assert_array_equal(again.landmarks.vertices, landmarks.vertices)
    assert again.landmarks.scheme == "three" and list(again.regions) == ["nose", "none"]
    np.testing.assert_array_equal(again.regions["nose"], [0, 4])


def test_a_template_alone_and_with_files_named(tmp_path):
    mesh = random_mesh(8, quads=True)
    save_template(tmp_path / "t.obj", Template(mesh))
    bare = load_template(tmp_path / "t.obj")
    assert bare.landmarks is None and dict(bare.regions) == {}
    write(tmp_path / "other.json", {"scheme": "s", "vertices": [1]})
    assert len(load_template(tmp_path / "t.obj", tmp_path / "other.json").landmarks) == 1
    with pytest.raises(FileFormatError, match="STL keeps no quads"):
        save_template(tmp_path / "t.stl", Template(mesh))


def test_the_shared_template(shared_data):
    template = load_template(shared_data / "ict" / "template.obj")
    assert len(template.landmarks) == 68 and template.landmarks.scheme == "multi-pie-68"
    assert set(template.regions) == {"narrow_face", "eyes", "nose", "mouth", "brows"}
    nose_tip = template.landmarks.positions(template.mesh.vertices)[30]
    assert nose_tip[2] > 0.95 * template.mesh.vertices[:, 2].max()
