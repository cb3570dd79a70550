"""The built-in face: topology, symmetry, measures, and shapes that neither fold nor cross."""

import time
from pathlib import Path

import numpy as np
import pytest
from builtin_face.anthropometry import TYPICAL, measure_face
from builtin_face.build import write_assets
from builtin_face.landmarks import SUBSET43
from builtin_face.layout import MOUTH_SEGMENTS, Layout, build_layout
from builtin_face.surface import INNER_CORNER, LID_MARGIN

from geomface.arrays import FloatArray
from geomface.errors import FileFormatError
from geomface.faces.builtin import FOLDER, load_builtin_face
from geomface.files.assets import asset_path
from geomface.files.records import read_json
from geomface.mesh.io.obj import read_obj
from geomface.mesh.mirror import mirror_map
from geomface.mesh.normals import face_normals
from geomface.mesh.topology import edge_faces, require_disk_with_holes, unique_edges
from geomface.statistics import MorphableModel

FLIP = np.array([-1.0, 1.0, 1.0])
REGIONS = (
    "eyes nose mouth brows forehead cheeks chin jaw lids lips inner_mouth_rim face_core narrow_face"
).split()
ARKIT = (
    "jawOpen mouthSmile mouthFrown mouthPucker mouthFunnel mouthStretch mouthPress mouthUpperUp "
    "eyeBlink eyeWide browInnerUp browDown browOuterUp cheekPuff cheekSquint noseSneer"
).split()


@pytest.fixture(scope="module")
def face() -> MorphableModel:
    return load_builtin_face()


@pytest.fixture(scope="module")
def layout() -> Layout:
    return build_layout()


@pytest.fixture(scope="module")
def landmarks(face: MorphableModel) -> np.ndarray:
    assert face.template.landmarks is not None
    return face.template.landmarks.vertices[:, 0]


@pytest.fixture(scope="module")
def crowd(face: MorphableModel) -> list[FloatArray]:
    rng = np.random.default_rng(50)
    return [
        face.vertices(face.sample_identity(rng), face.sample_expression(rng)) for _ in range(50)
    ]


class Folds:
    """Counts triangles that turned over, and edges that folded shut, against the mean face."""

    def __init__(self, face: MorphableModel) -> None:
        self.faces = face.mesh.faces
        _, self.pairs = edge_faces(self.faces)
        self.normals = face_normals(face.mesh.vertices, self.faces)
        self.bends = self._bends(self.normals)

    def _bends(self, normals: FloatArray) -> FloatArray:
        return (normals[self.pairs[:, 0]] * normals[self.pairs[:, 1]]).sum(axis=1)

    def turned(self, vertices: FloatArray) -> int:
        normals = face_normals(vertices, self.faces)
        return int(((normals * self.normals).sum(axis=1) < 0).sum())

    def count(self, vertices: FloatArray) -> int:
        normals = face_normals(vertices, self.faces)
        # Creases of the lids bend by up to 120 degrees in some people; a fold would be 180.
        folded = (self._bends(normals) < -0.75) & (self.bends > -0.3)
        return self.turned(vertices) + int(folded.sum())


