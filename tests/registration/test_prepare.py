"""What is known of a scan before a fit: one preparation for registrations, fits and detectors."""

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from geomface.errors import LandmarkError, RegistrationError
from geomface.faces.builtin import load_builtin_face
from geomface.mesh import Landmarks, Mesh, Similarity, Template
from geomface.mesh.multi_pie import mirror_order
from geomface.registration.prepare import prepare_scan

TURN = Rotation.from_euler("yx", [75.0, 20.0], degrees=True).as_matrix()


@pytest.fixture(scope="module")
def template():
    return load_builtin_face().template


@pytest.fixture(scope="module")
def marks(template):
    return template.landmarks.positions(template.mesh.vertices)


@pytest.mark.parametrize("inside_out", [False, True])
@pytest.mark.parametrize("exchanged", [False, True])
@pytest.mark.parametrize("scale", [1.0, 0.001])
def test_any_pose_unit_side_and_winding_leads_to_the_template(
    template, marks, scale, exchanged, inside_out
):
    """Exchanged names on a scan that is inside out: it was reflected with its landmarks."""
    mirrored = exchanged and inside_out
    moved = Similarity(scale, TURN, [3.0, -40.0, 7.0])
    side = np.array([-1.0 if mirrored else 1.0, 1.0, 1.0])
    turned = inside_out and not exchanged
    faces = template.mesh.faces[:, ::-1] if turned else template.mesh.faces
    points = moved.apply(marks) * side
    listed = points[mirror_order()] if exchanged and not mirrored else points
    scan = Mesh(moved.apply(template.mesh.vertices) * side, faces)
    given = prepare_scan(scan, template, Landmarks(listed))
    back = given.start.inverse().apply(given.vertices)
    np.testing.assert_allclose(back, template.mesh.vertices, atol=1e-6)
    np.testing.assert_array_equal(given.faces, template.mesh.faces)
    np.testing.assert_allclose(given.reflected(given.vertices), scan.vertices / scale)
    np.testing.assert_allclose(given.reflected(given.landmarks.points), points / scale, atol=1e-9)
    assert given.mirrored == mirrored
    assert given.to_mm == pytest.approx(1.0) and given.unit_factor == pytest.approx(1 / scale)
    assert given.scan_unit == ("mm" if scale == 1.0 else "m")
    found = {
        "is a mirror image": mirrored,
        "left and right exchanged": exchanged and not mirrored,
        "face inwards": turned,
        "turned by its landmarks": True,
        "multiplied by": scale != 1.0,
    }
    for words, expected in found.items():
        assert any(words in note for note in given.notes) == expected, words


@pytest.mark.parametrize("landmarks", [False, True])
def test_triangles_turned_or_doubled_make_no_difference(template, marks, landmarks):
    faces = template.mesh.faces
    turned = np.random.default_rng(0).random(len(faces)) < 0.5
    half = np.where(turned[:, None], faces[:, ::-1], faces)
    given = {
        f"{turned.sum()} of {len(faces)} triangles face the other way": half,
        f"{len(faces)} triangles at the place of another": np.concatenate([faces, half]),
    }
    for words, wound in given.items():
        scan = Mesh(template.mesh.vertices, wound)
        posed = (template, Landmarks(marks)) if landmarks else ()
        found = prepare_scan(scan, *posed)
        np.testing.assert_array_equal(found.faces, faces)
        assert len(found.notes) == 1 and words in found.notes[0]


def test_landmarks_in_disguise_are_missing(template, marks):
    points = marks.copy()
    points[:17] = 0.0
    points[60] += [0.0, 0.0, 80.0]
    given = prepare_scan(template.mesh, template, Landmarks(points))
    np.testing.assert_array_equal(np.flatnonzero(~given.landmarks.present), [*range(17), 60])
    text = " ".join(given.notes)
    assert "17 landmarks at the same place" in text and "want them: 60 (80 mm)" in text
    with pytest.raises(LandmarkError, match="all 68 landmarks are missing"):
        prepare_scan(template.mesh, template, Landmarks(np.zeros((68, 3))))


def test_a_template_in_centimetres_is_no_reason_to_doubt_the_unit(template, marks):
    small = template.mesh.replace(vertices=template.mesh.vertices / 10, unit="cm")
    given = prepare_scan(
        template.mesh, Template(small, template.landmarks), Landmarks(marks), fit_scale=False
    )
    assert given.unit_factor == 1.0 and not given.notes
    assert given.start.scale == pytest.approx(10.0) and given.to_mm == pytest.approx(10.0)


def test_the_scale_can_be_that_of_the_units(template, marks):
    large = Mesh(1.1 * template.mesh.vertices, template.mesh.faces)
    given = prepare_scan(large, template, Landmarks(1.1 * marks), fit_scale=False)
    assert given.start.scale == 1.0
    centre = marks.mean(axis=0)
    np.testing.assert_allclose(given.start.apply(centre), 1.1 * centre, atol=1e-9)


def test_few_landmarks_are_enough_with_a_known_pose_only(template, marks):
    points = marks.copy()
    points[2:] = np.nan
    with pytest.raises(LandmarkError, match="got 2"):
        prepare_scan(template.mesh, template, Landmarks(points))
    given = prepare_scan(template.mesh, template, Landmarks(points), start=Similarity())
    assert given.landmarks.present.sum() == 2


def test_without_a_template_the_scan_is_only_looked_at(template):
    scan = Mesh(
        np.vstack([template.mesh.vertices / 10, [[0.0, 0.0, 0.0]]]),
        np.vstack([template.mesh.faces, [[0, 0, 1]]]),
    )
    given = prepare_scan(scan)
    assert given.scan_unit == "cm" and given.unit_factor == 10.0 and given.to_mm == 1.0
    np.testing.assert_allclose(given.vertices[:-1], template.mesh.vertices)
    np.testing.assert_array_equal(given.faces, template.mesh.faces)
    assert len(given.notes) == 3  # a vertex in no triangle, a triangle without area, the unit


@pytest.mark.parametrize("way_mm", [5.0, 12.0, 25.0])
def test_landmarks_marked_before_the_scan_was_moved_are_moved_after_it(template, marks, way_mm):
    mesh = template.mesh
    turn = Rotation.from_euler("y", 4, degrees=True).as_matrix()
    shifted = marks @ turn.T + [0.0, way_mm, 0.0]
    given = prepare_scan(mesh, template, Landmarks(shifted))
    assert np.linalg.norm(given.landmarks.points - marks, axis=1).max() < 0.5
    assert np.allclose(given.start.apply(mesh.vertices), mesh.vertices, atol=0.5)
    assert any("before the scan was moved" in note for note in given.notes)


def test_rough_landmarks_are_told_and_stay_where_they_are(template, marks):
    rough = marks + 4.0 * np.random.default_rng(0).standard_normal(marks.shape)
    given = prepare_scan(template.mesh, template, Landmarks(rough))
    present = given.landmarks.present
    assert np.array_equal(given.landmarks.points[present], rough[present])
    assert any("rough, or of another scan" in note for note in given.notes)
    careful = marks + np.random.default_rng(0).standard_normal(marks.shape)
    given = prepare_scan(template.mesh, template, Landmarks(careful))
    assert not any("beside" in note for note in given.notes)


@pytest.mark.parametrize("size", [0.0, 1e308])
def test_a_scan_without_surface_is_refused_by_name(template, marks, size):
    flat = Mesh(size * np.eye(3), np.array([[0, 1, 2]]), name="flat")
    with pytest.raises(RegistrationError, match="flat: the scan has no triangle of positive area"):
        prepare_scan(flat)
