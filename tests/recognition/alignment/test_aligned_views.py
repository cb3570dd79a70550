"""What an embedder of one alignment sees of pictures of another."""

import numpy as np
import pytest
import torch

from geomface.recognition import (
    Alignment,
    EmbedderModule,
    FaceEmbedder,
    NetworkSettings,
    align_face,
    build_network,
)
from geomface.recognition.alignment.view import view_aligned
from geomface.recognition.embedder.whitening import Whitening

HAS, WANTED = Alignment(108, 108), Alignment(56, 48)


def smooth_picture(size: int = 200) -> np.ndarray:
    """A picture whose parts can be told apart, and that pixels of any size show."""
    y, x = np.mgrid[:size, :size] / size
    waves = [np.sin(9 * x + 2 * y), np.cos(7 * y - x), np.sin(5 * (x + y))]
    return (0.5 + 0.4 * np.stack(waves, axis=2)).astype(np.float32)


def aligned(alignment: Alignment) -> torch.Tensor:
    points = Alignment(112, 96).points * 1.3 + [30, 20]
    picture = align_face(smooth_picture(), points, alignment)
    return torch.from_numpy(picture).permute(2, 0, 1)[None].double()


@pytest.mark.parametrize(("has", "wanted"), [(HAS, WANTED), (Alignment(32, 32), WANTED)])
def test_a_view_is_what_alignment_would_have_shown(has: Alignment, wanted: Alignment) -> None:
    seen, expected = view_aligned(aligned(has), has, wanted), aligned(wanted)
    assert seen.shape == expected.shape
    inside = (..., slice(3, -3), slice(3, -3))
    assert (seen - expected)[inside].abs().max() < 0.01


def test_the_same_alignment_changes_nothing() -> None:
    images = torch.rand(2, 3, 56, 48, dtype=torch.float64)
    torch.testing.assert_close(view_aligned(images, WANTED, WANTED), images)


def test_the_rim_goes_on_where_more_is_seen() -> None:
    images = torch.rand(1, 3, 112, 96)
    seen = view_aligned(images, Alignment(112, 96), Alignment(112, 112))
    torch.testing.assert_close(seen[..., 8:-8], images)
    torch.testing.assert_close(seen[..., 0], images[..., 0])


def test_views_are_shifted_and_mirrored_one_by_one() -> None:
    images = torch.rand(3, 3, 56, 48, dtype=torch.float64)
    shift = torch.tensor([[0.0, 0.0], [2 / 48, 0.0], [0.0, -1 / 56]], dtype=torch.float64)
    mirrored = torch.tensor([True, False, False])
    seen = view_aligned(images, WANTED, WANTED, shift=shift, mirrored=mirrored)
    torch.testing.assert_close(seen[0], images[0].flip(2))
    torch.testing.assert_close(seen[1][..., :-2], images[1][..., 2:])
    torch.testing.assert_close(seen[2][:, 1:], images[2][:, :-1])


def test_gradients_go_through() -> None:
    images = torch.rand(1, 1, 16, 16, dtype=torch.float64, requires_grad=True)
    shift = torch.full((1, 2), 0.03, dtype=torch.float64)
    small = Alignment(16, 16)
    assert torch.autograd.gradcheck(
        lambda x: view_aligned(x, small, Alignment(20, 18), shift=shift), images
    )


@pytest.mark.parametrize("whitened", [False, True])
def test_an_embedder_inside_of_networks_tells_what_it_tells(whitened: bool) -> None:
    rng = np.random.default_rng(0)
    whitening = Whitening(0.1 * rng.normal(size=8), rng.normal(size=(8, 8)))
    network = build_network(NetworkSettings("compact", height=20, width=18, descriptor_size=8))
    small = Alignment(20, 18)
    embedder = FaceEmbedder(network.eval(), small, whitening=whitening if whitened else None)
    pictures = rng.random((3, 20, 18, 3), np.float32)
    images = 2 * torch.from_numpy(pictures).permute(0, 3, 1, 2) - 1
    found = EmbedderModule(embedder, small).eval()(images)
    np.testing.assert_allclose(found.detach().numpy(), embedder.embed(pictures), atol=1e-5)