def lips_gap(layout: Layout, vertices: FloatArray) -> float:
    """Return the smallest height of the upper lip over its partner on the lower lip."""
    upper = layout.mouth[6:, : MOUTH_SEGMENTS // 2]
    lower = layout.mouth[6:, : MOUTH_SEGMENTS // 2 : -1]
    twin = layout.mirror
    sides = ((upper, lower), (twin[upper], twin[lower]))
    gaps = [vertices[above, 1] - vertices[below, 1] for above, below in sides]
    return float(min(gap.min() for gap in gaps))


def test_counts(face: MorphableModel) -> None:
    assert 5000 <= len(face.mesh.vertices) <= 8000
    assert face.mesh.quads is not None and 2 * len(face.mesh.quads) == len(face.mesh.faces)
    assert len(face.shape) >= 40 and len(face.shape.names) == len(face.shape)
    assert len(face.blendshapes) >= 20


def test_disk_with_three_holes(face: MorphableModel, landmarks: np.ndarray) -> None:
    mesh = face.mesh
    loops = require_disk_with_holes(mesh)
    assert len(loops) == 4
    euler = len(mesh.vertices) - len(unique_edges(mesh.faces)) + len(mesh.faces)
    assert euler == 2 - 4
    centers = [mesh.vertices[loop].mean(axis=0) for loop in loops[1:]]
    marks = mesh.vertices[landmarks]
    for place in (marks[36:42].mean(axis=0), marks[42:48].mean(axis=0), marks[60:].mean(axis=0)):
        assert min(np.linalg.norm(center - place) for center in centers) < 9


def test_outer_boundary_can_go_to_a_square(face: MorphableModel) -> None:
    """No inner edge joins two vertices of the outer loop, and the loop has no sharp corner."""
    outer = require_disk_with_holes(face.mesh)[0]
    on_loop = np.zeros(len(face.mesh.vertices), bool)
    on_loop[outer] = True
    edges, _ = edge_faces(face.mesh.faces)
    assert not on_loop[edges].all(axis=1).any()
    ring = face.mesh.vertices[outer]
    steps = np.roll(ring, -1, axis=0) - ring
    steps /= np.linalg.norm(steps, axis=1, keepdims=True)
    turns = np.degrees(np.arccos(np.clip((steps * np.roll(steps, -1, axis=0)).sum(axis=1), -1, 1)))
    assert turns.max() < 20


def test_symmetric_to_the_bit(face: MorphableModel, layout: Layout) -> None:
    found = mirror_map(face.mesh)
    assert found is not None
    np.testing.assert_array_equal(found, layout.mirror)
    vertices = face.mesh.vertices
    np.testing.assert_array_equal(vertices[layout.mirror] * FLIP + 0.0, vertices)
    assert (vertices[layout.midline, 0] == 0).all()
    mirrored_faces = layout.mirror[face.mesh.faces]
    assert {frozenset(row) for row in mirrored_faces.tolist()} == {
        frozenset(row) for row in face.mesh.faces.tolist()
    }


def test_modes_are_even_or_odd(face: MorphableModel, layout: Layout) -> None:
    uneven = 0
    for mode in face.shape.modes:
        twin = mode[layout.mirror] * FLIP
        even, odd = np.array_equal(twin, mode), np.array_equal(twin, -mode)
        assert even or odd
        uneven += odd
    assert 3 <= uneven <= 10


def test_expressions_of_both_sides_are_twins(face: MorphableModel, layout: Layout) -> None:
    modes = dict(zip(face.blendshapes.names, face.blendshapes.modes, strict=True))
    for name, mode in modes.items():
        twin = mode[layout.mirror] * FLIP
        partner = name
        if name.endswith("Left"):
            partner = name.removesuffix("Left") + "Right"
        elif name.endswith("Right"):
            partner = name.removesuffix("Right") + "Left"
        np.testing.assert_array_equal(twin, modes[partner], err_msg=name)


def test_expression_names(face: MorphableModel) -> None:
    for name in ARKIT:
        assert name in face.blendshapes.names or f"{name}Left" in face.blendshapes.names


def test_modes_are_independent(face: MorphableModel) -> None:
    """Coefficients can be read back from a shape."""
    modes = np.concatenate([face.shape.modes, face.blendshapes.modes])
    gram = np.einsum("kvc,lvc->kl", modes, modes)
    values = np.linalg.eigvalsh(gram)
    assert values[0] > 1e-7 * values[-1]


def test_quads_are_well_shaped(face: MorphableModel) -> None:
    assert face.mesh.quads is not None
    corners = face.mesh.vertices[face.mesh.quads]
    ahead = np.roll(corners, -1, axis=1) - corners
    behind = np.roll(corners, 1, axis=1) - corners
    lengths = np.linalg.norm(ahead, axis=2)
    assert lengths.min() > 0.2
    assert lengths.max() < 10
    cosine = (ahead * behind).sum(axis=2) / (lengths * np.linalg.norm(behind, axis=2))
    angles = np.degrees(np.arccos(np.clip(cosine, -1, 1)))
    assert angles.min() > 20 and angles.max() < 170


def test_landmarks(face: MorphableModel, layout: Layout, landmarks: np.ndarray) -> None:
    assert len(set(landmarks.tolist())) == 68
    pairs = [(k, 16 - k) for k in range(8)] + [(k, 43 - k) for k in range(17, 22)]
    pairs += [(31, 35), (32, 34), (36, 45), (37, 44), (38, 43), (39, 42), (40, 47), (41, 46)]
    pairs += [(48, 54), (49, 53), (50, 52), (59, 55), (58, 56), (60, 64), (61, 63), (67, 65)]
    for right, left in pairs:
        assert layout.mirror[landmarks[right]] == landmarks[left]
    for middle in (8, 27, 28, 29, 30, 33, 51, 57, 62, 66):
        assert layout.mirror[landmarks[middle]] == landmarks[middle]
    marks = face.mesh.vertices[landmarks]
    assert (marks[:8, 0] < 0).all(), "the contour starts at the subject's right ear"
    assert (np.diff(marks[:9, 1]) < 0).all()
    assert marks[30, 2] == marks[:, 2].max()
    assert (np.diff(marks[17:27, 0]) > 0).all()


def test_landmark_and_region_files(
    face: MorphableModel, layout: Layout, landmarks: np.ndarray
) -> None:
    subset = read_json(asset_path(f"{FOLDER}/face.landmarks43.json"))
    assert subset["vertices"] == landmarks[list(SUBSET43)].tolist() and len(SUBSET43) == 43
    regions = face.template.regions
    assert set(REGIONS) <= set(regions)
    for name, ids in regions.items():
        assert len(ids) > 40, name
        assert set(layout.mirror[ids].tolist()) == set(ids.tolist()), name
    inside = {
        "eyes": range(36, 48),
        "nose": range(27, 36),
        "mouth": range(48, 68),
        "brows": range(17, 27),
        "lids": range(36, 48),
        "lips": range(48, 68),
        "chin": [8],
    }
    for name, marks in inside.items():
        assert set(landmarks[list(marks)].tolist()) <= set(regions[name].tolist()), name
    outer = require_disk_with_holes(face.mesh)[0]
    assert not set(outer.tolist()) & set(regions["face_core"].tolist())
    np.testing.assert_array_equal(regions["face_core"], regions["narrow_face"])


def test_measures_are_those_of_adults(
    face: MorphableModel, layout: Layout, landmarks: np.ndarray
) -> None:
    rng = np.random.default_rng(2)
    mean = measure_face(layout, landmarks, face.mesh.vertices[None])
    people = np.stack([face.vertices(face.sample_identity(rng)) for _ in range(200)])
    spread = measure_face(layout, landmarks, people)
    for name, (typical, deviation) in TYPICAL.items():
        assert abs(float(mean[name][0]) - typical) < 1.5 * deviation, name
        assert 0.5 * deviation < spread[name].std() < 1.6 * deviation, name


def test_single_modes_do_not_fold(face: MorphableModel, layout: Layout) -> None:
    folds = Folds(face)
    for index, name in enumerate(face.shape.names):
        for sigma in (-3.0, 3.0):
            alpha = np.zeros(len(face.shape))
            alpha[index] = sigma
            vertices = face.vertices(alpha)
            assert folds.count(vertices) == 0, (name, sigma)
            assert lips_gap(layout, vertices) > 0, (name, sigma)


def test_random_people_do_not_fold(
    face: MorphableModel, layout: Layout, crowd: list[FloatArray]
) -> None:
    folds = Folds(face)
    for vertices in crowd:
        assert folds.count(vertices) == 0
        assert lips_gap(layout, vertices) > 0


def test_people_differ(crowd: list[FloatArray]) -> None:
    """Mean distance of vertices between two people, centred: millimetres, not tenths."""
    centered = [vertices - vertices.mean(axis=0) for vertices in crowd[:12]]
    distances = [
        np.linalg.norm(first - second, axis=1).mean()
        for index, first in enumerate(centered)
        for second in centered[:index]
    ]
    assert 2.0 < np.mean(distances) < 12.0 and min(distances) > 1.0


@pytest.mark.parametrize("weight", [0.25, 0.5, 0.75, 1.0])
def test_blink_closes_without_crossing(face: MorphableModel, layout: Layout, weight: float) -> None:
    vertices = face.vertices(None, {"eyeBlinkLeft": weight, "eyeBlinkRight": weight})
    half = layout.eye.shape[1] // 2
    steps = np.arange(1, half)
    upper = layout.eye[LID_MARGIN:, (INNER_CORNER + steps) % (2 * half)]
    lower = layout.eye[LID_MARGIN:, (INNER_CORNER - steps) % (2 * half)]
    gaps = vertices[upper, 1] - vertices[lower, 1]
    assert gaps.min() > 0
    opened = (face.mesh.vertices[upper, 1] - face.mesh.vertices[lower, 1])[0].max()
    assert gaps[0].max() < (1.05 - weight) * opened + 0.3
    if weight == 1.0:
        assert gaps[0].max() < 1.0
        assert Folds(face).turned(vertices) == 0


def test_closed_lids_stay_outside_the_eyeball(face: MorphableModel, layout: Layout) -> None:
    assert face.eyeballs is not None
    vertices = face.vertices(None, {"eyeBlinkLeft": 1.0})
    margin = vertices[layout.eye[LID_MARGIN - 2 : LID_MARGIN + 1]]
    distance = np.linalg.norm(margin - face.eyeballs.centers[0], axis=-1)
    assert distance.min() > face.eyeballs.radius


def test_jaw_opens_the_mouth_and_leaves_the_brow(
    face: MorphableModel, landmarks: np.ndarray
) -> None:
    marks = face.vertices(None, {"jawOpen": 1.0})[landmarks] - face.mesh.vertices[landmarks]
    assert -40 < marks[66, 1] < -15 and -45 < marks[8, 1] < -15
    assert abs(marks[62, 1]) < 2.0
    np.testing.assert_allclose(marks[17:48], 0, atol=0.1)
    assert marks[66, 1] < marks[48, 1] < marks[62, 1], "the corners go part of the way"


def test_eyeballs_follow_the_lids(face: MorphableModel) -> None:
    assert face.eyeballs is not None
    moved = face.eyeballs_of(face.mesh.vertices + [1.0, 2.0, 3.0])
    assert moved is not None
    np.testing.assert_allclose(moved.centers - face.eyeballs.centers, [[1, 2, 3]] * 2, atol=1e-9)


def test_obj_holds_the_same_mesh(face: MorphableModel) -> None:
    mesh = read_obj(asset_path(f"{FOLDER}/face.obj"))
    np.testing.assert_array_equal(mesh.vertices, face.mesh.vertices)
    assert mesh.topology_id == face.mesh.topology_id


def test_loads_fast() -> None:
    seconds = []
    for _ in range(3):
        start = time.perf_counter()
        load_builtin_face()
        seconds.append(time.perf_counter() - start)
    assert min(seconds) < 0.3


def test_rebuild_gives_the_shipped_files(face: MorphableModel, tmp_path: Path) -> None:
    """The generator is deterministic: what is shipped is what it makes."""
    written = write_assets(tmp_path)
    assert {path.name for path in written} == {
        path.name for path in asset_path(FOLDER).iterdir() if path.is_file()
    }
    assert sum(path.stat().st_size for path in written) < 8 * 2**20
    for name in ("face.landmarks.json", "face.landmarks43.json", "face.regions.json"):
        assert read_json(tmp_path / name) == read_json(asset_path(f"{FOLDER}/{name}")), name
    mesh = read_obj(tmp_path / "face.obj")
    assert mesh.topology_id == face.mesh.topology_id
    # Another machine's linear algebra may round the last digit of the file differently.
    np.testing.assert_allclose(mesh.vertices, face.mesh.vertices, atol=2e-4)
    from geomface.files.tensors import load_tensors

    arrays, _ = load_tensors(tmp_path / "face_model.safetensors", kind="face-model", schema=1)
    for name, part in (("identity_modes", face.shape), ("expression_modes", face.blendshapes)):
        np.testing.assert_allclose(arrays[name].astype(float), part.modes, atol=5e-3, rtol=2e-3)


def test_missing_asset() -> None:
    with pytest.raises(FileFormatError, match="ship with geomface"):
        asset_path("templates/none/face.obj")
