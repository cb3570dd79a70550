"""Embedding networks: their sizes as published, any picture, and the file of an embedder."""

import dataclasses
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from geomface.errors import FileFormatError, SettingsError
from geomface.files import load_tensors, save_tensors
from geomface.learning.parametric_relu import ParametricReLU
from geomface.recognition import (
    NETWORKS,
    FaceEmbedder,
    NetworkSettings,
    alignment_of,
    build_network,
    default_network,
    load_embedder,
    save_embedder,
)
from geomface.recognition.networks.embedder_network import EmbedderNetwork

SMALL = NetworkSettings(height=33, width=26, descriptor_size=16)


def weights(network: nn.Module) -> int:
    return sum(item.numel() for item in network.parameters())


def trained(settings: NetworkSettings = SMALL) -> EmbedderNetwork:
    """A network whose normalisations have seen pictures."""
    torch.manual_seed(0)
    network = build_network(settings)
    network(torch.rand(16, 3, *network.picture) * 2 - 1)
    return network.eval()


def test_parameter_counts() -> None:
    with torch.device("meta"):
        counts = {name: weights(build_network(default_network(name))) for name in NETWORKS}
    assert counts["lresnet50e_ir"] == 41_755_840
    assert counts["iresnet18"] == 22_190_592
    assert 450_000 < counts["compact"] < 550_000


@pytest.mark.parametrize("name", NETWORKS)
def test_pictures_of_any_size_become_points_of_the_sphere(name: str) -> None:
    settings = NetworkSettings(name, height=37, width=18, descriptor_size=24, dropout=0.5)  # type: ignore[arg-type]
    network = trained(settings)
    assert network.picture == (37, 18) and network.descriptor_size == 24
    pictures = torch.rand(5, 3, 37, 18) * 2 - 1
    with torch.no_grad():
        features, found = network.features(pictures), network(pictures)
        network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        last = network(pictures.contiguous(memory_format=torch.channels_last))
        with torch.autocast("cpu", torch.bfloat16):
            half = network(pictures)
    torch.testing.assert_close(found.norm(dim=1), torch.ones(5))
    torch.testing.assert_close(found, features / features.norm(dim=1, keepdim=True))
    torch.testing.assert_close(last, found, rtol=0, atol=1e-5)
    assert half.dtype == torch.float32 and float((half * found).sum(dim=1).min()) > 0.99


def test_weights_begin_as_the_paper_says() -> None:
    torch.manual_seed(0)
    for name, layer in build_network(default_network("iresnet18")).named_modules():
        if isinstance(layer, nn.Conv2d) and layer.kernel_size == (3, 3):
            bound = (6 / (9 * (layer.in_channels + layer.out_channels))) ** 0.5
            assert 0.9 * bound < float(layer.weight.detach().abs().max()) <= bound, name
        if isinstance(layer, nn.BatchNorm2d | nn.BatchNorm1d):
            assert (layer.weight == 1).all() and (layer.bias == 0).all()
        if isinstance(layer, nn.Linear):
            assert (layer.bias == 0).all()


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize("shape", [(4, 6, 5, 3), (7, 6)])
@pytest.mark.parametrize("slopes", [1, 6])
def test_the_quick_prelu_is_that_of_torch(shape: tuple[int, ...], dtype, slopes: int) -> None:
    torch.manual_seed(0)
    own, theirs = ParametricReLU(slopes), nn.PReLU(slopes)
    theirs.load_state_dict(own.state_dict())
    x = torch.randn(shape).to(dtype)
    x.view(-1)[::7] = 0.0
    results = []
    for layer in (own, theirs.to(dtype)):
        item = x.clone().requires_grad_()
        (layer(item) * torch.linspace(-1, 1, x.numel()).reshape(shape).to(dtype)).sum().backward()
        assert item.grad is not None and layer.weight.grad is not None
        results.append((layer(item).detach(), item.grad, layer.weight.grad.to(dtype)))
    for one, other in zip(*results, strict=True):
        torch.testing.assert_close(one, other)
    inputs = (torch.randn(3, slopes, 2, dtype=torch.float64, requires_grad=True),)
    assert torch.autograd.gradcheck(own.double(), inputs)


