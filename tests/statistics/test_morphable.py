"""Morphable models: an algebra of values, joint sampling, mirror, marginal, files, errors."""

import dataclasses

import numpy as np
import pytest

from geomface.errors import FileFormatError, MeshError, SettingsError, TopologyMismatchError
from geomface.files.tensors import load_tensors, save_tensors
from geomface.mesh import LandmarkEmbedding, Mesh, Template
from geomface.mesh.mirror import mirror_map, mirror_vertices
from geomface.statistics import (
    ExpressionModel,
    Eyeballs,
    LinearModel,
    MorphableModel,
    TextureModel,
    anti_face,
    interpolate,
    read_morphable,
    write_morphable,
)

SIDE = 5


def grid_template():
    """A grid of quads, symmetric at x = 0, with uv, landmarks and a region."""
    x, y = np.meshgrid(np.arange(SIDE) - 2.0, np.arange(SIDE) * 1.3)
    vertices = np.stack([10 * x.ravel(), 10 * y.ravel(), -(x.ravel() ** 2)], axis=1)
    index = np.arange(SIDE * SIDE).reshape(SIDE, SIDE)
    quads = np.stack([index[:-1, :-1], index[:-1, 1:], index[1:, 1:], index[1:, :-1]], axis=-1)
    mesh = Mesh(vertices, quads=quads.reshape(-1, 4))
    uv = np.stack([x.ravel() / 4 + 0.5, y.ravel() / 5.2], axis=1)
    mesh = mesh.replace(uv=uv, uv_faces=mesh.faces)
    landmarks = LandmarkEmbedding.on_vertices(np.array([0, 4, 12]), scheme="three")
    return Template(mesh, landmarks, {"middle": np.array([11, 12, 13])})


def random_model(rng, *, texture="vertices", coupling=True):
    template = grid_template()
    count = SIDE * SIDE
    shape = LinearModel(template.mesh.vertices, rng.standard_normal((count, 3, 4)), 0.1, 9, 200.0)
    expression = ExpressionModel(
        np.zeros((count, 3)),
        rng.standard_normal((count, 3, 2)),
        names=("jawOpen", "smile"),
        kind="blendshapes",
    )
    size = (count,) if texture == "vertices" else (6, 7)
    colors = TextureModel(
        np.full((*size, 3), 0.5),
        0.05 * rng.standard_normal((*size, 3, 3)).astype(np.float32),
        valid=rng.random(size) > 0.2,
    )
    pairs = 0.6 * np.linalg.qr(rng.standard_normal((4, 3)))[0] if coupling else None
    return MorphableModel(
        template,
        shape,
        expression,
        colors,
        pairs,
        name="grid",
        card={"source": "made here"},
        eyeballs=Eyeballs([[9.0, 8.0, 7.0], [-9.0, 8.0, 6.0]], 3.5),
    )


def test_an_instance_adds_shape_and_expression_and_shows_colours(rng):
    model = random_model(rng)
    a, t = rng.standard_normal(4), rng.standard_normal(3)
    mesh = model.instance(a, {"smile": 0.5}, t)
    expected = model.shape.mean + model.shape.basis @ a + 0.5 * model.expression.basis[..., 1]
    np.testing.assert_allclose(mesh.vertices, expected)
    np.testing.assert_allclose(mesh.colors, model.texture.mean + model.texture.basis @ t, atol=1e-6)
    assert mesh.topology_id == model.topology_id
    image = random_model(rng, texture="image").instance(a, texture=t)
    assert image.texture.shape == (6, 7, 3) and image.colors is None
    np.testing.assert_allclose(model.vertices(), model.mesh.vertices)
    np.testing.assert_allclose(
        model.geometry.reconstruct(np.concatenate([a, [0.0, 0.5]])), expected
    )


def test_joint_samples_have_the_coupling(rng):
    model = random_model(rng)
    draws = [model.draw(rng) for _ in range(30000)]
    shape, texture = (np.stack(part) for part in zip(*draws, strict=True))
    np.testing.assert_allclose(shape.T @ texture / len(shape), model.coupling, atol=0.03)
    np.testing.assert_allclose(np.cov(shape.T), np.eye(4), atol=0.04)
    np.testing.assert_allclose(np.cov(texture.T), np.eye(3), atol=0.04)


