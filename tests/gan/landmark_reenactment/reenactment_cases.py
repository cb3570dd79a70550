"""Small trainings for the kit: every arm and preset, on random pictures of 16 pixels."""

import dataclasses
import functools

import numpy as np
import torch

from geomface.gan.landmark_reenactment import (
    ARMS,
    FaceFrames,
    LandmarkReenactment,
    ReenactmentData,
    prepare_data,
    recipe,
)
from geomface.gan.landmark_reenactment.recipes import PRESETS, with_arm
from geomface.learning import LoopSettings
from geomface.recognition import Alignment, FaceEmbedder, NetworkSettings, build_network

SIZE = 16
SMALL = dataclasses.replace(
    recipe("tiny"),
    consistency_begins=0.0,
    consistency_full=0.0,
    ema=dataclasses.replace(recipe("tiny").ema, decay=0.9),
    loop=LoopSettings(20, log_every=4, sample_every=20, checkpoint_every=10),
)
CASES = {arm: with_arm(SMALL, arm) for arm in ARMS}
CASES["paper"] = dataclasses.replace(
    SMALL,
    weights=PRESETS["paper"],
    networks=dataclasses.replace(SMALL.networks, condition="heatmaps"),
)
CASES["warp"] = dataclasses.replace(SMALL, networks=dataclasses.replace(SMALL.networks, warp=True))


def build_frames(tracks: int = 5, length: int = 4, stills: int = 4) -> FaceFrames:
    """Random pictures and landmarks that span the picture."""
    drawn = np.random.default_rng(0)
    groups = np.r_[np.repeat(np.arange(tracks), length), tracks + np.arange(stills)]
    count = len(groups)
    images = drawn.integers(256, size=(count, 3, SIZE, SIZE), dtype=np.uint8)
    points = drawn.uniform(2, SIZE - 3, (count, 68, 2)).astype(np.float32)
    moments = np.r_[np.tile(np.arange(length), tracks), np.zeros(stills, int)]
    return FaceFrames(images, points, groups, groups, moments, tuple(map(str, range(count))))


def build_data() -> ReenactmentData:
    return prepare_data(build_frames(), held_out=0.3)


def build_embedder() -> FaceEmbedder:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(7)
        settings = NetworkSettings("compact", height=20, width=18, descriptor_size=8)
        return FaceEmbedder(build_network(settings).eval(), Alignment(20, 18))


class Edges(torch.nn.Module):
    """A feature network: what a fixed convolution sees."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = torch.nn.Parameter(torch.linspace(-1, 1, 4 * 3 * 9).sin().view(4, 3, 3, 3))

    def forward(self, images: torch.Tensor) -> dict[str, torch.Tensor]:
        found = torch.nn.functional.conv2d(images, self.weight.to(images.dtype))
        return {"edges": found, "relu3_3": found.relu()}


def build_task(name: str) -> LandmarkReenactment:
    """Make the task of a case."""
    return LandmarkReenactment(CASES[name], build_data(), build_embedder(), Edges())


def __getattr__(name: str) -> functools.partial[LandmarkReenactment]:
    plain = name.replace("_", "-")
    if plain in CASES:
        return functools.partial(build_task, plain)
    raise AttributeError(name)
