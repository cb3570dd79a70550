"""Finder and landmark network as a task of the training loop: two networks, a phase each."""

import functools
import math
from typing import Any

import torch

from geomface.landmarks.network import landmark_loss
from geomface.landmarks.photographs.finder import RADIUS, FinderNetwork, decoded
from geomface.landmarks.photographs.frames import (
    EYE_DISTANCE,
    SPAN,
    WINDOW,
    from_window,
    sample_pictures,
    to_window,
    window_places,
)
from geomface.landmarks.photographs.network import PhotographNetwork
from geomface.landmarks.photographs.training.developing import develop_windows
from geomface.landmarks.photographs.training.recipe import PhotographTraining
from geomface.landmarks.photographs.training.sets import PictureRows
from geomface.landmarks.photographs.training.windows import (
    FIELD,
    empty_windows,
    finder_targets,
    finder_windows,
    landmark_windows,
)
from geomface.learning import Metrics, Phase, PhasedTask, Stream, System

SYSTEM = System("photograph-landmarks")
_CHUNK = 40
_SHOWN = 16
_DOT = 1.3
"""Radius of a landmark in a sample, pixels."""
_CELLS = FIELD // 4


class PhotographTask(PhasedTask):
    """Where faces are in pictures, and where their landmarks are.

    Parameters
    ----------
    settings : see `PhotographTraining`
    faces : what is learned from
    no_faces : pictures in which nothing may be found
    held_out : faces of other people, which errors are measured on
    """

    def __init__(
        self,
        settings: PhotographTraining,
        faces: PictureRows,
        no_faces: PictureRows,
        held_out: PictureRows,
    ) -> None:
        self.settings, self.held_out = settings, held_out
        optimizer, own = settings.optimizer, functools.partial(Stream, prefetch=True)
        super().__init__(
            seed=settings.seed,
            build=lambda: {"finder": FinderNetwork(), "landmarks": PhotographNetwork()},
            streams=(
                own("windows", faces, settings.batch, augment=landmark_windows),
                own("fields", faces, settings.fields, augment=finder_windows),
                own("empty", no_faces, settings.empty, augment=empty_windows),
            ),
            generators=("suspects",),
            phases=(
                Phase("finder", ("finder",), self.answers, self.finding_loss, optimizer),
                Phase("landmarks", ("landmarks",), self.found, self.landmark_loss, optimizer),
            ),
            ema={"finder": settings.ema, "landmarks": settings.ema},
            horizon=settings.steps,
            compute=settings.compute,
        )

    def answers(self) -> torch.Tensor:
        """Return what the finder says about fields with faces and about empty ones."""
        fields, empty = self.batch("fields"), self.batch("empty")
        with self.autocast():
            answer = self.networks["finder"](torch.cat([fields["windows"], empty["windows"]]))
        return answer.to(torch.get_default_dtype())

    def finding_loss(self, answer: torch.Tensor) -> tuple[torch.Tensor, Metrics]:
        """Return the focal loss of face or no face, and the distance of frames to the true ones."""
        frames = self.batch("fields")["frames"]
        face, counts, others = finder_targets(frames, _CELLS)
        logits = answer[:, 0]
        face = torch.cat([face, torch.zeros_like(logits[len(face) :])])
        counts = torch.cat([counts, torch.ones_like(logits[len(counts) :])])
        cross = torch.nn.functional.binary_cross_entropy_with_logits(logits, face, reduction="none")
        sure = torch.exp(-cross)
        focal = counts * (0.25 + 0.75 * face) * (1.0 - sure) ** 2 * cross
        miss = (answer[: len(frames), 1:] - others).abs().sum(dim=1)
        # About two cells of a field are faces; a fixed number, so that processes agree.
        rows = 2.0 * len(frames)
        frame = (face[: len(frames)] * miss).sum() / rows
        loss = focal.sum() / rows
        return loss + 0.5 * frame, {"finder_focal": loss, "finder_frame": frame}

    def found(self) -> dict[str, torch.Tensor]:
        """Return windows, what they show, and what the network finds in them.

        Among them are places without a face that the finder of this step likes most, in pictures
        without a face and beside the faces in its fields.
        """
        batch = self.batch("windows")
        windows = torch.cat([batch["windows"], self._empty_windows(), self._windows_beside()])
        with self.autocast():
            places, sigmas, score = self.networks["landmarks"](windows)
        dtype, faces = torch.get_default_dtype(), len(batch["windows"])
        face = torch.cat([batch["face"], torch.zeros(len(windows) - faces).to(batch["face"])])
        return {
            "places": places[:faces].to(dtype),
            "sigmas": sigmas[:faces].to(dtype),
            "score": score.to(dtype),
            "points": batch["points"],
            "weight": batch["known"],
            "face": face,
        }

    def landmark_loss(self, found: dict[str, torch.Tensor]) -> tuple[torch.Tensor, Metrics]:
        """Return `landmark_loss` of what lies in the windows, and the score's cross entropy."""
        weight = found["weight"]
        total = self.ranks.mean(weight.sum()[None])[0]
        marks = landmark_loss(
            found["places"], found["sigmas"], found["points"], weight, total.clamp_min(1.0)
        )
        score = torch.nn.functional.binary_cross_entropy_with_logits(found["score"], found["face"])
        miss = (found["places"].detach() - found["points"]).norm(dim=2)
        metrics = {
            "error_px": (weight * miss).sum() / total.clamp_min(1.0),
            "score": score.detach(),
        }
        return marks + self.settings.score_weight * score, metrics

    def evaluate(self) -> dict[str, float]:
        """Return the mean error on people held out, in percent of the eye distance."""
        misses = [self._look(rows) for rows in torch.arange(len(self.held_out)).split(_CHUNK)]
        scale = 100.0 * SPAN / (WINDOW * EYE_DISTANCE)
        return {"held_out_percent": scale * float(torch.cat([item[2] for item in misses]).mean())}

    def samples(self) -> torch.Tensor:
        """Return held-out windows with dots where landmarks are found."""
        windows, places, _ = self._look(torch.arange(min(_SHOWN, len(self.held_out))))
        centres = torch.arange(WINDOW) + 0.5
        x, y = places[..., 0, None, None], places[..., 1, None, None]
        dots = ((centres - x) ** 2 + (centres[:, None] - y) ** 2 < _DOT**2).any(dim=1)
        return torch.where(dots[:, None], torch.tensor(1.0), 2.0 * windows - 1.0)

    def _look(self, rows: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """Return windows of held-out faces, what is found in them, and its errors in pixels."""
        batch = self.held_out.batch(rows)
        windows = sample_pictures(batch["pictures"], window_places(batch["frames"]))
        with torch.inference_mode():
            places = self.networks["landmarks_ema"](windows.to(self.device))[0].cpu()
        true = to_window(batch["points"], batch["frames"])
        return windows, places, (places - true).norm(dim=2)

    def _empty_windows(self) -> torch.Tensor:
        """Return windows of pictures without a face, where the finder sees one, or anywhere."""
        empty, draws = self.batch("empty"), self.draws("suspects", self.settings.empty)
        pictures, seen = empty["pictures"], empty["frames"]
        best = self._liked(empty["windows"])
        middle = from_window(best[:, None, :2], seen, FIELD, FIELD / RADIUS)[:, 0]
        grown = seen[:, 2] * best[:, 2] / RADIUS
        liked = torch.cat([middle, torch.stack([grown, seen[:, 3] + best[:, 3]], dim=1)], dim=1)
        size = pictures.shape[3]
        anywhere = torch.cat(
            [
                size * draws.uniform(2),
                size * torch.exp(math.log(0.04) + 1.8 * draws.uniform(1)),
                math.pi * (draws.uniform(1) - 0.5),
            ],
            dim=1,
        )
        chosen = torch.where(draws.uniform(1) < 0.5, liked, anywhere)
        return develop_windows(sample_pictures(pictures, window_places(chosen)), draws)

    def _windows_beside(self) -> torch.Tensor:
        """Return windows of the finder's fields, where it sees a face beside the face."""
        fields = self.batch("fields")
        frames = self._liked(fields["windows"], fields["frames"])
        return sample_pictures(fields["windows"], window_places(frames))

    def _liked(self, windows: torch.Tensor, true: torch.Tensor | None = None) -> torch.Tensor:
        """Return the frames (N, 4) that the finder is surest of, apart from the true ones."""
        finder: Any = self.networks["finder_ema"]
        with torch.no_grad():
            frames, logits = decoded(finder(windows))
        if true is not None:
            gap = (frames[..., :2] - true[:, None, :2]).norm(dim=2)
            reach = 1.3 * torch.maximum(frames[..., 2], true[:, None, 2])
            logits = torch.where(gap > reach, logits, torch.full_like(logits, -1e4))
        best = frames[torch.arange(len(frames)), logits.argmax(dim=1)]
        return best.to(torch.get_default_dtype())
