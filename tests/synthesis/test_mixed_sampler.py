"""People of several models in one set: each picture is that of its own model."""

import numpy as np
import pytest

from geomface.errors import SettingsError
from geomface.faces import load_builtin_face, load_ict
from geomface.pipeline.face_pictures import FaceSetSettings, generate_faces
from geomface.synthesis import FaceImageSettings, FaceSampler
from geomface.synthesis.mixed_sampler import MixedSampler
from geomface.synthesis.trait_axes import trait_axes
from geomface.threads import one_blas_thread

SETTINGS = FaceImageSettings(identities=4, samples=1, size=48, seed=2)


@pytest.fixture(scope="module")
def models(shared_data):
    return load_builtin_face(), load_ict(shared_data / "ict" / "ict_face.npz")


def test_every_picture_is_that_of_its_model(models) -> None:
    mixed = MixedSampler(SETTINGS, models)
    pictures = [(2, 0), (1, 0), (0, 0), (3, 0)]
    batch = mixed.batch(pictures)
    assert [item.identity for item in batch.parameters] == [2, 1, 0, 3]
    for index, picture in enumerate(pictures):
        alone = FaceSampler(SETTINGS, models[picture[0] % 2]).batch([picture])
        np.testing.assert_array_equal(batch.images["rgb"][index], alone.images["rgb"][0])
        np.testing.assert_array_equal(batch.landmarks[index], alone.landmarks[0])
    assert mixed.expression_names(1) == models[1].blendshapes.names
    assert len(mixed.parameters(1, 0).expression) == len(models[1].blendshapes)


def test_a_mixed_set_has_the_same_bytes_for_any_number_of_workers(tmp_path, shared_data) -> None:
    files = ("builtin", str(shared_data / "ict" / "ict_face.npz"))
    digests = []
    for workers in (1, 2):
        out = tmp_path / str(workers)
        settings = FaceSetSettings(SETTINGS, out, models=files, workers=workers, part_pictures=2)
        digests.append(generate_faces(settings).figures["sha256"])
    assert digests[0] == digests[1]


def test_traits_do_not_depend_on_threads(models) -> None:
    free = trait_axes(models[1])
    with one_blas_thread():
        alone = trait_axes(models[1])
    np.testing.assert_array_equal(free.told, alone.told)
    np.testing.assert_array_equal(free.wider, alone.wider)


def test_what_belongs_to_one_mesh_is_refused(models, tmp_path) -> None:
    with pytest.raises(SettingsError, match="uv number the parts of one mesh"):
        MixedSampler(FaceImageSettings(outputs=("rgb", "uv")), models)
    with pytest.raises(SettingsError, match="two or more"):
        MixedSampler(SETTINGS, models[:1])
    with pytest.raises(SettingsError, match="give one of them"):
        FaceSetSettings(SETTINGS, tmp_path, tmp_path / "a.npz", ("builtin",))
