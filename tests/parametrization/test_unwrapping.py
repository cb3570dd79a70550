"""The whole unwrap: guarantees, symmetry, shares, bad input, and the figures to reach."""

import subprocess
import sys
from typing import get_args

import numpy as np
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from parametrization_surfaces import planar_grid, quad_mask, random_disk

from geomface.errors import MeshError, ParametrizationError, SettingsError
from geomface.mesh import LandmarkEmbedding, Mesh, Template
from geomface.mesh.mirror import mirror_map
from geomface.mesh.topology import require_disk_with_holes
from geomface.parametrization import UnwrapSettings, unwrap
from geomface.parametrization.settings import WeightScheme

SAFE = [scheme for scheme in get_args(WeightScheme) if scheme != "cotangent"]


@given(
    st.integers(0, 2**31),
    st.integers(8, 60),
    st.integers(30, 300),
    st.integers(0, 2),
    st.floats(0.0, 1.5),
    st.sampled_from(SAFE),
    st.sampled_from(["fan", "open"]),
)
@settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.filter_too_much])
def test_no_triangle_flips_on_random_disks(
    seed: int, rim: int, inner: int, holes: int, height: float, weights: str, treatment: str
) -> None:
    assume(not (weights == "shape_preserving" and treatment == "open"))
    mesh = random_disk(
        np.random.default_rng(seed), rim=rim, inner=inner, holes=holes, height=height
    )
    try:
        require_disk_with_holes(mesh)
    except MeshError:
        assume(False)
    chosen = UnwrapSettings(weights=weights, holes=treatment)  # type: ignore[arg-type]
    try:
        result = unwrap(Template(mesh), settings=chosen)
    except ParametrizationError as refused:
        # Open holes with vertices of degree two carry no embedding, and say so.
        assert treatment == "open" and "no positive area" in str(refused)
        return
    report = result.report
    assert report.flips == 0
    assert (result.uv >= 0).all() and (result.uv <= 1).all()
    whole = not any("stick out" in note for note in report.notes)
    assert not whole or abs(report.covered_area - 1.0) < 1e-12


@pytest.mark.parametrize("weights", SAFE)
@pytest.mark.parametrize("columns", [14, 15], ids=["vertices on midline", "quads across"])
def test_symmetric_template_gives_an_exactly_symmetric_map(weights: str, columns: int) -> None:
    template = quad_mask(columns)
    result = unwrap(template, settings=UnwrapSettings(weights=weights))  # type: ignore[arg-type]
    mirror = mirror_map(template.mesh)
    assert mirror is not None
    reflected = result.uv[mirror] * [-1.0, 1.0] + [1.0, 0.0]
    assert np.abs(reflected - result.uv).max() <= 2e-16
    assert result.report.mirror_error is not None and result.report.mirror_error <= 1e-15
    assert result.report.flips == 0
    assert abs(result.report.covered_area - 1.0) < 1e-12


def test_triangles_split_alike_still_give_a_symmetric_map() -> None:
    """One fixed diagonal in every quad: the triangle graph is not symmetric, the map is."""
    quads = quad_mask(14).mesh.quads
    assert quads is not None
    faces = np.stack([quads[:, [0, 1, 2]], quads[:, [0, 2, 3]]], axis=1).reshape(-1, 3)
    mesh = Mesh(quad_mask(14).mesh.vertices, faces, name="sheared")
    report = unwrap(Template(mesh)).report
    assert report.flips == 0
    assert report.mirror_error is not None and report.mirror_error <= 1e-15


def test_output_keeps_the_template_and_its_order() -> None:
    template = quad_mask(12)
    result = unwrap(template)
    mesh = result.mesh
    np.testing.assert_array_equal(mesh.vertices, template.mesh.vertices)
    np.testing.assert_array_equal(mesh.faces, template.mesh.faces)
    assert mesh.topology_id == template.mesh.topology_id
    assert mesh.uv is not None and mesh.uv_faces is not None
    np.testing.assert_array_equal(mesh.uv, result.uv)
    np.testing.assert_array_equal(mesh.uv_faces, mesh.faces)
    assert len(mesh.uv) == len(mesh.vertices)
    np.testing.assert_array_equal(result.uv[result.boundary.loop], result.boundary.uv)


