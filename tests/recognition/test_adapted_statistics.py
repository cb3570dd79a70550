"""Statistics of normalisations follow the pictures that are given."""

import numpy as np
import pytest
import torch
from recognition_case import TINY, people_of_noise

from geomface.learning.errors import DatasetError
from geomface.recognition.aligned.aligned_faces import aligned_faces
from geomface.recognition.embedder.face_embedder import FaceEmbedder
from geomface.recognition.networks.build import build_network
from geomface.recognition.networks.embedder_network import NetworkSettings
from geomface.recognition.training.statistics import adapt_statistics


def embedder() -> FaceEmbedder:
    torch.manual_seed(0)
    network = build_network(NetworkSettings("compact", 28, 24, descriptor_size=16, dropout=0.5))
    return FaceEmbedder(network.eval(), TINY)


def test_each_layer_sees_mean_and_variance_of_the_pictures() -> None:
    faces, before = people_of_noise(6, 1), embedder()
    after = adapt_statistics(before, faces)
    maps = before.network.stem[0](faces.batch(torch.arange(len(faces)))["images"])
    norm = after.network.stem[1]
    torch.testing.assert_close(norm.running_mean, maps.mean(dim=(0, 2, 3)))
    torch.testing.assert_close(norm.running_var, maps.transpose(0, 1).flatten(1).var(dim=1))
    assert not before.network.stem[1].running_mean.any()  # is left as it was
    assert not after.network.training


def test_light_and_contrast_of_another_camera_change_descriptors_less() -> None:
    faces = people_of_noise(8, 2)
    pictures = faces.pictures()
    darker = 0.5 * pictures + 0.1
    names = [row.person for row in faces.rows]
    own = adapt_statistics(embedder(), faces)
    other = adapt_statistics(own, aligned_faces(darker, names, TINY))
    kept = (own.embed(pictures) * other.embed(darker)).sum(axis=1)
    lost = (own.embed(pictures) * own.embed(darker)).sum(axis=1)
    assert 1 - np.median(kept) < 0.5 * (1 - np.median(lost)), (np.median(kept), np.median(lost))


def test_statistics_of_parts_are_averaged_evenly() -> None:
    faces = people_of_noise(80, 3)  # 320 pictures: two parts
    twice = faces.subset(np.concatenate([np.arange(len(faces))] * 2))
    one, two = adapt_statistics(embedder(), faces), adapt_statistics(embedder(), twice)
    np.testing.assert_allclose(
        one.embed(faces.pictures(slice(4))), two.embed(faces.pictures(slice(4))), atol=0.05
    )


def test_one_picture_has_no_statistics() -> None:
    for few in (0, 1):
        with pytest.raises(DatasetError, match="two pictures or more"):
            adapt_statistics(embedder(), people_of_noise(2, 4).subset(np.arange(few)))


def test_aligned_pictures_are_in_the_unit_range_and_named_once() -> None:
    pictures = np.full((2, TINY.height, TINY.width, 3), 0.5, np.float32)
    for wrong in (np.nan, 200.0, -1.0):
        with pytest.raises(DatasetError, match=r"values in \[0, 1\]"):
            aligned_faces(np.where(pictures > 0, wrong, pictures), ["a", "b"], TINY)
    for names in (["x"], ["x", "x"]):
        with pytest.raises(DatasetError, match="2 names, each once"):
            aligned_faces(pictures, ["a", "b"], TINY, names)
