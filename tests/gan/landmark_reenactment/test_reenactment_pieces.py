"""Networks, conditions, crops and triplets of the reenactment against their closed forms."""

import numpy as np
import pytest
import torch

from geomface.errors import LandmarkError, SettingsError
from geomface.gan.landmark_reenactment import (
    FaceFrames,
    Frame,
    Generator,
    NetworkSettings,
    PatchDiscriminator,
    TripletSet,
    collect_frames,
    condition_map,
    contours,
    crop_box,
    crop_face,
    draw_triplets,
    heatmaps,
    join_frames,
    mirror_points,
    to_66,
    to_68,
    vary_triplets,
)
from geomface.gan.landmark_reenactment.networks import compose
from geomface.gan.landmark_reenactment.points import mirror_of
from geomface.learning import DatasetError, Draws, stream_generator

SIZE = 24
TINY = NetworkSettings(SIZE, 4, 1, 4, "contours", sigma=0.8)


def face_points(count: int = 3, seed: int = 0, size: int = SIZE) -> np.ndarray:
    drawn = np.random.default_rng(seed)
    return drawn.uniform(2, size - 3, (count, 68, 2))


def build_frames(tracks: int = 3, length: int = 6, stills: int = 2) -> FaceFrames:
    drawn = np.random.default_rng(1)
    groups = np.r_[np.repeat(np.arange(tracks), length), tracks + np.arange(stills)]
    count = len(groups)
    images = drawn.integers(256, size=(count, 3, SIZE, SIZE), dtype=np.uint8)
    points = face_points(count, 2).astype(np.float32)
    moments = np.r_[np.tile(np.arange(length), tracks), np.zeros(stills, int)]
    names = tuple(f"{group}/{moment}" for group, moment in zip(groups, moments, strict=True))
    return FaceFrames(images, points, groups % 2, groups, moments, names)


def weights(network: torch.nn.Module) -> int:
    return sum(item.numel() for item in network.parameters())


def test_networks_have_the_paper_sizes() -> None:
    paper = NetworkSettings()
    assert weights(Generator(paper)) == 8_621_888
    assert weights(PatchDiscriminator(paper)) == 6_955_969
    assert paper.halvings == 5 and NetworkSettings(48).halvings == 3
    images = torch.zeros(2, 3, SIZE, SIZE)
    made = Generator(TINY)(images, torch.zeros(2, 3, SIZE, SIZE))
    assert made.shape == images.shape and made.abs().max() <= 1
    assert PatchDiscriminator(NetworkSettings(32, 4, 1, 4))(torch.zeros(1, 3, 32, 32)).shape == (
        1,
        1,
        4,
        4,
    )


def test_the_mask_says_what_stays() -> None:
    colors, images = torch.rand(2, 2, 3, 4, 4).double()
    ones = torch.ones(2, 1, 4, 4, dtype=torch.float64)
    torch.testing.assert_close(compose(colors, ones, images), images)
    assert torch.equal(compose(colors, 0 * ones, images), colors)
    generator = Generator(NetworkSettings(SIZE, 4, 1, 4, "contours", mask_head=False))
    encoded = generator.target(torch.zeros(1, 3, SIZE, SIZE))
    assert generator.layers(torch.zeros(1, 3, SIZE, SIZE), encoded)[1] is None


@pytest.mark.parametrize("count", [66, 68])
def test_the_mirror_is_an_involution(count: int) -> None:
    points = face_points()
    points = to_66(points) if count == 66 else points
    order = mirror_of(count)
    assert (order[order] == np.arange(count)).all()
    np.testing.assert_allclose(mirror_points(mirror_points(points, SIZE), SIZE), points)
    tensor = torch.from_numpy(points)
    assert torch.equal(mirror_points(tensor, SIZE), torch.from_numpy(mirror_points(points, SIZE)))
    assert mirror_points(points, SIZE)[0, 0, 0] == SIZE - 1 - points[0, 16, 0]


def test_66_landmarks_are_those_without_inner_corners() -> None:
    points = face_points()
    few = to_66(points)
    assert (few[:, 60:63] == points[:, 61:64]).all() and (few[:, 63:] == points[:, 65:]).all()
    full = to_68(few)
    np.testing.assert_array_equal(to_66(full), few)
    middle = (points[:, 61] + points[:, 67]) / 2
    np.testing.assert_allclose(full[:, 60], 0.91 * points[:, 48] + 0.09 * middle)
    assert torch.equal(to_68(torch.from_numpy(few)), torch.from_numpy(full))
    with pytest.raises(LandmarkError, match=r"expected \(..., 68, 2\).*got \(5, 2\)"):
        to_66(np.zeros((5, 2)))


@pytest.mark.parametrize("kind", ["heatmaps", "contours"])
def test_the_mirror_of_a_condition_is_that_of_the_mirror(kind: str) -> None:
    points = torch.from_numpy(face_points())
    made = {"heatmaps": heatmaps, "contours": contours}[kind]
    direct = made(points, SIZE, 1.3).flip(3)
    order = mirror_of(68) if kind == "heatmaps" else slice(None)
    torch.testing.assert_close(made(mirror_points(points, SIZE), SIZE, 1.3)[:, order], direct)


