"""What `reenactment_study.py` shows and measures with: tracks of people, a reader of landmarks, and
the obvious way, a warp of the input by its landmarks.

The warp needs scikit-image (`pip install geomface[bench]`).
"""

from pathlib import Path
from typing import Literal

import numpy as np
import torch
import torch.nn.functional as F
from safetensors.torch import load_file, save_file
from torch import nn

from geomface.arrays import FloatArray
from geomface.gan.landmark_reenactment import FaceFrames, Frame, collect_frames
from geomface.learning.data import network_values
from geomface.synthesis import FaceImageSettings, FaceSampler, PhotoSettings

SIZE, DRAWN = 32, 64
PEOPLE = {"shown": (300, 1), "test": (60, 2)}
"""How many, and the seed that they are drawn from."""
FRAMES, TRACK = 16, 4
"""Frames of a person, and from one drawn pose to the next: quick moves, so that heads turn."""
_BATCH = 64
Preset = Literal["plain", "photo"]


def known_frames(name: str, out: Path, preset: Preset = "plain") -> tuple[FaceFrames, FloatArray]:
    """Return frames and their yaw, degrees; draws them once, which decides the preset."""
    path = out / "sets" / f"{name}.npz"
    path.parent.mkdir(parents=True, exist_ok=True)
    if not path.exists():
        people, seed = PEOPLE[name]
        clean = PhotoSettings(film=0.0, jpeg=0.0, occluders=0.0)
        settings = FaceImageSettings(
            people, FRAMES, DRAWN, seed, preset=preset, track=TRACK, photo=clean
        )
        sampler, frames, yaw = FaceSampler(settings), [], []
        for person in range(people):
            drawn = sampler.batch([(person, moment) for moment in range(FRAMES)])
            yaw += [item.yaw for item in drawn.parameters]
            for moment in range(FRAMES):
                image, points = drawn.images["rgb"][moment], drawn.landmarks[moment]
                label = f"{person:04d}/{moment:02d}"
                frames.append(Frame(label, image, points, person, person, moment))
        found = collect_frames(frames, SIZE)
        columns = {k: getattr(found, k) for k in ("images", "points", "people", "moments")}
        np.savez(path, names=np.array(found.names), yaw=np.array(yaw), **columns)
    with np.load(path) as kept:
        people_of = kept["people"]
        frames_of = FaceFrames(
            kept["images"],
            kept["points"],
            people_of,
            people_of,
            kept["moments"],
            tuple(kept["names"].tolist()),
        )
        return frames_of, kept["yaw"]


class Reader(nn.Module):
    """Four convolutions and a linear layer: landmarks of a crop."""

    def __init__(self) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        channels = 3
        for width, stride in ((24, 1), (48, 2), (64, 2), (96, 2)):
            layers += [nn.Conv2d(channels, width, 3, stride, 1), nn.BatchNorm2d(width), nn.ReLU()]
            channels = width
        side = SIZE // 8
        self.layers = nn.Sequential(*layers, nn.Flatten(), nn.Linear(96 * side * side, 136))

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """Return (N, 68, 2) pixels."""
        return (self.layers(images).unflatten(1, (68, 2)) + 1.0) * (SIZE / 2)

    @torch.no_grad()
    def locate(self, images: torch.Tensor) -> FloatArray:
        """Return landmarks as `evaluate_reenactment` asks for them."""
        return torch.cat([self(part) for part in images.split(256)]).double().numpy()


def taught_reader(frames: FaceFrames, path: Path, steps: int = 1500) -> Reader:
    """Return the reader, taught on true frames within two minutes."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(5)
        reader = Reader()
        if not path.exists():
            optimizer = torch.optim.Adam(reader.parameters(), 1e-3)
            drawn = torch.Generator().manual_seed(5)
            for step in range(steps):
                optimizer.param_groups[0]["lr"] = 1e-3 * (1 - step / steps)
                rows = torch.randint(len(frames), (_BATCH,), generator=drawn).numpy()
                images = network_values(frames.images[rows])
                images = images + 0.05 * torch.randn(images.shape, generator=drawn)
                loss = F.l1_loss(reader(images), network_values(frames.points[rows]))
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
            save_file(reader.state_dict(), str(path))
    reader.load_state_dict(load_file(str(path)))
    return reader.eval()


def warped(image: np.ndarray, source: FloatArray, target: FloatArray) -> np.ndarray:
    """Return a picture (3, S, S) in [-1, 1] warped from its landmarks to others, triangle by
    triangle; the rim stays.
    """
    from skimage.transform import PiecewiseAffineTransform, warp

    last = image.shape[-1] - 1.0
    rim = np.array(
        [
            (x, y)
            for x in (0, last / 2, last)
            for y in (0, last / 2, last)
            if (x, y) != (last / 2,) * 2
        ]
    )
    moved = PiecewiseAffineTransform.from_estimate(
        np.concatenate([target, rim]), np.concatenate([source, rim])
    )
    shown = warp(0.5 * image.transpose(1, 2, 0) + 0.5, moved, mode="edge", order=1)
    return 2.0 * shown.transpose(2, 0, 1) - 1.0


def hidden_parts(source: FloatArray, target: FloatArray) -> np.ndarray:
    """Return (S, S) bool: what the target shows of the face and the source hardly did.

    Triangles between the target's landmarks whose area in the source is less than a third, or
    turned over.
    """
    from scipy.spatial import Delaunay

    mesh = Delaunay(target)
    y, x = np.mgrid[:SIZE, :SIZE]
    inside = mesh.find_simplex(np.stack([x.ravel(), y.ravel()], axis=1))
    areas = [_areas(points[mesh.simplices]) for points in (source, target)]
    hidden = np.append(areas[0] * np.sign(areas[1]) < np.abs(areas[1]) / 3, False)
    return hidden[inside].reshape(SIZE, SIZE)


def _areas(corners: FloatArray) -> FloatArray:
    (a, b), (c, d) = (corners[:, 1] - corners[:, 0]).T, (corners[:, 2] - corners[:, 0]).T
    return 0.5 * (a * d - b * c)
