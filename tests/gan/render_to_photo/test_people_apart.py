"""Distances of pairs of people: closed forms, each pair once, the same pairs for the same seed."""

import numpy as np
import pytest
import torch
from translation_cases import SIZE, build_embedder

from geomface.errors import SettingsError
from geomface.gan.render_to_photo import people_apart
from geomface.gan.render_to_photo.pair_distances import describe_images
from geomface.recognition import Alignment, EmbedderModule, aligned_faces
from geomface.recognition.aligned.aligned_faces import AlignedFaces
from geomface.report.recognition_figures import distances_figure

SMALL = Alignment(SIZE, SIZE)


def faces_of(people: list[str], seed: int = 0) -> tuple[torch.Tensor, AlignedFaces]:
    pictures = np.random.default_rng(seed).random((len(people), SIZE, SIZE, 3), np.float32)
    images = 2.0 * torch.from_numpy(pictures).permute(0, 3, 1, 2) - 1.0
    return images, aligned_faces(pictures, people, SMALL)


def test_distances_are_those_of_unit_descriptors() -> None:
    images, faces = faces_of(["a", "a", "b", "b", ""])
    embedder = build_embedder()
    found = people_apart(images, faces, embedder)
    assert found is not None
    rows = describe_images(images, EmbedderModule(embedder, SMALL).eval())
    gaps = ((rows[:, None] - rows[None]) ** 2).sum(2)
    same = gaps[[0, 2], [1, 3]]
    other = gaps[:2, 2:4].ravel()
    assert (found.same.pairs, found.other.pairs) == (2, 4)
    assert found.same.mean == pytest.approx(same.mean(), abs=1e-6)
    assert found.other.deviation == pytest.approx(other.std(), abs=1e-6)
    spread = np.sqrt(0.5 * (same.var() + other.var()))
    assert found.d_prime == pytest.approx((other.mean() - same.mean()) / spread, rel=1e-4)
    nearer = (same[:, None] < other[None]).mean()
    assert found.auc == pytest.approx(nearer)
    widths = np.diff(found.edges)
    assert (widths * found.same.density).sum() == pytest.approx(1, abs=1e-3)


def test_each_pair_comes_once_and_by_the_seed() -> None:
    images, faces = faces_of([str(number // 6) for number in range(60)])
    drawn = [people_apart(images, faces, build_embedder(), pairs=40, seed=s) for s in (0, 0, 1)]
    assert all(one is not None and (one.same.pairs, one.other.pairs) == (40, 40) for one in drawn)
    assert drawn[0] == drawn[1] != drawn[2]
    every = people_apart(images, faces, build_embedder())
    assert every is not None and every.same.pairs == 10 * 15 and every.other.pairs == 1000


@pytest.mark.parametrize("people", [["", "", ""], ["a", "b", "c"], ["a", "a", ""]])
def test_nobody_to_be_told_apart_is_none(people: list[str]) -> None:
    assert people_apart(*faces_of(people), build_embedder()) is None


def test_the_figure_has_a_panel_a_set() -> None:
    edges = np.linspace(0, 4, 9)
    one, two = np.eye(8)[1], np.eye(8)[4]
    figure = distances_figure({"renders": (edges, one, two), "translated": (edges, two, one)})
    assert [axis.get_title() for axis in figure.axes] == ["renders", "translated"]
    assert figure.axes[0].get_xlim()[1] == pytest.approx(2.5)  # up to the last pair
    with pytest.raises(SettingsError, match="expected a set with pairs"):
        distances_figure({})