def test_an_old_texture_does_not_survive_a_new_uv() -> None:
    template = quad_mask(12)
    mesh = template.mesh.replace(
        uv=template.mesh.vertices[:, :2],
        uv_faces=template.mesh.faces,
        texture=np.zeros((2, 2, 3), np.float32),
    )
    result = unwrap(Template(mesh))
    assert result.mesh.texture is None
    assert any("texture" in note for note in result.report.notes)


def test_same_bytes_every_time_and_in_every_unit() -> None:
    template = quad_mask(14)
    first, second = unwrap(template), unwrap(template)
    assert first.uv.tobytes() == second.uv.tobytes()
    scaled = template.mesh.replace(vertices=template.mesh.vertices * 1024.0)
    np.testing.assert_allclose(unwrap(Template(scaled)).uv, first.uv, atol=1e-12)


def test_the_virtual_vertices_leave_no_trace_and_keep_holes_small() -> None:
    template = quad_mask(24)
    fan = unwrap(template).report
    left_open = unwrap(template, settings=UnwrapSettings(holes="open")).report
    assert fan.flips == left_open.flips == 0
    assert 0 < fan.hole_area < left_open.hole_area


def crowded_mask(count: int) -> Template:
    """A mask whose rows crowd towards the chin: small triangles low down."""
    template = quad_mask(count)
    vertices = template.mesh.vertices.copy()
    vertices[:, 1] = 2.0 * ((vertices[:, 1] + 1.0) / 2.0) ** 2.5 - 1.0
    return Template(template.mesh.replace(vertices=vertices))


def test_stretch_step_lowers_the_stretch() -> None:
    template = quad_mask(20)
    deep = template.mesh.replace(vertices=template.mesh.vertices * [1.0, 1.0, 4.0])
    template = Template(deep)
    plain = unwrap(template, settings=UnwrapSettings(stretch_steps=0, detail=0.0)).report
    stepped = unwrap(template, settings=UnwrapSettings(stretch_steps=2, detail=0.0)).report
    assert stepped.l2_stretch < plain.l2_stretch
    uniform = unwrap(template, settings=UnwrapSettings(weights="uniform")).report
    assert plain.l2_stretch < uniform.l2_stretch


def test_detail_gives_dense_parts_more_room() -> None:
    template = crowded_mask(20)
    low = np.flatnonzero(template.mesh.vertices[:, 1] < -0.6)
    marked = Template(template.mesh, regions={"low": low})
    shares = [
        unwrap(marked, settings=UnwrapSettings(detail=detail)).report.share["low"]
        for detail in (0.0, 0.5, 1.0)
    ]
    assert shares[0] < shares[1] < shares[2]


def test_importance_enlarges_and_shrinks_a_region() -> None:
    template = quad_mask(20)
    shares = [
        unwrap(template, settings=UnwrapSettings(importance={"mouth": factor})).report
        for factor in (0.5, 1.0, 2.0)
    ]
    covered = [report.share["mouth"] for report in shares]
    assert covered[0] < covered[1] < covered[2]
    assert all(report.flips == 0 for report in shares)


@pytest.mark.parametrize(
    "shares",
    [
        {"middle": 0.2},
        {"middle": 0.5},
        {"mouth": 0.03},
        {"eyes": 0.15, "mouth": 0.1},
        {"eyes+mouth": 0.35},
    ],
    ids=str,
)
def test_shares_are_met(shares: dict[str, float]) -> None:
    result = unwrap(quad_mask(20), settings=UnwrapSettings(shares=shares))
    assert result.report.flips == 0
    assert result.report.solves <= 12
    for name, goal in shares.items():
        assert result.report.share[name] == pytest.approx(goal, abs=0.003)


def test_shares_of_overlapping_regions_that_contradict_each_other_are_refused() -> None:
    template = quad_mask(16)
    twice = Template(template.mesh, regions={name: template.regions["eyes"] for name in "ab"})
    with pytest.raises(ParametrizationError, match=r"a 0\.\d+ \(asked for 0\.100\)"):
        unwrap(twice, settings=UnwrapSettings(shares={"a": 0.1, "b": 0.3}))


