"""Identity descriptors: frontal views, alignment by known landmarks, who is near to whom."""

import dataclasses

import numpy as np
import pytest

from geomface.errors import (
    FileFormatError,
    LandmarkError,
    MeshError,
    SettingsError,
    TopologyMismatchError,
)
from geomface.faces import load_builtin_face
from geomface.faces.albedo import albedo_model
from geomface.faces.albedo_code import sample_albedo_code
from geomface.files.tensors import save_tensors
from geomface.mesh import Mesh
from geomface.metrics import verify_identities
from geomface.recognition import (
    FaceEmbedder,
    FrontalView,
    alignment_of,
    build_network,
    default_network,
    describe_faces,
    describe_pictures,
    load_embedder,
)
from geomface.recognition.embedder import describe
from geomface.recognition.embedder.describe import shipped_embedder
from geomface.recognition.frontal import BEHIND, DISTANCE, SHARE
from geomface.statistics import MorphableModel
from geomface.synthesis import (
    CameraSettings,
    Constant,
    ExpressionSettings,
    FaceImageSettings,
    FaceSampler,
    PoseSettings,
    Uniform,
)

STILL = Constant(0.0)


@pytest.fixture(scope="module")
def model() -> MorphableModel:
    return load_builtin_face()


@pytest.fixture(scope="module")
def people(model: MorphableModel) -> list[list[Mesh]]:
    """Six people, each with two expressions."""
    skin, found = albedo_model(model), []
    for index in range(6):
        rng = np.random.default_rng([77, index])
        identity = rng.standard_normal(len(model.shape))
        colors = skin.colors(sample_albedo_code(identity, rng))
        looks = [model.vertices(identity, model.sample_expression(rng)) for _ in range(2)]
        found.append([model.mesh.replace(vertices=look, colors=colors) for look in looks])
    return found


@pytest.mark.parametrize("colored", [True, False])
def test_one_person_is_nearer_than_others(
    model: MorphableModel, people: list[list[Mesh]], colored: bool
) -> None:
    meshes = [mesh for looks in people for mesh in looks]
    if not colored:
        meshes = [mesh.replace(colors=None) for mesh in meshes]
    found = describe_faces(iter(meshes), model.template)
    assert found.shape == (12, 128) and found.dtype == np.float64
    np.testing.assert_allclose(np.linalg.norm(found, axis=1), 1.0, atol=1e-12)
    result = verify_identities(found, np.repeat(np.arange(6), 2))
    assert result.auc > 0.98 and result.same_mean > result.other_mean + 2 * result.other_deviation


def test_people_are_told_apart_in_another_light_and_expression(model: MorphableModel) -> None:
    turn = Uniform(-10.0, 10.0)
    settings = FaceImageSettings(
        identities=8, samples=4, size=96, seed=4242, pose=PoseSettings(turn, turn, STILL)
    )
    batch = FaceSampler(settings, model).batch([(i, k) for i in range(8) for k in range(4)])
    pictures = batch.images["rgb"]
    found = describe_pictures(pictures, batch.landmarks)
    result = verify_identities(found, np.repeat(np.arange(8), 4))
    assert result.auc > 0.99 and result.rank_1 > 0.9
    # Where a face lies in its picture, and how large it is, says nothing.
    moved = np.pad(pictures[:2], ((0, 0), (7, 0), (0, 20), (0, 0)))
    again = describe_pictures(list(moved), batch.landmarks[:2] + [0.0, 7.0])
    np.testing.assert_allclose(again, found[:2], atol=1e-3)
    alone = shipped_embedder().embed_photograph(pictures[3], batch.landmarks[3])
    np.testing.assert_allclose(alone, found[3], atol=1e-5)


def test_landmarks_that_are_not_given_are_looked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    pictures = np.random.default_rng(0).random((3, 64, 64, 3))
    points = np.random.default_rng(1).uniform(10.0, 50.0, (3, 68, 2))
    known = describe_pictures(pictures, points)
    found = iter(points)
    monkeypatch.setattr(describe, "landmarks_of", lambda picture: next(found))
    np.testing.assert_array_equal(describe_pictures(pictures), known)


def test_place_and_unit_of_a_face_do_not_matter(
    model: MorphableModel, people: list[list[Mesh]]
) -> None:
    mesh = people[0][0]
    turned = mesh.vertices[:, [2, 1, 0]] * [1.0, 1.0, -1.0]
    moved = mesh.replace(vertices=0.001 * turned + 5.0, unit="m")
    first, second = describe_faces([mesh, moved], model.template)
    np.testing.assert_allclose(first, second, atol=2e-3)


