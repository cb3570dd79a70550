"""Who measures in `translation_study.py`: a reader of pose, light and landmarks, and a classifier.

Both are small networks, taught on people whom the translation has never met, within a minute each.
"""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from safetensors.torch import load_file, save_file
from torch import nn
from translation_study_data import SIZE, KnownFaces

from geomface.files.atomic import atomic_path
from geomface.mesh.multi_pie import mirror_order

POSE, LIGHT, POINTS = slice(0, 2), slice(2, 5), slice(5, 141)
_DEGREES, _PIXELS = (25.0, 8.0), SIZE / 4
"""Angles and distances that the reader tells as 1."""
_BATCH = 64


class SmallNetwork(nn.Module):
    """Four convolutions and a linear layer.

    Parameters
    ----------
    outputs : numbers that it tells of a picture
    """

    def __init__(self, outputs: int) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        channels = 3
        for width, stride in ((24, 1), (48, 2), (64, 2), (96, 2)):
            layers += [nn.Conv2d(channels, width, 3, stride, 1), nn.BatchNorm2d(width), nn.ReLU()]
            channels = width
        side = SIZE // 8
        self.layers = nn.Sequential(
            *layers, nn.Flatten(), nn.Dropout(0.2), nn.Linear(channels * side * side, outputs)
        )

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """Return (N, outputs) of pictures (N, 3, S, S) in [-1, 1]."""
        return self.layers(images)


def reader_targets(known: KnownFaces) -> torch.Tensor:
    """Return what the reader tells of each picture, (N, 141)."""
    points = (known.points - SIZE / 2) / _PIXELS
    columns = (known.pose / _DEGREES, known.light, points.reshape(len(points), -1))
    return torch.from_numpy(np.concatenate(columns, axis=1)).float()


def mirrored(targets: torch.Tensor) -> torch.Tensor:
    """Return what the reader tells of the mirrored pictures."""
    sign = torch.ones(5)
    sign[[0, 2]] = -1.0  # yaw, and light from the right
    points = targets[:, POINTS].unflatten(1, (68, 2))[:, torch.from_numpy(mirror_order())]
    points = points * torch.tensor([-1.0, 1.0])
    return torch.cat([sign * targets[:, :5], points.flatten(1)], dim=1)


def read_faces(reader: nn.Module, images: torch.Tensor) -> torch.Tensor:
    """Return (N, 141) what the reader tells of pictures, the mean with their mirror images."""
    with torch.no_grad():
        both = [torch.cat([reader(part) for part in side.split(256)])
                for side in (images, images.flip(3))]  # fmt: skip
    return 0.5 * (both[0] + mirrored(both[1]))


def reading_errors(found: torch.Tensor, wanted: torch.Tensor) -> dict[str, float]:
    """Return mean errors: of yaw, pitch and the light's direction in degrees, of landmarks in
    pixels.

    Parameters
    ----------
    found, wanted : (N, 141) as the reader tells and `reader_targets` has them
    """
    gap = (found - wanted).abs()
    pose = (gap[:, POSE] * torch.tensor(_DEGREES)).mean(0)
    cosine = F.cosine_similarity(found[:, LIGHT], wanted[:, LIGHT]).clamp(-1, 1)
    off = (found - wanted)[:, POINTS].unflatten(1, (68, 2)).norm(dim=2).mean(1) * _PIXELS
    return {
        "yaw": float(pose[0]),
        "pitch": float(pose[1]),
        "light": float(torch.rad2deg(torch.arccos(cosine)).mean()),
        "landmarks": float(off.mean()),
    }


def taught_reader(sets: list[KnownFaces], path: Path, *, epochs: int = 30) -> nn.Module:
    """Return the reader of photographs, taught now or before.

    Parameters
    ----------
    sets : photographs with their truth
    path : of the file that keeps it
    epochs : rounds through all of them
    """
    images = torch.cat([known.images() for known in sets])
    wanted = torch.cat([reader_targets(known) for known in sets])
    weights = torch.cat([torch.full((5,), 1.0), torch.full((136,), 1.0 / 17.0)])

    def loss(found: torch.Tensor, rows: torch.Tensor, flipped: torch.Tensor) -> torch.Tensor:
        targets = torch.where(flipped[:, None], mirrored(wanted[rows]), wanted[rows])
        return (weights * F.smooth_l1_loss(found, targets, reduction="none")).mean()

    return _taught(SmallNetwork(POINTS.stop), images, loss, path, epochs, jitter=1.0)


def taught_classifier(
    renders: KnownFaces, photographs: KnownFaces, path: Path, *, epochs: int = 12
) -> nn.Module:
    """Return the classifier, taught now or before: above 0 is a photograph.

    It sees the renders once as they are and once before what is in photographs, so that faces
    decide and not the black behind them.
    """
    drawn, shown = renders.images(), photographs.images()
    masks = renders.faces.batch(torch.arange(len(drawn)))["masks"]
    behind = shown[torch.arange(len(drawn)).flip(0) % len(shown)]
    images = torch.cat([drawn, masks * drawn + (1.0 - masks) * behind, shown, shown])
    real = (torch.arange(len(images)) >= 2 * len(drawn)).float()

    def loss(found: torch.Tensor, rows: torch.Tensor, flipped: torch.Tensor) -> torch.Tensor:
        return F.binary_cross_entropy_with_logits(found[:, 0], real[rows])

    return _taught(SmallNetwork(1), images, loss, path, epochs, jitter=0.0)


def share_called_real(classifier: nn.Module, images: torch.Tensor) -> float:
    """Return the share of pictures that the classifier calls photographs."""
    with torch.no_grad():
        return float((torch.cat([classifier(part) for part in images.split(256)]) > 0).mean(
            dtype=torch.float64
        ))  # fmt: skip


def _taught(
    network: nn.Module,
    images: torch.Tensor,
    loss: Callable[[torch.Tensor, torch.Tensor, torch.Tensor], torch.Tensor],
    path: Path,
    epochs: int,
    *,
    jitter: float,
) -> nn.Module:
    """Teach a network unless its file is there; jitter is the strength of tints and noise."""
    if path.exists():
        network.load_state_dict(load_file(path))
        return network.eval()
    draws = torch.Generator().manual_seed(5)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(5)
        for layer in network.modules():
            if isinstance(layer, nn.Conv2d | nn.Linear):
                layer.reset_parameters()
        steps = epochs * -(-len(images) // _BATCH)
        optimizer = torch.optim.Adam(network.parameters(), 2e-3)
        schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 4e-3, total_steps=steps)
        network.train()
        for _ in range(epochs):
            for rows in torch.randperm(len(images), generator=draws).split(_BATCH):
                flipped = torch.rand(len(rows), generator=draws) < 0.5
                shown = images[rows]
                shown = torch.where(flipped[:, None, None, None], shown.flip(3), shown)
                gain = 2.0 * torch.rand(len(rows), 3, 1, 1, generator=draws) - 1.0
                gain = 1.0 + 0.2 * jitter * gain
                noise = 0.03 * jitter * torch.randn(shown.shape, generator=draws)
                optimizer.zero_grad()
                loss(network(gain * shown + noise), rows, flipped).backward()
                optimizer.step()
                schedule.step()
    with atomic_path(path) as place:
        save_file(network.state_dict(), place)
    return network.eval()