def test_an_embedder_is_read_as_it_was_written(tmp_path: Path) -> None:
    path, network = tmp_path / "E.safetensors", trained()
    card = {"people": 3}
    embedder = FaceEmbedder(network, alignment_of("33x26"), {"lfw": 0.25}, card)
    save_embedder(path, embedder)
    read = load_embedder(path)
    assert read.network.settings == SMALL and read.alignment.id == "five-points-33x26"
    assert (read.thresholds, read.card) == ({"lfw": 0.25}, card)
    faces = np.random.default_rng(0).random((70, 33, 26, 3), np.float32)
    found, again = embedder.embed(faces), read.embed(faces)
    assert found.shape == (70, 16) and found.dtype == np.float64
    np.testing.assert_allclose(np.linalg.norm(found, axis=1), 1.0, rtol=0, atol=1e-12)
    assert (found * again).sum(axis=1).min() > 0.9999
    np.testing.assert_allclose(again[3], read.embed(faces[3:4])[0], rtol=0, atol=1e-5)
    assert path.stat().st_size < 2.2 * weights(network) + 20_000
    assert read.embed(faces[:0]).shape == (0, 16)
    copy = tmp_path / "again.safetensors"
    save_embedder(copy, read)
    assert copy.read_bytes() == path.read_bytes()


def test_landmarks_that_are_known_need_no_detector() -> None:
    embedder = FaceEmbedder(trained(), alignment_of("33x26"))
    points = embedder.alignment.points * 3.0
    picture = np.random.default_rng(0).random((99, 78), np.float32)
    assert np.linalg.norm(embedder.embed_photograph(picture, points)) == pytest.approx(1.0)


def test_files_that_are_no_embedders_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "E.safetensors"
    save_embedder(path, FaceEmbedder(trained(), alignment_of("33x26")))
    arrays, header = load_tensors(path, kind="face-embedder", schema=1)
    good = header["config"]
    for change, words in (
        ({"network": good["network"] | {"name": "vgg"}}, "vgg"),
        ({"network": good["network"] | {"descriptor_size": 8}}, "not the weights"),
        ({"network": None}, "network: expected an object"),
        ({"alignment": "five-points-33x27"}, "alignment of 33x26"),
        ({"alignment": "by eye"}, "HEIGHTxWIDTH"),
        ({"thresholds": {"lfw": None}}, "threshold of lfw, got None"),
        ({"thresholds": [1]}, "by name"),
    ):
        save_tensors(path, arrays, kind="face-embedder", schema=1, units=None, config=good | change)
        with pytest.raises(FileFormatError, match=words) as caught:
            load_embedder(path)
        assert str(caught.value).count(str(path)) == 1
    with pytest.raises(FileFormatError):
        load_embedder(tmp_path / "missing.safetensors")


def test_what_cannot_be_is_refused_in_a_sentence() -> None:
    for bad in ({"name": "vgg"}, {"height": 8}, {"dropout": 1.0}, {"descriptor_size": 0}):
        with pytest.raises(
            SettingsError, match=f"{'network' if 'name' in bad else next(iter(bad))}: exp"
        ):
            dataclasses.replace(SMALL, **bad)
    network = trained()
    for shape in ((2, 3, 26, 33), (2, 1, 33, 26), (3, 33, 26)):
        with pytest.raises(SettingsError, match=r"expected pictures \(N, 3, 33, 26\)"):
            network(torch.zeros(shape))
    embedder = FaceEmbedder(network, alignment_of("33x26"))
    with pytest.raises(SettingsError, match="Divide 8-bit"):
        embedder.embed(np.full((1, 33, 26, 3), 255.0))
    with pytest.raises(SettingsError, match="aligned faces"):
        embedder.embed(np.zeros((1, 26, 33, 3), np.float32))
    with pytest.raises(SettingsError, match="alignment of 33x26"):
        FaceEmbedder(network, alignment_of("112x96"))


def test_weights_that_give_no_descriptor_are_refused() -> None:
    network = trained()
    with torch.no_grad():
        for values in network.parameters():
            values.zero_()
    embedder = FaceEmbedder(network, alignment_of("33x26"))
    with pytest.raises(SettingsError, match=r"expected a descriptor of each face"):
        embedder.embed(np.random.default_rng(0).random((2, 33, 26, 3), np.float32))