def test_the_seed_decides_the_sample(rng):
    model = random_model(rng)
    first, again = (
        model.sample(np.random.default_rng(7), expression=True, sigma=0.5) for _ in range(2)
    )
    np.testing.assert_array_equal(first.vertices, again.vertices)
    np.testing.assert_array_equal(first.colors, again.colors)
    other = model.sample(np.random.default_rng(8), expression=True, sigma=0.5)
    assert np.abs(other.vertices - first.vertices).max() > 0.1


def test_mirror_of_the_model_makes_the_mirror_images(rng):
    model = random_model(rng)
    mirror = mirror_map(model.mesh)
    assert mirror is not None
    a, t = rng.standard_normal(4), rng.standard_normal(3)
    mirrored, face = (
        model.mirror(mirror).instance(a, {"smile": 1.0}, t),
        model.instance(a, {"smile": 1.0}, t),
    )
    np.testing.assert_allclose(mirrored.vertices, mirror_vertices(face.vertices, mirror))
    np.testing.assert_allclose(mirrored.colors, face.colors[mirror], atol=1e-6)
    np.testing.assert_array_equal(
        model.mirror(mirror).eyeballs.centers, [[9, 8, 6], [-9, 8, 7]], "left stays first"
    )
    twice = model.mirror(mirror).mirror(mirror)
    np.testing.assert_array_equal(twice.shape.basis, model.shape.basis)


def test_marginal_keeps_faces_landmarks_and_regions_that_are_whole(rng):
    model = random_model(rng)
    rows = np.setdiff1d(np.arange(SIDE * SIDE), [23, 24])
    part = model.marginal(rows)
    z = rng.standard_normal(4)
    np.testing.assert_allclose(part.vertices(z), model.vertices(z)[rows])
    assert len(part.mesh.quads) == 16 - 2 and len(part.mesh.faces) == 28
    assert part.template.landmarks is not None
    np.testing.assert_array_equal(part.template.regions["middle"], [11, 12, 13])
    np.testing.assert_array_equal(
        part.mesh.uv[part.mesh.uv_faces],
        model.mesh.uv[model.mesh.uv_faces][
            np.repeat((np.isin(model.mesh.quads, rows)).all(axis=1), 2)
        ],
    )
    without = model.marginal(np.arange(1, SIDE * SIDE))
    assert without.template.landmarks is None
    with pytest.raises(MeshError, match="span no face"):
        model.marginal(np.array([0, 24]))
    with pytest.raises(MeshError, match="twice"):
        model.marginal(np.array([0, 0, 1]))


def test_change_of_reference_carries_every_face_over(rng):
    model = random_model(rng)
    # The centres of the triangles, as a new (fan) topology.
    faces = model.mesh.faces
    matrix = np.zeros((len(faces), SIDE * SIDE))
    matrix[np.arange(len(faces))[:, None], faces] = 1 / 3
    fan = [[0, i, i + 1] for i in range(1, len(faces) - 1)]
    target = Template(Mesh(matrix @ model.mesh.vertices, fan, name="centres"))
    moved = model.change_reference(target, matrix)
    face = model.instance(z := rng.standard_normal(4), {"jawOpen": 0.4}, t := np.ones(3))
    again = moved.instance(z, {"jawOpen": 0.4}, t)
    np.testing.assert_allclose(again.vertices, matrix @ face.vertices)
    np.testing.assert_allclose(again.colors, matrix @ face.colors, atol=1e-6)
    assert moved.topology_id == target.mesh.topology_id
    with pytest.raises(MeshError, match="expected 32 rows"):
        model.change_reference(target, matrix[:5])


def test_truncate_cuts_the_coupling_along(rng):
    model = random_model(rng).truncate(shape=2, texture=1, expression=1)
    assert (len(model.shape), len(model.texture), len(model.expression)) == (2, 1, 1)
    assert model.coupling.shape == (2, 1) and model.expression.names == ("jawOpen",)
    with pytest.raises(SettingsError, match="no texture"):
        dataclasses.replace(model, texture=None, coupling=None).truncate(texture=1)


def test_between_and_beyond():
    np.testing.assert_allclose(interpolate([0.0, 2.0], [1.0, 0.0], 0.25), [0.25, 1.5])
    np.testing.assert_allclose(anti_face([1.0, -2.0], strength=0.5), [-0.5, 1.0])
    with pytest.raises(SettingsError, match="one length"):
        interpolate([0.0], [0.0, 1.0], 0.5)


