"""Data of any size from arrays, folders and shards; losses of labels; the memory of classes."""

import io
import tarfile
from pathlib import Path

import numpy as np
import pytest
import torch

from geomface.files import save_image
from geomface.files.images import encode_image
from geomface.learning import (
    ArraySet,
    DatasetError,
    PictureSet,
    SetMemory,
    Stream,
    class_weights,
    label_loss,
    picture_folder,
    picture_shards,
)
from geomface.synthesis.shards import ShardWriter


def test_arrays_may_stay_on_disk(tmp_path: Path) -> None:
    pictures = np.random.default_rng(0).integers(0, 255, (9, 3, 112, 96), np.uint8)
    np.save(tmp_path / "x.npy", pictures)
    lazy = np.load(tmp_path / "x.npy", mmap_mode="r")
    data = ArraySet({"images": lazy, "labels": np.arange(9), "masks": pictures[:, :1] > 9})
    batch = Stream("faces", data, 4).take(0, 7, 4)
    assert batch["images"].shape == (4, 3, 112, 96) and batch["labels"].dtype == torch.int64
    expected = torch.from_numpy(pictures[batch["labels"].numpy()]).float() / 127.5 - 1
    assert torch.equal(batch["images"], expected)
    assert set(batch["masks"].unique().tolist()) == {0.0, 1.0}
    with pytest.raises(DatasetError, match="columns of one length"):
        ArraySet({"images": lazy, "labels": np.arange(8)})


def write_pictures(folder: Path) -> np.ndarray:
    drawn = np.random.default_rng(1).integers(0, 255, (4, 112, 96, 3)).astype(np.float32) / 255
    for person in ("anna", "ben"):
        (folder / person).mkdir(parents=True)
    for index, name in enumerate(["anna/1.png", "anna/2.png", "ben/1.png", "loose.png"]):
        save_image(folder / name, drawn[index])
    return drawn


def check(data: PictureSet, drawn: np.ndarray, labels: list[int]) -> None:
    batch = data.batch(torch.arange(4))
    assert batch["labels"].tolist() == labels
    np.testing.assert_allclose(
        batch["images"].permute(0, 2, 3, 1).numpy(), 2 * drawn - 1, rtol=0, atol=1e-6
    )


def test_folders_are_classes(tmp_path: Path) -> None:
    drawn = write_pictures(tmp_path)
    data = picture_folder(tmp_path)
    check(data, drawn, [0, 0, 1, -1])
    before = data.fingerprint()
    save_image(tmp_path / "ben" / "1.png", drawn[0])
    after = data.fingerprint()
    assert [name for name in before if before[name] != after[name]] == ["ben/1.png"]
    save_image(tmp_path / "loose.png", drawn[0, :100])
    with pytest.raises(DatasetError, match=r"loose.png: .* 96 x 112 .* 96 x 100"):
        data.batch(torch.arange(4))
    with pytest.raises(DatasetError, match="expected a folder of pictures, got none"):
        picture_folder(tmp_path / "nowhere")


@pytest.mark.parametrize("channels", [1, 3])
def test_what_alpha_hides_is_grey(
    tmp_path: Path, channels: int, caplog: pytest.LogCaptureFixture
) -> None:
    pixels = np.random.default_rng(2).random((6, 5, 4)).astype(np.float32)
    pixels[..., 3] = 1
    save_image(tmp_path / "a.png", pixels)
    pixels[:3, :, 3] = 0
    pixels[3, :, 3] = 51 / 255
    for name in ("b.png", "c.png"):
        save_image(tmp_path / name, pixels)
    save_image(tmp_path / "d.png", pixels, bits=16)
    save_image(tmp_path / "e.png", pixels[..., :3])
    images = picture_folder(tmp_path, channels=channels).batch(torch.arange(5))["images"]
    shown = images[4]
    torch.testing.assert_close(images[0], shown)
    for image in images[1:4]:
        assert image[:, :3].abs().max() < 1e-6
        torch.testing.assert_close(image[:, 3], 0.2 * shown[:, 3], atol=1e-2, rtol=0)
        torch.testing.assert_close(image[:, 4:], shown[:, 4:], atol=1e-2, rtol=0)
    assert len(caplog.messages) == 1 and caplog.messages[0].startswith("b.png: is transparent")


def test_shards_are_read_where_they_lie(tmp_path: Path) -> None:
    drawn = write_pictures(tmp_path / "set")
    names = ["anna/1", "anna/2", "ben/1", "loose"]
    with tarfile.open(tmp_path / "0.tar", "w") as shard:
        for name in names:
            shard.add(tmp_path / "set" / f"{name}.png", f"{name}.png")
            text = b'{"label": 7}' if name == "ben/1" else b"{}"
            entry = tarfile.TarInfo(f"{name}.json")
            entry.size = len(text)
            shard.addfile(entry, io.BytesIO(text))
    data = picture_shards([tmp_path / "0.tar"])
    check(data, drawn, [-1, -1, 7, -1])
    assert list(data.fingerprint()) == names
    with pytest.raises(DatasetError, match=r"pictures KEY\.rgb\.bmp, got none"):
        picture_shards([tmp_path / "0.tar"], picture="rgb")


