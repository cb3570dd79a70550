"""The field through the landmarks: exact for affine motions, smooth, and of what is known."""

import numpy as np
import pytest
import torch

from geomface.errors import SettingsError
from geomface.gan.landmark_reenactment import (
    Generator,
    NetworkSettings,
    condition_map,
    look,
    reenact,
    to_66,
    warp_field,
)

SIZE = 32
DRAWN = np.random.default_rng(4)
POINTS = torch.from_numpy(DRAWN.uniform(6, SIZE - 7, (2, 68, 2)))
SMALL = NetworkSettings(SIZE, 4, 1, 4, "contours", sigma=0.7, warp=True)


def grid() -> torch.Tensor:
    """Return centres of pixels (S, S, 2)."""
    y, x = torch.meshgrid(torch.arange(SIZE), torch.arange(SIZE), indexing="ij")
    return torch.stack([x, y], dim=2).double()


def pixels(field: torch.Tensor) -> torch.Tensor:
    """Return a field (N, 2, S, S) in pixels (N, S, S, 2)."""
    return (0.5 * (field + 1.0) * SIZE - 0.5).permute(0, 2, 3, 1)


@pytest.mark.parametrize("smoothing", [1e-6, 0.03, 10.0])
def test_affine_motions_are_exact_inside(smoothing: float) -> None:
    """They bend nothing, so no smoothing changes them."""
    turn = torch.tensor([[0.9, 0.2], [-0.15, 1.1]], dtype=torch.float64)
    source = POINTS @ turn.mT + torch.tensor([1.5, -2.0])
    found = pixels(warp_field(source, POINTS, SIZE, smoothing))
    expected = grid() @ turn.mT + torch.tensor([1.5, -2.0])
    inner = slice(4, -4)  # between the coarse places; beyond the last ones it stays level
    torch.testing.assert_close(
        found[:, inner, inner], expected[inner, inner].expand(2, -1, -1, -1), atol=0.02, rtol=0
    )


def test_landmarks_lead_back_to_themselves() -> None:
    """A smooth motion is met at every landmark, by little smoothing, within a tenth of a pixel."""
    source = POINTS + 1.5 * torch.sin(POINTS.flip(2) / 9.0)
    field = warp_field(source, POINTS, SIZE, 1e-5)
    places = 2.0 * (POINTS[:, None] + 0.5) / SIZE - 1.0
    seen = torch.nn.functional.grid_sample(field, places, align_corners=False)[:, :, 0].mT
    found = 0.5 * (seen + 1.0) * SIZE - 0.5
    assert (found - source).norm(dim=2).max() < 0.12


def test_pictures_move_with_their_landmarks() -> None:
    """A picture that is linear in place shows where it was looked at."""
    source = POINTS + torch.tensor([3.0, -2.0])
    ramp = grid().permute(2, 0, 1)[None].expand(2, -1, -1, -1)
    seen = look(ramp, warp_field(source, POINTS, SIZE))
    inner = seen[:, :, 6:-6, 6:-6] - ramp[:, :, 6:-6, 6:-6]
    assert (inner - torch.tensor([3.0, -2.0]).view(1, 2, 1, 1)).abs().max() < 0.02


def test_unknown_landmarks_do_not_count() -> None:
    gone = [3, 40, 60]
    some = POINTS.clone()
    some[:, gone] = torch.nan
    source = POINTS + torch.sin(POINTS.flip(2) / 7.0)
    rest = [k for k in range(68) if k not in gone]
    expected = warp_field(source[:, rest], POINTS[:, rest], SIZE)
    assert (warp_field(source, some, SIZE) - expected).abs().max() < 1e-3
    assert torch.isfinite(warp_field(torch.full_like(source, torch.nan), some, SIZE)).all()


def test_a_face_that_stays_is_looked_at_as_it_is() -> None:
    condition = condition_map(POINTS, SMALL, POINTS)
    assert condition.shape == (2, 5, SIZE, SIZE)
    image = torch.from_numpy(DRAWN.uniform(-1, 1, (2, 3, SIZE, SIZE)))
    seen = look(image, condition[:, -2:])
    inner = slice(4, -4)
    assert (seen - image)[:, :, inner, inner].abs().max() < 0.05


def test_landmarks_of_the_picture_are_asked_for() -> None:
    with pytest.raises(SettingsError, match="by which these networks move them"):
        condition_map(POINTS, SMALL)


def test_a_sequence_moves_from_where_the_face_is() -> None:
    """One to one from the picture's landmarks, progressively from those of the frame before."""
    torch.manual_seed(0)
    generator = Generator(SMALL).eval()
    face = DRAWN.integers(256, size=(SIZE, SIZE, 3), dtype=np.uint8)
    track = np.concatenate([POINTS.numpy(), POINTS.numpy()[:1] + 1.0])
    own = POINTS.numpy()[1] - 0.5
    image = torch.from_numpy(face).permute(2, 0, 1)[None].float() / 127.5 - 1.0
    marks, first = torch.from_numpy(track).float(), torch.from_numpy(own).float()[None]
    for progressive in (False, True):
        frames = list(reenact(generator, SMALL, face, track, own=own, progressive=progressive))
        x, here = image, first
        for k, frame in enumerate(frames):
            with torch.no_grad():
                made = generator(x, condition_map(marks[k : k + 1], SMALL, here))
            level = (127.5 * (made[0].clamp(-1, 1) + 1) + 0.5).byte().permute(1, 2, 0).numpy()
            assert np.abs(level.astype(int) - frame).max() <= 1
            if progressive:
                x, here = made, marks[k : k + 1]
    given = list(reenact(generator, SMALL, face, to_66(track), own=to_66(own)))
    assert len(given) == 3
    for progressive in (False, True):
        assert not list(
            reenact(generator, SMALL, face, track[:0], own=own, progressive=progressive)
        )
