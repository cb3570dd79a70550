"""A step of the reenactment against a plain eager loop of the same networks.

python tests/benchmarks/reenactment_step.py [--recipe cpu|paper] [--device cpu|cuda] [--steps N]
                                            [--batch N] [--precision float32|bfloat16] [--compile]

Both do what Sanchez & Valstar 2018 ask for, without a warp or features of other networks: the plain
loop as it is usually written, which takes a step of the discriminator and then one of the
generator, each pass by itself; the task with one forward for both. Times on a CPU are the
processor's, so that others who use it do not count.
"""

import argparse
import dataclasses
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

from geomface.gan.landmark_reenactment import (
    FaceFrames,
    LandmarkReenactment,
    NetworkSettings,
    PatchDiscriminator,
    ReenactmentData,
    ReenactmentSettings,
    condition_map,
    prepare_data,
    recipe,
)
from geomface.learning import ComputeSettings

sys.path.insert(0, str(Path(__file__).resolve().parent))

from translation_step import seconds  # noqa: E402


def random_data(size: int, tracks: int = 8, length: int = 8) -> ReenactmentData:
    """Noise of the right shapes."""
    drawn = np.random.default_rng(0)
    count = tracks * length
    groups = np.repeat(np.arange(tracks), length)
    images = drawn.integers(256, size=(count, 3, size, size), dtype=np.uint8)
    points = drawn.uniform(2, size - 3, (count, 68, 2)).astype(np.float32)
    moments = np.tile(np.arange(length), tracks)
    return prepare_data(
        FaceFrames(images, points, groups, groups, moments, tuple(map(str, range(count))))
    )


class PlainGenerator(nn.Module):
    """The generator by torch's own layers: one convolution of picture and condition together."""

    def __init__(self, sizes: NetworkSettings) -> None:
        super().__init__()
        width, layers = sizes.width, list[nn.Module]()

        def add(convolution: nn.Module, channels: int) -> None:
            layers.extend(
                [convolution, nn.InstanceNorm2d(channels, affine=True), nn.LeakyReLU(0.2)]
            )

        add(nn.Conv2d(3 + sizes.condition_channels, width, 7, 1, 3, bias=False), width)
        for k in (1, 2):
            add(nn.Conv2d(k * width, 2 * k * width, 4, 2, 1, bias=False), 2 * k * width)
        layers.extend(PlainBlock(4 * width) for _ in range(sizes.blocks))
        for k in (4, 2):
            outputs = k * width // 2
            add(nn.ConvTranspose2d(k * width, outputs, 4, 2, 1, bias=False), outputs)
        self.layers = nn.Sequential(*layers)
        self.colors = nn.Conv2d(width, 3, 7, 1, 3, bias=False)
        self.mask = nn.Conv2d(width, 1, 7, 1, 3, bias=False)

    def forward(self, images: torch.Tensor, condition: torch.Tensor) -> torch.Tensor:
        """Return the faces at the landmarks."""
        inner = self.layers(torch.cat([images, condition], dim=1))
        mask = torch.sigmoid(self.mask(inner))
        return (1 - mask) * torch.tanh(self.colors(inner)) + mask * images


class PlainBlock(nn.Module):
    """A residual block."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.Conv2d(channels, channels, 3, 1, 1),
            nn.InstanceNorm2d(channels),
            nn.LeakyReLU(0.2),
            nn.Conv2d(channels, channels, 3, 1, 1),
            nn.InstanceNorm2d(channels),
        )

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return x and what the layers make of it."""
        return x + self.layers(x)


def plain_loop(
    use: ReenactmentSettings, data: ReenactmentData, device: torch.device
) -> Callable[[], None]:
    """Return a step as it is usually written."""
    generator = PlainGenerator(use.networks).to(device)
    judge = PatchDiscriminator(use.networks).to(device)
    adam = [
        torch.optim.Adam(network.parameters(), use.lr, (0.5, 0.9999))
        for network in (generator, judge)
    ]
    order, weights = torch.arange(use.batch) % len(data.shown), use.weights
    gap = F.mse_loss if weights.power == 2 else F.l1_loss

    def step() -> None:
        batch = {name: item.to(device) for name, item in data.shown.batch(order).items()}
        images, wanted = batch["source"], batch["target"]
        own, target, following = (
            condition_map(batch[f"{name}_points"], use.networks)
            for name in ("source", "target", "next")
        )
        with torch.no_grad():
            made = generator(images, target)
        loss = F.relu(1 - judge(wanted)).mean() + F.relu(1 + judge(made)).mean()
        adam[1].zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(judge.parameters(), 1.0)
        adam[1].step()
        made = generator(images, target)
        loss = -weights.adversarial * judge(made).mean() + weights.pixel * gap(made, wanted)
        loss = loss + weights.self_consistency * gap(generator(made, own), images)
        two, one = generator(made, following), generator(images, following)
        loss = loss + weights.triple_consistency * gap(two, one)
        smooth = made.diff(dim=2).abs().mean() + made.diff(dim=3).abs().mean()
        loss = loss + weights.variation * smooth
        adam[0].zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(generator.parameters(), 1.0)
        adam[0].step()

    return step


def main() -> None:
    """Measure both, in turns."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--recipe", default="cpu", choices=("cpu", "paper"))
    parser.add_argument("--device", default="cpu", choices=("cpu", "cuda"))
    parser.add_argument("--precision", default="float32", choices=("float32", "bfloat16"))
    parser.add_argument("--compile", action="store_true")
    parser.add_argument("--batch", type=int)
    parser.add_argument("--steps", type=int, default=5)
    given = parser.parse_args()
    if given.device == "cpu":
        torch.set_num_threads(1)
    compute = ComputeSettings(given.device, given.precision, compile=given.compile)
    # From the first step on, as the plain loop: a ramp would leave most of the work out.
    full = {"consistency_begins": 0.0, "consistency_full": 0.0}
    use = dataclasses.replace(recipe(given.recipe, arm="no-warp"), compute=compute, **full)
    if given.batch is not None:
        use = dataclasses.replace(use, batch=given.batch)
    data = random_data(use.networks.size)
    task = LandmarkReenactment(use, data)
    plain = plain_loop(use, data, task.device)
    times = [
        (seconds(plain, given.steps, task.device), seconds(task.step, given.steps, task.device))
        for _ in range(3)
    ]
    one, other = (min(column) for column in zip(*times, strict=True))
    print(f"plain {1e3 * one:.1f} ms, task {1e3 * other:.1f} ms a step: {one / other:.2f} x")


if __name__ == "__main__":
    main()