def test_shards_of_our_own_sets_are_read(tmp_path: Path) -> None:
    drawn = np.random.default_rng(1).integers(0, 255, (2, 112, 96, 3)).astype(np.float32) / 255
    with open(tmp_path / "pictures.tar", "wb") as stream:
        writer = ShardWriter(stream)
        for index, picture in enumerate(drawn):
            for output in ("rgb", "albedo"):
                shown = picture if output == "rgb" else 0 * picture
                writer.add(f"v1.2/{index}.{output}.png", encode_image(shown, "x"))
            writer.add(f"v1.2/{index}.json", b'{"identity": %d}' % (5 + index))
        writer.finish()
    data = picture_shards([tmp_path / "pictures.tar"], picture="rgb", label="identity")
    batch = data.batch(torch.tensor([1, 0]))
    assert data.names == ("v1.2/0", "v1.2/1") and batch["labels"].tolist() == [6, 5]
    expected = torch.from_numpy(drawn[::-1].copy()).permute(0, 3, 1, 2) * 2 - 1
    torch.testing.assert_close(batch["images"], expected)


def test_missing_labels_give_no_loss_and_no_gradient() -> None:
    logits = torch.randn(4, 3, generator=torch.Generator().manual_seed(0)).requires_grad_()
    loss = label_loss(logits, torch.full((4,), -1))
    loss.backward()
    assert loss.item() == 0.0 and torch.equal(logits.grad, torch.zeros(4, 3))
    some = torch.tensor([2, -1, 0, -1])
    expected = torch.nn.functional.cross_entropy(logits[::2], some[::2])
    torch.testing.assert_close(label_loss(logits, some), expected)


def test_class_weights_average_to_one_over_the_samples() -> None:
    labels = torch.tensor([0, 0, 0, 2, -1, 3, 3])
    weights = class_weights(labels, 4)
    assert weights[1] == 0 and weights[0] * 3 == weights[2] == weights[3] * 2
    assert weights[labels[labels >= 0]].mean().item() == pytest.approx(0.75)  # an empty class


def test_centroids_have_their_closed_form() -> None:
    """0, then 0.05, then 0.0975; two rows of one class in a batch add."""
    memory = SetMemory(2, 1)
    for expected in (0.05, 0.0975):
        memory.update(torch.ones(1, 1), torch.tensor([0]))
        assert memory.centroids[0].item() == pytest.approx(expected)
    memory.update(torch.ones(2, 1), torch.tensor([1, 1]))
    assert memory.centroids[1].item() == pytest.approx(0.1)
    memory.update(torch.ones(1, 1), torch.tensor([-1]))
    assert memory.centroids.flatten().tolist() == pytest.approx([0.0975, 0.1])


def test_the_set_loss_pulls_to_the_own_and_pushes_from_the_other() -> None:
    memory = SetMemory(2, 2)
    memory.centroids.copy_(torch.tensor([[0.0, 0.0], [1.0, 0.0]]))
    rows = torch.tensor([[0.6, 0.1], [0.5, -0.2]], dtype=torch.float64).requires_grad_()
    labels = torch.tensor([0, 1])
    loss = memory.loss(rows, labels)
    own, other = [0.36 + 0.01, 0.25 + 0.04], [0.16 + 0.01, 0.25 + 0.04]
    twice = 2 * sum(own)
    by_hand = [
        1 + d / twice + np.log(np.exp(-e / twice) + 1e-8) for d, e in zip(own, other, strict=True)
    ]
    assert loss.item() == pytest.approx(np.mean(np.maximum(by_hand, 0)), rel=1e-9)
    (slope,) = torch.autograd.grad(loss, rows)
    assert slope[0, 0] > 0 and slope[1, 0] < 0, "descent goes to the own centroid"
    alone = SetMemory(1, 2).loss(rows[:1], labels[:1])
    assert torch.isfinite(alone)


def test_the_printed_sign_would_push_from_the_own_centroid() -> None:
    """Gecer et al. 2018, Eq. 7 as printed, with exp(+...): its descent leads away."""
    centroids = torch.tensor([[0.0, 0.0], [1.0, 0.0]])
    row = torch.tensor([[0.4, 0.0]], requires_grad=True)
    memory = SetMemory(2, 2)
    memory.centroids.copy_(centroids)
    own, other = (row[0] - centroids).square().sum(1)
    printed = -(own / 0.5 - 1) + torch.log(torch.exp(other / 0.5))
    (slope,) = torch.autograd.grad(printed, row)
    (ours,) = torch.autograd.grad(memory.loss(row, torch.tensor([0])), row)
    assert slope[0, 0] < 0 < ours[0, 0]


def test_the_set_loss_leaves_out_who_is_unknown() -> None:
    memory = SetMemory(3, 2, variance_power=2)
    memory.centroids.copy_(torch.tensor([[0.0, 0.0], [1.0, 0.0], [0.3, 0.9]]))
    rows = torch.rand(4, 2, dtype=torch.float64, requires_grad=True)
    labels = torch.tensor([2, -1, 0, 1])
    known = memory.loss(rows[[0, 2, 3]], labels[[0, 2, 3]])
    assert memory.loss(rows, labels).item() == pytest.approx(known.item(), rel=1e-12)
    assert torch.autograd.gradcheck(lambda x: memory.loss(x, labels), rows)
    nobody = memory.loss(rows, torch.full((4,), -1))
    assert nobody == 0 and not torch.autograd.grad(nobody, rows)[0].any()
    distances = (rows[:, None] - memory.centroids).square().sum(2).detach()
    own = distances.gather(1, labels.clamp(min=0)[:, None])[:, 0]
    twice = 2 * (own[labels >= 0].sum() / 2) ** 2
    others = torch.exp(-distances / twice).scatter(1, labels.clamp(min=0)[:, None], 0.0).sum(1)
    by_hand = torch.relu(1 + own / twice + torch.log(others + 1e-8))[labels >= 0].mean()
    assert known.item() == pytest.approx(by_hand.item(), rel=1e-6)