def test_vertices_and_textures_give_what_meshes_give(
    model: MorphableModel, people: list[list[Mesh]]
) -> None:
    low, size = model.mesh.vertices[:, :2].min(axis=0), np.ptp(model.mesh.vertices[:, :2], axis=0)
    uv = (model.mesh.vertices[:, :2] - low) / size
    template = dataclasses.replace(
        model.template, mesh=model.mesh.replace(uv=uv, uv_faces=model.mesh.faces)
    )
    rng = np.random.default_rng(3)
    vertices = np.stack([looks[0].vertices for looks in people[:3]])
    textures = rng.random((3, 300, 300, 3)).astype(np.float32)
    grey = describe_faces(vertices, template)
    plain = [looks[0].replace(colors=None) for looks in people[:3]]
    np.testing.assert_allclose(grey, describe_faces(plain, model.template), atol=1e-5)
    found = describe_faces(vertices, template, textures=textures)
    whole = [
        template.mesh.replace(vertices=shape, texture=texture)
        for shape, texture in zip(vertices, textures, strict=True)
    ]
    # Faces that are drawn by different calls keep their order.
    mixed = describe_faces([whole[0], plain[1], people[2][0], whole[2]], template)
    np.testing.assert_allclose(mixed[[0, 3]], found[[0, 2]], atol=1e-5)
    np.testing.assert_allclose(mixed[1], grey[1], atol=1e-5)
    assert describe_faces([], template).shape == (0, 128)
    assert describe_pictures([], []).shape == (0, 128)


def test_the_frontal_view_frames_as_synthetic_pictures_do(model: MorphableModel) -> None:
    settings = FaceImageSettings(
        size=64,
        eyes=False,
        outputs=("rgb", "alpha"),
        pose=PoseSettings(STILL, STILL, STILL),
        expression=ExpressionSettings("neutral"),
        camera=CameraSettings(Constant(SHARE), Constant(950.0), STILL, STILL),
    )
    sampler = FaceSampler(settings, model)
    drawn = sampler.parameters(0, 0)
    black = np.zeros((len(model.mesh.vertices), 3), np.float32)
    face = model.mesh.replace(vertices=sampler.vertices(drawn), colors=black)
    ((picture, points),) = FrontalView(model.template, 64).pictures([face])
    batch = sampler.render([drawn])
    cover = batch.images["alpha"][0] > 0.5
    shown = picture.max(axis=2) < 0.98 * BEHIND
    assert (cover & shown).sum() > 0.93 * (cover | shown).sum()
    # Another distance, and a face that is laid on the template: about the same places.
    assert DISTANCE > 4 and abs(points - batch.landmarks[0]).max() < 2.0


def test_any_embedder_describes_at_its_own_size(
    model: MorphableModel, people: list[list[Mesh]]
) -> None:
    settings = dataclasses.replace(
        default_network("compact"), height=28, width=24, descriptor_size=16
    )
    embedder = FaceEmbedder(build_network(settings).eval(), alignment_of("28x24"))
    assert describe_faces(people[0], model.template, embedder=embedder).shape == (2, 16)
    assert describe_faces([], model.template, embedder=embedder).shape == (0, 16)


def test_bad_input_is_refused_in_one_sentence(
    model: MorphableModel, people: list[list[Mesh]], tmp_path
) -> None:
    template, mesh = model.template, people[0][0]
    bare = dataclasses.replace(template, landmarks=None)
    other = Mesh(np.eye(3), np.array([[0, 1, 2]]))
    vertices, texture = mesh.vertices[None], np.zeros((1, 8, 8, 3), np.float32)
    picture, points = np.zeros((2, 64, 64, 3), np.float32), np.zeros((2, 68, 2))
    old = tmp_path / "old.safetensors"
    arrays = {"head.bias": np.zeros(3, np.float32)}
    save_tensors(old, arrays, kind="identity-embedder", schema=1, units=None, config=None)
    refusals = [
        (LandmarkError, lambda: describe_faces([mesh], bare), "68 landmarks"),
        (TopologyMismatchError, lambda: describe_faces([other], template), "template's topology"),
        (MeshError, lambda: describe_faces(vertices[:, :5], template), "faces to describe"),
        (MeshError, lambda: describe_faces(vertices * np.nan, template), "NaN"),
        (MeshError, lambda: describe_faces(vertices * 0.0, template), "one line"),
        (
            SettingsError,
            lambda: describe_faces(vertices, template, textures=texture),
            "need a template with uv",
        ),
        (
            SettingsError,
            lambda: describe_faces([mesh], template, textures=texture),
            "beside vertices only",
        ),
        (LandmarkError, lambda: describe_pictures(picture, points), "within one pixel"),
        (LandmarkError, lambda: describe_pictures(picture, points[:1]), "of 2 pictures, got 1"),
        (LandmarkError, lambda: describe_pictures(picture[0], points), "of 64 pictures, got 2"),
        (LandmarkError, lambda: describe_pictures(picture[0]), r"several.*picture\[None\]"),
        (LandmarkError, lambda: describe_pictures(picture * np.nan), "NaN"),
        (FileFormatError, lambda: load_embedder(old), "frontal renders, which geomface no longer"),
    ]
    for kind, call, match in refusals:
        with pytest.raises(kind, match=match):
            call()


def test_the_shipped_embedder_is_read_once() -> None:
    assert shipped_embedder() is shipped_embedder()