@pytest.mark.parametrize("texture", ["vertices", "image"])
def test_file_round_trip_keeps_every_bit(tmp_path, rng, texture):
    model = random_model(rng, texture=texture)
    write_morphable(tmp_path / "m.safetensors", model)
    again = read_morphable(tmp_path / "m.safetensors")
    for part in ("shape", "expression", "texture"):
        one, two = getattr(model, part), getattr(again, part)
        for field in dataclasses.fields(one):
            np.testing.assert_array_equal(getattr(one, field.name), getattr(two, field.name))
        assert one.basis.dtype == two.basis.dtype
    np.testing.assert_array_equal(again.coupling, model.coupling)
    assert (again.name, again.card, again.topology_id) == (
        model.name,
        model.card,
        model.topology_id,
    )
    for name in ("faces", "quads", "uv", "uv_faces"):
        np.testing.assert_array_equal(getattr(again.mesh, name), getattr(model.mesh, name))
    np.testing.assert_array_equal(again.eyeballs.centers, model.eyeballs.centers)
    assert again.eyeballs.radius == 3.5
    assert again.template.landmarks.scheme == "three"
    np.testing.assert_array_equal(again.template.regions["middle"], [11, 12, 13])
    bare = dataclasses.replace(model, expression=None, texture=None, coupling=None, eyeballs=None)
    write_morphable(tmp_path / "bare.safetensors", bare)
    again = read_morphable(tmp_path / "bare.safetensors")
    assert again.texture is None and again.eyeballs is None


def test_bad_files_are_refused(tmp_path, rng):
    path = tmp_path / "m.safetensors"
    path.write_bytes(b"no tensors here")
    with pytest.raises(FileFormatError, match="truncated or not safetensors"):
        read_morphable(path)
    with pytest.raises(FileFormatError):
        read_morphable(tmp_path / "absent.safetensors")
    write_morphable(path, random_model(rng))
    arrays, header = load_tensors(path, kind="morphable-model", schema=1)

    def write(arrays, **changes):
        fields = {key: header[key] for key in ("kind", "schema", "topology_id", "units", "config")}
        save_tensors(path, arrays, **(fields | changes))

    write(arrays, schema=2)
    with pytest.raises(FileFormatError, match="schema 2"):
        read_morphable(path)
    write(arrays, kind="geometry-image")
    with pytest.raises(FileFormatError, match="kind"):
        read_morphable(path)
    write({name: array for name, array in arrays.items() if name != "shape.basis"})
    with pytest.raises(FileFormatError, match="shape.basis"):
        read_morphable(path)
    write(arrays | {"shape.basis": arrays["shape.basis"][:5]})
    with pytest.raises(FileFormatError, match="do not fit"):
        read_morphable(path)
    write(arrays, topology_id="0" * 16)
    with pytest.raises(FileFormatError, match="topology"):
        read_morphable(path)


def test_parts_that_do_not_fit_are_refused(rng):
    model = random_model(rng)
    with pytest.raises(MeshError, match="shape mean"):
        dataclasses.replace(model, shape=LinearModel(np.zeros((3, 3)), np.ones((3, 3, 4))))
    with pytest.raises(SettingsError, match="at most 1"):
        dataclasses.replace(model, coupling=2 * np.eye(4, 3))
    with pytest.raises(SettingsError, match="coupling"):
        dataclasses.replace(model, coupling=np.zeros((3, 3)))
    with pytest.raises(SettingsError, match="needs a texture"):
        dataclasses.replace(model, texture=None)
    bare = dataclasses.replace(model, texture=None, coupling=None, expression=None)
    with pytest.raises(SettingsError, match="shape only"):
        bare.instance(texture=[0.0])
    with pytest.raises(SettingsError, match="no expressions"):
        bare.vertices(expression=[0.0])
    image = random_model(rng, texture="image").texture
    template = Template(model.mesh.replace(uv=None, uv_faces=None))
    with pytest.raises(MeshError, match="needs a template with uv"):
        dataclasses.replace(model, template=template, texture=image, coupling=None)
    with pytest.raises(TopologyMismatchError):
        model.require_topology(Mesh(model.mesh.vertices, faces=[[0, 1, 2]]))
    with pytest.raises(MeshError, match="depends on the uv"):
        random_model(rng, texture="image").mirror(mirror_map(model.mesh))
