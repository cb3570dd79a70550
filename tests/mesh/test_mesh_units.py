"""Units of length: what is said holds, what is assumed is found out, what is written is true."""

import numpy as np
import pytest

from geomface.errors import FileFormatError, MeshError
from geomface.faces.builtin import load_builtin_face
from geomface.mesh import Landmarks, Mesh
from geomface.mesh.io import load_landmarks, load_mesh, save_mesh
from geomface.mesh.units import (
    MILLIMETRES,
    canonical_unit,
    factor_onto,
    in_millimetres,
    landmarks_onto,
    millimetres,
    registered_unit,
    scan_unit,
)

SUFFIXES = (".obj", ".ply", ".glb", ".stl", ".off")


@pytest.fixture(scope="module")
def face():
    return load_builtin_face().template


def scaled(face, true_unit, **fields):
    mesh = face.mesh
    return Mesh(mesh.vertices / millimetres(true_unit), mesh.faces, name="scan", **fields)


@pytest.mark.parametrize("text", ["25.4", 25.4, "25.4mm", "inch"])
def test_a_unit_is_a_name_or_a_number(text):
    assert canonical_unit(text) == "inch"


@pytest.mark.parametrize("text", ["feet", "", "0", "-1", "nan", "inf", True, None, "1 mm 2"])
def test_what_is_no_unit_is_refused(text, face):
    with pytest.raises(MeshError, match="unit must be one of um, mm, cm, inch, m, or"):
        canonical_unit(text)
    if text is not None:
        with pytest.raises(MeshError, match="unit must be one of"):
            scaled(face, "mm", unit=text)


@pytest.mark.parametrize("suffix", SUFFIXES)
@pytest.mark.parametrize("unit", ["um", "inch", "118.25mm"])
def test_files_keep_the_unit_and_who_said_it(tmp_path, face, suffix, unit):
    path = tmp_path / f"face{suffix}"
    save_mesh(path, scaled(face, unit, unit=unit))
    read = load_mesh(path)
    assert (read.unit, read.unit_source) == (unit, "file")
    assert load_mesh(path, unit="7").unit == "7.0mm"
    assert load_mesh(path, unit="7").unit_source == "said"
    np.testing.assert_allclose(in_millimetres(read).diagonal, face.mesh.diagonal, rtol=1e-6)
    with pytest.raises(FileFormatError, match="unit must be one of"):
        load_mesh(path, unit="-3")


def test_a_file_that_says_nothing_is_assumed_to_be_in_millimetres(tmp_path):
    path = tmp_path / "a.obj"
    path.write_text("v 0 0 0\nv 1 0 0\nv 0 1 0\nf 1 2 3\n")
    mesh = load_mesh(path)
    assert (mesh.unit, mesh.unit_source) == ("mm", "assumed")
    assert mesh.replace(unit="mm").unit_source == "said"
    assert mesh.replace(name="b").unit_source == "assumed"


@pytest.mark.parametrize("unit", MILLIMETRES)
@pytest.mark.parametrize("scale", [None, 0.8, 1.2])
def test_what_nobody_said_is_found_by_size_or_by_landmarks(face, unit, scale):
    factor = MILLIMETRES[unit]
    found = scan_unit(scaled(face, unit), None, None if scale is None else factor * scale)
    assert (found.unit, found.factor) == (unit, factor)
    assert bool(found.notes) == (unit != "mm")


def test_a_head_scaled_to_one_is_as_large_as_the_template_and_said(face):
    mesh = scaled(face, "118.25mm")
    found = scan_unit(mesh, None, 118.25)
    assert found.factor == 118.25 and "no known unit" in found.notes[0]
    by_size = scan_unit(mesh)
    assert by_size.factor * mesh.diagonal == pytest.approx(350.0)
    assert "um, mm, cm, inch, m" in by_size.notes[0]


def test_what_the_caller_says_is_never_overruled_and_a_file_only_far_off(face):
    for size in (None, 1.0):
        said = scan_unit(scaled(face, "mm", unit="inch"), None, size)
        assert said.factor == 25.4 and "taken as said" in said.notes[0]
    wrong = scaled(face, "m", unit="mm").replace(unit_source="file")
    assert wrong.unit_source == "file"
    for size in (None, 1000.0):
        found = scan_unit(wrong, None, size)
        assert found.unit == "m" and "not believed" in found.notes[0]
    child = scaled(face, "mm", unit="mm").replace(unit_source="file")
    assert scan_unit(child, None, 0.6).factor == 1.0


@pytest.mark.parametrize("scan_in", ["mm", "m"])
@pytest.mark.parametrize("said", [None, "mm", "m"])
@pytest.mark.parametrize("marks_in", ["mm", "cm", "m"])
def test_landmarks_lie_on_their_scan_in_one_unit_only(face, scan_in, said, marks_in):
    """Whatever units scan and landmarks claim, rightly or wrongly, the points end on the scan."""
    scan = scaled(face, scan_in, unit=said)
    points = face.landmarks.positions(face.mesh.vertices)
    given = Landmarks(points / MILLIMETRES[marks_in], unit=marks_in)
    placed, found, notes = landmarks_onto(given, scan)
    np.testing.assert_allclose(placed.points * MILLIMETRES[scan_in], points, atol=1e-6)
    assert bool(notes) == (scan_in != marks_in)
    if said is None and (scan_in != "mm" or marks_in != "mm"):
        assert found.unit == scan_in  # only the landmarks said one


def test_landmarks_of_another_scan_are_left_alone(face):
    far = Landmarks(face.landmarks.positions(face.mesh.vertices) + 900.0)
    placed, _, notes = landmarks_onto(far, face.mesh)
    assert placed is far and not notes
    assert factor_onto(far.points, face.mesh.vertices) is None


def test_a_registered_mesh_is_believed_within_a_factor_of_three(face):
    reference = face.mesh.vertices
    for factor in (0.4, 1.0, 2.5):
        near = face.mesh.replace(vertices=factor * reference)
        assert registered_unit(near, reference).factor == 1.0
    wrong = scaled(face, "m", unit="mm").replace(unit_source="file")
    found = registered_unit(wrong, reference)
    assert found.factor == 1000.0 and "its file says mm" in found.notes[0]
    with pytest.raises(MeshError, match="times as large as the template"):
        registered_unit(scaled(face, "m", unit="mm"), reference)
    with pytest.raises(MeshError, match=r"by 118\.2"):
        registered_unit(scaled(face, "118.25mm"), reference)


def test_one_vertex_far_off_does_not_change_the_unit(face):
    vertices = face.mesh.vertices.copy()
    vertices[7] += 1e5
    assert registered_unit(face.mesh.replace(vertices=vertices), face.mesh.vertices).factor == 1.0


def test_landmark_files_have_any_unit(tmp_path):
    path = tmp_path / "a.txt"
    path.write_text("# unit 2.5mm\n" + "1 2 3\n" * 5)
    assert load_landmarks(path).unit == "2.5mm"
    assert load_landmarks(path, unit="um").unit == "um"
