"""Identity descriptors: pictures, training, what the shipped embedder tells apart."""

import dataclasses

import numpy as np
import pytest
import torch

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
from geomface.files.assets import asset_path
from geomface.files.tensors import load_tensors
from geomface.mesh import Mesh
from geomface.metrics import verify_identities
from geomface.recognition import (
    FACE_SHARE,
    FrontalView,
    IdentityNetwork,
    describe_faces,
    describe_pictures,
    draw_identity_pictures,
    load_embedder,
    save_embedder,
)
from geomface.recognition.embedder.describe import shipped_embedder
from geomface.recognition.embedder.weights import ASSET
from geomface.statistics import MorphableModel
from geomface.synthesis import (
    CameraSettings,
    Constant,
    ExpressionSettings,
    FaceImageSettings,
    FaceSampler,
    PoseSettings,
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


def test_the_shipped_file_is_small_and_its_card_lies_beside_it() -> None:
    path = asset_path(ASSET)
    assert path.stat().st_size <= 1_000_000
    assert (path.parent / "card.md").is_file()
    _, header = load_tensors(path, kind="identity-embedder", schema=1)
    assert header["config"]["people"] == 2400


def test_one_person_is_nearer_than_others(model: MorphableModel, people: list[list[Mesh]]) -> None:
    meshes = [mesh for looks in people for mesh in looks]
    found = describe_faces(iter(meshes), model.template)
    assert found.shape == (12, 128) and found.dtype == np.float64
    np.testing.assert_allclose(np.linalg.norm(found, axis=1), 1.0, atol=1e-5)
    result = verify_identities(found, np.repeat(np.arange(6), 2))
    assert result.auc > 0.98 and result.same_mean > result.other_mean + 2 * result.same_deviation


def test_held_out_people_are_told_apart_in_another_light_and_expression() -> None:
    data = draw_identity_pictures(24, 4, 4242)
    found = describe_pictures(data.pictures.transpose(0, 2, 3, 1).astype(np.float32) / 255)
    result = verify_identities(found, data.identities)
    assert result.auc > 0.99 and result.rank_1 > 0.9


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


def test_the_frontal_view_frames_like_the_pictures_of_the_training(model: MorphableModel) -> None:
    settings = FaceImageSettings(
        size=64,
        eyes=False,
        outputs=("rgb", "alpha"),
        pose=PoseSettings(STILL, STILL, STILL),
        expression=ExpressionSettings("neutral"),
        camera=CameraSettings(Constant(FACE_SHARE), Constant(950.0), STILL, STILL),
    )
    sampler = FaceSampler(settings, model)
    drawn = sampler.parameters(0, 0)
    face = model.mesh.replace(vertices=sampler.vertices(drawn))
    (picture,) = FrontalView(model.template).pictures([face])
    cover = sampler.render([drawn]).images["alpha"][0] > 0.5
    shown = picture.max(axis=2) > 0.02
    assert (cover & shown).sum() > 0.93 * (cover | shown).sum()


def test_pictures_are_framed_to_the_size_that_the_embedder_knows() -> None:
    data = draw_identity_pictures(2, 1, 9)
    small = data.pictures.transpose(0, 2, 3, 1).astype(np.float32) / 255
    expected = describe_pictures(small)
    large = small.repeat(2, axis=1).repeat(2, axis=2)
    wide = np.pad(large, ((0, 0), (0, 0), (20, 20), (0, 0)))
    np.testing.assert_allclose(describe_pictures(wide), expected, atol=1e-5)
    framed = np.pad(small, ((0, 0), (16, 16), (16, 16), (0, 0)))
    np.testing.assert_allclose(
        describe_pictures(framed, face_share=FACE_SHARE * 64 / 96), expected, atol=1e-5
    )
    cut = describe_pictures(small[:, 8:56, 8:56], face_share=FACE_SHARE * 64 / 48)
    assert cut.shape == expected.shape and np.isfinite(cut).all()


def test_a_file_gives_back_the_network(tmp_path) -> None:
    torch.manual_seed(1)
    network = IdentityNetwork().eval()
    path = tmp_path / "embedder.safetensors"
    save_embedder(path, network)
    pictures = torch.rand(2, 3, 64, 64)
    with torch.no_grad():
        torch.testing.assert_close(
            load_embedder(path)(pictures), network(pictures), rtol=0, atol=5e-3
        )


def test_bad_input_is_refused_in_one_sentence(
    model: MorphableModel, people: list[list[Mesh]], tmp_path
) -> None:
    template, mesh = model.template, people[0][0]
    bare = dataclasses.replace(template, landmarks=None)
    other = Mesh(np.eye(3), np.array([[0, 1, 2]]))
    vertices, texture = mesh.vertices[None], np.zeros((1, 8, 8, 3), np.float32)
    picture = np.zeros((2, 64, 64, 3), np.float32)
    (tmp_path / "e.safetensors").write_bytes(b"nothing")
    broken = IdentityNetwork()
    broken.head.weight.data[:] = torch.nan
    save_embedder(tmp_path / "nan.safetensors", broken)
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
        (SettingsError, lambda: describe_pictures(picture[0]), "pictures to describe"),
        (SettingsError, lambda: describe_pictures(picture + 200), "Divide 8-bit"),
        (SettingsError, lambda: describe_pictures(picture * np.nan), "got nan"),
        (SettingsError, lambda: describe_pictures(picture[:, :0]), "expected pixels"),
        (SettingsError, lambda: describe_pictures(picture, face_share=0), "face_share"),
        (FileFormatError, lambda: load_embedder(tmp_path / "no.safetensors"), "no.safetensors"),
        (FileFormatError, lambda: load_embedder(tmp_path / "e.safetensors"), "e.safetensors"),
        (FileFormatError, lambda: load_embedder(tmp_path / "nan.safetensors"), "finite weights"),
    ]
    for kind, call, match in refusals:
        with pytest.raises(kind, match=match):
            call()


def test_the_shipped_embedder_is_read_once() -> None:
    assert shipped_embedder() is shipped_embedder()