def test_heatmaps_peak_between_pixels() -> None:
    points = torch.full((1, 66, 2), 5.0, dtype=torch.float64)
    points[0, 0] = torch.tensor([7.3, 9.6], dtype=torch.float64)
    points[0, 1] = torch.tensor([-3.0, 4.0])
    points[0, 2, 0] = torch.nan
    points.requires_grad_(True)
    maps = heatmaps(points, SIZE, 1.75)
    y, x = np.mgrid[:SIZE, :SIZE]
    expected = np.exp(-((x - 7.3) ** 2 + (y - 9.6) ** 2) / (2 * 1.75**2))
    np.testing.assert_allclose(maps[0, 0].detach(), expected)
    assert maps[0, 5, 5, 5] == 1 and maps[0, 1:3].abs().max() == 0
    (slope,) = torch.autograd.grad(maps[0, 0].square().sum(), points)
    assert torch.isfinite(slope).all()
    given = torch.from_numpy(face_points(1))[:, :66].requires_grad_(True)
    assert torch.autograd.gradcheck(lambda p: heatmaps(p, 8, 1.75).sum(dim=(2, 3)), given)


def test_contours_fall_off_from_their_lines() -> None:
    points = torch.full((1, 68, 2), torch.nan, dtype=torch.float64)
    points[0, 27:31] = torch.tensor([[4.0, 4.0], [4.0, 8.0], [4.0, 12.0], [4.0, 16.0]])
    drawn = contours(points, SIZE, 1.0)
    assert drawn[0, 1:].abs().max() == 0
    along = drawn[0, 0, 4:17, 3]
    torch.testing.assert_close(along, torch.full_like(along, np.exp(-0.5)))
    assert drawn[0, 0, 18, 4].item() == pytest.approx(np.exp(-2.0))
    given = torch.from_numpy(face_points(1)).requires_grad_(True)
    assert torch.autograd.gradcheck(lambda p: contours(p, 8, 1.0)[:, :, ::3, ::3], given)
    one_place = torch.full((1, 68, 2), 3.0, requires_grad=True)
    (slope,) = torch.autograd.grad(contours(one_place, SIZE).sum(), one_place)
    assert torch.isfinite(slope).all()


def test_conditions_are_what_networks_take() -> None:
    points = torch.from_numpy(face_points()).float()
    for settings in (TINY, NetworkSettings(SIZE, points=66), NetworkSettings(SIZE, points=68)):
        shape = (3, settings.condition_channels, SIZE, SIZE)
        assert condition_map(points, settings).shape == shape
        assert condition_map(to_66(points), settings).shape == shape


def test_crops_put_the_box_and_its_margin_on_the_rim() -> None:
    points = np.array([[30.0, 40.0], [70.0, 40.0], [50.0, 100.0]])
    np.testing.assert_allclose(crop_box(points, 0.16), [22, 32, 78, 108])
    small = crop_box(points / 10, 0.16)
    np.testing.assert_allclose(small, [-5, -4, 15, 18])
    image = np.zeros((120, 90, 3), np.uint8)
    image[:, :50, 0] = 255
    image[70:, :, 1] = 255
    crop, moved, where = crop_face(image, points, 32, 0.16)
    assert crop.shape == (32, 32, 3) and crop.dtype == np.uint8
    assert (crop[:, :15, 0] == 255).all() and (crop[:, 17:, 0] == 0).all()
    assert (crop[:15, :, 1] == 0).all() and (crop[17:, :, 1] == 255).all()
    np.testing.assert_allclose(moved[0], [8 * 32 / 56 - 0.5, 8 * 32 / 76 - 0.5])
    np.testing.assert_allclose(where.to_picture(moved), points)
    with pytest.raises(LandmarkError, match="span a box"):
        crop_box(np.full((68, 2), np.nan))


def test_a_crop_of_the_whole_picture_is_the_picture() -> None:
    image = np.random.default_rng(0).integers(256, size=(20, 20, 3), dtype=np.uint8)
    corners = np.array([[0.0, 0.0], [20.0, 20.0]])
    np.testing.assert_array_equal(crop_face(image, corners, 20, 0.0)[0], image)
    half = crop_face(image, corners, 10, 0.0)[0].astype(float)
    assert abs(half.mean() - image.mean()) < 4
    grey = np.full((20, 20), 0.25, np.float32)
    assert (crop_face(grey, corners - 5, 16, 0.4)[0] == 64).all()


def test_triplets_are_of_one_group() -> None:
    frames = build_frames()
    rows = draw_triplets(frames, per_frame=5, seed=3)
    assert rows.shape == (18 * 5, 3) and (rows == draw_triplets(frames, per_frame=5, seed=3)).all()
    assert (frames.groups[rows] == frames.groups[rows[:, :1]]).all()
    assert all(len(set(row)) == 3 for row in rows.tolist())
    far = draw_triplets(frames, apart=1, within=4)
    gaps = np.abs(frames.moments[far[:, 1:]] - frames.moments[far[:, :1]])
    assert gaps.min() == 2 and gaps.max() == 4
    assert len(draw_triplets(frames, apart=4)) == 0