def test_asymmetric_template_is_said_to_be_so(rng: np.random.Generator) -> None:
    template = quad_mask(12)
    vertices = template.mesh.vertices + rng.normal(0.0, 0.2, (len(template.mesh.vertices), 3))
    report = unwrap(Template(template.mesh.replace(vertices=vertices))).report
    assert report.mirror_error is None
    assert any("no mirror symmetry" in note for note in report.notes)
    silent = unwrap(template, settings=UnwrapSettings(symmetric=False)).report
    assert silent.mirror_error is None and not silent.notes


# --- bad input ------------------------------------------------------------------------------


def closed_mesh() -> Mesh:
    vertices = np.array([[0, 0, 0], [1, 0, 0], [0, 1, 0], [0, 0, 1]], float)
    return Mesh(vertices, np.array([[0, 2, 1], [0, 1, 3], [1, 2, 3], [0, 3, 2]]), name="tetra")


def two_pieces() -> Mesh:
    one = planar_grid(4)
    vertices = np.concatenate([one.vertices, one.vertices + [3.0, 0.0, 0.0]])
    return Mesh(vertices, np.concatenate([one.faces, one.faces + len(one.vertices)]), name="two")


def with_handle() -> Mesh:
    """A torus with one triangle missing: a boundary, but not a disk with holes."""
    count = 6
    index = np.arange(count * count).reshape(count, count)
    right, up = np.roll(index, -1, axis=1), np.roll(index, -1, axis=0)
    across = np.roll(right, -1, axis=0)
    faces = np.concatenate(
        [
            np.stack([index.ravel(), right.ravel(), across.ravel()], axis=1),
            np.stack([index.ravel(), across.ravel(), up.ravel()], axis=1),
        ]
    )
    turn = 2 * np.pi * np.arange(count) / count
    tube, around = np.meshgrid(turn, turn)
    radius = 3.0 + np.cos(tube)
    points = [radius * np.cos(around), radius * np.sin(around), np.sin(tube)]
    return Mesh(np.stack(points, axis=-1).reshape(-1, 3), faces[1:], name="torus")


def with_a_loose_vertex() -> Mesh:
    one = planar_grid(4)
    return Mesh(np.concatenate([one.vertices, [[5.0, 5.0, 5.0]]]), one.faces, name="loose")


@pytest.mark.parametrize(
    ("mesh", "message"),
    [
        (closed_mesh(), "tetra: .*closed surface"),
        (two_pieces(), "two: .*2 components"),
        (with_handle(), "torus: .*handles"),
        (with_a_loose_vertex(), "loose: .*every vertex"),
    ],
    ids=["closed", "components", "handle", "unused vertex"],
)
def test_surfaces_that_are_no_disk_are_refused(mesh: Mesh, message: str) -> None:
    with pytest.raises(MeshError, match=message):
        unwrap(Template(mesh))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"shares": {"eyes": 0.0}}, r"in \(0, 0.95\)"),
        ({"shares": {"eyes": -0.1}}, r"in \(0, 0.95\)"),
        ({"shares": {"eyes": float("nan")}}, r"in \(0, 0.95\)"),
        ({"shares": {"eyes": 0.95}}, r"in \(0, 0.95\)"),
        ({"shares": {"eyes": 0.5, "mouth": 0.45}}, "sum below 0.95"),
        ({"importance": {"eyes": 0.0}}, "a positive number"),
        ({"weights": "conformal"}, "normalised_length, uniform"),
        ({"holes": "closed"}, "fan, open"),
        ({"graph": "hexes"}, "auto, quads, triangles"),
        ({"detail": 1.5}, "expected 0 to 1"),
        ({"stretch_steps": -1}, "0 or more"),
        ({"max_solves": 1}, "2 or more"),
        ({"image_size": 100_000}, "1 to 8192"),
        ({"share_tolerance": 0.0}, r"in \(0, 1\)"),
        ({"weights": "shape_preserving", "holes": "open"}, "holes=fan"),
        ({"weights": "cotangent", "graph": "quads"}, "graph=auto or triangles"),
    ],
    ids=str,
)
def test_settings_out_of_range_are_refused(options: dict, message: str) -> None:
    with pytest.raises(SettingsError, match=message):
        UnwrapSettings(**options)


