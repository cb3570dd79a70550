"""Normal pictures on a plane and a sphere, the triplet loss by hand, nets that learn to tell."""

import dataclasses
from pathlib import Path

import numpy as np
import pytest
import torch

import geomface as gf
from geomface.errors import MeshError, SettingsError
from geomface.gan.factored_geometry.normal_pictures import make_raster, normals_of
from geomface.gan.factored_geometry.triplet import (
    TripletSettings,
    all_triplets,
    train_embedding,
)
from geomface.learning import LoopSettings
from geomface.learning.errors import DatasetError
from geomface.mesh import Mesh
from geomface.metrics import balanced_pairs, choose_threshold, pair_distances
from geomface.synthesis.labelled_faces import LabelledFacesSettings, draw_labelled_faces


def sheet(count: int = 30) -> Mesh:
    """A square of count x count vertices in the plane z = 0, seen from +z."""
    x, y = (item.ravel() for item in np.meshgrid(*[np.linspace(-1, 1, count)] * 2))
    place = np.arange(count * count).reshape(count, count)
    a, b, c, d = place[:-1, :-1], place[:-1, 1:], place[1:, 1:], place[1:, :-1]
    halves = [np.stack([a, b, c], axis=-1), np.stack([a, c, d], axis=-1)]
    faces = np.concatenate([half.reshape(-1, 3) for half in halves])
    return Mesh(np.stack([x, y, np.zeros_like(x)], axis=1), faces, name="sheet")


def test_normals_of_planes_are_exact_and_those_of_a_bowl_nearly() -> None:
    flat = sheet()
    raster = make_raster(flat, 24)
    inside = np.zeros(24 * 24, bool)
    inside[raster.pixels] = True
    for slope in ([0.0, 0.0], [0.5, 0.0], [-0.3, 0.8]):
        tilted = flat.vertices.copy()
        tilted[:, 2] = flat.vertices[:, :2] @ slope
        picture = normals_of(raster, tilted[None])[0].reshape(3, -1)
        normal = np.array([-slope[0], -slope[1], 1.0])
        expected = normal / np.linalg.norm(normal)
        np.testing.assert_allclose(
            picture[:, inside], np.repeat(expected[:, None], inside.sum(), 1), atol=1e-5
        )
        assert not picture[:, ~inside].any()
    bowl = flat.vertices.copy()
    bowl[:, 2] = 0.5 * np.square(bowl[:, :2]).sum(axis=1)
    picture = normals_of(raster, bowl[None])[0]
    assert picture[0, 12, 3] > 0.3 > -0.3 > picture[0, 12, 20], "left looks right, in a bowl"
    assert picture[1, 20, 12] > 0.3 > -0.3 > picture[1, 3, 12], "below looks up"


def test_triplets_by_hand() -> None:
    embedded = torch.tensor([[0.0], [1.0], [3.0], [3.5]])
    labels = torch.tensor([0, 0, 1, 1])
    loss, _ = all_triplets(embedded, labels, margin=2.0)
    # own 1, 1, .5, .5; others 3 3.5, 2 2.5, 3 2, 3.5 2.5: three triplets violate, by 1, .5, .5
    assert float(loss) == pytest.approx(2 / 3)
    near = embedded.clone().requires_grad_(True)
    all_triplets(near, labels, margin=0.1)[0].backward()
    assert near.grad is not None and not near.grad.any(), "all are apart"


def test_people_are_told_apart_on_people_never_seen(tmp_path: Path) -> None:
    """Better than before training, and the same again when the run is read."""
    world = draw_labelled_faces(gf.load_builtin_face(), LabelledFacesSettings(40, 4))
    identity = world.labels["identity"]
    training, test = world.select(identity < 28), world.select(identity >= 28)
    settings = TripletSettings(
        24, 4, 16, classes=8, samples=3, horizon=60, loop=LoopSettings(60, 20, 60, 60)
    )
    accuracy = []
    for steps in (1, 60):
        use = dataclasses.replace(settings, loop=LoopSettings(steps, 20, 60, 60))
        embedding = train_embedding(use, training, "identity", tmp_path / "run")
        rows = embedding(test.vertices)
        pairs, same = balanced_pairs(test.labels["identity"], count=2000, seed=1)
        accuracy.append(choose_threshold(pair_distances(rows, pairs), same).accuracy)
    assert accuracy[1] > max(accuracy[0] + 0.03, 0.8), accuracy
    np.testing.assert_allclose(np.linalg.norm(rows, axis=1), 1.0, atol=1e-5)
    again = train_embedding(use, training, "identity", tmp_path / "run")
    np.testing.assert_array_equal(again(test.vertices), rows)


def test_bad_input(tmp_path: Path) -> None:
    world = draw_labelled_faces(gf.load_builtin_face(), LabelledFacesSettings(2, 3))
    with pytest.raises(SettingsError, match="two or more classes"):
        one = world.select(world.labels["identity"] == 0)
        train_embedding(TripletSettings(), one, "identity", tmp_path)
    with pytest.raises(DatasetError, match="labels of age"):
        train_embedding(TripletSettings(), world, "age", tmp_path)
    with pytest.raises(SettingsError, match="classes: expected 2 or more"):
        TripletSettings(classes=1)
    with pytest.raises(SettingsError, match="pixels"):
        make_raster(sheet(), 4)
    with pytest.raises(MeshError, match="vertices"):
        make_raster(sheet(), 16).pictures(np.zeros((1, 2, 3)))
    assert not list(tmp_path.iterdir())