def test_triplets_become_batches_and_stills_move() -> None:
    frames = build_frames()
    still = np.repeat(np.arange(18, 20)[:, None], 3, axis=1)
    data = TripletSet(frames, np.concatenate([draw_triplets(frames), still]))
    batch = data.batch(torch.tensor([0, len(data) - 1]))
    assert batch["still"].tolist() == [0, 1] and "next" not in batch
    assert torch.equal(batch["source"][1], batch["target"][1])

    def draws() -> Draws:
        return Draws(stream_generator(0, "x"), 2)

    varied = vary_triplets(batch, draws(), mirror=0.0)
    for name in ("source", "target"):
        assert torch.equal(varied[name][0], batch[name][0])
        assert not torch.equal(varied[name][1], batch[name][1])
    assert not torch.equal(varied["source_points"][1], varied["next_points"][1])
    flipped = vary_triplets(batch, draws(), mirror=1.0)
    assert torch.equal(flipped["source"], varied["source"].flip(3))
    torch.testing.assert_close(
        flipped["next_points"], mirror_points(varied["next_points"], frames.size)
    )
    assert len(data.fingerprint()) == len(frames) + 1


def test_what_moves_takes_its_landmarks_along() -> None:
    y, x = np.mgrid[:64, :64]
    points = face_points(1, 5, 64).astype(np.float32)
    points[0, 0] = (20, 30)
    spot = np.exp(-((x - 20) ** 2 + (y - 30) ** 2) / 18)
    images = np.repeat((255 * spot).astype(np.uint8)[None, None], 3, axis=1)
    zero = np.zeros(1, np.int64)
    frames = FaceFrames(images, points, zero, zero, zero, ("a",), 0.16)
    batch = TripletSet(frames, np.zeros((1, 3), int)).batch(torch.tensor([0]))
    for seed in range(3):
        draws = Draws(stream_generator(seed, "x"), 1)
        varied = vary_triplets(batch, draws, mirror=0.0)
        for name in ("source", "target"):
            shown = (varied[name][0, 0] + 1).double().numpy() ** 2
            found = (shown * x).sum() / shown.sum(), (shown * y).sum() / shown.sum()
            np.testing.assert_allclose(found, varied[f"{name}_points"][0, 0], atol=0.3)


def test_frames_are_collected_joined_and_parted() -> None:
    image = np.zeros((SIZE, SIZE, 3), np.uint8)
    frames = [Frame(f"{k}", image, p, 3, 7, k) for k, p in enumerate(face_points())]
    found = collect_frames(frames, 16)
    assert found.images.shape == (3, 3, 16, 16) and found.size == 16
    other = FaceFrames(
        found.images, found.points, found.people, found.groups, found.moments, ("a", "b", "c")
    )
    joined = join_frames([found, other])
    assert joined.people.tolist() == joined.groups.tolist() == [0, 0, 0, 1, 1, 1]
    assert joined.subset(joined.people == 1).names == ("a", "b", "c")
    with pytest.raises(DatasetError, match="expected some, got none"):
        collect_frames([], 16)
    with pytest.raises(DatasetError, match="one person in each group"):
        FaceFrames(
            found.images, found.points, np.arange(3), found.groups, found.moments, found.names
        )
    with pytest.raises(DatasetError, match="each name once"):
        join_frames([found, found])
    with pytest.raises(DatasetError, match="points: expected"):
        FaceFrames(found.images, found.points[:1], *[found.groups] * 3, found.names)


@pytest.mark.parametrize(
    ("change", "told"),
    [({"size": 30}, "multiple of 4"), ({"points": 60}, "66 or 68"), ({"condition": "x"}, "one of")],
)
def test_settings_that_do_not_fit_are_refused(change: dict[str, object], told: str) -> None:
    with pytest.raises(SettingsError, match=told):
        NetworkSettings(**change)  # type: ignore[arg-type]


def test_lines_are_the_same_with_and_without_gradients() -> None:
    points = torch.from_numpy(face_points(4) * 1.4 - 4)
    points[0, 3] = torch.nan
    points[1, 20:23] = 5.0
    drawn = contours(points, SIZE, 0.8)
    torch.testing.assert_close(
        contours(points.requires_grad_(True), SIZE, 0.8), drawn, rtol=0, atol=4e-6
    )


def test_heads_are_an_ordinary_convolution() -> None:
    heads = Generator(NetworkSettings(SIZE, 4, 1, 4)).double().heads
    inner = torch.rand(2, 4, SIZE, SIZE, dtype=torch.float64)
    torch.testing.assert_close(
        heads(inner), torch.nn.functional.conv2d(inner, heads.weight, None, 1, 3)
    )
