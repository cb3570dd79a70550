"""The landmark network as a task of the training loop: one network, one phase."""

import functools
from typing import Any

import torch

from geomface.landmarks.network import LandmarkNetwork, landmark_loss
from geomface.landmarks.training.dataset import ViewSet, augment_views
from geomface.landmarks.training.recipe import DetectorSettings
from geomface.landmarks.views import VIEW_SIZE
from geomface.landmarks.weights import load_detector
from geomface.learning import Metrics, Phase, PhasedTask, Stream, System

SYSTEM = System("landmark-detector")
_SHOWN = 16
_CHUNK = 64
_DOT = 1.6
"""Radius of a landmark in a sample, pixels."""


class DetectorTask(PhasedTask):
    """Places and uncertainties of landmarks in views.

    Parameters
    ----------
    settings : see `DetectorSettings`
    views : what the network learns from
    held_out : views of other people, which its error is measured on
    """

    def __init__(self, settings: DetectorSettings, views: ViewSet, held_out: ViewSet) -> None:
        self.settings, self.held_out = settings, held_out
        augment = functools.partial(augment_views, noise=settings.noise)
        super().__init__(
            seed=settings.seed,
            build=lambda: {"detector": _network(settings)},
            streams=(Stream("views", views, settings.batch, augment=augment, prefetch=True),),
            phases=(Phase("detector", ("detector",), self.found, self.loss, settings.optimizer),),
            horizon=settings.steps,
            compute=settings.compute,
        )

    def found(self) -> tuple[dict[str, torch.Tensor], torch.Tensor, torch.Tensor]:
        """Return a batch of views, and the places and sigmas that the network finds in them."""
        batch = self.batch("views")
        with self.autocast():
            places, sigmas = self.networks["detector"](batch["views"])
        dtype = torch.get_default_dtype()
        return batch, places.to(dtype), sigmas.to(dtype)

    def loss(self, found: Any) -> tuple[torch.Tensor, Metrics]:
        """Return `landmark_loss`, hidden landmarks counting less, those out of the view nothing."""
        batch, places, sigmas = found
        points, visible = batch["points"], batch["visible"]
        inside = ((points > -4) & (points < VIEW_SIZE + 4)).all(dim=2)
        hidden = self.settings.hidden_weight
        weight = (hidden + (1.0 - hidden) * visible) * inside
        # Means over the whole batch, whatever each process sees of it.
        total, seen = self.ranks.mean(torch.stack([weight.sum(), visible.sum()]))
        loss = landmark_loss(places, sigmas, points, weight, total)
        miss = (places.detach() - points).norm(dim=2)
        return loss, {"error_px": (visible * miss).sum() / seen.clamp_min(1.0)}

    def evaluate(self) -> dict[str, float]:
        """Return the mean error of visible landmarks of people that are held out, in pixels."""
        misses, count = 0.0, 0.0
        with torch.inference_mode():
            for start in range(0, len(self.held_out), _CHUNK):
                rows = torch.arange(start, min(start + _CHUNK, len(self.held_out)))
                batch = self.held_out.batch(rows)
                places, _ = self.networks["detector"](batch["views"].to(self.device))
                miss = (places.cpu() - batch["points"]).norm(dim=2)
                misses += float((batch["visible"] * miss).sum())
                count += float(batch["visible"].sum())
        return {"held_out_error_px": misses / max(count, 1.0)}

    def samples(self) -> torch.Tensor:
        """Return held-out views as their normals, with dots where landmarks are found."""
        batch = self.held_out.batch(torch.arange(min(_SHOWN, len(self.held_out))))
        with torch.inference_mode():
            places, _ = self.networks["detector"](batch["views"].to(self.device))
        centres = torch.arange(VIEW_SIZE) + 0.5
        x, y = places.cpu()[..., 0, None, None], places.cpu()[..., 1, None, None]
        dots = ((centres - x) ** 2 + (centres[:, None] - y) ** 2 < _DOT**2).any(dim=1)
        return torch.where(dots[:, None], torch.tensor(1.0), batch["views"][:, :3])


def _network(settings: DetectorSettings) -> LandmarkNetwork:
    """Return the network that a training begins with."""
    return load_detector().network.train() if settings.start == "shipped" else LandmarkNetwork()