@pytest.mark.parametrize("field", ["shares", "importance"])
def test_unknown_regions_are_named_with_those_there_are(field: str) -> None:
    options: dict = {field: {"eyes+ears": 0.2}}
    chosen = UnwrapSettings(**options)
    with pytest.raises(SettingsError, match="'ears' .*eyes, middle, mouth"):
        unwrap(quad_mask(12), settings=chosen)


def test_regions_without_a_triangle_or_with_all_are_refused() -> None:
    mesh = quad_mask(12).mesh
    dust = Template(mesh, regions={"dust": np.array([0]), "all": np.arange(len(mesh.vertices))})
    for name, held in (("dust", "no triangle"), ("all", "every triangle")):
        with pytest.raises(ParametrizationError, match=held):
            unwrap(dust, settings=UnwrapSettings(shares={name: 0.2}))


def test_quad_graph_of_a_triangle_mesh_is_refused() -> None:
    with pytest.raises(ParametrizationError, match="graph=quads"):
        unwrap(Template(planar_grid(6)), settings=UnwrapSettings(graph="quads"))


def test_cotangent_weights_report_their_flips(rng: np.random.Generator) -> None:
    mesh = random_disk(rng, inner=300, height=2.0)
    report = unwrap(Template(mesh), settings=UnwrapSettings(weights="cotangent")).report
    assert report.flips > 0


def test_settings_are_light() -> None:
    code = (
        "import sys; from geomface.parametrization.settings import UnwrapSettings; "
        "sys.exit('scipy' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


# --- figures on the real templates ----------------------------------------------------------


@pytest.fixture(scope="module")
def ict(shared_data) -> Template:
    from geomface.mesh.io import load_template

    folder = shared_data / "ict"
    return load_template(
        folder / "template.obj",
        folder / "template.landmarks.json",
        folder / "template.regions.json",
    )


@pytest.fixture(scope="module")
def builtin() -> Template:
    from geomface.faces.builtin import load_builtin_face

    return load_builtin_face().template


@pytest.mark.parametrize("name", ["ict", "builtin"])
def test_face_templates_reach_the_figures(name: str, request: pytest.FixtureRequest) -> None:
    template = request.getfixturevalue(name)
    report = unwrap(template).report
    assert report.flips == 0
    assert report.l2_stretch <= 1.35
    assert report.linf_stretch <= 8.0
    assert report.mirror_error is not None and report.mirror_error <= 1e-15
    assert abs(report.covered_area - 1.0) <= 1e-12
    assert report.small_triangles <= 0.12
    assert report.solves == 3
    assert not report.notes


@pytest.mark.parametrize("name", ["ict", "builtin"])
@pytest.mark.parametrize("share", [0.2, 0.3, 0.4])
def test_features_take_their_share(name: str, share: float, request: pytest.FixtureRequest) -> None:
    template = request.getfixturevalue(name)
    chosen = UnwrapSettings(shares={"eyes+nose+mouth": share})
    report = unwrap(template, settings=chosen).report
    assert report.share["eyes+nose+mouth"] == pytest.approx(share, abs=0.003)
    assert report.flips == 0
    assert report.solves <= 12


def test_chin_is_low_and_left_is_right(ict: Template) -> None:
    uv = unwrap(ict).uv
    assert isinstance(ict.landmarks, LandmarkEmbedding)
    marks = ict.landmarks.vertices[:, 0]
    np.testing.assert_allclose(uv[marks[8], 0], 0.5, atol=1e-12)
    assert uv[marks[8], 1] < uv[marks[57], 1] < uv[marks[30], 1] < uv[marks[27], 1]
    assert uv[marks[36], 0] < 0.5 < uv[marks[45], 0]


def test_plain_rule_of_the_paper_beats_uniform_on_the_face(ict: Template) -> None:
    figures = {
        scheme: unwrap(ict, settings=UnwrapSettings(weights=scheme, stretch_steps=0, detail=0.0))
        for scheme in ("normalised_length", "uniform")
    }
    assert figures["normalised_length"].report.l2_stretch <= 1.55
    assert figures["uniform"].report.l2_stretch >= 2.5
