"""The triple consistency for attributes: hair colour of people who do not exist, with and without.

    python tests/benchmarks/reenactment_star.py --out DIR [--arms triple self] [--seeds 0 1 2]
        [--steps 8000] [--again]

Draws people with hair that shows (some minutes), light, brown or dark, in equal numbers, with gaps
between the classes so that it can be told what a picture shows; teaches a classifier on half of
them, trains both arms of every seed on the other half (32 px, width 16, one core) in
DIR/runs/ARM-SEED and tells how often the classifier sees the colour that was asked for in pictures
of a last part: in one step, and in a second one made of the first. What is done is not done again.
"""

import argparse
import itertools
import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from safetensors.torch import load_file, save_file
from torch import nn

from geomface.files.records import write_json
from geomface.gan.landmark_reenactment import (
    AttributeChange,
    StarGenerator,
    StarSettings,
    attribute_accuracy,
    crop_face,
)
from geomface.learning import ArraySet, ComputeSettings, LoopSettings, System, run_training
from geomface.learning.data import network_values
from geomface.learning.trained import load_trained
from geomface.synthesis import FaceImageSettings, FaceSampler, PhotoSettings

SYSTEM = System("attribute_change")
SIZE, DRAWN, SAMPLES, MARGIN = 32, 96, 4, 0.45
PARTS = {"taught": 300, "shown": 300, "test": 99}
"""People that the classifier, the generators, and neither are taught on."""
ARMS = {"triple": 10.0, "self": 0.0}
"""Weight of the triple consistency."""
MELANIN = ((0.0, 0.3), (0.6, 0.72), (0.96, 1.0))
"""Of light, brown and dark hair."""
CLASSES = len(MELANIN)


def with_hair(sampler: FaceSampler) -> Iterator[tuple[int, int]]:
    """Yield people whose hair shows its colour, and the class of that, each class in turn."""
    waiting: list[list[int]] = [[] for _ in MELANIN]
    turn = 0
    for person in itertools.count():
        traits = sampler.people.person(person).traits
        if traits.grey < 0.2 and traits.baldness < 0.4:
            for label, (low, high) in enumerate(MELANIN):
                if low <= traits.hair_melanin <= high:
                    waiting[label].append(person)
        while waiting[turn]:
            yield waiting[turn].pop(0), turn
            turn = (turn + 1) % CLASSES


def faces(out: Path) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Return {part: (pictures (N, 3, S, S) uint8, classes)}; draws them once."""
    path = out / "faces.npz"
    path.parent.mkdir(parents=True, exist_ok=True)
    if not path.exists():
        bare = {"occluders": 0.0, "glasses": 0.0, "hats": 0.0, "scarves": 0.0}
        clean = PhotoSettings(film=0.0, jpeg=0.0, jitter=0.0, hair=1.0, **bare)
        settings = FaceImageSettings(100_000, SAMPLES, DRAWN, 3, preset="photo", photo=clean)
        sampler, images, labels = FaceSampler(settings), [], []
        for person, label in itertools.islice(with_hair(sampler), sum(PARTS.values())):
            drawn = sampler.batch([(person, sample) for sample in range(SAMPLES)])
            for picture, points in zip(drawn.images["rgb"], drawn.landmarks, strict=True):
                images.append(crop_face(picture, points, SIZE, MARGIN)[0].transpose(2, 0, 1))
            labels += [label] * SAMPLES
        np.savez(path, images=np.stack(images), labels=labels)
    with np.load(path) as kept:
        ends = SAMPLES * np.cumsum([0, *PARTS.values()])
        return {
            name: (kept["images"][a:b], kept["labels"][a:b].astype(np.int64))
            for name, a, b in zip(PARTS, ends, ends[1:], strict=False)
        }


def classifier_of(
    images: np.ndarray, labels: np.ndarray, path: Path, steps: int = 1600
) -> nn.Module:
    """Return a classifier, taught within a minute."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(5)
        layers: list[nn.Module] = []
        channels = 3
        for width in (16, 32, 64):
            layers += [nn.Conv2d(channels, width, 3, 2, 1), nn.BatchNorm2d(width), nn.ReLU()]
            channels = width
        network = nn.Sequential(
            *layers, nn.Flatten(), nn.Dropout(0.3), nn.Linear(64 * (SIZE // 8) ** 2, CLASSES)
        )
        if not path.exists():
            optimizer = torch.optim.AdamW(network.parameters(), 1e-3, weight_decay=1e-2)
            drawn = torch.Generator().manual_seed(5)
            for _ in range(steps):
                rows = torch.randint(len(labels), (64,), generator=drawn).numpy()
                shown = network_values(images[rows])
                shown = torch.where(
                    torch.rand((64, 1, 1, 1), generator=drawn) < 0.5, shown, shown.flip(3)
                )
                shown = shown + 0.05 * torch.randn(shown.shape, generator=drawn)
                loss = F.cross_entropy(network(shown), torch.from_numpy(labels[rows]))
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
            save_file(network.state_dict(), str(path))
    network.load_state_dict(load_file(str(path)))
    return network.eval()


def trained(arm: str, seed: int, steps: int, out: Path, data: ArraySet) -> StarGenerator:
    """Train an arm unless it is trained, and return its generator."""
    settings = StarSettings(
        SIZE,
        16,
        2,
        triple=ARMS[arm],
        lr=5e-4,
        loop=LoopSettings(steps, 100, 2000, 2000),
        compute=ComputeSettings("cpu"),
        seed=seed,
    )
    run = out / "runs" / f"{arm}-{seed}"
    run.parent.mkdir(exist_ok=True)
    result = run_training(
        lambda: AttributeChange(settings, data, CLASSES), run, settings, system=SYSTEM
    )
    if result.ended == "interrupt":
        raise SystemExit(1)
    generator = StarGenerator(CLASSES, settings.width, settings.blocks)
    return load_trained(run, system=SYSTEM).fill("generator", generator).eval()  # type: ignore[return-value]


def main() -> None:
    """Train and measure what is not there, and print all."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--arms", nargs="+", choices=ARMS, default=list(ARMS))
    parser.add_argument("--seeds", nargs="+", type=int, default=[0, 1, 2])
    parser.add_argument("--steps", type=int, default=8000)
    parser.add_argument("--again", action="store_true")
    given = parser.parse_args()
    torch.set_num_threads(1)
    parts = faces(given.out)
    classifier = classifier_of(*parts["taught"], given.out / "classifier.safetensors")
    images, labels = parts["test"]
    test = network_values(images)
    with torch.no_grad():
        right = float((classifier(test).argmax(dim=1).numpy() == labels).mean())
    print(f"the classifier sees the colour of {right:.3f} of true pictures")
    data = ArraySet(dict(zip(("images", "labels"), parts["shown"], strict=True)))
    for seed in given.seeds:
        for arm in given.arms:
            path = given.out / f"{arm}-{seed}.json"
            if given.again or not path.exists():
                generator = trained(arm, seed, given.steps, given.out, data)
                write_json(path, attribute_accuracy(generator, classifier, test))
            print(f"{arm}, seed {seed}: {json.loads(path.read_text())}", flush=True)


if __name__ == "__main__":
    main()
