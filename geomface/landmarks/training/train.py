"""Training of the landmark network on drawn views."""

import dataclasses
import math
from collections.abc import Callable, Sequence

import numpy as np
import torch

from geomface.landmarks.network import LandmarkNetwork, landmark_loss
from geomface.landmarks.training.views import TrainingViews
from geomface.landmarks.views import VIEW_SIZE
from geomface.mesh.multi_pie import mirror_order


@dataclasses.dataclass(frozen=True)
class DetectorTraining:
    """Settings of the training."""

    epochs: int = 5
    """Passes over the views."""
    batch: int = 64
    """Views a step."""
    learning_rate: float = 2e-3
    """Largest rate; it rises over the first 3 % of the steps and falls as a cosine."""
    weight_decay: float = 1e-4
    """Of AdamW."""
    hidden_weight: float = 0.25
    """What a landmark counts whose surface is hidden or missing in the view."""
    seed: int = 0
    """Seed of weights, order and augmentation."""


def train_detector(
    shards: Sequence[Callable[[], TrainingViews]],
    settings: DetectorTraining,
    *,
    initial: LandmarkNetwork | None = None,
    on_progress: Callable[[int, int, float], None] | None = None,
) -> LandmarkNetwork:
    """Train a network on shards of views, each read when its turn comes.

    Views are mirrored at random (the landmarks change their names) and their normals get noise.

    Parameters
    ----------
    shards : functions that return views
    initial : network to go on from, default a new one
    on_progress : called with (step, steps, error in pixels of the visible landmarks)
    """
    torch.manual_seed(settings.seed)
    rng = np.random.default_rng(settings.seed)
    network = LandmarkNetwork() if initial is None else initial
    network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    optimizer = torch.optim.AdamW(
        network.parameters(), lr=settings.learning_rate, weight_decay=settings.weight_decay
    )
    counts = [len(shard().pictures) // settings.batch for shard in shards[:1]] * len(shards)
    steps = settings.epochs * sum(counts)
    step, smooth = 0, math.nan
    network.train()
    for _ in range(settings.epochs):
        for number in rng.permutation(len(shards)):
            views = shards[number]()
            order = rng.permutation(len(views.pictures))
            for start in range(0, len(order) - settings.batch + 1, settings.batch):
                chosen = order[start : start + settings.batch]
                pictures, points, weight = _batch(views, chosen, settings, rng)
                share = min(step / max(steps, 1), 1.0)
                rate = min(share / 0.03, 0.5 * (1 + math.cos(math.pi * share)))
                for group in optimizer.param_groups:
                    group["lr"] = settings.learning_rate * max(rate, 1e-3)
                places, sigmas = network(pictures)
                loss = landmark_loss(places, sigmas, points, weight)
                optimizer.zero_grad(set_to_none=True)
                loss.backward()
                torch.nn.utils.clip_grad_norm_(network.parameters(), 5.0)
                optimizer.step()
                seen = weight > 0.99
                miss = (places.detach() - points).norm(dim=2)[seen].mean().item()
                smooth = miss if math.isnan(smooth) else 0.95 * smooth + 0.05 * miss
                step += 1
                if on_progress is not None and step % 20 == 0:
                    on_progress(step, steps, smooth)
    return network.eval()


def _batch(
    views: TrainingViews, chosen: np.ndarray, settings: DetectorTraining, rng: np.random.Generator
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Return pictures, places and weights of some views, half of them mirrored."""
    pictures = views.pictures[chosen].astype(np.float32) / 127.0
    points, visible = views.points[chosen].copy(), views.visible[chosen]
    mirrored = rng.random(len(chosen)) < 0.5
    pictures[mirrored] = pictures[mirrored, :, :, ::-1]
    pictures[mirrored, 0] *= -1.0
    order = mirror_order()
    points[mirrored] = points[mirrored][:, order]
    points[mirrored, :, 0] = VIEW_SIZE - points[mirrored, :, 0]
    visible = np.where(mirrored[:, None], visible[:, order], visible)
    covered = np.any(pictures != 0, axis=1, keepdims=True)
    noise = rng.uniform(0, 0.12, (len(chosen), 1, 1, 1)).astype(np.float32)
    pictures[:, :3] += covered * noise * rng.standard_normal(pictures[:, :3].shape, np.float32)
    inside = ((points > -4) & (points < VIEW_SIZE + 4)).all(axis=2)
    weight = np.where(visible, 1.0, settings.hidden_weight) * inside
    tensor = torch.from_numpy(pictures).contiguous(memory_format=torch.channels_last)
    return tensor, torch.from_numpy(points), torch.from_numpy(weight.astype(np.float32))
