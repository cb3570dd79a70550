"""Small trainings for the kit: every arm and variant, on random pictures of 16 pixels."""

import dataclasses
import functools
from pathlib import Path

import torch

from geomface.gan.render_to_photo import ARMS, SYSTEM, RenderToPhoto, TranslationData, recipe
from geomface.gan.render_to_photo.recipes import as_published, with_arm
from geomface.learning import ArraySet, LoopSettings, run_training
from geomface.recognition import Alignment, FaceEmbedder, NetworkSettings, build_network

SIZE, PEOPLE = 16, 5
SMALL = dataclasses.replace(
    recipe("tiny"),
    ema=dataclasses.replace(recipe("tiny").ema, decay=0.9),
    view_shift=0.05,
    loop=LoopSettings(20, log_every=4, sample_every=20, checkpoint_every=10),
)
CASES = {arm: with_arm(SMALL, arm) for arm in ARMS} | {
    variant: as_published(SMALL, variant) for variant in ("paper", "released")
}
CASES["instance"] = dataclasses.replace(
    SMALL, networks=dataclasses.replace(SMALL.networks, norm="instance")
)


def pictures(seed: int, count: int = 12) -> torch.Tensor:
    drawn = torch.Generator().manual_seed(seed)
    return torch.randint(256, (count, 3, SIZE, SIZE), generator=drawn).byte()


def build_data(*, pairs: bool = True) -> TranslationData:
    masks = torch.rand(12, 1, SIZE, SIZE, generator=torch.Generator().manual_seed(9)) > 0.3
    labels = torch.arange(12) % PEOPLE
    labels[::4] = -1
    paired = ArraySet({"renders": pictures(3, 6), "photographs": pictures(4, 6)})
    return TranslationData(
        Alignment(SIZE, SIZE),
        ArraySet({"images": pictures(1), "labels": labels, "masks": masks}),
        PEOPLE,
        ArraySet({"images": pictures(2)}),
        paired if pairs else None,
        paired if pairs else None,
    )


def build_embedder() -> FaceEmbedder:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(7)
        settings = NetworkSettings("compact", height=20, width=18, descriptor_size=8)
        return FaceEmbedder(build_network(settings).eval(), Alignment(20, 18))


def build_task(name: str) -> RenderToPhoto:
    """Make the task of a case."""
    return RenderToPhoto(CASES[name], build_data(), build_embedder())


def train_briefly(out: Path, steps: int = 2) -> Path:
    """Leave a run of a few steps."""
    settings = dataclasses.replace(SMALL, loop=LoopSettings(steps, steps, steps, steps))
    make = functools.partial(RenderToPhoto, settings, build_data(), build_embedder())
    run_training(make, out, settings, system=SYSTEM)
    return out


def __getattr__(name: str) -> functools.partial[RenderToPhoto]:
    if name in CASES:
        return functools.partial(build_task, name)
    raise AttributeError(name)
